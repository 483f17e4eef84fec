/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking bad pages out of blocks that are freed, for the buddy allocator. */
#ifndef MM_PAGE_OFFLINE_INTERNAL_H
#define MM_PAGE_OFFLINE_INTERNAL_H

#include <mm/mmzone.h>

/**
 * free_around_bad() - free a block of @zone that pages may be in which are to be taken out, without them
 *
 * Context: zone->lock held, zone->nr_bad_pending not 0. Return: false when none of them is in it; nothing is done then.
 */
bool free_around_bad(struct zone *zone, struct page *page, unsigned int order);

#endif
