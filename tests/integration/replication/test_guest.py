#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""A call server as in its guest: smgr by client certificate, management API for auraboxd alone."""
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import authority  # noqa: E402
import pg  # noqa: E402

PROGRAMS = "/usr/lib/postgresql/15/bin"
SMGR = os.path.join(pg.TOP, "vmtemplates", "image", "smgr")


def run(*argv, user=None):
    done = subprocess.run((["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []) + list(argv),
                          capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (argv, done.stderr)
    return done.stdout


class Guest(unittest.TestCase):
    """smgr's own pg_hba.conf, pg_ident.conf and roles; only places differ."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="aura-guest-")
        os.chmod(cls.dir, 0o755)
        cls.ca = authority.Authority(cls.dir)
        for name in ("smgr", "sm", "cm", "auraboxd", "stranger"):
            cls.ca.issue(name)
        shutil.chown(f"{cls.dir}/smgr-key.pem", "postgres", "postgres")
        cls.data = f"{cls.dir}/pg"
        os.mkdir(cls.data)
        shutil.chown(cls.data, "postgres", "postgres")
        run(f"{PROGRAMS}/initdb", "-D", cls.data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", user="postgres")
        with open(f"{SMGR}/postgresql.conf") as file:
            conf = file.read()
        with open(f"{cls.data}/postgresql.conf", "w") as file:
            file.write(conf + f"""
listen_addresses = '127.0.0.1'
unix_socket_directories = '{cls.data}'
hba_file = '{cls.data}/pg_hba.conf'
ident_file = '{SMGR}/pg_ident.conf'
ssl_cert_file = '{cls.dir}/smgr.pem'
ssl_key_file = '{cls.dir}/smgr-key.pem'
ssl_ca_file = '{cls.dir}/ca.pem'
""")
        with open(f"{SMGR}/pg_hba.conf") as file:
            rules = file.read()
        with open(f"{cls.data}/pg_hba.conf", "w") as file:
            file.write("local all postgres trust\n" + rules)
        cls.server(cls, "start")
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", cls.data, "-U", "postgres", "-f", f"{SMGR}/roles.sql")

    def server(self, verb):
        run(f"{PROGRAMS}/pg_ctl", verb, "-D", self.data, "-w", "-s", "-m" if verb == "stop" else "-l",
            "fast" if verb == "stop" else f"{self.data}/log", user="postgres")

    @classmethod
    def tearDownClass(cls):
        cls.server(cls, "stop")
        shutil.rmtree(cls.dir)

    def url(self, role, name):
        return (f"host=127.0.0.1 dbname=uc user={role} sslmode=verify-full sslrootcert={self.dir}/ca.pem"
                f" sslcert={self.dir}/{name}.pem sslkey={self.dir}/{name}-key.pem")

    def start(self, name):
        config = {"schema": 1, "name": name, "template": name, "instance": "x", "domain": "aurabox.internal",
                  "interface": "lo", "addresses": ["127.0.0.1/8"], "gateway": "127.0.0.1", "advertise": "",
                  "peers": {"smgr": "127.0.0.1", "sm": "127.0.0.1", "cm": "127.0.0.1"}, "time": "2026-11-21T00:00:00Z",
                  "options": {"trace.size_kib": "128", "nobody.knows": "1"}}
        with open(f"{self.dir}/{name}.json", "w") as file:
            json.dump(config, file)
        log = open(f"{self.dir}/{name}.log", "w")
        node = subprocess.Popen(
            [f"{pg.BIN}/aura-{name}", "--guest", f"{self.dir}/{name}.json", "--set", f"tls.ca={self.dir}/ca.pem",
             "--set", f"tls.cert={self.dir}/{name}.pem", "--set", f"tls.key={self.dir}/{name}-key.pem",
             "--set", f"node.database={self.dir}/{name}.db"], stdout=subprocess.PIPE, stderr=log, text=True, env=pg.ENV)
        self.addCleanup(log.close)
        self.addCleanup(node.stdout.close)
        self.addCleanup(lambda: (node.terminate(), node.wait(10)))
        self.assertEqual(node.stdout.readline(), "ready\n", name)
        return node

    def ask(self, name, path="/health"):
        context = ssl.create_default_context(cafile=f"{self.dir}/ca.pem")
        if name:
            context.load_cert_chain(f"{self.dir}/{name}.pem", f"{self.dir}/{name}-key.pem")
        conn = http.client.HTTPSConnection("127.0.0.1", 7443, context=context, timeout=5)
        try:
            conn.request("GET", path)
            answer = conn.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            conn.close()

    def test_certificates_decide(self):
        answer = pg.tool_raw(self.url("aura_admin", "auraboxd"), pg.SQL, "migrate")
        self.assertIn("value", answer, answer)
        for role, name in (("aura_admin", "sm"), ("aura_sm", "cm"), ("aura_sm", "stranger")):
            answer = pg.tool_raw(self.url(role, name), pg.SQL, "get", "x")
            self.assertIn("error", answer)
            self.assertNotEqual(answer["error"], -2, answer)
        pg.tool_raw(self.url("aura_admin", "auraboxd"), pg.SQL, "create",
                    json.dumps({"handle": "3001", "name": "Ada", "password": "secret"}))

        self.start("sm")
        pg.eventually(lambda: (self.ask("auraboxd")[1]["replica"] or {}).get("state") == "in_sync", 5, "replica")
        status, health = self.ask("auraboxd")
        self.assertEqual((status, health["ready"], health["name"]), (200, True, "sm"))
        status, live = self.ask("auraboxd", "/v1/registrations")
        self.assertEqual((status, live["items"]), (200, []))
        self.assertEqual(self.ask("stranger")[0], 403)
        self.assertEqual(self.ask("cm")[0], 403)
        with self.assertRaises((ssl.SSLError, OSError, http.client.HTTPException)):
            self.ask(None)
        live = dict(UC_CA=f"{self.dir}/ca.pem", UC_CERT=f"{self.dir}/auraboxd.pem",
                    UC_KEY=f"{self.dir}/auraboxd-key.pem", UC_SM="https://127.0.0.1:7443")
        url = "host=127.0.0.1 dbname=uc user=aura_admin"
        self.assertEqual(pg.tool_raw(url, pg.SQL, "registrations", **live)["value"], [])
        self.assertEqual(pg.tool_raw(url, pg.SQL, "calls", **live)["error"], -11)
        live.update(UC_CERT=f"{self.dir}/stranger.pem", UC_KEY=f"{self.dir}/stranger-key.pem")
        self.assertEqual(pg.tool_raw(url, pg.SQL, "registrations", **live)["error"], -11)
        state = {i["node"]: i["state"] for i in
                 pg.tool_raw(self.url("aura_admin", "auraboxd"), pg.SQL, "replication")["value"]}
        self.assertEqual(state["sm"], "in_sync")


if __name__ == "__main__":
    unittest.main(verbosity=2)
