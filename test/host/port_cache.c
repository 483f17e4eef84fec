// SPDX-License-Identifier: BSD-2-Clause
/* The host port's cache maintenance (test/host/include/asm/cache.h): nothing to do, but something to tell. */
#include <asm/cache.h>

static void (*watcher)(enum host_cache_op op, unsigned long start, unsigned long end);

void host_cache_watch(void (*fn)(enum host_cache_op op, unsigned long start, unsigned long end))
{
	watcher = fn;
}

static void tell(enum host_cache_op op, unsigned long start, unsigned long end)
{
	if (watcher)
		watcher(op, start, end);
}

void dcache_clean_poc(unsigned long start, unsigned long end)
{
	tell(HOST_CACHE_CLEAN, start, end);
}

void dcache_inval_poc(unsigned long start, unsigned long end)
{
	tell(HOST_CACHE_INVAL, start, end);
}

void dcache_clean_inval_poc(unsigned long start, unsigned long end)
{
	tell(HOST_CACHE_CLEAN_INVAL, start, end);
}
