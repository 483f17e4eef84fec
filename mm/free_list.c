// SPDX-License-Identifier: BSD-2-Clause
/*
 * Free lists whose links were written to.
 *
 * 1. A free block's links are in its struct page, which a stray user of the block may write to. So each block that is
 *    taken out of a list, by whatever way, must have neighbours that lead back. What its links hold is not followed
 *    before that is known: a load that finds nothing mapped says so (asm_load_mapped()).
 * 2. The list is not needed to know its blocks. The struct pages tell them: first page of a block of that order,
 *    PG_buddy, in a pageblock of that type. So the list is made anew of those, and loses those only whose links were
 *    written to: they are taken out of use as a whole, for somebody thinks that they are his.
 * 3. Which links were written to? A link from one member of the list to another is proved when that one leads back. One
 *    that is not proved is wrong when it leads to no member; or when it leads to a member whose link back is proved to
 *    be another's. If neither, the other side is looked at: if its link back is wrong, ours is right. Else nobody can
 *    tell which of the two is right, and neither is trusted. So one block with a link or both written to is found for
 *    certain, whatever they hold, and its neighbours are kept; so are several that are not neighbours.
 * 4. All of it looks at links as they were found: what is wrong is marked in the blocks' `private`, which free blocks
 *    do not use. Then the list is made.
 *
 * Context: zone->lock held. Cost: O(pages of the zone that are initialised), once for each damage; nothing is
 * allocated.
 */
#include "free_list.h"

#include <lib/bitmap.h>

#include "buddy.h"
#include "debug.h"
#include "hardening.h"
#include "page_offline.h"
#include "page_report.h"

/* Of a member's two links, in `private`: that it is wrong. */
#define WRONG_NEXT 1UL
#define WRONG_PREV 2UL

enum direction { NEXT, PREV };

static const struct list_head *link_of(const struct list_head *node, enum direction way)
{
	return way == NEXT ? node->next : node->prev;
}

static enum direction back(enum direction way)
{
	return way == NEXT ? PREV : NEXT;
}

static struct list_head *head_of(const struct free_list *list)
{
	return &list->zone->free_area[list->order].free_list[list->type];
}

/* Whether a page of an initialised pageblock begins a block that belongs into @list. */
static bool is_member(const struct free_list *list, const struct page *page)
{
	return page_state(page) == (BIT(PG_buddy) | list->order) && page_in_zone(list->zone, page);
}

/* Whether the pageblock that begins at @pfn may have members. */
static bool has_members(const struct free_list *list, unsigned long pfn)
{
	return page_initialised(pfn) && get_pageblock_migratetype(pfn) == list->type;
}

/*
 * Pages from @pfn to where the next block begins. Struct pages may say anything: it is in the same pageblock, or the
 * next one.
 */
static unsigned long step_over(unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);
	unsigned long n = page_test(page, PG_reserved) ? 1 : 1UL << page_order(page);

	return IS_ALIGNED(pfn, n) ? min(n, PAGEBLOCK_NR_PAGES) : 1;
}

/* The first member from page frame @pfn on, which is where a block begins; NULL when there is none. */
static struct page *member_from(const struct free_list *list, unsigned long pfn)
{
	unsigned long end = zone_end_pfn(list->zone);

	while (pfn < end) {
		if (IS_ALIGNED(pfn, PAGEBLOCK_NR_PAGES) && !has_members(list, pfn)) {
			pfn += PAGEBLOCK_NR_PAGES;
			continue;
		}
		if (is_member(list, pfn_to_page(pfn)))
			return pfn_to_page(pfn);
		pfn += step_over(pfn);
	}
	return NULL;
}

static struct page *first_member(const struct free_list *list)
{
	return member_from(list, ALIGN_DOWN(list->zone->zone_start_pfn, PAGEBLOCK_NR_PAGES));
}

static struct page *next_member(const struct free_list *list, const struct page *page)
{
	return member_from(list, page_to_pfn(page) + (1UL << list->order));
}

/* Whether @node, which may be any address, is a place in @list: its head, or a member's links. */
static bool is_place(const struct free_list *list, const struct list_head *node)
{
	unsigned long offset = (unsigned long)node - VMEMMAP_START - offsetof(struct page, lru);
	unsigned long pfn = offset / sizeof(struct page);

	if (node == head_of(list))
		return true;
	return !(offset % sizeof(struct page)) && IS_ALIGNED(pfn, 1UL << list->order) &&
	       has_members(list, ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES)) && is_member(list, pfn_to_page(pfn));
}

