-- 0001_replica_versions: who may come in, and how a change gets its number.
-- Why:   call servers follow these tables by number; numbers must be in the order of commits, so
--        one row is locked from the first change of a transaction to its commit.
-- Locks: creates schemas, roles, tables; safe while auraboxd runs.
DO $$
DECLARE wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['aura_admin', 'aura_sm', 'aura_cm', 'aura_presence'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', wanted);
		END IF;
	END LOOP;
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO aura_admin, aura_sm, aura_cm, aura_presence',
		       current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE SCHEMA replica;
CREATE SCHEMA record;

-- RFC 9562 section 5.7: 48 bits of milliseconds, version 7, random rest.
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT encode(set_byte(set_byte(
		overlay(uuid_send(gen_random_uuid()) PLACING
			substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint)
				  FROM 3) FROM 1 FOR 6),
		6, (get_byte(uuid_send(gen_random_uuid()), 6) & 15) | 112),
		8, (get_byte(uuid_send(gen_random_uuid()), 8) & 63) | 128), 'hex')::uuid
$$;

CREATE TABLE replica.counter (
	single    boolean PRIMARY KEY DEFAULT true CHECK (single),
	version bigint  NOT NULL,
	xact    xid8    NOT NULL
);
COMMENT ON TABLE replica.counter IS
	'The newest version; its row lock puts versions into the order of commits.';
INSERT INTO replica.counter (version, xact) VALUES (0, pg_current_xact_id());

CREATE TABLE replica.row_set_version (
	row_set    text        PRIMARY KEY,
	version    bigint      NOT NULL,
	changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE replica.row_set_version IS
	'One row a set of rows that call servers copy: the version of its last change.';

CREATE TABLE replica.tombstone (
	row_set text   NOT NULL,
	key     text   NOT NULL,
	version bigint NOT NULL,
	PRIMARY KEY (row_set, key)
);
COMMENT ON TABLE replica.tombstone IS
	'Rows that were deleted, so that a call server that was away learns of it.';

-- The version of the transaction that runs; drawn once, then the same for all of its changes.
CREATE FUNCTION replica.bump(changed text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	drawn bigint;
BEGIN
	SELECT version INTO drawn FROM replica.counter WHERE xact = pg_current_xact_id();
	IF NOT FOUND THEN
		UPDATE replica.counter SET version = version + 1, xact = pg_current_xact_id()
			RETURNING version INTO drawn;
	END IF;
	INSERT INTO replica.row_set_version AS have (row_set, version, changed_at)
		VALUES (changed, drawn, clock_timestamp())
		ON CONFLICT (row_set) DO UPDATE
			SET version = excluded.version, changed_at = excluded.changed_at
			WHERE have.version <> excluded.version;
	PERFORM pg_notify('uc_changed', changed);
	RETURN drawn;
END $$;

-- BEFORE INSERT OR UPDATE; first argument: row set, second: column that is its key.
CREATE FUNCTION replica.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := replica.bump(TG_ARGV[0]);
	NEW.updated_at := now();
	IF TG_OP = 'INSERT' THEN
		DELETE FROM replica.tombstone
			WHERE row_set = TG_ARGV[0] AND key = to_jsonb(NEW) ->> TG_ARGV[1];
	END IF;
	RETURN NEW;
END $$;

-- AFTER DELETE; arguments as above.
CREATE FUNCTION replica.bury() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO replica.tombstone (row_set, key, version)
		VALUES (TG_ARGV[0], to_jsonb(OLD) ->> TG_ARGV[1], replica.bump(TG_ARGV[0]))
		ON CONFLICT (row_set, key) DO UPDATE SET version = excluded.version;
	RETURN NULL;
END $$;
