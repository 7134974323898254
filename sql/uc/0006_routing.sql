-- 0006_routing: domains, locations, adaptations, links, policies, patterns: where a call goes.
-- Why:   sm decides by these rows. They point to one another by name, as people and documents do;
--        a new name goes through all of them (ON UPDATE CASCADE), a name in use cannot go.
-- Locks: creates tables and views, adds columns to sip_entities, users, settings; safe while
--        auraboxd runs.
CREATE TABLE domains (
	id            uuid        PRIMARY KEY DEFAULT new_id(),
	name          text        NOT NULL,
	authoritative boolean     NOT NULL DEFAULT true,
	notes         text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version       bigint      NOT NULL,
	created_at    timestamptz NOT NULL DEFAULT now(),
	updated_at    timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT domains_name_key UNIQUE (name),
	CONSTRAINT domains_name_check CHECK (name ~ '^[A-Za-z0-9.-]{1,253}$')
);
COMMENT ON TABLE domains IS 'SIP domains that sm answers for; the one of settings is always there.';

CREATE TABLE locations (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	patterns   text[]      NOT NULL DEFAULT '{}',
	time_zone  text        CHECK (length(time_zone) BETWEEN 1 AND 64),
	notes      text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT locations_name_key UNIQUE (name),
	CONSTRAINT locations_patterns_check CHECK (cardinality(patterns) <= 200
		AND array_to_string(patterns, ',', '!') ~ '^([0-9A-Fa-fx.:*/-]{1,90}(,|$))*$')
);
COMMENT ON TABLE locations IS 'Places, known by the addresses that phones there have.';

CREATE TABLE adaptations (
	id                     uuid        PRIMARY KEY DEFAULT new_id(),
	name                   text        NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	state                  text        NOT NULL DEFAULT 'enabled'
		CHECK (state IN ('enabled', 'disabled', 'test_only')),
	from_to                boolean     NOT NULL DEFAULT false,
	ingress_domain         text        CHECK (ingress_domain ~ '^[A-Za-z0-9.-]{1,253}$'),
	egress_domain          text        CHECK (egress_domain ~ '^[A-Za-z0-9.-]{1,253}$'),
	ingress_source_domain  text        CHECK (ingress_source_domain ~ '^[A-Za-z0-9.-]{1,253}$'),
	egress_source_domain   text        CHECK (egress_source_domain ~ '^[A-Za-z0-9.-]{1,253}$'),
	ingress_remove_headers text[]      NOT NULL DEFAULT '{}',
	egress_remove_headers  text[]      NOT NULL DEFAULT '{}',
	notes                  text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version                bigint      NOT NULL,
	created_at             timestamptz NOT NULL DEFAULT now(),
	updated_at             timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT adaptations_name_key UNIQUE (name),
	CONSTRAINT adaptations_headers_check CHECK (
		cardinality(ingress_remove_headers) <= 32 AND cardinality(egress_remove_headers) <= 32
		AND array_to_string(ingress_remove_headers || egress_remove_headers, ',', ' ')
			~ '^([A-Za-z0-9.!%*_+`''~-]{1,64}(,|$))*$')
);
COMMENT ON TABLE adaptations IS 'How messages of an entity are changed, before routing and after.';

CREATE TABLE digit_conversions (
	adaptation_id uuid     NOT NULL REFERENCES adaptations ON DELETE CASCADE,
	position      smallint NOT NULL CHECK (position BETWEEN 1 AND 200),
	direction     text     NOT NULL CHECK (direction IN ('ingress', 'egress')),
	address       text     NOT NULL DEFAULT 'both'
		CHECK (address IN ('origination', 'destination', 'both')),
	match         text     NOT NULL CHECK (match ~ '^[+0-9x*#]{1,36}$'),
	min           integer  NOT NULL DEFAULT 1 CHECK (min BETWEEN 1 AND 36),
	max           integer  NOT NULL DEFAULT 36 CHECK (max BETWEEN 1 AND 36),
	delete        integer  NOT NULL DEFAULT 0 CHECK (delete BETWEEN 0 AND 36),
	insert        text     NOT NULL DEFAULT '' CHECK (insert ~ '^[+0-9*#]{0,36}$'),
	PRIMARY KEY (adaptation_id, position),
	CHECK (min <= max)
);
COMMENT ON TABLE digit_conversions IS 'The digit conversions of an adaptation, tried in order.';

