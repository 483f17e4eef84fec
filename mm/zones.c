// SPDX-License-Identifier: BSD-2-Clause
/*
 * bootmem_init: nodes and zones from memblock.
 *
 * 1. Zone limits are addresses, the same for all nodes: DMA ends where the most limited bus master's reach does, at 4
 *    GiB at the most; DMA32 ends at 4 GiB; NORMAL is the rest. When all RAM lies above 4 GiB, DMA is all of it, for a
 *    machine whose masters could not reach any memory would not work.
 * 2. ZONE_MOVABLE is cut from the top of each node: its share of movablecore=, in proportion to the node's memory, in
 *    whole pageblocks.
 * 3. A node's zone spans from the first to the last page of the node's memory within the zone's limits; present counts
 *    the pages in between that are memory.
 * 4. A zone's page that is not free at hand-over is reserved or metadata: in a NOMAP or DRIVER_MANAGED region, or
 *    touched by a reserved region without MEMBLOCK_RSRV_KERN, or touched only by one with it. A page touched by both
 *    kinds counts once, for the region that begins first.
 * 5. A node's zonelist has every populated zone of every node: nodes by rising distance (equal ones in rising order of
 *    id from the node itself on, wrapping round, so that neighbours do not all fall back to node 0), and in each node
 *    from the cheap zone to the dear one: MOVABLE, NORMAL, DMA32, DMA. An allocation skips zones above the one it asks
 *    for. Whose node has no page to give, all of it no-map or reserved, begins with the nearest node that has:
 *    node_for_alloc[].
 * 6. Watermarks: min is 4 * sqrt(memory in KiB) KiB, from 128 KiB to 256 MiB, shared out over the zones by their size;
 *    low and high lie a quarter of min, or 0.1 % of the zone when that is more, further up each.
 * 7. lowmem_reserve, as Linux documents it (lowmem_reserve_ratio): zone i keeps from requests that could have had zone
 *    j of its node, j > i, the sum of the managed pages of zones i + 1 to j, divided by the ratio of zone i: 256 for
 *    DMA and DMA32, 32 for NORMAL. A zone that has no pages to give keeps none.
 */
#include "internal.h"

#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/mmzone.h>

#define LIMIT_32BIT (1ULL << 32)

pg_data_t *node_data[MAX_NUMNODES];
int node_for_alloc[MAX_NUMNODES];

static const char *const zone_names[MAX_NR_ZONES] = { "DMA", "DMA32", "Normal", "Movable" };

/* (b) First page frame past each zone, but for MOVABLE, whose start differs from node to node. */
static unsigned long zone_limit_pfn[MAX_NR_ZONES];
static unsigned long movable_start_pfn[MAX_NUMNODES];
static phys_addr_t movablecore;

void set_movablecore(phys_addr_t bytes)
{
	movablecore = bytes;
}

/* One past the last whole page of memory. */
static unsigned long last_pfn(void)
{
	unsigned long end, last = 0;
	int i;

	for_each_mem_pfn_range(i, NUMA_NO_NODE, NULL, &end, NULL)
		last = end;
	return last;
}

static void set_zone_limits(phys_addr_t dma_limit)
{
	phys_addr_t end = PFN_PHYS(last_pfn()), dma = dma_limit ? min(dma_limit, LIMIT_32BIT) : LIMIT_32BIT;

	if (memblock_start_of_DRAM() >= LIMIT_32BIT)
		dma = end;
	else if (memblock_start_of_DRAM() >= dma)
		dma = LIMIT_32BIT;
	zone_limit_pfn[ZONE_DMA] = PFN_DOWN(min(dma, end));
	zone_limit_pfn[ZONE_DMA32] = PFN_DOWN(min(max(dma, LIMIT_32BIT), end));
	zone_limit_pfn[ZONE_NORMAL] = PFN_DOWN(end);
	zone_limit_pfn[ZONE_MOVABLE] = PFN_DOWN(end);
}

static unsigned long node_pages(int nid)
{
	unsigned long start, end, pages = 0;
	int i;

	for_each_mem_pfn_range(i, nid, &start, &end, NULL)
		pages += end - start;
	return pages;
}

/* Where the last @pages pages of @nid begin, rounded up to a pageblock. */
static unsigned long last_pages_start(int nid, unsigned long pages)
{
	for (unsigned long r = memblock.memory.cnt; r-- > 0 && pages;) {
		const struct memblock_region *region = &memblock.memory.regions[r];
		unsigned long start = PFN_UP(region->base), end = PFN_DOWN(region->base + region->size);

		if (region->nid != nid || end <= start)
			continue;
		if (end - start >= pages)
			return ALIGN(end - pages, PAGEBLOCK_NR_PAGES);
		pages -= end - start;
	}
	return 0;
}

