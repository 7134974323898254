#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console as a browser sees it: sizes on the wire, first paint, filled table, long tasks, typing in the
search of 5,000 users; and lists of the API under 20 clients. The real daemon with its four real guests."""
import os
import re
import subprocess
import sys

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/web")
from stage import Stage, prepare  # noqa: E402  (the path is set just above)

PASSWORD = "a password for the bench"
PEOPLE = 5000
SECONDS = 600
DIST = TOP + "/webui/dist"


def figure(name, value, unit, limit=None):
    text = "%d" % value if value == int(value) else "%.1f" % value
    print("%s %s - - %s" % (name, text, unit) + (" (limit %s)" % limit if limit else ""), flush=True)


def size(path):
    return os.path.getsize(DIST + "/" + path)


def sizes():
    """What of dist/ goes over the wire, as brotli."""
    with open(DIST + "/index.html", encoding="utf-8") as source:
        entry = re.search(r'<script type="module"[^>]* src="/(assets/[^"]*\.js)"', source.read()).group(1)
    assets = ["assets/" + name for name in sorted(os.listdir(DIST + "/assets"))]
    chunks = {path: size(path + ".br") for path in assets if path.endswith(".js") and path != entry}
    styles = {path: size(path + ".br") for path in assets if path.endswith(".css")}
    whole = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(DIST)
                for name in names if not name.endswith((".br", ".gz")))
    figure("console_entry_js_br", size(entry + ".br") / 1000, "kB", 40)
    figure("console_largest_chunk_br", max(chunks.values()) / 1000, "kB", 30)
    figure("console_chunks", len(chunks), "files")
    figure("console_all_css_br", sum(styles.values()) / 1000, "kB")
    figure("console_all_files", whole / 1000, "kB", 1000)


ASKER = """
import http.client, json, ssl, sys, time
ca = ssl.create_default_context(cafile="/var/lib/aurabox/pki/ca.pem")
api = http.client.HTTPSConnection("localhost", 8443, context=ca, timeout=30)
took = []
for _ in range(25):
    began = time.perf_counter()
    api.request("GET", "/api/v1/uc/users?limit=50", headers={"Authorization": "Bearer " + sys.argv[1]})
    answer = api.getresponse()
    body = answer.read()
    took.append(1000 * (time.perf_counter() - began))
    assert answer.status == 200 and len(json.loads(body)["items"]) == 50
print(json.dumps(took))
"""


def made(box, path, body):
    reply = box.api("POST", "/api/v1" + path, body)
    if reply.status != 201:
        raise AssertionError("POST %s: %r" % (path, reply))
    return reply.json


def lists(box):
    """GET of 50 users by 20 clients at once, each with its own connection."""
    token = made(box, "/tokens", {"name": "bench", "scopes": ["uc:read"]})["token"]
    askers = [subprocess.Popen(box.enter([sys.executable, "-c", ASKER, token]), stdout=subprocess.PIPE, text=True)
              for _ in range(20)]
    took = []
    for asker in askers:
        out, _ = asker.communicate(timeout=120)
        if asker.returncode != 0:
            raise AssertionError("a client of the list ended with %d" % asker.returncode)
        took += [float(part) for part in out.strip().strip("[]").split(",")]
    took.sort()
    figure("api_list_50_at_20_clients_p50", took[len(took) // 2], "ms")
    figure("api_list_50_at_20_clients_p99", took[int(len(took) * 0.99)], "ms", 50)


def main():
    prepare()
    node = subprocess.run([TOP + "/packaging/build-console", "--node"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    sizes()
    with Stage("bench") as box:
        box.start()
        box.deploy_all()
        made(box, "/admins", {"name": "bench", "role": "admin", "password": PASSWORD})
        box.wish_users(first=10000, count=PEOPLE)
        lists(box)
        box.run(["timeout", str(SECONDS), node, TOP + "/tests/bench/console.mjs", TOP],
                env=dict(os.environ, AURA_BENCH_PASSWORD=PASSWORD))
    return 0


if __name__ == "__main__":
    sys.exit(main())