ALTER TABLE sip_entities
	ADD location                text
		REFERENCES locations (name) ON UPDATE CASCADE,
	ADD adaptation              text
		REFERENCES adaptations (name) ON UPDATE CASCADE,
	ADD time_zone               text    CHECK (length(time_zone) BETWEEN 1 AND 64),
	ADD timer_b_s               integer CHECK (timer_b_s BETWEEN 1 AND 32),
	ADD monitoring_enabled      boolean NOT NULL DEFAULT true,
	ADD monitoring_proactive_s  integer NOT NULL DEFAULT 900
		CHECK (monitoring_proactive_s BETWEEN 1 AND 9000),
	ADD monitoring_reactive_s   integer NOT NULL DEFAULT 120
		CHECK (monitoring_reactive_s BETWEEN 1 AND 900),
	ADD monitoring_retries      integer NOT NULL DEFAULT 1
		CHECK (monitoring_retries BETWEEN 0 AND 15),
	ADD monitoring_down_on      text[]  CHECK (cardinality(monitoring_down_on) <= 16
		AND array_to_string(monitoring_down_on, ',', '!') ~ '^([3-6][0-9]{2}(,|$))*$'),
	ADD max_calls               integer CHECK (max_calls BETWEEN 1 AND 100000),
	ADD notes                   text    NOT NULL DEFAULT '' CHECK (length(notes) <= 1000);
CREATE INDEX sip_entities_location ON sip_entities (location);
CREATE INDEX sip_entities_adaptation ON sip_entities (adaptation);

CREATE TABLE entity_registrations (
	entity_id uuid    PRIMARY KEY REFERENCES sip_entities ON DELETE CASCADE,
	registrar text    NOT NULL CHECK (length(registrar) BETWEEN 1 AND 255),
	"user"    text    NOT NULL CHECK (length("user") BETWEEN 1 AND 128),
	auth_user text    CHECK (length(auth_user) BETWEEN 1 AND 128),
	password  text    CHECK (length(password) BETWEEN 1 AND 128),
	expires_s integer NOT NULL DEFAULT 3600 CHECK (expires_s BETWEEN 60 AND 86400)
);
COMMENT ON TABLE entity_registrations IS
	'Trunks at which sm registers as a client; the password goes to sm alone.';

CREATE TABLE entity_links (
	id               uuid        PRIMARY KEY DEFAULT new_id(),
	entity           text        NOT NULL REFERENCES sip_entities (name) ON UPDATE CASCADE,
	transport        text        NOT NULL DEFAULT 'tls'
		CHECK (transport IN ('udp', 'tcp', 'tls')),
	port             integer     NOT NULL CHECK (port BETWEEN 1 AND 65535),
	trusted          boolean     NOT NULL DEFAULT false,
	deny_new_service boolean     NOT NULL DEFAULT false,
	notes            text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version          bigint      NOT NULL,
	created_at       timestamptz NOT NULL DEFAULT now(),
	updated_at       timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT entity_links_key UNIQUE (entity, transport, port)
);
COMMENT ON TABLE entity_links IS 'Further ways to an entity, beside its own transport and port.';

