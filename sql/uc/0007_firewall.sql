-- 0007_firewall: who may talk to sm at all, and how often.
-- Why:   an attack is answered by people at the appliance, not in files of a guest; sm follows within
--        a second. A limit that is NULL is what sm's own configuration says.
-- Locks: creates a table, adds columns to settings, replaces views; safe while auraboxd runs.
CREATE TABLE firewall_rules (
	id         uuid        PRIMARY KEY DEFAULT new_id(),
	pattern    text        NOT NULL CHECK (pattern ~ '^[0-9A-Fa-fx.:*/-]{1,90}$'),
	action     text        NOT NULL CHECK (action IN ('allow', 'deny')),
	notes      text        NOT NULL DEFAULT '' CHECK (length(notes) <= 1000),
	version    bigint      NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT firewall_rules_key UNIQUE (pattern)
);
COMMENT ON TABLE firewall_rules IS 'Addresses that sm never answers, or that no limit holds for.';

ALTER TABLE settings
	ADD firewall_source_per_s    integer CHECK (firewall_source_per_s BETWEEN 0 AND 1000000),
	ADD firewall_source_burst    integer CHECK (firewall_source_burst BETWEEN 1 AND 1000000),
	ADD firewall_user_per_s      integer CHECK (firewall_user_per_s BETWEEN 0 AND 1000000),
	ADD firewall_user_burst      integer CHECK (firewall_user_burst BETWEEN 1 AND 1000000),
	ADD firewall_malformed_max   integer CHECK (firewall_malformed_max BETWEEN 0 AND 1000000),
	ADD firewall_failed_max      integer CHECK (firewall_failed_max BETWEEN 0 AND 1000000),
	ADD firewall_quarantine_s    integer CHECK (firewall_quarantine_s BETWEEN 1 AND 86400),
	ADD firewall_connections_max integer CHECK (firewall_connections_max BETWEEN 0 AND 10240);

INSERT INTO replica.row_set_version (row_set, version) VALUES ('firewall_rules', 0);
INSERT INTO replica.node_set (node, row_set) VALUES ('sm', 'firewall_rules');
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON firewall_rules
	FOR EACH ROW EXECUTE FUNCTION replica.stamp('firewall_rules', 'id');
CREATE TRIGGER bury AFTER DELETE ON firewall_rules
	FOR EACH ROW EXECUTE FUNCTION replica.bury('firewall_rules', 'id');
CREATE INDEX ON firewall_rules (version);

CREATE VIEW doc.firewall_rules AS SELECT id, version, created_at, updated_at, jsonb_build_object(
	'pattern', pattern, 'action', action, 'notes', notes) AS doc FROM firewall_rules;
CREATE OR REPLACE VIEW doc.settings AS SELECT version, created_at, updated_at, jsonb_build_object(
	'better_match_all_overrides', better_match_all_overrides,
	'emergency_unauthenticated', emergency_unauthenticated,
	'outbound_proxy', outbound_proxy,
	'firewall', jsonb_build_object(
		'source_per_s', firewall_source_per_s, 'source_burst', firewall_source_burst,
		'user_per_s', firewall_user_per_s, 'user_burst', firewall_user_burst,
		'malformed_max', firewall_malformed_max, 'failed_max', firewall_failed_max,
		'quarantine_s', firewall_quarantine_s,
		'connections_max', firewall_connections_max)) AS doc FROM settings;

-- What a row of each set is for the call servers. The sets of routing, each one view of doc, are a
-- view of their own, so that the next one is added there alone.
CREATE VIEW replica.entity_rows (id, version, doc) AS
	SELECT e.id, e.version, CASE WHEN g.entity_id IS NULL THEN e.doc
		ELSE jsonb_set(e.doc, '{registration,password}',
			       coalesce(to_jsonb(g.password), 'null')) END
	FROM doc.sip_entities e LEFT JOIN entity_registrations g ON g.entity_id = e.id;
CREATE VIEW replica.doc_rows (row_set, key, version, deleted, doc) AS
	SELECT 'sip_entities', id::text, version, false, doc FROM replica.entity_rows
	UNION ALL
	SELECT 'application_sequences', id::text, version, false, doc FROM doc.application_sequences
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
	SELECT 'firewall_rules', id::text, version, false, doc FROM doc.firewall_rules;
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
	SELECT 'dial_plan', id::text, version, false, jsonb_build_object(
		'match', match, 'length', length, 'type', type)
	FROM dial_plan
	UNION ALL
	SELECT row_set, key, version, deleted, doc FROM replica.doc_rows
	UNION ALL
	SELECT row_set, key, version, true, NULL FROM replica.tombstone;

-- what is there already has a new shape: call servers read it again
UPDATE settings SET updated_at = updated_at;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, doc TO aura_admin;
