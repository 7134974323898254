import { describe, expect, it } from "vitest";
import type { World } from "../../../lib/sse_line";
import { followTrace, type FollowHandlers } from "./follow";

interface Item {
  id: string;
}
const sse = (id: string, data: string, event = "message"): string => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;

function body(...parts: string[]): Response {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  return new Response(stream, { status: 200 });
}

/** Runs until the world has no more answers; timers run at once, but those that guard against silence. */
function play(answers: Response[]): Promise<{ told: string[]; asked: (string | null)[] }> {
  const told: string[] = [];
  const asked: (string | null)[] = [];
  return new Promise((done) => {
    let stop: () => void = () => undefined;
    const handlers: FollowHandlers<Item> = {
      messages: (all) => told.push(all.map((each) => each.id).join("+")),
      reset: () => told.push("reset"),
      connected: (yes) => told.push(yes ? "on" : "off"),
      refused: (status) => {
        told.push(`refused ${String(status)}`);
        done({ told, asked });
      },
    };
    const world: World = {
      fetch: (_, init) => {
        asked.push(new Headers(init.headers).get("Last-Event-ID"));
        const next = answers.shift();
        if (next) return Promise.resolve(next);
        stop();
        done({ told, asked });
        return new Promise(() => undefined);
      },
      later: (f, ms) => (ms > 20_000 ? 0 : setTimeout(f, ms > 500 ? 5 : 0)),
      cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    };
    stop = followTrace("/x", handlers, world);
  });
}

describe("followTrace", () => {
  it("hands over many at once, and goes on after the last", async () => {
    const { told, asked } = await play([body(sse("1", '{"id":"sm-1"}'), sse("2", '{"id":"cm-2"}')), body(sse("3", '{"id":"sm-3"}'))]);
    expect(told.filter((each) => each.includes("-"))).toEqual(["sm-1+cm-2", "sm-3"]);
    expect(asked).toEqual([null, "2", "3"]);
  });

  it("reads anew when told, passes over what is no message, and does not ask who refused", async () => {
    const { told } = await play([body(sse("9", "{}", "reset"), sse("10", "nonsense"), sse("11", '{"node":"sm"}', "trace.gap")), new Response("", { status: 403 })]);
    expect(told).toEqual(["on", "reset", "reset", "off", "refused 403"]);
  });

  it("tries again after an answer that says later", async () => {
    const { told } = await play([new Response("", { status: 503 }), body(sse("1", '{"id":"sm-1"}'))]);
    expect(told.slice(0, 2)).toEqual(["off", "on"]);
  });
});
