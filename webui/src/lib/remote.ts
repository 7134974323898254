import { say } from "./i18n";

/** What a view shows of something fetched: it draws every one of these states. */
export type Remote<T> =
  | { state: "loading" }
  | { state: "failed"; problem: Problem }
  | { state: "data"; value: T };

/** RFC 9457, as the API answers it. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  resolution?: string | undefined;
  request_id?: string | undefined;
  errors?: { pointer?: string; parameter?: string; detail: string }[] | undefined;
}

/** A problem for what never reached the appliance. */
export function unreachable(): Problem {
  return {
    status: 0,
    code: "unreachable",
    detail: say("frame.unreachable"),
    resolution: say("frame.unreachable_why"),
  };
}

/** Whatever an answer held, as a problem a person can read. */
export function toProblem(status: number, body: unknown): Problem {
  const known = typeof body === "object" && body !== null ? (body as Partial<Problem>) : {};
  return {
    status,
    code: known.code ?? `http_${String(status)}`,
    detail: known.detail ?? say("frame.strange_answer"),
    resolution: known.resolution,
    request_id: known.request_id,
    errors: known.errors,
  };
}