/* Each node's ZONE_MOVABLE begins where its share of movablecore, counted from the top, does. */
static void set_movable_limits(void)
{
	unsigned long total = PFN_DOWN(memblock_phys_mem_size()), wanted = PFN_UP(movablecore);
	int nid;

	if (movablecore && wanted >= total) {
		printk("zones: movablecore of %lu pages leaves nothing of %lu: ignored\n", wanted, total);
		wanted = 0;
	}
	for_each_node(nid) {
		unsigned long pages = node_pages(nid), share = 0;

		if (wanted)
			share = (unsigned long)((unsigned __int128)wanted * pages / total);
		movable_start_pfn[nid] = share ? last_pages_start(nid, share) : ~0UL;
	}
}

/* The limits of zone @idx on @nid as page frames; empty when *end <= *start. */
static void zone_limits(int nid, enum zone_type idx, unsigned long *start, unsigned long *end)
{
	if (idx == ZONE_MOVABLE) {
		*start = movable_start_pfn[nid];
		*end = zone_limit_pfn[ZONE_MOVABLE];
		return;
	}
	*start = idx ? zone_limit_pfn[idx - 1] : 0;
	*end = min(zone_limit_pfn[idx], movable_start_pfn[nid]);
}

static void size_zone(struct zone *zone)
{
	unsigned long low, high, start, end, first = 0, last = 0;
	int i;

	zone_limits(zone->node->node_id, zone->idx, &low, &high);
	for_each_mem_pfn_range(i, zone->node->node_id, &start, &end, NULL) {
		start = max(start, low);
		end = min(end, high);
		if (start >= end)
			continue;
		if (!zone->present_pages)
			first = start;
		last = end;
		zone->present_pages += end - start;
	}
	zone->zone_start_pfn = first;
	zone->spanned_pages = last - first;
}

static void init_zone(pg_data_t *pgdat, enum zone_type idx)
{
	struct zone *zone = &pgdat->node_zones[idx];

	zone->node = pgdat;
	zone->name = zone_names[idx];
	zone->idx = idx;
	zone->deferred_pfn = ~0UL;
	zone->deferred_cma_pfn = ~0UL;
	zone->stock.writing = NO_BLOCK;
	spin_lock_init(&zone->lock, zone->name, LOCK_RANK_ZONE);
	for (int order = 0; order < NR_PAGE_ORDERS; order++)
		for (int type = 0; type < MIGRATE_TYPES; type++)
			INIT_LIST_HEAD(&zone->free_area[order].free_list[type]);
	size_zone(zone);
}

static void init_node(int nid)
{
	unsigned long start, end;
	pg_data_t *pgdat;
	int i;

	if (!node_pages(nid))
		return;
	pgdat = boot_alloc(sizeof(*pgdat), SMP_CACHE_BYTES, nid, "node data");
	pgdat->node_id = nid;
	for_each_mem_pfn_range(i, nid, &start, &end, NULL) {
		if (!pgdat->node_present_pages)
			pgdat->node_start_pfn = start;
		pgdat->node_present_pages += end - start;
		pgdat->node_spanned_pages = end - pgdat->node_start_pfn;
	}
	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		init_zone(pgdat, (enum zone_type)idx);
	node_data[nid] = pgdat;
}

/*
 * The node of the set @nodes, a bit each, that is nearest to @nid; -1 when the set is empty. Cost: O(nodes of the set).
 */
static int nearest_node(int nid, u64 nodes)
{
	int best = -1;

	/* Bit 0 is @nid itself. */
	for (u64 left = nodes >> nid | nodes << (64 - nid) % 64; left; left &= left - 1) {
		int other = (nid + __builtin_ctzll(left)) % 64;

		if (best < 0 || node_distance(nid, other) < node_distance(nid, best))
			best = other;
	}
	return best;
}

static struct zone **append_zones(struct zone **list, pg_data_t *pgdat)
{
	for (int idx = MAX_NR_ZONES - 1; idx >= 0; idx--)
		if (populated_zone(&pgdat->node_zones[idx]))
			*list++ = &pgdat->node_zones[idx];
	return list;
}

static void build_zonelist(pg_data_t *pgdat, int nr_zones, u64 nodes)
{
	struct zone **list;
	int other;

	pgdat->zonelist =
		boot_alloc(((phys_addr_t)nr_zones + 1) * sizeof(*list), SMP_CACHE_BYTES, pgdat->node_id, "zonelists");
	list = pgdat->zonelist;
	while ((other = nearest_node(pgdat->node_id, nodes)) >= 0) {
		list = append_zones(list, node_data[other]);
		nodes &= ~(1ULL << other);
	}
	append_zones(pgdat->zonelist_this, pgdat);
}

static u64 nodes_with_memory(void)
{
	pg_data_t *pgdat;
	u64 nodes = 0;
	int nid;

	for_each_online_pgdat(nid, pgdat)
		nodes |= 1ULL << nid;
	return nodes;
}