CREATE TABLE time_ranges (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	days       text[]      NOT NULL DEFAULT '{mon,tue,wed,thu,fri,sat,sun}'
		CHECK (cardinality(days) BETWEEN 1 AND 7
		       AND days <@ '{mon,tue,wed,thu,fri,sat,sun}'::text[]),
	start      text        NOT NULL CHECK (start ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
	"end"      text        NOT NULL CHECK ("end" ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT time_ranges_name_key UNIQUE (name)
);
COMMENT ON TABLE time_ranges IS 'Hours of a week; an end not after the start is the next day.';

CREATE TABLE routing_policies (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	entity     text        NOT NULL REFERENCES sip_entities (name) ON UPDATE CASCADE,
	disabled   boolean     NOT NULL DEFAULT false,
	notes      text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT routing_policies_name_key UNIQUE (name)
);
CREATE INDEX routing_policies_entity ON routing_policies (entity);
COMMENT ON TABLE routing_policies IS 'One destination each, and when it is taken.';

CREATE TABLE routing_policy_times (
	policy_id  uuid     NOT NULL REFERENCES routing_policies ON DELETE CASCADE,
	position   smallint NOT NULL CHECK (position BETWEEN 1 AND 32),
	time_range text     REFERENCES time_ranges (name) ON UPDATE CASCADE,
	rank       integer  NOT NULL DEFAULT 0 CHECK (rank BETWEEN 0 AND 100),
	PRIMARY KEY (policy_id, position)
);
CREATE INDEX routing_policy_times_range ON routing_policy_times (time_range);
COMMENT ON TABLE routing_policy_times IS 'When a policy is taken (no range: always), low ranks first.';

CREATE TABLE dial_patterns (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	pattern    text        NOT NULL CHECK (pattern ~ '^[+0-9x*#]{1,36}$'),
	min        integer     NOT NULL CHECK (min BETWEEN 1 AND 36),
	max        integer     NOT NULL CHECK (max BETWEEN 1 AND 36),
	emergency  boolean     NOT NULL DEFAULT false,
	domain     text        REFERENCES domains (name) ON UPDATE CASCADE,
	location   text        REFERENCES locations (name) ON UPDATE CASCADE,
	deny       boolean     NOT NULL DEFAULT false,
	notes      text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT dial_patterns_key UNIQUE NULLS NOT DISTINCT (pattern, min, max, domain, location),
	CONSTRAINT dial_patterns_length_check CHECK (min <= max AND char_length(pattern) <= max)
);
CREATE INDEX dial_patterns_bytes ON dial_patterns (pattern COLLATE "C");
CREATE INDEX dial_patterns_domain ON dial_patterns (domain);
CREATE INDEX dial_patterns_location ON dial_patterns (location);
COMMENT ON TABLE dial_patterns IS 'Numbers by first digits and length, and their policies.';

CREATE TABLE dial_pattern_policies (
	pattern_id uuid     NOT NULL REFERENCES dial_patterns ON DELETE CASCADE,
	position   smallint NOT NULL CHECK (position BETWEEN 1 AND 16),
	policy     text     NOT NULL REFERENCES routing_policies (name) ON UPDATE CASCADE,
	PRIMARY KEY (pattern_id, position),
	CONSTRAINT dial_pattern_policies_key UNIQUE (pattern_id, policy)
);
CREATE INDEX dial_pattern_policies_policy ON dial_pattern_policies (policy);
COMMENT ON TABLE dial_pattern_policies IS 'The policies of a dial pattern, in the order given.';

CREATE TABLE regular_expressions (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	pattern    text        NOT NULL CHECK (length(pattern) BETWEEN 1 AND 256),
	rank       integer     NOT NULL DEFAULT 0 CHECK (rank BETWEEN 0 AND 1000),
	deny       boolean     NOT NULL DEFAULT false,
	notes      text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT regular_expressions_key UNIQUE (pattern)
);
COMMENT ON TABLE regular_expressions IS 'Patterns of whole addresses, asked after dial patterns.';

CREATE TABLE regular_expression_policies (
	expression_id uuid     NOT NULL REFERENCES regular_expressions ON DELETE CASCADE,
	position      smallint NOT NULL CHECK (position BETWEEN 1 AND 16),
	policy        text     NOT NULL REFERENCES routing_policies (name) ON UPDATE CASCADE,
	PRIMARY KEY (expression_id, position),
	CONSTRAINT regular_expression_policies_key UNIQUE (expression_id, policy)
);
CREATE INDEX regular_expression_policies_policy ON regular_expression_policies (policy);
COMMENT ON TABLE regular_expression_policies IS 'Policies of a regular expression, in order.';

CREATE TABLE implicit_users (
	id                   uuid        PRIMARY KEY DEFAULT new_id(),
	pattern              text        NOT NULL CHECK (pattern ~ '^[+0-9x*#]{1,36}$'),
	min                  integer     NOT NULL CHECK (min BETWEEN 1 AND 36),
	max                  integer     NOT NULL CHECK (max BETWEEN 1 AND 36),
	domain               text        REFERENCES domains (name) ON UPDATE CASCADE,
	origination_sequence text
		REFERENCES application_sequences (name) ON UPDATE CASCADE,
	termination_sequence text
		REFERENCES application_sequences (name) ON UPDATE CASCADE,
	version              bigint      NOT NULL,
	created_at           timestamptz NOT NULL DEFAULT now(),
	updated_at           timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT implicit_users_key UNIQUE NULLS NOT DISTINCT (pattern, min, max, domain),
	CONSTRAINT implicit_users_length_check CHECK (min <= max AND char_length(pattern) <= max)
);
CREATE INDEX implicit_users_domain ON implicit_users (domain);
CREATE INDEX implicit_users_origination ON implicit_users (origination_sequence);
CREATE INDEX implicit_users_termination ON implicit_users (termination_sequence);
COMMENT ON TABLE implicit_users IS 'Numbers of others that pass applications of ours.';

ALTER TABLE users ADD location text REFERENCES locations (name) ON UPDATE CASCADE;
CREATE INDEX users_location ON users (location);

ALTER TABLE settings
	ADD better_match_all_overrides boolean NOT NULL DEFAULT false,
	ADD emergency_unauthenticated  boolean NOT NULL DEFAULT false,
	ADD outbound_proxy             text REFERENCES sip_entities (name) ON UPDATE CASCADE;

-- What a row says of others is part of it: a change of a part is a change of the whole.
-- Arguments: the whole's table, the part's column that names it.
CREATE FUNCTION replica.touch_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE %I SET updated_at = now() WHERE id IN ($1, $2)', TG_ARGV[0]) USING
		CASE WHEN TG_OP <> 'INSERT' THEN (to_jsonb(OLD) ->> TG_ARGV[1])::uuid END,
		CASE WHEN TG_OP <> 'DELETE' THEN (to_jsonb(NEW) ->> TG_ARGV[1])::uuid END;
	RETURN NULL;
END $$;
-- The box's own domain is one of the domains, sm always answers for it, and it cannot go.
CREATE FUNCTION replica.own_domain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO domains (name) VALUES (NEW.domain)
		ON CONFLICT (name) DO UPDATE SET authoritative = true
			WHERE NOT domains.authoritative;
	RETURN NEW;
END $$;

DO $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM (VALUES
		('domains'), ('locations'), ('adaptations'), ('entity_links'), ('time_ranges'),
		('routing_policies'), ('dial_patterns'), ('regular_expressions'), ('implicit_users'))
		AS t (row_set)
	LOOP
		INSERT INTO replica.row_set_version (row_set, version) VALUES (s.row_set, 0);
		INSERT INTO replica.node_set (node, row_set) VALUES ('sm', s.row_set);
		EXECUTE format('CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON %I FOR EACH ROW'
			       ' EXECUTE FUNCTION replica.stamp(%L, ''id'')', s.row_set, s.row_set);
		EXECUTE format('CREATE TRIGGER bury AFTER DELETE ON %I FOR EACH ROW'
			       ' EXECUTE FUNCTION replica.bury(%L, ''id'')', s.row_set, s.row_set);
		EXECUTE format('CREATE INDEX ON %I (version)', s.row_set);
	END LOOP;
	FOR s IN SELECT * FROM (VALUES
		('digit_conversions', 'adaptations', 'adaptation_id'),
		('entity_registrations', 'sip_entities', 'entity_id'),
		('routing_policy_times', 'routing_policies', 'policy_id'),
		('dial_pattern_policies', 'dial_patterns', 'pattern_id'),
		('regular_expression_policies', 'regular_expressions', 'expression_id'))
		AS t (part, whole, key)
	LOOP
		EXECUTE format('CREATE TRIGGER touch AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH'
			       ' ROW EXECUTE FUNCTION replica.touch_whole(%L, %L)', s.part, s.whole,
			       s.key);
	END LOOP;
END $$;
CREATE FUNCTION replica.keep_own_domain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NOT NEW.authoritative AND EXISTS (SELECT FROM settings WHERE domain = OLD.name) THEN
		RAISE check_violation USING MESSAGE = 'the own domain is always authoritative',
			CONSTRAINT = 'domains_authoritative_check';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER keep_own BEFORE UPDATE ON domains
	FOR EACH ROW EXECUTE FUNCTION replica.keep_own_domain();
-- sm holds four ways to an entity, its own first one with them.
CREATE FUNCTION replica.few_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT count(*) FROM entity_links l JOIN sip_entities e ON e.name = l.entity
	    WHERE e.name = NEW.entity AND (l.transport, l.port) <> (e.transport, e.port)) > 3 THEN
		RAISE check_violation USING MESSAGE = 'has three further links already',
			CONSTRAINT = 'entity_links_entity_check';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER few AFTER INSERT OR UPDATE OF entity, transport, port ON entity_links
	FOR EACH ROW EXECUTE FUNCTION replica.few_links();
CREATE TRIGGER own_domain BEFORE INSERT OR UPDATE OF domain ON settings
	FOR EACH ROW EXECUTE FUNCTION replica.own_domain();
INSERT INTO domains (name) SELECT domain FROM settings;
ALTER TABLE settings ADD CONSTRAINT settings_domain_fkey
	FOREIGN KEY (domain) REFERENCES domains (name);

-- One view a resource is its document, for the API, the export and the call servers alike. No view
-- holds a secret.
CREATE SCHEMA doc;
CREATE VIEW doc.domains AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'authoritative', authoritative, 'notes', notes) AS doc FROM domains;
CREATE VIEW doc.locations AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'patterns', to_jsonb(patterns), 'time_zone', time_zone, 'notes', notes) AS doc
	FROM locations;
