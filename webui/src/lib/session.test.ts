import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../api/client";

const start = Date.parse("2026-11-21T10:00:00Z");

function sessionBody(more: Partial<Session> = {}): Session {
  return {
    admin: { name: "ada", role: "auditor" },
    csrf_token: "token-of-ada",
    expires_at: "2026-11-21T22:00:00Z",
    idle_timeout_s: 1800,
    must_change_password: false,
    permissions: ["uc:read", "vms:read"],
    ...more,
  };
}

/** Answers in turn; what was asked is kept. */
function appliance(...answers: ([number, unknown] | "away")[]) {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    const answer = answers.shift();
    if (answer === "away") throw new TypeError("no network");
    const [status, body] = answer ?? [401, { code: "unauthenticated", detail: "log in first" }];
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  });
  return asked;
}

/** What is asked waits a moment for what may go with it. */
async function sent<T>(asking: Promise<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(5);
  return asking;
}

async function fresh() {
  vi.resetModules();
  const { session, may } = await import("./session.svelte");
  const { client, settle } = await import("../api/client");
  return { session, may, client, settle };
}

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  // Node wants whole addresses; a browser has the page's.
  const Plain = Request;
  vi.stubGlobal("Request", class extends Plain {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, "https://box.test") : input, init);
    }
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("session", () => {
  it("asks nothing of the appliance where nobody was logged in", async () => {
    const asked = appliance();
    const { session } = await fresh();
    session.start();
    expect([session.state, session.notice, asked.length]).toEqual(["out", "", 0]);
  });
  it("knows who is logged in and what they may", async () => {
    appliance([200, sessionBody()]);
    const { session, may } = await fresh();
    await session.ask();
    expect([session.state, session.name, session.role]).toEqual(["in", "ada", "auditor"]);
    expect([may("uc:read"), may("uc:write")]).toEqual([true, false]);
  });

  it("sends the CSRF token with changes only, and none after the log-out", async () => {
    const asked = appliance([200, sessionBody()], [200, {}], [204, null], [204, null], [401, {}]);
    const { session, client, settle } = await fresh();
    await session.ask();
    await sent(settle(client.GET("/api/v1/appliance")));
    await settle(client.DELETE("/api/v1/admins/{admin}", { params: { path: { admin: "x" } } }));
    await session.logOut();
    await session.logIn("ada", "wrong");
    expect(asked.map((each) => [each.method, each.headers.get("X-CSRF-Token")])).toEqual([
      ["GET", null],
      ["GET", null],
      ["DELETE", "token-of-ada"],
      ["DELETE", "token-of-ada"],
      ["POST", null],
    ]);
    expect([session.state, session.notice]).toEqual(["out", "logged_out"]);
  });

  it("is lost when any request says so, not by a wrong password", async () => {
    appliance([200, sessionBody()], [401, { code: "invalid_credentials", detail: "" }], [401, { code: "unauthenticated", detail: "" }]);
    const { session, may, client, settle } = await fresh();
    await session.ask();
    await session.changePassword("not the old one", "a new password");
    expect(session.state).toBe("in");
    await sent(settle(client.GET("/api/v1/appliance")));
    expect([session.state, session.notice, may("uc:read")]).toEqual(["out", "session_ended", false]);
  });

  it("says that its end is near, unless something is asked", async () => {
    appliance([200, sessionBody()], [200, {}], [200, sessionBody()]);
    const { session, client, settle } = await fresh();
    await session.ask();
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    await sent(settle(client.GET("/api/v1/appliance")));
    await vi.advanceTimersByTimeAsync(27 * 60_000);
    expect(session.ending).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.ending?.forGood).toBe(false);
    await session.ask();
    expect([session.state, session.ending]).toEqual(["in", undefined]);
  });

  it("ends when nobody stays", async () => {
    appliance([200, sessionBody({ idle_timeout_s: 60 })]);
    const { session } = await fresh();
    await session.ask();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(session.ending).toBeDefined();
    await vi.advanceTimersByTimeAsync(40_000);
    expect([session.state, session.notice, session.ending]).toEqual(["out", "session_ended", undefined]);
  });

  it("keeps the page while something typed is not saved, and lets it go with the log-out", async () => {
    appliance([200, sessionBody()], [401, { code: "unauthenticated", detail: "" }], [200, sessionBody()], [204, null]);
    const { session, may } = await fresh();
    const { guard } = await import("./router.svelte");
    await session.ask();
    guard(() => true);
    await session.ask();
    expect([session.state, session.kept, may("uc:read")]).toEqual(["out", true, true]);
    await session.logIn("ada", "right");
    expect([session.state, session.kept]).toEqual(["in", false]);
    await session.logOut();
    expect([session.state, session.kept, may("uc:read")]).toEqual(["out", false, false]);
  });

  it("announces the end for good", async () => {
    appliance([200, sessionBody({ expires_at: "2026-11-21T10:10:00Z" })]);
    const { session } = await fresh();
    await session.ask();
    await vi.advanceTimersByTimeAsync(8 * 60_000 + 1000);
    expect(session.ending).toEqual({ at: start + 600_000, forGood: true });
    await vi.advanceTimersByTimeAsync(3 * 60_000);
    expect(session.state).toBe("out");
  });

  it("wants a password of one's own first", async () => {
    appliance([200, sessionBody({ must_change_password: true, permissions: [] })], [204, null], [200, sessionBody()]);
    const { session } = await fresh();
    await session.logIn("ada", "given");
    expect(session.state).toBe("must_change");
    await session.changePassword("given", "one of my own");
    expect(session.state).toBe("in");
  });

  it("does not take an appliance that is away for a lost session", async () => {
    appliance([200, sessionBody()], "away", [503, { code: "unavailable", detail: "" }]);
    const { session } = await fresh();
    await session.ask();
    await session.ask();
    await session.ask();
    expect(session.state).toBe("in");
  });
});
