#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""The command line against the real daemon: tables, --json, exit statuses, secrets, https with a token, help."""
import json
import os
import subprocess
import time

from daemon import BIN, PASSWORD, equal, run
from test_tasks import make_images

PROGRAM = os.path.join(BIN, "aurabox")


def cli(d, *arguments, status=0, stdin=None, plain=False):
    command = [PROGRAM] + ([] if plain else ["--socket", d.socket]) + list(arguments)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def help_comes_from_the_table(d):
    general = cli(d, "--help", plain=True).stdout
    commands = [line.split("  ")[1].split() for line in general.splitlines()
                if line.startswith("  ") and not line.startswith(("  -", "    "))]
    assert len(commands) > 40, general
    for words in commands:
        noun_verb = [w for w in words if w.islower()][:2]
        text = cli(d, *noun_verb, "--help", plain=True).stdout
        assert text.startswith("Usage: aurabox " + " ".join(noun_verb)), text
    cli(d, "--version", plain=True)


def wrong_usage_is_2(d):
    for arguments in ((), ("vm",), ("vm", "fly"), ("nosuch", "list"), ("vm", "show"), ("vm", "show", "a", "b"),
                      ("vm", "list", "--nosuch"), ("vm", "create", "sm", "--cpus", "many"), ("vm", "create", "sm", "--cpus"),
                      ("user", "add", "3001", "--generate"), ("user", "add", "3001", "--name", "Ada"), ("vm", "change", "sm"),
                      ("--url", "https://localhost:1", "--token-file", "/nosuch", "vm", "list")):
        done = cli(d, *arguments, status=2, plain=not arguments or "--url" in arguments)
        assert done.stderr and not done.stdout, arguments


def lists_are_tables_or_items(d):
    equal(cli(d, "vm", "list").stdout.split(), ["NAME", "STATE", "READY", "CPUS", "MEMORY", "ADDRESS"])
    equal(json.loads(cli(d, "vm", "list", "--json").stdout), {"items": []})
    table = cli(d, "template", "list").stdout.splitlines()
    assert [line.split()[0] for line in table[1:]] == ["cm", "presence", "sm", "smgr"], table
    for i in range(60):
        equal(d.root.post("/tokens", {"name": "page-%02d" % i, "scopes": ["vms:read"]}).status, 201)
    equal(len(json.loads(cli(d, "--json", "token", "list").stdout)["items"]), 60, "all pages")
    for noun in ("task", "alarm", "admin", "audit"):
        assert isinstance(json.loads(cli(d, noun, "list", "--json").stdout)["items"], list)


def lists_are_searched_ordered_and_filtered(d):
    def names(*arguments):
        return [t["name"] for t in json.loads(cli(d, "--json", "token", "list", *arguments).stdout)["items"]]
    equal(names("--sort", "-name"), ["page-%02d" % i for i in range(59, -1, -1)])
    equal(names("--query", "PAGE-0", "--sort", "name"), ["page-%02d" % i for i in range(10)])
    equal(names("--filter", "name=page-07"), ["page-07"])
    table = cli(d, "audit", "list", "--filter", "action=POST tokens", "--filter", "result=ok", "--sort", "at").stdout
    equal(len(table.splitlines()), 61)
    for arguments, status in ((("--sort", "colour"), 1), (("--filter", "colour=red"), 1), (("--filter", "name"), 2),
                              (("--filter", "a&b=c"), 2), (("--query",), 2)):
        cli(d, "token", "list", *arguments, status=status)
    cli(d, "token", "show", "x", "--query", "a", status=2)
    assert "--query VALUE" in cli(d, "vm", "list", "--help").stdout


def the_first_run_is_shown_planned_and_applied(d):
    shown = cli(d, "setup", "show").stdout
    assert shown.startswith("State: fresh\n") and "presence" in shown, shown
    equal(json.loads(cli(d, "--json", "setup", "show").stdout)["state"], "fresh")
    planned = cli(d, "setup", "plan", "--name", "Office", "--components", "smgr,sm").stdout
    assert "create  vms/smgr" in planned and "becomes Office" in planned, planned
    wish = json.dumps({"name": "From a file", "time_zone": "Europe/Berlin"})
    done = cli(d, "setup", "apply", "--file", "-", "--name", "Office", stdin=wish)
    equal(done.stdout, "setup.apply setup: succeeded\n")
    appliance = d.root.get("/appliance").json
    equal((appliance["name"], appliance["time_zone"]), ("Office", "Europe/Berlin"))
    with open(d.dir + "/wish.json", "w", encoding="utf-8") as out:
        out.write(wish)
    planned = cli(d, "--dry-run", "setup", "apply", "--file", d.dir + "/wish.json").stdout
    assert "becomes From a file" in planned, planned
    equal(d.root.get("/appliance").json["name"], "Office")
    equal(json.loads(cli(d, "--json", "setup", "plan").stdout)["plan"], [])
    for wrong in (["--file", "/nosuch"], ["--file", "-"], ["--nosuch"], ["3001"]):
        cli(d, "setup", "apply", *wrong, status=2, stdin="[]")
    cli(d, "setup", "apply", "--time-zone", "Mars", status=1)
    cli(d, "setup", "apply", "--finished")
    assert cli(d, "setup", "show").stdout.startswith("State: done\n")


