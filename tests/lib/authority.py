# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of the test's own, by the openssl program."""
import os
import subprocess


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (argv, done.stderr)


class Authority:
    def __init__(self, folder):
        self.dir = folder
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=Aurabox test CA", "-days", "2", "-keyout", f"{folder}/ca-key.pem", "-out", f"{folder}/ca.pem")

    def issue(self, name):
        base = f"{self.dir}/{name}"
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{base}-key.pem", "-out", f"{base}.csr")
        with open(f"{base}.ext", "w") as file:
            file.write(f"subjectAltName=DNS:{name}.aurabox.internal,IP:127.0.0.1\n"
                       "extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n")
        run("openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", f"{self.dir}/ca.pem", "-CAkey",
            f"{self.dir}/ca-key.pem", "-CAcreateserial", "-days", "1", "-extfile", f"{base}.ext", "-out", f"{base}.pem")
        os.chmod(f"{base}-key.pem", 0o600)
        return f"{base}.pem", f"{base}-key.pem"
