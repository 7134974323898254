/** A task as the console shows it: how far it is, where it belongs, which ones matter now. Pure. */
import { textual } from "./order";
import type { components } from "../api/schema";

export type Task = components["schemas"]["task"];
export type TaskState = Task["state"];
export type TaskKind = "good" | "wait" | "bad" | "off";

const WORK = ["queued", "running", "cancelling"] as const;
export const MOST = 50;

export function isRunning(task: Pick<Task, "state">): boolean {
  return (WORK as readonly string[]).includes(task.state);
}

export function kindOf(state: TaskState): TaskKind {
  if (state === "succeeded") return "good";
  if (state === "failed") return "bad";
  return state === "cancelled" ? "off" : "wait";
}

/** 0 to 1 over all of it, the present step by its own progress; undefined while nobody can say. */
export function fraction(task: Pick<Task, "state" | "steps" | "progress">): number | undefined {
  if (task.state === "succeeded") return 1;
  const { done, total } = task.progress;
  const within = total !== null && total > 0 ? Math.min(1, done / total) : undefined;
  if (task.steps.length === 0) return within;
  const ended = task.steps.filter((step) => step.state === "succeeded").length;
  const running = task.steps.some((step) => step.state === "running");
  return (ended + (running ? (within ?? 0) : 0)) / task.steps.length;
}

/** The step it is at, or failed in. */
export function stepOf(task: Pick<Task, "steps">): string | undefined {
  return task.steps.find((step) => step.state === "running" || step.state === "failed" || step.state === "cancelled")?.name;
}

/** How long it has run or ran, in seconds; undefined before it began. */
export function seconds(task: Pick<Task, "started_at" | "ended_at">, now: number): number | undefined {
  if (!task.started_at) return undefined;
  const end = task.ended_at ? Date.parse(task.ended_at) : now;
  return Math.max(0, Math.round((end - Date.parse(task.started_at)) / 1000));
}

export interface Target {
  name: string;
  href: string | undefined;
}

/** "vms/sm" is a machine with a page of its own. */
export function targetOf(target: string): Target {
  const vm = /^vms\/([^/]+)$/.exec(target)?.[1];
  if (vm !== undefined) return { name: vm, href: `/machines/${encodeURIComponent(vm)}` };
  if (target === "setup") return { name: target, href: "/setup" };
  return { name: target, href: undefined };
}

/** Newest first; ids are in the order of time. */
export function newestFirst(tasks: readonly Task[]): Task[] {
  return [...tasks].sort((a, b) => textual(b.created_at, a.created_at) || textual(b.id, a.id));
}

/** The list after a task has changed. An older word than what is known changes nothing: an ended task stays ended. */
export function withTask(tasks: readonly Task[], task: Task, most = MOST): Task[] {
  const known = tasks.find((each) => each.id === task.id);
  if (known && !isRunning(known) && isRunning(task)) return [...tasks];
  const all = newestFirst([...tasks.filter((each) => each.id !== task.id), task]);
  const kept = all.slice(0, most);
  return [...kept, ...all.slice(most).filter(isRunning)];
}

export function asTask(data: unknown): Task | undefined {
  const task = data as Partial<Task> | null;
  return task && typeof task.id === "string" && typeof task.state === "string" && Array.isArray(task.steps) ? (task as Task) : undefined;
}

/** A list of tasks after an event; undefined when it cannot be merged. `belongs` says what the list is about. */
export function applyTaskEvent(
  list: Task[],
  event: { type: string; data: unknown },
  belongs: (task: Task) => boolean = () => true,
): Task[] | undefined {
  const task = asTask(event.data);
  if (!task) return undefined;
  const known = list.some((each) => each.id === task.id);
  return known || belongs(task) ? withTask(list, task, Math.max(MOST, list.length + 1)) : list;
}
