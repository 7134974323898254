-- 0001_control: who may come in, what they did, what happened, long work and alarms.
-- Why:   sessions, tokens, audit rows and events share transactions with the changes they belong to.
-- Locks: creates tables; safe while auraboxd runs.

CREATE TABLE admin (
    id                   uuid        PRIMARY KEY,
    name                 text        NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 256),
    role                 text        NOT NULL CHECK (role IN ('admin', 'operator', 'telephony', 'auditor', 'user')),
    password_hash        text        NOT NULL,
    must_change_password boolean     NOT NULL DEFAULT false,
    version              bigint      NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE admin IS 'People who administer the appliance; passwords as scrypt lines.';

CREATE TABLE session (
    id          uuid        PRIMARY KEY,
    admin_id    uuid        NOT NULL REFERENCES admin ON DELETE CASCADE,
    secret_hash text        NOT NULL UNIQUE CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
    address     text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX session_admin ON session (admin_id);
COMMENT ON TABLE session IS 'Log-ins that are open: the cookie''s SHA-256, last use, hard end.';

CREATE TABLE token (
    id           uuid        PRIMARY KEY,
    admin_id     uuid        NOT NULL REFERENCES admin ON DELETE CASCADE,
    name         text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 256),
    secret_hash  text        NOT NULL UNIQUE CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
    scopes       text[]      NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (admin_id, name)
);
COMMENT ON TABLE token IS 'API tokens: SHA-256 of the secret, scopes, expiry.';

CREATE TABLE login_attempt (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text        NOT NULL,
    address text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempt_who ON login_attempt (name, address, at);
CREATE INDEX login_attempt_at ON login_attempt (at);
COMMENT ON TABLE login_attempt IS 'Log-ins that failed or are being checked, per name and address; pruned by age.';

CREATE TABLE audit (
    id      uuid        PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    actor   text        NOT NULL,
    action  text        NOT NULL,
    target  text        NOT NULL,
    address text        NOT NULL,
    result  text        NOT NULL
);
CREATE INDEX audit_actor ON audit (actor, id DESC);
COMMENT ON TABLE audit IS 'One row per write and log-in, in the transaction of the change; never updated.';

CREATE TABLE event_counter (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint  NOT NULL
);
INSERT INTO event_counter (last) VALUES (0);
COMMENT ON TABLE event_counter IS 'The newest event id; its row lock makes ids visible in the order of commits.';

CREATE TABLE event (
    id      bigint      PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    topic   text        NOT NULL,
    type    text        NOT NULL,
    subject text        NOT NULL,
    data    json        NOT NULL
);
COMMENT ON TABLE event IS 'What happened, in the order of commits; the newest 100,000 are kept.';

CREATE TABLE task (
    id          uuid        PRIMARY KEY,
    kind        text        NOT NULL,
    state       text        NOT NULL
                CHECK (state IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
    target      text        NOT NULL,
    actor       text        NOT NULL,
    cancellable boolean     NOT NULL,
    progress    json        NOT NULL,
    steps       json        NOT NULL,
    result      json,
    problem     json,
    log         json        NOT NULL DEFAULT '[]',
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    ended_at    timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_unfinished ON task (id) WHERE ended_at IS NULL;
CREATE INDEX task_target ON task (target, id DESC);
COMMENT ON TABLE task IS 'Long work with steps, progress, log and outcome; box.db has those that run.';

CREATE TABLE alarm (
    id              uuid        PRIMARY KEY,
    code            text        NOT NULL,
    target          text        NOT NULL,
    severity        text        NOT NULL CHECK (severity IN ('warning', 'major', 'critical')),
    state           text        NOT NULL CHECK (state IN ('active', 'cleared')),
    detail          text        NOT NULL,
    resolution      text        NOT NULL,
    count           bigint      NOT NULL DEFAULT 1,
    raised_at       timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    cleared_at      timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    CHECK ((state = 'cleared') = (cleared_at IS NOT NULL))
);
CREATE UNIQUE INDEX alarm_active ON alarm (code, target) WHERE state = 'active';
COMMENT ON TABLE alarm IS 'What needs a hand: at most one active row per code and target.';
