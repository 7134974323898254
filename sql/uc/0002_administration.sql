-- 0002_administration: what people administer: users, stations, entities, sequences, dial plan.
-- Why:   smgr is the system of record; the rules stand here, whoever writes.
-- Locks: creates tables; safe while auraboxd runs.
CREATE TABLE settings (
	single       boolean     PRIMARY KEY DEFAULT true CHECK (single),
	domain     text        NOT NULL CHECK (domain ~ '^[A-Za-z0-9.-]{1,253}$'),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE settings IS 'What there is one of: the SIP domain.';

CREATE TABLE sip_entities (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	name       text        NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	type       text        NOT NULL CHECK (type IN ('sm', 'cm', 'presence', 'trunk', 'voicemail',
							'gateway', 'other')),
	address    text        NOT NULL CHECK (length(address) BETWEEN 1 AND 255),
	port       integer     NOT NULL DEFAULT 5061 CHECK (port BETWEEN 1 AND 65535),
	transport  text        NOT NULL DEFAULT 'tls' CHECK (transport IN ('udp', 'tcp', 'tls')),
	trusted    boolean     NOT NULL DEFAULT false,
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sip_entities IS 'SIP servers that sm knows; one row a server.';

CREATE TABLE application_sequences (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	name       text        NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE application_sequences IS 'Named orders of applications that calls pass.';

CREATE TABLE application_sequence_entities (
	sequence_id uuid     NOT NULL REFERENCES application_sequences ON DELETE CASCADE,
	position    smallint NOT NULL CHECK (position BETWEEN 1 AND 16),
	entity_id   uuid     NOT NULL REFERENCES sip_entities,
	mandatory   boolean  NOT NULL DEFAULT true,
	PRIMARY KEY (sequence_id, position)
);
CREATE INDEX application_sequence_entities_entity ON application_sequence_entities (entity_id);
COMMENT ON TABLE application_sequence_entities IS 'The applications of a sequence, in order.';

CREATE TABLE users (
	id           uuid        PRIMARY KEY DEFAULT new_id(),
	handle       text        NOT NULL,
	name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
	sip          boolean     NOT NULL DEFAULT true,
	ha1_md5      text        CHECK (ha1_md5 ~ '^[0-9a-f]{32}$'),
	ha1_sha256   text        CHECK (ha1_sha256 ~ '^[0-9a-f]{64}$'),
	realm        text,
	max_contacts integer     NOT NULL DEFAULT 10 CHECK (max_contacts BETWEEN 1 AND 100),
	sequence_id  uuid        REFERENCES application_sequences,
	version      bigint      NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	updated_at   timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT users_handle_key UNIQUE (handle),
	CONSTRAINT users_handle_check CHECK (length(handle) BETWEEN 1 AND 64
					     AND handle !~ '[[:cntrl:][:space:]/%@<>";?&]'),
	CONSTRAINT users_secret_check CHECK ((ha1_md5 IS NULL) = (realm IS NULL))
);
CREATE INDEX users_sequence ON users (sequence_id);
COMMENT ON TABLE users IS 'People; with sip also their SIP identity. No password, only HA1 of handle, realm and password.';

CREATE TABLE stations (
	user_id                  uuid        PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	extension                text        NOT NULL,
	appearances              integer     NOT NULL DEFAULT 3 CHECK (appearances BETWEEN 1 AND 10),
	restrict_last_appearance boolean     NOT NULL DEFAULT false,
	version                  bigint      NOT NULL,
	created_at               timestamptz NOT NULL DEFAULT now(),
	updated_at               timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT stations_extension_key UNIQUE (extension),
	CONSTRAINT stations_extension_check CHECK (extension ~ '^[0-9]{1,15}$')
);
COMMENT ON TABLE stations IS 'The telephone that cm gives a user; at most one a user.';

CREATE TABLE presence_profiles (
	user_id    uuid        PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	enabled    boolean     NOT NULL DEFAULT true,
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE presence_profiles IS 'Users who have presence; at most one row a user.';

CREATE TABLE dial_plan (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	match      text        NOT NULL CHECK (match ~ '^[0-9*#]{1,15}$'),
	length     integer     NOT NULL CHECK (length BETWEEN 1 AND 32),
	type       text        NOT NULL CHECK (type IN ('extension', 'fac', 'aar', 'ars',
							'attendant')),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT dial_plan_key UNIQUE (match, length),
	CONSTRAINT dial_plan_digits_check CHECK (length >= char_length(match))
);
COMMENT ON TABLE dial_plan IS 'What dialled digits are, by first digits and number of digits.';

CREATE FUNCTION replica.touch_sequence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE application_sequences SET updated_at = now()
		WHERE id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.sequence_id END,
			     CASE WHEN TG_OP <> 'DELETE' THEN NEW.sequence_id END);
	RETURN NULL;
END $$;
CREATE FUNCTION replica.touch_entity_sequences() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE application_sequences SET updated_at = now() WHERE id IN (
		SELECT sequence_id FROM application_sequence_entities WHERE entity_id = NEW.id);
	RETURN NULL;
END $$;
CREATE FUNCTION replica.touch_sequence_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE users SET updated_at = now() WHERE sequence_id = NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON application_sequence_entities
	FOR EACH ROW EXECUTE FUNCTION replica.touch_sequence();
CREATE TRIGGER touch AFTER UPDATE OF name ON sip_entities
	FOR EACH ROW EXECUTE FUNCTION replica.touch_entity_sequences();
CREATE TRIGGER touch AFTER UPDATE OF name ON application_sequences
	FOR EACH ROW EXECUTE FUNCTION replica.touch_sequence_users();
-- HA1s count only for the domain that they were made for: all users change with it.
CREATE FUNCTION replica.touch_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE users SET updated_at = now();
	RETURN NULL;
END $$;
CREATE TRIGGER touch AFTER UPDATE OF domain ON settings
	FOR EACH ROW EXECUTE FUNCTION replica.touch_users();

DO $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM (VALUES
		('users', 'id'), ('stations', 'user_id'), ('presence_profiles', 'user_id'),
		('sip_entities', 'id'), ('application_sequences', 'id'), ('dial_plan', 'id'),
		('settings', 'single')) AS t (row_set, key)
	LOOP
		EXECUTE format('CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON %I FOR EACH ROW'
			       ' EXECUTE FUNCTION replica.stamp(%L, %L)', s.row_set, s.row_set, s.key);
		EXECUTE format('CREATE TRIGGER bury AFTER DELETE ON %I FOR EACH ROW'
			       ' EXECUTE FUNCTION replica.bury(%L, %L)', s.row_set, s.row_set, s.key);
		EXECUTE format('CREATE INDEX ON %I (version)', s.row_set);
		INSERT INTO replica.row_set_version (row_set, version) VALUES (s.row_set, 0);
	END LOOP;
END $$;
