import { describe, expect, it } from "vitest";
import { errorAt, noteOf } from "./form";

const problem = {
  status: 422,
  code: "validation_failed",
  detail: "the body is wrong",
  errors: [
    { pointer: "/name", detail: "is too long" },
    { pointer: "/name", detail: "holds a control character" },
    { pointer: "/sip/max_contacts", detail: "must be 1 to 10" },
    { parameter: "dry_run", detail: "is no truth value" },
  ],
};

describe("the errors of a problem", () => {
  it("stand at their fields", () => {
    expect(errorAt(problem, "/name")).toBe("is too long holds a control character");
    expect(errorAt(problem, "/sip")).toBeUndefined();
    expect(errorAt(undefined, "/name")).toBeUndefined();
  });

  it("stand in the note when no field draws them", () => {
    const note = noteOf(problem, new Set(["/name"]));
    expect(note?.errors?.map((each) => each.detail)).toEqual(["must be 1 to 10", "is no truth value"]);
    const drawn = { ...problem, errors: problem.errors.slice(0, 3) };
    expect(noteOf(drawn, new Set(["/name", "/sip/max_contacts"]))).toBeUndefined();
  });

  it("leave a problem without any as it is", () => {
    const conflict = { status: 409, code: "name_taken", detail: "there is one already" };
    expect(noteOf(conflict, new Set(["/name"]))?.detail).toBe("there is one already");
    expect(noteOf(undefined, new Set())).toBeUndefined();
  });
});
