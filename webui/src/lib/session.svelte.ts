/** Who is logged in, what they may do, and when that ends. */
import { client, onSessionLost, settle, useCsrfToken, type Result, type Session } from "../api/client";
import type { Problem } from "./remote";

export type Permission = `${string}:${"read" | "write" | "act"}`;
export type Role = Session["admin"]["role"];

class SessionStore {
  state = $state<"asking" | "failed" | "out" | "must_change" | "in">("asking");
  problem = $state.raw<Problem>();
  name = $state("");
  role = $state<Role>("user");
  permissions = $state.raw<readonly string[]>([]);
  expires_at = $state<string | null>(null);
  /** Why one is at the log-in page; empty if one just came. */
  notice = $state<"" | "session_ended" | "logged_out">("");

  /** Ask the appliance who we are. */
  async ask(): Promise<void> {
    const result = await settle(client.GET("/api/v1/session"));
    if (result.ok) this.#enter(result.value);
    else if (result.problem.status === 401) this.#leave(this.state === "in" ? "session_ended" : this.notice);
    else if (this.state !== "in") {
      this.problem = result.problem;
      this.state = "failed";
    }
  }

  async logIn(name: string, password: string): Promise<Result<Session>> {
    const result = await settle(client.POST("/api/v1/session", { body: { name, password } }));
    if (result.ok) this.#enter(result.value);
    return result;
  }

  async logOut(): Promise<void> {
    await settle(client.DELETE("/api/v1/session"));
    this.#leave("logged_out");
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
    this.permissions = session.permissions;
    this.expires_at = session.expires_at;
    this.notice = "";
    this.problem = undefined;
    this.state = session.must_change_password ? "must_change" : "in";
  }

  #leave(notice: "" | "session_ended" | "logged_out"): void {
    useCsrfToken("");
    this.permissions = [];
    this.notice = notice;
    this.state = "out";
  }
}

export const session = new SessionStore();
onSessionLost(() => session.lost());

/** May the one who is logged in do this? What they may not is not drawn. */
export function may(permission: Permission): boolean {
  return session.permissions.includes(permission);
}
