import { describe, expect, it } from "vitest";
import { addUp, faultOf, lists, partsOf, readDocument, type Document } from "./administration";

const users = (n: number): unknown[] => Array.from({ length: n }, (_, i) => ({ handle: String(3000 + i), name: `Person ${i}` }));

describe("readDocument", () => {
  it("counts the rows of each list, in the order in which they are taken over", () => {
    const read = readDocument(JSON.stringify({ schema: 1, users: users(3), domains: [{ name: "example.org" }], settings: {} }));
    expect(read).toMatchObject({ ok: true, counts: [{ list: "domains", count: 1 }, { list: "users", count: 3 }] });
  });
  it("says what a file is not", () => {
    expect(readDocument("handle;name\n3001;Ada")).toEqual({ ok: false, why: "not_json" });
    for (const strange of ["null", "[]", "7", "{}", '{"schema":2}', '{"schema":1,"users":{}}'])
      expect(readDocument(strange)).toEqual({ ok: false, why: "not_a_document" });
  });
});

describe("partsOf", () => {
  it("sends as a whole what fits", () => {
    const document = { schema: 1, users: users(2), settings: {} } as unknown as Document;
    expect(partsOf(document)).toEqual([{ body: document }]);
  });
  it("cuts what does not fit, loses no row, keeps the order and every limit", () => {
    const document = { users: users(100), settings: { a: 1 }, schema: 1, domain: "example.org", domains: [{ name: "example.org" }] };
    const parts = partsOf(document as unknown as Document, 500);
    const bodies = parts.map(({ body }) => body as unknown as Record<string, unknown[]>);
    expect(bodies[0]).toEqual({ schema: 1, domain: "example.org", domains: [{ name: "example.org" }] });
    expect(bodies.at(-1)).toEqual({ schema: 1, domain: "example.org", settings: { a: 1 } });
    expect(bodies.flatMap((body) => body["users"] ?? [])).toEqual(document.users);
    for (const body of bodies) expect(JSON.stringify(body["users"] ?? []).length).toBeLessThan(600);
    expect(parts.slice(1, 3).map(({ rows }) => rows)).toEqual([{ list: "users", from: 0 }, { list: "users", from: (bodies[1]?.["users"] ?? []).length }]);
  });
  it("sends a row alone that is larger than a part", () => {
    const document = { schema: 1, users: [{ handle: "1", name: "a".repeat(90) }, { handle: "2", name: "b" }] };
    expect(partsOf(document as unknown as Document, 50)).toHaveLength(2);
  });
});

describe("addUp", () => {
  it("adds the counts of one list from several parts", () => {
    const set = { name: "users", created: 2, changed: 1, unchanged: 0, deleted: 0 };
    const sum = addUp([{ created: 2, changed: 1, unchanged: 0, deleted: 0, sets: [set] }, { created: 2, changed: 1, unchanged: 0, deleted: 0, sets: [set] }]);
    expect(sum).toMatchObject({ created: 4, changed: 2, sets: [{ name: "users", created: 4, changed: 2 }] });
    expect(set.created).toBe(2);
  });
});

describe("faultOf", () => {
  const problem = (pointer?: string) => ({ status: 422, code: "invalid", detail: "no", errors: [{ detail: "no", ...(pointer && { pointer }) }] });
  it("counts rows as the file does", () => {
    const part = { body: {} as Document, rows: { list: "users", from: 40 } as const };
    expect(faultOf(problem("/users/2/handle"), part)).toEqual({ list: "users", row: 43, member: "handle" });
    expect(faultOf(problem("/dial_plan/0"), { body: {} as Document })).toEqual({ list: "dial_plan", row: 1, member: "" });
  });
  it("knows no row where none is meant", () => {
    for (const pointer of [undefined, "/domain", "/others/1", "/users/x"]) expect(faultOf(problem(pointer), { body: {} as Document })).toBeUndefined();
  });
  it("names every list once", () => expect(new Set(lists).size).toBe(lists.length));
});
