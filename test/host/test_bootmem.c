// SPDX-License-Identifier: BSD-2-Clause
/*
 * bootmem against an array of pages that is plainly right, and the boot on it.
 *
 * 1. The model has a byte for each page of the machine: which node's bitmap covers it, if it is free. Spans of nodes 0
 *    and 2 interleave, node 1 stands alone; both kinds of holes are there.
 * 2. An operation on ranges changes both; then every bit is compared. What must be refused is tried in a copy of the
 *    process.
 * 3. An allocation is found in the model by trying every place: the rest of the last page, the first from the hint, the
 *    first from the goal, the next node. The bytes given are kept in a second array, one for each 16: no two overlap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lib/bitmap.h>
#include <mm/bootmem.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "../../mm/bootmem_boot.h"
#include "host.h"
#include "machine.h"
#include "regions.h"
#include "tap.h"

/* The machine: 512 pages from pfn 0, bitmaps at page frame MAP_PFN on. */
#define PAGES	512UL
#define MAP_PFN 600UL
#define GRAIN	16UL
#define NODES	3

static const struct {
	unsigned long start, end;
	int nid;
} banks[] = { { 0, 70, 0 }, { 90, 200, 2 }, { 200, 263, 0 }, { 263, 264, 2 }, { 300, 500, 1 } };

/* Of a page: the node of its bank, -1 in a hole; whether it is free. */
static struct {
	int nid;
	bool free;
} model[PAGES];

/* What each node's struct bootmem_data must say. */
static struct {
	unsigned long min_pfn, low_pfn, hint, last_end;
} nodes[NODES];

/* Which grains have been given out. */
static bool given[PAGES * PAGE_SIZE / GRAIN];

static pg_data_t pgdats[NODES];

static void start(void)
{
	host_boot_cpu(1);
	memblock_allow_resize();
	host_map_ram(0, 1024 * PAGE_SIZE);
	arch_linear_map_done();
	for (unsigned long pfn = 0; pfn < PAGES; pfn++)
		model[pfn].nid = -1;
	for (int nid = 0; nid < NODES; nid++)
		nodes[nid].min_pfn = PAGES;
	for (unsigned int b = 0; b < ARRAY_SIZE(banks); b++) {
		int nid = banks[b].nid;

		memblock_add_node(PFN_PHYS(banks[b].start), PFN_PHYS(banks[b].end - banks[b].start), nid,
				  MEMBLOCK_NONE);
		for (unsigned long pfn = banks[b].start; pfn < banks[b].end; pfn++)
			model[pfn].nid = nid;
		nodes[nid].min_pfn = min(nodes[nid].min_pfn, banks[b].start);
		nodes[nid].low_pfn = banks[b].end;
	}
	/* In another order than that of addresses. */
	for (int nid = NODES - 1; nid >= 0; nid--) {
		pgdats[nid].node_id = nid;
		CHECK_EQ(init_bootmem_node(&pgdats[nid], MAP_PFN + (unsigned long)nid, nodes[nid].min_pfn,
					   nodes[nid].low_pfn),
			 (nodes[nid].low_pfn - nodes[nid].min_pfn + 63) / 64 * 8);
	}
}

static bool is_reserved(int nid, unsigned long pfn)
{
	unsigned long bit = pfn - bootmem_node_data[nid].node_min_pfn;

	return bootmem_node_data[nid].node_bootmem_map[bit / 64] >> (bit % 64) & 1;
}

static void compare(void)
{
	unsigned long total = 0, longest = 0, largest;

	for (int nid = 0; nid < NODES; nid++) {
		unsigned long run = 0;

		for (unsigned long pfn = nodes[nid].min_pfn; pfn < nodes[nid].low_pfn; pfn++) {
			bool is_free = model[pfn].nid == nid && model[pfn].free;

			if (is_reserved(nid, pfn) == is_free)
				tap_fail(__FILE__, __LINE__, "node %d, page frame %lu: bit %d, free in the model %d",
					 nid, pfn, is_reserved(nid, pfn), is_free);
			run = is_free ? run + 1 : 0;
			longest = max(longest, run);
			total += is_free;
		}
		CHECK_EQ(bootmem_node_data[nid].hint_idx, nodes[nid].hint);
		CHECK_EQ(bootmem_node_data[nid].last_end_off, nodes[nid].last_end);
	}
	CHECK_EQ(bootmem_free_pages(&largest), total);
	CHECK_EQ(largest, longest);
}

