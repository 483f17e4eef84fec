// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a free of pages may be: what is wrong with it, and what is said then.
 *
 * A page that is free, reserved, a slab's, or of a block of another order, is reported with its state and left as it is.
 */
#include "page_report.h"

#include <lib/printk.h>
#include <mm/percpu.h>
#include <mm/port.h>

#define MAX_BAD_REPORTS 20

static u32 bad_reports; /* atomic */

void report_bad_free(const struct page *page, unsigned int order, const char *fault)
{
	unsigned long pfn = page_to_pfn(page);

	if (fetch_add32(&bad_reports, 1) >= MAX_BAD_REPORTS)
		return;
	printk("bad page free: pfn 0x%lx, order %u: %s: not freed", pfn, order, fault);
	if (pfn_valid(pfn) && page_initialised(pfn))
		printk(" (flags 0x%lx, refcount %d, order %u, CPU %u)", page->flags & (BIT(NR_PAGEFLAGS) - 1),
		       page_ref_count(page), page_order(page), this_cpu()->cpu);
	printk("\n");
	arch_dump_stack();
}

const char *page_free_fault(const struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);

	if (!pfn_valid(pfn) || !page_initialised(pfn))
		return "no page that was ever allocated";
	if (page_test(page, PG_reserved))
		return "the page is reserved";
	if (page_test(page, PG_buddy) || page_ref_count(page) <= 0)
		return "the page is free already";
	if (page_test(page, PG_slab) || page_test(page, PG_kmalloc))
		return "the page belongs to SLUB";
	if (page_order(page) != order)
		return "it was allocated with another order";
	return NULL;
}
