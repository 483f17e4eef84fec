// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allocation from memblock and walks over it, one layout at a time. Random operations are in test_memblock_model.c.
 *
 * In the pictures `=` is memory, `#` is reserved, `.` is neither; addresses grow to the right.
 */
#include <string.h>

#include <mm/port.h>

#include "host.h"
#include "regions.h"
#include "tap.h"

/* Memory of node 0 from 1 MiB to @end, and leave to grow. */
static void start_with_memory(phys_addr_t end)
{
	host_boot_cpu(1);
	memblock_allow_resize();
	CHECK_EQ(memblock_add_node(MIB, end - MIB, 0, MEMBLOCK_NONE), 0);
}

/*
 *	1M                    9M
 *	[====================##]	top-down: at the end, rounded down to align
 *	[##====================]	bottom-up: at the start, rounded up
 */
static void test_alloc_places(void)
{
	start_with_memory(9 * MIB);
	CHECK_EQ(memblock_phys_alloc(4 * KIB, 4 * KIB), 9 * MIB - 4 * KIB);
	CHECK_EQ(memblock_phys_alloc(100, 64 * KIB), 9 * MIB - 64 * KIB);
	CHECK_REGIONS(reserved, K(9 * MIB - 64 * KIB, 100), K(9 * MIB - 4 * KIB, 4 * KIB));
	memblock_set_bottom_up(true);
	CHECK(memblock_bottom_up());
	CHECK_EQ(memblock_phys_alloc(100, 4 * KIB), MIB);
	CHECK_EQ(memblock_phys_alloc(1, 4 * KIB), MIB + 4 * KIB);
	memblock_set_bottom_up(false);
	/* Into the hole that the first two left, as high as it goes. */
	CHECK_EQ(memblock_phys_alloc(32 * KIB, 4 * KIB), 9 * MIB - 36 * KIB);
}

/* Align 0 means 64; the size is not rounded up, so ten times 10 bytes take ten lines less the last line's rest. */
static void test_alloc_align_zero(void)
{
	phys_addr_t end = 9 * MIB;

	start_with_memory(end);
	CHECK_EQ(memblock_find_in_range(0, 0, 10, 0), ALIGN_DOWN(end - 10, 64ULL));
	for (int i = 0; i < 10; i++) {
		phys_addr_t place = memblock_phys_alloc(10, 0);

		CHECK_EQ(place, ALIGN_DOWN(end - 10, 64ULL));
		end = place;
	}
	CHECK_EQ(memblock_reserved_size(), 100);
	CHECK_EQ(memblock.reserved.cnt, 10);
}

/*
 *	0    1 page
 *	[====|=======)	all memory there is: the page at 0 is never given
 */
static void test_alloc_never_page_zero(void)
{
	host_boot_cpu(1);
	CHECK_EQ(memblock_add(0, 2 * PAGE_SIZE), 0);
	memblock_set_bottom_up(true);
	CHECK_EQ(memblock_phys_alloc(16, 16), PAGE_SIZE);
	memblock_set_bottom_up(false);
	CHECK_EQ(memblock_phys_alloc(PAGE_SIZE, 16), 0);
	CHECK_EQ(memblock_phys_alloc(PAGE_SIZE - 16, 16), PAGE_SIZE + 16);
	CHECK_EQ(memblock_phys_alloc(16, 16), 0);
	CHECK_EQ(memblock_phys_alloc_range(16, 16, 0, PAGE_SIZE), 0);
}

/*
 *	1M          4M (limit)         9M
 *	[===========|##################]
 */
static void test_alloc_below_limit(void)
{
	start_with_memory(9 * MIB);
	memblock_set_current_limit(4 * MIB);
	CHECK_EQ(memblock_get_current_limit(), 4 * MIB);
	CHECK_EQ(memblock_phys_alloc(KIB, KIB), 4 * MIB - KIB);
	/* A physical request's end is what it says; a pointer's is clamped. */
	CHECK_EQ(memblock_phys_alloc_range(KIB, KIB, 0, 8 * MIB), 8 * MIB - KIB);
	CHECK_EQ(__pa(memblock_alloc_try_nid_raw(KIB, KIB, 0, 8 * MIB, 0)), 4 * MIB - 2 * KIB);
	CHECK_EQ(memblock_phys_alloc_range(KIB, KIB, 0, 3 * MIB), 3 * MIB - KIB);
	CHECK_EQ(memblock_phys_alloc_range(KIB, KIB, 5 * MIB, MEMBLOCK_ALLOC_ACCESSIBLE), 0);
	CHECK_EQ(memblock_find_in_range(5 * MIB, MEMBLOCK_ALLOC_NOLEAKTRACE, KIB, KIB), 0);
	memblock_set_current_limit(MEMBLOCK_ALLOC_ANYWHERE);
	CHECK_EQ(memblock_phys_alloc_range(KIB, KIB, 5 * MIB, 8 * MIB), 8 * MIB - 2 * KIB);
	CHECK_EQ(memblock_phys_alloc_range(MIB, KIB, 8 * MIB, 8 * MIB + KIB), 0);
	CHECK_EQ(memblock_phys_alloc_range(KIB, KIB, 8 * MIB, 7 * MIB), 0);
}

