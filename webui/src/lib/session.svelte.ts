/** Who is logged in, what they may do, and when that ends; the windows of one browser agree on it. */
import { client, onAnswered, onSessionLost, settle, useCsrfToken, type Result, type Session } from "../api/client";
import { dropEarly } from "../api/early";
import { expiryOf, noticeAt, type Expiry } from "./expiry";
import { keepKnown, wasKnown } from "./known";
import type { Problem } from "./remote";
import { dirty } from "./router.svelte";

export type Permission = `${string}:${"read" | "write" | "act"}`;
export type Role = Session["admin"]["role"];
type Notice = "" | "session_ended" | "logged_out";
/** What the windows tell one another: somebody came or went, or the appliance has just answered. */
type Told = { kind: "changed" } | { kind: "answered"; at: number };

class SessionStore {
  state = $state<"asking" | "failed" | "out" | "must_change" | "in">("asking");
  problem = $state.raw<Problem>();
  name = $state("");
  role = $state<Role>("user");
  permissions = $state.raw<readonly string[]>([]);
  expires_at = $state<string | null>(null);
  idle_timeout_s = $state<number | null>(null);
  /** Why one is at the log-in page; empty if one just came. */
  notice = $state<Notice>("");
  /** Set once the end is near. */
  ending = $state.raw<Expiry>();
  /** The session ended over something typed that is not saved: the page waits behind the log-in. */
  kept = $state(false);
  /** This browser was logged in when it was last seen. */
  wasIn = wasKnown();
  /** The log-in page was shown since the document was loaded. */
  wasOut = false;
  #answered_at = 0;
  #told_at = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #channel: BroadcastChannel | undefined;

  constructor() {
    onSessionLost(() => this.lost());
    onAnswered((at) => this.#used(at));
    if (typeof window === "undefined" || typeof BroadcastChannel !== "function") return;
    this.#channel = new BroadcastChannel("aurabox.session");
    this.#channel.onmessage = (event: MessageEvent<Told>) => {
      if (event.data.kind === "answered") this.#heardUse(event.data.at);
      else void this.ask();
    };
  }

  /** Called once. Where nobody was logged in, nothing is asked: the answer would be a refusal. */
  start(): void {
    if (this.wasIn) void this.ask();
    else this.#leave("");
  }

  /** Ask the appliance who we are; that is also how one stays logged in. */
  async ask(): Promise<void> {
    const result = await settle(client.GET("/api/v1/session"));
    if (result.ok) this.#enter(result.value);
    else if (result.problem.status === 401) this.#leave(this.state === "in" ? "session_ended" : this.notice);
    else if (this.state === "asking" || this.state === "failed") {
      this.problem = result.problem;
      this.state = "failed";
    }
  }

  async logIn(name: string, password: string): Promise<Result<Session>> {
    const result = await settle(client.POST("/api/v1/session", { body: { name, password } }));
    if (result.ok) {
      this.#enter(result.value);
      this.#tell({ kind: "changed" });
    }
    return result;
  }

  async logOut(): Promise<void> {
    // What ends with it need not be told as lost.
    this.#leave("logged_out", false);
    await settle(client.DELETE("/api/v1/session"));
    useCsrfToken("");
    this.#tell({ kind: "changed" });
  }

  async changePassword(old_password: string, new_password: string): Promise<Result<unknown>> {
    const result = await settle(client.POST("/api/v1/session/password", { body: { old_password, new_password } }));
    if (result.ok) await this.ask();
    return result;
  }

  /** The appliance no longer knows us. */
  lost(): void {
    if (this.state === "in" || this.state === "must_change") this.#leave("session_ended");
  }

  #enter(session: Session): void {
    useCsrfToken(session.csrf_token ?? "");
    this.name = session.admin.name;
    this.role = session.admin.role;
    // Equal permissions stay the same value: nothing that depends on them is made anew.
    if (session.permissions.join() !== this.permissions.join()) this.permissions = session.permissions;
    this.expires_at = session.expires_at;
    this.idle_timeout_s = session.idle_timeout_s;
    this.notice = "";
    this.problem = undefined;
    this.state = session.must_change_password ? "must_change" : "in";
    this.kept = false;
    keepKnown(true);
    this.#watch();
  }

  #leave(notice: Notice, forget = true): void {
    if (forget) useCsrfToken("");
    dropEarly();
    clearTimeout(this.#timer);
    this.ending = undefined;
    this.wasOut = true;
    this.kept = notice === "session_ended" && (this.kept || (this.state === "in" && dirty()));
    // A page that waits stays as it is: what it draws hangs on what one may do.
    if (!this.kept) this.permissions = [];
    this.notice = notice;
    this.state = "out";
    keepKnown(false);
  }

  #used(at: number): void {
    this.#heardUse(at);
    // Other windows need not know it to the second.
    if (at - this.#told_at < 5000) return;
    this.#told_at = at;
    this.#tell({ kind: "answered", at });
  }

  #heardUse(at: number): void {
    if (at <= this.#answered_at) return;
    this.#answered_at = at;
    if (this.state === "in" || this.state === "must_change") this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const expiry = expiryOf(this, this.#answered_at);
    const now = Date.now();
    if (!expiry) return;
    const notice = noticeAt(expiry, this);
    if (now < notice) {
      this.ending = undefined;
      // Timers sleep with the machine and reach 24 days: look again at least every minute.
      this.#timer = setTimeout(() => this.#watch(), Math.min(60_000, notice - now));
      return;
    }
    this.ending = expiry;
    // A little later than its end, so that the appliance's word is the last: it may have been used elsewhere.
    const rest = expiry.at - now + 1000 + (expiry.forGood ? 0 : 15_000);
    this.#timer = setTimeout(() => (Date.now() < expiry.at ? this.#watch() : this.lost()), Math.max(1000, Math.min(60_000, rest)));
  }

  #tell(message: Told): void {
    this.#channel?.postMessage(message);
  }
}

export const session = new SessionStore();

/** May the one who is logged in do this? What they may not is not drawn. */
export function may(permission: Permission): boolean {
  return session.permissions.includes(permission);
}
