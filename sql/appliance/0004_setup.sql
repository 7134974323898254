-- 0004_setup: the time zone that people chose, and when the first run was ended.
-- Why:   the first run can be left and resumed; what it decided must outlive a restart.
-- Locks: two columns without a default; one row, a moment.
ALTER TABLE appliance
    ADD COLUMN time_zone text CHECK (time_zone ~ '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$' AND char_length(time_zone) <= 64),
    ADD COLUMN setup_finished_at timestamptz;
COMMENT ON TABLE appliance IS 'One row: the name and time zone that were given (NULL: the host''s), and when the first run ended.';
