/** What could not be fetched is fetched again as soon as something tells that its server is back. */
import { live, type ApplianceEvent } from "../../lib/live.svelte";
import { ownedByComponent } from "../../lib/owner";
import type { Remote } from "../../lib/remote";

interface Fetched {
  readonly remote: Remote<unknown>;
  refresh(): Promise<void>;
}

const PAUSE_MS = 1500;

function isBack(event: ApplianceEvent): boolean {
  return event.topic !== "vms" || (event.data as { ready?: boolean } | null)?.ready === true;
}

/** Call while a component is made. */
export function recover(...all: Fetched[]): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const again = (): void => {
    waiting = undefined;
    for (const each of all) if (each.remote.state === "failed") void each.refresh();
  };
  const close = live.on(
    ["vms", "uc.registrations", "uc.calls"],
    (event) => {
      if (isBack(event) && all.some((each) => each.remote.state === "failed")) waiting ??= setTimeout(again, PAUSE_MS);
    },
    again,
  );
  ownedByComponent(() => {
    close();
    clearTimeout(waiting);
  });
}
