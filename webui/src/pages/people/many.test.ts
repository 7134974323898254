import { describe, expect, it } from "vitest";
import { bodyOf, readPeople, ROWS_MAX, type Row, type Taken } from "./many";

const titles = { name: "Name", handle: "Handle", extension: "Extension", password: "Phone password", location: "Home location" };
const nobody: Taken = { handles: new Set(), extensions: new Set() };
const read = (text: string, taken = nobody) => readPeople(text, titles, taken, () => "made-up");
const rows = (text: string, taken = nobody): Row[] => {
  const result = read(text, taken);
  if (!result.ok) throw new Error(result.why);
  return result.rows;
};

describe("readPeople", () => {
  it("finds columns by the console's names and the API's, in any order, and says which it does not use", () => {
    const result = read("Phones;phone password;HANDLE;Name;location\n3;secret;3001; Ada ;Berlin");
    expect(result).toMatchObject({ ok: true, ignored: ["Phones"], rows: [{ number: 1, name: "Ada", handle: "3001", extension: "3001", password: "secret", generated: false, location: "Berlin", faults: [] }] });
  });
  it("makes up a password where there is none", () => expect(rows("name,handle\nAda,3001")).toMatchObject([{ password: "made-up", generated: true }]));
  it("takes an empty extension for no station, once there is a column for it", () => {
    expect(rows("name,handle,extension\nAda,3001,\nBob,bob,3002").map(({ extension }) => extension)).toEqual(["", "3002"]);
    expect(rows("name,handle\nBob,bob")).toMatchObject([{ extension: "", faults: [] }]);
  });
  it("says why a file is none", () => {
    expect(read("")).toEqual({ ok: false, why: "not_csv" });
    expect(read('name,handle\n"Ada,3001')).toEqual({ ok: false, why: "not_csv" });
    expect(read("a,b\n1,2")).toEqual({ ok: false, why: "no_columns" });
    expect(read("name,handle\n")).toEqual({ ok: false, why: "no_rows" });
    expect(read(`name,handle\n${"Ada,3001\n".repeat(ROWS_MAX + 1)}`)).toEqual({ ok: false, why: "too_many" });
  });
  it("names each row's faults", () => {
    const taken = { handles: new Set(["3001"]), extensions: new Set(["4001"]) };
    const text = [
      "name,handle,extension,password", "Ada,3001,5001,", ",3002,4001,", "Bob,3003,5003,", "Eve,3003,5003,", "Zoe,a b,12a,", `${"n".repeat(257)},,,${"p".repeat(129)}`,
    ].join("\n");
    expect(rows(text, taken).map(({ faults }) => faults)).toEqual([
      ["handle_taken"], ["name_missing", "extension_taken"], ["handle_twice", "extension_twice"], ["handle_twice", "extension_twice"],
      ["handle_strange", "extension_strange"], ["name_long", "handle_missing", "password_long"],
    ]);
  });
  it("is quick with as many as a box has", () => {
    const many = Array.from({ length: 5000 }, (_, i) => `Person ${i},${10000 + i}`).join("\n");
    expect(rows(`name,handle\n${many}`).every(({ faults }) => faults.length === 0)).toBe(true);
  });
});

describe("bodyOf", () => {
  it("is what one person's form would send", () => {
    const [first] = rows("name,handle,extension,location\nAda,ada,,Berlin");
    expect(first && bodyOf(first)).toMatchObject({ name: "Ada", handle: "ada", station: null, location: "Berlin", password: "made-up", sip: { sequence: null } });
  });
});
