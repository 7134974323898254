/* SPDX-License-Identifier: Apache-2.0 */
/* uc_resources.c - the resources of routing (uc_rows.h), each one table: its members and their rules,
 * where they are kept, what they name, how they are listed. */
#include "control/uc/uc_check.h"
#include "control/uc/uc_resource_fields.h"
#include "control/uc/uc_rows.h"
#include "node/uc_limits.h"

#include <string.h>

static const char *const entity_types[] = { "sm",	 "cm",	    "presence", "trunk",
					    "voicemail", "gateway", "other",	NULL };
static const char *const transports[] = { "udp", "tcp", "tls", NULL };
static const char *const states[] = { "enabled", "disabled", "test_only", NULL };
static const char *const directions[] = { "ingress", "egress", NULL };
static const char *const addresses[] = { "origination", "destination", "both", NULL };
static const char *const actions[] = { "allow", "deny", NULL };
static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

/* clang-format off */
#define NAME(needed, name_, ...) \
	JSON_MEMBER(STRING, name_, .required = (needed), .min = 1, .max = UC_NAME_MAX, \
		    .pattern = UC_NAME_PATTERN, .check = uc_check_name, __VA_ARGS__)
#define NOTES JSON_MEMBER(STRING, "notes", .max = UC_NOTES_MAX, .help = "For people")
#define DOMAIN(name_, ...) \
	JSON_MEMBER(STRING, name_, .min = 1, .max = UC_DOMAIN_MAX, .pattern = UC_DOMAIN_PATTERN, \
		    .check = uc_check_domain, .nullable = true, __VA_ARGS__)
#define HEADERS(name_) \
	JSON_MEMBER(STRINGS, name_, .max = UC_REMOVED_HEADERS_MAX, .pattern = UC_HEADER_PATTERN, .check = uc_check_header, \
		    .help = "Header fields that are taken away")
#define POLICIES \
	JSON_MEMBER(STRINGS, "policies", .max = UC_PATTERN_POLICIES_MAX, .help = "Names of routing policies")
#define NUMBER(needed) \
	JSON_MEMBER(STRING, "pattern", .required = (needed), .min = 1, .max = UC_DIGITS_MAX, \
		    .pattern = UC_DIGITS_PATTERN, .check = uc_check_digits, \
		    .help = "First digits; x is any one digit"), \
	JSON_MEMBER(U32, "min", .min = 1, .max = UC_DIGITS_MAX, .help = "Digits at least; the pattern's if not said"), \
	JSON_MEMBER(U32, "max", .min = 1, .max = UC_DIGITS_MAX, .help = "Digits at most")
#define BOTH(fields_) \
	const struct json_field fields_##_fields[] = { MEMBERS(true), JSON_END }; \
	const struct json_field fields_##_patch_fields[] = { MEMBERS(false), JSON_END }
#define COLUMNS (const struct uc_column[])
#define REFERENCES (const struct uc_reference[])
#define PARTS (const struct uc_part[])
#define LIST(...) \
	(const struct listing_field[]) { __VA_ARGS__, \
		{ .name = "created_at", .kind = LISTING_TIME, .use = LISTING_SORT, .column = "r.created_at" }, \
		{ .name = "updated_at", .kind = LISTING_TIME, .use = LISTING_SORT, .column = "r.updated_at" }, \
		{ .name = NULL } }
#define BY_NAME \
	{ .name = "name", .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH | LISTING_FILTER, \
	  .column = "r.name", .help = "Name" }
#define BY_ID { .name = "id", .kind = LISTING_ID, .use = LISTING_KEY, .column = "r.id" }
#define IN_NOTES { .name = "notes", .use = LISTING_SEARCH, .column = "r.notes" }
#define TEXT_LIST(name_, help_) \
	{ .name = name_, .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER, \
	  .column = "coalesce(r." name_ ", '')", .help = help_ }
#define FLAG(name_, help_) \
	{ .name = name_, .kind = LISTING_BOOL, .use = LISTING_FILTER, .column = "r." name_, .help = help_ }

