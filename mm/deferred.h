/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pageblocks whose struct pages are written when they are first needed: what page_init.c, which defers them, and
 * deferred.c, which writes them, share; the buddy allocator's side is in buddy.h.
 */
#ifndef MM_DEFERRED_H
#define MM_DEFERRED_H

#include <mm/mmzone.h>

/* The usage map of a page frame that is present. */
static inline struct mem_section_usage *usage_of(unsigned long pfn)
{
	unsigned long nr = pfn_to_section_nr(pfn);

	return mem_section[nr / SECTIONS_PER_ROOT][nr % SECTIONS_PER_ROOT].usage;
}

/** page_identity() - the top bits of the flags of page frame @pfn, of @zone */
static inline unsigned long page_identity(const struct zone *zone, unsigned long pfn)
{
	return pfn_to_section_nr(pfn) << SECTION_ID_SHIFT | (unsigned long)zone->node->node_id << NODE_ID_SHIFT |
	       (unsigned long)zone->idx << ZONE_ID_SHIFT;
}

/**
 * write_pages() - write the struct pages of [@pfn, @pfn + @n), of one section: @flags, and zero the rest
 *
 * Context: whoever has the pageblock to itself. Cost: 3.3 instructions for each page (fill_lines()).
 */
static inline void write_pages(unsigned long pfn, unsigned long n, unsigned long flags)
{
	fill_lines(pfn_to_page(pfn), n, flags);
}

/** memmap_note_written() - the memmap of one more pageblock has been written */
void memmap_note_written(void);

/** deferred_setup() - what @args, the boot arguments, say: memmap_ahead=0 or 1. Context: boot only. */
void deferred_setup(const char *args);

/**
 * deferred_init() - from now on idle CPUs write ahead. Context: boot only, at the end of the hand-over. Cost: O(CPUs +
 * zones).
 */
void deferred_init(void);

#endif
