/** Now, for whatever shows how long ago something was: ticks while somebody looks. */
import { createSubscriber } from "svelte/reactivity";

const everySecond = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

/** Milliseconds, followed by what is drawn with it. */
export function now(): number {
  everySecond();
  return Date.now();
}
