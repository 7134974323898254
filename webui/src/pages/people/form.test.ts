import { describe, expect, it } from "vitest";
import { canUndo, createBody, emptyForm, extensionFor, formOf, needsPassword, nextHandle, patchOf, tabOf } from "./form";
import type { User } from "./user";

const ada: User = {
  id: "0192d3c4-0000-7000-8000-000000000001",
  handle: "3001",
  name: "Ada",
  sip: { aor: "3001@aurabox.internal", max_contacts: 10, sequence: null },
  station: { extension: "3001", appearances: 3, restrict_last_appearance: false },
  location: null,
  presence: { enabled: true },
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};
const form = formOf(ada);

describe("patchOf", () => {
  it("says nothing where nothing changed", () => {
    expect(patchOf(form, { ...form })).toEqual({});
    expect(patchOf(form, { ...form, name: " Ada " })).toEqual({});
  });

  it("names only what changed, a section whole", () => {
    expect(patchOf(form, { ...form, name: "Ada L.", appearances: 5 })).toEqual({
      name: "Ada L.",
      station: { extension: "3001", appearances: 5, restrict_last_appearance: false },
    });
  });

  it("takes a section away and gives it back", () => {
    const without = { ...form, station: false, presence: "none" as const };
    expect(patchOf(form, without)).toEqual({ station: null, presence: null });
    expect(patchOf(without, form)).toEqual({
      station: { extension: "3001", appearances: 3, restrict_last_appearance: false },
      presence: { enabled: true },
    });
  });

  it("moves a person to a location and away from it", () => {
    const there = formOf({ ...ada, location: "Hamburg" });
    expect(patchOf(form, there)).toEqual({ location: "Hamburg" });
    expect(patchOf(there, form)).toEqual({ location: null });
    expect(createBody({ ...emptyForm(), handle: "1", name: "N", location: "Hamburg" }, "pw").location).toBe("Hamburg");
  });

  it("ignores fields of a station that is not there", () => {
    const none = formOf({ ...ada, station: null });
    expect(patchOf(none, { ...none, extension: "3009" })).toEqual({});
  });

  it("sends a password only when there is one", () => {
    expect(patchOf(form, form, "secret")).toEqual({ password: "secret" });
  });
});

describe("createBody", () => {
  it("makes all three with one body", () => {
    const body = createBody({ ...emptyForm(), handle: "3002 ", name: "Grace", extension: "3002" }, "pw");
    expect(body).toEqual({
      handle: "3002",
      name: "Grace",
      password: "pw",
      sip: { max_contacts: 10, sequence: null },
      station: { extension: "3002", appearances: 3, restrict_last_appearance: false },
      presence: { enabled: true },
    });
  });

  it("leaves out by null, and no password without a SIP identity", () => {
    const body = createBody({ ...emptyForm(), handle: "desk", name: "Desk", sip: false, station: false, presence: "none" }, "pw");
    expect(body).toEqual({ handle: "desk", name: "Desk", sip: null, station: null, presence: null });
  });
});

describe("what a password is bound to", () => {
  it("asks for one with a new handle or a new SIP identity", () => {
    expect(needsPassword(form, { ...form, handle: "3005" })).toBe(true);
    expect(needsPassword({ ...form, sip: false }, form)).toBe(true);
    expect(needsPassword(form, { ...form, name: "x" })).toBe(false);
    expect(needsPassword(form, { ...form, handle: "3005", sip: false })).toBe(false);
  });

  it("offers undo only where no password is lost", () => {
    expect(canUndo(form, { ...form, name: "x" }, "")).toBe(true);
    expect(canUndo(form, { ...form, name: "x" }, "new")).toBe(false);
    expect(canUndo(form, { ...form, sip: false }, "")).toBe(false);
    expect(canUndo(form, { ...form, handle: "3005" }, "")).toBe(false);
  });
});

describe("small help", () => {
  it("takes a number for the extension, and counts on", () => {
    expect(extensionFor("3001")).toBe("3001");
    expect(extensionFor("ada")).toBe("");
    expect(nextHandle("3009")).toBe("3010");
    expect(nextHandle("0099")).toBe("0100");
    expect(nextHandle("desk-7")).toBe("desk-8");
    expect(nextHandle("ada")).toBe("");
  });

  it("knows on which tab a field stands", () => {
    expect(tabOf("extension")).toBe("station");
    expect(tabOf("password")).toBe("identity");
  });
});
