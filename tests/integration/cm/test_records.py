#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
"""Call records: one row a call and one a half, whatever way the call ends; kept over a restart."""

import os
import re
import signal
import tempfile
import time

from cm_bench import bench
from standalone import run

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def by_half(records, gsid):
    return {r["half"]: r for r in records if r["gsid"] == gsid}


def through_both_halves(b, gsid):
    """sm's part of a whole call: INVITEs 2 to 5, up to talking, then the caller hangs up."""
    orig = b.invite("imsorig", gsid=gsid)
    orig_down = b.downstream(orig)
    term = b.invite("imsterm", gsid=gsid)
    term_down = b.sm.expect("INVITE", where=lambda m: m.call_id not in (
        orig.call_id, orig_down.call_id, term.call_id))
    b.sm.answer(term_down, 200, "OK", "callee")
    term_answer = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == term.call_id)
    b.sm.answer(orig_down, 200, "OK", "term")
    orig_answer = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == orig.call_id)
    b.ack(orig, orig_answer)
    b.sm.expect("ACK", where=lambda m: m.call_id == orig_down.call_id)
    b.ack(term, term_answer)
    b.sm.expect("ACK", where=lambda m: m.call_id == term_down.call_id)
    assert len(b.server.items("/v1/calls")) == 1
    time.sleep(1.1)
    b.hang_up(orig, orig_answer, orig_down)
    assert len(b.server.items("/v1/calls")) == 1
    b.hang_up(term, term_answer, term_down)


def an_answered_call_is_three_rows():
    with bench() as b:
        through_both_halves(b, "call-1")
        records = by_half(b.server.wait_items("/v1/records", 3), "call-1")
        assert set(records) == {"call", "orig", "term"}, records
        for record in records.values():
            assert record["result"] == "answered" and record["sip_status"] == 200, record
            for name in ("started_at", "answered_at", "ended_at"):
                assert TIME.match(record[name]), record
            assert record["started_at"] <= record["answered_at"] <= record["ended_at"], record
        assert records["orig"]["phase"] == "imsorig" and records["term"]["phase"] == "imsterm"
        assert records["orig"]["handle"] == "3001" and records["orig"]["peer"] == "3002"
        assert records["term"]["handle"] == "3002" and records["term"]["peer"] == "3001"
        call = records["call"]
        assert call["caller"] == "3001" and call["callee"] == "3002", call
        assert call["duration_s"] == 1, call


def every_end_has_its_result():
    with bench() as b:
        for status, result in ((486, "busy"), (480, "no_answer"), (404, "failed"), (500, "failed")):
            gsid = "end-%d" % status
            up = b.invite(gsid=gsid)
            b.sm.answer(b.downstream(up), status, "No", "x", contact=False)
            b.sm.ack_failure(up, b.sm.expect((status, "INVITE"), where=lambda m: m.call_id == up.call_id), b.cm)
            b.sm.expect("ACK")
        up = b.invite(gsid="end-cancel")
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "x")
        b.sm.expect((180, "INVITE"))
        b.sm.cancel(up, b.cm)
        b.sm.ack_failure(up, b.sm.expect((487, "INVITE")), b.cm)
        b.sm.answer(b.sm.expect("CANCEL"), 200, "OK")
        b.sm.answer(down, 487, "Request Terminated", "x", contact=False)
        up = b.invite(gsid="end-unknown", dialled="3777")
        b.sm.ack_failure(up, b.sm.expect((404, "INVITE"), where=lambda m: m.call_id == up.call_id), b.cm)

        records = b.server.wait_items("/v1/records", 12)
        want = {"end-486": ("busy", 486), "end-480": ("no_answer", 480), "end-404": ("failed", 404),
                "end-500": ("failed", 500), "end-cancel": ("cancelled", 487),
                "end-unknown": ("failed", 404)}
        for gsid, (result, status) in want.items():
            rows = by_half(records, gsid)
            assert set(rows) == {"call", "orig"}, rows
            for row in rows.values():
                assert (row["result"], row["sip_status"]) == (result, status), row
                assert row["answered_at"] is None, row
        assert by_half(records, "end-unknown")["call"]["callee"] == "3777"


def records_outlive_a_killed_process():
    with tempfile.TemporaryDirectory(prefix="aura-") as folder:
        with bench(database=os.path.join(folder, "node.db")) as b:
            through_both_halves(b, "kept")
            b.server.wait_items("/v1/records", 3)
            time.sleep(0.3)  # written in groups, at most 100 ms later
            b.server.stop(signal.SIGKILL)
            b.server.start()
            assert set(by_half(b.server.items("/v1/records"), "kept")) == {"call", "orig", "term"}


def a_stopped_server_records_what_was_going_on():
    with tempfile.TemporaryDirectory(prefix="aura-") as folder:
        with bench(database=os.path.join(folder, "node.db")) as b:
            b.talk(gsid="talking")
            assert b.server.stop() == 0
            b.server.start()
            rows = by_half(b.server.items("/v1/records"), "talking")
            assert set(rows) == {"call", "orig"}, rows
            assert rows["call"]["result"] == "answered", rows


if __name__ == "__main__":
    run([an_answered_call_is_three_rows, every_end_has_its_result, records_outlive_a_killed_process,
         a_stopped_server_records_what_was_going_on])
