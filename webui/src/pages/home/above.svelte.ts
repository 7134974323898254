/** What stands above Home's figures is as tall as what it has to say: all below waits unseen until that is known, so that
 * nothing moves under the reader's eyes, but not for ever. */
import { client, settle, type Alarm } from "../../api/client";
import type { components } from "../../api/schema";
import { Collection } from "../../lib/collection.svelte";
import { ownedByComponent } from "../../lib/owner";
import { Resource } from "../../lib/resource.svelte";
import { may } from "../../lib/session.svelte";
import { applyAlarmEvent } from "./alarms";

export type Setup = components["schemas"]["setup"];

const PATIENCE_MS = 1000;

export class Above {
  /** The first run, for those who may do it. */
  setup = may("setup:act") && may("setup:read")
    ? new Resource<Setup>({
        load: () => settle(client.GET("/api/v1/setup")),
        topics: ["appliance", "uc.users", "tasks"],
        // Of tasks only the end of the set-up's own tells something new.
        apply: (known, event) => {
          const task = event.data as { kind?: string; state?: string } | null;
          return event.topic === "tasks" && (task?.kind !== "setup.apply" || task.state === "running") ? known : undefined;
        },
      })
    : undefined;
  /** What needs a hand. */
  alarms = may("alarms:read")
    ? new Collection<Alarm>({
        load: (query) => settle(client.GET("/api/v1/alarms", { params: { query } })),
        key: (alarm) => alarm.id,
        topics: ["alarms"],
        apply: applyAlarmEvent,
        filters: { state: "active" },
        limit: 100,
      })
    : undefined;
  /** What is not known by now is drawn when it comes. */
  late = $state(false);

  constructor() {
    const timer = setTimeout(() => (this.late = true), PATIENCE_MS);
    ownedByComponent(() => clearTimeout(timer));
  }

  get asked(): boolean {
    return !this.late && (this.setup?.remote.state === "loading" || this.alarms?.remote.state === "loading");
  }
}
