/** The kinds of rows that routing is made of: their members, how a form asks for them, what a list shows. The whole of
 * a kind is its entry in this table. */
import type { Key } from "../../lib/i18n";
import type { Draft } from "./values";

export const KINDS = [
  "sip-entities", "entity-links", "dial-patterns", "regular-expressions", "routing-policies", "time-ranges", "locations", "domains",
  "adaptations", "application-sequences", "implicit-users", "firewall-rules",
] as const;
export type Kind = (typeof KINDS)[number];

interface Common {
  /** Where its value is in the body. */
  pointer: string;
  word: Key;
  hint?: Key;
  /** Shown while this member is as it should be. */
  when?: (draft: Draft) => boolean;
}
export type FieldSpec = Common &
  (
    | { as: "text"; required?: boolean; max?: number; mono?: boolean; empty?: "null" | "text" }
    | { as: "notes" }
    | { as: "secret" }
    | { as: "number"; min: number; max: number; empty?: "null" | undefined }
    | { as: "yes" }
    | { as: "choice"; choices: readonly string[]; say: (value: string) => Key }
    /** One row of another kind; none where `none` names what that means. */
    | { as: "name"; of: Kind; none?: Key }
    /** Rows of another kind, in order. */
    | { as: "names"; of: Kind }
    | { as: "lines"; nullable?: boolean }
    | { as: "days" | "times" | "conversions" | "applications" }
    /** A part that may be absent as a whole, made of `fresh` when it is wanted. */
    | { as: "part"; fresh: Draft }
  );

export interface Group {
  word?: Key;
  fields: readonly FieldSpec[];
}

export interface ColumnSpec {
  key: string;
  word: Key;
  sort?: string;
  minor?: boolean;
  as?: "text" | "named" | "mono" | "number" | "entity" | "names" | "any" | "days" | "times" | "applications" | "flags";
}

export interface KindSpec {
  /** Its name in the list, one of it, and what it is for. */
  word: Key;
  one: Key;
  add: Key;
  why: Key;
  /** The member that names a row. */
  name: string;
  blank: Draft;
  groups: readonly Group[];
  columns: readonly ColumnSpec[];
}

const notes: FieldSpec = { pointer: "/notes", as: "notes", word: "routing.notes" };
const name: FieldSpec = { pointer: "/name", as: "text", word: "frame.name", required: true, max: 64 };
const policies: FieldSpec = {
  pointer: "/policies", as: "names", of: "routing-policies", word: "routing.policies", hint: "routing.policies_hint", when: (draft) => draft.deny !== true,
};
const deny: FieldSpec = { pointer: "/deny", as: "yes", word: "routing.deny", hint: "routing.deny_hint" };
const lengths: readonly FieldSpec[] = [
  { pointer: "/min", as: "number", min: 1, max: 36, word: "routing.min", hint: "routing.length_hint" },
  { pointer: "/max", as: "number", min: 1, max: 36, word: "routing.max" },
];
const anyDomain: FieldSpec = { pointer: "/domain", as: "name", of: "domains", none: "routing.all_domains", word: "routing.domain" };
const transports = ["udp", "tcp", "tls"] as const;
const isMonitored = (draft: Draft): boolean => (draft.monitoring as Draft).enabled === true;
const registers = (draft: Draft): boolean => draft.registration !== null;

