// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bad pages.
 *
 * 1. A page to be taken out is noted in its zone's list of those pending, and zone->nr_bad_pending counts it. From then on
 *    buddy_free(), through which every block returns to the zone, looks there: the block is freed in pieces without the
 *    page. A free block is taken from the free lists and freed again, which does just that.
 * 2. A page in a CPU's cache, or on its way there, must pass buddy_free() too. No page of its pageblock names a CPU's stack
 *    from now on (page_stack 0), so what is freed goes to the zone; all CPUs are called, to drain, and after that nobody
 *    pushes by what he read before. What was given to a user meanwhile was given before page_offline() returned.
 * 3. A page that is out has PG_hwpoison, order 0 and no user, and is in no list but zone->bad_pages. It is no buddy of
 *    anything, so no block grows over it.
 * 4. Those pending are noted outside their struct pages, which belong to their users: in whole pages, taken from the page
 *    allocator before the lock, chained, and kept.
 */
#include <mm/page_offline.h>

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <stdlib.h>

#include "buddy.h"
#include "deferred.h"
#include "page_offline.h"
#include "page_report.h"

/**
 * struct bad_pending - page frames that are to be taken out; one page
 * @next: (Z) more of them, all full
 * @nr: (Z) entries of @pfn
 * @pfn: (Z) in no order
 */
struct bad_pending {
	struct bad_pending *next;
	unsigned long nr;
	unsigned long pfn[PAGE_SIZE / sizeof(unsigned long) - 2];
};

_Static_assert(sizeof(struct bad_pending) == PAGE_SIZE, "a page of them");

/* The first page frame pending within [start, start + n), taken off the list; 0 when there is none. */
static unsigned long take_pending(struct zone *zone, unsigned long start, unsigned long n)
{
	for (struct bad_pending *chunk = zone->bad_pending; chunk; chunk = chunk->next) {
		for (unsigned long i = 0; i < chunk->nr; i++) {
			unsigned long pfn = chunk->pfn[i];

			if (pfn - start >= n)
				continue;
			chunk->pfn[i] = chunk->pfn[--chunk->nr];
			ADD_ONCE(zone->nr_bad_pending, -1UL);
			return pfn;
		}
	}
	return 0;
}

static bool is_pending(const struct zone *zone, unsigned long pfn)
{
	for (const struct bad_pending *chunk = zone->bad_pending; chunk; chunk = chunk->next)
		for (unsigned long i = 0; i < chunk->nr; i++)
			if (chunk->pfn[i] == pfn)
				return true;
	return false;
}

/* The page at @pfn is no block's any more. */
static void take_out(struct zone *zone, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	set_page_order(page, 0);
	page_set(page, PG_hwpoison);
	WRITE_ONCE(page->_refcount, 0);
	WRITE_ONCE(page->page_stack, 0);
	page->private = (unsigned long)zone->bad_pages;
	zone->bad_pages = page;
	ADD_ONCE(zone->nr_bad, 1);
}

bool free_around_bad(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long start = page_to_pfn(page), n = 1UL << order, bad = take_pending(zone, start, n);

	if (!bad)
		return false;
	set_page_order(page, 0);
	take_out(zone, bad);
	/* Of the pieces, too, each may hold another one. */
	buddy_free_range(zone, start, bad - start);
	buddy_free_range(zone, bad + 1, start + n - bad - 1);
	return true;
}

/* The zone that page frame @pfn is in, its pageblock initialised; NULL when that is wholly reserved memory. */
static struct zone *zone_of_pfn(unsigned long pfn)
{
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone) {
		unsigned long flags;

		if (pfn < zone->zone_start_pfn || pfn >= zone_end_pfn(zone))
			continue;
		/* Under the lock: a look without it may come between two steps of who initialises it. */
		flags = spin_lock_irqsave(&zone->lock);
		zone_init_deferred(zone, ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES));
		spin_unlock_irqrestore(&zone->lock, flags);
	}
	return page_initialised(pfn) ? page_zone(pfn_to_page(pfn)) : NULL;
}

/* Note @pfn, in *@spare if there is no room elsewhere; that is NULL then. The zone's lock is held. */
static void note_pending(struct zone *zone, unsigned long pfn, struct bad_pending **spare)
{
	struct bad_pending *chunk = zone->bad_pending;

	while (chunk && chunk->nr == ARRAY_SIZE(chunk->pfn))
		chunk = chunk->next;
	if (!chunk) {
		chunk = *spare;
		*spare = NULL;
		chunk->next = zone->bad_pending;
		zone->bad_pending = chunk;
	}
	chunk->pfn[chunk->nr++] = pfn;
	ADD_ONCE(zone->nr_bad_pending, 1);
}

