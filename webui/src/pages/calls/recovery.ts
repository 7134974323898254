/** What could not be fetched is fetched again once something tells that its server is back. */
import { live, type ApplianceEvent } from "../../lib/live.svelte";
import { ownedByComponent } from "../../lib/owner";
import type { Remote } from "../../lib/remote";

interface Fetched {
  readonly remote: Remote<unknown>;
  refresh(): Promise<void>;
}

/** A machine that says it is ready may need a moment more; then it is left alone until the next sign. */
const PAUSES_MS = [1500, 5000, 15_000];

/** Tells a machine that has become ready from one that only says something of itself. */
function signs(): (event: ApplianceEvent) => boolean {
  const readySince = new Map<string, string>();
  return (event) => {
    if (event.topic !== "vms") return true;
    const vm = event.data as { ready?: boolean; ready_at?: string | null } | null;
    if (vm?.ready !== true) return false;
    const since = vm.ready_at ?? "";
    const isNew = readySince.get(event.subject) !== since;
    readySince.set(event.subject, since);
    return isNew;
  };
}

/** Call while a component is made. */
export function recover(...all: Fetched[]): void {
  const isBack = signs();
  const failed = (): Fetched[] => all.filter((each) => each.remote.state === "failed");
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let soon = false;

  function again(): void {
    for (const each of failed()) void each.refresh();
  }

  function attempt(turn: number): void {
    clearTimeout(waiting);
    const pause = PAUSES_MS[turn];
    soon = turn === 0 && failed().length > 0;
    if (pause === undefined || failed().length === 0) return;
    waiting = setTimeout(() => {
      again();
      attempt(turn + 1);
    }, pause);
  }

  const close = live.on(
    ["vms", "uc.registrations", "uc.calls"],
    (event) => {
      // Signs that come in quick succession do not put the first attempt off.
      if (isBack(event) && !soon) attempt(0);
    },
    again,
  );
  ownedByComponent(() => {
    close();
    clearTimeout(waiting);
  });
}
