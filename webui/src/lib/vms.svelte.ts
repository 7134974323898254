/** The machines of this appliance and the tasks asked for here, kept true by the event stream. */
import { actOnVm, listVms, type Task, type Vm, type VmAction } from "../api/client";
import { openStream, type ApplianceEvent } from "./events";
import type { Problem, Remote } from "./remote";
import { TaskWatch } from "./task_watch";
import { applyVmEvent } from "./vm_events";

export class VmStore {
  list = $state.raw<Remote<Vm[]>>({ state: "loading" });
  connected = $state(true);
  /** What went wrong with the last action, at once or in its task. */
  problem = $state.raw<Problem>();
  /** Machines with an action asked for and not ended, by name. */
  busy = $state<Record<string, boolean>>({});
  #tasks = new TaskWatch();
  #meanwhile: ApplianceEvent[] | undefined;
  #close: () => void;

  constructor() {
    this.#close = openStream("/api/v1/events/stream?topics=vms,tasks", {
      event: (event) => this.#apply(event),
      reset: () => {
        // The end of a task may be among what was missed.
        this.busy = {};
        this.#tasks.forget();
        void this.refresh();
      },
      connected: (yes) => {
        this.connected = yes;
        // An ended session shows as a refused stream: asking for the list tells which it is.
        if (!yes) void this.refresh();
      },
    });
  }

  /** Fetch anew; events that come meanwhile are applied again, for the answer may be older than they are. */
  async refresh(): Promise<void> {
    const meanwhile: ApplianceEvent[] = [];
    this.#meanwhile = meanwhile;
    const result = await listVms();
    if (this.#meanwhile === meanwhile) this.#meanwhile = undefined;
    if (result.ok) this.list = { state: "data", value: meanwhile.reduce(applyVmEvent, result.value) };
    else if (this.list.state !== "data") this.list = { state: "failed", problem: result.problem };
  }

  async act(vm: string, action: VmAction): Promise<void> {
    this.problem = undefined;
    this.busy[vm] = true;
    const result = await actOnVm(vm, action);
    if (result.ok) {
      const ended = this.#tasks.asked(result.value, vm);
      if (ended) this.#show(vm, ended);
    } else {
      this.busy[vm] = false;
      this.problem = result.problem;
    }
  }

  /** The problem was read. */
  forgive(): void {
    this.problem = undefined;
  }

  #apply(event: ApplianceEvent): void {
    this.#meanwhile?.push(event);
    if (event.type === "task.changed") {
      const vm = this.#tasks.changed(event.data as Task);
      if (vm !== undefined) this.#show(vm, event.data as Task);
    } else if (this.list.state === "data") {
      // It is on its way: what can be asked for now follows from its state.
      const name = (event.data as Partial<Vm> | null)?.name;
      if (name !== undefined) this.busy[name] = false;
      this.list = { state: "data", value: applyVmEvent(this.list.value, event) };
    }
  }

  #show(vm: string, ended: Task): void {
    this.busy[vm] = false;
    if (ended.problem) this.problem = { status: 0, ...ended.problem };
  }

  close(): void {
    this.#close();
  }
}
