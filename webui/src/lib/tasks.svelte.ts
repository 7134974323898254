/** Running and recent tasks, kept true by the event stream; their ends are said politely. */
import { client, settle, type Result } from "../api/client";
import { loadWords, say } from "./i18n";
import { live, type ApplianceEvent } from "./live.svelte";
import type { Remote } from "./remote";
import { session } from "./session.svelte";
import { asTask, isRunning, kindOf, MOST, newestFirst, withTask, type Task } from "./task";
import { taskTitle } from "./task_words";
import { toast } from "./toast.svelte";

class TaskStore {
  remote = $state.raw<Remote<Task[]>>({ state: "loading" });
  /** The drawer is drawn. */
  open = $state(false);
  #close: (() => void) | undefined;
  #asked = 0;

  get list(): readonly Task[] {
    return this.remote.state === "data" ? this.remote.value : [];
  }

  get running(): readonly Task[] {
    return this.list.filter(isRunning);
  }

  /** Follow them until the result is called. */
  start(): () => void {
    this.#close ??= live.on(["tasks"], (event) => this.#event(event), () => void this.refresh());
    const mine = this.#asked;
    void live.ready().then(() => (this.#asked === mine ? this.refresh() : undefined));
    return () => this.stop();
  }

  stop(): void {
    this.#asked++;
    this.#close?.();
    this.#close = undefined;
    this.remote = { state: "loading" };
    this.open = false;
  }

  async refresh(): Promise<void> {
    const mine = ++this.#asked;
    const result = await settle(client.GET("/api/v1/tasks", { params: { query: { limit: MOST } } }));
    if (mine !== this.#asked) return;
    if (result.ok) {
      // What ended while the connection was lost is told too.
      for (const task of result.value.items) this.#told(task);
      this.remote = { state: "data", value: newestFirst(result.value.items) };
    } else if (this.remote.state !== "data") this.remote = { state: "failed", problem: result.problem };
  }

  /** The answer to a request named it: it is shown before its first event comes. */
  add(task: Task): void {
    this.remote = { state: "data", value: withTask(this.list, task) };
  }

  async cancel(task: Task): Promise<Result<unknown>> {
    return settle(client.POST("/api/v1/tasks/{id}/actions/cancel", { params: { path: { id: task.id } } }));
  }

  #event(event: ApplianceEvent): void {
    const task = asTask(event.data);
    if (!task) return void this.refresh();
    this.#told(task);
    this.remote = { state: "data", value: withTask(this.list, task) };
  }

  /** One's own task has ended just now: say so. */
  #told(task: Task): void {
    const known = this.list.find((each) => each.id === task.id);
    if (task.actor !== session.name || isRunning(task) || !known || !isRunning(known)) return;
    void loadWords(["machines"]).then(() => {
      const kind = kindOf(task.state);
      const words = { task: taskTitle(task), why: task.problem?.detail ?? "" };
      if (kind === "good") toast.show(say("machines.ended_good", words), { tone: "good" });
      else if (kind === "bad") toast.show(say("machines.ended_bad", words), { tone: "bad" });
      else toast.show(say("machines.ended_off", words));
    });
  }
}

export const tasks = new TaskStore();
