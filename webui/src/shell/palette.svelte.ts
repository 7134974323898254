/** What the palette finds: pages, people, machines, actions; none that one may not. */
import { client, settle, type Vm } from "../api/client";
import type { IconName } from "../components/Icon.svelte";
import { say, type Key } from "../lib/i18n";
import { rank } from "../lib/rank";
import { go, unlessDirty } from "../lib/router.svelte";
import { may, session } from "../lib/session.svelte";
import { toast } from "../lib/toast.svelte";
import { pages } from "../pages";
import { frame } from "./frame.svelte";
import { maySee } from "./entries";

export interface Found {
  id: string;
  group: Key;
  label: string;
  detail?: string | undefined;
  icon: IconName;
  run: () => void;
}

const icons = { home: "home", people: "people", calls: "calls", routing: "routing", machines: "machines", system: "system" } as const;
const TYPING_MS = 120;
const PEOPLE = 6;

export class Palette {
  text = $state("");
  busy = $state(false);
  /** What waits to be confirmed: a machine to shut down. */
  asking = $state.raw<Vm>();
  #vms = $state.raw<Vm[]>([]);
  #people = $state.raw<Found[]>([]);
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    if (may("vms:read")) void this.#loadVms();
  }

  get found(): Found[] {
    const text = this.text.trim();
    const own = [...this.#pages(), ...this.#machines(), ...this.#actions()];
    if (text === "") return own.filter((each) => each.group === "frame.palette_pages");
    return [...this.#people, ...rank(own, text, (each) => `${each.label} ${each.detail ?? ""}`)].slice(0, 24);
  }

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#later);
    const q = text.trim();
    if (q === "" || !may("uc:read")) {
      this.#people = [];
      return;
    }
    this.#later = setTimeout(() => void this.#findPeople(q), TYPING_MS);
  }

  close(): void {
    clearTimeout(this.#later);
    this.#asked++;
  }

  async #loadVms(): Promise<void> {
    const result = await settle(client.GET("/api/v1/vms", { params: { query: { limit: 500 } } }));
    if (result.ok) this.#vms = result.value.items;
  }

  async #findPeople(q: string): Promise<void> {
    const mine = ++this.#asked;
    this.busy = true;
    const result = await settle(client.GET("/api/v1/uc/users", { params: { query: { q, limit: PEOPLE } } }));
    if (mine !== this.#asked) return;
    this.busy = false;
    if (!result.ok) return;
    this.#people = result.value.items.map((user) => ({
      id: `people/${user.handle}`,
      group: "frame.palette_people",
      label: user.name,
      detail: user.handle,
      icon: "person",
      run: () => go(`/people/${encodeURIComponent(user.handle)}`),
    }));
  }

  #pages(): Found[] {
    return pages
      .filter((page) => !page.path.includes(":") && maySee(page))
      .map((page) => ({
        id: page.path,
        group: "frame.palette_pages",
        label: say(page.title),
        icon: icons[page.nav],
        run: () => go(page.path),
      }));
  }

  #machines(): Found[] {
    return this.#vms.flatMap((vm) => {
      const open: Found = {
        id: `machines/${vm.name}`,
        group: "frame.palette_machines",
        label: vm.name,
        detail: vm.template === vm.name ? undefined : vm.template,
        icon: "machines",
        run: () => go(`/machines/${encodeURIComponent(vm.name)}`),
      };
      if (!may("vms:act") || vm.state === "deploying" || vm.state === "stopping") return [open];
      const action: Found =
        vm.desired_state === "running"
          ? {
              id: `shutdown/${vm.name}`,
              group: "frame.palette_actions",
              label: say("frame.shutdown_machine", { name: vm.name }),
              icon: "power",
              run: () => (this.asking = vm),
            }
          : {
              id: `start/${vm.name}`,
              group: "frame.palette_actions",
              label: say("frame.start_machine", { name: vm.name }),
              icon: "play",
              run: () => void this.#start(vm.name),
            };
      return [open, action];
    });
  }

  #actions(): Found[] {
    const group = "frame.palette_actions";
    return [
      { id: "light", group, label: `${say("frame.theme")}: ${say("frame.theme_light")}`, icon: "sun", run: () => frame.choose("light") },
      { id: "dark", group, label: `${say("frame.theme")}: ${say("frame.theme_dark")}`, icon: "moon", run: () => frame.choose("dark") },
      { id: "keys", group, label: say("frame.keys"), icon: "help", run: () => (frame.over = "help") },
      { id: "password", group, label: say("frame.change_password"), icon: "key", run: () => (frame.over = "password") },
      { id: "log_out", group, label: say("frame.log_out"), icon: "log_out", run: () => unlessDirty(() => void session.logOut()) },
    ];
  }

  async #start(name: string): Promise<void> {
    const path = { vm: name, action: "start" } as const;
    const result = await settle(client.POST("/api/v1/vms/{vm}/actions/{action}", { params: { path } }));
    if (!result.ok) toast.show(result.problem.detail, { tone: "bad" });
  }
}
