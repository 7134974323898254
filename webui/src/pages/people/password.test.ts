import { describe, expect, it } from "vitest";
import { generatePassword } from "./password";

describe("generatePassword", () => {
  it("gives four groups of four symbols that cannot be mistaken", () => {
    expect(generatePassword()).toMatch(/^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){3}$/);
  });

  it("never gives the same twice", () => {
    expect(new Set(Array.from({ length: 200 }, () => generatePassword())).size).toBe(200);
  });

  it("throws bytes away that would favour some symbols", () => {
    let round = 0;
    const fill = (bytes: Uint8Array): void => {
      // 248 to 255 lie beyond the last full round of 31: a plain remainder would make "a".."h" of them.
      bytes.fill(round++ === 0 ? 250 : 30);
    };
    expect(generatePassword(fill)).toBe("9999-9999-9999-9999");
    expect(round).toBe(2);
  });
});