/* A range of bytes of one bank or several, and the pages it stands for. */
struct range {
	phys_addr_t base, size;
	unsigned long first, end;
};

static struct range random_range(bool outwards)
{
	phys_addr_t base = tap_below(4) ? PFN_PHYS(tap_below(PAGES)) : tap_below(PAGES * PAGE_SIZE);
	phys_addr_t size = tap_below(4) ? PFN_PHYS(tap_below(40)) : tap_below(5 * PAGE_SIZE);

	size = min(size, PAGES * PAGE_SIZE - base);
	if (outwards)
		return (struct range){ base, size, base / PAGE_SIZE,
				       size ? (base + size + PAGE_SIZE - 1) / PAGE_SIZE : base / PAGE_SIZE };
	return (struct range){ base, size, (base + PAGE_SIZE - 1) / PAGE_SIZE, (base + size) / PAGE_SIZE };
}

/* Whether some bitmap covers each page. */
static bool all_covered(const struct range *range, int nid)
{
	for (unsigned long pfn = range->first; pfn < range->end; pfn++) {
		bool covered = false;

		for (int other = 0; other < NODES; other++)
			covered |= (nid < 0 || nid == other) && pfn >= nodes[other].min_pfn &&
				   pfn < nodes[other].low_pfn;
		if (!covered)
			return false;
	}
	return true;
}

static unsigned long count(const struct range *range, int nid, bool is_free)
{
	unsigned long n = 0;

	for (unsigned long pfn = range->first; pfn < range->end; pfn++) {
		bool page_free = model[pfn].free && (nid < 0 || model[pfn].nid == nid);

		n += page_free == is_free;
	}
	return n;
}

static void free_child(const void *arg)
{
	const struct range *range = arg;

	host_mute();
	free_bootmem(range->base, range->size);
}

static void op_free(void)
{
	struct range range = random_range(false);

	if (range.first >= range.end) {
		free_bootmem(range.base, range.size);
		return;
	}
	if (!all_covered(&range, -1) || count(&range, -1, true)) {
		if (!tap_below(50))
			CHECK_EQ(tap_in_child(free_child, &range), TAP_PANICKED);
		return;
	}
	/* A hole's pages would become free: who does that has no memory there. */
	for (unsigned long pfn = range.first; pfn < range.end; pfn++)
		if (model[pfn].nid < 0)
			return;
	free_bootmem(range.base, range.size);
	for (unsigned long pfn = range.first; pfn < range.end; pfn++) {
		int nid = model[pfn].nid;

		model[pfn].free = true;
		nodes[nid].hint = min(nodes[nid].hint, pfn - nodes[nid].min_pfn);
		if (nodes[nid].last_end / PAGE_SIZE == pfn - nodes[nid].min_pfn)
			nodes[nid].last_end = 0;
		memset(&given[pfn * PAGE_SIZE / GRAIN], 0, PAGE_SIZE / GRAIN);
	}
}

static void op_reserve(void)
{
	struct range range = random_range(true);
	int flags = tap_below(2) ? BOOTMEM_EXCLUSIVE : BOOTMEM_DEFAULT;
	int nid = tap_below(2) ? -1 : (int)tap_below(NODES), err;

	if (!all_covered(&range, nid))
		return;
	err = nid < 0 ? reserve_bootmem(range.base, range.size, flags) :
			reserve_bootmem_node(&pgdats[nid], range.base, range.size, flags);
	if (flags == BOOTMEM_EXCLUSIVE && count(&range, nid, false)) {
		CHECK_EQ(err, (unsigned long long)-EBUSY);
		return;
	}
	CHECK_EQ(err, 0);
	for (unsigned long pfn = range.first; pfn < range.end; pfn++)
		if (nid < 0 || model[pfn].nid == nid)
			model[pfn].free = false;
}

struct request {
	phys_addr_t size, align, goal, limit;
	int nid;
};

static bool page_free(int nid, unsigned long pfn)
{
	return pfn < PAGES && model[pfn].nid == nid && model[pfn].free;
}

