-- 0003_appliance: what can be changed of the appliance itself.
-- Why:   its name must outlive a restart and change in one transaction with its audit row and event.
-- Locks: creates one table; safe while auraboxd runs.
CREATE TABLE appliance (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    name       text        CHECK (char_length(name) BETWEEN 1 AND 64),
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO appliance DEFAULT VALUES;
COMMENT ON TABLE appliance IS 'One row: the name that was given; NULL is the host''s name.';
