// SPDX-License-Identifier: BSD-2-Clause
/*
 * The contract of memblock's arrays in its corners, one layout at a time. Allocation is in test_memblock_alloc.c,
 * random operations are in test_memblock_model.c.
 *
 * 1. In the pictures `=` is memory, `#` is reserved, `.` is neither; addresses grow to the right.
 * 2. A case that needs many fresh memblocks resets the arrays itself (reset()): all their state is in `memblock`.
 */
#include <errno.h>
#include <string.h>

#include <mm/gfp.h>
#include <mm/mmzone.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "regions.h"
#include "tap.h"

static struct memblock first_memblock;

static void start(void)
{
	host_boot_cpu(1);
	first_memblock = memblock;
}

static void reset_type(struct memblock_type *type, const struct memblock_type *first)
{
	*type = *first;
	memset(type->regions, 0, type->max * sizeof(*type->regions));
}

static void reset(void)
{
	memblock.current_limit = first_memblock.current_limit;
	memblock.bottom_up = false;
	reset_type(&memblock.memory, &first_memblock.memory);
	reset_type(&memblock.reserved, &first_memblock.reserved);
}

/* Memory of node 0 from 1 MiB to @end, and leave to grow. */
static void start_with_memory(phys_addr_t end)
{
	start();
	memblock_allow_resize();
	CHECK_EQ(memblock_add_node(MIB, end - MIB, 0, MEMBLOCK_NONE), 0);
}

/* Arrays. */

static void test_start_empty(void)
{
	start();
	CHECK_EQ(memblock.memory.cnt, 0);
	CHECK_EQ(memblock.reserved.cnt, 0);
	CHECK_EQ(memblock.memory.max, 128);
	CHECK_EQ(memblock.reserved.max, 128);
	CHECK_EQ(memblock.current_limit, MEMBLOCK_ALLOC_ANYWHERE);
	CHECK(!memblock.bottom_up);
	CHECK(!strcmp(memblock.memory.name, "memory") && !strcmp(memblock.reserved.name, "reserved"));
	CHECK(memblock_check());
	CHECK_EQ(memblock_phys_mem_size(), 0);
	CHECK_EQ(memblock_start_of_DRAM(), 0);
	CHECK_EQ(memblock_end_of_DRAM(), 0);
	CHECK(!memblock_is_memory(0) && !memblock_is_reserved(0));
}

/*
 *	1M      2M      3M      4M      5M
 *	[ first ]               [second ]
 *	        [  third fills  ]
 *	[============== one ============]
 */
static void test_add_merges(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add(4 * MIB, MIB), 0);
	CHECK_REGIONS(memory, M(MIB, MIB), M(4 * MIB, MIB));
	CHECK_EQ(memblock_add(2 * MIB, 2 * MIB), 0);
	CHECK_REGIONS(memory, M(MIB, 4 * MIB));
}

/*
 *	node:    0       1       none
 *	[=======][=======][=======]	all touch, none merges
 */
