// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bad pages.
 *
 * 1. A page to be taken out is noted (page_pending.c), and zone->nr_bad_pending counts it. From then on buddy_free(),
 *    through which every block returns to the zone, looks there: the block is freed in pieces without the page. A page
 *    of a free block is not noted: the block is taken from the free lists, and the rest of it is freed again.
 * 2. A page in a CPU's cache, or on its way there, must pass buddy_free() too. No page of its pageblock names a CPU's
 *    stack from now on (page_stack 0), so what is freed goes to the zone; all CPUs are called, to drain, and after that
 *    nobody pushes by what he read before. What was given to a user meanwhile was given before page_offline() returned.
 * 3. A page that is out has PG_hwpoison, order 0 and no user, and is in no list but zone->bad_pages. It is no buddy of
 *    anything, so no block grows over it.
 * 4. page_isolate() does the same with what somebody has freed twice. Whose it is is in doubt: who freed it last thinks
 *    it was his until then. So of the block that he freed all pages go that still are in one free block with its first
 *    one: all of them, when it was freed twice in a row. What has been given to others since is theirs. It may come
 *    from a handler or with interrupts masked, where nobody can wait for other CPUs: this CPU's caches are drained at
 *    once, the others are kicked, and drain theirs in an interrupt handler.
 */
#include <mm/page_offline.h>

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/port.h>
#include <stdlib.h>

#include "buddy.h"
#include "deferred.h"
#include "page_offline.h"
#include "page_report.h"

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
	unsigned long good = page_to_pfn(page), end = good + (1UL << order);

	if (!bad_pages_within(zone, good, end))
		return false;
	set_page_order(page, 0);
	for (unsigned long pfn = good; pfn < end; pfn++) {
		if (!take_bad_page(zone, pfn))
			continue;
		take_out(zone, pfn);
		buddy_free_range(zone, good, pfn - good);
		good = pfn + 1;
	}
	buddy_free_range(zone, good, end - good);
	return true;
}

void take_block_out(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order);

	for (; pfn < end; pfn++)
		take_out(zone, pfn);
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

/* What is freed of the pageblock goes to the zone, once all CPUs have been called. */
static void name_no_stack(const struct zone *zone, unsigned long pfn)
{
	struct page *page = pfn_to_page(ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES));

	for (unsigned long i = 0; i < PAGEBLOCK_NR_PAGES; i++)
		if (page_in_zone(zone, &page[i]))
			WRITE_ONCE(page[i].page_stack, 0);
}

/*
 * Under the zone's lock: if @page lies in a free block, the pages [pfn, end) of that block are out. Return: whether it
 * does. In a free block nothing is noted: what is noted is out when it comes free.
 */
static bool take_free(struct zone *zone, const struct page *page, unsigned long end)
{
	struct page *block = (struct page *)page_block(page);
	unsigned long first = page_to_pfn(block), pfn = page_to_pfn(page);
	unsigned int order = page_order(block);

	if (!page_test(block, PG_buddy))
		return false;
	/* One whose links were written to is out as a whole. */
	if (!buddy_remove(zone, block, order))
		return true;
	for (unsigned long bad = pfn; bad < end; bad++)
		take_out(zone, bad);
	buddy_free_range(zone, first, pfn - first);
	buddy_free_range(zone, end, first + (1UL << order) - end);
	return true;
}

/*
 * Under the zone's lock. Return: as page_offline(), but 1 when the other CPUs must be called first; -ENOMEM: no note.
 */
static int offline_locked(struct zone *zone, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (page_test(page, PG_reserved))
		return -EBUSY;
	if (PageHWPoison(page) || take_free(zone, page, pfn + 1))
		return 0;
	if (note_bad_pages(zone, pfn, pfn + 1) == pfn)
		return -ENOMEM;
	name_no_stack(zone, pfn);
	return 1;
}

static int try_offline(struct zone *zone, unsigned long pfn)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	int err = offline_locked(zone, pfn);

	spin_unlock_irqrestore(&zone->lock, flags);
	return err;
}

