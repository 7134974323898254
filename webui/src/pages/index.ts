/** Every page of the console: address, component, who may see it, which words it needs. How to add one: README.md. */
import type { Component } from "svelte";
import type { Key, Namespace } from "../lib/i18n";
import type { Permission } from "../lib/session.svelte";

export type NavKey = "home" | "people" | "calls" | "routing" | "machines" | "system";
export interface PageProps {
  params: Record<string, string>;
}

export interface PageEntry {
  path: string;
  load: () => Promise<{ default: Component<PageProps> | Component<Record<string, never>> }>;
  /** One of these is enough; without any, whoever is logged in may see it. */
  permission?: Permission | readonly Permission[];
  /** The entry of the navigation that it belongs to. */
  nav: NavKey;
  title: Key;
  /** The catalogues that it speaks with, beside `frame`. */
  words: readonly Namespace[];
  /** What its list asks first when the address wants nothing special: fetched while the page's code is. */
  first?: string;
}

export const pages: readonly PageEntry[] = [
  { path: "/", load: () => import("./home/Home.svelte"), nav: "home", title: "frame.home", words: ["home", "calls"] },

  { path: "/people", load: () => import("./people/People.svelte"), permission: "uc:read", nav: "people", title: "frame.people", words: ["people"], first: "/api/v1/uc/users?limit=50&count=true&sort=handle" },
  { path: "/people/new", load: () => import("./people/NewPerson.svelte"), permission: "uc:write", nav: "people", title: "frame.person_new", words: ["people"] },
  { path: "/people/import", load: () => import("./people/ImportPeople.svelte"), permission: "uc:act", nav: "people", title: "frame.people_import", words: ["people"] },
  { path: "/people/:handle", load: () => import("./people/Person.svelte"), permission: "uc:read", nav: "people", title: "frame.person", words: ["people", "calls"] },

  { path: "/calls", load: () => import("./calls/Calls.svelte"), permission: "uc:read", nav: "calls", title: "frame.calls", words: ["calls"] },
  { path: "/calls/trace", load: () => import("./calls/trace/Trace.svelte"), permission: "uc:read", nav: "calls", title: "frame.trace", words: ["calls", "trace"] },
  { path: "/calls/softphone", load: () => import("./calls/softphone/Softphone.svelte"), permission: "uc:read", nav: "calls", title: "frame.softphone", words: ["calls", "trace", "softphone"] },
  { path: "/calls/:gsid", load: () => import("./calls/Record.svelte"), permission: "uc:read", nav: "calls", title: "frame.call", words: ["calls"] },

  { path: "/routing", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.routing", words: ["routing"] },
  { path: "/routing/entity-links", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.entity_links", words: ["routing"] },
  { path: "/routing/dial-patterns", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.dial_patterns", words: ["routing"] },
  { path: "/routing/regular-expressions", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.regular_expressions", words: ["routing"] },
  { path: "/routing/routing-policies", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.routing_policies", words: ["routing"] },
  { path: "/routing/time-ranges", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.time_ranges", words: ["routing"] },
  { path: "/routing/locations", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.locations", words: ["routing"] },
  { path: "/routing/domains", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.domains", words: ["routing"] },
  { path: "/routing/adaptations", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.adaptations", words: ["routing"] },
  { path: "/routing/application-sequences", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.application_sequences", words: ["routing"] },
  { path: "/routing/implicit-users", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.implicit_users", words: ["routing"] },
  { path: "/routing/firewall-rules", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.firewall_rules", words: ["routing"] },
  { path: "/routing/settings", load: () => import("./routing/Routing.svelte"), permission: "uc:read", nav: "routing", title: "frame.routing_settings", words: ["routing"] },
  { path: "/machines", load: () => import("./machines/Machines.svelte"), permission: "vms:read", nav: "machines", title: "frame.machines", words: ["machines"] },
  { path: "/machines/catalogue", load: () => import("./machines/Catalogue.svelte"), permission: "templates:read", nav: "machines", title: "frame.catalogue", words: ["machines"] },
  { path: "/machines/:name", load: () => import("./machines/Machine.svelte"), permission: "vms:read", nav: "machines", title: "frame.machine", words: ["machines"] },

  { path: "/system", load: () => import("./system/Admins.svelte"), permission: "admins:read", nav: "system", title: "frame.system", words: ["system"] },
  { path: "/system/tokens", load: () => import("./system/Tokens.svelte"), permission: "tokens:read", nav: "system", title: "frame.tokens", words: ["system"] },
  { path: "/system/audit", load: () => import("./system/Audit.svelte"), permission: "audit:read", nav: "system", title: "frame.audit", words: ["system"] },
  { path: "/system/tasks", load: () => import("./system/Tasks.svelte"), permission: "tasks:read", nav: "system", title: "frame.tasks", words: ["system", "machines"] },
  { path: "/system/tasks/:id", load: () => import("./system/Task.svelte"), permission: "tasks:read", nav: "system", title: "frame.task", words: ["system", "machines"] },
  { path: "/system/transfer", load: () => import("./system/Transfer.svelte"), permission: "uc:read", nav: "system", title: "frame.transfer", words: ["system"] },
  { path: "/system/api", load: () => import("./system/Api.svelte"), nav: "system", title: "frame.api", words: ["system"] },
  { path: "/system/about", load: () => import("./system/About.svelte"), nav: "system", title: "frame.about", words: ["system"] },

  { path: "/setup", load: () => import("./setup/Setup.svelte"), permission: "setup:act", nav: "home", title: "frame.setup", words: ["setup", "machines"] },
];
