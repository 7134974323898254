# SPDX-License-Identifier: Apache-2.0
"""The host's half of the console's tests: a box with real guests, and what a browser cannot do by itself.

play() runs the named scenarios in one browser inside the box; what they wish for comes as JSON lines (see
harness/host.mjs) and is done here."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/lib")
from box import Box, wait_until  # noqa: E402  (the path is set just above)

COMPONENTS = ("smgr", "sm", "cm", "presence")
ARTEFACTS = TOP + "/build/test-artefacts/web"
SMGR = "host=10.77.0.10 dbname=uc user=aura_admin sslmode=verify-full sslrootcert={0}/ca.pem sslcert={0}/auraboxd.pem " \
       "sslkey={0}/auraboxd-key.pem connect_timeout=10"
# One transaction and one version, as a bulk import makes them; what the triggers do for each row is done once for all.
USERS = """
ALTER TABLE users DISABLE TRIGGER USER;
ALTER TABLE stations DISABLE TRIGGER USER;
WITH made AS (
	INSERT INTO users (handle, name, sequence_id, version)
	SELECT (n + %(first)d)::text,
	       (ARRAY['Ada','Björk','Chiara','Dmitri','Élodie','Fatima','Grace','Hedy','İpek','José','Käthe','Linus'])[n %% 12 + 1]
	       || ' ' ||
	       (ARRAY['Ångström','Bell','Curie','Dijkstra','Euler','Faraday','Gödel','Hopper','Ito','Joule','Kowalska'])[n %% 11 + 1]
	       || ' ' || n,
	       sequence.id, bump.version
	FROM generate_series(0, %(count)d - 1) AS n, (SELECT replica.bump('users') AS version) AS bump,
	     (SELECT id FROM application_sequences LIMIT 1) AS sequence
	RETURNING id, handle, version),
lines AS (INSERT INTO stations (user_id, extension, version) SELECT id, handle, version FROM made RETURNING 1)
SELECT replica.bump('stations') FROM (SELECT count(*) FROM lines) AS done;
ALTER TABLE users ENABLE TRIGGER USER;
ALTER TABLE stations ENABLE TRIGGER USER;
ANALYZE users, stations;
SELECT count(*) FROM users;
"""
# Calls of the last day, so that records and charts have something to show.
RECORDS = """
SELECT count(record.put(jsonb_build_object('half', 'call', 'gsid', 'made-' || n, 'caller', (40000 + n)::text,
	'callee', (40001 + n)::text, 'started_at', now() - n * interval '5 minutes',
	'answered_at', CASE WHEN n %% 5 > 0 THEN now() - n * interval '5 minutes' + interval '4 s' END,
	'ended_at', now() - n * interval '5 minutes' + CASE WHEN n %% 5 > 0 THEN interval '64 s' ELSE interval '9 s' END,
	'duration_s', CASE WHEN n %% 5 > 0 THEN 60 ELSE 0 END,
	'result', CASE WHEN n %% 5 > 0 THEN 'answered' WHEN n %% 10 = 0 THEN 'busy' ELSE 'no_answer' END,
	'sip_status', CASE WHEN n %% 5 > 0 THEN 200 WHEN n %% 10 = 0 THEN 486 ELSE 480 END)))
FROM generate_series(1, %(count)d) AS n;
"""


class Stage(Box):
    """A box whose images are its own, so that a test may spoil them."""

    def __init__(self, name):
        super().__init__(name, bin_dir=os.environ.get("AURA_RELEASE_BIN"))
        self.phones = None

    def start(self):
        own = self.dir + "/images"
        os.makedirs(own)
        for name in os.listdir(self.images):
            if os.path.isfile(self.images + "/" + name):
                shutil.copyfile(self.images + "/" + name, own + "/" + name)
        self.images = own
        return super().start()

    def deploy_all(self):
        """All components at once, as quickstart does."""
        for name in COMPONENTS:
            reply = self.api("POST", "/api/v1/vms", {"template": name})
            assert reply.status == 202, reply
        for name in COMPONENTS:
            self.wait_ready(name, 200)
        wait_until("the people's database", 120, lambda: self.api("GET", "/api/v1/uc/users").status == 200)

    def smgr_sql(self, text):
        target = SMGR.format(self.place("/var/lib/aurabox/pki"))
        return self.output(["psql", "-X", "-q", "-A", "-t", "-1", "-v", "ON_ERROR_STOP=1", "-d", target, "-c", text],
                           env=dict(os.environ, PGCLIENTENCODING="UTF8")).strip()

    def spoil(self, image):
        """One byte of the image is another; the second call makes it right again."""
        with open(self.images + "/" + image, "r+b") as file:
            file.seek(4096)
            byte = file.read(1)
            file.seek(4096)
            file.write(bytes([byte[0] ^ 0xff]))

    # -- wishes ------------------------------------------------------------------------------------

    def wish(self, do, **more):
        return getattr(self, "wish_" + do.replace("-", "_"))(**more)

    def wish_stop_daemon(self):
        self.stop_daemon()

    def wish_kill_daemon(self):
        self.stop_daemon(signal.SIGKILL)

    def wish_start_daemon(self, settings=()):
        self.options = list(settings)
        self.start_daemon()

    def wish_spoil(self, image):
        self.spoil(image)

    def wish_users(self, first, count):
        began = time.monotonic()
        total = int(self.smgr_sql(USERS % {"first": first, "count": count}).split()[-1])
        print("%d users inserted in %.1f s" % (count, time.monotonic() - began), flush=True)
        return total

    def wish_records(self, count):
        return int(self.smgr_sql(RECORDS % {"count": count}))

    def wish_phones(self, command):
        """phones.py runs in the box's network and holds the phones from one wish to the next."""
        if self.phones is None:
            self.phones = subprocess.Popen(self.enter([sys.executable, TOP + "/tests/web/phones.py"]),
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.phones.stdin.write(json.dumps(command) + "\n")
        self.phones.stdin.flush()
        answer = self.phones.stdout.readline()
        if not answer:
            raise AssertionError("phones.py ended with %s" % self.phones.wait(10))
        return json.loads(answer)

    def serve(self, browser):
        """What the scenarios ask for, one JSON line each; the last says how it went."""
        for line in browser.stdout:
            if not line.startswith("@"):
                print(line, end="", flush=True)
                continue
            answer = self.wish(**json.loads(line[1:]))
            browser.stdin.write(json.dumps({"done": answer}) + "\n")
            browser.stdin.flush()
        return browser.wait(10)

    def play(self, seconds, *scenarios):
        node = subprocess.run([TOP + "/packaging/build-console", "--node"], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()
        browser = subprocess.Popen(
            self.enter(["timeout", str(seconds), node, TOP + "/tests/web/harness/play.mjs", TOP, ARTEFACTS, *scenarios]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        status = self.serve(browser)
        if self.phones:
            self.phones.stdin.close()
            self.phones.wait(20)
        if status != 0:
            raise AssertionError("the browser's half ended with %d; screenshots lie in %s" % (status, ARTEFACTS))


def prepare():
    """The console as it is in the tree, and a place for pictures."""
    subprocess.run([TOP + "/packaging/build-console"], check=True)
    os.makedirs(ARTEFACTS, exist_ok=True)
