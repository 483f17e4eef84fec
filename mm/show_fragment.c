// SPDX-License-Identifier: BSD-2-Clause
/*
 * The prompt's `pagetypeinfo` and `extfrag`, in the formats of Linux's /proc/pagetypeinfo and of extfrag_index and
 * unusable_index in its debugfs.
 *
 * pagetypeinfo counts each zone's free blocks under its lock: the types of an order add up to what buddyinfo says.
 */
#include <lib/monitor.h>
#include <lib/printk.h>

#include "buddy.h"
#include "fragindex.h"

static void show_free_blocks(struct zone *zone)
{
	struct zone_blocks blocks;

	count_blocks(zone, &blocks);
	for (int type = 0; type < MIGRATE_TYPES; type++) {
		con_printf("Node %4d, zone %8s, type %12s ", zone->node->node_id, zone->name,
			   migratetype_name((enum migratetype)type));
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			con_printf("%6lu ", blocks.free[type][order]);
		con_printf("\n");
	}
}

static void show_pageblocks(struct zone *zone)
{
	struct zone_blocks blocks;

	count_blocks(zone, &blocks);
	con_printf("Node %d, zone %8s ", zone->node->node_id, zone->name);
	for (int type = 0; type < MIGRATE_TYPES; type++)
		con_printf("%12lu ", blocks.pageblocks[type]);
	con_printf("\n");
}

static int show_pagetypeinfo(int argc, char **argv)
{
	struct zone *zone;
	int i;

	(void)argc;
	(void)argv;
	con_printf("Page block order: %d\nPages per block:  %lu\n\n", PAGEBLOCK_ORDER, PAGEBLOCK_NR_PAGES);
	con_printf("%-43s ", "Free pages count per migrate type at order");
	for (int order = 0; order < NR_PAGE_ORDERS; order++)
		con_printf("%6d ", order);
	con_printf("\n");
	for_each_populated_zone(i, zone)
		show_free_blocks(zone);
	con_printf("\n%-23s", "Number of blocks type ");
	for (int type = 0; type < MIGRATE_TYPES; type++)
		con_printf("%12s ", migratetype_name((enum migratetype)type));
	con_printf("\n");
	for_each_populated_zone(i, zone)
		show_pageblocks(zone);
	return 0;
}
MONITOR_CMD(pagetypeinfo, "", "free blocks and pageblocks by migratetype, as /proc/pagetypeinfo", show_pagetypeinfo);

/* @thousandths, from -1000 to 1000, as a number of three decimals. */
static void print_index(int thousandths)
{
	unsigned int size = (unsigned int)(thousandths < 0 ? -thousandths : thousandths);

	con_printf("%s%u.%03u ", thousandths < 0 ? "-" : "", size / 1000, size % 1000);
}

static void show_index(const char *title, int (*index)(const struct zone *zone, unsigned int order))
{
	struct zone *zone;
	int i;

	con_printf("%s:\n", title);
	for_each_populated_zone(i, zone) {
		con_printf("Node %d, zone %8s ", zone->node->node_id, zone->name);
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			print_index(index(zone, order));
		con_printf("\n");
	}
}

static int show_extfrag(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	show_index("extfrag_index", fragmentation_index);
	show_index("unusable_index", unusable_index);
	return 0;
}
MONITOR_CMD(extfrag, "", "fragmentation by order: -1.000 it would not fail, 0 for lack of memory, 1.000 fragmented",
	    show_extfrag);
