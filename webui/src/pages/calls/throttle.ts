/** What follows from events that may come in hundreds: soon, but at most every `ms`, and once after the last. */
import { ownedByComponent } from "../../lib/owner";

export function throttled(f: () => void, ms: number): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  ownedByComponent(() => clearTimeout(waiting));
  return () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      f();
    }, ms);
  };
}
