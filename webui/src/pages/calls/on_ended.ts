/** Records follow the calls that end. */
import { live } from "../../lib/live.svelte";
import { ownedByComponent } from "../../lib/owner";
import { throttled } from "./throttle";

/** A record comes to smgr a moment after its call has ended, now and then later: it is looked for twice. */
const SOON_MS = 1000;
const LATE_MS = 5000;

/** Runs `soon` and later `late` after calls have ended, and `late` when events were missed. Call while a component is made. */
export function onCallsEnded(soon: () => void, late: () => void): void {
  const first = throttled(soon, SOON_MS);
  const second = throttled(late, LATE_MS);
  const close = live.on(
    ["uc.calls"],
    (event) => {
      if (event.type === "call.changed") return;
      first();
      second();
    },
    late,
  );
  ownedByComponent(close);
}
