// SPDX-License-Identifier: BSD-2-Clause
/*
 * Object caches at the prompt: slabinfo, slabstat, slabtop.
 *
 * 1. slabinfo is in the format of Linux's /proc/slabinfo, version 2.1. active_objs counts what users hold: objects
 *    taken from slabs, less those on CPU stacks, in quarantine or isolated; while others allocate and free it is near
 *    that. limit is what a CPU's stack holds, batchcount what a full one gives back. -a adds a line for each further
 *    name of a merged cache; -s adds the columns of Linux's statistics that there are: allocations and frees that were
 *    hits and misses, and how many of the misses filled a stack, or freed an object far from its node.
 * 2. slabstat shows the same by cause. A hit counts nothing, so hits are derived from what came and went between two
 *    looks of the slow path (struct kmem_cache_cpu): exact for batches, too few by those who free and allocate on one
 *    spot, and by as many for both. So hits and misses of allocations less those of frees are the objects in use, to
 *    the object. For a guarded cache allocations and frees are counted, and there are no hits.
 * 3. slabtop is slabinfo by the memory that a cache has, with the part of it that is in use.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <string.h>

#include "slub_guard.h"

#define TOP_MAX 20

static void show_cache(struct kmem_cache *cache)
{
	struct slab_sums sums;

	slab_sum(cache, &sums);
	con_printf("%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6u", cache->name,
		   slab_in_use(&sums), sums.objects, cache->size, cache->objects, 1u << cache->order, cache->capacity,
		   slab_batch(cache), 0u, sums.slabs, sums.slabs, 0u);
}

/* The columns of -s. */
static void show_statistics(const struct kmem_cache *cache)
{
	const struct slab_guard *guard = cache->guard;
	struct slab_stats stats;

	slab_stat(cache, &stats);
	if (guard) {
		stats.singles = READ_ONCE(guard->allocations);
		stats.flushes = READ_ONCE(guard->frees);
	}
	con_printf(" : globalstat %7lu %7lu : cpustat %6lu %6lu %6lu %6lu", stats.refills, stats.remote_frees,
		   stats.hits, stats.refills + stats.singles, stats.free_hits, stats.flushes + stats.remote_frees);
}

static void show_aliases(const struct kmem_cache *cache)
{
	const struct slab_alias *alias;

	list_for_each_entry(alias, &cache->aliases, list)
		con_printf("%-17s -> %s\n", alias->name, cache->name);
}

static void show_slabinfo_head(bool statistics)
{
	con_printf("slabinfo - version: 2.1%s\n", statistics ? " (statistics)" : "");
	con_printf(
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
		"<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>%s\n",
		statistics ?
			" : globalstat <refills> <remotefrees> : cpustat <allochit> <allocmiss> <freehit> <freemiss>" :
			"");
}

static int show_slabinfo(int argc, char **argv)
{
	bool aliases = argc == 2 && !strcmp(argv[1], "-a"), statistics = argc == 2 && !strcmp(argv[1], "-s");
	struct kmem_cache *cache;

	if (argc > 1 && !aliases && !statistics) {
		con_printf("usage: slabinfo [-a | -s]\n");
		return -EINVAL;
	}
	show_slabinfo_head(statistics);
	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list) {
		show_cache(cache);
		if (statistics)
			show_statistics(cache);
		con_printf("\n");
		if (aliases)
			show_aliases(cache);
	}
	mutex_unlock(&slab_mutex);
	return 0;
}
MONITOR_CMD(slabinfo, "[-a | -s]",
	    "object caches, as /proc/slabinfo; -a: other names of merged ones too; -s: hits and misses", show_slabinfo);

/* What hits have done to a stack since the slow path looked at it. */
static void add_unseen(const struct kmem_cache *cache, int cpu, struct slab_stats *stats)
{
	long lost = READ_ONCE(per_cpu_ptr(cache->cpu, cpu)->seen) - READ_ONCE(cpu_stack(cache, cpu)->top);

	if (lost > 0)
		stats->hits += (unsigned long)lost;
	else
		stats->free_hits += (unsigned long)-lost;
}

