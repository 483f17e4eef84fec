// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a free of pages may be: what is wrong with it, and what is said then.
 *
 * 1. A free is refused of a page that is free, reserved, bad, a slab's, in the middle of a block, or of a block of another
 *    order. What is refused stays as it is: what is allocated stays so, and since whose it is is in doubt, nobody gets it.
 * 2. The report is one line that says what is wrong, the page's story (page_dump.c) and the caller's backtrace; after
 *    twenty of them there are no more.
 * 3. Links of a free list that do not lead back end the run: the list is not to be trusted, nor who wrote to it.
 */
#include "page_report.h"

#include <lib/printk.h>
#include <mm/port.h>

#define MAX_BAD_REPORTS 20

static u32 bad_reports; /* atomic */

static void report(const char *what, const struct page *page, unsigned int order, const char *fault,
		   const char *outcome)
{
	if (fetch_add32(&bad_reports, 1) >= MAX_BAD_REPORTS)
		return;
	printk("bad page %s: pfn 0x%lx, order %u: %s%s\n", what, page_to_pfn(page), order, fault, outcome);
	dump_page(page);
	arch_dump_stack();
}

void report_bad_page(const char *what, const struct page *page, unsigned int order, const char *fault)
{
	report(what, page, order, fault, "");
}

void report_bad_free(const struct page *page, unsigned int order, const char *fault)
{
	report("free", page, order, fault, ": not freed");
}

_Noreturn void panic_bad_list(const struct zone *zone, const struct page *page, unsigned int order)
{
	printk("bad free list: node %d zone %s: pfn 0x%lx, order %u: links 0x%lx and 0x%lx do not lead back\n",
	       zone->node->node_id, zone->name, page_to_pfn(page), order, (unsigned long)page->lru.next,
	       (unsigned long)page->lru.prev);
	dump_page(page);
	panic("a free block was written to: whoever freed it uses it still");
}

/* What a page is that nobody can have a reference to. */
static const char *unused_fault(const struct page *page)
{
	const struct page *block = page_block(page);

	if (block != page && page_ref_count(block) > 0)
		return "it is in the middle of a block";
	return "the page is free already";
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

void report_freed_by_two(struct page *page, unsigned int order)
{
	fetch_add32((u32 *)&page->_refcount, 1);
	report_bad_free(page, order, "the page is free already");
}