/* Domains --------------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	JSON_MEMBER(STRING, "name", .required = (needed), .min = 1, .max = UC_DOMAIN_MAX, \
		    .pattern = UC_DOMAIN_PATTERN, .check = uc_check_domain), \
	JSON_MEMBER(BOOL, "authoritative", .help = "sm answers for it; the appliance's own always is"), \
	NOTES
BOTH(uc_domain);
#undef MEMBERS
const struct listing uc_domain_listing = { .sort = "name", .fields = LIST(BY_NAME, IN_NOTES) };
const struct uc_resource uc_domains = {
	.path = "domains", .kind = "domain", .title = "domain", .table = "domains", .label = "name",
	.named = true, .limit = UC_DOMAINS_MAX, .fields = uc_domain_fields, .listing = &uc_domain_listing,
	.defaults = "{\"authoritative\":true,\"notes\":\"\"}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "authoritative", UC_BOOLEAN }, { "notes", UC_TEXT }, { 0 } },
};

/* Locations ------------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(STRINGS, "patterns", .max = UC_IP_PATTERNS_MAX, .check = uc_check_ip_pattern, \
		    .help = "Addresses there: 10.1.0.0/16, 10.0.0.1-10.0.0.9, 135.12x.121.*, 2001:db8::/32"), \
	JSON_MEMBER(STRING, "time_zone", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .pattern = UC_ZONE_PATTERN, .check = uc_check_zone, .help = "UTC if not said"), \
	NOTES
BOTH(uc_location);
#undef MEMBERS
const struct listing uc_location_listing = {
	.sort = "name",
	.fields = LIST(BY_NAME, IN_NOTES,
		       { .name = "patterns", .use = LISTING_SEARCH,
			 .column = "array_to_string(r.patterns, ' ')" }) };
const struct uc_resource uc_locations = {
	.path = "locations", .kind = "location", .title = "location", .table = "locations", .label = "name",
	.named = true, .limit = UC_LOCATIONS_MAX, .fields = uc_location_fields, .listing = &uc_location_listing,
	.defaults = "{\"patterns\":[],\"notes\":\"\"}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "patterns", UC_TEXTS }, { "time_zone", UC_TEXT },
			    { "notes", UC_TEXT }, { 0 } },
};

/* Adaptations ----------------------------------------------------------------------------- */
static const struct json_field conversion_fields[] = {
	JSON_MEMBER(ENUM, "direction", .required = true, .choices = directions),
	JSON_MEMBER(ENUM, "address", .choices = addresses, .help = "Whose number; both if not said"),
	JSON_MEMBER(STRING, "match", .required = true, .min = 1, .max = UC_DIGITS_MAX, .pattern = UC_DIGITS_PATTERN,
		    .check = uc_check_digits, .help = "First digits; x is any one digit"),
	JSON_MEMBER(U32, "min", .min = 1, .max = UC_DIGITS_MAX), JSON_MEMBER(U32, "max", .min = 1, .max = UC_DIGITS_MAX),
	JSON_MEMBER(U32, "delete", .max = UC_DIGITS_MAX, .help = "How many leading digits go"),
	JSON_MEMBER(STRING, "insert", .max = UC_DIGITS_MAX, .pattern = UC_INSERT_PATTERN, .check = uc_check_insert,
		    .help = "What comes in their place"),
	JSON_END,
};
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(ENUM, "state", .choices = states, .help = "test_only: in route tests alone"), \
	JSON_MEMBER(BOOL, "from_to", .help = "From and To are changed, too"), \
	DOMAIN("ingress_domain"), DOMAIN("egress_domain"), \
	DOMAIN("ingress_source_domain"), DOMAIN("egress_source_domain"), \
	HEADERS("ingress_remove_headers"), HEADERS("egress_remove_headers"), \
	JSON_MEMBER(OBJECTS, "digit_conversions", .fields = conversion_fields, .max = UC_CONVERSIONS_MAX), \
	NOTES
BOTH(uc_adaptation);
#undef MEMBERS

static int complete_adaptation(json_t *document, struct error *err)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(document, "digit_conversions"), i, item)
	{
		const json_t *min = json_object_get(item, "min"), *max = json_object_get(item, "max");
		char pointer[64];

		if ((min ? json_integer_value(min) : 1) <= (max ? json_integer_value(max) : 36))
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/digit_conversions/%zu/max", i);
		return error_field(err, -EINVAL, pointer, "is less than min");
	}
	return 0;
}

const struct listing uc_adaptation_listing = {
	.sort = "name",
	.fields = LIST(BY_NAME, IN_NOTES,
		       { .name = "state", .kind = LISTING_WORD, .use = LISTING_SORT | LISTING_FILTER,
			 .words = states, .column = "r.state", .help = "State" }) };
