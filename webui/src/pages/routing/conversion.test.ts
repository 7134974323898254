import { expect, it } from "vitest";
import { conversionOf, convert, example } from "./conversion";

it("shows what becomes of a number", () => {
  const from00 = { match: "00", min: 5, max: 20, delete: 2, insert: "+" };
  expect(convert(example(from00), from00)).toBe("+1234");
  expect(example({ match: "4x", min: 4, max: 4 })).toBe("4512");
  expect(example({ match: "3001", min: 4, max: 4 })).toBe("3001");
});

it("reads what the appliance sends, and stands where it sends nothing", () => {
  const sent = { direction: "ingress", address: "both", match: "0", min: 2, max: 9, delete: 1, insert: "" };
  expect(conversionOf(sent)).toEqual(sent);
  expect(conversionOf(null).direction).toBe("egress");
});
