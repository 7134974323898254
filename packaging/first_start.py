# SPDX-License-Identifier: Apache-2.0
"""What quickstart asks of a running auraboxd, over its unix socket: components, demo users, shutdown."""
import argparse
import http.client
import json
import os
import secrets
import socket
import sys
import time

DEMO_USERS = (("3001", "Ada Lovelace"), ("3002", "Alexander Graham Bell"))


class Api:
    """The REST API over the unix socket; root is administrator there by peer credential."""

    def __init__(self, root):
        self.path = root + "/run/aurabox/api.sock"

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(60)
        connection.sock.connect(self.path)
        try:
            send = dict(headers or {})
            if body is not None:
                send["Content-Type"] = "application/json"
                body = json.dumps(body)
            connection.request(method, "/api/v1" + path if path != "/healthz" else path, body, send)
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None, answer.headers
        finally:
            connection.close()

    def must(self, method, path, body=None):
        status, data, headers = self.call(method, path, body)
        if status >= 300:
            raise SystemExit("%s %s: %d %s %s" % (method, path, status, (data or {}).get("code"),
                                                  (data or {}).get("detail")))
        return data, headers


def wait_reachable(api, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            data, _ = api.must("GET", "/appliance")
            break
        except OSError as e:
            if time.monotonic() > end:
                raise SystemExit("auraboxd does not answer: %s" % e) from e
            time.sleep(0.3)
    accelerator = data.get("accelerator")
    print("note: The guests run %s." % ("under KVM" if accelerator == "kvm" else
          "without hardware virtualization (QEMU's TCG): it works, but slower"))


def bring_up(api, names):
    for name in names:
        status, vm, _ = api.call("GET", "/vms/" + name)
        if status == 404:
            api.must("POST", "/vms", {"template": name})
            print("%s: deploying" % name, flush=True)
        elif status == 200 and vm["desired_state"] != "running":
            api.must("POST", "/vms/%s/actions/start" % name)
            print("%s: starting" % name, flush=True)


def tell_tasks(api):
    tasks, _ = api.must("GET", "/tasks?limit=10")
    for task in tasks["items"]:
        print("task %s of %s %s: %s" % (task["kind"], task["target"], task["state"],
                                        json.dumps(task["problem"])))


def wait_ready(api, names, seconds=400):
    began, waiting = time.monotonic(), set(names)
    while waiting:
        for name in sorted(waiting):
            status, vm, _ = api.call("GET", "/vms/" + name)
            if status == 404:  # a deployment that fails takes back what it made
                tell_tasks(api)
                raise SystemExit("%s could not be deployed" % name)
            if status == 200 and vm["ready"]:
                print("%s: ready after %.1f s" % (name, time.monotonic() - began), flush=True)
                waiting.discard(name)
        if waiting and time.monotonic() - began > seconds:
            for name in sorted(waiting):
                _, vm, _ = api.call("GET", "/vms/" + name)
                print("%s is not ready: %s" % (name, json.dumps(vm)))
            tell_tasks(api)
            raise SystemExit(1)
        time.sleep(0.3)


def write_secret(path, text):
    """Whole or not at all, readable by root alone."""
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".new", path)


def patiently(api, *request, seconds=60):
    """smgr is ready a moment before its database has got its tables and settings."""
    end = time.monotonic() + seconds
    while True:
        answer = api.call(*request)
        if answer[0] < 500 or time.monotonic() > end:
            return answer
        time.sleep(0.5)


def demo_users(api, root):
    path = root + "/var/lib/aurabox/demo-users"
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            known = dict(line.split() for line in f)
    for handle, name in DEMO_USERS:
        status, user, headers = patiently(api, "GET", "/uc/users/" + handle)
        if status == 200 and handle in known:
            continue
        password = secrets.token_urlsafe(18)
        # The file first: a password that is lost is worse than one that is not in force yet.
        known[handle] = password
        write_secret(path, "".join("%s %s\n" % item for item in sorted(known.items())))
        if status == 200:
            status, user, _ = api.call("PATCH", "/uc/users/" + handle, {"password": password},
                                       {"If-Match": headers["ETag"]})
            if status != 200:
                raise SystemExit("user %s: %s" % (handle, user))
        else:
            status, user, _ = patiently(api, "POST", "/uc/users",
                                        {"handle": handle, "name": name, "password": password,
                                         "station": {"extension": handle}})
            if status != 201:
                raise SystemExit("user %s: %s" % (handle, user))
        print("user %s" % handle, flush=True)


def shut_down(api, seconds=90):
    items, _ = api.must("GET", "/vms?limit=500")
    names = [vm["name"] for vm in items["items"] if vm["state"] not in ("stopped",)]
    # smgr last: the call servers deliver their records to it.
    for name in sorted(names, key=lambda n: n == "smgr"):
        api.call("POST", "/vms/%s/actions/shutdown" % name)
    end = time.monotonic() + seconds
    while names and time.monotonic() < end:
        names = [n for n in names if api.call("GET", "/vms/" + n)[1].get("state") != "stopped"]
        time.sleep(0.3)
    if names:
        raise SystemExit("not stopped: %s" % " ".join(names))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--root", default="")
    p.add_argument("action", choices=("reachable", "components", "demo-users", "shutdown"))
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    api = Api(args.root)
    try:
        act(api, args)
    except (ConnectionError, FileNotFoundError) as e:
        raise SystemExit("auraboxd does not answer on %s: %s" % (api.path, e)) from e
    return 0


def act(api, args):
    if args.action == "reachable":
        wait_reachable(api)
    elif args.action == "components":
        bring_up(api, args.names)
        wait_ready(api, args.names)
    elif args.action == "demo-users":
        demo_users(api, args.root)
    else:
        shut_down(api)


if __name__ == "__main__":
    sys.exit(main())
