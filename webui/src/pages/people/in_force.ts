/** Where a save is in force: the call servers are asked a few times, never for ever. */
import type { Replica } from "./user";

/** When to ask, in milliseconds after the save. */
export const ASK_AT = [300, 1000, 3000] as const;

export interface InForce {
  /** Nodes that have the change, and how long after the save that was seen. */
  there: string[];
  after_ms: number;
  /** Nodes that lag or do not answer. */
  waiting: string[];
  /** No further question will be asked. */
  done: boolean;
}

export function readReplicas(replicas: readonly Replica[], after_ms: number, last: boolean): InForce {
  // A call server that never said how far it is, is not deployed: nothing waits for it.
  const known = replicas.filter((r) => r.version !== null);
  const there = known.filter((r) => r.state === "in_sync").map((r) => r.node);
  const waiting = known.filter((r) => r.state !== "in_sync").map((r) => r.node);
  return { there, waiting, after_ms, done: last || waiting.length === 0 };
}

export interface Asking {
  ask: () => Promise<readonly Replica[] | undefined>;
  tell: (state: InForce) => void;
  wait?: (ms: number) => Promise<void>;
  now?: () => number;
}

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Ask until all have it, at most as often as ASK_AT says. The result cancels. */
export function followSave({ ask, tell, wait = sleep, now = () => performance.now() }: Asking): () => void {
  let over = false;
  async function run(): Promise<void> {
    const begin = now();
    for (const [i, at] of ASK_AT.entries()) {
      await wait(Math.max(0, at - (now() - begin)));
      if (over) return;
      const replicas = await ask();
      if (over) return;
      if (!replicas) continue;
      const state = readReplicas(replicas, now() - begin, i === ASK_AT.length - 1);
      tell(state);
      if (state.done) return;
    }
  }
  void run();
  return () => {
    over = true;
  };
}