CREATE VIEW doc.adaptations AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'state', state, 'from_to', from_to, 'ingress_domain', ingress_domain,
	'egress_domain', egress_domain, 'ingress_source_domain', ingress_source_domain,
	'egress_source_domain', egress_source_domain,
	'ingress_remove_headers', to_jsonb(ingress_remove_headers),
	'egress_remove_headers', to_jsonb(egress_remove_headers),
	'digit_conversions', coalesce((SELECT jsonb_agg(jsonb_build_object(
			'direction', c.direction, 'address', c.address, 'match', c.match, 'min', c.min,
			'max', c.max, 'delete', c.delete, 'insert', c.insert) ORDER BY c.position)
		FROM digit_conversions c WHERE c.adaptation_id = a.id), '[]'),
	'notes', notes) AS doc FROM adaptations a;
CREATE VIEW doc.sip_entities AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'type', type, 'address', address, 'port', port, 'transport', transport,
	'trusted', trusted, 'location', location, 'adaptation', adaptation, 'time_zone', time_zone,
	'timer_b_s', timer_b_s, 'monitoring', jsonb_build_object('enabled', monitoring_enabled,
		'proactive_s', monitoring_proactive_s, 'reactive_s', monitoring_reactive_s,
		'retries', monitoring_retries, 'down_on', to_jsonb(monitoring_down_on)),
	'registration', (SELECT jsonb_build_object('registrar', g.registrar, 'user', g."user",
			'auth_user', g.auth_user, 'expires_s', g.expires_s)
		FROM entity_registrations g WHERE g.entity_id = e.id),
	'max_calls', max_calls, 'notes', notes) AS doc FROM sip_entities e;
