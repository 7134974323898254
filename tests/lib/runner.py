# SPDX-License-Identifier: Apache-2.0
"""Runs the tests that tests/run names and prints one line each.

A test is a unit test known to CTest, or an executable file tests/GROUP/.../test_* . Lines at its top
may say:
	# timeout: SECONDS   (120 if absent)
	# needs: images      (the release build and the guest images, made by quickstart --prepare)
	# beside: others     (no clock in it is so fine that another test beside it would matter)
Each but the system and web tests runs in a network namespace of its own with only loopback. Those of
LANES that need no images wait more than they work, so two of them run side by side, as do those that say so."""
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

from box import ensure_user

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GROUPS = ("lint", "unit", "sql", "fuzz", "integration", "web", "system")
OWN_NAMESPACES = ("system", "web")
LANES = ("sql", "integration")
LOGS = TOP + "/build/test-logs"


class Test:
    def __init__(self, path):
        self.path = path
        stem, _ = os.path.splitext(os.path.relpath(path, TOP + "/tests"))
        group, _, rest = stem.partition("/")
        self.group = group
        self.name = group + "/" + re.sub(r"(^|/)test_", r"\1", rest)
        with open(path, encoding="utf-8") as f:
            head = f.read(2000)
        limit = re.search(r"^# timeout: (\d+)$", head, re.M)
        self.timeout = int(limit.group(1)) if limit else 120
        self.needs_images = re.search(r"^# needs: images$", head, re.M) is not None
        self.beside = group in LANES or re.search(r"^# beside: others$", head, re.M) is not None


def discover():
    tests = []
    for group in GROUPS:
        for folder, folders, files in os.walk("%s/tests/%s" % (TOP, group)):
            folders.sort()
            folders[:] = [d for d in folders if d not in ("node_modules", "corpus")]
            for name in sorted(files):
                path = folder + "/" + name
                if name.startswith("test_") and os.access(path, os.X_OK) and group != "unit":
                    tests.append(Test(path))
    return tests


def wanted(name, names):
    return not names or any(name == n or name.startswith(n.rstrip("/") + "/") or
                            (("/" in n) and name.startswith(n)) for n in names)


def environment():
    env = dict(os.environ)
    env.update(AURA_TOP=TOP, AURA_BIN=TOP + "/build/dev/bin", AURA_RELEASE_BIN=TOP + "/build/release/bin",
               AURA_IMAGES=TOP + "/build/images", PYTHONPATH=TOP + "/tests/lib",
               PYTHONDONTWRITEBYTECODE="1",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0", UBSAN_OPTIONS="print_stacktrace=1")
    return env


def line(ok, name, seconds, log):
    if ok:
        print("ok %s %.1f" % (name, seconds), flush=True)
    else:
        print("FAIL %s %.1f %s" % (name, seconds, log), flush=True)


def run_unit(names):
    passed = failed = 0
    out = LOGS + "/unit.xml"
    command = ["ctest", "--test-dir", TOP + "/build/dev", "-j2", "--output-junit", out,
               "--output-on-failure"]
    with open(LOGS + "/unit.log", "wb") as log:
        subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                       env=environment(), check=False)
    for case in xml.etree.ElementTree.parse(out).getroot().iter("testcase"):
        name = "unit/" + case.get("name").replace(".", "/", 1)
        if not wanted(name, names):
            continue
        ok = case.get("status") == "run"
        passed += ok
        failed += not ok
        line(ok, name, float(case.get("time")), LOGS + "/unit.log")
    return passed, failed


def run(test):
    log_path = "%s/%s.log" % (LOGS, test.name.replace("/", "-"))
    command = [test.path]
    if test.group not in OWN_NAMESPACES:
        command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0"', test.path]
    began = time.monotonic()
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   cwd=TOP, env=environment(), start_new_session=True)
        try:
            ok = process.wait(test.timeout) == 0
        except subprocess.TimeoutExpired:
            ok = False
            log.write(b"\nstopped: it did not end within %d s\n" % test.timeout)
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                pass
        # What a test left behind in its own process group ends with it.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    line(ok, test.name, time.monotonic() - began, log_path)
    if not ok and os.environ.get("CI"):
        sys.stdout.write("".join("    | %s\n" % l for l in why(log_path)))
    return ok


def why(log_path):
    """What of a failed test's log is printed: its last exception, then its last lines."""
    with open(log_path, encoding="utf-8", errors="replace") as log:
        lines = log.read().splitlines()
    began = max((n for n, l in enumerate(lines) if l.startswith("Traceback ")), default=len(lines))
    told = lines[began:began + 30]
    return told + ["..."] + lines[-(40 - len(told)):] if told else lines[-40:]


def run_group(tests):
    """Whether each passed."""
    beside = [t for t in tests if t.beside and not t.needs_images]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, beside))
    return done + [run(t) for t in tests if t not in beside]


def main(argv):
    names = [a for a in argv if not a.startswith("--")]
    tests = [t for t in discover() if wanted(t.name, names)]
    if "--needs-images" in argv:
        return 0 if any(t.needs_images for t in tests) else 1
    if "--list" in argv:
        for t in tests:
            print(t.name)
        return 0
    os.makedirs(LOGS, exist_ok=True)
    ensure_user()  # whom auraboxd runs as; otherwise quickstart makes it
    passed = failed = 0
    for group in GROUPS:
        if group == "unit" and (not names or any(n.startswith("unit") for n in names)):
            passed, failed = (a + b for a, b in zip((passed, failed), run_unit(names)))
        done = run_group([t for t in tests if t.group == group])
        passed += sum(done)
        failed += len(done) - sum(done)
    if passed + failed == 0:
        print("no test has such a name: %s" % " ".join(names), file=sys.stderr)
        failed = 1
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
