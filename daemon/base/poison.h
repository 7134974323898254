/* SPDX-License-Identifier: Apache-2.0 */
/* poison.h - bytes that nobody may read: behind a message in a buffer that is used again and again, where the
 * address sanitizer sees no end. Without that sanitizer it is nothing. */
#pragma once
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define BASE_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_POISON 1
#endif
#endif

#ifdef BASE_POISON
#include <sanitizer/asan_interface.h>
static inline void poison(const void *p, size_t len)
{
	__asan_poison_memory_region(p, len);
}

static inline void unpoison(const void *p, size_t len)
{
	__asan_unpoison_memory_region(p, len);
}
#else
static inline void poison(const void *p, size_t len)
{
	(void)p;
	(void)len;
}

static inline void unpoison(const void *p, size_t len)
{
	(void)p;
	(void)len;
}
#endif
