/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who allocated a block and who freed it: CONFIG_PAGE_OWNER, and nothing without it. See page_owner.c.
 *
 * Context, where nothing else is said: whoever has the block at the moment; any lock of mm's may be held.
 */
#ifndef MM_PAGE_OWNER_H
#define MM_PAGE_OWNER_H

#include <mm/gfp_types.h>

#ifdef CONFIG_PAGE_OWNER

extern bool page_owner_on; /* (b) */

/** page_owner_active() - whether owners are tracked */
static inline bool page_owner_active(void)
{
	return page_owner_on;
}

/**
 * page_owner_init() - room for what is known of each page, unless @args, the boot arguments, say page_owner=off
 *
 * The room is reserved and not touched. Context: boot only, after sparse_init(). Panics when memory is short.
 */
void page_owner_init(const char *args);

/** page_owner_note_alloc() - the block of @order at @page has a user, and the caller's backtrace is whose it is */
void page_owner_note_alloc(const struct page *page, unsigned int order, gfp_t gfp);

/** page_owner_note_free() - the block at @page has no user any more */
void page_owner_note_free(const struct page *page);

/** page_owner_split() - each of the 1 << @order pages at @page is the user's of the whole */
void page_owner_split(const struct page *page, unsigned int order);

/** page_owner_dump() - who had the block at @page last, into the log, behind two blanks. Context: any. */
void page_owner_dump(const struct page *page);

#else

static inline bool page_owner_active(void)
{
	return false;
}

static inline void page_owner_init(const char *args)
{
	(void)args;
}

static inline void page_owner_note_alloc(const struct page *page, unsigned int order, gfp_t gfp)
{
	(void)page;
	(void)order;
	(void)gfp;
}

static inline void page_owner_note_free(const struct page *page)
{
	(void)page;
}

static inline void page_owner_split(const struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
}

static inline void page_owner_dump(const struct page *page)
{
	(void)page;
}

#endif

/** page_owner_alloc() - page_owner_note_alloc(), when owners are tracked */
static inline void page_owner_alloc(const struct page *page, unsigned int order, gfp_t gfp)
{
	if (unlikely(page_owner_active()))
		page_owner_note_alloc(page, order, gfp);
}

/** page_owner_free() - page_owner_note_free(), when owners are tracked */
static inline void page_owner_free(const struct page *page)
{
	if (unlikely(page_owner_active()))
		page_owner_note_free(page);
}

#endif
