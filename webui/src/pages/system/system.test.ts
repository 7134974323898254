import { describe, expect, test } from "vitest";
import actor from "../../../../daemon/control/auth/actor.c?raw";
import { keyOf } from "./api";
import { actionWord, afterAudit, filterable, outcomeOf, periodOf, sinceOf, targetPage } from "./audit";
import { readLicences } from "./licences";
import { areas, isRole, reachOf, roles, type Area, type Role } from "./roles";
import { expiryAfter, lifeOf, presetScopes, resourcesOf } from "./scopes";

describe("roles", () => {
  /** The daemon's table: permission → the roles that have it. */
  function daemonTable(): Map<string, Set<Role>> {
    const groups = new Map<string, string>();
    for (const [, name = "", value = ""] of actor.matchAll(/#define (\w+) (.*)/g)) groups.set(name, value);
    const expand = (text: string): string => [...groups].reduce((all, [name, value]) => all.replaceAll(new RegExp(`\\b${name}\\b(?!\\()`, "g"), value), text);
    const rows = [...actor.matchAll(/\{ "(\w+:\w+)",\s+(.*) \},/g)];
    return new Map(
      rows.map(([, permission = "", who = ""]) => {
        const names = [...expand(expand(who)).matchAll(/ROLE_([A-Z]+)/g)].map(([, name = ""]) => name.toLowerCase());
        return [permission, new Set(names.filter(isRole))];
      }),
    );
  }

  test("do what their cards say", () => {
    const table = daemonTable();
    expect(table.size).toBeGreaterThan(15);
    for (const role of roles) {
      for (const area of Object.keys(areas) as Area[]) {
        const has = (verb: string) => areas[area].some((resource) => table.get(`${resource}:${verb}`)?.has(role));
        const reach = has("write") ? "changes" : has("read") ? "sees" : "none";
        expect(reachOf(role, area), `${role}: ${area}`).toBe(reach);
      }
    }
  });
});

describe("scopes", () => {
  const may = ["vms:read", "vms:act", "uc:read", "metrics:read", "strange"];

  test("are grouped by resource, in one order of verbs", () => {
    expect(resourcesOf(["vms:act", "vms:read", "uc:read", "strange"])).toEqual([
      { name: "vms", verbs: ["read", "act"] },
      { name: "uc", verbs: ["read"] },
    ]);
  });

  test("presets never go beyond what one may", () => {
    expect(presetScopes("read", may)).toEqual(["vms:read", "uc:read", "metrics:read"]);
    expect(presetScopes("metrics", ["vms:read"])).toEqual([]);
    expect(presetScopes("all", may)).toEqual(may);
  });

  test("an end that comes near is told before it comes", () => {
    const now = Date.parse("2030-01-01T00:00:00Z");
    expect(lifeOf(null, now)).toBe("never");
    expect(lifeOf("2030-01-15T00:00:00Z", now)).toBe("good");
    expect(lifeOf("2030-01-14T23:59:59Z", now)).toBe("soon");
    expect(lifeOf("2030-01-01T00:00:00Z", now)).toBe("expired");
    expect(expiryAfter(30, now)).toBe("2030-01-31T00:00:00.000Z");
    expect(expiryAfter(null, now)).toBeNull();
  });
});

describe("audit", () => {
  test("actions are words, by their target where one pattern means several", () => {
    expect(actionWord("login", "session")).toBe("login");
    expect(actionWord("POST vms/{vm}/actions/{action}", "vms/sm/actions/shutdown")).toBe("shutdown_vm");
    expect(actionWord("POST vms/{vm}/actions/{action}", "vms/sm/actions/dance")).toBe("power_vm");
    expect(actionWord("POST moons", "moons")).toBeUndefined();
    expect(actionWord("toString", "")).toBeUndefined();
  });

  test("what went wrong is told from what was refused", () => {
    expect(["ok", "forbidden", "a_new_code", "internal"].map(outcomeOf)).toEqual(["done", "refused", "refused", "failed"]);
  });

  test("periods begin where they say, and are known again a little later", () => {
    const now = Date.parse("2030-01-02T10:00:30Z");
    expect(sinceOf("day", now)).toBe("2030-01-01T10:00:00.000Z");
    expect(sinceOf("all", now)).toBeUndefined();
    expect(periodOf("2030-01-01T10:00:00.000Z", "day", now + 60000)).toBe(true);
    expect(periodOf("2030-01-01T10:00:00.000Z", "day", now + 6 * 3600 * 1000)).toBe(false);
    expect(periodOf("2030-01-01T10:00:00.000Z", "own", now)).toBe(false);
  });

  test("a new row comes on top, unless the appliance must say whether it belongs there", () => {
    const row = (id: string) => ({ id, at: "", actor: "", action: "login", target: "", address: "", result: "ok" });
    const event = (data: unknown) => ({ id: 1, at: "", topic: "audit", type: "audit.added", subject: "", data });
    const plain = { q: "", sort: "", filters: {} };
    const items = [row("1")];
    expect(afterAudit(items, event(row("2")), plain)?.map((each) => each.id)).toEqual(["2", "1"]);
    expect(afterAudit(items, event(row("1")), plain)).toBe(items);
    expect(afterAudit(items, event("nonsense"), plain)).toBe(items);
    expect(afterAudit(items, event(row("2")), { ...plain, q: "x" })).toBeUndefined();
  });

  test("each filter has a word of its own", () => {
    const words = filterable.map((entry) => entry.word);
    expect(new Set(words).size).toBe(words.length);
  });

  test("targets lead to their pages", () => {
    expect(targetPage("vms/a b/actions/start")).toBe("/machines/a%20b");
    expect(targetPage("uc/users/3001")).toBe("/people/3001");
    expect(targetPage("admins/eve")).toBeUndefined();
  });
});

test("a path names an administrator by name where it can hold the name", () => {
  const id = "01a1feb0-ba0b-7000-bbb3-b21c15f40c07";
  expect(keyOf({ id, name: "Ålice.b@home" })).toBe("Ålice.b@home");
  for (const name of ["a/b", "..", "a b", "100%", "new", "‮evil", "x."]) expect(keyOf({ id, name })).toBe(id);
});

test("a licences file that is none is no list", () => {
  const entry = { name: "a", version: "1", licence: "MIT", homepage: "", text: "" };
  expect(readLicences([entry])).toEqual([entry]);
  expect(readLicences([{ ...entry, text: 1 }])).toBeUndefined();
  expect(readLicences("<!doctype html>")).toBeUndefined();
});
