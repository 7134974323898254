/** How a call or a sign-in ended, as one of the things that there are words for. */
import type { Failure } from "./engine";
import type { CallState } from "./states";

export type Reason =
  | "busy" | "declined" | "nobody" | "unreachable" | "no_answer" | "not_allowed" | "no_media" | "incomplete"
  | "microphone" | "connection" | "server" | "refused";
export type Ending = "hung_up" | "they_hung_up" | "cancelled" | "missed" | "you_declined";
export type Outcome = { ending: Ending; seconds: number } | { reason: Reason; detail: string };

const byStatus: Readonly<Record<number, Reason>> = {
  401: "not_allowed", 403: "not_allowed", 407: "not_allowed", 404: "nobody", 604: "nobody", 408: "no_answer", 410: "nobody", 480: "unreachable",
  484: "incomplete", 486: "busy", 487: "no_answer", 488: "no_media", 600: "busy", 603: "declined", 606: "no_media",
};

export function reasonOf({ status, cause }: Failure): Reason {
  if (status > 0) return byStatus[status] ?? (status >= 500 ? "server" : "refused");
  if (cause === "microphone") return "microphone";
  if (cause === "media") return "no_media";
  if (cause === "connection") return "connection";
  return cause === "timeout" ? "no_answer" : "refused";
}

/** What a server answered, as it said it: "486 Busy Here". */
export function detailOf({ status, phrase }: Failure): string {
  return status > 0 ? `${String(status)} ${phrase}`.trim() : "";
}

/** `state`: what the call was in when it ended. */
export function outcomeOf(state: CallState, by: "here" | "there", failure: Failure | undefined, seconds: number): Outcome {
  if (failure) return { reason: reasonOf(failure), detail: detailOf(failure) };
  if (state === "talking") return { ending: by === "here" ? "hung_up" : "they_hung_up", seconds };
  if (state === "called" || state === "answering") return { ending: by === "here" ? "you_declined" : "missed", seconds };
  return { ending: "cancelled", seconds };
}

export type SignInFault = "wrong_password" | "not_let_in";

/** sm does not tell whether the user or the password is wrong. */
export function signInFault({ status }: Failure): SignInFault {
  return status === 401 || status === 403 || status === 404 || status === 407 ? "wrong_password" : "not_let_in";
}

/** The user part of the address that is called; undefined if it cannot be one. Spaces and the like of a written number fall away. */
export function targetOf(typed: string): string | undefined {
  const text = typed.trim();
  const plain = /^[+\d(]/.test(text) ? text.replace(/[\s().\-/]/g, "") : text;
  if (!/^[A-Za-z0-9+*#._-]{1,64}$/.test(plain)) return undefined;
  return plain.replaceAll("#", "%23");
}
