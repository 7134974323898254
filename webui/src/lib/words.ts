/** Every word the console shows, by key: the catalogue of the English locale. */
export const words = {
  appName: "Aurabox",
  appClaim: "Your phone system, in one box",
  name: "Name",
  password: "Password",
  logIn: "Log in",
  loggingIn: "Logging in",
  logOut: "Log out",
  oldPassword: "Present password",
  newPassword: "New password",
  passwordRule: "At least 12 characters.",
  repeatPassword: "New password again",
  changePassword: "Change password",
  mustChange: "Choose a password of your own before you go on.",
  differ: "The two new passwords differ.",
  skipToContent: "Skip to the content",
  theme: "Theme",
  themeSystem: "System",
  themeLight: "Light",
  themeDark: "Dark",
  machines: "Machines",
  oneMachine: "{n} machine",
  manyMachines: "{n} machines",
  loading: "Loading",
  noMachines: "No machines yet",
  noMachinesHint: "Deploy one on the appliance: aurabox vm create --template sm",
  state: "State",
  stateReady: "Ready",
  stateNotReady: "Not ready",
  stateCrashed: "Crashed",
  stateDown: "Down",
  stateStopped: "Stopped",
  statePaused: "Paused",
  stateDeploying: "Deploying",
  stateStarting: "Starting",
  stateStopping: "Shutting down",
  since: "Since",
  restarts: "Restarts",
  cpus: "CPUs",
  memory: "Memory",
  address: "Address",
  actions: "Actions",
  start: "Start",
  shutdown: "Shut down",
  slowHint: "The machines run without hardware virtualization (QEMU's TCG): all works, but slower.",
  afterRestart: "after a restart: {value}",
  mayNotAct: "Your role may look, not change.",
  mayNotSee: "Your role may not see the machines. Ask an administrator for the role operator or auditor.",
  live: "Live",
  offline: "Connection lost, trying again",
  retry: "Try again",
  dismiss: "Dismiss",
  sessionEnded: "Your session has ended. Log in again.",
  confirmShutdownTitle: "Shut down {name}?",
  confirmShutdown: "Calls that need it will fail until it is started again.",
  cancel: "Cancel",
} as const;

export type Word = keyof typeof words;

/** The word, with {name} and the like filled in. */
export function say(word: Word, values: Record<string, string> = {}): string {
  return words[word].replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** "256 MiB", "1.5 GiB": binary sizes as the API gives them, in the reader's number format. */
export function memory(mib: number, locale?: string): string {
  const [value, unit] = mib < 1024 ? [mib, "MiB"] : [mib / 1024, "GiB"];
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value)} ${unit}`;
}
