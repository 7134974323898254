-- 0002_vm: the virtual machines as the API last showed them.
-- Why:   box.db on each box is the truth about its VMs; this copy is for lists, history and other boxes.
-- Locks: creates one table; safe while auraboxd runs.
CREATE TABLE vm (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
    template   text        NOT NULL,
    document   jsonb       NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vm IS 'One row per virtual machine: the resource as published, newest state.';
