// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counters of the page allocator.
 *
 * 1. The counters of all zones are one per-CPU array, in the order of for_each_populated_zone(), allocated once: a
 *    struct per_cpu_zonestat for each zone on each CPU. zone->stat is the zone's element of it.
 * 2. Only its own CPU writes an element, interrupts masked, so a handler may count in the middle of anything and no
 *    count is lost. Others read with one load each: a sum over CPUs is of no single moment, unless something keeps them
 *    from counting. For events of pages that move this is the zone's lock.
 * 3. The threshold of a zone lets all CPUs together hide at most 1/1024 of its pages from zone_page_state(), and each
 *    at least 1 and at most 125, so that a difference would fit in eight bits.
 *
 * Locks: none; zone_events_check() takes zone->lock.
 */
#include <mm/vmstat.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#define HIDDEN_SHARE  1024
#define MAX_THRESHOLD 125

static unsigned int nr_populated_zones(void)
{
	struct zone *zone;
	unsigned int n = 0;
	int i;

	for_each_populated_zone(i, zone)
		n++;
	return n;
}

size_t vmstat_area_bytes(void)
{
	return ALIGN(nr_populated_zones() * sizeof(struct per_cpu_zonestat), (size_t)64);
}

void vmstat_init(void)
{
	struct per_cpu_zonestat *stat = __alloc_percpu(vmstat_area_bytes(), 64);
	unsigned long share;
	struct zone *zone;
	int i;

	BUG_ON(!stat);
	for_each_populated_zone(i, zone) {
		share = zone->managed_pages / HIDDEN_SHARE / (unsigned long)nr_cpu_ids;
		zone->stat = stat++;
		zone->stat_threshold = (s32)min(max(share, 1UL), (unsigned long)MAX_THRESHOLD);
	}
}

void count_zone_event(struct zone *zone, enum zone_event event, u64 n)
{
	unsigned long flags = local_irq_save();

	__count_zone_event(zone, event, n);
	local_irq_restore(flags);
}

void count_pages_far(struct zone *zone, unsigned long pages, struct zone *preferred)
{
	if (zone->node->node_id != this_cpu()->nid)
		__count_zone_event(zone, NUMA_OTHER, pages);
	if (zone->node != preferred->node)
		__count_zone_event(zone, PGALLOC_AWAY, pages);
}

void count_fallback(struct zone *zone, unsigned long pages, struct zone *preferred)
{
	count_zone_event(zone, NUMA_MISS, pages);
	count_zone_event(preferred, NUMA_FOREIGN, pages);
}

void fold_zone_stat(struct zone *zone, enum zone_stat_item item)
{
	s32 *diff = &this_cpu_ptr(zone->stat)->diff[item];

	fetch_add64((u64 *)&zone->vm_stat[item], (u64)(s64)*diff);
	WRITE_ONCE(*diff, 0);
}

void fold_zone_stats(void)
{
	unsigned long flags = local_irq_save();
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		for (int item = 0; item < NR_VM_ZONE_STAT_ITEMS; item++)
			fold_zone_stat(zone, (enum zone_stat_item)item);
	local_irq_restore(flags);
}

/* Differences that others hold may make a sum negative for a moment. */
static unsigned long not_negative(s64 sum)
{
	return sum > 0 ? (unsigned long)sum : 0;
}

unsigned long zone_page_state(const struct zone *zone, enum zone_stat_item item)
{
	return not_negative(READ_ONCE(zone->vm_stat[item]));
}

unsigned long zone_page_state_snapshot(const struct zone *zone, enum zone_stat_item item)
{
	s64 sum = READ_ONCE(zone->vm_stat[item]);

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		sum += READ_ONCE(per_cpu_ptr(zone->stat, cpu)->diff[item]);
	return not_negative(sum);
}

unsigned long node_page_state_snapshot(const pg_data_t *pgdat, enum zone_stat_item item)
{
	unsigned long sum = 0;

	for (int idx = 0; idx < MAX_NR_ZONES; idx++)
		if (populated_zone(&pgdat->node_zones[idx]))
			sum += zone_page_state_snapshot(&pgdat->node_zones[idx], item);
	return sum;
}

unsigned long global_zone_page_state_snapshot(enum zone_stat_item item)
{
	unsigned long sum = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		sum += zone_page_state_snapshot(zone, item);
	return sum;
}

u64 zone_event_sum(const struct zone *zone, enum zone_event event)
{
	u64 sum = 0;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		sum += READ_ONCE(per_cpu_ptr(zone->stat, cpu)->event[event]);
	return sum;
}

u64 global_event_sum(enum zone_type idx, enum zone_event event)
{
	struct zone *zone;
	u64 sum = 0;
	int i;

	for_each_populated_zone(i, zone)
		if (idx == MAX_NR_ZONES || zone->idx == idx)
			sum += zone_event_sum(zone, event);
	return sum;
}

void zone_numa_stat(const struct zone *zone, struct numa_stat *stat)
{
	/* In this order, so that no difference is negative: a page is counted as taken before it is counted as far. */
	u64 away = zone_event_sum(zone, PGALLOC_AWAY), other = zone_event_sum(zone, NUMA_OTHER);
	u64 taken = zone_event_sum(zone, PGALLOC);

	stat->hit += taken - min(away, taken);
	stat->miss += zone_event_sum(zone, NUMA_MISS);
	stat->foreign += zone_event_sum(zone, NUMA_FOREIGN);
	stat->local += taken - min(other, taken);
	stat->other += other;
}

static bool equal(const char *left, u64 a, const char *right, u64 b)
{
	if (a != b)
		printk("vmstat check: %s is %llu, %s is %llu\n", left, a, right, b);
	return a == b;
}

static bool check_zone_events(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	u64 out = zone_event_sum(zone, PGALLOC) - zone_event_sum(zone, PGFREE);
	bool ok = equal("pages taken - given back", out, "managed - free - bad",
			zone->managed_pages - zone->nr_free - zone->nr_bad);

	if (!ok)
		printk("vmstat check: of node %d zone %s\n", zone->node->node_id, zone->name);
	spin_unlock_irqrestore(&zone->lock, flags);
	return ok;
}

bool zone_events_check(void)
{
	bool ok = equal("numa_miss of all zones", global_event_sum(MAX_NR_ZONES, NUMA_MISS), "numa_foreign",
			global_event_sum(MAX_NR_ZONES, NUMA_FOREIGN));
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		ok &= check_zone_events(zone);
	return ok;
}