CREATE VIEW doc.entity_links AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'entity', entity, 'transport', transport, 'port', port, 'trusted', trusted,
	'deny_new_service', deny_new_service, 'notes', notes) AS doc FROM entity_links;
CREATE VIEW doc.time_ranges AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'days', to_jsonb(days), 'start', start, 'end', "end") AS doc FROM time_ranges;
CREATE VIEW doc.routing_policies AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'name', name, 'entity', entity, 'disabled', disabled, 'times', coalesce((
		SELECT jsonb_agg(jsonb_build_object('time_range', t.time_range, 'rank', t.rank)
				 ORDER BY t.position)
		FROM routing_policy_times t WHERE t.policy_id = p.id), '[]'),
	'notes', notes) AS doc FROM routing_policies p;
CREATE VIEW doc.dial_patterns AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'pattern', pattern, 'min', min, 'max', max, 'emergency', emergency, 'domain', domain,
	'location', location, 'policies', coalesce((SELECT jsonb_agg(l.policy ORDER BY l.position)
		FROM dial_pattern_policies l WHERE l.pattern_id = d.id), '[]'),
	'deny', deny, 'notes', notes) AS doc FROM dial_patterns d;
CREATE VIEW doc.regular_expressions AS SELECT id, version, created_at, updated_at,
	jsonb_build_object('pattern', pattern, 'rank', rank,
	'policies', coalesce((SELECT jsonb_agg(l.policy ORDER BY l.position)
		FROM regular_expression_policies l WHERE l.expression_id = x.id), '[]'),
	'deny', deny, 'notes', notes) AS doc FROM regular_expressions x;
