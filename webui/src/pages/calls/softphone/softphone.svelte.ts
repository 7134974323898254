/** A telephone in the browser: its line, its one call, and how the last one ended. The password passes through to the engine alone. */
import { ownedByComponent } from "../../../lib/owner";
import type { Account, CallHandlers, Engine, EngineCall, EngineHandlers, Failure, MakeEngine, Party } from "./engine";
import { detailOf, outcomeOf, signInFault, targetOf, type Outcome, type SignInFault } from "./outcome";
import { nextCall, nextLine, type CallEvent, type CallState, type LineEvent, type LineState } from "./states";

const fromLibrary: MakeEngine = async (account, handlers) => (await import("./sip")).openEngine(account, handlers);
const TONES = /^[0-9*#A-D]$/;

export class Softphone {
  line = $state<LineState>("out");
  user = $state("");
  refused = $state.raw<{ fault: SignInFault | "no_library"; detail: string }>();
  call = $state<CallState>("idle");
  peer = $state.raw<Party>();
  /** Of the call, once it is on its way; stays after it. */
  callId = $state("");
  talkingSince = $state(0);
  muted = $state(false);
  /** The talk is there and no sound gets through. */
  silent = $state(false);
  tones = $state("");
  last = $state.raw<Outcome>();
  #make: MakeEngine;
  #engine: Engine | undefined;
  #session: EngineCall | undefined;
  /** Which sign-in, and which call: what a former one tells late is not heard. */
  #signedIn = 0;
  #calls = 0;

  constructor(make: MakeEngine = fromLibrary) {
    this.#make = make;
    ownedByComponent(() => this.signOut());
  }

  async signIn(account: Account): Promise<void> {
    if (this.line !== "out") return;
    const mine = ++this.#signedIn;
    this.refused = undefined;
    this.last = undefined;
    this.callId = "";
    this.user = account.user;
    this.#step("sign_in");
    try {
      const engine = await this.#make(account, this.#handlers(mine));
      if (mine !== this.#signedIn) engine.stop();
      else this.#engine = engine;
    } catch {
      if (mine !== this.#signedIn) return;
      this.refused = { fault: "no_library", detail: "" };
      this.#leave("refused");
    }
  }

  signOut(): void {
    if (this.line !== "out") this.#leave("sign_out");
  }

  /** False if nobody can have such a number. */
  dial(typed: string): boolean {
    const target = targetOf(typed);
    if (target === undefined) return false;
    if (this.line !== "ready" || this.call !== "idle" || !this.#engine) return true;
    this.#begin({ user: typed.trim(), name: "" });
    this.#move("dial");
    this.#session = this.#engine.dial(target, this.#heard(this.#calls));
    return true;
  }

  answer(): void {
    if (this.call !== "called") return;
    this.#move("answer");
    this.#session?.answer();
  }

  hangUp(): void {
    if (this.call !== "idle") this.#session?.hangUp();
  }

  mute(on: boolean): void {
    if (this.call !== "talking") return;
    this.#session?.mute(on);
    this.muted = on;
  }

  tone(key: string): void {
    if (this.call !== "talking" || !TONES.test(key)) return;
    this.#session?.tone(key);
    this.tones = (this.tones + key).slice(-32);
  }

  #handlers(mine: number): EngineHandlers {
    const on = (event: LineEvent) => () => {
      if (mine === this.#signedIn) this.#step(event);
    };
    return {
      connected: on("connected"),
      disconnected: on("disconnected"),
      registered: on("registered"),
      unregistered: on("unregistered"),
      refused: (failure: Failure) => {
        if (mine !== this.#signedIn) return;
        this.refused = { fault: signInFault(failure), detail: detailOf(failure) };
        this.#leave("refused");
      },
      incoming: (call, from, callId) => {
        if (mine !== this.#signedIn || this.call !== "idle") return undefined;
        this.#begin(from);
        this.#session = call;
        this.callId = callId;
        this.#move("incoming");
        return this.#heard(this.#calls);
      },
    };
  }

  #begin(peer: Party): void {
    this.#calls++;
    this.peer = peer;
    this.callId = "";
    this.last = undefined;
    this.muted = false;
    this.silent = false;
    this.tones = "";
  }

  #heard(mine: number): CallHandlers {
    const mineOnly =
      <A extends unknown[]>(work: (...args: A) => void) =>
      (...args: A): void => {
        if (mine === this.#calls) work(...args);
      };
    return {
      sent: mineOnly((callId) => (this.callId = callId)),
      progress: mineOnly(() => this.#move("progress")),
      established: mineOnly(() => {
        this.talkingSince = Date.now();
        this.#move("established");
      }),
      sound: mineOnly((ok) => (this.silent = !ok)),
      over: mineOnly((by, failure) => {
        if (this.call === "idle") return;
        const seconds = this.call === "talking" ? (Date.now() - this.talkingSince) / 1000 : 0;
        this.last = outcomeOf(this.call, by, failure, seconds);
        this.#session = undefined;
        this.#move("over");
      }),
    };
  }

  #leave(event: "refused" | "sign_out"): void {
    const engine = this.#engine;
    this.#signedIn++;
    this.#engine = undefined;
    engine?.stop();
    this.#calls++;
    this.#session = undefined;
    this.#move("over");
    this.#step(event);
  }

  #step(event: LineEvent): void {
    this.line = nextLine(this.line, event);
  }

  #move(event: CallEvent): void {
    this.call = nextCall(this.call, event);
  }
}
