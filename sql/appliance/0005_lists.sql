-- 0005_lists: orders that people ask of long lists.
-- Why:   the audit log and the tasks grow for years; by time they are read from an index.
-- Locks: two indexes over small tables; writers of audit rows and tasks wait for a moment.
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX task_created ON task (created_at, id);