/* Whether @rq may lie at @at on @nid; a page that it begins within, not at, need not be free. */
static bool fits(int nid, const struct request *rq, phys_addr_t at)
{
	if (at % rq->align || (rq->limit && at + rq->size > rq->limit / PAGE_SIZE * PAGE_SIZE) || at < PAGE_SIZE)
		return false;
	for (unsigned long pfn = (at + PAGE_SIZE - 1) / PAGE_SIZE; PFN_PHYS(pfn) < at + rq->size; pfn++)
		if (!page_free(nid, pfn))
			return false;
	return true;
}

static phys_addr_t model_node(int nid, const struct request *rq)
{
	unsigned long min_pfn = nodes[nid].min_pfn, low_pfn = nodes[nid].low_pfn, last = nodes[nid].last_end;
	unsigned long goal = (rq->goal + PAGE_SIZE - 1) / PAGE_SIZE, from = min_pfn;
	phys_addr_t rest = min_pfn * PAGE_SIZE + last;

	if (goal > min_pfn && goal < low_pfn)
		from = goal;
	while (rest % rq->align)
		rest++;
	if (last % PAGE_SIZE && rest / PAGE_SIZE == min_pfn + last / PAGE_SIZE && rest / PAGE_SIZE >= from &&
	    fits(nid, rq, rest))
		return rest;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned long pfn = pass ? from : max(from, min_pfn + nodes[nid].hint); pfn < low_pfn; pfn++)
			if (fits(nid, rq, PFN_PHYS(pfn)))
				return PFN_PHYS(pfn);
	return 0;
}

/* *@nid: whose it is. */
static phys_addr_t model_alloc(struct request rq, int *nid)
{
	static const int by_address[NODES] = { 0, 2, 1 };

	for (int round = 0; round < 2; round++, rq.goal = 0) {
		phys_addr_t at = 0;

		if (rq.nid >= 0 && (at = model_node(*nid = rq.nid, &rq)))
			return at;
		for (int i = 0; i < NODES; i++) {
			*nid = by_address[i];
			if (rq.goal && PFN_PHYS(nodes[*nid].low_pfn) <= ALIGN(rq.goal, PAGE_SIZE))
				continue;
			at = model_node(*nid, &rq);
			if (at)
				return at;
		}
	}
	return 0;
}

static void take(int nid, phys_addr_t at, phys_addr_t size)
{
	phys_addr_t end = at + size;

	for (phys_addr_t g = at / GRAIN; g < (end + GRAIN - 1) / GRAIN; g++) {
		CHECK(!given[g]);
		given[g] = true;
	}
	for (unsigned long pfn = at / PAGE_SIZE; PFN_PHYS(pfn) < end; pfn++)
		model[pfn].free = false;
	nodes[nid].last_end = end - PFN_PHYS(nodes[nid].min_pfn);
	nodes[nid].hint = (nodes[nid].last_end + PAGE_SIZE - 1) / PAGE_SIZE;
}

static void op_alloc(void)
{
	struct request rq = {
		.size = 1 + tap_below(tap_below(3) ? 600 : 8 * PAGE_SIZE),
		.align = GRAIN << tap_below(tap_below(2) ? 4 : 12),
		.goal = tap_below(2) ? 0 : tap_below(PAGES * PAGE_SIZE),
		.limit = tap_below(3) ? 0 : tap_below(PAGES * PAGE_SIZE),
		.nid = tap_below(2) ? NUMA_NO_NODE : (int)tap_below(NODES),
	};
	int nid;
	phys_addr_t want = model_alloc(rq, &nid);

	CHECK_EQ(bootmem_phys_alloc(rq.size, rq.align, rq.goal, rq.limit, rq.nid), want);
	if (want)
		take(nid, want, rq.size);
}

static void test_random(void)
{
	static void (*const ops[])(void) = { op_free, op_free, op_reserve, op_alloc, op_alloc, op_alloc };

	start();
	compare();
	for (unsigned long n = tap_ops(8000); n; n--) {
		ops[tap_below(ARRAY_SIZE(ops))]();
		compare();
	}
}

/* Looking for a bit, in a map that ends where its last bit's word does. */
static void test_next_bit(void)
{
	for (unsigned long n = tap_ops(3000); n; n--) {
		unsigned long nr = 1 + tap_below(700), words = (nr + 63) / 64, from = tap_below(nr + 1), set = from,
			      clear = from;
		u64 *map = calloc(words, sizeof(*map));

		CHECK(map);
		if (tap_below(2))
			memset(map, 0xff, words * sizeof(*map));
		for (u64 flips = tap_below(4); flips; flips--)
			map[tap_below(words)] ^= 1ULL << tap_below(64);
		while (set < nr && !(map[set / 64] >> (set % 64) & 1))
			set++;
		while (clear < nr && (map[clear / 64] >> (clear % 64) & 1))
			clear++;
		CHECK_EQ(bits_next_set(map, from, nr), set);
		CHECK_EQ(bits_next_clear(map, from, nr), clear);
		free(map);
	}
}