/* A page of notes, which is not the bad one itself. Return: whether there was memory. */
static bool more_notes(unsigned long pfn)
{
	unsigned long notes = get_zeroed_page(GFP_KERNEL), bad;

	if (notes && page_to_pfn(virt_to_page((void *)notes)) == pfn) {
		bad = notes;
		notes = get_zeroed_page(GFP_KERNEL);
		free_page(bad);
	}
	if (notes)
		bad_notes_add((void *)notes);
	return notes;
}

int page_offline(unsigned long pfn)
{
	struct zone *zone = pfn_valid(pfn) ? zone_of_pfn(pfn) : NULL;
	int err;

	if (!zone)
		return pfn_valid(pfn) ? -EBUSY : -ENXIO;
	do
		err = try_offline(zone, pfn);
	while (err == -ENOMEM && more_notes(pfn));
	if (err <= 0)
		return err;
	drain_all_pages();
	return PageHWPoison(pfn_to_page(pfn)) ? 0 : 1;
}

/*
 * Of a block of @order at @page, the end of what lies in the block that @page is in now. A block that cannot be is one
 * page.
 */
static unsigned long end_of_common(const struct page *page, unsigned int order)
{
	const struct page *block = page_block(page);
	unsigned long pfn = page_to_pfn(page), n = 1;

	if (order <= MAX_PAGE_ORDER && IS_ALIGNED(pfn, 1UL << order))
		n = 1UL << order;
	return min(pfn + n, page_to_pfn(block) + (1UL << page_order(block)));
}

static unsigned long count_out(unsigned long pfn, unsigned long n)
{
	unsigned long out = 0;

	while (n--)
		out += PageHWPoison(pfn_to_page(pfn + n));
	return out;
}

/*
 * Of what somebody freed though it is free, take out what lies in the zone, and note the rest. Return: the pages, and
 * those noted.
 */
static struct page_isolation isolate_locked(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = end_of_common(page, order);
	struct page_isolation done = { .pages = end - pfn, .noted = end - pfn };

	if (PageHWPoison(page) || take_free(zone, page, end))
		return done;
	done.noted = note_bad_pages(zone, pfn, end) - pfn;
	name_no_stack(zone, pfn);
	return done;
}

/*
 * Blocks of this zone that CPUs have cached go to the zone: now, or where nobody can wait for other CPUs, as soon as
 * they can.
 */
static void empty_caches(void)
{
	if (arch_cross_call_ok()) {
		drain_all_pages();
		return;
	}
	drain_local_pages();
	smp_kick_others();
}

/* There were not notes enough: what has come free since then needs none. */
static void isolate_rest(struct zone *zone, struct page *page, struct page_isolation *done)
{
	unsigned long flags = spin_lock_irqsave(&zone->lock), first = page_to_pfn(page) + done->noted;
	unsigned long end = page_to_pfn(page) + done->pages;

	while (first < end && take_free(zone, pfn_to_page(first), first + 1))
		first++;
	done->noted = first - page_to_pfn(page);
	spin_unlock_irqrestore(&zone->lock, flags);
}

struct page_isolation page_isolate(struct page *page, unsigned int order)
{
	struct zone *zone = page_zone(page);
	unsigned long flags = spin_lock_irqsave(&zone->lock);
	struct page_isolation done = isolate_locked(zone, page, order);

	spin_unlock_irqrestore(&zone->lock, flags);
	if (count_out(page_to_pfn(page), done.pages) < done.pages)
		empty_caches();
	if (done.noted < done.pages)
		isolate_rest(zone, page, &done);
	done.out = count_out(page_to_pfn(page), done.pages);
	return done;
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

/*
 * The last page of a run of neighbours, upwards or downwards, that begins with @page in the list of those that are out.
 */
static const struct page *end_of_run(const struct page *page)
{
	const struct page *next = (const struct page *)page->private;
	long step = next - page;

	if (!next || (step != 1 && step != -1))
		return page;
	for (; next && next - page == step; next = (const struct page *)page->private)
		page = next;
	return page;
}

/* Under the zone's lock nothing is printed: a run at a time. Pages that are out stay so. */
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
	for (; page; page = (const struct page *)page->private) {
		unsigned long first = page_to_pfn(page), last;

		page = end_of_run(page);
		last = page_to_pfn(page);
		if (first == last)
			con_printf("  pfn 0x%lx\n", first);
		else
			con_printf("  pfn 0x%lx-0x%lx\n", min(first, last), max(first, last));
	}
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
