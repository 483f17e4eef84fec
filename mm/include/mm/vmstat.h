/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of the page allocator: what there is (items) and what has happened (events), per zone.
 *
 * 1. A hit in a CPU's page cache counts nothing. Events are counted where blocks move between a zone and a CPU's cache,
 *    or a user who is served without one; there a zone's lock is held anyway. Their unit is the page. So pgalloc_* and
 *    the numa_* counters tell how many pages left the zones, not how many requests were made: a page that is allocated
 *    and freed a thousand times on one CPU left its zone once. Falling back to another node is rare and is counted
 *    whenever it happens: NUMA_MISS and NUMA_FOREIGN are the pages that requests were given so, from a zone or from a
 *    CPU's cache.
 * 2. Of a zone, at every moment at which its lock is held:
 *
 *	PGALLOC - PGFREE = managed - free - bad = per-CPU + allocated
 *	PGALLOC = hit + PGALLOC_AWAY = local + other	(struct numa_stat)
 *
 *    and over all zones NUMA_MISS = NUMA_FOREIGN. zone_events_check() proves the first and the last. The common case, a
 *    page of the right node for a CPU of that node, costs one addition: hit and local are what away and other leave.
 * 3. An event is a 64-bit count on each CPU, changed by that CPU only. It is summed up when somebody reads it.
 * 4. An item goes up and down. Each CPU keeps a difference of its own and folds it into the zone's sum when it passes
 *    zone->stat_threshold. zone_page_state() is that sum, one load, wrong by less than (threshold + 1) * CPUs; with the
 *    differences, zone_page_state_snapshot() is exact when the CPUs are quiet.
 *
 * Lock letters as in mmzone.h; (c) the CPU whose area it is in, interrupts masked.
 */
#ifndef MM_VMSTAT_H
#define MM_VMSTAT_H

#include <mm/mmzone.h>
#include <mm/percpu.h>

#include <asm/irqflags.h>

/**
 * enum zone_event - what is counted, in pages unless it says otherwise
 * @PGALLOC: left the free lists, for a CPU's cache or a user
 * @PGFREE: came back to them
 * @PGALLOC_AWAY: of PGALLOC, for a request that a zone of another node should have served; the rest of a batch included
 * @NUMA_MISS: given to a request that a zone of another node should have served
 * @NUMA_FOREIGN: a zone of another node gave them to a request that this one, the first it allows, should have served
 * @NUMA_OTHER: of PGALLOC, for a CPU of another node
 * @ALLOCSTALL: times a request that this zone should have served found no zone above its low mark
 */
enum zone_event {
	PGALLOC,
	PGFREE,
	PGALLOC_AWAY,
	NUMA_MISS,
	NUMA_FOREIGN,
	NUMA_OTHER,
	ALLOCSTALL,
	NR_ZONE_EVENTS,
};

/**
 * struct per_cpu_zonestat - one CPU's counters of one zone
 * @event: (c) by enum zone_event
 * @diff: (c) by enum zone_stat_item, not yet in zone->vm_stat
 */
struct per_cpu_zonestat {
	u64 event[NR_ZONE_EVENTS];
	s32 diff[NR_VM_ZONE_STAT_ITEMS];
};

/**
 * vmstat_init() - counters for every zone and CPU. Context: boot only, after setup_per_zone_wmarks(), before
 * pcp_init().
 */
void vmstat_init(void);

/** vmstat_area_bytes() - bytes of each per-CPU area that vmstat_init() will ask for */
size_t vmstat_area_bytes(void);

/** __count_zone_event() - add @n to this CPU's count. Context: interrupts masked. Cost: about 8 instructions. */
static inline void __count_zone_event(struct zone *zone, enum zone_event event, u64 n)
{
	ADD_ONCE(this_cpu_ptr(zone->stat)->event[event], n);
}

/** count_zone_event() - the same in any context */
void count_zone_event(struct zone *zone, enum zone_event event, u64 n);

