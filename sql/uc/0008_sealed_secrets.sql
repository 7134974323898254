-- 0008_sealed_secrets: a trunk's password is sealed before it comes here.
-- Why:   whoever gets this database, a dump or a backup of it shall not get what carriers let us in by.
--        The key is the appliance's (pki/secrets.key) and sm's; passwords that are here in clear go,
--        and have to be said once more.
-- Locks: entity_registrations for a moment; safe while auraboxd runs.
ALTER TABLE entity_registrations
	ADD password_sealed text CHECK (length(password_sealed) BETWEEN 40 AND 1000
		AND password_sealed ~ '^v1[.][A-Za-z0-9_-]+$');
CREATE OR REPLACE VIEW replica.entity_rows (id, version, doc) AS
	SELECT e.id, e.version, CASE WHEN g.entity_id IS NULL THEN e.doc
		ELSE jsonb_set(e.doc, '{registration,password_sealed}',
			       coalesce(to_jsonb(g.password_sealed), 'null')) END
	FROM doc.sip_entities e LEFT JOIN entity_registrations g ON g.entity_id = e.id;
ALTER TABLE entity_registrations DROP COLUMN password;
COMMENT ON TABLE entity_registrations IS
	'Trunks at which sm registers as a client; the sealed password goes to sm alone.';
