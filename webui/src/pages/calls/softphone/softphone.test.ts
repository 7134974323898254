import { beforeEach, describe, expect, it } from "vitest";
import type { CallHandlers, Engine, EngineCall, EngineHandlers } from "./engine";
import { Softphone } from "./softphone.svelte";

const account = { user: "3001", password: "secret", domain: "aurabox.internal" };

/** An engine that does what the test says, and keeps what it was told. */
class FakeEngine implements Engine {
  told: string[] = [];
  line: EngineHandlers | undefined;
  heard: CallHandlers | undefined;

  dial(target: string, handlers: CallHandlers): EngineCall {
    this.told.push(`dial ${target}`);
    this.heard = handlers;
    return this.call("out");
  }

  call(name: string): EngineCall {
    const tell = (what: string) => () => void this.told.push(`${name} ${what}`);
    return { answer: tell("answer"), hangUp: tell("hang-up"), mute: (on) => tell(`mute ${String(on)}`)(), tone: (key) => tell(`tone ${key}`)() };
  }

  stop(): void {
    this.told.push("stop");
  }
}

let engine: FakeEngine;
let phone: Softphone;

beforeEach(async () => {
  engine = new FakeEngine();
  phone = new Softphone((_, handlers) => {
    engine.line = handlers;
    return Promise.resolve(engine);
  });
  await phone.signIn(account);
});

describe("the line", () => {
  it("joins, is lost, comes back by itself", () => {
    expect(phone.line).toBe("joining");
    engine.line?.registered();
    engine.line?.disconnected();
    expect(phone.line).toBe("lost");
    engine.line?.connected();
    expect(phone.line).toBe("lost");
    engine.line?.registered();
    expect(phone.line).toBe("ready");
  });

  it("is out when the password is wrong, says why, and stops the engine", () => {
    engine.line?.refused({ status: 403, phrase: "Forbidden", cause: "answer" });
    expect([phone.line, phone.refused, engine.told]).toEqual(["out", { fault: "wrong_password", detail: "403 Forbidden" }, ["stop"]]);
  });

  it("keeps no password", () => {
    expect(JSON.stringify({ ...phone, line: phone.line, user: phone.user, peer: phone.peer })).not.toContain("secret");
  });

  it("hears nothing of a sign-in that is over", () => {
    phone.signOut();
    engine.line?.registered();
    expect([phone.line, engine.told]).toEqual(["out", ["stop"]]);
    expect(engine.line?.incoming(engine.call("in"), { user: "3002", name: "" }, "id")).toBeUndefined();
  });

  it("stops an engine that comes after one has left", async () => {
    let come: (engine: Engine) => void = () => undefined;
    const slow = new Softphone(() => new Promise((done) => (come = done)));
    const signing = slow.signIn(account);
    slow.signOut();
    come(engine);
    await signing;
    expect([slow.line, engine.told]).toEqual(["out", ["stop"]]);
  });

  it("says so when the library cannot be fetched", async () => {
    const without = new Softphone(() => Promise.reject(new Error("gone")));
    await without.signIn(account);
    expect([without.line, without.refused?.fault]).toEqual(["out", "no_library"]);
  });
});

describe("a call", () => {
  beforeEach(() => engine.line?.registered());

  it("goes out, rings, talks, sends keys, is muted, ends", () => {
    expect(phone.dial("3002")).toBe(true);
    engine.heard?.sent("id-1");
    engine.heard?.progress();
    expect([phone.call, phone.callId]).toEqual(["ringing", "id-1"]);
    phone.tone("1");
    engine.heard?.established();
    phone.tone("5");
    phone.tone("x");
    phone.mute(true);
    expect([phone.call, phone.tones, phone.muted]).toEqual(["talking", "5", true]);
    phone.hangUp();
    engine.heard?.over("here");
    expect([phone.call, phone.last, phone.callId]).toEqual(["idle", { ending: "hung_up", seconds: expect.any(Number) as number }, "id-1"]);
    expect(engine.told).toEqual(["dial 3002", "out tone 5", "out mute true", "out hang-up"]);
  });

  it("comes in, is answered; who calls meanwhile hears busy", () => {
    const heard = engine.line?.incoming(engine.call("in"), { user: "3002", name: "Bob" }, "id-2");
    expect([phone.call, phone.peer?.name, phone.callId]).toEqual(["called", "Bob", "id-2"]);
    expect(engine.line?.incoming(engine.call("other"), { user: "3003", name: "" }, "id-3")).toBeUndefined();
    phone.answer();
    phone.answer();
    heard?.established();
    expect([phone.call, phone.peer?.name, engine.told]).toEqual(["talking", "Bob", ["in answer"]]);
    heard?.sound(false);
    expect(phone.silent).toBe(true);
  });

  it("hears nothing late of a call before", () => {
    phone.dial("3002");
    const first = engine.heard;
    first?.over("there", { status: 486, phrase: "Busy Here", cause: "answer" });
    expect(phone.last).toEqual({ reason: "busy", detail: "486 Busy Here" });
    phone.dial("3003");
    first?.established();
    first?.over("there");
    expect([phone.call, phone.last]).toEqual(["dialling", undefined]);
  });

  it("is not begun without a line, or to what is no number", () => {
    expect(phone.dial("no number")).toBe(false);
    engine.line?.disconnected();
    expect(phone.dial("3002")).toBe(true);
    expect([phone.call, engine.told]).toEqual(["idle", []]);
  });

  it("ends with the line when one signs out", () => {
    phone.dial("3002");
    phone.signOut();
    expect([phone.call, phone.line, engine.told]).toEqual(["idle", "out", ["dial 3002", "stop"]]);
  });
});
