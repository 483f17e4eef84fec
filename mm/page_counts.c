// SPDX-License-Identifier: BSD-2-Clause
/* Sums over all zones. */
#include <mm/gfp.h>

unsigned long nr_free_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += READ_ONCE(zone->nr_free);
	return pages;
}

unsigned long totalram_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += zone->managed_pages;
	return pages;
}
