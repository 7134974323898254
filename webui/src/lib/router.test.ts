import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const patterns = [{ path: "/" }, { path: "/people/new" }, { path: "/people/:handle" }];

/** The address bar and the history of a window, as far as a router sees them. */
class Browser {
  entries: { url: string; state: unknown }[] = [];
  at = 0;
  listeners = new Map<string, (event: unknown) => void>();

  constructor(url: string) {
    this.entries = [{ url, state: null }];
    const listen = (type: string, listener: (event: unknown) => void): unknown => this.listeners.set(type, listener);
    const resolve = (to: string | URL): string => new URL(to, this.url).href;
    const current = (): { url: string; state: unknown } => this.entries[this.at] as { url: string; state: unknown };
    vi.stubGlobal("document", { addEventListener: listen });
    vi.stubGlobal("window", { addEventListener: listen });
    vi.stubGlobal("scrollY", 0);
    vi.stubGlobal("history", {
      get state() {
        return current().state;
      },
      pushState: (state: unknown, _: string, to: string | URL) => {
        this.entries = [...this.entries.slice(0, this.at + 1), { url: resolve(to), state }];
        this.at++;
      },
      replaceState: (state: unknown, _: string, to: string | URL) => {
        this.entries[this.at] = { url: resolve(to), state };
      },
      go: (delta: number) => this.back(delta),
    });
    vi.stubGlobal("location", new Proxy({}, { get: (_, name) => Reflect.get(new URL(this.url), name) as unknown }));
  }

  get url(): string {
    return this.entries[this.at]?.url ?? "";
  }

  back(delta = -1): void {
    this.at += delta;
    this.listeners.get("popstate")?.({});
  }

  click(href: string, more: object = {}): boolean {
    const link = { href: new URL(href, this.url).href, target: "", hasAttribute: () => false };
    const event = { button: 0, defaultPrevented: false, target: { closest: () => link }, preventDefault: vi.fn(), ...more };
    this.listeners.get("click")?.(event);
    return event.preventDefault.mock.calls.length > 0;
  }
}

async function start(url: string) {
  const browser = new Browser(url);
  vi.resetModules();
  const router = await import("./router.svelte");
  router.startRouter(patterns);
  return { browser, ...router };
}

beforeEach(() => vi.resetModules());
afterEach(() => vi.unstubAllGlobals());

describe("router", () => {
  it("reads the address, with names decoded", async () => {
    const { route } = await start("https://box/people/J%C3%B6rg/?tab=calls");
    expect(route.path).toBe("/people/J%C3%B6rg");
    expect(route.params).toEqual({ handle: "Jörg" });
    expect(route.query.get("tab")).toBe("calls");
  });

  it("goes by links of the console, and leaves others to the browser", async () => {
    const { browser, route } = await start("https://box/");
    expect(browser.click("/people/3001")).toBe(true);
    expect([route.path, route.params.handle]).toEqual(["/people/3001", "3001"]);
    expect(browser.click("/people/3002", { ctrlKey: true })).toBe(false);
    expect(browser.click("https://elsewhere/people")).toBe(false);
    expect(browser.click("/api/v1/openapi.json")).toBe(false);
    expect(browser.click("#content")).toBe(false);
    expect(route.path).toBe("/people/3001");
    browser.back();
    expect(route.path).toBe("/");
  });

  it("changes parts of the query and keeps the rest", async () => {
    const { browser, route, setQuery } = await start("https://box/?tab=x&sort=name");
    setQuery({ q: "ann & co", sort: undefined }, { replace: true });
    expect(browser.url).toBe("https://box/?tab=x&q=ann+%26+co");
    expect(browser.entries.length).toBe(1);
    setQuery({ tab: "y" });
    expect([route.query.get("tab"), browser.entries.length]).toEqual(["y", 2]);
    setQuery({ tab: "y" });
    expect(browser.entries.length).toBe(2);
  });

  it("asks before something typed is left, by a link", async () => {
    const { route, go, guard, leaving } = await start("https://box/people/new");
    const done = guard(() => true);
    go("/");
    expect(route.path).toBe("/people/new");
    leaving.stay();
    expect(route.path).toBe("/people/new");
    go("/");
    leaving.leave();
    expect([route.path, leaving.to]).toEqual(["/", undefined]);
    done();
  });

  it("asks before something typed is left, by the browser's back", async () => {
    const { browser, route, go, guard, leaving } = await start("https://box/");
    go("/people/new");
    guard(() => true);
    browser.back();
    expect([browser.url, route.path]).toEqual(["https://box/people/new", "/people/new"]);
    expect(leaving.to).toBeDefined();
    leaving.leave();
    expect([browser.url, route.path]).toEqual(["https://box/", "/"]);
  });

  it("does not ask once nothing is unsaved", async () => {
    const { route, go, guard } = await start("https://box/people/new");
    let dirty = true;
    const done = guard(() => dirty);
    dirty = false;
    go("/people/3001");
    expect(route.path).toBe("/people/3001");
    dirty = true;
    done();
    go("/");
    expect(route.path).toBe("/");
  });

  it("comes back to where one had scrolled to", async () => {
    const { browser, go, arrival } = await start("https://box/");
    vi.stubGlobal("scrollY", 640);
    browser.listeners.get("scroll")?.({});
    go("/people/3001");
    expect(arrival.take()).toBe(0);
    browser.back();
    expect([arrival.take(), arrival.take()]).toEqual([640, 0]);
  });
});
