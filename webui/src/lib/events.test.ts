import { describe, expect, it } from "vitest";
import { parseEvent } from "./events";

describe("parseEvent", () => {
  it("refuses what is no event, and fills in what is missing", () => {
    for (const text of ["nonsense", "null", "{}", '{"id":"1","type":"x"}', "[]"]) expect(parseEvent(text)).toBeUndefined();
    expect(parseEvent('{"id":1,"type":"vm.changed"}')).toEqual({ id: 1, type: "vm.changed", at: "", topic: "", subject: "", data: null });
  });
});