const struct uc_resource uc_adaptations = {
	.path = "adaptations", .kind = "adaptation", .title = "adaptation", .table = "adaptations",
	.label = "name", .named = true, .limit = UC_ADAPTATIONS_MAX, .fields = uc_adaptation_fields,
	.listing = &uc_adaptation_listing, .complete = complete_adaptation,
	.defaults = "{\"state\":\"enabled\",\"from_to\":false,\"ingress_remove_headers\":[],"
		    "\"egress_remove_headers\":[],\"digit_conversions\":[],\"notes\":\"\"}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "state", UC_TEXT }, { "from_to", UC_BOOLEAN },
			    { "ingress_domain", UC_TEXT }, { "egress_domain", UC_TEXT },
			    { "ingress_source_domain", UC_TEXT }, { "egress_source_domain", UC_TEXT },
			    { "ingress_remove_headers", UC_TEXTS }, { "egress_remove_headers", UC_TEXTS },
			    { "notes", UC_TEXT }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM digit_conversions WHERE adaptation_id = $1::uuid", 1 },
		{ "INSERT INTO digit_conversions (adaptation_id, position, direction, address, match, min,"
		  " max, delete, insert) SELECT $1::uuid, n, c ->> 'direction',"
		  " coalesce(c ->> 'address', 'both'), c ->> 'match', coalesce((c ->> 'min')::integer, 1),"
		  " coalesce((c ->> 'max')::integer, 36), coalesce((c ->> 'delete')::integer, 0),"
		  " coalesce(c ->> 'insert', '') FROM jsonb_array_elements($2::jsonb -> 'digit_conversions')"
		  " WITH ORDINALITY AS v (c, n)", 2 }, { 0 } },
};

/* SIP entities ---------------------------------------------------------------------------- */
static const struct json_field monitoring_fields[] = {
	JSON_MEMBER(BOOL, "enabled", .help = "OPTIONS are sent"),
	JSON_MEMBER(U32, "proactive_s", .min = 1, .max = UC_PROACTIVE_MAX_S, .help = "Between OPTIONS while it is up"),
	JSON_MEMBER(U32, "reactive_s", .min = 1, .max = UC_REACTIVE_MAX_S, .help = "Between OPTIONS while it is down"),
	JSON_MEMBER(U32, "retries", .max = UC_RETRIES_MAX),
	JSON_MEMBER(STRINGS, "down_on", .nullable = true, .max = UC_DOWN_ON_MAX, .pattern = UC_STATUS_PATTERN,
		    .check = uc_check_status, .help = "Answers that mean down; null: the usual ones"),
	JSON_END,
};
static const struct json_field registration_fields[] = {
	JSON_MEMBER(STRING, "registrar", .required = true, .min = 1, .max = UC_REGISTRAR_MAX, .check = uc_check_host,
		    .help = "The provider's domain or address"),
	JSON_MEMBER(STRING, "user", .required = true, .min = 1, .max = UC_REG_USER_MAX, .check = uc_check_text),
	JSON_MEMBER(STRING, "auth_user", .nullable = true, .min = 1, .max = UC_REG_USER_MAX, .check = uc_check_text,
		    .help = "Name of the log-in where it is not the user"),
	JSON_MEMBER(STRING, "password", .nullable = true, .write_only = true, .min = 1, .max = UC_REG_PASSWORD_MAX),
	JSON_MEMBER(STRING, "password_sealed", .nullable = true, .write_only = true, .min = 1,
		    .max = UC_REG_SEALED_MAX, .help = "As an export of this appliance has it"),
	JSON_MEMBER(U32, "expires_s", .min = UC_REG_EXPIRES_MIN_S, .max = UC_REG_EXPIRES_MAX_S),
	JSON_END,
};
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(ENUM, "type", .required = (needed), .choices = entity_types), \
	JSON_MEMBER(STRING, "address", .required = (needed), .min = 1, .max = UC_DOMAIN_MAX, .check = uc_check_host, \
		    .help = "Host name or IP address"), \
	JSON_MEMBER(U32, "port", .min = 1, .max = 65535, .help = "5061 for TLS, else 5060, if not said"), \
	JSON_MEMBER(ENUM, "transport", .choices = transports), \
	JSON_MEMBER(BOOL, "trusted", .help = "Its identity and internal headers are believed"), \
	JSON_MEMBER(STRING, "location", .nullable = true, .min = 1, .max = UC_NAME_MAX, .help = "Name of its location"), \
	JSON_MEMBER(STRING, "adaptation", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .help = "Name of its adaptation"), \
	JSON_MEMBER(STRING, "time_zone", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .pattern = UC_ZONE_PATTERN, .check = uc_check_zone), \
	JSON_MEMBER(U32, "timer_b_s", .nullable = true, .min = 1, .max = UC_TIMER_B_MAX_S, \
		    .help = "Seconds that it may be silent before the next way is tried"), \
	JSON_MEMBER(OBJECT, "monitoring", .fields = monitoring_fields), \
	JSON_MEMBER(OBJECT, "registration", .fields = registration_fields, .nullable = true, \
		    .help = "sm registers there as a phone would"), \
	JSON_MEMBER(U32, "max_calls", .nullable = true, .min = 1, .max = UC_CALLS_MAX), \
	NOTES
