// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a free of pages may be: what is wrong with it, and what is said then.
 *
 * 1. A free is refused of a page that is free, reserved, bad, a slab's, in the middle of a block, or of a block of
 *    another order. What is allocated stays so: it is its user's, and nobody else gets it.
 * 2. What is free and freed again is taken out of use (page_isolate()): it might be given to somebody while whoever
 *    freed it twice still has it in hand. That is done whether or not it is reported.
 * 3. The report is one line that says what is wrong, the page's story (page_dump.c), the caller's backtrace, and a line
 *    that says what became of the pages; after twenty of them there are no more. Free lists have their own twenty:
 *    their stories are told with the zone's lock held.
 */
#include "page_report.h"

#include <lib/printk.h>
#include <mm/port.h>
#include <stdio.h>

#include "buddy.h"
#include "free_list.h"
#include "page_offline.h"

#define MAX_BAD_REPORTS 20

static u32 bad_reports, bad_blocks, bad_lists; /* atomic */

/* Whether one more of its kind is to be told. */
static bool worth_telling(u32 *reports)
{
	return READ_ONCE(*reports) < MAX_BAD_REPORTS && fetch_add32(reports, 1) < MAX_BAD_REPORTS;
}

static void report(const char *what, const struct page *page, unsigned int order, const char *fault,
		   const char *outcome)
{
	printk("bad page %s: pfn 0x%lx, order %u: %s%s\n", what, page_to_pfn(page), order, fault, outcome);
	dump_page(page);
	arch_dump_stack();
}

void report_bad_page(const char *what, const struct page *page, unsigned int order, const char *fault)
{
	if (worth_telling(&bad_reports))
		report(what, page, order, fault, "");
}

/* What became of the pages from @pfn on. */
static void report_isolation(unsigned long pfn, struct page_isolation done)
{
	char pages[48];

	if (done.pages == 1)
		snprintf(pages, sizeof(pages), "pfn 0x%lx", pfn);
	else
		snprintf(pages, sizeof(pages), "pfn 0x%lx-0x%lx", pfn, pfn + done.pages - 1);
	if (done.noted < done.pages)
		printk("bad page: %s: %lu of %lu not taken out of use: all notes of pages that wait for that are in use\n",
		       pages, done.pages - done.noted, done.pages);
	else if (done.out < done.pages)
		printk("bad page: %s: taken out of use, %lu of %lu when a CPU's cache or their user gives them back\n",
		       pages, done.pages - done.out, done.pages);
	else
		printk("bad page: %s: taken out of use\n", pages);
}

static const char free_already[] = "the page is free already";

void report_bad_free(struct page *page, unsigned int order, const char *fault)
{
	bool told = worth_telling(&bad_reports);
	struct page_isolation done;

	if (told)
		report("free", page, order, fault, ": not freed");
	if (fault != free_already)
		return;
	done = page_isolate(page, order);
	if (told)
		report_isolation(page_to_pfn(page), done);
}

void report_bad_links(const struct free_list *list, const struct page *page, bool next, bool prev)
{
	const struct zone *zone = list->zone;

	if (!worth_telling(&bad_blocks))
		return;
	printk("bad free list: node %d zone %s, order %u, type %s: pfn 0x%lx: %s: next 0x%lx, prev 0x%lx\n",
	       zone->node->node_id, zone->name, list->order, migratetype_name(list->type), page_to_pfn(page),
	       next && prev ? "neither link leads back" :
	       next	    ? "next does not lead back" :
			      "prev does not lead back",
	       (unsigned long)page->lru.next, (unsigned long)page->lru.prev);
	dump_page(page);
}

void report_mended_list(const struct free_list *list, unsigned long kept, unsigned long isolated)
{
	const struct zone *zone = list->zone;

	if (!worth_telling(&bad_lists))
		return;
	arch_dump_stack();
	printk("bad free list: node %d zone %s, order %u, type %s: %lu blocks relinked, %lu taken out of use\n",
	       zone->node->node_id, zone->name, list->order, migratetype_name(list->type), kept, isolated);
}

/* What a page is that nobody can have a reference to. */
static const char *unused_fault(const struct page *page)
{
	const struct page *block = page_block(page);

	if (block != page && page_ref_count(block) > 0)
		return "it is in the middle of a block";
	return free_already;
}

const char *page_free_fault(const struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);

	if (!pfn_valid(pfn) || !page_initialised(pfn))
		return "no page that was ever allocated";
	if (page_test(page, PG_reserved))
		return "the page is reserved";
	if (page_test(page, PG_hwpoison))
		return "the page is bad and was taken out of use";
	if (page_test(page, PG_buddy) || page_ref_count(page) <= 0)
		return unused_fault(page);
	if (page_test(page, PG_slab) || page_test(page, PG_kmalloc))
		return "the page belongs to SLUB";
	if (page_order(page) != order)
		return "it was allocated with another order";
	return NULL;
}

s32 drop_user(struct page *page, unsigned int order)
{
	u32 *users = (u32 *)&page->_refcount;
	s32 had;

	do {
		had = page_ref_count(page);
		if (unlikely(had <= 0)) {
			report_bad_free(page, order, free_already);
			return -1;
		}
	} while (!cas32_acq_rel(users, (u32)had, (u32)had - 1));
	return had - 1;
}
