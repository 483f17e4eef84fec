/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free lists whose links were written to: finding that out, and making them whole again (free_list.c).
 *
 * Context: zone->lock held. Nothing of it is done at the hardening level none.
 */
#ifndef MM_FREE_LIST_H
#define MM_FREE_LIST_H

#include <mm/mmzone.h>
#include <mm/port.h>

/**
 * struct free_list - which list
 * @zone, @order, @type: of its blocks, constant
 */
struct free_list {
	struct zone *zone;
	unsigned int order;
	enum migratetype type;
};

/*
 * *@value = the word at @offset of the list head at @link, which may be any address. Return: false when there is none.
 */
static __always_inline bool load_link(const struct list_head *link, size_t offset, unsigned long *value)
{
	return asm_load_mapped((const unsigned long *)((unsigned long)link + offset), value);
}

/**
 * free_links_sound() - whether the links of the free block at @page lead to neighbours that lead back
 *
 * They may hold anything. Both to the block itself is nothing that a list has, and taking it out would leave it in.
 */
static __always_inline bool free_links_sound(const struct page *page)
{
	const struct list_head *links = &page->lru, *next = links->next;
	unsigned long behind, before, self = (unsigned long)links;

	return likely(load_link(next, offsetof(struct list_head, prev), &behind) &&
		      load_link(links->prev, offsetof(struct list_head, next), &before)) &&
	       likely((int)(behind == self) & (int)(before == self) & (int)(next != links));
}

/**
 * mend_free_list() - make the list anew that the free block of @order at @page is in, out of the struct pages
 *
 * All blocks of it are in it then but those whose own links were written to: they are out of use, which is reported.
 * The counters agree. Return: whether @page is in the list still. Cost: O(pages of the zone that are initialised).
 */
bool mend_free_list(struct zone *zone, const struct page *page, unsigned int order);

/** mend_list() - the same of the list of @order and @type */
void mend_list(struct zone *zone, unsigned int order, enum migratetype type);

/**
 * mend_pageblock() - before free blocks of the pageblock at @pfn, initialised, move to the lists of @to: all those
 * lists are sound
 *
 * Cost: O(blocks in it), when they are.
 */
void mend_pageblock(struct zone *zone, unsigned long pfn, enum migratetype to);

/** free_list_length() - blocks in a free list, which is made anew if need be */
unsigned long free_list_length(struct zone *zone, unsigned int order, enum migratetype type);

#endif