static void test_add_keeps_unlike_apart(void)
{
	start();
	CHECK_EQ(memblock_add_node(MIB, MIB, 0, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add_node(2 * MIB, MIB, 1, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add(3 * MIB, MIB), 0);
	CHECK_EQ(memblock_add_node(4 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_HOTPLUG), 0);
	CHECK_REGIONS(memory, R(MIB, MIB, MEMBLOCK_NONE, 0), R(2 * MIB, MIB, MEMBLOCK_NONE, 1), M(3 * MIB, MIB),
		      R(4 * MIB, MIB, MEMBLOCK_HOTPLUG, NUMA_NO_NODE));
}

/*
 *	     [a: 0]      [b: 1]
 *	[======== add: node 2 ========]
 *	[2   ][a: 0][ 2  ][b: 1][  2  ]	what stood there stays as it was
 */
static void test_add_over_fills_gaps(void)
{
	start();
	CHECK_EQ(memblock_add_node(2 * MIB, MIB, 0, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add_node(4 * MIB, MIB, 1, MEMBLOCK_HOTPLUG), 0);
	CHECK_EQ(memblock_add_node(MIB, 5 * MIB, 2, MEMBLOCK_NONE), 0);
	CHECK_REGIONS(memory, R(MIB, MIB, 0, 2), R(2 * MIB, MIB, 0, 0), R(3 * MIB, MIB, 0, 2),
		      R(4 * MIB, MIB, MEMBLOCK_HOTPLUG, 1), R(5 * MIB, MIB, 0, 2));
}

/*
 *	[====]      [====]      [====]
 *	   [======== add =========]	begins and ends inside others
 *	[============================]
 */
static void test_add_partly_over(void)
{
	start();
	for (phys_addr_t base = MIB; base < 8 * MIB; base += 3 * MIB)
		CHECK_EQ(memblock_add(base, MIB), 0);
	CHECK_EQ(memblock_add(MIB + MIB / 2, 6 * MIB), 0);
	CHECK_REGIONS(memory, M(MIB, 7 * MIB));
	CHECK_EQ(memblock_add(2 * MIB, MIB), 0);
	CHECK_EQ(memblock_add(MIB, 7 * MIB), 0);
	CHECK_REGIONS(memory, M(MIB, 7 * MIB));
}

static void test_size_zero(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, 0), 0);
	CHECK_EQ(memblock_reserve(TOP, 0), 0);
	CHECK_EQ(memblock_remove(MIB, 0), 0);
	CHECK_EQ(memblock_phys_free(0, 0), 0);
	CHECK_EQ(memblock_mark_nomap(MIB, 0), 0);
	CHECK_EQ(memblock.memory.cnt + memblock.reserved.cnt, 0);
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_remove(MIB + 5, 0), 0);
	CHECK_EQ(memblock_mark_nomap(MIB + 5, 0), 0);
	CHECK_EQ(memblock_set_node(MIB + 5, 0, &memblock.memory, 3), 0);
	CHECK_REGIONS(memory, M(MIB, MIB));
}

/*
 *	                         TOP
 *	[... base             ]..... + size would come round to here -> .....
 *	        [=============)	capped
 */
static void test_capped_at_top(void)
{
	start();
	CHECK_EQ(memblock_add(TOP - MIB, 2 * MIB), 0);
	CHECK_REGIONS(memory, M(TOP - MIB, MIB));
	CHECK_EQ(memblock_reserve(TOP - 4 * KIB, TOP), 0);
	CHECK_REGIONS(reserved, M(TOP - 4 * KIB, 4 * KIB));
	CHECK(memblock_is_memory(TOP - 1) && !memblock_is_memory(TOP));
	CHECK(memblock_is_region_memory(TOP - MIB, TOP));
	CHECK(memblock_is_region_reserved(MIB, TOP));
	CHECK_EQ(memblock_phys_free(TOP - 2 * KIB, TOP), 0);
	CHECK_REGIONS(reserved, M(TOP - 4 * KIB, 2 * KIB));
	CHECK_EQ(memblock_remove(MIB, TOP), 0);
	CHECK_EQ(memblock.memory.cnt, 0);
}

/*
 *	[============= one =============]
 *	     [rm ]         [ rm  ]
 *	[====]   [=========]     [======]
 */
static void test_remove_cuts(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, 9 * MIB), 0);
	CHECK_EQ(memblock_remove(3 * MIB, MIB), 0);
	CHECK_EQ(memblock_remove(7 * MIB, 2 * MIB), 0);
	CHECK_REGIONS(memory, M(MIB, 2 * MIB), M(4 * MIB, 3 * MIB), M(9 * MIB, MIB));
	/* Over the end of one, the whole of the next, the start of the third. */
	CHECK_EQ(memblock_remove(2 * MIB, 7 * MIB + 4), 0);
	CHECK_REGIONS(memory, M(MIB, MIB), M(9 * MIB + 4, MIB - 4));
	/* Touching is not overlapping. */
	CHECK_EQ(memblock_remove(2 * MIB, 7 * MIB + 4), 0);
	CHECK_REGIONS(memory, M(MIB, MIB), M(9 * MIB + 4, MIB - 4));
}

static void test_remove_last(void)
{
	const struct memblock_region zero = { 0 };

	start();
	CHECK_EQ(memblock_add_node(MIB, MIB, 3, MEMBLOCK_HOTPLUG), 0);
	CHECK_EQ(memblock_remove(0, TOP), 0);
	CHECK_EQ(memblock.memory.cnt, 0);
	CHECK_EQ(memblock.memory.total_size, 0);
	CHECK(!memcmp(&memblock.memory.regions[0], &zero, sizeof(zero)));
}

