/** What each role may do, in the words of its card. The test beside it holds this against the daemon's own table. */

export const roles = ["admin", "operator", "telephony", "auditor", "user"] as const;
export type Role = (typeof roles)[number];

/** The parts of the appliance that the console has a place for, and the resources that make up each. */
export const areas = {
  machines: ["vms", "templates"],
  people: ["uc"],
  appliance: ["appliance", "tasks", "alarms"],
  administrators: ["admins"],
  audit: ["audit"],
} as const;
export type Area = keyof typeof areas;

export type Reach = "changes" | "sees" | "none";

const everyone: Record<Role, Record<Area, Reach>> = {
  admin: { machines: "changes", people: "changes", appliance: "changes", administrators: "changes", audit: "sees" },
  operator: { machines: "changes", people: "none", appliance: "sees", administrators: "none", audit: "none" },
  telephony: { machines: "none", people: "changes", appliance: "sees", administrators: "none", audit: "none" },
  auditor: { machines: "sees", people: "sees", appliance: "sees", administrators: "sees", audit: "sees" },
  user: { machines: "none", people: "none", appliance: "none", administrators: "none", audit: "none" },
};

export function reachOf(role: Role, area: Area): Reach {
  return everyone[role][area];
}

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}
