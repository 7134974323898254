/** What was asked before the console had begun: whoever asks the same first takes that answer. */

/** Nobody wants what is older than this. */
const KEEP_MS = 10_000;
const asked = new Map<string, Promise<Response>>();

/** `target` is a path of the API with its query. */
export function askEarly(target: string): Promise<Response> {
  const answer = fetch(target);
  asked.set(target, answer);
  // Who takes it hears that it failed.
  answer.catch(() => undefined);
  setTimeout(() => asked.delete(target), KEEP_MS);
  return answer;
}

export function takeEarly(request: Request): Promise<Response> | undefined {
  if (asked.size === 0 || request.method !== "GET") return undefined;
  const { pathname, search } = new URL(request.url);
  const answer = asked.get(pathname + search);
  asked.delete(pathname + search);
  return answer;
}

/** Some answer is there for whoever asks now. */
export function earlyWaits(): boolean {
  return asked.size > 0;
}

/** They were for somebody who is gone. */
export function dropEarly(): void {
  asked.clear();
}
