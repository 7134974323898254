/** The messages of one's own call as they pass: found by its Call-ID, then followed as the call that the servers take it for. */
import { ownedByComponent } from "../../../lib/owner";
import { followUrl, listMessages } from "../trace/api";
import { followTrace } from "../trace/follow";
import type { Message } from "../trace/ladder";
import { TraceView } from "../trace/trace.svelte";

/** After a call its last messages still come; then the line is free for others. */
const AFTER_MS = 6000;

export class CallLadder {
  readonly trace = new TraceView();
  gsid = $state("");
  #callId = "";
  #stop: () => void = () => undefined;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    ownedByComponent(() => this.#end());
  }

  /** Another call, or none. */
  watch(callId: string): void {
    this.#end();
    this.#callId = callId;
    this.gsid = "";
    if (callId === "") return;
    const stop = followTrace<Message>(followUrl({ call_id: callId }), {
      messages: (all) => {
        if (!this.#found(callId, all)) void this.#ask(callId);
      },
      reset: () => void this.#ask(callId),
      connected: () => undefined,
      refused: () => undefined,
    });
    this.#stop = stop;
    void this.#ask(callId);
  }

  /** The call is over. */
  finish(): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#stop(), AFTER_MS);
  }

  async #ask(callId: string): Promise<void> {
    const result = await listMessages({ call_id: callId });
    if (result.ok) this.#found(callId, result.value);
  }

  #found(callId: string, all: readonly Message[]): boolean {
    const gsid = all.find((message) => message.gsid !== "")?.gsid;
    if (gsid === undefined || callId !== this.#callId) return false;
    if (this.gsid === gsid) return true;
    this.#stop();
    this.gsid = gsid;
    void this.trace.ask({ gsid });
    this.#stop = this.trace.follow({ gsid });
    return true;
  }

  #end(): void {
    clearTimeout(this.#later);
    this.#stop();
    this.#stop = () => undefined;
  }
}
