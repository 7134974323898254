/* SPDX-License-Identifier: Apache-2.0 */
/* uc_resource_fields.h - bodies and lists of the resources of routing, for the route table. */
#pragma once
#include "base/json_field.h"
#include "base/listing.h"

extern const struct json_field uc_domain_fields[], uc_domain_patch_fields[], uc_location_fields[],
	uc_location_patch_fields[], uc_adaptation_fields[], uc_adaptation_patch_fields[],
	uc_sip_entity_fields[], uc_sip_entity_patch_fields[], uc_entity_link_fields[],
	uc_entity_link_patch_fields[], uc_time_range_fields[], uc_time_range_patch_fields[],
	uc_routing_policy_fields[], uc_routing_policy_patch_fields[], uc_dial_pattern_fields[],
	uc_dial_pattern_patch_fields[], uc_regular_expression_fields[],
	uc_regular_expression_patch_fields[], uc_application_sequence_fields[],
	uc_application_sequence_patch_fields[], uc_implicit_user_fields[],
	uc_implicit_user_patch_fields[], uc_firewall_rule_fields[], uc_firewall_rule_patch_fields[];
extern const struct listing uc_domain_listing, uc_location_listing, uc_adaptation_listing,
	uc_sip_entity_listing, uc_entity_link_listing, uc_time_range_listing,
	uc_routing_policy_listing, uc_dial_pattern_listing, uc_regular_expression_listing,
	uc_application_sequence_listing, uc_implicit_user_listing, uc_firewall_rule_listing;
