/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking bad pages out: what the buddy allocator, reports of bad frees and page_offline() share.
 *
 * Context, where nothing else is said: zone->lock held.
 */
#ifndef MM_PAGE_OFFLINE_INTERNAL_H
#define MM_PAGE_OFFLINE_INTERNAL_H

#include <mm/mmzone.h>

/* --- page_pending.c --- */

/*
 * Runs of pages that can be noted where nothing can be allocated, over all zones, before page_offline() has added some.
 */
#define BAD_NOTES 64U

/** bad_pages_within() - whether any note is about pages of [start, end). Cost: O(notes of the zone). */
bool bad_pages_within(const struct zone *zone, unsigned long start, unsigned long end);

/**
 * note_bad_pages() - the pages [start, end) of @zone, of one pageblock that is initialised, are to be taken out
 *
 * Those that are out, or are to be, stay so. Return: @end, or the first page for which there was no note; those before
 * it are noted. Cost: O(pages * notes of the zone).
 */
unsigned long note_bad_pages(struct zone *zone, unsigned long start, unsigned long end);

/** take_bad_page() - if the page frame is noted, it is no more. Return: whether it was. The caller takes it out now. */
bool take_bad_page(struct zone *zone, unsigned long pfn);

/** bad_notes_add() - a page of more notes, for ever. Context: any, no lock held. */
void bad_notes_add(void *page);

/* --- page_offline.c --- */

/**
 * free_around_bad() - free a block of @zone that pages may be in which are to be taken out, without them
 *
 * Context: also zone->nr_bad_pending not 0. Return: false when none of them is in it; nothing is done then.
 */
bool free_around_bad(struct zone *zone, struct page *page, unsigned int order);

/**
 * take_block_out() - all pages of the block of @order at @page, none of them noted, in no list and in nobody's use, are
 * out
 */
void take_block_out(struct zone *zone, struct page *page, unsigned int order);

/**
 * struct page_isolation - what became of pages that were freed though they are free
 * @pages: they are so many, from the one that was freed on
 * @noted: of these, out by now, or when they are freed; fewer only when all notes are in use
 * @out: of these, out by now
 */
struct page_isolation {
	unsigned long pages, noted, out;
};

/**
 * page_isolate() - take out of use what somebody has freed as a block of @order at @page, and is free already
 *
 * That is the pages from @page on that the block has in common with the free, or cached, block that @page lies in now.
 * What lies in the zone's free lists or in this CPU's cache is out when this returns. So is what lies in another CPU's
 * cache, where arch_cross_call_ok(); elsewhere that CPU takes it out as soon as it takes interrupts, and if it gives it
 * before, it is out when its user frees it. Nothing is allocated.
 * Context: any, zone->lock not held. Cost: O(pages of a pageblock), and all caches of all CPUs are drained if need be.
 */
struct page_isolation page_isolate(struct page *page, unsigned int order);

#endif
