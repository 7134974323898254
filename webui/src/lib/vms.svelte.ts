/** The machines of this appliance, kept true by the event stream. */
import { listVms, type Vm } from "../api/client";
import { openStream, type ApplianceEvent } from "./events";
import type { Remote } from "./remote";
import { applyVmEvent } from "./vm_events";

export class VmStore {
  list = $state<Remote<Vm[]>>({ state: "loading" });
  connected = $state(true);
  #close: () => void;

  constructor() {
    this.#close = openStream("/api/v1/events/stream?topics=vms", {
      event: (event) => this.#apply(event),
      reset: () => void this.refresh(),
      connected: (yes) => (this.connected = yes),
    });
  }

  async refresh(): Promise<void> {
    const result = await listVms();
    if (result.ok) this.list = { state: "data", value: result.value };
    else if (this.list.state !== "data") this.list = { state: "failed", problem: result.problem };
  }

  #apply(event: ApplianceEvent): void {
    if (this.list.state === "data")
      this.list = { state: "data", value: applyVmEvent(this.list.value, event) };
  }

  close(): void {
    this.#close();
  }
}
