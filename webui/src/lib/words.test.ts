import { describe, expect, it } from "vitest";
import { memory, say } from "./words";

describe("say", () => {
  it("fills values in and leaves unknown ones", () => {
    expect(say("confirmShutdown", { name: "sm" })).toContain("Shut down sm?");
    expect(say("confirmShutdown")).toContain("{name}");
  });
  it("does not read values as patterns", () => {
    expect(say("confirmShutdown", { name: "$&<b>" })).toContain("$&<b>");
  });
});

describe("memory", () => {
  it("changes the unit at 1024", () => {
    expect(memory(256, "en")).toBe("256 MiB");
    expect(memory(1536, "en")).toBe("1.5 GiB");
    expect(memory(1536, "de")).toBe("1,5 GiB");
  });
});
