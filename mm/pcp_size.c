// SPDX-License-Identifier: BSD-2-Clause
/*
 * How large the per-CPU page caches are.
 *
 * 1. Slots: the head of the stack for a zone's blocks of one type lies in the struct mm_local of the zone's node. Slot
 *    0 belongs to the zone that requests for the type are served from first: for movable ones the highest zone of the
 *    node, for others the highest that is not ZONE_MOVABLE. So the hit that names slot 0 is right on every machine.
 * 2. Arrays: a CPU has an array for each order and type of its own node's zones (most_slots), and an eighth of that up
 *    to REMOTE_MAX_ORDER for other nodes': enough to send blocks home in bunches. They are boot memory of the CPU's
 *    node, sized by the zone's present pages. Where a CPU has no array, the head stays the one that is empty and full.
 * 3. Shares: all CPUs together may keep an eighth of a zone from the others, each an equal part of it: `share`. Limits
 *    begin at 0. A stack found empty or full gets a limit about twice as high (0, 1, 3, 7, ...), as long as its array,
 *    the share and the zone allow, which must be above its high watermark by free pages that the type may have: so the
 *    share goes to the orders and types in use, and bursts meet large batches. Each such event also moves a hand over
 *    the lists, one further: a list that has seen no event for a round gives back half of its limit. Draining sets all
 *    limits to 0.
 * 4. The most that stacks are filled with or drained of at once, half the limit, is bounded by PCP_BATCH (pcp.c).
 *
 * Cost: set-up is O(CPUs * zones); a change of a limit O(1).
 */
#include "internal.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

#include "pcp.h"

/* Of a zone, what all its caches together may hold: 1 / CACHED_PART. */
#define CACHED_PART 8

#define REMOTE_PART	 8
#define REMOTE_MAX_ORDER 3

/* Arrays of 2 KiB at order 0, about half of the one before with each order. */
static const u16 most_slots[NR_PAGE_ORDERS] = { 255, 127, 63, 63, 31, 15, 15, 7, 7, 3, 3 };

bool have_movable_zone;

size_t pcp_area_bytes(void)
{
	struct zone *zone;
	size_t bytes = 0;
	int i;

	for_each_populated_zone(i, zone)
		bytes += ALIGN(sizeof(struct per_cpu_pages), (size_t)64);
	return bytes;
}

static unsigned long cpu_share(unsigned long pages)
{
	return pages / CACHED_PART / (unsigned long)nr_cpu_ids;
}

static int node_of_cpu(int cpu)
{
	return node_for_alloc[((struct mm_cpu *)percpu_base(cpu))->nid];
}

static unsigned long array_slots(const struct zone *zone, int nid, unsigned int order)
{
	unsigned long slots = most_slots[order];

	if (zone->node->node_id != nid)
		slots = order <= REMOTE_MAX_ORDER ? slots / REMOTE_PART : 0;
	return min(slots, cpu_share(zone->present_pages) >> order);
}

/* Slots of all arrays that a CPU of node @nid has for one type of @zone. */
static unsigned long zone_slots(const struct zone *zone, int nid)
{
	unsigned long slots = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (array_slots(zone, nid, order))
			slots += array_slots(zone, nid, order) + 1;
	return slots;
}

/* Cut what @zone's arrays need from @slots. Return: the rest. */
static void **assign_arrays(struct per_cpu_pages *pcp, const struct zone *zone, int nid, void **slots)
{
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		unsigned long n = array_slots(zone, nid, order);

		for (int type = 0; n && type < MIGRATE_PCPTYPES; type++) {
			pcp->list[order][type].slots = slots;
			pcp->list[order][type].capacity = (u16)n;
			slots += n + 1;
		}
	}
	return slots;
}

static void setup_cpu(int cpu)
{
	int nid = node_of_cpu(cpu), i;
	unsigned long n = 0;
	struct zone *zone;
	void **slots;

	for_each_populated_zone(i, zone)
		n += MIGRATE_PCPTYPES * zone_slots(zone, nid);
	if (!n)
		return;
	slots = boot_alloc(n * sizeof(*slots), SMP_CACHE_BYTES, nid, "page stacks");
	for_each_populated_zone(i, zone)
		slots = assign_arrays(per_cpu_ptr(zone->pcp, cpu), zone, nid, slots);
}

void pcp_setup(void)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		zone->pcp = __alloc_percpu(sizeof(struct per_cpu_pages), 64);
		BUG_ON(!zone->pcp);
	}
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		setup_cpu(cpu);
}

/* Point 1 of the theory. */
static int slot_of(const struct zone *zone, enum migratetype type)
{
	enum zone_type highest = type == MIGRATE_MOVABLE ? ZONE_MOVABLE : ZONE_NORMAL;
	int slot = 0;

	if (zone->idx > highest)
		return MAX_NR_ZONES - 1;
	for (int idx = (int)highest; idx > (int)zone->idx; idx--)
		slot += populated_zone(&zone->node->node_zones[idx]);
	return slot;
}

static u32 first_stack(const struct zone *zone, enum migratetype type)
{
	return percpu_local_offset(zone->node->node_id) +
	       (u32)offsetof(struct mm_local, page[slot_of(zone, type)][0][type]);
}

static void init_list(struct per_cpu_pages *pcp, unsigned int order, enum migratetype type, char *base)
{
	struct pcp_list *list = &pcp->list[order][type];

	list->capacity = (u16)min((unsigned long)list->capacity, pcp->share >> order);
	if (!list->capacity)
		return;
	list->head = (struct percpu_stack *)(void *)(base + pcp->first[type] + order * PCP_ORDER_STRIDE);
	percpu_stack_init(list->head, list->slots, 0);
}