/*
 *	[ node 0 ][ node 1 ][ node 2 ]
 */
static void three_nodes(void)
{
	host_boot_cpu(1);
	for (int nid = 0; nid < 3; nid++)
		CHECK_EQ(memblock_add_node((nid + 1) * MIB, MIB, nid, MEMBLOCK_NONE), 0);
	host_map_ram(MIB, 3 * MIB);
	arch_linear_map_done();
}

static void test_alloc_node(void)
{
	three_nodes();
	CHECK_EQ(memblock_phys_alloc_try_nid(MIB / 2, KIB, 1), 2 * MIB + MIB / 2);
	CHECK_EQ(memblock_phys_alloc_try_nid(MIB, KIB, 1), 3 * MIB);
	CHECK_EQ(memblock_phys_alloc_try_nid(MIB, KIB, 7), MIB);
	CHECK_EQ(memblock_alloc_exact_nid_raw(MIB, KIB, 0, 0, 1), NULL);
	CHECK_EQ(memblock_alloc_exact_nid_raw(MIB / 2, KIB, 0, 0, 1), (uintptr_t)__va(2 * MIB));
	CHECK_EQ(memblock_alloc_try_nid(KIB, KIB, 0, 0, 0), NULL);
}

/*
 *	1M        2M        3M        4M
 *	[ node 0  |  node 1 |  node 2 ]
 *	               ^ min_addr	first the node above it, then any node above it, then without it
 */
static void test_alloc_gives_up_min_addr_last(void)
{
	phys_addr_t min_addr = 2 * MIB + MIB / 2;

	three_nodes();
	CHECK_EQ(memblock_alloc_try_nid_raw(MIB / 2, KIB, min_addr, 0, 1), (uintptr_t)__va(min_addr));
	CHECK_EQ(memblock_alloc_try_nid_raw(MIB / 2, KIB, min_addr, 0, 1), (uintptr_t)__va(3 * MIB + MIB / 2));
	CHECK_EQ(memblock_alloc_try_nid_raw(MIB / 2, KIB, min_addr, 0, 1), (uintptr_t)__va(3 * MIB));
	CHECK_EQ(memblock_alloc_try_nid_raw(MIB / 2, KIB, min_addr, 0, 1), (uintptr_t)__va(2 * MIB));
	CHECK_EQ(memblock_alloc_exact_nid_raw(MIB / 2, KIB, min_addr, 0, 0), (uintptr_t)__va(MIB + MIB / 2));
	CHECK_EQ(memblock_phys_alloc_range(MIB / 4, KIB, min_addr, 0), 0);
}

/*
 *	[=========][ nomap ][ driver ]	top-down, but neither of the upper two
 */
static void test_alloc_skips_nomap(void)
{
	host_boot_cpu(1);
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add_node(2 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_add_node(3 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_DRIVER_MANAGED), 0);
	CHECK_EQ(memblock_phys_alloc(MIB / 2, KIB), MIB + MIB / 2);
	CHECK_EQ(memblock_phys_alloc(MIB, KIB), 0);
}

/*
 *	[ mirror ][=========]	mirrored memory first, the rest when it is used up
 */
static void test_alloc_prefers_mirror(void)
{
	host_boot_cpu(1);
	CHECK_EQ(memblock_add(MIB, 2 * MIB), 0);
	CHECK_EQ(memblock_mark_mirror(MIB, MIB), 0);
	CHECK_EQ(memblock_find_in_range(0, 0, MIB, KIB), MIB);
	CHECK_EQ(memblock_phys_alloc(MIB, KIB), MIB);
	CHECK_NO_LOG("mirrored");
	CHECK_EQ(memblock_phys_alloc(MIB / 2, KIB), 2 * MIB + MIB / 2);
	CHECK_LOG("no mirrored memory for 524288 bytes");
	host_log_clear();
	CHECK_EQ(memblock_phys_alloc(MIB / 2, KIB), 2 * MIB);
	CHECK_NO_LOG("mirrored");
}

/*
 *	[=========][ hotplug ]	top-down, but not the upper one once movable nodes are on
 */