def a_dry_run_changes_nothing(d):
    plan = cli(d, "--dry-run", "appliance", "change", "--name", "dry").stdout
    assert plan.splitlines()[0].split() == ["ACTION", "TARGET", "DETAIL"] and "dry" in plan, plan
    assert d.root.get("/appliance").json["name"] != "dry"
    made = cli(d, "admin", "add", "dry", "--role", "auditor", "--generate", "--dry-run").stdout
    assert "Password" not in made and "admins/dry" in made, made
    cli(d, "admin", "show", "dry", status=3)
    assert json.loads(cli(d, "--json", "--dry-run", "appliance", "change", "--name", "dry").stdout)["plan"]
    cli(d, "--dry-run", "vm", "list", status=2)
    cli(d, "--dry-run", "vm", "start", "nosuch", status=3)


def statuses_say_what_happened(d):
    equal(cli(d, "vm", "show", "nosuch", status=3).stdout, "")
    cli(d, "vm", "start", "nosuch", status=3)
    cli(d, "admin", "add", "cli", "--role", "auditor", "--password-stdin", stdin=PASSWORD + "\n")
    done = cli(d, "admin", "add", "cli", "--role", "auditor", "--password-stdin", stdin=PASSWORD + "\n", status=5)
    assert "name_taken" in done.stderr, done.stderr
    done = cli(d, "admin", "add", "weak", "--role", "auditor", "--password-stdin", stdin="short\n", status=1)
    assert "/password" in done.stderr, done.stderr
    cli(d, "user", "list", status=1)
    done = cli(d, "status", status=1)
    assert done.stdout.startswith("degraded"), done.stdout
    equal(subprocess.run([PROGRAM, "--socket", d.dir + "/nosuch", "vm", "list"], capture_output=True,
                         check=False).returncode, 1)


def secrets_are_shown_once(d):
    done = cli(d, "admin", "add", "gen", "--role", "operator", "--generate")
    password = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Password: ")][0]
    equal(d.login("gen", password).status, 200)
    done = cli(d, "admin", "change", "gen", "--role", "auditor", "--json")
    equal(json.loads(done.stdout)["role"], "auditor")
    cli(d, "admin", "delete", "gen")
    cli(d, "admin", "show", "gen", status=3)
    assert password not in d.log()


def the_appliance_is_named(d):
    equal(json.loads(cli(d, "appliance", "change", "--name", "Büro Süd", "--json").stdout)["name"], "Büro Süd")
    assert "Büro Süd" in cli(d, "appliance", "show").stdout
    cli(d, "appliance", "change", status=2)
    assert "/name" in cli(d, "appliance", "change", "--name", "x" * 65, status=1).stderr


def https_with_a_token(d):
    made = json.loads(cli(d, "token", "create", "remote", "--scopes", "vms:read,templates:read", "--json").stdout)
    token = d.dir + "/token"
    with open(token, "w", encoding="ascii") as out:
        out.write(made["token"] + "\n")
    remote = ("--url", "https://localhost:%d" % d.port, "--token-file", token, "--cacert",
              d.dir + "/var/lib/aurabox/pki/ca.pem")
    equal(json.loads(cli(d, *remote, "--json", "vm", "list", plain=True).stdout), {"items": []})
    cli(d, *remote, "admin", "list", plain=True, status=4)
    cli(d, *remote[:4], "vm", "list", plain=True, status=1)
    cli(d, "token", "delete", made["id"])
    cli(d, *remote, "vm", "list", plain=True, status=4)


def tasks_are_waited_for(d):
    make_images(d, damaged=True)
    done = cli(d, "vm", "create", "sm", status=1)
    assert done.stdout.startswith("vm.deploy vms/sm: failed"), done.stdout
    equal(json.loads(cli(d, "task", "list", "--json").stdout)["items"][0]["state"], "failed")
    make_images(d)
    task = ""
    for _ in range(100):  # the name is free once the failed one is undone
        done = subprocess.run([PROGRAM, "--socket", d.socket, "vm", "create", "sm", "--no-wait"], capture_output=True,
                              text=True, check=False)
        task = done.stdout.strip()
        if done.returncode == 0:
            break
        time.sleep(0.1)
    assert cli(d, "task", "show", task).stdout.startswith("id "), done
    cli(d, "task", "log", task)
    assert "sm" in cli(d, "vm", "list").stdout
    cli(d, "task", "cancel", task)
    cli(d, "vm", "log", "nosuch", status=3)


def events_follow(d):
    process = subprocess.Popen([PROGRAM, "--socket", d.socket, "events", "--topics", "tokens", "--json"],
                               stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    cli(d, "token", "create", "followed", "--scopes", "vms:read")
    event = json.loads(process.stdout.readline())
    equal((event["type"], event["data"]["name"]), ("token.created", "followed"))
    process.kill()
    process.wait()
    process.stdout.close()


if __name__ == "__main__":
    run([help_comes_from_the_table, wrong_usage_is_2, the_first_run_is_shown_planned_and_applied,
         a_dry_run_changes_nothing, lists_are_tables_or_items,
         lists_are_searched_ordered_and_filtered, statuses_say_what_happened, secrets_are_shown_once,
         the_appliance_is_named, https_with_a_token, tasks_are_waited_for, events_follow],
        libvirt__uri="test:///default")
