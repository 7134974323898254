/** The call at the end of the first run, seen from the appliance: who registered, whether it rings, talks, has ended. Pure. */

export type Phase = "waiting" | "registered" | "ringing" | "talking" | "done";

export interface SeenCall {
  gsid: string;
  caller: string;
  callee: string;
  state: string;
}

export interface Watch {
  /** The two who shall talk. */
  handles: readonly [string, string];
  registered: readonly string[];
  phase: Phase;
  gsid: string | undefined;
  /** The call was answered at some time: only then its end is a success. */
  talked: boolean;
  /** When it rang and when it was answered, in ms. */
  rangAt: number | undefined;
  answeredAt: number | undefined;
}

export function begin(handles: readonly [string, string]): Watch {
  return { handles, registered: [], phase: "waiting", gsid: undefined, talked: false, rangAt: undefined, answeredAt: undefined };
}

function settle(watch: Watch): Watch {
  if (watch.phase !== "waiting" && watch.phase !== "registered") return watch;
  const both = watch.handles.every((handle) => watch.registered.includes(handle));
  return { ...watch, phase: both ? "registered" : "waiting" };
}

/** Whose telephones are known now. */
export function withRegistered(watch: Watch, handles: readonly string[]): Watch {
  return settle({ ...watch, registered: watch.handles.filter((handle) => handles.includes(handle)) });
}

/** One telephone came or went; a person may have several, so leaving needs a fresh look by the caller. */
export function withRegistration(watch: Watch, handle: string): Watch {
  return withRegistered(watch, [...watch.registered, handle]);
}

/** "sip:3001@aurabox.internal" and "3001" are the same person here. */
export function userOf(address: string): string {
  return /^(?:sips?:)?([^@;>]+)/i.exec(address.trim())?.[1] ?? address;
}

/** Is it between the two, whoever called? */
export function isTheirs(watch: Watch, call: Pick<SeenCall, "caller" | "callee">): boolean {
  const [a, b] = watch.handles;
  const [x, y] = [userOf(call.caller), userOf(call.callee)];
  return (x === a && y === b) || (x === b && y === a);
}

/** A call is there or has changed. */
export function withCall(watch: Watch, call: SeenCall, now: number): Watch {
  if (watch.phase === "done" || !isTheirs(watch, call)) return watch;
  const talking = call.state === "talking" || call.state === "held";
  return {
    ...watch,
    gsid: call.gsid,
    phase: talking ? "talking" : "ringing",
    talked: watch.talked || talking,
    rangAt: watch.gsid === call.gsid ? (watch.rangAt ?? now) : now,
    answeredAt: talking ? (watch.gsid === call.gsid ? (watch.answeredAt ?? now) : now) : undefined,
  };
}

/** The call has ended: well if they had talked, else everything waits for the next try. */
export function withoutCall(watch: Watch, gsid: string): Watch {
  if (watch.gsid !== gsid || watch.phase === "done") return watch;
  if (watch.talked) return { ...watch, phase: "done" };
  return settle({ ...watch, gsid: undefined, rangAt: undefined, phase: "waiting" });
}

/** A record tells of a call that came and went between two looks. */
export function withRecord(watch: Watch, record: Pick<SeenCall, "gsid" | "caller" | "callee"> & { result: string }): Watch {
  if (watch.phase === "done" || !isTheirs(watch, record) || record.result !== "answered") return watch;
  return { ...watch, gsid: record.gsid, talked: true, phase: "done" };
}

export const phases: readonly Phase[] = ["waiting", "registered", "ringing", "talking", "done"];

/** Has this part of the story been reached? */
export function reached(watch: Watch, phase: Phase): boolean {
  return phases.indexOf(watch.phase) >= phases.indexOf(phase);
}
