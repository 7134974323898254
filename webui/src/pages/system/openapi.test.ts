import { describe, expect, test } from "vitest";
import { curlExample, quote, tokenExample } from "./curl";
import { example, groupOf, groupsOf, limitsOf, linesOf, search, typeOf, type Document } from "./openapi";

const document: Document = {
  paths: {
    "/healthz": { get: { operationId: "health_get", summary: "Well?", security: [], responses: {} } },
    "/api/v1/session": { get: { operationId: "session_get", "x-permission": "*", responses: {} } },
    "/api/v1/vms": {
      post: {
        operationId: "vms_create",
        summary: "Deploy a machine",
        "x-permission": "vms:write",
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/vm_spec" } } } },
        responses: {
          "202": { content: { "application/json": { schema: { $ref: "#/components/schemas/vm" } } } },
          default: { $ref: "#/components/responses/problem" },
        },
      },
      get: { operationId: "vms_list", summary: "List machines", "x-permission": "vms:read", parameters: [{ name: "limit", in: "query" }] },
    },
    "/api/v1/uc/users/{user}": {
      patch: {
        operationId: "uc_users_patch",
        "x-permission": "uc:write",
        requestBody: { content: { "application/merge-patch+json": { schema: { type: "object", properties: { name: { type: "string" } } } } } },
      },
    },
  },
  components: {
    schemas: {
      vm_spec: {
        type: "object",
        required: ["template"],
        properties: { template: { type: "string", minLength: 1, maxLength: 63 }, cpus: { type: "integer", minimum: 1, maximum: 64 } },
      },
      vm: {
        type: "object",
        required: ["id", "state"],
        properties: {
          id: { type: "string", format: "uuid" },
          state: { type: "string", enum: ["running", "stopped"] },
          started_at: { anyOf: [{ type: "string", format: "date-time" }, { type: "null" }] },
          disks: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
          twin: { $ref: "#/components/schemas/vm" },
        },
      },
      loop: { $ref: "#/components/schemas/loop" },
    },
    responses: { problem: { content: { "application/problem+json": { schema: { type: "object", properties: { code: { type: "string" } } } } } } },
  },
};
const groups = groupsOf(document);
const operation = (id: string) => {
  const found = groups.flatMap((group) => group.operations).find((each) => each.id === id);
  if (!found) throw new Error(`no operation ${id}`);
  return found;
};

describe("operations", () => {
  test("are grouped by resource, what is outside the API last", () => {
    expect(groups.map((group) => group.name)).toEqual(["session", "vms", "uc/users", "/"]);
    expect(groupOf("/api/v1/uc/cdr/{gsid}")).toBe("uc/cdr");
    expect(groupOf("/api/v1/openapi.json")).toBe("/");
  });

  test("say who may, and what they answer", () => {
    expect(operation("health_get").access).toBe("public");
    expect(operation("session_get").access).toBe("any");
    expect(operation("vms_create")).toMatchObject({ access: "permission", permission: "vms:write", method: "POST" });
    expect(operation("vms_create").answers.map((answer) => [answer.status, answer.type])).toEqual([
      ["202", "application/json"],
      ["default", "application/problem+json"],
    ]);
  });

  test("are found by each word, wherever it stands", () => {
    const ids = (asked: string) => search(groups, asked).flatMap((group) => group.operations.map((each) => each.id));
    expect(ids("post vms")).toEqual(["vms_create"]);
    expect(ids("UC:WRITE")).toEqual(["uc_users_patch"]);
    expect(ids("nothing-like-it")).toEqual([]);
    expect(search(groups, "  ")).toBe(groups);
  });
});

describe("schemas", () => {
  test("are read as types", () => {
    const vm = document.components?.schemas?.["vm"];
    expect(linesOf(document, vm).map((line) => [line.name, line.type, line.required])).toEqual([
      ["id", "uuid", true],
      ["state", '"running" | "stopped"', true],
      ["started_at", "date-time | null", false],
      ["disks", "object[]", false],
      ["twin", "vm", false],
    ]);
    expect(typeOf(document, { type: "array", items: { type: ["string", "null"] } })).toBe("(string | null)[]");
    expect(typeOf(document, undefined)).toBe("any");
  });

  test("that hold themselves open line by line, and one that names only itself ends", () => {
    const line = (lines: ReturnType<typeof linesOf>, name: string) => lines.find((each) => each.name === name)?.children() ?? [];
    const once = line(linesOf(document, { $ref: "#/components/schemas/vm" }), "twin");
    expect(line(once, "disks").map((each) => each.name)).toEqual(["name"]);
    expect(linesOf(document, { $ref: "#/components/schemas/loop" })).toEqual([]);
    expect(typeOf(document, { $ref: "#/components/schemas/loop" })).toBe("any");
  });

  test("say their limits", () => {
    expect(limitsOf({ minLength: 1, maxLength: 63, pattern: "^a$" })).toBe("1…63  /^a$/");
    expect(limitsOf({ maximum: 500, default: 50 })).toBe("…500  = 50");
    expect(limitsOf({})).toBe("");
  });

  test("make an example of what must be there", () => {
    expect(example(document, { $ref: "#/components/schemas/vm_spec" })).toEqual({ template: "TEMPLATE" });
    expect(example(document, { type: "object", properties: { n: { type: "integer", minimum: 96 }, b: { type: "boolean" } } })).toEqual({ n: 96, b: true });
    expect(JSON.stringify(example(document, { $ref: "#/components/schemas/vm" })).length).toBeLessThan(200);
  });
});

describe("curl", () => {
  test("quotes whatever a word holds", () => {
    expect(quote("it's")).toBe("'it'\\''s'");
  });

  test("names method, token, body and address, and no secret", () => {
    expect(curlExample(document, operation("vms_create"), "https://box:8443")).toBe(
      [
        "curl --cacert ca.pem",
        "-X POST",
        '-H "Authorization: Bearer $AURABOX_TOKEN"',
        "-H 'Content-Type: application/json'",
        `-d '{"template":"TEMPLATE"}'`,
        "'https://box:8443/api/v1/vms'",
      ].join(" \\\n  "),
    );
    expect(curlExample(document, operation("uc_users_patch"), "https://box")).toContain("If-Match");
    expect(curlExample(document, operation("health_get"), "https://box")).not.toContain("Authorization");
    expect(tokenExample("https://box")).not.toContain("abx_");
  });
});
