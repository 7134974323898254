/** That somebody was logged in here is kept: nothing about who. */
const known = "aurabox.known";

export function wasKnown(): boolean {
  try {
    return localStorage.getItem(known) !== null;
  } catch {
    return false;
  }
}

export function keepKnown(yes: boolean): void {
  try {
    if (yes) localStorage.setItem(known, "yes");
    else localStorage.removeItem(known);
  } catch {
    // A browser that keeps nothing fetches the shell a little later.
  }
}
