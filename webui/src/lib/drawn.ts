/** Turns of the browser: what is at hand is drawn before what can wait. */

/** A window that nobody sees draws nothing. */
const UNSEEN_MS = 250;

/** After what stands there by now has been drawn. */
export function drawn(): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, UNSEEN_MS);
    requestAnimationFrame(() => setTimeout(done));
  });
}
