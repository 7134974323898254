import { describe, expect, it } from "vitest";
import { bucketHref, callHref, recordsHref } from "./links";

describe("addresses", () => {
  it("bear whatever a call id or a name holds", () => {
    expect(callHref("a/b?c#d")).toBe("/calls/a%2Fb%3Fc%23d");
    expect(new URLSearchParams(recordsHref({ handle: "a&b=c" }).split("?")[1]).get("handle")).toBe("a&b=c");
  });
  it("of a bucket reach from its beginning to the next", () => {
    const empty = { attempts: 0, answered: 0, failed: 0, busy: 0, no_answer: 0, cancelled: 0, talk_s: 0 };
    const summary = { step_s: 1800, buckets: [{ ...empty, at: "2026-11-21T14:00:00Z" }] };
    const query = new URLSearchParams(bucketHref(summary, 0, { result: "failed" }).split("?")[1]);
    expect([query.get("tab"), query.get("result")]).toEqual(["records", "failed"]);
    expect(query.get("started_at.gte")).toBe("2026-11-21T14:00:00.000Z");
    expect(query.get("started_at.lt")).toBe("2026-11-21T14:30:00.000Z");
    expect(bucketHref(summary, 7)).toBe("/calls?tab=records");
  });
});