BOTH(uc_sip_entity);
#undef MEMBERS

static int complete_entity(json_t *document, struct error *err)
{
	const char *transport = json_string_value(json_object_get(document, "transport"));

	if (json_object_get(document, "port"))
		return 0;
	if (json_object_set_new(document, "port",
				json_integer(strcmp(transport, "tls") == 0 ? 5061 : 5060)) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

const struct listing uc_sip_entity_listing = {
	.sort = "name",
	.fields = LIST(BY_NAME, IN_NOTES,
		       { .name = "type", .kind = LISTING_WORD, .use = LISTING_SORT | LISTING_FILTER,
			 .words = entity_types, .column = "r.type", .help = "Type" },
		       TEXT_LIST("address", "Address"), TEXT_LIST("location", "Name of the location"),
		       TEXT_LIST("adaptation", "Name of the adaptation")) };
const struct uc_resource uc_sip_entities = {
	.path = "sip-entities", .kind = "sip_entity", .title = "SIP entity", .table = "sip_entities",
	.label = "name", .named = true, .limit = UC_ENTITIES_MAX, .fields = uc_sip_entity_fields,
	.listing = &uc_sip_entity_listing, .complete = complete_entity,
	.defaults = "{\"transport\":\"tls\",\"trusted\":false,\"monitoring\":{\"enabled\":true,"
		    "\"proactive_s\":900,\"reactive_s\":120,\"retries\":1},\"notes\":\"\"}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "type", UC_TEXT }, { "address", UC_TEXT },
			    { "port", UC_INTEGER }, { "transport", UC_TEXT }, { "trusted", UC_BOOLEAN },
			    { "location", UC_TEXT }, { "adaptation", UC_TEXT }, { "time_zone", UC_TEXT },
			    { "timer_b_s", UC_INTEGER },
			    { "monitoring_enabled", UC_BOOLEAN, "monitoring,enabled" },
			    { "monitoring_proactive_s", UC_INTEGER, "monitoring,proactive_s" },
			    { "monitoring_reactive_s", UC_INTEGER, "monitoring,reactive_s" },
			    { "monitoring_retries", UC_INTEGER, "monitoring,retries" },
			    { "monitoring_down_on", UC_TEXTS, "monitoring,down_on" },
			    { "max_calls", UC_INTEGER }, { "notes", UC_TEXT }, { 0 } },
	.references = REFERENCES{ { "$.location", "/location", "locations", "location" },
				  { "$.adaptation", "/adaptation", "adaptations", "adaptation" }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM entity_registrations WHERE entity_id = $1::uuid"
		  " AND jsonb_typeof($2::jsonb -> 'registration') IS DISTINCT FROM 'object'", 2 },
		/* no password in it: the one that there is stays */
		{ "INSERT INTO entity_registrations AS g (entity_id, registrar, \"user\", auth_user, password_sealed,"
		  " expires_s) SELECT $1::uuid, v ->> 'registrar', v ->> 'user', v ->> 'auth_user',"
		  " v ->> 'password_sealed', coalesce((v ->> 'expires_s')::integer, 3600)"
		  " FROM (SELECT $2::jsonb -> 'registration' AS v) AS input WHERE jsonb_typeof(v) = 'object'"
		  " ON CONFLICT (entity_id) DO UPDATE SET registrar = excluded.registrar,"
		  " \"user\" = excluded.\"user\", auth_user = excluded.auth_user,"
		  " password_sealed = coalesce(excluded.password_sealed, g.password_sealed), expires_s = excluded.expires_s", 2 },
		{ 0 } },
};

