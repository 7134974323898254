-- 0003_replica_views: what each call server may read, and where it says how far it is.
-- Why:   a node gets the rows it needs and no other; HA1s go to sm alone.
-- Locks: creates views; safe while auraboxd runs.
CREATE TABLE replica.node_set (
	node    text NOT NULL CHECK (node IN ('sm', 'cm', 'presence')),
	row_set text NOT NULL REFERENCES replica.row_set_version,
	PRIMARY KEY (node, row_set)
);
COMMENT ON TABLE replica.node_set IS 'Which row sets each kind of call server copies.';
INSERT INTO replica.node_set (node, row_set) VALUES
	('sm', 'users'), ('sm', 'stations'), ('sm', 'presence_profiles'), ('sm', 'sip_entities'),
	('sm', 'application_sequences'), ('sm', 'dial_plan'), ('sm', 'settings'),
	('cm', 'users'), ('cm', 'stations'), ('cm', 'sip_entities'),
	('cm', 'application_sequences'), ('cm', 'dial_plan'), ('cm', 'settings'),
	('presence', 'users'), ('presence', 'stations'), ('presence', 'presence_profiles'),
	('presence', 'sip_entities'), ('presence', 'settings');

CREATE VIEW replica.all_rows (row_set, key, version, deleted, doc) AS
	SELECT 'users', u.id::text, u.version, NOT u.sip, jsonb_build_object(
		'handle', u.handle, 'name', u.name,
		'ha1', CASE WHEN u.realm = s.domain THEN
			jsonb_strip_nulls(jsonb_build_object('md5', u.ha1_md5, 'sha256', u.ha1_sha256))
			ELSE '{}' END,
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
	SELECT 'sip_entities', id::text, version, false, jsonb_build_object(
		'name', name, 'type', type, 'address', address, 'port', port,
		'transport', transport, 'trusted', trusted)
	FROM sip_entities
	UNION ALL
	SELECT 'application_sequences', q.id::text, q.version, false, jsonb_build_object(
		'name', q.name, 'entities', coalesce((
			SELECT jsonb_agg(jsonb_build_object('name', e.name, 'mandatory', m.mandatory)
					 ORDER BY m.position)
			FROM application_sequence_entities m JOIN sip_entities e ON e.id = m.entity_id
			WHERE m.sequence_id = q.id), '[]'))
	FROM application_sequences q
	UNION ALL
	SELECT 'dial_plan', id::text, version, false, jsonb_build_object(
		'match', match, 'length', length, 'type', type)
	FROM dial_plan
	UNION ALL
	SELECT 'settings', 'true', version, false, jsonb_build_object('domain', domain)
	FROM settings
	UNION ALL
	SELECT row_set, key, version, true, NULL FROM replica.tombstone;

CREATE VIEW replica.sm_rows WITH (security_barrier) AS
	SELECT r.row_set, r.key, r.version, r.deleted, r.doc
	FROM replica.all_rows r JOIN replica.node_set n ON n.row_set = r.row_set AND n.node = 'sm';
CREATE VIEW replica.cm_rows WITH (security_barrier) AS
	SELECT r.row_set, r.key, r.version, r.deleted, r.doc - 'ha1' AS doc
	FROM replica.all_rows r JOIN replica.node_set n ON n.row_set = r.row_set AND n.node = 'cm';
CREATE VIEW replica.presence_rows WITH (security_barrier) AS
	SELECT r.row_set, r.key, r.version, r.deleted, r.doc - 'ha1' AS doc
	FROM replica.all_rows r
	JOIN replica.node_set n ON n.row_set = r.row_set AND n.node = 'presence';
CREATE VIEW replica.versions AS
	SELECT n.node, v.row_set, v.version, v.changed_at
	FROM replica.node_set n JOIN replica.row_set_version v ON v.row_set = n.row_set;

CREATE TABLE replica.node_report (
	node        text        PRIMARY KEY CHECK (node IN ('sm', 'cm', 'presence')),
	version     bigint      NOT NULL,
	error       text,
	reported_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE replica.node_report IS 'How far each call server has copied; one row a node.';

CREATE FUNCTION replica.report(reporter text, at_version bigint, last_error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF session_user <> 'aura_' || reporter AND NOT pg_has_role(session_user, 'aura_admin', 'MEMBER')
	THEN
		RAISE insufficient_privilege USING MESSAGE = 'a node reports for itself alone';
	END IF;
	INSERT INTO replica.node_report (node, version, error, reported_at)
		VALUES (reporter, at_version, left(last_error, 500), clock_timestamp())
		ON CONFLICT (node) DO UPDATE SET version = excluded.version, error = excluded.error,
			reported_at = excluded.reported_at;
END $$;

GRANT USAGE ON SCHEMA replica TO aura_sm, aura_cm, aura_presence;
GRANT SELECT ON replica.sm_rows TO aura_sm;
GRANT SELECT ON replica.cm_rows TO aura_cm;
GRANT SELECT ON replica.presence_rows TO aura_presence;
GRANT SELECT ON replica.versions TO aura_sm, aura_cm, aura_presence;
GRANT EXECUTE ON FUNCTION replica.report(text, bigint, text) TO aura_sm, aura_cm, aura_presence;
