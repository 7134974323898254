-- 0004_call_record: calls that have ended, one row a call and one row a half.
-- Why:   cm delivers a record again when it does not know that it arrived; the key makes that
--        harmless. Halves come before or after their call, so no foreign key binds them.
-- Locks: creates tables; safe while auraboxd runs.
CREATE TABLE call_record (
	gsid        text        PRIMARY KEY CHECK (length(gsid) BETWEEN 1 AND 256),
	caller      text        NOT NULL,
	callee      text        NOT NULL,
	started_at  timestamptz NOT NULL,
	answered_at timestamptz,
	ended_at    timestamptz NOT NULL,
	duration_s  numeric     NOT NULL CHECK (duration_s >= 0),
	result      text        NOT NULL CHECK (result IN ('answered', 'busy', 'no_answer', 'cancelled',
							   'failed')),
	sip_status  integer     CHECK (sip_status BETWEEN 100 AND 699),
	received_at timestamptz NOT NULL DEFAULT now(),
	CHECK (ended_at >= started_at)
);
CREATE INDEX call_record_started ON call_record (started_at DESC, gsid DESC);
CREATE INDEX call_record_caller ON call_record (caller);
CREATE INDEX call_record_callee ON call_record (callee);
COMMENT ON TABLE call_record IS 'Calls that have ended; one row a call.';

CREATE TABLE call_half (
	gsid        text        NOT NULL CHECK (length(gsid) BETWEEN 1 AND 256),
	half        text        NOT NULL CHECK (half ~ '^(orig|term)([.][0-9]{1,3})?$'),
	doc         jsonb       NOT NULL,
	received_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (gsid, half)
);
COMMENT ON TABLE call_half IS 'The halves of a call as cm served them; a transfer adds one.';

CREATE FUNCTION record.put(doc jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	IF doc ->> 'half' IS DISTINCT FROM 'call' THEN
		INSERT INTO call_half (gsid, half, doc)
			VALUES (doc ->> 'gsid', doc ->> 'half', doc - 'gsid' - 'half')
			ON CONFLICT (gsid, half) DO UPDATE SET doc = excluded.doc;
		RETURN;
	END IF;
	INSERT INTO call_record (gsid, caller, callee, started_at, answered_at, ended_at, duration_s,
				 result, sip_status)
		VALUES (doc ->> 'gsid', coalesce(doc ->> 'caller', ''), coalesce(doc ->> 'callee', ''),
			(doc ->> 'started_at')::timestamptz, (doc ->> 'answered_at')::timestamptz,
			(doc ->> 'ended_at')::timestamptz, (doc ->> 'duration_s')::numeric,
			doc ->> 'result', nullif((doc ->> 'sip_status')::integer, 0))
		ON CONFLICT (gsid) DO UPDATE SET caller = excluded.caller, callee = excluded.callee,
			started_at = excluded.started_at, answered_at = excluded.answered_at,
			ended_at = excluded.ended_at, duration_s = excluded.duration_s,
			result = excluded.result, sip_status = excluded.sip_status;
END $$;

GRANT USAGE ON SCHEMA record TO aura_cm;
GRANT EXECUTE ON FUNCTION record.put(jsonb) TO aura_cm;

-- whoever migrates owns all of it; aura_admin works with it even when that is another role
GRANT USAGE, CREATE ON SCHEMA public, replica, record TO aura_admin;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, replica TO aura_admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, replica, record TO aura_admin;
