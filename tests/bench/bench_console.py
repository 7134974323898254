#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console as a browser sees it: sizes on the wire, first paint, filled table, long tasks, typing in the
search of 5,000 users; and lists of the API under 20 clients. The real daemon with its four real guests."""
import json
import os
import re
import subprocess
import sys
import threading

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
    # The softphone's library has a limit of its own: it is fetched when somebody signs in with it.
    alone = {path for path in chunks if path.startswith("assets/sip-")}
    figure("console_largest_chunk_br", max(chunks[path] for path in chunks if path not in alone) / 1000, "kB", 30)
    figure("console_softphone_library_br", sum(chunks[path] for path in alone) / 1000, "kB", 48)
    figure("console_chunks", len(chunks), "files")
    figure("console_all_css_br", sum(styles.values()) / 1000, "kB")
    figure("console_all_files", whole / 1000, "kB", 1000)


# One process, so that two processors do not mainly run clients: 20 connections, each with one request on its way. They
# are made before: what is measured are requests of a page that is open.
ASKER = """
import asyncio, json, ssl, sys, time
CLIENTS, TURNS = 20, 200
CA = ssl.create_default_context(cafile="/var/lib/aurabox/pki/ca.pem")
REQUEST = ("GET /api/v1/uc/users?limit=50 HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n"
           % sys.argv[1]).encode()

async def ask(reader, writer):
    began = time.perf_counter()
    writer.write(REQUEST)
    head = (await reader.readuntil(b"\\r\\n\\r\\n")).lower()
    body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\\r\\n")[0]))
    took = 1000 * (time.perf_counter() - began)
    assert head.startswith(b"http/1.1 200"), head
    return took, body

async def client(connection):
    answers = [await ask(*connection) for _ in range(TURNS)]
    for body in {body for _, body in answers}:
        assert len(json.loads(body)["items"]) == 50
    return [took for took, _ in answers]

async def main():
    connections = [await asyncio.open_connection("localhost", 8443, ssl=CA, limit=1 << 20) for _ in range(CLIENTS)]
    print(json.dumps(sum(await asyncio.gather(*map(client, connections)), [])))
asyncio.run(main())
"""


def made(box, path, body):
    reply = box.api("POST", "/api/v1" + path, body)
    if reply.status != 201:
        raise AssertionError("POST %s: %r" % (path, reply))
    return reply.json


def asked(box, token):
    out = subprocess.run(box.enter([sys.executable, "-c", ASKER, token]), check=True, stdout=subprocess.PIPE, text=True,
                         timeout=120).stdout
    return sorted(json.loads(out))


def figures(name, took, limit=None):
    figure(name + "_p50", took[len(took) // 2], "ms")
    figure(name + "_p99", took[int(len(took) * 0.99)], "ms", limit)
    figure(name + "_worst", took[-1], "ms")


def lists(box):
    """GET of 50 users by 20 clients at once: of a list that nobody changes, and of one that changes twice a second."""
    token = made(box, "/tokens", {"name": "bench", "scopes": ["uc:read"]})["token"]
    took = asked(box, token)
    figures("api_list_50_at_20_clients", took, 50)
    done = threading.Event()

    def change():
        path = "/api/v1/uc/users/10001"
        for turn in range(1000):
            if done.wait(0.5):
                return
            etag = box.api("GET", path).headers["ETag"]
            reply = box.api("PATCH", path, {"name": "Name %d" % turn}, {"If-Match": etag})
            assert reply.status == 200, reply
    changer = threading.Thread(target=change)
    changer.start()
    try:
        took = asked(box, token)
    finally:
        done.set()
        changer.join()
    figures("api_changing_list_50_at_20_clients", took)


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
