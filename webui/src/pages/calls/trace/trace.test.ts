import { describe, expect, it } from "vitest";
import type { Result } from "../../../api/client";
import type { Ladder, Message } from "./ladder";
import { joined, TraceView } from "./trace.svelte";

const message = (id: string, at_us: number): Message => ({
  id, at_us, node: "sm", seq: at_us, at: "", direction: "in", transport: "udp", local: "a", remote: "b", call_id: id, gsid: "", summary: "OPTIONS sip:a SIP/2.0", message: id, from: "3001", to: "sm",
});
const ladder: Ladder = { participants: [{ name: "sm", kind: "node", address: null }], legs: [], phases: [], messages: [] };
const missing: Result<never> = { ok: false, problem: { status: 404, code: "not_found", detail: "none" } };
const ok = <T>(value: T): Promise<Result<T>> => Promise.resolve({ ok: true, value });

it("joined keeps each once, by time, and the newest when there are too many", () => {
  expect(joined([message("b", 2)], [message("a", 1), message("b", 2), message("c", 3)]).map((each) => each.id)).toEqual(["a", "b", "c"]);
  const many = Array.from({ length: 5003 }, (_, i) => message(String(i), i));
  expect([joined(many, []).length, joined(many, [])[0]?.id]).toEqual([5000, "3"]);
});

describe("TraceView", () => {
  it("takes a call's ladder from the appliance, and draws any other find itself", async () => {
    const view = new TraceView({ list: () => ok([message("a", 1)]), ladder: () => ok(ladder) });
    await view.ask({ gsid: "g" });
    expect([view.remote.state, view.ladder]).toEqual(["data", ladder]);
    await view.ask({ gsid: "g", q: "BYE" });
    expect([view.ladder.messages.length, view.message("a")?.call_id]).toEqual([1, "a"]);
  });

  it("shows a call without messages as empty, and a refusal as what it is", async () => {
    const view = new TraceView({ list: () => Promise.resolve({ ok: false, problem: { status: 503, code: "unavailable", detail: "no call server answers" } }), ladder: () => Promise.resolve(missing) });
    await view.ask({ gsid: "g" });
    expect([view.remote.state, view.ladder.messages.length]).toEqual(["data", 0]);
    await view.ask({});
    expect(view.remote.state).toBe("failed");
  });

  it("drops an answer that is no longer asked for", async () => {
    const answers: ((value: Result<Message[]>) => void)[] = [];
    const view = new TraceView({ list: () => new Promise((done) => answers.push(done)), ladder: () => ok(ladder) });
    const first = view.ask({ user: "3001" });
    const second = view.ask({ user: "3002" });
    answers[1]?.({ ok: true, value: [message("new", 2)] });
    answers[0]?.({ ok: true, value: [message("old", 1)] });
    await Promise.all([first, second]);
    expect(view.message("old")).toBeUndefined();
    expect(view.message("new")).toBeDefined();
  });
});
