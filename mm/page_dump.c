// SPDX-License-Identifier: BSD-2-Clause
/*
 * The story of a page: what its struct page says, which block it is part of, and who had it last.
 *
 * 1. Only a struct page that was written is read; of any other address the line says why there is nothing to read.
 * 2. Which block a page is part of is found by walking its pageblock from the start, a block at a time. Blocks that are
 *    not in use may change meanwhile; the walk ends all the same, for each step is at least one page.
 * 3. Who had it is known when owners are tracked (page_owner.c).
 */
#include <stdio.h>

#include <lib/printk.h>

#include "page_owner.h"
#include "page_report.h"

#define FLAG_NAMES_MAX 96

static const char *const flag_names[NR_PAGEFLAGS] = {
	[PG_reserved] = "reserved", [PG_buddy] = "buddy", [PG_slab] = "slab",
	[PG_kmalloc] = "kmalloc",   [PG_head] = "head",	  [PG_hwpoison] = "hwpoison",
};

const struct page *page_block(const struct page *page)
{
	unsigned long pfn = page_to_pfn(page), at = ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES);

	for (;;) {
		const struct page *block = pfn_to_page(at);
		unsigned long n = page_test(block, PG_reserved) ? 1 : 1UL << page_order(block);

		if (pfn - at < n)
			return block;
		at += n;
	}
}

const char *page_block_state(const struct page *block)
{
	if (page_test(block, PG_reserved))
		return "reserved";
	if (page_test(block, PG_hwpoison))
		return "bad";
	if (page_test(block, PG_buddy))
		return "free";
	return page_ref_count(block) ? "allocated" : "cached";
}

/* The PG_ bits of @page by name, in parentheses. */
static const char *names_of_flags(const struct page *page, char *buf, size_t size)
{
	const char *separator = "(";
	size_t len = 0;

	for (int flag = 0; flag < NR_PAGEFLAGS; flag++) {
		if (!flag_names[flag] || !page_test(page, (enum pageflag)flag))
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", separator, flag_names[flag]);
		separator = "|";
	}
	snprintf(buf + len, size - len, "%s", len ? ")" : "(none)");
	return buf;
}

/* What the struct page says at a moment: whoever owns the page may write to it meanwhile, for nothing is locked. */
static __no_sanitize_thread struct page copy_of(const struct page *page)
{
	return *page;
}

void dump_page(const struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	char names[FLAG_NAMES_MAX];
	const struct page *block;
	struct page copy;

	if (!pfn_valid(pfn)) {
		printk("  page: pfn 0x%lx is not RAM\n", pfn);
		return;
	}
	if (!page_initialised(pfn)) {
		printk("  page: pfn 0x%lx is RAM whose struct page was never written\n", pfn);
		return;
	}
	block = page_block(page);
	copy = copy_of(page);
	printk("  page: node %d zone %s, flags 0x%lx %s, order %u, refcount %d, mapcount %d\n", page_to_nid(&copy),
	       page_zone(&copy)->name, page_state(&copy) & ~PAGE_ORDER_MASK,
	       names_of_flags(&copy, names, sizeof(names)), page_order(&copy), page_ref_count(&copy), copy._mapcount);
	printk("  page: mapping 0x%lx, index 0x%lx, private 0x%lx, compound_head 0x%lx\n", (unsigned long)copy.mapping,
	       copy.index, copy.private, PageTail(&copy) ? (unsigned long)compound_head(&copy) : 0);
	printk("  page: number %lu of the %s block of order %u at pfn 0x%lx\n", pfn - page_to_pfn(block),
	       page_block_state(block), page_test(block, PG_reserved) ? 0 : page_order(block), page_to_pfn(block));
	page_owner_dump(block);
}
