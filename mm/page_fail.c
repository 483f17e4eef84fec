// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is said when pages are asked for that cannot be had.
 *
 * A failure is reported with order, flags and each zone's state, ten times and then no more until memory was short and
 * yet found. What is refused, an order, node or pair of flags that cannot be, counts as a failure.
 */
#include "page_report.h"

#include <lib/printk.h>
#include <mm/percpu.h>
#include <mm/port.h>

#define MAX_FAIL_REPORTS 10

static u32 fail_reports; /* atomic */

static void report_zone(const struct zone *zone, enum zone_type highest, gfp_t gfp)
{
	int largest = MAX_PAGE_ORDER;

	while (largest >= 0 && !READ_ONCE(zone->free_area[largest].nr_free))
		largest--;
	if (READ_ONCE(zone->nr_deferred))
		largest = MAX_PAGE_ORDER;
	printk("  node %d zone %s: free %lu, mark %lu, kept for higher zones %lu, largest block order %d\n",
	       zone->node->node_id, zone->name, READ_ONCE(zone->nr_free), zone_mark(zone, WMARK_MIN, gfp),
	       zone->lowmem_reserve[highest], largest);
}

/* The first line of a report, with @reason. Return: whether there is to be one. */
static bool report_begin(int nid, gfp_t gfp, unsigned int order, const char *reason)
{
	if ((gfp & __GFP_NOWARN) || fetch_add32(&fail_reports, 1) >= MAX_FAIL_REPORTS)
		return false;
	printk("page allocation failure: order %u, gfp 0x%x, node %d, CPU %u%s\n", order, gfp, nid, this_cpu()->cpu,
	       reason);
	return true;
}

void report_failure(struct zone **list, int nid, gfp_t gfp, unsigned int order)
{
	if (!report_begin(nid, gfp, order, *list ? "" : ": the node has no memory"))
		return;
	for (; *list; list++)
		if ((*list)->idx <= gfp_zone(gfp))
			report_zone(*list, gfp_zone(gfp), gfp);
}

void page_fail_over(void)
{
	WRITE_ONCE(fail_reports, 0);
}

struct page *refuse_pages(int nid, gfp_t gfp, unsigned int order)
{
	const char *reason = ": there is no such node";

	if (order > MAX_PAGE_ORDER)
		reason = ": there is no such order";
	else if (gfp_names_two_groups(gfp))
		reason = ": __GFP_MOVABLE and __GFP_RECLAIMABLE exclude each other";
	report_begin(nid, gfp, order, reason);
	return NULL;
}
