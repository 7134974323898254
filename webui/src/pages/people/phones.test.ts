import { describe, expect, it } from "vitest";
import type { ApplianceEvent } from "../../lib/events";
import { applyToOne } from "./phones";
import { LivePhones } from "./phones.svelte";
import type { Registration } from "./user";

const phone = (handle: string, contact: string): Registration => ({
  handle,
  contact,
  aor: `${handle}@aurabox.internal`,
  transport: "tls",
  source: "10.0.0.9:5061",
  user_agent: "Phone/1",
  expires_at: "2026-01-01T00:00:00Z",
});
const event = (type: string, data: unknown): ApplianceEvent => ({ id: 1, at: "", topic: "uc.registrations", type, subject: "*", data });
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

describe("LivePhones", () => {
  it("counts by person and follows the events", async () => {
    const phones = new LivePhones(() => Promise.resolve({ ok: true, value: [phone("3001", "a"), phone("3001", "b"), phone("3002", "c")] }));
    await settled();
    expect(Object.fromEntries(phones.counts)).toEqual({ "3001": 2, "3002": 1 });
    phones.take(event("registration.deleted", phone("3002", "c")));
    phones.take(event("registration.changed", phone("3001", "b")));
    phones.take(event("registration.changed", phone("3003", "d")));
    expect(Object.fromEntries(phones.counts)).toEqual({ "3001": 2, "3003": 1 });
  });

  it("keeps what was told while the list was under way", async () => {
    const phones = new LivePhones(() => Promise.resolve({ ok: true, value: [phone("3001", "a")] }));
    await Promise.resolve();
    phones.take(event("registration.deleted", phone("3001", "a")));
    phones.take(event("registration.changed", phone("3002", "b")));
    await settled();
    expect(Object.fromEntries(phones.counts)).toEqual({ "3002": 1 });
  });

  it("forgets who is gone in a new reading, and says when there is none", async () => {
    const answers = [[phone("3001", "a")], [phone("3002", "b")]];
    const phones = new LivePhones(() => {
      const value = answers.shift();
      const problem = { status: 503, code: "unavailable", detail: "sm is not deployed" };
      return Promise.resolve(value ? { ok: true, value } : { ok: false, problem });
    });
    await settled();
    await phones.refresh();
    expect(Object.fromEntries(phones.counts)).toEqual({ "3002": 1 });
    await phones.refresh();
    expect([phones.state, phones.problem?.code]).toEqual(["failed", "unavailable"]);
  });
});

describe("applyToOne", () => {
  it("keeps to one person, in order", () => {
    const list = [phone("3001", "sip:b")];
    expect(applyToOne("3001", list, event("registration.changed", phone("3002", "sip:c")))).toBe(list);
    const two = applyToOne("3001", list, event("registration.changed", phone("3001", "sip:a")));
    expect(two?.map((each) => each.contact)).toEqual(["sip:a", "sip:b"]);
    expect(applyToOne("3001", list, event("registration.deleted", phone("3001", "sip:b")))).toEqual([]);
  });

  it("asks for a new reading when the event does not tell", () => {
    expect(applyToOne("3001", [], event("registrations.changed", { total: 3 }))).toBeUndefined();
    expect(applyToOne("3001", [], event("registration.changed", null))).toBeUndefined();
  });
});