/*
 *	[========]            [========]
 *	         [ reserve ]		touches on the left, overlaps neither
 */
static void test_adjacent_is_no_overlap(void)
{
	start();
	CHECK_EQ(memblock_reserve(MIB, MIB), 0);
	CHECK(!memblock_is_region_reserved(2 * MIB, MIB));
	CHECK(!memblock_is_region_reserved(0, MIB));
	CHECK(!memblock_overlaps_region(&memblock.reserved, 0, MIB));
	CHECK(memblock_is_region_reserved(2 * MIB - 1, 1));
	CHECK(memblock_is_region_reserved(0, MIB + 1));
	CHECK(memblock_is_reserved(MIB) && memblock_is_reserved(2 * MIB - 1));
	CHECK(!memblock_is_reserved(MIB - 1) && !memblock_is_reserved(2 * MIB));
}

/*
 *	[==== node 0 ====][==== node 1 ====]
 *	           [ asked ]	memory, but not of one region
 */
static void test_region_memory_is_one_region(void)
{
	start();
	CHECK_EQ(memblock_add_node(MIB, MIB, 0, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add_node(2 * MIB, MIB, 1, MEMBLOCK_NONE), 0);
	CHECK(memblock_is_region_memory(MIB, MIB));
	CHECK(!memblock_is_region_memory(MIB + MIB / 2, MIB));
	CHECK(!memblock_is_region_memory(2 * MIB, MIB + 1));
	CHECK(!memblock_is_region_memory(0, MIB + 1));
}

/* Flags and nodes. */

/*
 *	[============ none ============]
 *	       [ nomap  ]
 *	[======][ nomap ][=============]	then cleared: one again
 */
static void test_mark_and_clear(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, 8 * MIB), 0);
	CHECK_EQ(memblock_mark_nomap(3 * MIB, MIB), 0);
	CHECK_REGIONS(memory, M(MIB, 2 * MIB), R(3 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE), M(4 * MIB, 5 * MIB));
	CHECK(memblock_is_memory(3 * MIB) && !memblock_is_map_memory(3 * MIB) && memblock_is_map_memory(4 * MIB));
	CHECK_EQ(memblock_mark_hotplug(2 * MIB, 3 * MIB), 0);
	CHECK_REGIONS(memory, M(MIB, MIB), R(2 * MIB, MIB, MEMBLOCK_HOTPLUG, NUMA_NO_NODE),
		      R(3 * MIB, MIB, MEMBLOCK_HOTPLUG | MEMBLOCK_NOMAP, NUMA_NO_NODE),
		      R(4 * MIB, MIB, MEMBLOCK_HOTPLUG, NUMA_NO_NODE), M(5 * MIB, 4 * MIB));
	CHECK_EQ(memblock_clear_hotplug(0, TOP), 0);
	CHECK_EQ(memblock_clear_nomap(0, TOP), 0);
	CHECK_REGIONS(memory, M(MIB, 8 * MIB));
}

/* A mark touches only what is memory: [....====....] stays as long as it was. */
static void test_mark_past_the_ends(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_mark_mirror(0, TOP), 0);
	CHECK_REGIONS(memory, R(MIB, MIB, MEMBLOCK_MIRROR, NUMA_NO_NODE));
	CHECK_EQ(memblock_reserve(0, 3 * MIB), 0);
	CHECK_EQ(memblock_reserved_mark_noinit(MIB, MIB), 0);
	CHECK_REGIONS(reserved, M(0, MIB), R(MIB, MIB, MEMBLOCK_RSRV_NOINIT, NUMA_NO_NODE), M(2 * MIB, MIB));
}

static void test_set_node(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, 3 * MIB), 0);
	CHECK_EQ(memblock_set_node(2 * MIB, MIB, &memblock.memory, 5), 0);
	CHECK_REGIONS(memory, M(MIB, MIB), R(2 * MIB, MIB, 0, 5), M(3 * MIB, MIB));
	CHECK_EQ(memblock_set_node(0, TOP, &memblock.memory, 5), 0);
	CHECK_REGIONS(memory, R(MIB, 3 * MIB, 0, 5));
}