/** count_pages_far() - the rest of count_pages_taken() for pages that went to a CPU or a request of another node */
void count_pages_far(struct zone *zone, unsigned long pages, struct zone *preferred);

/**
 * count_pages_taken() - @pages have left @zone's free lists for this CPU's cache or its user
 * @preferred: the first zone that the request, which they were taken for, allows
 *
 * Context: zone->lock held, so that the equations hold whenever it is. Cost: about 14 instructions.
 */
static inline void count_pages_taken(struct zone *zone, unsigned long pages, struct zone *preferred)
{
	__count_zone_event(zone, PGALLOC, pages);
	if (unlikely(zone->node != preferred->node || zone->node->node_id != this_cpu()->nid))
		count_pages_far(zone, pages, preferred);
}

/** count_fallback() - @zone, of another node than @preferred, gave @pages to a request. Context: any. */
void count_fallback(struct zone *zone, unsigned long pages, struct zone *preferred);

/** fold_zone_stat() - add this CPU's difference of an item to the zone's sum. Context: interrupts masked. */
void fold_zone_stat(struct zone *zone, enum zone_stat_item item);

/** mod_zone_page_state() - add @delta, which may be negative, to an item. Context: any. Cost: about 16 instructions. */
static inline void mod_zone_page_state(struct zone *zone, enum zone_stat_item item, long delta)
{
	unsigned long flags = local_irq_save();
	s32 *diff = &this_cpu_ptr(zone->stat)->diff[item];

	ADD_ONCE(*diff, (s32)delta);
	/* Neither above the threshold nor below what is as far from 0. */
	if (unlikely((u32)(*diff + zone->stat_threshold) > 2U * (u32)zone->stat_threshold))
		fold_zone_stat(zone, item);
	local_irq_restore(flags);
}

/** zone_page_state() - an item, as far as it is folded; never below 0. Context: any. Cost: one load. */
unsigned long zone_page_state(const struct zone *zone, enum zone_stat_item item);

/** zone_page_state_snapshot() - an item, with what is not folded; exact when the CPUs are quiet. Cost: O(CPUs). */
unsigned long zone_page_state_snapshot(const struct zone *zone, enum zone_stat_item item);

/** node_page_state_snapshot() - the sum over the zones of @pgdat */
unsigned long node_page_state_snapshot(const pg_data_t *pgdat, enum zone_stat_item item);

/** global_zone_page_state_snapshot() - the sum over all zones */
unsigned long global_zone_page_state_snapshot(enum zone_stat_item item);

/** zone_event_sum() - an event, of all CPUs; a moment's figure. Cost: O(CPUs). */
u64 zone_event_sum(const struct zone *zone, enum zone_event event);

/** global_event_sum() - the sum over the zones of type @idx; over all zones when it is MAX_NR_ZONES */
u64 global_event_sum(enum zone_type idx, enum zone_event event);

/**
 * struct numa_stat - where pages came from, in the words of Linux's numastat, in pages
 * @hit: left this node as asked
 * @miss: given by this node, though another was asked for
 * @foreign: asked for here, and given by another node
 * @local: left this node for a CPU of it
 * @other: left this node for a CPU of another
 */
struct numa_stat {
	u64 hit, miss, foreign, local, other;
};

/** zone_numa_stat() - add @zone's to *@stat; a moment's figures */
void zone_numa_stat(const struct zone *zone, struct numa_stat *stat);

/**
 * fold_zone_stats() - fold this CPU's differences into the zones' sums
 *
 * With on_each_cpu() from all CPUs: zone_page_state() is exact then, too, until something changes. Context: any.
 */
void fold_zone_stats(void);

/**
 * zone_events_check() - prove the equations of point 2
 *
 * Those of a zone hold whatever other CPUs do (the lock is taken); that of all zones is looked at only when the CPUs
 * are quiet. Return: true, or false after a line that names zone, equation and both sides.
 */
bool zone_events_check(void);

#endif