export const kinds: Readonly<Record<Kind, KindSpec>> = {
  "sip-entities": {
    word: "routing.entities", one: "routing.entity", add: "routing.add_entity", why: "routing.entities_why", name: "name",
    blank: {
      name: "", type: "trunk", address: "", port: 5061, transport: "tls", trusted: false, location: null, adaptation: null, time_zone: null,
      timer_b_s: null, monitoring: { enabled: true, proactive_s: 900, reactive_s: 120, retries: 1, down_on: null }, registration: null,
      max_calls: null, notes: "",
    },
    groups: [
      {
        fields: [
          name,
          { pointer: "/type", as: "choice", choices: ["sm", "cm", "presence", "trunk", "voicemail", "gateway", "other"], say: (type) => `routing.type_${type}` as Key, word: "routing.type" },
          { pointer: "/address", as: "text", required: true, max: 255, mono: true, word: "routing.address", hint: "routing.address_hint" },
          { pointer: "/transport", as: "choice", choices: transports, say: (value) => `routing.transport_${value}` as Key, word: "routing.transport" },
          { pointer: "/port", as: "number", min: 1, max: 65535, word: "routing.port" },
          { pointer: "/trusted", as: "yes", word: "routing.trusted", hint: "routing.trusted_hint" },
        ],
      },
      {
        word: "routing.calls_through",
        fields: [
          { pointer: "/location", as: "name", of: "locations", none: "routing.by_address", word: "routing.location" },
          { pointer: "/adaptation", as: "name", of: "adaptations", none: "frame.none", word: "routing.adaptation" },
          { pointer: "/time_zone", as: "text", empty: "null", max: 64, word: "routing.time_zone", hint: "routing.entity_zone_hint" },
          { pointer: "/max_calls", as: "number", min: 1, max: 100000, empty: "null", word: "routing.max_calls", hint: "routing.max_calls_hint" },
          { pointer: "/timer_b_s", as: "number", min: 1, max: 32, empty: "null", word: "routing.timer_b", hint: "routing.timer_b_hint" },
        ],
      },
      {
        word: "routing.monitoring",
        fields: [
          { pointer: "/monitoring/enabled", as: "yes", word: "routing.monitored", hint: "routing.monitored_hint" },
          { pointer: "/monitoring/proactive_s", as: "number", min: 1, max: 86400, word: "routing.proactive", when: isMonitored },
          { pointer: "/monitoring/reactive_s", as: "number", min: 1, max: 86400, word: "routing.reactive", when: isMonitored },
          { pointer: "/monitoring/retries", as: "number", min: 0, max: 15, word: "routing.retries", when: isMonitored },
          { pointer: "/monitoring/down_on", as: "lines", nullable: true, word: "routing.down_on", hint: "routing.down_on_hint", when: isMonitored },
        ],
      },
      {
        word: "routing.registration",
        fields: [
          {
            pointer: "/registration", as: "part", word: "routing.registers", hint: "routing.registers_hint",
            fresh: { registrar: "", user: "", auth_user: null, password: "", expires_s: 3600 },
          },
          { pointer: "/registration/registrar", as: "text", required: true, mono: true, word: "routing.registrar", when: registers },
          { pointer: "/registration/user", as: "text", required: true, word: "routing.reg_user", when: registers },
          { pointer: "/registration/auth_user", as: "text", empty: "null", max: 128, word: "routing.auth_user", hint: "routing.auth_user_hint", when: registers },
          { pointer: "/registration/password", as: "secret", word: "frame.password", hint: "routing.password_hint", when: registers },
          { pointer: "/registration/expires_s", as: "number", min: 60, max: 86400, word: "routing.expires", when: registers },
        ],
      },
      { fields: [notes] },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name", as: "named" },
      { key: "status", word: "routing.link", as: "entity" },
      { key: "address", word: "routing.address", as: "mono" },
    ],
  },
  "entity-links": {
    word: "routing.links", one: "routing.link_one", add: "routing.add_link", why: "routing.links_why", name: "entity",
    blank: { entity: "", transport: "tcp", port: 5060, trusted: false, deny_new_service: false, notes: "" },
    groups: [
      {
        fields: [
          { pointer: "/entity", as: "name", of: "sip-entities", word: "routing.entity" },
          { pointer: "/transport", as: "choice", choices: transports, say: (value) => `routing.transport_${value}` as Key, word: "routing.transport" },
          { pointer: "/port", as: "number", min: 1, max: 65535, word: "routing.port" },
          { pointer: "/trusted", as: "yes", word: "routing.trusted", hint: "routing.trusted_hint" },
          { pointer: "/deny_new_service", as: "yes", word: "routing.deny_new", hint: "routing.deny_new_hint" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "entity", word: "routing.entity" },
      { key: "transport", word: "routing.transport", as: "any" },
      { key: "port", word: "routing.port", as: "number" },
      { key: "flags", word: "routing.rights", as: "flags" },
    ],
  },
  "dial-patterns": {
    word: "routing.patterns", one: "routing.pattern_one", add: "routing.add_pattern", why: "routing.patterns_why", name: "pattern",
    blank: { pattern: "", min: 1, max: 36, emergency: false, domain: null, location: null, policies: [], deny: false, notes: "" },
    groups: [
      {
        fields: [
          { pointer: "/pattern", as: "text", required: true, max: 36, mono: true, word: "routing.pattern", hint: "routing.pattern_hint" },
          ...lengths,
          anyDomain,
          { pointer: "/location", as: "name", of: "locations", none: "routing.all_locations", word: "routing.from_location" },
          { pointer: "/emergency", as: "yes", word: "routing.emergency", hint: "routing.emergency_hint" },
          deny,
          policies,
          notes,
        ],
      },
    ],
    columns: [
      { key: "pattern", word: "routing.pattern", sort: "pattern", as: "mono" },
      { key: "length", word: "routing.length" },
      { key: "location", word: "routing.location", as: "any" },
      { key: "policies", word: "routing.leads_to", as: "names" },
    ],
  },
  "regular-expressions": {
    word: "routing.expressions", one: "routing.expression_one", add: "routing.add_expression", why: "routing.expressions_why", name: "pattern",
    blank: { pattern: "", rank: 0, policies: [], deny: false, notes: "" },
    groups: [
      {
        fields: [
          { pointer: "/pattern", as: "text", required: true, max: 256, mono: true, word: "routing.expression", hint: "routing.expression_hint" },
          { pointer: "/rank", as: "number", min: 0, max: 1000, word: "routing.rank", hint: "routing.rank_hint" },
          deny,
          policies,
          notes,
        ],
      },
    ],
    columns: [
      { key: "pattern", word: "routing.expression", as: "mono" },
      { key: "rank", word: "routing.rank", sort: "rank", as: "number" },
      { key: "policies", word: "routing.leads_to", as: "names" },
    ],
  },
  "routing-policies": {
    word: "routing.policies", one: "routing.policy_one", add: "routing.add_policy", why: "routing.policies_why", name: "name",
    blank: { name: "", entity: "", disabled: false, times: [{ time_range: null, rank: 0 }], notes: "" },
    groups: [
      {
        fields: [
          name,
          { pointer: "/entity", as: "name", of: "sip-entities", word: "routing.destination" },
          { pointer: "/times", as: "times", word: "routing.times", hint: "routing.times_hint" },
          { pointer: "/disabled", as: "yes", word: "routing.disabled", hint: "routing.disabled_hint" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name" },
      { key: "entity", word: "routing.destination" },
      { key: "times", word: "routing.times", as: "times" },
      { key: "flags", word: "routing.state", as: "flags" },
    ],
  },
  "time-ranges": {
    word: "routing.ranges", one: "routing.range_one", add: "routing.add_range", why: "routing.ranges_why", name: "name",
    blank: { name: "", days: ["mon", "tue", "wed", "thu", "fri"], start: "08:00", end: "18:00" },
    groups: [
      {
        fields: [
          name,
          { pointer: "/days", as: "days", word: "routing.days" },
          { pointer: "/start", as: "text", required: true, max: 5, mono: true, word: "routing.start", hint: "routing.start_hint" },
          { pointer: "/end", as: "text", required: true, max: 5, mono: true, word: "routing.end", hint: "routing.end_hint" },
        ],
      },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name" },
      { key: "days", word: "routing.days", as: "days" },
      { key: "hours", word: "routing.hours" },
    ],
  },
  locations: {
    word: "routing.locations", one: "routing.location", add: "routing.add_location", why: "routing.locations_why", name: "name",
    blank: { name: "", patterns: [], time_zone: null, notes: "" },
    groups: [
      {
        fields: [
          name,
          { pointer: "/patterns", as: "lines", word: "routing.addresses", hint: "routing.addresses_hint" },
          { pointer: "/time_zone", as: "text", empty: "null", max: 64, word: "routing.time_zone", hint: "routing.time_zone_hint" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name" },
      { key: "patterns", word: "routing.addresses", as: "names" },
      { key: "time_zone", word: "routing.time_zone" },
    ],
  },
  domains: {
    word: "routing.domains", one: "routing.domain", add: "routing.add_domain", why: "routing.domains_why", name: "name",
    blank: { name: "", authoritative: true, notes: "" },
    groups: [
      {
        fields: [
          { ...name, max: 253, mono: true },
          { pointer: "/authoritative", as: "yes", word: "routing.authoritative", hint: "routing.authoritative_hint" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name", as: "mono" },
      { key: "flags", word: "routing.state", as: "flags" },
      { key: "notes", word: "routing.notes", minor: true },
    ],
  },
  adaptations: {
    word: "routing.adaptations", one: "routing.adaptation", add: "routing.add_adaptation", why: "routing.adaptations_why", name: "name",
    blank: {
      name: "", state: "enabled", from_to: false, ingress_domain: null, egress_domain: null, ingress_source_domain: null,
      egress_source_domain: null, egress_remove_headers: [], ingress_remove_headers: [], digit_conversions: [], notes: "",
    },
    groups: [
      {
        fields: [
          name,
          { pointer: "/state", as: "choice", choices: ["enabled", "disabled", "test_only"], say: (value) => `routing.adapt_${value}` as Key, word: "routing.state" },
          { pointer: "/from_to", as: "yes", word: "routing.from_to", hint: "routing.from_to_hint" },
        ],
      },
      { fields: [{ pointer: "/digit_conversions", as: "conversions", word: "routing.conversions", hint: "routing.conversions_hint" }] },
      {
        word: "routing.rewritten",
        fields: [
          { pointer: "/ingress_domain", as: "text", empty: "null", mono: true, word: "routing.ingress_domain", hint: "routing.rewritten_hint" },
          { pointer: "/ingress_source_domain", as: "text", empty: "null", mono: true, word: "routing.ingress_source_domain" },
          { pointer: "/egress_domain", as: "text", empty: "null", mono: true, word: "routing.egress_domain" },
          { pointer: "/egress_source_domain", as: "text", empty: "null", mono: true, word: "routing.egress_source_domain" },
          { pointer: "/ingress_remove_headers", as: "lines", word: "routing.ingress_headers", hint: "routing.headers_hint" },
          { pointer: "/egress_remove_headers", as: "lines", word: "routing.egress_headers" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "name", word: "frame.name", sort: "name" },
      { key: "state", word: "routing.state", as: "flags" },
      { key: "conversions", word: "routing.conversions", as: "number" },
    ],
  },
  "application-sequences": {
    word: "routing.sequences", one: "routing.sequence", add: "routing.add_sequence", why: "routing.sequences_why", name: "name",
    blank: { name: "", entities: [] },
    groups: [{ fields: [name, { pointer: "/entities", as: "applications", word: "routing.applications", hint: "routing.applications_hint" }] }],
    columns: [
      { key: "name", word: "frame.name", sort: "name" },
      { key: "entities", word: "routing.applications", as: "applications" },
    ],
  },
  "implicit-users": {
    word: "routing.implicit", one: "routing.implicit_one", add: "routing.add_implicit", why: "routing.implicit_why", name: "pattern",
    blank: { pattern: "", min: 1, max: 36, domain: null, origination_sequence: null, termination_sequence: null },
    groups: [
      {
        fields: [
          { pointer: "/pattern", as: "text", required: true, max: 36, mono: true, word: "routing.pattern", hint: "routing.pattern_hint" },
          ...lengths,
          anyDomain,
          { pointer: "/origination_sequence", as: "name", of: "application-sequences", none: "frame.none", word: "routing.origination" },
          { pointer: "/termination_sequence", as: "name", of: "application-sequences", none: "frame.none", word: "routing.termination" },
        ],
      },
    ],
    columns: [
      { key: "pattern", word: "routing.pattern", sort: "pattern", as: "mono" },
      { key: "length", word: "routing.length" },
      { key: "origination_sequence", word: "routing.origination", as: "any" },
      { key: "termination_sequence", word: "routing.termination", as: "any" },
    ],
  },
  "firewall-rules": {
    word: "routing.firewall", one: "routing.firewall_rule", add: "routing.add_firewall_rule", why: "routing.firewall_why", name: "pattern",
    blank: { pattern: "", action: "deny", notes: "" },
    groups: [
      {
        fields: [
          { pointer: "/pattern", as: "text", required: true, max: 90, mono: true, word: "routing.addresses", hint: "routing.firewall_pattern_hint" },
          { pointer: "/action", as: "choice", choices: ["deny", "allow"], say: (value) => `routing.firewall_${value}` as Key, word: "routing.firewall_action", hint: "routing.firewall_action_hint" },
          notes,
        ],
      },
    ],
    columns: [
      { key: "pattern", word: "routing.addresses", sort: "pattern", as: "mono" },
      { key: "flags", word: "routing.firewall_action", as: "flags" },
      { key: "notes", word: "routing.notes", minor: true },
    ],
  },
};

/** The limits of the firewall, and the least and most that each may be. */
export const LIMITS = [
  ["source_per_s", 0, 1000000],
  ["source_burst", 1, 1000000],
  ["user_per_s", 0, 1000000],
  ["user_burst", 1, 1000000],
  ["malformed_max", 0, 1000000],
  ["failed_max", 0, 1000000],
  ["quarantine_s", 1, 86400],
  ["connections_max", 0, 10240],
] as const;
export const limitFields: readonly FieldSpec[] = LIMITS.map(([limit, min, max]) => ({
  pointer: `/firewall/${limit}`, as: "number", min, max, empty: "null", word: `routing.limit_${limit}`,
}));
const noLimits: Draft = Object.fromEntries(LIMITS.map(([limit]) => [limit, null]));

/** What holds for all routing: one row that is always there. */
export const settingsBlank: Draft = { better_match_all_overrides: false, emergency_unauthenticated: false, outbound_proxy: null, firewall: noLimits };
export const settingsFields: readonly FieldSpec[] = [
  { pointer: "/outbound_proxy", as: "name", of: "sip-entities", none: "frame.none", word: "routing.outbound_proxy", hint: "routing.outbound_proxy_hint" },
  { pointer: "/better_match_all_overrides", as: "yes", word: "routing.better_match", hint: "routing.better_match_hint" },
  { pointer: "/emergency_unauthenticated", as: "yes", word: "routing.emergency_anybody", hint: "routing.emergency_anybody_hint" },
];
export const SETTINGS = "/routing/settings";

export function kindOf(path: string): Kind | undefined {
  if (path === "/routing") return "sip-entities";
  return KINDS.find((kind) => path === `/routing/${kind}`);
}

/** The list of entities is what Routing opens with. */
export function pathOf(kind: Kind): string {
  return kind === "sip-entities" ? "/routing" : `/routing/${kind}`;
}
