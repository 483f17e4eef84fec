// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is said when pages are asked for that cannot be had.
 *
 * 1. The first line of a report has order, flags by value and name, node and CPU. Then each zone that was tried has a
 *    line, in the order they were tried, with what stood in the way; then one each why others were not. The caller's
 *    backtrace ends it.
 * 2. What stood in the way is judged when the report is written; other CPUs go on, and a zone may have room again. Then
 *    the line says so. Blocks that the request may not use do not count; when there are some that would do, it says
 *    whose.
 * 3. There are ten reports, and then no more until five seconds have passed without one; then a line says how many
 *    there would have been. What is refused, an order, node or flags that cannot be, counts as a failure.
 * 4. __GFP_NOFAIL panics where nobody can wait: after the same report, whatever was reported before.
 */
#include "page_report.h"

#include <lib/printk.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <stdio.h>

#include "buddy.h"

#define MAX_FAIL_REPORTS 10
#define QUIET_MS	 5000
#define WHOSE_MAX	 80
#define OBSTACLE_MAX	 128

static u32 fails;	   /* atomic: failures since the first of the ten, whether reported or not */
static u32 last_report_ms; /* atomic */

/* Order of the largest free block of @zone that the request may use, -1 when there is none. */
static int largest_order(const struct zone *zone, gfp_t gfp, unsigned int order)
{
	u32 types = usable_types(gfp, order);
	int largest = MAX_PAGE_ORDER;

	while (largest >= 0 && !zone_has_block(zone, (unsigned int)largest, types))
		largest--;
	return largest;
}

/* Whose blocks that are large enough are, which the request may not use: "; larger ones are CMA's", or nothing. */
static const char *whose_blocks(const struct zone *zone, gfp_t gfp, unsigned int order, char *buf)
{
	static const char *const names[MIGRATE_TYPES] = {
		[MIGRATE_HIGHATOMIC] = "kept for urgent requests",
		[MIGRATE_CMA] = "CMA's",
		[MIGRATE_ISOLATE] = "isolated",
	};
	u32 usable = usable_types(gfp, order);
	const char *separator = "; larger ones are ";
	size_t len = 0;

	buf[0] = '\0';
	for (int type = MIGRATE_PCPTYPES; type < MIGRATE_TYPES; type++) {
		if (usable & BIT(type) || !zone_has_block(zone, order, (u32)BIT(type)))
			continue;
		len += (size_t)snprintf(buf + len, WHOSE_MAX - len, "%s%s", separator, names[type]);
		separator = ", ";
	}
	return buf;
}

/* What keeps @zone from serving the request, down to the min watermark. */
static const char *obstacle(const struct zone *zone, gfp_t gfp, unsigned int order, char *buf)
{
	unsigned long free = READ_ONCE(zone->nr_free), reserve = zone->lowmem_reserve[gfp_zone(gfp)];
	unsigned long need = (1UL << order) + zone_mark(zone, WMARK_MIN, gfp);
	unsigned long withheld = withheld_pages(zone, gfp, order);
	int largest = largest_order(zone, gfp, order);
	char whose[WHOSE_MAX];

	if (free < need)
		snprintf(buf, OBSTACLE_MAX, "below min watermark by %lu", need - free);
	else if (free < need + reserve)
		snprintf(buf, OBSTACLE_MAX, "below lowmem reserve by %lu", need + reserve - free);
	else if (free < need + reserve + withheld)
		snprintf(buf, OBSTACLE_MAX, "%lu pages are isolated, CMA's or kept for others, short by %lu", withheld,
			 need + reserve + withheld - free);
	else if (largest < (int)order)
		snprintf(buf, OBSTACLE_MAX, "no block of order %u (largest %d%s)", order, largest,
			 whose_blocks(zone, gfp, order, whose));
	else
		snprintf(buf, OBSTACLE_MAX, "has room again");
	return buf;
}

