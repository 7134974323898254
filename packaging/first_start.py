# SPDX-License-Identifier: Apache-2.0
"""What quickstart asks of a running auraboxd, over its unix socket: the first run (/setup), shutdown."""
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


class Terminal:
    """The line of quickstart's step, drawn anew with how far the task is; nothing without a terminal."""

    def __init__(self):
        self.line = os.environ.get("QUICKSTART_LINE")
        self.out = None
        if self.line:
            try:
                self.out = open("/dev/tty", "w", encoding="utf-8")  # pylint: disable=consider-using-with
            except OSError:
                pass

    def draw(self, text):
        if self.out:
            self.out.write("\r\033[K%s%s" % (self.line, " " + text if text else ""))
            self.out.flush()


def running_step(task):
    for step in task["steps"]:
        if step["state"] == "running":
            return step["name"]
    return task["state"]


def follow(api, task_id):
    """Each new line of its log, and how far it is, until it has ended."""
    terminal, told, step = Terminal(), 0, None
    while True:
        task, _ = api.must("GET", "/tasks/" + task_id)
        lines = api.must("GET", "/tasks/%s/log" % task_id)[0]["lines"]
        if running_step(task) != step:
            step = running_step(task)
            print("step %s" % step, flush=True)
        for line in lines[told:]:
            print("%s %s" % (line["at"], line["text"]), flush=True)
        told = len(lines)
        progress = task["progress"]
        terminal.draw("%s, %s of %s" % (step, progress["done"], progress["total"]) if progress["total"] else step)
        if task["ended_at"]:
            terminal.draw("")
            return task
        time.sleep(0.3)


def apply(api, wish):
    """POST /setup/apply and wait; one that is under way already is waited for first."""
    while True:
        status, task, _ = api.call("POST", "/setup/apply", wish)
        if status == 202:
            break
        if status != 409 or task.get("errors"):  # 409 without a member at fault: another one is under way
            raise SystemExit("setup: %s; %s" % (task["detail"], task["resolution"]))
        under_way = api.must("GET", "/setup")[0]["task"]
        if under_way:
            follow(api, under_way)
        time.sleep(0.2)
    task = follow(api, task["id"])
    if task["state"] != "succeeded":
        tell_tasks(api)
        problem = task["problem"] or {}
        raise SystemExit("setup %s: %s. %s" % (task["state"], problem.get("detail"), problem.get("resolution")))
    return task["result"]


def tell_tasks(api):
    tasks, _ = api.must("GET", "/tasks?limit=10")
    for task in tasks["items"]:
        print("task %s of %s %s: %s" % (task["kind"], task["target"], task["state"],
                                        json.dumps(task["problem"])))


def write_secret(path, text):
    """Whole or not at all, readable by root alone."""
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".new", path)


def demo_passwords(root):
    """Those in the file, and new ones for who is not in it; the second result names the latter."""
    path, known, new = root + "/var/lib/aurabox/demo-users", {}, []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            known = dict(line.split() for line in f)
    for handle, _ in DEMO_USERS:
        if handle not in known:
            known[handle] = secrets.token_urlsafe(18)
            new.append(handle)
    # The file first: a password that is lost is worse than one that is not in force yet.
    if new:
        write_secret(path, "".join("%s %s\n" % item for item in sorted(known.items())))
    return known, new


def set_password(api, handle, password):
    """Of a demo user that exists although its password's file was lost."""
    _, headers = api.must("GET", "/uc/users/" + handle)
    status, user, _ = api.call("PATCH", "/uc/users/" + handle, {"password": password}, {"If-Match": headers["ETag"]})
    if status != 200:
        raise SystemExit("user %s: %s" % (handle, user))


def wait_ready(api, names, seconds=120):
    """All at the same moment: on a busy host a guest may miss a probe while the others start."""
    end = time.monotonic() + seconds
    while True:
        vms = [vm for vm in api.must("GET", "/vms?limit=500")[0]["items"] if vm["template"] in names]
        if all(vm["ready"] for vm in vms):
            return
        if time.monotonic() > end:
            raise SystemExit(", ".join("%s is not ready: %s" % (vm["name"], vm["reason"]) for vm in vms if not vm["ready"]))
        time.sleep(0.3)


def wait_in_force(api, names, seconds=60):
    """What was just written is what the call servers go by; a phone is told wrong passwords once and then pauses."""
    end = time.monotonic() + seconds
    while True:
        status, answer, _ = api.call("GET", "/uc/replication")
        behind = [row["node"] for row in answer["items"] if row["node"] in names
                  and row["state"] != "in_sync"] if status == 200 else ["smgr"]
        if not behind:
            return
        if time.monotonic() > end:
            raise SystemExit("not in force yet on %s: see 'aurabox replication list'" % ", ".join(behind))
        time.sleep(0.2)


def first_run(api, root, components, demo):
    """What quickstart promises, through the same door as the console's first run."""
    wish, known, new = {"components": components}, {}, []
    if demo:
        known, new = demo_passwords(root)
        wish["people"] = [{"handle": handle, "name": name, "password": known[handle]} for handle, name in DEMO_USERS]
    kept = apply(api, wish)["kept"]
    for handle in new:
        if "uc/users/" + handle in kept:
            set_password(api, handle, known[handle])
    wait_ready(api, components)
    if demo and "smgr" in components:
        wait_in_force(api, components)


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
    p.add_argument("--no-demo", action="store_true", help="no demo users")
    p.add_argument("action", choices=("reachable", "setup", "shutdown"))
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
    elif args.action == "setup":
        first_run(api, args.root, args.names, not args.no_demo)
    else:
        shut_down(api)


if __name__ == "__main__":
    sys.exit(main())
