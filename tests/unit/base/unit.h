/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - what cmocka wants before its header. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
