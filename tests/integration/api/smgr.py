# SPDX-License-Identifier: Apache-2.0
"""smgr's database without its guest: PostgreSQL on smgr's address, with a certificate of the box's CA."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import pg  # noqa: E402

ADDRESS = "10.77.0.10"
IMAGE = os.path.join(pg.TOP, "vmtemplates", "image", "smgr")


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (argv, done.stdout, done.stderr)
    return done.stdout


class Smgr:
    """with Smgr(daemon) as smgr: the daemon's /uc/... works; smgr.psql(...) is the database's owner."""

    def __init__(self, daemon):
        self.pki = daemon.dir + "/var/lib/aurabox/pki"
        self.cluster = pg.Cluster()
        self.process = None
        self.log = self.cluster.dir + "/log"
        self.binaries = run("pg_config", "--bindir").strip() if os.path.exists("/usr/bin/pg_config") \
            else "/usr/lib/postgresql/15/bin"

    def __enter__(self):
        try:
            answer = self.cluster.uc("migrate")
            assert "value" in answer, answer
            self.cluster.stop()
            self.certificate()
            if ADDRESS not in run("ip", "-o", "addr", "show", "dev", "lo"):
                run("ip", "addr", "add", ADDRESS + "/32", "dev", "lo")
            self.serve()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def certificate(self):
        base = self.cluster.dir + "/smgr"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=smgr",
            "-keyout", base + "-key.pem", "-out", base + ".csr")
        with open(base + ".ext", "w", encoding="ascii") as file:
            file.write("subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n" % ADDRESS)
        run("openssl", "x509", "-req", "-in", base + ".csr", "-CA", self.pki + "/ca.pem", "-CAkey",
            self.pki + "/ca-key.pem", "-set_serial", "77", "-days", "1", "-extfile", base + ".ext", "-out",
            base + ".pem")
        run("cp", self.pki + "/ca.pem", base + "-ca.pem")
        for name in ("pg_hba.conf", "pg_ident.conf"):  # the guest's own rules
            run("cp", os.path.join(IMAGE, name), self.cluster.dir + "/" + name)
        with open(self.cluster.dir + "/pg_hba.conf", "a", encoding="ascii") as file:
            file.write("local all all trust\n")
        run("sh", "-c", "chown %s %s/smgr* %s/pg_*.conf" % (pg.USER, self.cluster.dir, self.cluster.dir))

    def serve(self):
        d = self.cluster.dir
        options = {"listen_addresses": ADDRESS, "unix_socket_directories": d + "/run", "ssl": "on",
                   "ssl_cert_file": d + "/smgr.pem", "ssl_key_file": d + "/smgr-key.pem",
                   "ssl_ca_file": d + "/smgr-ca.pem", "hba_file": d + "/pg_hba.conf",
                   "ident_file": d + "/pg_ident.conf"}
        argv = ["setpriv", "--reuid", pg.USER, "--regid", pg.USER, "--clear-groups", self.binaries + "/postgres",
                "-D", d + "/db"]
        for name, value in options.items():
            argv += ["-c", "%s=%s" % (name, value)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, cwd="/")
        until = time.monotonic() + 20
        while self.psql("SELECT 1", check=False)[0] != 0:
            assert time.monotonic() < until, open(self.log, encoding="utf-8", errors="replace").read()
            time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # no waiting for clients
        self.process.wait(30)
        self.process = None

    def psql(self, sql, **more):
        return self.cluster.psql(sql, role="aurabox", **more)

    def __exit__(self, kind, value, trace):
        if self.process:
            self.stop()
        run("rm", "-rf", self.cluster.dir)
