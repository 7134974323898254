/** The test tool: what was asked and what came of it. It outlives the list it stands beside. */
import type { Problem } from "../../api/client";
import { testRoute } from "./api";
import { uriOf, type RouteAnswer, type RouteQuestion } from "./path";

export const TRANSPORTS = ["udp", "tcp", "tls", "ws", "wss"] as const;

class RouteTesting {
  caller = $state("");
  callee = $state("");
  source = $state("");
  /** That the request comes over; empty is not said. */
  transport = $state("");
  /** As <input type="datetime-local"> has it; empty is now. */
  at = $state("");
  more = $state(false);
  busy = $state(false);
  problem = $state.raw<Problem>();
  /** With the question it belongs to: what is typed may be something else by now. */
  answer = $state.raw<{ question: RouteQuestion; told: RouteAnswer }>();
  #asked = 0;

  get question(): RouteQuestion {
    const at = new Date(this.at);
    return {
      caller: uriOf(this.caller),
      callee: uriOf(this.callee),
      source: this.source.trim() || null,
      at: this.at === "" || Number.isNaN(at.getTime()) ? null : at.toISOString(),
      transport: TRANSPORTS.find((each) => each === this.transport) ?? null,
    };
  }

  async ask(): Promise<void> {
    const mine = ++this.#asked;
    const { question } = this;
    this.busy = true;
    const result = await testRoute(question);
    if (mine !== this.#asked) return;
    this.busy = false;
    this.problem = result.ok ? undefined : result.problem;
    this.answer = result.ok ? { question, told: result.value } : undefined;
  }

  /** Rows have changed: the path that is shown may be another. */
  again(): void {
    if (this.answer && !this.busy) void this.ask();
  }
}
export const testing = new RouteTesting();
