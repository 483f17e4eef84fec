// SPDX-License-Identifier: BSD-2-Clause
/*
 * slabinfo at the prompt, in the format of Linux's /proc/slabinfo.
 *
 * active_objs counts objects taken from slabs, less those on CPU stacks: what users hold.
 */
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/percpu.h>

#include "slub.h"

static void show_cache(struct kmem_cache *cache)
{
	struct slab_sums sums;

	slab_sum(cache, &sums);
	con_printf("%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", cache->name,
		   sums.taken - sums.stacked, sums.objects, cache->size, cache->objects, 1u << cache->order,
		   cache->capacity, cache->capacity / 2, 0u, sums.slabs, sums.slabs, 0u);
}

static int show_slabinfo(int argc, char **argv)
{
	struct kmem_cache *cache;

	(void)argc;
	(void)argv;
	con_printf("slabinfo - version: 2.1\n");
	con_printf(
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
		"<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list)
		show_cache(cache);
	mutex_unlock(&slab_mutex);
	return 0;
}
MONITOR_CMD(slabinfo, "", "object caches, as /proc/slabinfo", show_slabinfo);