/*
 *	[=========kern=========]
 *	[====== reserve ==================]	what stood keeps its flag, the rest has none
 */
static void test_reserve_over_kern(void)
{
	start();
	CHECK_EQ(memblock_reserve_kern(MIB, MIB), 0);
	CHECK_EQ(memblock_reserve(MIB, 2 * MIB), 0);
	CHECK_REGIONS(reserved, K(MIB, MIB), M(2 * MIB, MIB));
}

/* Limits. */

static void start_with_nomap(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add_node(4 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_add(10 * MIB, 4 * MIB), 0);
	CHECK_EQ(memblock_add_node(20 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_reserve(11 * MIB, 2 * MIB), 0);
}

/*
 *	[1M====2M)    [nomap)    [10M====14M)    [nomap)
 *	limit 4 MiB of memory: 1 + 1 + 2	what is beyond is gone, nomap too
 */
static void test_enforce_limit(void)
{
	start_with_nomap();
	memblock_enforce_memory_limit(0);
	memblock_enforce_memory_limit(100 * MIB);
	CHECK_EQ(memblock_phys_mem_size(), 7 * MIB);
	memblock_enforce_memory_limit(4 * MIB);
	CHECK_REGIONS(memory, M(MIB, MIB), R(4 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE), M(10 * MIB, 2 * MIB));
	CHECK_REGIONS(reserved, M(11 * MIB, MIB));
	memblock_enforce_memory_limit(4 * MIB);
	CHECK_EQ(memblock_phys_mem_size(), 4 * MIB);
	/* To the last byte of a region. */
	memblock_enforce_memory_limit(2 * MIB);
	CHECK_REGIONS(memory, M(MIB, MIB), R(4 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE));
	CHECK_EQ(memblock.reserved.cnt, 0);
}

/* The same limit, but nomap memory stays wherever it is. */
static void test_limit_keeps_nomap(void)
{
	start_with_nomap();
	memblock_mem_limit_remove_map(0);
	memblock_mem_limit_remove_map(100 * MIB);
	CHECK_EQ(memblock_phys_mem_size(), 7 * MIB);
	memblock_mem_limit_remove_map(4 * MIB);
	CHECK_REGIONS(memory, M(MIB, MIB), R(4 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE), M(10 * MIB, 2 * MIB),
		      R(20 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE));
	CHECK_REGIONS(reserved, M(11 * MIB, MIB));
}

/*
 *	[1M====2M)    [nomap)    [10M====14M)    [nomap)
 *	                  |---- kept ----|	from the middle of one nomap region to 12 MiB
 */
static void test_cap_range(void)
{
	start();
	memblock_cap_memory_range(MIB, MIB);
	CHECK_LOG("no memory to keep \\[mem 0x0*100000-0x0*1fffff\\]");
	start_with_nomap();
	CHECK_EQ(memblock_reserve(MIB, KIB), 0);
	memblock_cap_memory_range(4 * MIB + MIB / 2, 0);
	CHECK_EQ(memblock_phys_mem_size(), 7 * MIB);
	memblock_cap_memory_range(4 * MIB + MIB / 2, 7 * MIB + MIB / 2);
	CHECK_REGIONS(memory, R(4 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE), M(10 * MIB, 2 * MIB),
		      R(20 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE));
	CHECK_REGIONS(reserved, M(11 * MIB, MIB));
	memblock_cap_memory_range(30 * MIB, TOP);
	CHECK_REGIONS(memory, R(4 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE),
		      R(20 * MIB, MIB, MEMBLOCK_NOMAP, NUMA_NO_NODE));
	CHECK_EQ(memblock.reserved.cnt, 0);
}

/* Page frames: the region's extent and its node. */
static void test_search_pfn(void)
{
	unsigned long first = 1, end = 2;

	start();
	CHECK_EQ(memblock_add_node(MIB, MIB + 100, 3, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_search_pfn_nid(PFN_DOWN(MIB) - 1, &first, &end), NUMA_NO_NODE);
	CHECK(first == 1 && end == 2);
	CHECK_EQ(memblock_search_pfn_nid(PFN_DOWN(2 * MIB), &first, &end), 3);
	CHECK(first == PFN_DOWN(MIB) && end == PFN_DOWN(2 * MIB));
}

static void test_numa_coverage(void)
{
	start();
	CHECK_EQ(memblock_add_node(MIB, MIB, 3, MEMBLOCK_NONE), 0);
	CHECK(memblock_validate_numa_coverage(0));
	CHECK_EQ(memblock_add(4 * MIB, MIB), 0);
	CHECK(memblock_validate_numa_coverage(MIB));
	CHECK(!memblock_validate_numa_coverage(MIB - 1));
	CHECK_LOG("1024 KiB of 2048 KiB of memory have no node");
}

/*
 *	|    page    |    page    |    page    |
 *	     [=======]	   [==]   [============]  ...
 *	dropped        dropped    kept
 */
static void test_trim(void)
{
	start();
	CHECK_EQ(memblock_add(0x1800, 0x1000), 0);
	CHECK_EQ(memblock_add(0x3400, 0x400), 0);
	CHECK_EQ(memblock_add(0x4000, 0x1000), 0);
	CHECK_EQ(memblock_add(0x6001, 0x2fff), 0);
	CHECK_EQ(memblock_add(TOP - 0x800, 0x800), 0);
	memblock_trim_memory(PAGE_SIZE);
	CHECK_REGIONS(memory, M(0x4000, 0x1000), M(0x7000, 0x2000));
}

/* Growth. */

#define STEP (16 * KIB)

/* The @i-th of many: 8 KiB, 8 KiB apart from the next. */
static phys_addr_t nth(unsigned long i)
{
	return 16 * MIB + i * STEP;
}

/* @n regions in @type, all but the one at position @hole. */
static void fill(struct memblock_type *type, unsigned long n, unsigned long hole)
{
	for (unsigned long i = 0; i < n; i++) {
		if (i == hole)
			continue;
		CHECK_EQ(type == &memblock.memory ? memblock_add(nth(i), STEP / 2) : memblock_reserve(nth(i), STEP / 2),
			 0);
	}
}

/* All of the @n are in @type, and the array lies where nothing else does. */
static void check_filled(struct memblock_type *type, unsigned long n)
{
	phys_addr_t array = __pa(type->regions), size = ALIGN(type->max * sizeof(*type->regions), PAGE_SIZE);
	unsigned long i = 0;

	CHECK(memblock_check());
	for (unsigned long r = 0; r < type->cnt && i < n; r++)
		if (type->regions[r].base == nth(i)) {
			CHECK_EQ(type->regions[r].size, STEP / 2);
			i++;
		}
	CHECK_EQ(i, n);
	CHECK(IS_ALIGNED(array, PAGE_SIZE));
	CHECK(memblock_is_region_reserved(array, size) && memblock_is_reserved(array + size - 1));
	CHECK(memblock_is_region_memory(array, size));
	if (type == &memblock.reserved)
		CHECK(array >= nth(n) || array + size <= nth(0) || array % STEP >= STEP / 2);
}

/*
 *	position   0     1           p            128
 *	          [#]   [#]   ...   [?]   ...   [#]	[?] comes last, when 128 stand
 */
static void test_reserve_129th_everywhere(void)
{
	start();
	memblock_allow_resize();
	for (unsigned long p = 0; p <= 128; p++) {
		reset();
		CHECK_EQ(memblock_add(MIB, 4 * GIB), 0);
		fill(&memblock.reserved, 129, p);
		CHECK_EQ(memblock.reserved.max, 128);
		CHECK_EQ(memblock_reserve(nth(p), STEP / 2), 0);
		CHECK_EQ(memblock.reserved.cnt, 130);
		CHECK_EQ(memblock.reserved.max, 256);
		check_filled(&memblock.reserved, 129);
	}
}

static void test_add_129th_everywhere(void)
{
	start();
	memblock_allow_resize();
	for (unsigned long p = 0; p <= 128; p++) {
		reset();
		fill(&memblock.memory, 129, p);
		CHECK_EQ(memblock_add(nth(p), STEP / 2), 0);
		CHECK_EQ(memblock.memory.cnt, 129);
		CHECK_EQ(memblock.reserved.cnt, 1);
		check_filled(&memblock.memory, 129);
	}
}

static void test_grow_to_thousand(void)
{
	start();
	memblock_allow_resize();
	CHECK_EQ(memblock_add(MIB, 4 * GIB), 0);
	fill(&memblock.reserved, 1000, 1000);
	check_filled(&memblock.reserved, 1000);
	/* Outgrown arrays were given back: nothing is reserved but the regions and the array of now. */
	CHECK_EQ(memblock_reserved_size(),
		 1000 * STEP / 2 + ALIGN(memblock.reserved.max * sizeof(struct memblock_region), PAGE_SIZE));
	CHECK(memblock.reserved.max < 2100);
	for (unsigned long i = 0; i < 1000; i++)
		CHECK_EQ(memblock_phys_free(nth(i), STEP / 2), 0);
	CHECK_EQ(memblock.reserved.cnt, 1);
	CHECK(memblock_check());
}

static void test_grow_both(void)
{
	start();
	memblock_allow_resize();
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	for (unsigned long i = 0; i < 700; i++) {
		CHECK_EQ(memblock_add(nth(i), STEP / 2), 0);
		CHECK_EQ(memblock_reserve(nth(i) + KIB, KIB), 0);
		CHECK(memblock_check());
	}
	CHECK_EQ(memblock.memory.cnt, 701);
	CHECK_EQ(memblock_phys_mem_size(), MIB + 700 * STEP / 2);
}

/* The static array is not touched any more once it is outgrown. */
static void test_static_array_stays(void)
{
	struct memblock_region copy[INIT_MEMBLOCK_RESERVED_REGIONS];

	start_with_memory(GIB);
	fill(&memblock.reserved, 128, 128);
	memcpy(copy, memblock.reserved.regions, sizeof(copy));
	CHECK_EQ(memblock_reserve(nth(128), STEP / 2), 0);
	CHECK(memblock.reserved.regions != first_memblock.reserved.regions);
	CHECK_EQ(memblock_phys_free(0, TOP), 0);
	CHECK(!memcmp(copy, first_memblock.reserved.regions, sizeof(copy)));
}

/*
 * The array's new place is searched above the range being added first, then below, never within.
 *
 *	memory    [== below ==]      [=== being reserved ===][== above ==]
 */
static void test_array_place(void)
{
	phys_addr_t base = nth(128), size = 8 * MIB;

	start();
	memblock_allow_resize();
	for (int above = 1; above >= 0; above--) {
		reset();
		CHECK_EQ(memblock_add(MIB, MIB), 0);
		CHECK_EQ(memblock_add(base, above ? size + MIB : size), 0);
		fill(&memblock.reserved, 128, 128);
		CHECK_EQ(memblock_reserve(base, size), 0);

		phys_addr_t array = __pa(memblock.reserved.regions);

		CHECK(above ? array >= base + size && array < base + size + MIB : array >= MIB && array < 2 * MIB);
		CHECK(memblock_check());
	}
}

/*
 *	memory    [=== being reserved ===]	and no more: there is no place for a larger array
 */
static void test_no_place_for_array(void)
{
	phys_addr_t base = nth(128);
	struct memblock_type before;
	struct memblock_region copy[INIT_MEMBLOCK_RESERVED_REGIONS];

	start();
	memblock_allow_resize();
	CHECK_EQ(memblock_add(base, MIB), 0);
	fill(&memblock.reserved, 128, 128);
	before = memblock.reserved;
	memcpy(copy, memblock.reserved.regions, sizeof(copy));
	CHECK_EQ(memblock_reserve(base, MIB), (unsigned long long)-ENOMEM);
	CHECK(memblock.reserved.regions == before.regions && memblock.reserved.max == before.max);
	CHECK_EQ(memblock.reserved.total_size, before.total_size);
	CHECK_EQ(memblock.reserved.cnt, before.cnt);
	CHECK(!memcmp(copy, memblock.reserved.regions, sizeof(copy)));
	/* What needs no slot still works. */
	CHECK_EQ(memblock_reserve(nth(126), STEP / 4), 0);
	CHECK_EQ(memblock.reserved.cnt, 128);
}

static bool array_within(const struct memblock_type *type, phys_addr_t from, phys_addr_t end)
{
	phys_addr_t array = __pa(type->regions);

	return array >= from && array + type->max * sizeof(*type->regions) <= end;
}

/*
 *	memory    [== 128 of them ==]...[== low ==][===== high: to be dropped =====]
 *	reserved  [## 127 of them ##]	both arrays have to grow to cut at the limit, into `low`
 */
static void test_limit_when_full(void)
{
	phys_addr_t low = nth(200);

	start();
	memblock_allow_resize();
	for (int keep_nomap = 0; keep_nomap < 2; keep_nomap++) {
		reset();
		fill(&memblock.memory, 127, 127);
		CHECK_EQ(memblock_add(low, 64 * MIB), 0);
		fill(&memblock.reserved, 127, 127);
		CHECK_EQ(memblock_reserve(low + 3 * MIB, 4 * MIB), 0);
		if (keep_nomap)
			memblock_mem_limit_remove_map(127 * STEP / 2 + 4 * MIB);
		else
			memblock_enforce_memory_limit(127 * STEP / 2 + 4 * MIB);
		CHECK_EQ(memblock_end_of_DRAM(), low + 4 * MIB);
		CHECK(!memblock_overlaps_region(&memblock.reserved, low + 4 * MIB, GIB));
		CHECK(array_within(&memblock.memory, low, low + 3 * MIB));
		CHECK(array_within(&memblock.reserved, low, low + 3 * MIB));
		check_filled(&memblock.memory, 127);
	}
}

/*
 *	memory    [== 128 of them ==]...[== low ==][xxxxx removed xxxxx]	no array lands in what is being removed
 *	reserved  [## 128 of them ##]
 */
static void test_remove_when_full(void)
{
	phys_addr_t low = nth(200);

	start();
	memblock_allow_resize();
	fill(&memblock.memory, 127, 127);
	CHECK_EQ(memblock_add(low, 64 * MIB), 0);
	fill(&memblock.reserved, 128, 128);
	CHECK_EQ(memblock_remove(low + 4 * MIB, 60 * MIB), 0);
	CHECK(array_within(&memblock.memory, low, low + 4 * MIB));
	CHECK(array_within(&memblock.reserved, low, low + 4 * MIB));
	check_filled(&memblock.memory, 127);
	check_filled(&memblock.reserved, 128);
}

static unsigned long metadata_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone->metadata_pages;
	return pages;
}

/* A machine of 300 reservations: its arrays grew, twice. They become free pages, and every zone's equations hold. */
static void test_discard(void)
{
	static struct tree_range reserved[300];
	static const struct host_bank bank = { GIB, GIB, 0 };
	unsigned long before, arrays;

	for (unsigned int i = 0; i < ARRAY_SIZE(reserved); i++)
		reserved[i] = (struct tree_range){ GIB + 16 * MIB + i * 64 * KIB, 32 * KIB };
	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .reserved = reserved, .nr_reserved = 300 });
	CHECK(memblock.reserved.max == 512 && memblock.memory.max == 128);
	arrays = PFN_UP(memblock.reserved.max * sizeof(struct memblock_region));
	before = metadata_pages();
	CHECK_EQ(memblock_discard_arrays(), arrays);
	CHECK_EQ(metadata_pages(), before - arrays);
	CHECK_EQ(memblock_phys_mem_size(), GIB);
	CHECK(memblock.reserved.cnt == 0 && memblock.reserved.max == 128 && memblock.memory.cnt == 0);
	/* Not the account: with CONFIG_KEEP_MEMBLOCK the arrays are claimed. */
	CHECK(memblock_check() && page_alloc_check());
	CHECK_EQ(memblock_discard_arrays(), 0);
}