/* What is freed of the pageblock goes to the zone, once all CPUs have been called. */
static void name_no_stack(const struct zone *zone, unsigned long pfn)
{
	struct page *page = pfn_to_page(ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES));

	for (unsigned long i = 0; i < PAGEBLOCK_NR_PAGES; i++)
		if (page_in_zone(zone, &page[i]))
			WRITE_ONCE(page[i].page_stack, 0);
}

/* Under the zone's lock. Return: as page_offline(), but 1 when the other CPUs must be called first. */
static int offline_locked(struct zone *zone, unsigned long pfn, struct bad_pending **spare)
{
	struct page *page = pfn_to_page(pfn), *block;
	unsigned int order;

	if (page_test(page, PG_reserved))
		return -EBUSY;
	if (PageHWPoison(page))
		return 0;
	if (is_pending(zone, pfn))
		return 1;
	note_pending(zone, pfn, spare);
	name_no_stack(zone, pfn);
	block = (struct page *)page_block(page);
	if (!page_test(block, PG_buddy))
		return 1;
	order = page_order(block);
	buddy_remove(zone, block, order);
	buddy_free(zone, block, order);
	return 0;
}

/* A page for struct bad_pending, which is not the bad one itself. */
static struct bad_pending *get_spare(unsigned long pfn)
{
	unsigned long spare = get_zeroed_page(GFP_KERNEL), bad;

	if (!spare || page_to_pfn(virt_to_page((void *)spare)) != pfn)
		return (struct bad_pending *)spare;
	bad = spare;
	spare = get_zeroed_page(GFP_KERNEL);
	free_page(bad);
	return (struct bad_pending *)spare;
}

int page_offline(unsigned long pfn)
{
	struct zone *zone = pfn_valid(pfn) ? zone_of_pfn(pfn) : NULL;
	struct bad_pending *spare;
	unsigned long flags;
	int err;

	if (!zone)
		return pfn_valid(pfn) ? -EBUSY : -ENXIO;
	spare = get_spare(pfn);
	if (!spare)
		return -ENOMEM;
	/* Not between a range's last look at its pages and their being taken. */
	contig_lock();
	flags = spin_lock_irqsave(&zone->lock);
	err = offline_locked(zone, pfn, &spare);
	spin_unlock_irqrestore(&zone->lock, flags);
	contig_unlock();
	free_page((unsigned long)spare);
	if (err <= 0)
		return err;
	drain_all_pages();
	return PageHWPoison(pfn_to_page(pfn)) ? 0 : 1;
}

unsigned long num_poisoned_pages(void)
{
	unsigned long pages = 0;
	struct zone *zone;
	int i;

	for_each_populated_zone(i, zone)
		pages += READ_ONCE(zone->nr_bad);
	return pages;
}

/* Under the zone's lock nothing is printed: a page at a time. Pages that are out stay so. */
static void show_zone(struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	const struct page *page = zone->bad_pages;
	unsigned long pending = zone->nr_bad_pending, bad = zone->nr_bad;

	spin_unlock_irqrestore(&zone->lock, flags);
	if (!bad && !pending)
		return;
	con_printf("Node %d, zone %8s: %lu bad, %lu in use and waiting\n", zone->node->node_id, zone->name, bad,
		   pending);
	for (; page; page = (const struct page *)page->private)
		con_printf("  pfn 0x%lx\n", page_to_pfn(page));
}

/* `badpages PFN`: what became of it. */
static int offline_and_say(const char *number)
{
	char *end;
	unsigned long pfn = strtoul(number, &end, 0);
	int err = *end ? -EINVAL : page_offline(pfn);

	if (err == -EINVAL)
		con_printf("badpages: %s is no number\n", number);
	else if (err == -ENXIO)
		con_printf("badpages: pfn 0x%lx is not RAM\n", pfn);
	else if (err == -EBUSY)
		con_printf("badpages: pfn 0x%lx is reserved\n", pfn);
	else if (err < 0)
		con_printf("badpages: error %d\n", err);
	else
		con_printf("pfn 0x%lx is %s\n", pfn, err ? "in use, and goes when it is freed" : "out of use");
	return min(err, 0);
}

static int cmd_badpages(int argc, char **argv)
{
	struct zone *zone;
	int i;

	if (argc == 2)
		return offline_and_say(argv[1]);
	if (argc != 1) {
		con_printf("usage: badpages [PFN]\n");
		return -EINVAL;
	}
	for_each_populated_zone(i, zone)
		show_zone(zone);
	con_printf("%lu pages are out of use\n", num_poisoned_pages());
	return 0;
}
MONITOR_CMD(badpages, "[PFN]", "pages that are out of use, or take one out", cmd_badpages);