static void report_tried(const struct zone *zone, gfp_t gfp, unsigned int order)
{
	char why[OBSTACLE_MAX];

	printk("  node %d zone %s: %s: free %lu, min %lu, low %lu, high %lu, lowmem reserve %lu, high-atomic %lu, largest block order %d\n",
	       zone->node->node_id, zone->name, obstacle(zone, gfp, order, why), READ_ONCE(zone->nr_free),
	       zone_mark(zone, WMARK_MIN, gfp), zone->watermark[WMARK_LOW], zone->watermark[WMARK_HIGH],
	       zone->lowmem_reserve[gfp_zone(gfp)], READ_ONCE(zone->nr_reserved_highatomic),
	       largest_order(zone, gfp, order));
}

static bool in_list(struct zone **list, const struct zone *zone)
{
	while (*list && *list != zone)
		list++;
	return *list;
}

/* Zones that were not tried, with the reason. */
static void report_others(struct zone **list, gfp_t gfp)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		const char *why = NULL;

		if (zone->idx > gfp_zone(gfp))
			why = "above the zones that the flags allow";
		else if (!in_list(list, zone))
			why = gfp & __GFP_THISNODE ? "other node, __GFP_THISNODE" : "has no pages to give";
		if (why)
			printk("  node %d zone %s: not tried: %s\n", zone->node->node_id, zone->name, why);
	}
}

static void print_request(int nid, gfp_t gfp, unsigned int order, const char *reason)
{
	char names[GFP_NAMES_MAX];

	printk("page allocation failure: order %u, gfp 0x%x (%s), node %d, CPU %u%s%s\n", order, gfp,
	       gfp_names(gfp, names, sizeof(names)), nid, this_cpu()->cpu, *reason ? ": " : "", reason);
}

static void print_zones(struct zone **list, gfp_t gfp, unsigned int order)
{
	for (struct zone **zone = list; *zone; zone++)
		if ((*zone)->idx <= gfp_zone(gfp))
			report_tried(*zone, gfp, order);
	report_others(list, gfp);
}

/* When the last report is long ago, who finds that first has ten more. */
static void end_of_silence(u32 now)
{
	u32 last = READ_ONCE(last_report_ms), missed;

	/* Another CPU may have written a moment that is behind @now. */
	if ((s32)(now - last) < QUIET_MS || !cas32_acq_rel(&last_report_ms, last, now))
		return;
	missed = xchg32_acquire(&fails, 0);
	if (missed > MAX_FAIL_REPORTS)
		printk("page allocation failure: %u more were not reported\n", missed - MAX_FAIL_REPORTS);
}

/* Whether there is to be a report of a failure with @gfp. */
static bool report_wanted(gfp_t gfp)
{
	u32 now = (u32)(arch_clock_ns() / 1000000);

	if (gfp & __GFP_NOWARN)
		return false;
	end_of_silence(now);
	if (fetch_add32(&fails, 1) >= MAX_FAIL_REPORTS)
		return false;
	WRITE_ONCE(last_report_ms, now);
	return true;
}

void report_failure(struct zone **list, int nid, gfp_t gfp, unsigned int order)
{
	if (!report_wanted(gfp))
		return;
	print_request(nid, gfp, order, *list ? "" : "the node has no memory");
	print_zones(list, gfp, order);
	arch_dump_stack();
}

_Noreturn void panic_nofail(struct zone **list, int nid, gfp_t gfp, unsigned int order, const char *reason)
{
	print_request(nid, gfp, order, reason);
	print_zones(list, gfp, order);
	panic("__GFP_NOFAIL: order %u cannot be had: %s", order, reason);
}

static const char *refusal(gfp_t gfp, unsigned int order)
{
	if (order > MAX_PAGE_ORDER)
		return "there is no such order";
	if (gfp_excludes_itself(gfp))
		return "__GFP_MOVABLE and __GFP_RECLAIMABLE exclude each other";
	return "there is no such node";
}

struct page *refuse_pages(int nid, gfp_t gfp, unsigned int order)
{
	static struct zone *none[1];

	if (gfp & __GFP_NOFAIL)
		panic_nofail(none, nid, gfp, order, refusal(gfp, order));
	if (report_wanted(gfp)) {
		print_request(nid, gfp, order, refusal(gfp, order));
		arch_dump_stack();
	}
	return NULL;
}