static void test_full_reserved(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, GIB), 0);
	fill(&memblock.reserved, 129, 129);
}

static void test_full_memory(void)
{
	start();
	fill(&memblock.memory, 129, 129);
}

static void test_full_memory_but_merging(void)
{
	start();
	fill(&memblock.memory, 128, 128);
	CHECK_EQ(memblock_add(nth(5), STEP / 2), 0);
	CHECK_EQ(memblock_add(nth(5) + KIB, KIB), 0);
	CHECK_EQ(memblock.memory.cnt, 128);
	CHECK_EQ(memblock.memory.max, 128);
}

static void test_dump(void)
{
	start();
	CHECK_EQ(memblock_add_node(MIB, MIB, 3, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_reserve_kern(MIB, KIB), 0);
	memblock_dump_all();
	CHECK_LOG("memory\\[0\\].*0x0*100000-0x0*1fffff\\], 0x100000 bytes.* on node 3.* nomap$");
	CHECK_LOG("reserved\\[0\\].*0x0*100000-0x0*1003ff\\], 0x400 bytes.* kern$");
}

/* memblock_check() tells a broken array from a whole one. */
static void test_check_sees(void)
{
	start();
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add(4 * MIB, MIB), 0);
	CHECK(memblock_check());
	memblock.memory.regions[0].size = 4 * MIB;
	CHECK(!memblock_check());
	CHECK_LOG("memory\\[1\\] of 2, .* overlaps");
	memblock.memory.regions[0].size = 3 * MIB;
	CHECK(!memblock_check());
	memblock.memory.regions[0].size = 0;
	CHECK(!memblock_check());
	memblock.memory.regions[0].size = 2 * MIB;
	CHECK(!memblock_check());
	CHECK_LOG("regions sum to 0x300000, total_size 0x200000");
}

