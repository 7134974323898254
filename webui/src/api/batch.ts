/** What is asked at the same moment goes as one request (`GET /api/v1/batch`): a page that shows ten things costs one. */

/** What is used of the world; tests hand in their own. */
export interface World {
  fetch: (request: Request | string) => Promise<Response>;
  later: (f: () => void, ms: number) => unknown;
}

interface Answer {
  status: number;
  etag: string | null;
  body: unknown;
}

interface Asked {
  request: Request;
  answer: (response: Response | Promise<Response>) => void;
}

const browser: World = { fetch: (request) => fetch(request), later: (f, ms) => setTimeout(f, ms) };

/** Lists ask one turn after things do. */
const GATHER_MS = 4;
/** As many as the appliance takes, and what fits into its longest request line. */
const MOST = 16;
const LONGEST = 3500;

/** Answers that are no list or thing, and the session, which decides who may ask at all. */
const alone = /^\/api\/v1\/(session|batch|openapi|events\/stream|uc\/trace|uc\/export)/;

function target(request: Request): string | undefined {
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.pathname.startsWith("/api/v1/") || alone.test(url.pathname)) return undefined;
  return url.pathname + url.search;
}

function toResponse({ status, etag, body }: Answer): Response {
  const headers = { "Content-Type": status < 400 ? "application/json" : "application/problem+json", ...(etag !== null && { ETag: etag }) };
  return new Response(JSON.stringify(body), { status, headers });
}

/** `fetch` for the API's client. */
export function batching(world: World = browser): (request: Request) => Promise<Response> {
  let gathered = new Map<string, Asked[]>();
  let length = 0;

  /** Slow ones are left out of an answer: they must not keep the rest. They are asked together once more, then each alone. */
  async function send(all: Map<string, Asked[]>, again = false): Promise<void> {
    const targets = [...all.keys()];
    const query = targets.map((each) => `get=${encodeURIComponent(each)}`).join("&");
    const response = await world.fetch(`/api/v1/batch?${query}`);
    const answers = response.ok ? ((await response.json()) as { answers: Answer[] }).answers : undefined;
    const slow = new Map<string, Asked[]>();
    for (const [i, each] of targets.entries()) {
      const one = answers?.[i];
      const waiting = all.get(each) ?? [];
      if (answers !== undefined && (one === undefined || one.status === 0)) slow.set(each, waiting);
      else for (const { answer } of waiting) answer(one === undefined ? response.clone() : toResponse(one));
    }
    if (slow.size > 1 && !again) return send(slow, true);
    for (const { request, answer } of [...slow.values()].flat()) answer(world.fetch(request));
  }

  function flush(): void {
    const all = gathered;
    gathered = new Map();
    length = 0;
    const asked = [...all.values()].flat();
    const [first] = asked;
    if (first && asked.length === 1) return first.answer(world.fetch(first.request));
    send(all).catch((reason: unknown) => {
      // Who has an answer already keeps it.
      for (const { answer } of asked) answer(Promise.reject(reason as Error));
    });
  }

  return (request) => {
    const what = target(request);
    if (what === undefined || what.length > LONGEST / 2) return world.fetch(request);
    return new Promise((answer) => {
      const size = encodeURIComponent(what).length + 5;
      if (!gathered.has(what) && (gathered.size === MOST || length + size > LONGEST)) flush();
      if (gathered.size === 0) {
        const mine = gathered;
        world.later(() => (mine === gathered ? flush() : undefined), GATHER_MS);
      }
      const same = gathered.get(what);
      if (same) same.push({ request, answer });
      else {
        gathered.set(what, [{ request, answer }]);
        length += size;
      }
    });
  };
}
