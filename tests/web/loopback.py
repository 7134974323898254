# SPDX-License-Identifier: Apache-2.0
"""The console beside call servers on loopback, without guests: auraboxd, a browser, and what a test puts between."""
import json
import os
import subprocess
import sys

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for folder in ("lib", "integration/api", "integration/calls"):
    sys.path.insert(0, os.path.join(TOP, "tests", folder))
ARTEFACTS = TOP + "/build/test-artefacts/web"


def alone():
    """Build the console, then go on in a network namespace that has loopback only."""
    if os.environ.get("AURA_LOOPBACK"):
        return
    subprocess.run([TOP + "/packaging/build-console"], check=True)
    os.makedirs(ARTEFACTS, exist_ok=True)
    env = dict(os.environ, AURA_LOOPBACK="1", AURA_TOP=TOP)
    argv = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv]
    os.execvpe(argv[0], argv, env)


def play(daemon, wishes, *scenarios, seconds=240):
    """Run the scenarios; what they ask for is wishes[NAME](**more), see harness/host.mjs."""
    node = subprocess.run([TOP + "/packaging/build-console", "--node"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    env = dict(os.environ, AURA_ROOT=daemon.dir, AURA_ORIGIN="https://127.0.0.1:%d" % daemon.port)
    with subprocess.Popen(["timeout", str(seconds), node, TOP + "/tests/web/harness/play.mjs", TOP, ARTEFACTS,
                           *scenarios], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as browser:
        for line in browser.stdout:
            if not line.startswith("@"):
                print(line, end="", flush=True)
                continue
            wish = json.loads(line[1:])
            answer = wishes[wish.pop("do")](**wish)
            browser.stdin.write(json.dumps({"done": answer}) + "\n")
            browser.stdin.flush()
        status = browser.wait(20)
    assert status == 0, "the browser's half ended with %d; screenshots lie in %s" % (status, ARTEFACTS)
