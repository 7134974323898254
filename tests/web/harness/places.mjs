// SPDX-License-Identifier: Apache-2.0
// Every page of the console, as somebody with the right data comes to it. Tests of all pages walk this list, and
// places_are_complete (scenarios/pages.mjs) fails when the console has a page that is not here.
import { api } from "./wire.mjs";

export const places = [
  { name: "home", path: "/" },
  { name: "people", path: "/people?q=ada" },
  { name: "person-new", path: "/people/new", needs: "uc:write" },
  { name: "people-import", path: "/people/import", needs: "uc:act" },
  { name: "person", path: "/people/{handle}" },
  { name: "person-station", path: "/people/{handle}?tab=station" },
  { name: "person-phones", path: "/people/{handle}?tab=phones" },
  { name: "person-presence", path: "/people/{handle}?tab=presence" },
  { name: "person-calls", path: "/people/{handle}?tab=calls" },
  { name: "calls", path: "/calls" },
  { name: "calls-records", path: "/calls?tab=records" },
  { name: "calls-charts", path: "/calls?tab=charts" },
  { name: "call", path: "/calls/{gsid}" },
  { name: "trace", path: "/calls/trace" },
  // Asks for a telephone's own account; nothing of the appliance changes.
  { name: "softphone", path: "/calls/softphone", asks: ["sip_user", "sip_password"] },
  { name: "routing", path: "/routing" },
  { name: "routing-links", path: "/routing/entity-links" },
  { name: "routing-patterns", path: "/routing/dial-patterns" },
  { name: "routing-expressions", path: "/routing/regular-expressions" },
  { name: "routing-policies", path: "/routing/routing-policies" },
  { name: "routing-ranges", path: "/routing/time-ranges" },
  { name: "routing-locations", path: "/routing/locations" },
  { name: "routing-domains", path: "/routing/domains" },
  { name: "routing-adaptations", path: "/routing/adaptations" },
  { name: "routing-sequences", path: "/routing/application-sequences" },
  { name: "routing-implicit", path: "/routing/implicit-users" },
  { name: "routing-firewall", path: "/routing/firewall-rules" },
  { name: "routing-settings", path: "/routing/settings" },
  { name: "machines", path: "/machines" },
  { name: "catalogue", path: "/machines/catalogue" },
  { name: "machine", path: "/machines/sm" },
  { name: "machine-log", path: "/machines/sm?tab=log" },
  { name: "machine-settings", path: "/machines/sm?tab=settings" },
  { name: "administrators", path: "/system" },
  { name: "tokens", path: "/system/tokens" },
  { name: "audit", path: "/system/audit" },
  { name: "tasks", path: "/system/tasks" },
  { name: "task", path: "/system/tasks/{task}" },
  { name: "transfer", path: "/system/transfer" },
  { name: "api", path: "/system/api" },
  { name: "about", path: "/system/about" },
  { name: "setup", path: "/setup", needs: "appliance:write" },
  { name: "no-such-page", path: "/no/such/page" },
];

/** The places with their parts filled in from what the appliance has. */
export async function realPlaces() {
  const record = (await api("GET", "/uc/cdr?limit=1")).items[0];
  const task = (await api("GET", "/tasks?limit=1")).items[0];
  const user = (await api("GET", "/uc/users?limit=1")).items[0];
  const parts = { gsid: encodeURIComponent(record.gsid), task: task.id, handle: user.handle };
  return places.map((place) => ({ ...place, path: place.path.replace(/\{(\w+)\}/g, (_, name) => parts[name]) }));
}