/* Contracts, one at a time, on 64 pages from page frame 16 on. */

static void start_small(void)
{
	host_boot_cpu(1);
	host_map_ram(0, 1024 * PAGE_SIZE);
	arch_linear_map_done();
	bootmem_init_nid(0, MAP_PFN, 16, 80);
	bootmem_free_nid(0, PFN_PHYS(16), PFN_PHYS(64));
}

static void test_map_pages(void)
{
	CHECK_EQ(bootmem_bootmap_pages(1), 1);
	CHECK_EQ(bootmem_bootmap_pages(8 * PAGE_SIZE), 1);
	CHECK_EQ(bootmem_bootmap_pages(8 * PAGE_SIZE + 1), 2);
	CHECK_EQ(bootmem_bootmap_pages(GIB * 256 / PAGE_SIZE), 2048);
}

static void test_init_bootmem(void)
{
	host_boot_cpu(1);
	host_map_ram(0, 1024 * PAGE_SIZE);
	CHECK_EQ(init_bootmem(MAP_PFN, 130), 24);
	CHECK_EQ(min_low_pfn, MAP_PFN);
	CHECK_EQ(max_low_pfn, 130);
	CHECK_EQ(bootmem_free_pages(NULL), 0);
	free_bootmem(0, 130 * PAGE_SIZE);
	/* Never the page at address 0. */
	CHECK_EQ(bootmem_phys_alloc(129 * PAGE_SIZE, PAGE_SIZE, 0, 0, 0), PAGE_SIZE);
	CHECK_EQ(bootmem_phys_alloc(1, 1, 0, 0, NUMA_NO_NODE), 0);
	CHECK_EQ(bootmem_free_pages(NULL), 1);
}

/*
 *	|  page 16  |  page 17  |  page 18
 *	[100][64.... 5000 ......]		all in one row; freeing page 17 ends that
 */
static void test_merging(void)
{
	start_small();
	CHECK_EQ(bootmem_phys_alloc(100, 4, 0, 0, 0), 0x10000);
	CHECK_EQ(bootmem_phys_alloc(5000, 0, 0, 0, 0), 0x10080);
	CHECK_EQ(bootmem_phys_alloc(8, 8, 0, 0, 0), 0x11408);
	CHECK_EQ(bootmem_free_pages(NULL), 62);
	free_bootmem(0x11000, PAGE_SIZE);
	CHECK_EQ(bootmem_phys_alloc(8, 8, 0, 0, 0), 0x11000);
	/* A page's rest does not serve those who want whole pages, nor whose goal lies above it. */
	CHECK_EQ(bootmem_phys_alloc(PAGE_SIZE, PAGE_SIZE, 0, 0, 0), 0x12000);
	CHECK_EQ(bootmem_phys_alloc(8, 8, 0x12008, 0, 0), 0x13000);
}

static void test_rounding(void)
{
	start_small();
	CHECK_EQ(reserve_bootmem(0x10fff, 2, BOOTMEM_EXCLUSIVE), 0);
	CHECK_EQ(bootmem_free_pages(NULL), 62);
	CHECK_EQ(reserve_bootmem(0x11000, 0x2000, BOOTMEM_EXCLUSIVE), (unsigned long long)-EBUSY);
	CHECK_EQ(bootmem_free_pages(NULL), 62);
	free_bootmem(0x10001, 0x1ffe);
	CHECK_EQ(bootmem_free_pages(NULL), 62);
	free_bootmem(0x10001, 0x1fff);
	CHECK_EQ(bootmem_free_pages(NULL), 63);
	CHECK_EQ(reserve_bootmem(0x20000, 0, BOOTMEM_EXCLUSIVE), 0);
	CHECK_EQ(bootmem_free_pages(NULL), 63);
}

