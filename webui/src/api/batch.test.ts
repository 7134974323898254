import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { batching } from "./batch";

const get = (path: string): Request => new Request(`https://box.test${path}`);
const settle = (ms = 10): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** An appliance that answers single requests by their path, and batches by `batch`. */
function appliance(batch: (targets: string[]) => Response = (targets) => answers(targets)) {
  const asked: string[] = [];
  const fetch = batching({
    fetch: (request) => {
      const url = new URL(typeof request === "string" ? request : request.url, "https://box.test");
      asked.push(url.pathname + url.search);
      if (url.pathname !== "/api/v1/batch") return Promise.resolve(Response.json({ alone: url.pathname }));
      return Promise.resolve().then(() => batch(url.searchParams.getAll("get")));
    },
    later: setTimeout,
  });
  return { asked, fetch };
}

function answers(targets: string[], status = 200): Response {
  return Response.json({ answers: targets.map((target) => ({ status, etag: `"${target}"`, body: { target } })) });
}

const json = async (response: Promise<Response>): Promise<unknown> => (await response).json();
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("batching", () => {
  it("sends what is asked at one moment as one request, and one thing as it is", async () => {
    const { asked, fetch } = appliance();
    const all = [fetch(get("/api/v1/vms?limit=5")), fetch(get("/api/v1/alarms")), fetch(get("/api/v1/vms?limit=5"))];
    await settle();
    expect(asked).toEqual(["/api/v1/batch?get=%2Fapi%2Fv1%2Fvms%3Flimit%3D5&get=%2Fapi%2Fv1%2Falarms"]);
    expect(await Promise.all(all.map(json))).toEqual(["/api/v1/vms?limit=5", "/api/v1/alarms", "/api/v1/vms?limit=5"].map((target) => ({ target })));
    expect((await fetchedLater(fetch, "/api/v1/alarms")).headers.get("ETag")).toBeNull();
    expect(asked.at(-1)).toBe("/api/v1/alarms");
  });

  async function fetchedLater(fetch: (request: Request) => Promise<Response>, path: string): Promise<Response> {
    const response = fetch(get(path));
    await settle();
    return response;
  }

  it("leaves alone what changes something, the session and streams", async () => {
    const { asked, fetch } = appliance();
    void fetch(new Request("https://box.test/api/v1/vms", { method: "POST" }));
    void fetch(get("/api/v1/session"));
    void fetch(get("/api/v1/uc/trace?follow=true"));
    expect(asked).toEqual(["/api/v1/vms", "/api/v1/session", "/api/v1/uc/trace?follow=true"]);
    await settle();
    expect(asked.length).toBe(3);
  });

  it("hands each its own status and ETag, and asks for the slow ones alone", async () => {
    const body = { code: "forbidden" };
    const parts = [{ status: 403, etag: null, body }, { status: 0, etag: null, body: null }, { status: 200, etag: '"7"', body: {} }];
    const { asked, fetch } = appliance(() => Response.json({ answers: parts }));
    const [refused, slow, good] = ["/api/v1/admins", "/api/v1/uc/calls", "/api/v1/appliance"].map((path) => fetch(get(path)));
    await settle();
    expect([(await refused)?.status, await (await refused)?.json()]).toEqual([403, body]);
    expect(await (await slow)?.json()).toEqual({ alone: "/api/v1/uc/calls" });
    expect((await good)?.headers.get("ETag")).toBe('"7"');
    expect(asked.length).toBe(2);
  });

  it("asks for several slow ones together once more, then each alone", async () => {
    const paths = ["/api/v1/admins", "/api/v1/uc/calls", "/api/v1/appliance"];
    const slow = (targets: string[]) => targets.map((target) => ({ status: target === paths[0] ? 200 : 0, etag: null, body: { target } }));
    const { asked, fetch } = appliance((targets) => Response.json({ answers: slow(targets) }));
    const all = paths.map((path) => fetch(get(path)));
    await settle();
    expect(await Promise.all(all.map(json))).toEqual([{ target: paths[0] }, { alone: paths[1] }, { alone: paths[2] }]);
    expect(asked.map((each) => each.split("get=").length - 1)).toEqual([3, 2, 0, 0]);
  });

  it("tells all when the whole is refused or the appliance is away", async () => {
    const refused = appliance(() => Response.json({ code: "unauthenticated" }, { status: 401 }));
    const both = [refused.fetch(get("/api/v1/vms")), refused.fetch(get("/api/v1/tasks"))];
    await settle();
    expect(await Promise.all(both.map(async (each) => [(await each).status, await json(each)]))).toEqual(Array(2).fill([401, { code: "unauthenticated" }]));
    const away = appliance(() => {
      throw new TypeError("no network");
    });
    const gone = [away.fetch(get("/api/v1/vms")), away.fetch(get("/api/v1/tasks"))].map((each) => expect(each).rejects.toThrow("no network"));
    await settle();
    await Promise.all(gone);
  });

  it("never asks for more at once than the appliance takes", async () => {
    const { asked, fetch } = appliance();
    const many = Array.from({ length: 40 }, (_, i) => fetch(get(`/api/v1/vms/${String(i)}`)));
    const long = Array.from({ length: 4 }, (_, i) => fetch(get(`/api/v1/uc/users?q=${String(i)}${"x".repeat(1200)}`)));
    await settle();
    await Promise.all([...many, ...long]);
    for (const each of asked) {
      expect(each.length).toBeLessThan(4096);
      expect(each.split("get=").length - 1).toBeLessThanOrEqual(16);
    }
    expect(asked.length).toBe(4);
  });
});