CREATE VIEW doc.implicit_users AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'pattern', pattern, 'min', min, 'max', max, 'domain', domain,
	'origination_sequence', origination_sequence,
	'termination_sequence', termination_sequence) AS doc FROM implicit_users;
CREATE VIEW doc.application_sequences AS SELECT id, version, created_at, updated_at,
	jsonb_build_object('name', name, 'entities', coalesce((
		SELECT jsonb_agg(jsonb_build_object('name', e.name, 'mandatory', m.mandatory)
				 ORDER BY m.position)
		FROM application_sequence_entities m JOIN sip_entities e ON e.id = m.entity_id
		WHERE m.sequence_id = q.id), '[]')) AS doc FROM application_sequences q;
CREATE VIEW doc.settings AS SELECT version, created_at, updated_at, jsonb_build_object(
	'better_match_all_overrides', better_match_all_overrides,
	'emergency_unauthenticated', emergency_unauthenticated,
	'outbound_proxy', outbound_proxy) AS doc FROM settings;

-- Who names whom, for people: why a row cannot go.
CREATE VIEW doc.uses (target, name, used_by) AS
	SELECT 'domains', domain, 'the appliance' FROM settings
	UNION ALL SELECT 'domains', domain, 'dial pattern ' || pattern FROM dial_patterns
	UNION ALL SELECT 'domains', domain, 'implicit user ' || pattern FROM implicit_users
	UNION ALL SELECT 'locations', location, 'SIP entity ' || name FROM sip_entities
	UNION ALL SELECT 'locations', location, 'dial pattern ' || pattern FROM dial_patterns
	UNION ALL SELECT 'locations', location, 'user ' || handle FROM users
	UNION ALL SELECT 'adaptations', adaptation, 'SIP entity ' || name FROM sip_entities
	UNION ALL SELECT 'sip_entities', entity, 'entity link ' || transport || ' ' || port
		FROM entity_links
	UNION ALL SELECT 'sip_entities', entity, 'routing policy ' || name FROM routing_policies
	UNION ALL SELECT 'sip_entities', outbound_proxy, 'the outbound proxy' FROM settings
	UNION ALL SELECT 'sip_entities', e.name, 'application sequence ' || q.name
		FROM application_sequence_entities m JOIN sip_entities e ON e.id = m.entity_id
		JOIN application_sequences q ON q.id = m.sequence_id
	UNION ALL SELECT 'time_ranges', t.time_range, 'routing policy ' || p.name
		FROM routing_policy_times t JOIN routing_policies p ON p.id = t.policy_id
	UNION ALL SELECT 'routing_policies', l.policy, 'dial pattern ' || d.pattern
		FROM dial_pattern_policies l JOIN dial_patterns d ON d.id = l.pattern_id
	UNION ALL SELECT 'routing_policies', l.policy, 'regular expression ' || x.pattern
		FROM regular_expression_policies l JOIN regular_expressions x ON x.id = l.expression_id
	UNION ALL SELECT 'application_sequences', q.name, 'user ' || u.handle
		FROM users u JOIN application_sequences q ON q.id = u.sequence_id
	UNION ALL SELECT 'application_sequences', origination_sequence, 'implicit user ' || pattern
		FROM implicit_users
	UNION ALL SELECT 'application_sequences', termination_sequence, 'implicit user ' || pattern
		FROM implicit_users
		WHERE termination_sequence IS DISTINCT FROM origination_sequence;