void slab_stat(const struct kmem_cache *cache, struct slab_stats *stats)
{
	*stats = (struct slab_stats){ 0 };
	for (int cpu = 0; cache->cpu && cpu < nr_cpu_ids; cpu++) {
		const struct kmem_cache_cpu *c = per_cpu_ptr(cache->cpu, cpu);

		stats->hits += READ_ONCE(c->hits);
		stats->refills += READ_ONCE(c->refills);
		stats->singles += READ_ONCE(c->singles);
		stats->free_hits += READ_ONCE(c->free_hits);
		stats->flushes += READ_ONCE(c->flushes);
		stats->remote_frees += READ_ONCE(c->remote_frees);
		add_unseen(cache, cpu, stats);
		for (int nid = 0; nid < nr_node_ids; nid++)
			stats->remote_frees += is_near(cpu, nid) ? 0 : node_stack_count(cache, cpu, nid);
	}
}

static void show_stat(const struct kmem_cache *cache)
{
	const struct slab_guard *guard = cache->guard;
	struct slab_stats stats;

	if (guard) {
		con_printf("%-17s guarded: %lu allocations, %lu frees, %lu reports, %u in quarantine, %lu isolated\n",
			   cache->name, READ_ONCE(guard->allocations), READ_ONCE(guard->frees),
			   READ_ONCE(guard->reports), READ_ONCE(guard->nr_quarantined), READ_ONCE(guard->nr_isolated));
		return;
	}
	slab_stat(cache, &stats);
	con_printf("%-17s %12lu %12lu %12lu %12lu %12lu %12lu\n", cache->name, stats.hits, stats.refills, stats.singles,
		   stats.free_hits, stats.flushes, stats.remote_frees);
}

static int show_slabstat(int argc, char **argv)
{
	struct kmem_cache *cache;

	(void)argc;
	(void)argv;
	con_printf(
		"# name            <hits, at least>   <refills>    <singles> <frees: hits>    <flushes> <remote frees>\n");
	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list)
		show_stat(cache);
	mutex_unlock(&slab_mutex);
	return 0;
}
MONITOR_CMD(slabstat, "", "of each object cache: hits, refills, frees that were hits, flushes, frees from far nodes",
	    show_slabstat);

/* A row of slabtop. */
struct top_row {
	const struct kmem_cache *cache;
	struct slab_sums sums;
	unsigned long bytes;
};

/* Put @row where it belongs among the @n largest so far. Return: how many there are now, TOP_MAX at most. */
static unsigned int insert_row(struct top_row *top, unsigned int n, const struct top_row *row)
{
	unsigned int i = n;

	if (n < TOP_MAX)
		n++;
	else if (top[--i].bytes >= row->bytes)
		return n;
	for (; i && top[i - 1].bytes < row->bytes; i--)
		top[i] = top[i - 1];
	top[i] = *row;
	return n;
}

static void show_row(const struct top_row *row)
{
	unsigned long active = slab_in_use(&row->sums);

	con_printf("%8lu %8lu %3lu%% %8u %8lu %8u %9luK %s\n", row->sums.objects, active,
		   row->sums.objects ? active * 100 / row->sums.objects : 0, row->cache->size, row->sums.slabs,
		   row->cache->objects, row->bytes >> 10, row->cache->name);
}

static int show_slabtop(int argc, char **argv)
{
	static struct top_row top[TOP_MAX]; /* slab_mutex */
	struct kmem_cache *cache;
	unsigned int n = 0;

	(void)argc;
	(void)argv;
	con_printf("    OBJS   ACTIVE  USE OBJ SIZE    SLABS OBJ/SLAB CACHE SIZE NAME\n");
	mutex_lock(&slab_mutex);
	memset(top, 0, sizeof(top));
	list_for_each_entry(cache, &slab_caches, list) {
		struct top_row row = { .cache = cache };

		slab_sum(cache, &row.sums);
		row.bytes = row.sums.slabs << cache->order << PAGE_SHIFT;
		n = insert_row(top, n, &row);
	}
	for (unsigned int i = 0; i < n; i++)
		show_row(&top[i]);
	mutex_unlock(&slab_mutex);
	return 0;
}
MONITOR_CMD(slabtop, "", "the object caches that have most memory, and how much of it is in use", show_slabtop);
