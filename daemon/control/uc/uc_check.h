/* SPDX-License-Identifier: Apache-2.0 */
/* uc_check.h - what texts of the administration must be; each check of a json_field.
 *
 * All return 0, or -EINVAL with a sentence that follows the member's name. The patterns beside them
 * say the same to OpenAPI as far as a pattern can. */
#pragma once

struct error;

#define UC_NAME_PATTERN "^[^/%\\u0000-\\u001f\\u007f]+$"
#define UC_DOMAIN_PATTERN "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"
#define UC_DIGITS_PATTERN "^[+0-9x*#]+$"
#define UC_INSERT_PATTERN "^[+0-9*#]*$"
#define UC_HEADER_PATTERN "^[A-Za-z0-9.!%*_+`'~-]+$"
#define UC_STATUS_PATTERN "^[3-6][0-9][0-9]$"
#define UC_CLOCK_PATTERN "^([01][0-9]|2[0-3]):[0-5][0-9]$"
#define UC_CLOCK_END_PATTERN "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
#define UC_ZONE_PATTERN "^[A-Za-z0-9+_-]+(/[A-Za-z0-9+_-]+)*$"

int uc_check_name(const char *value, struct error *err); /* may stand in a path */
int uc_check_text(const char *value, struct error *err); /* any, without control characters */
int uc_check_domain(const char *value, struct error *err);
int uc_check_host(const char *value, struct error *err);   /* a name or an IP address */
int uc_check_source(const char *value, struct error *err); /* an IP address */
int uc_check_digits(const char *value, struct error *err);
int uc_check_insert(const char *value, struct error *err);
int uc_check_header(const char *value, struct error *err);
int uc_check_status(const char *value, struct error *err);
int uc_check_clock(const char *value, struct error *err);     /* 00:00 to 23:59 */
int uc_check_clock_end(const char *value, struct error *err); /* to 24:00 */
int uc_check_zone(const char *value, struct error *err);
/* "10.1.0.0/16", "10.0.0.1-10.0.0.9", "135.12x.121.*", "2001:db8::/32" or one address. */
int uc_check_ip_pattern(const char *value, struct error *err);
/* A regular expression that PCRE2 takes, within its bounds. */
int uc_check_expression(const char *value, struct error *err);
/* mon to sun. */
int uc_check_day(const char *value, struct error *err);