static void test_alloc_skips_hotplug(void)
{
	phys_addr_t from, to, total = 0;
	u64 i;

	host_boot_cpu(1);
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add_node(2 * MIB, MIB, NUMA_NO_NODE, MEMBLOCK_HOTPLUG), 0);
	CHECK_EQ(memblock_phys_alloc(KIB, KIB), 3 * MIB - KIB);
	memblock_set_movable_node(true);
	CHECK_EQ(memblock_phys_alloc(KIB, KIB), 2 * MIB - KIB);
	CHECK_EQ(memblock_phys_alloc(MIB, KIB), 0);
	for_each_mem_range(i, &from, &to)
		total += to - from;
	CHECK_EQ(total, 2 * MIB);
	memblock_set_movable_node(false);
	CHECK_EQ(memblock_phys_alloc(KIB, KIB), 3 * MIB - 2 * KIB);
}

/*
 *	[=====]#[=====]	no place is in two ranges, and a range that is just too small is passed over
 */
static void test_alloc_exact_fit(void)
{
	host_boot_cpu(1);
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_reserve(MIB + MIB / 2, 64), 0);
	CHECK_EQ(memblock_phys_alloc(MIB / 2, 64), MIB);
	CHECK_EQ(memblock_phys_alloc(MIB / 2, 64), 0);
	CHECK_EQ(memblock_phys_alloc(MIB / 2 - 64, 64), MIB + MIB / 2 + 64);
	CHECK_EQ(memblock_phys_alloc(1, 1), 0);
	CHECK_EQ(memblock_phys_alloc(TOP, 64), 0);
	CHECK_REGIONS(reserved, K(MIB, MIB / 2), M(MIB + MIB / 2, 64), K(MIB + MIB / 2 + 64, MIB / 2 - 64));
}