/* Entity links ---------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	JSON_MEMBER(STRING, "entity", .required = (needed), .min = 1, .max = UC_NAME_MAX, .help = "Name of the SIP entity"), \
	JSON_MEMBER(ENUM, "transport", .choices = transports), \
	JSON_MEMBER(U32, "port", .min = 1, .max = 65535, .help = "5061 for TLS, else 5060, if not said"), \
	JSON_MEMBER(BOOL, "trusted"), \
	JSON_MEMBER(BOOL, "deny_new_service", .help = "No new calls; those that are there go on"), \
	NOTES
BOTH(uc_entity_link);
#undef MEMBERS
const struct listing uc_entity_link_listing = {
	.sort = "entity",
	.fields = LIST(TEXT_LIST("entity", "Name of the SIP entity"), BY_ID, IN_NOTES,
		       { .name = "transport", .kind = LISTING_WORD, .use = LISTING_FILTER,
			 .words = transports, .column = "r.transport", .help = "Transport" },
		       FLAG("deny_new_service", "Closed for new calls")) };
const struct uc_resource uc_entity_links = {
	.path = "entity-links", .kind = "entity_link", .title = "entity link", .table = "entity_links",
	.label = "entity", .limit = UC_ENTITY_LINKS_ALL_MAX, .fields = uc_entity_link_fields,
	.listing = &uc_entity_link_listing, .complete = complete_entity,
	.key = "t.entity = d ->> 'entity' AND t.transport = d ->> 'transport'"
	       " AND t.port = (d ->> 'port')::integer",
	.defaults = "{\"transport\":\"tls\",\"trusted\":false,\"deny_new_service\":false,\"notes\":\"\"}",
	.columns = COLUMNS{ { "entity", UC_TEXT }, { "transport", UC_TEXT }, { "port", UC_INTEGER },
			    { "trusted", UC_BOOLEAN }, { "deny_new_service", UC_BOOLEAN },
			    { "notes", UC_TEXT }, { 0 } },
	.references = REFERENCES{ { "$.entity", "/entity", "sip_entities", "SIP entity" }, { 0 } },
};

/* Time ranges ----------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(STRINGS, "days", .min = 1, .max = 7, .choices = days, .check = uc_check_day, \
		    .help = "All of them if not said"), \
	JSON_MEMBER(STRING, "start", .required = (needed), .min = 5, .max = 5, \
		    .pattern = UC_CLOCK_PATTERN, .check = uc_check_clock), \
	JSON_MEMBER(STRING, "end", .required = (needed), .min = 5, .max = 5, \
		    .pattern = UC_CLOCK_END_PATTERN, .check = uc_check_clock_end, \
		    .help = "Not after the start: the next day")
BOTH(uc_time_range);
#undef MEMBERS
const struct listing uc_time_range_listing = { .sort = "name", .fields = LIST(BY_NAME) };
const struct uc_resource uc_time_ranges = {
	.path = "time-ranges", .kind = "time_range", .title = "time range", .table = "time_ranges",
	.label = "name", .named = true, .limit = UC_TIME_RANGES_MAX, .fields = uc_time_range_fields,
	.listing = &uc_time_range_listing,
	.defaults = "{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"]}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "days", UC_TEXTS }, { "start", UC_TEXT },
			    { "end", UC_TEXT }, { 0 } },
};

/* Routing policies ------------------------------------------------------------------------ */
static const struct json_field time_fields[] = {
	JSON_MEMBER(STRING, "time_range", .nullable = true, .min = 1, .max = UC_NAME_MAX,
		    .help = "Name of a time range; null: always"),
	JSON_MEMBER(U32, "rank", .max = UC_RANK_MAX, .help = "Lower ones first"),
	JSON_END,
};
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(STRING, "entity", .required = (needed), .min = 1, .max = UC_NAME_MAX, \
		    .help = "Name of the SIP entity that calls go to"), \
	JSON_MEMBER(BOOL, "disabled"), \
	JSON_MEMBER(OBJECTS, "times", .fields = time_fields, .min = 1, .max = UC_POLICY_TIMES_MAX, \
		    .help = "When it is taken; always if not said"), \
	NOTES
BOTH(uc_routing_policy);
#undef MEMBERS
const struct listing uc_routing_policy_listing = {
	.sort = "name",
	.fields = LIST(BY_NAME, IN_NOTES, TEXT_LIST("entity", "Name of the SIP entity"),
		       FLAG("disabled", "Not taken")) };
const struct uc_resource uc_routing_policies = {
	.path = "routing-policies", .kind = "routing_policy", .title = "routing policy",
	.table = "routing_policies", .label = "name", .named = true, .limit = UC_POLICIES_MAX,
	.fields = uc_routing_policy_fields, .listing = &uc_routing_policy_listing,
	.defaults = "{\"disabled\":false,\"times\":[{\"time_range\":null,\"rank\":0}],\"notes\":\"\"}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { "entity", UC_TEXT }, { "disabled", UC_BOOLEAN },
			    { "notes", UC_TEXT }, { 0 } },
	.references = REFERENCES{
		{ "$.entity", "/entity", "sip_entities", "SIP entity" },
		{ "$.times[*].time_range", "/times/%zu/time_range", "time_ranges", "time range" }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM routing_policy_times WHERE policy_id = $1::uuid", 1 },
		{ "INSERT INTO routing_policy_times (policy_id, position, time_range, rank)"
		  " SELECT $1::uuid, n, t ->> 'time_range', coalesce((t ->> 'rank')::integer, 0)"
		  " FROM jsonb_array_elements($2::jsonb -> 'times') WITH ORDINALITY AS v (t, n)", 2 }, { 0 } },
};