static const struct tap_case cases[] = {
	TAP_CASE("arrays start empty with room for 128", test_start_empty),
	TAP_CASE("regions that touch become one", test_add_merges),
	TAP_CASE("regions of different node or flags stay apart", test_add_keeps_unlike_apart),
	TAP_CASE("an add over others fills the gaps only", test_add_over_fills_gaps),
	TAP_CASE("an add that begins and ends inside others", test_add_partly_over),
	TAP_CASE("a size of zero does nothing", test_size_zero),
	TAP_CASE("sizes are capped at the end of the address space", test_capped_at_top),
	TAP_CASE("a removal cuts regions", test_remove_cuts),
	TAP_CASE("removing the last region leaves a zeroed slot", test_remove_last),
	TAP_CASE("adjacency is no overlap", test_adjacent_is_no_overlap),
	TAP_CASE("is_region_memory asks for one region", test_region_memory_is_one_region),
	TAP_CASE("flags are set and cleared within a range", test_mark_and_clear),
	TAP_CASE("flags do not make memory", test_mark_past_the_ends),
	TAP_CASE("nodes are set within a range", test_set_node),
	TAP_CASE("what is reserved keeps its flags", test_reserve_over_kern),
	TAP_CASE("a memory limit", test_enforce_limit),
	TAP_CASE("a memory limit that keeps nomap memory", test_limit_keeps_nomap),
	TAP_CASE("memory capped to a range", test_cap_range),
	TAP_CASE("a page frame's region and node", test_search_pfn),
	TAP_CASE("memory without a node", test_numa_coverage),
	TAP_CASE("arrays grow outside of what a limit drops", test_limit_when_full),
	TAP_CASE("arrays grow outside of what is removed", test_remove_when_full),
	TAP_CASE("grown arrays go to the page allocator", test_discard),
	TAP_CASE("trimming to whole pages", test_trim),
	TAP_CASE("the 129th reservation at every position", test_reserve_129th_everywhere),
	TAP_CASE("the 129th memory region at every position", test_add_129th_everywhere),
	TAP_CASE("1000 reservations, given back", test_grow_to_thousand),
	TAP_CASE("both arrays grow", test_grow_both),
	TAP_CASE("the static array stays intact", test_static_array_stays),
	TAP_CASE("an array's place: above the range being added, then below", test_array_place),
	TAP_CASE("without a place for the array nothing changes", test_no_place_for_array),
	TAP_PANICS("reserved full, not to be resized", test_full_reserved,
		   "panic: memblock: reserved: 128 of 128 regions.*resizing not allowed"),
	TAP_PANICS("memory full, not to be resized", test_full_memory,
		   "panic: memblock: memory: 128 of 128 regions.*resizing not allowed"),
	TAP_CASE("a full array takes what needs no slot", test_full_memory_but_merging),
	TAP_CASE("the dump", test_dump),
	TAP_CASE("memblock_check() sees what is wrong", test_check_sees),
};
TAP_MAIN(cases)
