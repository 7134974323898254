import { describe, expect, it } from "vitest";
import { toProblem } from "./remote";

describe("toProblem", () => {
  it("keeps what the appliance says", () => {
    const body = { code: "name_taken", detail: "taken", resolution: "choose another" };
    expect(toProblem(409, body)).toMatchObject({ status: 409, ...body });
  });
  it("says something for an answer that is no problem document", () => {
    expect(toProblem(502, "<html>").code).toBe("http_502");
    expect(toProblem(500, null).detail).not.toBe("");
  });
});
