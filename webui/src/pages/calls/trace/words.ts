/** How the trace is worded. */
import { say } from "../../../lib/i18n";

const PHASES = ["setup", "imsorig", "origdone", "imsterm", "termdone", "talk", "release"] as const;

export function phaseWord(name: string): string {
  const known = PHASES.find((each) => each === name);
  return known ? say(`trace.phase_${known}`) : name;
}
