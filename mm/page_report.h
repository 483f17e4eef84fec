/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page allocator says about requests and pages that are not as they should be: page_fail.c, page_bad.c,
 * page_dump.c.
 *
 * Context of all of it: any, the zone's lock not held; the log's is taken.
 */
#ifndef MM_PAGE_REPORT_H
#define MM_PAGE_REPORT_H

#include <mm/gfp.h>
#include <mm/mmzone.h>

struct free_list;

/** gfp_excludes_itself() - whether @gfp says two things of which only one can be */
static inline bool gfp_excludes_itself(gfp_t gfp)
{
	return (gfp & (__GFP_MOVABLE | __GFP_RECLAIMABLE)) == (__GFP_MOVABLE | __GFP_RECLAIMABLE);
}

/**
 * usable_types() - BIT() of each migratetype that the request may have free blocks of, of others than its own when
 * those are gone
 */
u32 usable_types(gfp_t gfp, unsigned int order);

/** zone_mark() - pages that a request of @gfp leaves free in @zone when it goes as far down as @which */
static inline unsigned long zone_mark(const struct zone *zone, enum zone_watermarks which, gfp_t gfp)
{
	unsigned long mark = zone->watermark[which];

	return which == WMARK_MIN && (gfp & __GFP_HIGH) ? mark / 2 : mark;
}

/**
 * withheld_pages() - free pages of @zone that the request may not have: isolated, of CMA areas, kept for others.
 * Context: any.
 */
unsigned long withheld_pages(const struct zone *zone, gfp_t gfp, unsigned int order);

/* --- page_fail.c --- */

/** report_failure() - no zone of @list could serve the request */
void report_failure(struct zone **list, int nid, gfp_t gfp, unsigned int order);

/** refuse_pages() - report a request that no machine could serve. Return: NULL; with __GFP_NOFAIL it panics. */
struct page *refuse_pages(int nid, gfp_t gfp, unsigned int order);

/**
 * panic_nofail() - the __GFP_NOFAIL request cannot be served by waiting, because of @reason: the report, and the end
 */
_Noreturn void panic_nofail(struct zone **list, int nid, gfp_t gfp, unsigned int order, const char *reason);

/* --- page_bad.c --- */

/** page_free_fault() - why a block of @order that begins at @page cannot be freed; NULL when it can */
const char *page_free_fault(const struct page *page, unsigned int order);

/**
 * report_bad_page() - "bad page @what" of a block of @order that begins at @page: @fault; with its story and the
 * caller's backtrace
 */
void report_bad_page(const char *what, const struct page *page, unsigned int order, const char *fault);

/**
 * report_bad_free() - the same of a free, which is not done
 *
 * When the page is free, it is taken out of use (page_isolate()), and the last line says so.
 */
void report_bad_free(struct page *page, unsigned int order, const char *fault);

/**
 * report_bad_links() - what the links of a free block hold, which lies in @list, and its story
 * @next, @prev: whether that link does not lead back
 *
 * Context: also with the zone's lock held.
 */
void report_bad_links(const struct free_list *list, const struct page *page, bool next, bool prev);

/**
 * report_mended_list() - @list was made anew of @kept blocks; @isolated are out of use. Context: as report_bad_links().
 */
void report_mended_list(const struct free_list *list, unsigned long kept, unsigned long isolated);

/**
 * drop_user() - one user less of the block of @order at @page, which passed page_free_fault()
 *
 * When somebody else freed it since then, that is reported, and nothing has changed. Return: how many users are left;
 * -1 after that report.
 */
s32 drop_user(struct page *page, unsigned int order);

/* --- page_dump.c --- */

/**
 * dump_page() - all that is known of @page into the log, a line each behind two blanks; any address of vmemmap will do
 */
void dump_page(const struct page *page);

/**
 * page_block() - first page of the block that @page, which is initialised, lies in; a reserved page is a block of its
 * own
 *
 * A moment's answer when the zone's lock is not held. Cost: O(blocks of its pageblock before it).
 */
const struct page *page_block(const struct page *page);

/** page_block_state() - what a block is, by its first page: "free", "cached", "allocated", "reserved" or "bad" */
const char *page_block_state(const struct page *block);

#endif