static void build_zonelists(void)
{
	struct zone *zone;
	pg_data_t *pgdat;
	int nr_zones = 0, i, nid;

	for_each_populated_zone(i, zone)
		nr_zones++;
	for_each_online_pgdat(nid, pgdat)
		build_zonelist(pgdat, nr_zones, nodes_with_memory());
}

/* Nodes in which memblock has a free page. */
static u64 nodes_free_at_boot(void)
{
	phys_addr_t start, end;
	u64 i, nodes = 0;
	int nid;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, &nid)
		if (PFN_UP(start) < PFN_DOWN(end))
			nodes |= 1ULL << nid;
	return nodes;
}

static u64 nodes_managed(void)
{
	struct zone *zone;
	u64 nodes = 0;
	int i;

	for_each_populated_zone(i, zone)
		if (zone->managed_pages)
			nodes |= 1ULL << zone->node->node_id;
	return nodes;
}

/* node_for_alloc[]: the nearest of @nodes, if there are any. */
static void set_fallbacks(u64 nodes)
{
	for (int nid = 0; nid < MAX_NUMNODES; nid++)
		node_for_alloc[nid] = nearest_node(nid, nodes ? nodes : nodes_with_memory());
}

void set_node_fallbacks(void)
{
	set_fallbacks(nodes_managed());
}

static void print_zone_ranges(void)
{
	unsigned long start = PFN_UP(memblock_start_of_DRAM()), movable = ~0UL;
	int nid;

	for_each_node(nid)
		movable = min(movable, movable_start_pfn[nid]);
	printk("Zone ranges:\n");
	for (int idx = 0; idx < MAX_NR_ZONES; idx++) {
		unsigned long end = zone_limit_pfn[idx];

		if (idx == ZONE_MOVABLE)
			start = movable;
		if (start >= end) {
			printk("  %-8s empty\n", zone_names[idx]);
			continue;
		}
		printk("  %-8s [mem 0x%016llx-0x%016llx]\n", zone_names[idx], PFN_PHYS(start), PFN_PHYS(end) - 1);
		start = end;
	}
}

static void print_nodes(void)
{
	pg_data_t *pgdat;
	int nid, other;

	for_each_online_pgdat(nid, pgdat)
		printk("node %d: [mem 0x%016llx-0x%016llx], %lu pages present\n", nid, PFN_PHYS(pgdat->node_start_pfn),
		       PFN_PHYS(pgdat->node_start_pfn + pgdat->node_spanned_pages) - 1, pgdat->node_present_pages);
	if (nr_nodes_possible() < 2)
		return;
	printk("node distances:\n");
	for_each_node(nid) {
		printk(" %2d:", nid);
		for_each_node(other)
			printk(" %3d", node_distance(nid, other));
		printk("\n");
	}
}

void bootmem_init(phys_addr_t dma_limit)
{
	int nid;

	set_zone_limits(dma_limit);
	set_movable_limits();
	for_each_node(nid)
		init_node(nid);
	build_zonelists();
	set_fallbacks(nodes_free_at_boot());
	print_zone_ranges();
	print_nodes();
}

/* Integer square root. */
static unsigned long int_sqrt(unsigned long x)
{
	unsigned long root = 0;

	for (unsigned long bit = 1UL << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return root;
}

static void set_zone_wmarks(struct zone *zone, unsigned long min_pages, unsigned long total)
{
	unsigned long min_mark = (unsigned long)((unsigned __int128)min_pages * zone->managed_pages / total);
	unsigned long step = max(min_mark / 4, zone->managed_pages / 1000);

	zone->watermark[WMARK_MIN] = min_mark;
	zone->watermark[WMARK_LOW] = min_mark + step;
	zone->watermark[WMARK_HIGH] = min_mark + 2 * step;
}

static void set_lowmem_reserve(pg_data_t *pgdat)
{
	static const unsigned long ratio[ZONE_MOVABLE] = { 256, 256, 32 };

	for (int low = 0; low < ZONE_MOVABLE; low++) {
		struct zone *zone = &pgdat->node_zones[low];
		unsigned long above = 0;

		for (int high = low + 1; high < MAX_NR_ZONES; high++) {
			above += pgdat->node_zones[high].managed_pages;
			zone->lowmem_reserve[high] = zone->managed_pages ? above / ratio[low] : 0;
		}
	}
}

void setup_per_zone_wmarks(void)
{
	unsigned long total = totalram_pages(), kib = total << (PAGE_SHIFT - 10);
	unsigned long min_kib = min(max(4 * int_sqrt(kib), 128UL), 256UL << 10);
	struct zone *zone;
	pg_data_t *pgdat;
	int i, nid;

	for_each_populated_zone(i, zone)
		set_zone_wmarks(zone, min_kib >> (PAGE_SHIFT - 10), max(total, 1UL));
	for_each_online_pgdat(nid, pgdat)
		set_lowmem_reserve(pgdat);
}