/* Dial patterns --------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	NUMBER(needed), \
	JSON_MEMBER(BOOL, "emergency", .help = "Whoever calls, and from where he really is"), \
	DOMAIN("domain", .help = "Name of a domain; null: all"), \
	JSON_MEMBER(STRING, "location", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .help = "Name of the caller's location; null: all"), \
	POLICIES, \
	JSON_MEMBER(BOOL, "deny", .help = "Such calls are refused"), \
	NOTES
BOTH(uc_dial_pattern);
#undef MEMBERS

static int complete_number(json_t *document, struct error *err)
{
	size_t len = json_string_length(json_object_get(document, "pattern"));
	json_int_t min, max = json_integer_value(json_object_get(document, "max"));

	if (!json_object_get(document, "min") &&
	    json_object_set_new(document, "min", json_integer((json_int_t)len)) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	min = json_integer_value(json_object_get(document, "min"));
	if (min > max)
		return error_field(err, -EINVAL, "/max", "is less than min");
	if ((json_int_t)len > max)
		return error_field(err, -EINVAL, "/max", "is less than the digits of the pattern");
	return 0;
}

/* The database would say so of a name that is there twice, in its own words. */
static int check_twice(const json_t *policies, struct error *err)
{
	size_t i, k;
	json_t *one;

	json_array_foreach((json_t *)policies, i, one)
	{
		char pointer[32];

		for (k = 0; k < i && !json_equal(one, json_array_get(policies, k)); k++)
			;
		if (k == i)
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/policies/%zu", i);
		return error_field(err, -EINVAL, pointer, "is there twice");
	}
	return 0;
}

static int complete_routes(json_t *document, struct error *err)
{
	const json_t *policies = json_object_get(document, "policies");
	bool deny = json_is_true(json_object_get(document, "deny"));

	if (!deny && json_array_size(policies) == 0)
		return error_field(err, -EINVAL, "/policies", "needs one, unless deny is true");
	return check_twice(policies, err);
}

static int complete_pattern(json_t *document, struct error *err)
{
	int r = complete_number(document, err);

	return r < 0 ? r : complete_routes(document, err);
}

const struct listing uc_dial_pattern_listing = {
	.sort = "pattern",
	.fields = LIST({ .name = "pattern", .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			 .column = "r.pattern", .help = "Pattern" },
		       BY_ID, IN_NOTES, TEXT_LIST("domain", "Name of the domain"),
		       TEXT_LIST("location", "Name of the location"),
		       FLAG("emergency", "Emergency numbers"), FLAG("deny", "Refused numbers"),
		       { .name = "policy", .use = LISTING_SEARCH,
			 .column = "coalesce((SELECT string_agg(l.policy, ' ') FROM dial_pattern_policies l"
				   " WHERE l.pattern_id = r.id), '')" }) };
const struct uc_resource uc_dial_patterns = {
	.path = "dial-patterns", .kind = "dial_pattern", .title = "dial pattern", .table = "dial_patterns",
	.label = "pattern", .limit = UC_DIAL_PATTERNS_MAX, .fields = uc_dial_pattern_fields,
	.listing = &uc_dial_pattern_listing, .complete = complete_pattern,
	.key = "t.pattern = d ->> 'pattern' AND t.min = (d ->> 'min')::integer"
	       " AND t.max = (d ->> 'max')::integer AND t.domain IS NOT DISTINCT FROM d ->> 'domain'"
	       " AND t.location IS NOT DISTINCT FROM d ->> 'location'",
	.defaults = "{\"max\":36,\"emergency\":false,\"policies\":[],\"deny\":false,\"notes\":\"\"}",
	.columns = COLUMNS{ { "pattern", UC_TEXT }, { "min", UC_INTEGER }, { "max", UC_INTEGER },
			    { "emergency", UC_BOOLEAN }, { "domain", UC_TEXT }, { "location", UC_TEXT },
			    { "deny", UC_BOOLEAN }, { "notes", UC_TEXT }, { 0 } },
	.references = REFERENCES{
		{ "$.domain", "/domain", "domains", "domain" },
		{ "$.location", "/location", "locations", "location" },
		{ "$.policies[*]", "/policies/%zu", "routing_policies", "routing policy" }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM dial_pattern_policies WHERE pattern_id = $1::uuid", 1 },
		{ "INSERT INTO dial_pattern_policies (pattern_id, position, policy)"
		  " SELECT $1::uuid, n, p FROM jsonb_array_elements_text($2::jsonb -> 'policies')"
		  " WITH ORDINALITY AS v (p, n)", 2 }, { 0 } },
};

