import { onDestroy } from "svelte";

/** Run `end` when the component that is being made goes away; outside of one, its maker must. */
export function ownedByComponent(end: () => void): void {
  try {
    onDestroy(end);
  } catch {
    // Not made by a component.
  }
}
