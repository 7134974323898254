import { describe, expect, it } from "vitest";
import type { ApplianceEvent } from "../../lib/events";
import type { User } from "./user";
import { applyUserEvent, matches } from "./user_events";

const user = (handle: string, name = `Person ${handle}`): User => ({
  id: `id-${handle}`,
  handle,
  name,
  sip: null,
  station: { extension: handle, appearances: 3, restrict_last_appearance: false },
  location: null,
  presence: null,
  created_at: "",
  updated_at: "",
});
const event = (type: string, data: User | { id: string }): ApplianceEvent => ({ id: 1, at: "", topic: "uc.users", type, subject: data.id, data });
const list = [user("3001"), user("3003")];
const all = { q: "", sort: "handle", hasMore: false };
const handles = (items: User[] | undefined): string[] | undefined => items?.map((each) => each.handle);

describe("applyUserEvent", () => {
  it("puts a new person where they belong", () => {
    expect(handles(applyUserEvent(list, event("user.created", user("3002")), all))).toEqual(["3001", "3002", "3003"]);
    expect(handles(applyUserEvent(list, event("user.created", user("3009")), all))).toEqual(["3001", "3003", "3009"]);
  });

  it("reads anew where the place or the count is not known", () => {
    expect(applyUserEvent(list, event("user.created", user("3009")), { ...all, hasMore: true })).toBeUndefined();
    expect(applyUserEvent(list, event("user.created", user("3002")), { ...all, sort: "-name" })).toBeUndefined();
    expect(applyUserEvent(list, event("user.deleted", { id: "elsewhere" }), all)).toBeUndefined();
    expect(applyUserEvent(list, event("user.changed", { id: "id-3001" }), all)).toBeUndefined();
  });

  it("replaces, removes, and leaves alone what the search does not want", () => {
    const renamed = user("3001", "Ada");
    expect(applyUserEvent(list, event("user.changed", renamed), all)?.[0]?.name).toBe("Ada");
    expect(handles(applyUserEvent(list, event("user.deleted", renamed), all))).toEqual(["3003"]);
    expect(handles(applyUserEvent(list, event("user.changed", renamed), { ...all, q: "person" }))).toEqual(["3003"]);
    expect(applyUserEvent(list, event("user.created", user("3002")), { ...all, q: "ada" })).toBe(list);
  });

  it("reads anew when the order may have changed", () => {
    expect(applyUserEvent(list, event("user.changed", user("3001", "Zoe")), { ...all, sort: "name" })).toBeUndefined();
  });
});

describe("matches", () => {
  it("looks into handle, name and extension, whatever the case", () => {
    expect([matches(user("3001", "Ada"), "aD"), matches(user("3001"), "00"), matches(user("3001"), "x")]).toEqual([true, true, false]);
  });
});
