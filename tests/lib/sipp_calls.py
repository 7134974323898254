# SPDX-License-Identifier: Apache-2.0
"""Many calls by SIPp: one registers and answers, one calls with digest. Run as a program inside a box's
namespace: sipp_calls.py SERVER LOCAL DOMAIN CALLER:PASSWORD CALLEE:PASSWORD CALLS RATE; exit 0 = no call failed."""
import os
import subprocess
import sys
import tempfile

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
ANSWER_PORT, CALL_PORT, REGISTER_PORT = 15070, 15080, 15090


def sipp(folder, name, server, local, port, *more):
    """The command of one SIPp with scenario `name`; its files stay in the folder."""
    return ["sipp", server, "-sf", "%s/%s.xml" % (folder, name), "-i", local, "-p", str(port), "-nostdin",
            "-trace_err", "-error_file", "%s/%s.err" % (folder, name), "-trace_screen", "-screen_file",
            "%s/%s.screen" % (folder, name), "-timeout_error", *more]


def scenario(folder, name, domain):
    with open("%s/%s.xml" % (SCENARIOS, name), encoding="utf-8") as f:
        text = f.read().replace("@DOMAIN@", domain)
    with open("%s/%s.xml" % (folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def account(folder, name, user, password, field2):
    path = "%s/%s.csv" % (folder, name)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(fd, "w") as f:
        f.write("SEQUENTIAL\n%s;[authentication username=%s password=%s];%s\n"
                % (user, user, password, field2))
    return path


def tell(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith((".err", ".screen")):
            with open(folder + "/" + name, encoding="utf-8", errors="replace") as f:
                sys.stderr.write("--- %s\n%s\n" % (name, f.read()[-3000:]))


def run(server, local, domain, caller, callee, calls, rate, transport="u1"):
    """transport: SIPp's -t of the calling side; who answers has UDP, since a binding over TCP ends with its connection."""
    with tempfile.TemporaryDirectory(prefix="aura-sipp-") as folder:
        for name in ("register", "answer", "call"):
            scenario(folder, name, domain)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "cwd": folder}
        answering = subprocess.Popen(sipp(folder, "answer", server, local, ANSWER_PORT, "-aa"), **quiet)
        try:
            done = subprocess.run(sipp(folder, "register", server, local, REGISTER_PORT, "-m", "1", "-timeout", "20",
                                       "-inf", account(folder, "register", *callee, ANSWER_PORT)),
                                  check=False, **quiet).returncode
            if done == 0:
                done = subprocess.run(
                    sipp(folder, "call", server, local, CALL_PORT, "-m", str(calls), "-r", str(rate), "-l", "2",
                         "-t", transport,
                         "-timeout", str(60 + 2 * calls // rate),
                         "-inf", account(folder, "call", *caller, callee[0])), check=False, **quiet).returncode
        finally:
            answering.terminate()
            answering.wait()
        if done != 0:
            tell(folder)
        return done


def main(argv):
    server, local, domain, caller, callee, calls, rate = argv
    return run(server, local, domain, caller.split(":", 1), callee.split(":", 1), int(calls), int(rate))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