/* Regular expressions --------------------------------------------------------------------- */
#define MEMBERS(needed) \
	JSON_MEMBER(STRING, "pattern", .required = (needed), .min = 1, .max = UC_EXPRESSION_MAX, \
		    .check = uc_check_expression, .help = "Of the whole address, then of user@host (PCRE2)"), \
	JSON_MEMBER(U32, "rank", .max = UC_EXPRESSION_RANK_MAX, .help = "Lower ones are asked first"), \
	POLICIES, \
	JSON_MEMBER(BOOL, "deny", .help = "Such calls are refused"), \
	NOTES
BOTH(uc_regular_expression);
#undef MEMBERS
const struct listing uc_regular_expression_listing = {
	.sort = "rank",
	.fields = LIST({ .name = "rank", .kind = LISTING_NUMBER, .use = LISTING_SORT, .column = "r.rank" },
		       { .name = "pattern", .use = LISTING_KEY | LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			 .column = "r.pattern", .help = "Pattern" },
		       IN_NOTES, FLAG("deny", "Refused addresses")) };
const struct uc_resource uc_regular_expressions = {
	.path = "regular-expressions", .kind = "regular_expression", .title = "regular expression",
	.table = "regular_expressions", .label = "pattern", .limit = UC_EXPRESSIONS_MAX,
	.fields = uc_regular_expression_fields, .listing = &uc_regular_expression_listing,
	.complete = complete_routes, .key = "t.pattern = d ->> 'pattern'",
	.defaults = "{\"rank\":0,\"policies\":[],\"deny\":false,\"notes\":\"\"}",
	.columns = COLUMNS{ { "pattern", UC_TEXT }, { "rank", UC_INTEGER }, { "deny", UC_BOOLEAN },
			    { "notes", UC_TEXT }, { 0 } },
	.references = REFERENCES{
		{ "$.policies[*]", "/policies/%zu", "routing_policies", "routing policy" }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM regular_expression_policies WHERE expression_id = $1::uuid", 1 },
		{ "INSERT INTO regular_expression_policies (expression_id, position, policy)"
		  " SELECT $1::uuid, n, p FROM jsonb_array_elements_text($2::jsonb -> 'policies')"
		  " WITH ORDINALITY AS v (p, n)", 2 }, { 0 } },
};

/* Application sequences ------------------------------------------------------------------- */
static const struct json_field application_fields[] = {
	JSON_MEMBER(STRING, "name", .required = true, .min = 1, .max = UC_NAME_MAX, .help = "Name of the SIP entity"),
	JSON_MEMBER(BOOL, "mandatory", .help = "A call fails without it; true if not said"),
	JSON_END,
};
#define MEMBERS(needed) \
	NAME(needed, "name"), \
	JSON_MEMBER(OBJECTS, "entities", .fields = application_fields, .max = UC_APPLICATIONS_MAX, \
		    .help = "The applications, in the order in which calls pass them")
BOTH(uc_application_sequence);
#undef MEMBERS
const struct listing uc_application_sequence_listing = { .sort = "name", .fields = LIST(BY_NAME) };
const struct uc_resource uc_application_sequences = {
	.path = "application-sequences", .kind = "application_sequence", .title = "application sequence",
	.table = "application_sequences", .label = "name", .named = true, .limit = UC_SEQUENCES_MAX,
	.fields = uc_application_sequence_fields, .listing = &uc_application_sequence_listing,
	.defaults = "{\"entities\":[]}",
	.columns = COLUMNS{ { "name", UC_TEXT }, { 0 } },
	.references = REFERENCES{
		{ "$.entities[*].name", "/entities/%zu/name", "sip_entities", "SIP entity" }, { 0 } },
	.parts = PARTS{
		{ "DELETE FROM application_sequence_entities WHERE sequence_id = $1::uuid", 1 },
		{ "INSERT INTO application_sequence_entities (sequence_id, position, entity_id, mandatory)"
		  " SELECT $1::uuid, n, e.id, coalesce((a ->> 'mandatory')::boolean, true)"
		  " FROM jsonb_array_elements($2::jsonb -> 'entities') WITH ORDINALITY AS v (a, n)"
		  " JOIN sip_entities e ON e.name = a ->> 'name'", 2 }, { 0 } },
};

