/* SPDX-License-Identifier: BSD-2-Clause */
/* What the page allocator says about requests and frees that cannot be served: page_fail.c and page_bad.c. */
#ifndef MM_PAGE_REPORT_H
#define MM_PAGE_REPORT_H

#include <mm/gfp.h>
#include <mm/mmzone.h>

/** gfp_names_two_groups() - whether @gfp says both movable and reclaimable, which exclude each other */
static inline bool gfp_names_two_groups(gfp_t gfp)
{
	return (gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) == (__GFP_MOVABLE | __GFP_RECLAIMABLE);
}

/** zone_mark() - pages that a request of @gfp leaves free in @zone when it goes as far down as @which */
static inline unsigned long zone_mark(const struct zone *zone, enum zone_watermarks which, gfp_t gfp)
{
	unsigned long mark = zone->watermark[which];

	return which == WMARK_MIN && (gfp & __GFP_HIGH) ? mark / 2 : mark;
}

/** report_failure() - no zone of @list could serve the request. Context: any, no lock of ours held. */
void report_failure(struct zone **list, int nid, gfp_t gfp, unsigned int order);

/** page_fail_over() - memory was short and yet found: failures are worth a report again */
void page_fail_over(void);

/** refuse_pages() - report a request that no machine could serve. Return: NULL. */
struct page *refuse_pages(int nid, gfp_t gfp, unsigned int order);

/** page_free_fault() - why a block of @order that begins at @page cannot be freed; NULL when it can */
const char *page_free_fault(const struct page *page, unsigned int order);

/** report_bad_free() - say so, with the page's state and the caller's backtrace */
void report_bad_free(const struct page *page, unsigned int order, const char *fault);

#endif
