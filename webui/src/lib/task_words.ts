/** Tasks in words; they stand in the catalogue `machines`. A kind that nobody translated is shown as it is called. */
import { say, type Key } from "./i18n";
import { targetOf, type Task, type TaskState } from "./task";

const titles: Readonly<Record<string, Key>> = {
  "vm.deploy": "machines.task_vm_deploy",
  "vm.start": "machines.task_vm_start",
  "vm.shutdown": "machines.task_vm_shutdown",
  "vm.stop": "machines.task_vm_stop",
  "vm.restart": "machines.task_vm_restart",
  "setup.apply": "machines.task_setup_apply",
};
export const taskKinds = Object.keys(titles);

const steps: Readonly<Record<string, Key>> = {
  check: "machines.step_check",
  disk: "machines.step_disk",
  define: "machines.step_define",
  start: "machines.step_start",
  ready: "machines.step_ready",
  shutdown: "machines.step_shutdown",
  stop: "machines.step_stop",
  appliance: "machines.step_appliance",
  components: "machines.step_components",
  people: "machines.step_people",
  finish: "machines.step_finish",
};

export function taskTitle(task: Pick<Task, "kind" | "target">): string {
  const { name } = targetOf(task.target);
  const key = titles[task.kind];
  return key ? say(key, { target: name }) : say("machines.task_other", { kind: task.kind, target: name });
}

export function kindTitle(kind: string): string {
  const key = titles[kind];
  return key ? say(key, { target: "" }).replace(/\s+/g, " ").trim() : kind;
}

export function stepTitle(step: string): string {
  const key = steps[step];
  return key ? say(key) : step;
}

export function stateWord(state: TaskState): string {
  return say(`machines.state_${state}`);
}
