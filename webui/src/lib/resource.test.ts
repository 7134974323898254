import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Result } from "../api/client";
import { live, type ApplianceEvent } from "./live.svelte";
import { Resource } from "./resource.svelte";

type Answer = Result<string>;
let hear: (event: Partial<ApplianceEvent>) => void;
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function resource(apply?: (value: string, event: ApplianceEvent) => string | undefined) {
  const answers: ((answer: Answer) => void)[] = [];
  vi.spyOn(live, "on").mockImplementation((_topics, handler) => {
    hear = (event) => handler(event as ApplianceEvent);
    return () => undefined;
  });
  const load = (): Promise<Answer> => new Promise((answer) => answers.push(answer));
  return { answers, one: new Resource<string>({ load, topics: ["things"], ...(apply && { apply }) }) };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Resource", () => {
  it("is loading, then here with its ETag, then fetched anew after an event", async () => {
    const { answers, one } = resource();
    await settle();
    expect(one.remote.state).toBe("loading");
    answers[0]?.({ ok: true, value: "first", etag: '"1"' });
    await settle();
    expect([one.value, one.etag]).toEqual(["first", '"1"']);
    hear({ type: "thing.changed" });
    hear({ type: "thing.changed" });
    await settle(300);
    expect(answers.length).toBe(2);
    answers[1]?.({ ok: true, value: "second", etag: '"2"' });
    await settle();
    expect([one.value, one.etag]).toEqual(["second", '"2"']);
  });

  it("knows no ETag of what came by an event, and keeps it when the event is about something else", async () => {
    const { answers, one } = resource((value, event) => (event.subject === "mine" ? String(event.data) : value));
    await settle();
    answers[0]?.({ ok: true, value: "first", etag: '"1"' });
    await settle();
    hear({ subject: "other", data: "x" });
    expect([one.value, one.etag]).toEqual(["first", '"1"']);
    hear({ subject: "mine", data: "new" });
    expect([one.value, one.etag]).toEqual(["new", undefined]);
  });

  it("does not let an older answer undo what a change gave", async () => {
    const { answers, one } = resource();
    await settle();
    answers[0]?.({ ok: true, value: "old" });
    await settle();
    void one.refresh();
    one.set("mine", '"3"');
    answers[1]?.({ ok: true, value: "older", etag: '"2"' });
    await settle();
    expect([one.value, one.etag, one.busy]).toEqual(["mine", '"3"', false]);
  });

  it("shows a problem, but not that the appliance is away once there is something to show", async () => {
    const { answers, one } = resource();
    await settle();
    answers[0]?.({ ok: true, value: "here" });
    await settle();
    void one.refresh();
    answers[1]?.({ ok: false, problem: { status: 0, code: "unreachable", detail: "" } });
    await settle();
    expect(one.value).toBe("here");
    void one.refresh();
    answers[2]?.({ ok: false, problem: { status: 404, code: "not_found", detail: "" } });
    await settle();
    expect(one.remote.state).toBe("failed");
  });
});