static bool all_bytes(const u8 *p, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void test_alloc_zeroes(void)
{
	start_with_memory(9 * MIB);
	memset(host_map_ram(8 * MIB, MIB), 0x5a, MIB);
	CHECK(all_bytes(memblock_alloc_raw(10000, 64), 10000, 0x5a));
	CHECK(all_bytes(memblock_alloc_try_nid_raw(10000, 64, 0, 0, 0), 10000, 0x5a));
	CHECK(all_bytes(memblock_alloc(10000, 64), 10000, 0));
	CHECK(all_bytes(memblock_alloc_node(10000, 64, 0), 10000, 0));
	CHECK(all_bytes(memblock_alloc_try_nid(10000, 64, 0, 0, 0), 10000, 0));
}

/* Before the linear map is up only 2 MiB can be made addressable; what cannot be is not left reserved. */
static void test_alloc_window_full(void)
{
	start_with_memory(9 * MIB);
	CHECK(memblock_alloc(MIB, MIB));
	CHECK(!memblock_alloc(MIB + 4 * KIB, 4 * KIB));
	CHECK_REGIONS(reserved, K(8 * MIB, MIB));
	CHECK(memblock_alloc(MIB, 4 * KIB));
	arch_map_linear(MIB, 9 * MIB);
	arch_linear_map_done();
	CHECK(memblock_alloc(2 * MIB, 4 * KIB));
}

static void test_free(void)
{
	start_with_memory(9 * MIB);

	void *p = memblock_alloc(8 * KIB, 4 * KIB);

	CHECK(p);
	memblock_free(p, 8 * KIB);
	memblock_free(NULL, 8 * KIB);
	CHECK_EQ(memblock.reserved.cnt, 0);
	CHECK_EQ(memblock_alloc(8 * KIB, 4 * KIB), (uintptr_t)p);
}

/* Walks. */

/*
 *	memory    [1M=================5M)   [7M==nomap==8M)  [9M===10M)
 *	reserved       [2M##3M)                           [8.5M##9.5M)
 *	free      [1M=2M)      [3M====5M)                     [9.5M=10M)
 */
static void test_free_ranges(void)
{
	static const phys_addr_t want[][2] = {
		{ MIB, 2 * MIB },
		{ 3 * MIB, 5 * MIB },
		{ 9 * MIB + MIB / 2, 10 * MIB },
	};
	phys_addr_t from, to;
	int n = 0, nid;
	u64 i;

	host_boot_cpu(1);
	CHECK_EQ(memblock_add_node(MIB, 4 * MIB, 1, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add_node(7 * MIB, MIB, 1, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_add_node(9 * MIB, MIB, 2, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_reserve(2 * MIB, MIB), 0);
	CHECK_EQ(memblock_reserve(8 * MIB + MIB / 2, MIB), 0);
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, &nid) {
		CHECK(n < 3 && from == want[n][0] && to == want[n][1]);
		CHECK_EQ(nid, n++ < 2 ? 1 : 2);
	}
	CHECK_EQ(n, 3);
	for_each_free_mem_range_reverse(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, &nid) {
		CHECK(n-- > 0 && from == want[n][0] && to == want[n][1]);
	}
	CHECK_EQ(n, 0);
	for_each_free_mem_range(i, 2, MEMBLOCK_NONE, &from, &to, NULL)
		CHECK(n++ == 0 && from == want[2][0]);
	CHECK_EQ(n, 1);
}

/*
 *	[1M===2M)   [3M=nomap=4M)   [5M=driver=6M)[6M=hotplug=7M)	all but nomap, both ways
 */
static void test_memory_ranges(void)
{
	static const phys_addr_t want[] = { MIB, 5 * MIB, 6 * MIB };
	phys_addr_t from, to;
	int n = 0;
	u64 i;

	host_boot_cpu(1);
	CHECK_EQ(memblock_add(MIB, MIB), 0);
	CHECK_EQ(memblock_add_node(3 * MIB, MIB, 0, MEMBLOCK_NOMAP), 0);
	CHECK_EQ(memblock_add_node(5 * MIB, MIB, 0, MEMBLOCK_DRIVER_MANAGED), 0);
	CHECK_EQ(memblock_add_node(6 * MIB, MIB, 0, MEMBLOCK_HOTPLUG), 0);
	CHECK_EQ(memblock_reserve(0, 2 * MIB), 0);
	for_each_mem_range(i, &from, &to) {
		CHECK(n < 3 && from == want[n] && to == want[n] + MIB);
		n++;
	}
	CHECK_EQ(n, 3);
	for_each_mem_range_rev(i, &from, &to) {
		CHECK(n-- > 0 && from == want[n] && to == want[n] + MIB);
	}
	CHECK_EQ(n, 0);
	for_each_reserved_mem_range(i, &from, &to)
		CHECK(n++ == 0 && from == 0 && to == 2 * MIB);
	CHECK_EQ(n, 1);
}

/* Whole pages only: [0x1800, 0x2800) has none, [0x3001, 0x6fff) has two. */
static void test_pfn_ranges(void)
{
	unsigned long from, to;
	int i, n = 0, nid;

	host_boot_cpu(1);
	CHECK_EQ(memblock_add(0x1800, 0x1000), 0);
	CHECK_EQ(memblock_add_node(0x3001, 0x3ffe, 4, MEMBLOCK_NONE), 0);
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &from, &to, &nid) {
		CHECK(n++ == 0 && from == 4 && to == 6);
		CHECK_EQ(nid, 4);
	}
	CHECK_EQ(n, 1);
	for_each_mem_pfn_range(i, 3, &from, &to, &nid)
		n++;
	CHECK_EQ(n, 1);
}

static bool place_claimed;

static phys_addr_t claimed_upper_half(phys_addr_t base, phys_addr_t end)
{
	place_claimed = true;
	return end > 5 * MIB && base < 9 * MIB ? max(base, 5 * MIB) : end;
}

/*
 *	1M          5M            9M
 *	[===========|~~~~~~~~~~~~~]	~ somebody will reserve it later
 */
static void test_claimed(void)
{
	start_with_memory(9 * MIB);
	memblock_set_claimed(claimed_upper_half);
	CHECK_EQ(memblock_phys_alloc(4 * KIB, 4 * KIB), 5 * MIB - 4 * KIB);
	CHECK(place_claimed);
	memblock_set_claimed(NULL);
	CHECK_EQ(memblock_phys_alloc(4 * KIB, 4 * KIB), 9 * MIB - 4 * KIB);
}

static const struct tap_case cases[] = {
	TAP_CASE("top-down from the end, bottom-up from the start", test_alloc_places),
	TAP_CASE("align 0 is a cache line, sizes are not rounded", test_alloc_align_zero),
	TAP_CASE("the page at 0 is never given", test_alloc_never_page_zero),
	TAP_CASE("allocations end below the limit", test_alloc_below_limit),
	TAP_CASE("the asked node, then any unless exact", test_alloc_node),
	TAP_CASE("min_addr is given up last", test_alloc_gives_up_min_addr_last),
	TAP_CASE("nomap and driver-managed memory is passed over", test_alloc_skips_nomap),
	TAP_CASE("mirrored memory comes first", test_alloc_prefers_mirror),
	TAP_CASE("memory that may be unplugged is passed over, if asked for", test_alloc_skips_hotplug),
	TAP_CASE("exact fits", test_alloc_exact_fit),
	TAP_CASE("raw leaves memory as it is, the others zero it", test_alloc_zeroes),
	TAP_CASE("what cannot be addressed is not kept", test_alloc_window_full),
	TAP_CASE("free gives back", test_free),
	TAP_CASE("walks over free ranges, both ways", test_free_ranges),
	TAP_CASE("walks over memory, both ways", test_memory_ranges),
	TAP_CASE("walks over whole pages", test_pfn_ranges),
	TAP_CASE("what will be claimed is not given", test_claimed),
};
TAP_MAIN(cases)