static void init_cpu_pages(struct per_cpu_pages *pcp, struct zone *zone, char *base)
{
	pcp->zone = zone;
	pcp->share = cpu_share(zone->managed_pages);
	pcp->spare = pcp->share;
	for (int type = 0; type < MIGRATE_PCPTYPES; type++)
		pcp->first[type] = first_stack(zone, (enum migratetype)type);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (int type = 0; type < MIGRATE_PCPTYPES; type++)
			init_list(pcp, order, (enum migratetype)type, base);
}

void pcp_init(void)
{
	struct zone *zone;
	int i;

	smp_set_kick_task(drain_local_pages);
	for_each_populated_zone(i, zone) {
		have_movable_zone |= zone->idx == ZONE_MOVABLE;
		for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
			init_cpu_pages(per_cpu_ptr(zone->pcp, cpu), zone, percpu_base(cpu));
	}
}

static void change_limit(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order, unsigned long limit)
{
	pcp->spare += (pcp_list_limit(list) << order) - (limit << order);
	WRITE_ONCE(list->head->limit, list->slots + limit);
}

void pcp_set_limit(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order, unsigned long limit)
{
	BUG_ON(limit < pcp_list_count(list) || limit > pcp_list_limit(list));
	change_limit(pcp, list, order, limit);
}

/* Free pages of @zone that blocks of @type may be made of. */
static unsigned long free_for(const struct zone *zone, enum migratetype type)
{
	unsigned long free = READ_ONCE(zone->nr_free);
	unsigned long kept = zone_free_special(zone, MIGRATE_ISOLATE) + zone_free_special(zone, MIGRATE_HIGHATOMIC);

	if (type != MIGRATE_MOVABLE)
		kept += zone_free_cma(zone);
	return free > kept ? free - kept : 0;
}

void pcp_grow(struct per_cpu_pages *pcp, struct pcp_list *list, unsigned int order)
{
	unsigned long limit = pcp_list_limit(list), higher = min(2 * limit + 1, (unsigned long)list->capacity);
	enum migratetype type = (enum migratetype)(list - pcp->list[order]);

	list->busy = true;
	higher = min(higher, limit + (pcp->spare >> order));
	if (higher > limit && free_for(pcp->zone, type) > pcp->zone->watermark[WMARK_HIGH])
		change_limit(pcp, list, order, higher);
}

struct pcp_sums pcp_sum(const struct per_cpu_pages *pcp)
{
	struct pcp_sums sums = { 0 };

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (int type = 0; type < MIGRATE_PCPTYPES; type++) {
			const struct pcp_list *list = &pcp->list[order][type];

			sums.count += pcp_list_count(list) << order;
			sums.high += pcp_list_limit(list) << order;
			sums.batch += list->head ? pcp_list_batch(list) << order : 0;
		}
	return sums;
}

unsigned long zone_pcp_pages(struct zone *zone)
{
	unsigned long pages = 0;

	for (int cpu = 0; zone->pcp && cpu < nr_cpu_ids; cpu++)
		pages += pcp_sum(per_cpu_ptr(zone->pcp, cpu)).count;
	return pages;
}

static bool complain(const struct per_cpu_pages *pcp, int cpu, const char *what, unsigned long a, unsigned long b)
{
	printk("zone check: CPU %d's cache of node %d zone %s: %s: %lu, %lu\n", cpu, pcp->zone->node->node_id,
	       pcp->zone->name, what, a, b);
	return false;
}

/*
 * Every block on @list is one of this order, not in use, of this zone; a CMA area's is cached for movable requests
 * only.
 */
static bool check_blocks(const struct per_cpu_pages *pcp, int cpu, unsigned int order, int type)
{
	const struct pcp_list *list = &pcp->list[order][type];
	unsigned long count = pcp_list_count(list);

	if (!list->head)
		return true;
	if (list->slots[0])
		return complain(pcp, cpu, "the end of a stack is not NULL: order, slots", order, list->capacity);
	for (unsigned long i = 1; i <= count; i++) {
		const struct page *page = list->slots[i];

		if (page_state(page) != order || page_ref_count(page) || !page_in_zone(pcp->zone, page))
			return complain(pcp, cpu, "no cached block: order, pfn", order, page_to_pfn(page));
		if (type != MIGRATE_MOVABLE && get_pageblock_migratetype(page_to_pfn(page)) == MIGRATE_CMA)
			return complain(pcp, cpu, "a CMA area's for others: type, pfn", (unsigned long)type,
					page_to_pfn(page));
	}
	return true;
}

static bool check_cpu(const struct per_cpu_pages *pcp, int cpu)
{
	struct pcp_sums sums = pcp_sum(pcp);

	if (pcp->spare + sums.high != pcp->share)
		return complain(pcp, cpu, "share is not spare + limits: spare, limits", pcp->spare, sums.high);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		for (int type = 0; type < MIGRATE_PCPTYPES; type++) {
			const struct pcp_list *list = &pcp->list[order][type];

			if (pcp_list_count(list) > pcp_list_limit(list) || pcp_list_limit(list) > list->capacity)
				return complain(pcp, cpu, "count or limit too high: count, limit", pcp_list_count(list),
						pcp_list_limit(list));
			if (!check_blocks(pcp, cpu, order, type))
				return false;
		}
	return true;
}

bool pcp_check(struct zone *zone)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (!check_cpu(per_cpu_ptr(zone->pcp, cpu), cpu))
			return false;
	return true;
}
