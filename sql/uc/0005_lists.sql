-- 0005_lists: users in the order of their handles' bytes, as pages of lists need them.
-- Why:   a page begins where the last one ended, whatever the database's collation is.
-- Locks: one index over users; writers wait for a moment.
CREATE INDEX users_handle_bytes ON users (handle COLLATE "C");