/* Implicit users -------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	NUMBER(needed), \
	DOMAIN("domain", .help = "Name of a domain; null: all"), \
	JSON_MEMBER(STRING, "origination_sequence", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .help = "Name of the application sequence of calls that they make"), \
	JSON_MEMBER(STRING, "termination_sequence", .nullable = true, .min = 1, .max = UC_NAME_MAX, \
		    .help = "Name of the application sequence of calls to them")
BOTH(uc_implicit_user);
#undef MEMBERS
const struct listing uc_implicit_user_listing = {
	.sort = "pattern",
	.fields = LIST({ .name = "pattern", .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			 .column = "r.pattern", .help = "Pattern" },
		       BY_ID, TEXT_LIST("domain", "Name of the domain")) };
const struct uc_resource uc_implicit_users = {
	.path = "implicit-users", .kind = "implicit_user", .title = "implicit user",
	.table = "implicit_users", .label = "pattern", .limit = UC_IMPLICIT_USERS_MAX, .fields = uc_implicit_user_fields,
	.listing = &uc_implicit_user_listing, .complete = complete_number,
	.key = "t.pattern = d ->> 'pattern' AND t.min = (d ->> 'min')::integer"
	       " AND t.max = (d ->> 'max')::integer AND t.domain IS NOT DISTINCT FROM d ->> 'domain'",
	.defaults = "{\"max\":36}",
	.columns = COLUMNS{ { "pattern", UC_TEXT }, { "min", UC_INTEGER }, { "max", UC_INTEGER },
			    { "domain", UC_TEXT }, { "origination_sequence", UC_TEXT },
			    { "termination_sequence", UC_TEXT }, { 0 } },
	.references = REFERENCES{
		{ "$.domain", "/domain", "domains", "domain" },
		{ "$.origination_sequence", "/origination_sequence", "application_sequences",
		  "application sequence" },
		{ "$.termination_sequence", "/termination_sequence", "application_sequences",
		  "application sequence" }, { 0 } },
};

/* Firewall rules -------------------------------------------------------------------------- */
#define MEMBERS(needed) \
	JSON_MEMBER(STRING, "pattern", .required = (needed), .min = 1, .max = 90, .check = uc_check_ip_pattern, \
		    .help = "Addresses: 192.0.2.7, 10.1.0.0/16, 10.0.0.1-10.0.0.9, 135.12x.121.*, 2001:db8::/32"), \
	JSON_MEMBER(ENUM, "action", .required = (needed), .choices = actions, \
		    .help = "allow: no limit holds for them; deny: they are never answered. The narrowest pattern decides"), \
	NOTES
BOTH(uc_firewall_rule);
#undef MEMBERS
const struct listing uc_firewall_rule_listing = {
	.sort = "pattern",
	.fields = LIST({ .name = "pattern", .use = LISTING_SORT | LISTING_SEARCH | LISTING_FILTER,
			 .column = "r.pattern", .help = "Pattern" },
		       BY_ID, IN_NOTES,
		       { .name = "action", .kind = LISTING_WORD, .use = LISTING_SORT | LISTING_FILTER,
			 .words = actions, .column = "r.action", .help = "What is done" }) };
const struct uc_resource uc_firewall_rules = {
	.path = "firewall-rules", .kind = "firewall_rule", .title = "firewall rule",
	.table = "firewall_rules", .label = "pattern", .limit = UC_FIREWALL_RULES_MAX,
	.fields = uc_firewall_rule_fields, .listing = &uc_firewall_rule_listing,
	.key = "t.pattern = d ->> 'pattern'", .defaults = "{\"notes\":\"\"}",
	.columns = COLUMNS{ { "pattern", UC_TEXT }, { "action", UC_TEXT }, { "notes", UC_TEXT }, { 0 } },
};

const struct uc_resource *const uc_resources[] = {
	&uc_domains, &uc_locations, &uc_adaptations, &uc_sip_entities, &uc_entity_links, &uc_time_ranges,
	&uc_routing_policies, &uc_application_sequences, &uc_dial_patterns, &uc_regular_expressions,
	&uc_implicit_users, &uc_firewall_rules,
};
/* clang-format on */
const size_t uc_resource_count = ARRAY_SIZE(uc_resources);