/* Whether the link leads to another place that leads back. @node is a place. */
static bool is_proved(const struct free_list *list, const struct list_head *node, enum direction way)
{
	const struct list_head *other = link_of(node, way);

	return other != node && is_place(list, other) && link_of(other, back(way)) == node;
}

/* Whether the link is wrong for certain: theory, point 3. @node is a place. */
static bool is_disproved(const struct free_list *list, const struct list_head *node, enum direction way)
{
	const struct list_head *other = link_of(node, way);

	if (other == node || !is_place(list, other))
		return true;
	return link_of(other, back(way)) != node && is_proved(list, other, back(way));
}

static bool is_wrong(const struct free_list *list, const struct list_head *node, enum direction way)
{
	if (is_proved(list, node, way))
		return false;
	return is_disproved(list, node, way) || !is_disproved(list, link_of(node, way), back(way));
}

/* Into each member's `private`, which of its links are wrong. */
static void mark_wrong_links(const struct free_list *list)
{
	for (struct page *page = first_member(list); page; page = next_member(list, page))
		page->private = (is_wrong(list, &page->lru, NEXT) ? WRONG_NEXT : 0) |
				(is_wrong(list, &page->lru, PREV) ? WRONG_PREV : 0);
}

/* The free block at @page, a member of @list no more, is nobody's. */
static void isolate_block(const struct free_list *list, struct page *page)
{
	struct zone *zone = list->zone;
	unsigned long wrong = page->private;

	page->private = 0;
	report_bad_links(list, page, wrong & WRONG_NEXT, wrong & WRONG_PREV);
	page_clear(page, PG_buddy);
	ADD_ONCE(zone->free_area[list->order].nr_free, -1UL);
	ADD_ONCE(zone->nr_free, -(1UL << list->order));
	count_special(zone, list->type, -(1UL << list->order));
	take_block_out(zone, page, list->order);
}

/* The list out of those members that are not marked; the others are isolated. */
static void make_list(const struct free_list *list)
{
	unsigned long kept = 0, isolated = 0;
	struct page *page, *next;

	INIT_LIST_HEAD(head_of(list));
	for (page = first_member(list); page; page = next) {
		next = next_member(list, page);
		if (page->private) {
			isolate_block(list, page);
			isolated++;
		} else {
			list_add_tail(&page->lru, head_of(list));
			kept++;
		}
	}
	report_mended_list(list, kept, isolated);
}

void mend_list(struct zone *zone, unsigned int order, enum migratetype type)
{
	const struct free_list list = { zone, order, type };

	mark_wrong_links(&list);
	make_list(&list);
}

bool mend_free_list(struct zone *zone, const struct page *page, unsigned int order)
{
	/* It was in a list that has been mended since somebody chose it. */
	if (page_test(page, PG_hwpoison))
		return false;
	mend_list(zone, order, get_pageblock_migratetype(page_to_pfn(page)));
	return !page_test(page, PG_hwpoison);
}

void mend_pageblock(struct zone *zone, unsigned long pfn, enum migratetype to)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;

	if (!HARDENED)
		return;
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		if (!debug_front_sound(&zone->free_area[order].free_list[to]))
			mend_list(zone, order, to);
	for (; pfn < end; pfn += step_over(pfn)) {
		const struct page *page = pfn_to_page(pfn);

		if (page_test(page, PG_buddy) && page_in_zone(zone, page) && !free_links_sound(page))
			mend_free_list(zone, page, page_order(page));
	}
}

/* Members of the list; -1 when a link does not lead back. */
static long list_length(const struct list_head *head)
{
	const struct list_head *at = head->next;
	long n = 0;

	for (; at != head; at = at->next, n++)
		if (HARDENED && !free_links_sound(list_entry(at, struct page, lru)))
			return -1;
	return n;
}

unsigned long free_list_length(struct zone *zone, unsigned int order, enum migratetype type)
{
	const struct list_head *head = &zone->free_area[order].free_list[type];
	long n = list_length(head);

	if (n < 0) {
		mend_list(zone, order, type);
		n = list_length(head);
	}
	return (unsigned long)n;
}