static void test_zeroed(void)
{
	const char *p;

	start_small();
	memset(__va(0x10000), 0xa5, 64 * PAGE_SIZE);
	p = alloc_bootmem(3000);
	CHECK_EQ(__pa(p), 0x10000);
	for (int i = 0; i < 3000; i++)
		CHECK_EQ(p[i], 0);
	CHECK_EQ((u8)p[3000], 0xa5);
	CHECK_EQ(__pa(alloc_bootmem_low_pages(2 * PAGE_SIZE)), 0x11000);
	CHECK_EQ(__pa(alloc_bootmem_align(8, 1024)), 0x13000);
	CHECK(!alloc_bootmem_nopanic(64 * PAGE_SIZE));
	CHECK(!alloc_bootmem_low_pages_nopanic(~0UL));
	CHECK_EQ(bootmem_free_pages(NULL), 60);
}

static void test_double_free(void)
{
	start_small();
	CHECK_EQ(reserve_bootmem(0x12000, 0x3000, BOOTMEM_DEFAULT), 0);
	free_bootmem(0x12000, 0x4000);
}

static void test_double_free_node(void)
{
	pg_data_t node = { .node_id = 0 };

	start_small();
	free_bootmem_node(&node, 0x12000, 0x1000);
}

static void test_no_node(void)
{
	start_small();
	free_bootmem(PFN_PHYS(80), PAGE_SIZE);
}

static void test_other_node(void)
{
	start_small();
	reserve_bootmem(PFN_PHYS(70), 20 * PAGE_SIZE, BOOTMEM_DEFAULT);
}

static void test_twice(void)
{
	start_small();
	bootmem_init_nid(0, MAP_PFN, 16, 80);
}

static void test_exhausted(void)
{
	start_small();
	CHECK(alloc_bootmem_pages(60 * PAGE_SIZE));
	alloc_bootmem(5 * PAGE_SIZE);
}

static void test_alignment(void)
{
	start_small();
	bootmem_phys_alloc(64, 48, 0, 0, 0);
}

/* Boot on bitmaps: from memblock, back to it, and to the page allocator. */

#define BOOT_BASE (1 * GIB)

static void start_boot(void)
{
	host_boot_cpu(1);
	memblock_allow_resize();
	memblock_add(BOOT_BASE, 64 * MIB);
	memblock_add(BOOT_BASE + 256 * MIB, 64 * MIB + 1000);
	memblock_set_node(BOOT_BASE, 32 * MIB + 4 * KIB, &memblock.memory, 1);
	memblock_set_node(BOOT_BASE + 32 * MIB + 4 * KIB, GIB, &memblock.memory, 0);
	memblock_mark_nomap(BOOT_BASE + 8 * MIB, 64 * KIB);
	memblock_reserve(BOOT_BASE + 16 * MIB + 100, 5000);
	for (int nid = 0; nid < 2; nid++)
		node_set_possible(nid);
	host_map_ram(BOOT_BASE, 320 * MIB + 4 * KIB);
	arch_linear_map_done();
}

static struct {
	phys_addr_t base, size;
} places[64];

/*
 * Fewer than the table of claims has room for from the start: this build's grows in memblock, behind the bitmaps'
 * backs. The last one is the largest run of free pages, which is most of the highest bank.
 */
#define PLACES 48

static void claim_places(unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		phys_addr_t size = 1 + tap_below(tap_below(8) ? 500 : 100 * KIB), place;
		int nid = (int)tap_below(3) - 1;
		unsigned long largest;

		if (i == nr - 1) {
			bootmem_free_pages(&largest);
			size = PFN_PHYS(largest);
			nid = NUMA_NO_NODE;
		}
		place = bootmem_place(size, i == nr - 1 ? PAGE_SIZE : 1ULL << tap_below(14), nid);
		CHECK(place && memblock_is_region_memory(place, size));
		CHECK(!memblock_is_region_reserved(place, size));
		if (nid >= 0)
			CHECK_EQ(memblock_search(&memblock.memory, place)->nid, nid);
		for (unsigned long other = 0; other < i; other++)
			CHECK(place >= places[other].base + places[other].size || places[other].base >= place + size);
		places[i].base = place;
		places[i].size = size;
		/* Names that differ, so that no two become one claim. */
		claim_add(&(struct mem_claim){ place, size, CLAIM_METADATA, -1, nid, i & 1 ? "odd" : "even", -1 });
	}
}

