// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table engine: 1 GiB mapped with blocks of 2 MiB, the rights of a page changed, and physical ranges mapped and
 * unmapped.
 *
 * Addresses are behind all RAM, in the linear map's part; the physical ones are 2 MiB off, so that no larger unit fits.
 * It is a figure for each entry, tables included: two are made for each mapping. Physical ranges are at the end of
 * physical addresses, where nothing is.
 */
#include <lib/mutex.h>
#include <mm/gfp.h>
#include <mm/io.h>
#include <mm/set_memory.h>

#include <asm/pgtable.h>

#include "bench.h"

#define MAP_VA	    (LINEAR_END - (8UL << 30))
#define MAP_SIZE    (1UL << 30)
#define REPETITIONS 3

static bool map(u64 *instructions)
{
	u64 start = get_cycles();
	int err = pt_map_range(MAP_VA, PT_SPAN(2), MAP_SIZE, PT_RW);

	*instructions = get_cycles() - start;
	return !err && !pt_unmap_range(MAP_VA, MAP_SIZE);
}

static void bench_map(void)
{
	u64 least = ~0ULL;

	mutex_lock(&pt_mutex);
	bench_begin("pt_map_2m");
	for (int rep = 0; rep < bench_reps(REPETITIONS); rep++) {
		u64 instructions;

		if (!map(&instructions)) {
			bench_fail("pt_map_2m", "the range could not be mapped, or not unmapped");
			break;
		}
		least = min(least, instructions);
	}
	bench_end("pt_map_2m");
	mutex_unlock(&pt_mutex);
	bench_report("pt_map_2m", least, MAP_SIZE / PT_SPAN(2));
}

static unsigned long page;

BENCH_LOOP(rights_pairs, {
	set_memory_ro(page, 1);
	set_memory_rw(page, 1);
})

/* The largest that takes a slot, the smallest that the engine maps, by pages and as a block, and a GiB. */
#define TOP (1ULL << arch_pa_bits())

BENCH_LOOP(ioremap_slot, { iounmap(ioremap_wc(TOP - PT_SPAN(2), PT_SPAN(2) - PAGE_SIZE)); })
BENCH_LOOP(ioremap_pages, { iounmap(ioremap_wc(TOP - PT_SPAN(2) - PAGE_SIZE, PT_SPAN(2))); })
BENCH_LOOP(ioremap_block, { iounmap(ioremap_wc(TOP - PT_SPAN(2), PT_SPAN(2))); })
BENCH_LOOP(ioremap_gib, { iounmap(ioremap_wc(TOP - PT_SPAN(1), PT_SPAN(1))); })

void bench_pgtable(void)
{
	static const struct bench_loop loops[] = {
		{ "set_memory_pair", rights_pairs, 64 },   { "ioremap_2044k", ioremap_slot, 64 },
		{ "ioremap_2m_pages", ioremap_pages, 64 }, { "ioremap_2m", ioremap_block, 64 },
		{ "ioremap_1g", ioremap_gib, 64 },
	};
	void *area = (void *)__get_free_page(GFP_KERNEL);

	bench_map();
	page = (unsigned long)area;
	if (area)
		bench_run(loops, ARRAY_SIZE(loops));
	free_page(page);
}
