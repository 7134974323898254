/** Records come to smgr a moment after a call has ended: ask again until this one is there, not for ever. */

const PAUSES_MS = [400, 1000, 2000, 4000, 8000];

/** `look` says whether the record has come; the result ends the asking. */
export function awaitRecord(
  look: () => Promise<boolean>,
  later: (f: () => void, ms: number) => ReturnType<typeof setTimeout> = setTimeout,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  function next(turn: number): void {
    const pause = PAUSES_MS[turn];
    if (pause === undefined || over) return;
    timer = later(() => {
      void look().then((found) => {
        if (!found) next(turn + 1);
      });
    }, pause);
  }

  next(0);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
