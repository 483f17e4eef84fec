// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command `percpu`: chunks of per-CPU memory.
 *
 * Bytes are those of one CPU's unit. Fragmentation is the part of the free bytes that the longest free run has not.
 */
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>

#include <asm/page.h>

#include "percpu_chunk.h"
#include "show.h"

static void show_chunk(unsigned int i, const struct percpu_stats *stats)
{
	size_t unused = stats->unit - stats->used;
	unsigned long scattered = unused ? (unsigned long)((unused - stats->largest) * 100 / unused) : 0;

	con_printf("%5u %18p %8zu %8zu %11lu %8zu %8zu %12lu %%\n", i, percpu_cookie(stats->offset), stats->unit,
		   stats->used, stats->allocations, unused, stats->largest, scattered);
}

int show_percpu(int argc, char **argv)
{
	struct percpu_stats stats;
	size_t total, used = percpu_usage(&total);

	(void)argc;
	(void)argv;
	con_printf("%5s %18s %8s %8s %11s %8s %8s %14s\n", "chunk", "begins", "unit", "used", "allocations", "free",
		   "largest", "fragmentation");
	for (unsigned int i = 0; percpu_chunk_stats(i, &stats); i++)
		show_chunk(i, &stats);
	con_printf("%d CPUs, %zu of %zu bytes in use of each, %zu static; %lu pages beyond the first chunk\n",
		   nr_cpu_ids, used, total, (size_t)(__stop_percpu_data - __start_percpu_data), percpu_chunk_pages());
	return 0;
}
MONITOR_CMD(percpu, "", "chunks of per-CPU memory: bytes in use, fragmentation", show_percpu);
