/** Reads anew every few seconds while somebody looks: for what changes without an event. */
import { ownedByComponent } from "../../lib/owner";

const EVERY_MS = 5000;

export function keepFresh(read: () => void, isSeen: () => boolean = () => document.visibilityState === "visible"): () => void {
  const timer = setInterval(() => {
    if (isSeen()) read();
  }, EVERY_MS);
  const stop = (): void => clearInterval(timer);
  ownedByComponent(stop);
  return stop;
}
