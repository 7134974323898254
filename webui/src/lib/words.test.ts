import { describe, expect, it } from "vitest";
import { memory, say } from "./words";

describe("say", () => {
  it("fills values in and leaves unknown ones", () => {
    expect(say("confirmShutdownTitle", { name: "sm" })).toBe("Shut down sm?");
    expect(say("confirmShutdownTitle")).toContain("{name}");
  });
  it("does not read values as patterns", () => {
    expect(say("confirmShutdownTitle", { name: "$&<b>" })).toContain("$&<b>");
  });
});

describe("memory", () => {
  it("changes the unit at 1024", () => {
    expect(memory(256, "en")).toBe("256 MiB");
    expect(memory(1536, "en")).toBe("1.5 GiB");
    expect(memory(1536, "de")).toBe("1,5 GiB");
  });
});
