/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad pages: memory that is not to be used any more, because a memory test, a device or firmware says so.
 */
#ifndef MM_PAGE_OFFLINE_H
#define MM_PAGE_OFFLINE_H

#include <mm/page.h>

/**
 * page_offline() - take page frame @pfn out of use, and never give it again
 *
 * A free page leaves its block, the rest of which stays free. A page in use stays with its user, and is taken out when
 * the block that it is part of is freed. Either way nobody gets it who has not got it when this returns. A page that is
 * out is counted as its zone's nr_bad, has PG_hwpoison, and whoever frees it gets a report.
 *
 * Context: thread, where arch_cross_call_ok(); takes the zone's lock and calls the other CPUs. Cost: O(pages of a
 * pageblock).
 * Return: 0 when it is out, now or before; 1 when it is in use and will be; -ENXIO: no RAM; -EBUSY: it is reserved, so
 * it was never the page allocator's; -ENOMEM: no page to note it in. Nothing has changed after an error.
 */
int page_offline(unsigned long pfn);

/** PageHWPoison() - whether @page, of a pageblock that is initialised, has been taken out */
static inline bool PageHWPoison(const struct page *page)
{
	return page_test(page, PG_hwpoison);
}

/** num_poisoned_pages() - pages that have been taken out, of all zones */
unsigned long num_poisoned_pages(void);

#endif
