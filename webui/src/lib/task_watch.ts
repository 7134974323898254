/** Which tasks were asked for here, until each has ended. A task may end before the answer that names it is here. */
import type { Task } from "../api/client";

const KEPT = 50;

export class TaskWatch {
  #asked = new Map<string, string>();
  #endedLately = new Map<string, Task>();

  /** A task was asked for, for `subject`. The result is the task if it has ended already. */
  asked(task: Task, subject: string): Task | undefined {
    const ended = this.#endedLately.get(task.id) ?? (hasEnded(task) ? task : undefined);
    if (!ended) this.#asked.set(task.id, subject);
    return ended;
  }

  /** A task has changed. The result is the subject if it was asked for here and has now ended. */
  changed(task: Task): string | undefined {
    if (!hasEnded(task)) return undefined;
    const [oldest] = this.#endedLately.keys();
    if (this.#endedLately.size >= KEPT && oldest !== undefined) this.#endedLately.delete(oldest);
    this.#endedLately.set(task.id, task);
    const subject = this.#asked.get(task.id);
    this.#asked.delete(task.id);
    return subject;
  }

  /** Events were missed: nothing is known of what was asked for. */
  forget(): void {
    this.#asked.clear();
  }
}

function hasEnded(task: Task): boolean {
  return task.state === "succeeded" || task.state === "failed" || task.state === "cancelled";
}