/* Rows of reserved pages with gaps, so that reserved's array has to grow when the claims come back to memblock. */
static void reserve_rows(void)
{
	for (unsigned long i = 0; i < 120; i++)
		memblock_reserve(BOOT_BASE + 40 * MIB + i * 32 * KIB, 4 * KIB);
}

static void test_open_and_close(void)
{
	unsigned long nr = PLACES, before, grown;

	start_boot();
	reserve_rows();
	bootmem_open();
	CHECK(!bootmem_is_free_nid(1, BOOT_BASE + 8 * MIB, 4 * KIB));
	CHECK(!bootmem_is_free_nid(1, BOOT_BASE + 16 * MIB, 4 * KIB));
	CHECK(bootmem_is_free_nid(1, BOOT_BASE + 16 * MIB + 8 * KIB, 4 * KIB));
	claim_places(nr);
	before = memblock.reserved.max;
	bootmem_close();
	grown = memblock.reserved.max;
	CHECK(memblock_check());
	CHECK(grown > before);
	for (unsigned long i = 0; i < nr; i++) {
		CHECK(memblock_is_region_reserved(places[i].base, places[i].size));
		/* The grown array lies in nobody's place. */
		CHECK(memblock.reserved.place + grown * sizeof(struct memblock_region) <= places[i].base ||
		      places[i].base + places[i].size <= memblock.reserved.place);
	}
	/* memblock again. */
	CHECK(memblock_is_reserved(bootmem_place(8, 8, 0)));
}

/* All that memblock calls free in whole pages is handed over, bitmaps included, and the zones' sums agree. */
static void test_hand_over(void)
{
	unsigned long free_pages = 0, pages;
	phys_addr_t from, to;
	struct zone *zone;
	int z;
	u64 i;

	start_boot();
	reserve_rows();
	sparse_init();
	bootmem_init(0);
	bootmem_open();
	claim_places(PLACES);
	bootmem_close();
	/* Found bad between close and hand-over. */
	CHECK_EQ(memblock_reserve(BOOT_BASE + 260 * MIB, 8 * KIB), 0);
	pages = bootmem_hand_over();
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL)
		if (PFN_UP(from) < PFN_DOWN(to))
			free_pages += PFN_DOWN(to) - PFN_UP(from);
	CHECK_EQ(pages, free_pages);
	CHECK_EQ(totalram_pages(), pages);
	for_each_populated_zone(z, zone) {
		CHECK(zone->reserved_pages && zone->metadata_pages);
		CHECK_EQ(zone->present_pages, zone->reserved_pages + zone->metadata_pages + zone->managed_pages);
	}
	CHECK(!bootmem_node_data[0].list.next && !bootmem_node_data[1].list.next);
	CHECK(memblock_check());
}

static const struct tap_case cases[] = {
	TAP_CASE("random operations on three nodes", test_random),
	TAP_CASE("the next bit set, the next clear", test_next_bit),
	TAP_CASE("a bitmap's pages", test_map_pages),
	TAP_CASE("init_bootmem() is node 0 from page frame 0 on", test_init_bootmem),
	TAP_CASE("small allocations share pages", test_merging),
	TAP_CASE("reserved outwards, freed inwards", test_rounding),
	TAP_CASE("memory is zeroed, and no more than was asked for", test_zeroed),
	TAP_PANICS("a free of what is free", test_double_free,
		   "panic: bootmem: node 0: page frame 0x15 is free already, freeing .mem 0x0*12000-0x0*15fff"),
	TAP_PANICS("a free of what is free, by node", test_double_free_node,
		   "panic: bootmem: node 0: .* 0x12 is free already"),
	TAP_PANICS("a free of nobody's page", test_no_node, "panic: bootmem: .mem 0x0*50000-.* no node"),
	TAP_PANICS("a range that leaves the node", test_other_node, "panic: bootmem: .mem 0x0*50000-.* no node"),
	TAP_PANICS("a second bitmap", test_twice, "panic: bootmem: node 0: .*one already"),
	TAP_PANICS("no memory", test_exhausted,
		   "panic: bootmem: no memory for 20480 bytes aligned to 0 .*: 4 pages free, largest run 4"),
	TAP_PANICS("no power of two", test_alignment, "panic: bootmem: 64 bytes aligned to 48"),
	TAP_CASE("open, allocate, close: memblock knows it all", test_open_and_close),
	TAP_CASE("hand-over gives what is free, and the bitmaps", test_hand_over),
};
TAP_MAIN(cases)
