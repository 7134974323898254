/** What the softphone's line and its call go through, as tables. An event without a row changes nothing. */

export type LineState = "out" | "joining" | "unreachable" | "ready" | "lost";
export type LineEvent = "sign_in" | "connected" | "disconnected" | "registered" | "unregistered" | "refused" | "sign_out";
export type CallState = "idle" | "dialling" | "ringing" | "called" | "answering" | "talking";
export type CallEvent = "dial" | "progress" | "incoming" | "answer" | "established" | "over";

type Row<State, Event> = readonly [State, Event, State];

export const lineRows: readonly Row<LineState, LineEvent>[] = [
  ["out", "sign_in", "joining"],
  ["joining", "disconnected", "unreachable"],
  ["joining", "registered", "ready"],
  ["joining", "refused", "out"],
  ["joining", "sign_out", "out"],
  ["unreachable", "connected", "joining"],
  ["unreachable", "registered", "ready"],
  ["unreachable", "refused", "out"],
  ["unreachable", "sign_out", "out"],
  ["ready", "disconnected", "lost"],
  ["ready", "unregistered", "lost"],
  ["ready", "refused", "out"],
  ["ready", "sign_out", "out"],
  ["lost", "registered", "ready"],
  ["lost", "refused", "out"],
  ["lost", "sign_out", "out"],
];

export const callRows: readonly Row<CallState, CallEvent>[] = [
  ["idle", "dial", "dialling"],
  ["idle", "incoming", "called"],
  ["dialling", "progress", "ringing"],
  ["dialling", "established", "talking"],
  ["dialling", "over", "idle"],
  ["ringing", "established", "talking"],
  ["ringing", "over", "idle"],
  ["called", "answer", "answering"],
  ["called", "over", "idle"],
  ["answering", "established", "talking"],
  ["answering", "over", "idle"],
  ["talking", "over", "idle"],
];

function next<State, Event>(rows: readonly Row<State, Event>[], state: State, event: Event): State {
  return rows.find(([from, on]) => from === state && on === event)?.[2] ?? state;
}

export const nextLine = (state: LineState, event: LineEvent): LineState => next(lineRows, state, event);
export const nextCall = (state: CallState, event: CallEvent): CallState => next(callRows, state, event);