CREATE OR REPLACE VIEW replica.all_rows (row_set, key, version, deleted, doc) AS
	SELECT 'users', u.id::text, u.version, NOT u.sip, jsonb_build_object(
		'handle', u.handle, 'name', u.name,
		'ha1', CASE WHEN u.realm = s.domain THEN
			jsonb_strip_nulls(jsonb_build_object('md5', u.ha1_md5, 'sha256', u.ha1_sha256))
			ELSE '{}' END,
		'location', u.location,
		'sip', jsonb_build_object('max_contacts', u.max_contacts, 'sequence', q.name))
	FROM users u CROSS JOIN settings s LEFT JOIN application_sequences q ON q.id = u.sequence_id
	UNION ALL
	SELECT 'stations', user_id::text, version, false, jsonb_build_object(
		'extension', extension, 'appearances', appearances,
		'restrict_last_appearance', restrict_last_appearance)
	FROM stations
	UNION ALL
	SELECT 'presence_profiles', user_id::text, version, false,
		jsonb_build_object('enabled', enabled)
	FROM presence_profiles
	UNION ALL
	SELECT 'sip_entities', e.id::text, e.version, false, CASE WHEN g.entity_id IS NULL THEN e.doc
		ELSE jsonb_set(e.doc, '{registration,password}',
			       coalesce(to_jsonb(g.password), 'null')) END
	FROM doc.sip_entities e LEFT JOIN entity_registrations g ON g.entity_id = e.id
	UNION ALL
	SELECT 'application_sequences', id::text, version, false, doc FROM doc.application_sequences
	UNION ALL
	SELECT 'dial_plan', id::text, version, false, jsonb_build_object(
		'match', match, 'length', length, 'type', type)
	FROM dial_plan
	UNION ALL
	SELECT 'settings', 'true', t.version, false, d.doc || jsonb_build_object('domain', t.domain)
	FROM settings t CROSS JOIN doc.settings d
	UNION ALL
	SELECT 'domains', id::text, version, false, doc FROM doc.domains
	UNION ALL
	SELECT 'locations', id::text, version, false, doc FROM doc.locations
	UNION ALL
	SELECT 'adaptations', id::text, version, false, doc FROM doc.adaptations
	UNION ALL
	SELECT 'entity_links', id::text, version, false, doc FROM doc.entity_links
	UNION ALL
	SELECT 'time_ranges', id::text, version, false, doc FROM doc.time_ranges
	UNION ALL
	SELECT 'routing_policies', id::text, version, false, doc FROM doc.routing_policies
	UNION ALL
	SELECT 'dial_patterns', id::text, version, false, doc FROM doc.dial_patterns
	UNION ALL
	SELECT 'regular_expressions', id::text, version, false, doc FROM doc.regular_expressions
	UNION ALL
	SELECT 'implicit_users', id::text, version, false, doc FROM doc.implicit_users
	UNION ALL
	SELECT row_set, key, version, true, NULL FROM replica.tombstone;
CREATE OR REPLACE VIEW replica.cm_rows WITH (security_barrier) AS
	SELECT r.row_set, r.key, r.version, r.deleted, r.doc - 'ha1' - 'registration' AS doc
	FROM replica.all_rows r JOIN replica.node_set n ON n.row_set = r.row_set AND n.node = 'cm';
CREATE OR REPLACE VIEW replica.presence_rows WITH (security_barrier) AS
	SELECT r.row_set, r.key, r.version, r.deleted, r.doc - 'ha1' - 'registration' AS doc
	FROM replica.all_rows r
	JOIN replica.node_set n ON n.row_set = r.row_set AND n.node = 'presence';

-- what is there already has a new shape: call servers read it again
UPDATE sip_entities SET updated_at = updated_at;
UPDATE settings SET updated_at = updated_at;

GRANT USAGE ON SCHEMA doc TO aura_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, doc TO aura_admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA replica TO aura_admin;
