// SPDX-License-Identifier: BSD-2-Clause
/*
 * CMA areas.
 *
 * 1. cma_init() takes them from the claims on reserved memory, once the zones are known: each range of a node that is
 *    reusable and a shared-dma-pool, and the range of cma=. An area is whole pageblocks, in one zone, and overlaps
 *    nobody else's memory. What is not stays reserved, with a line.
 * 2. At hand-over its pageblocks become MIGRATE_CMA and deferred: nothing is written to their struct pages before
 *    somebody needs one. From then on its claim is CLAIM_CMA: memory of the page allocator's.
 * 3. A bitmap has a bit for each page that cma_alloc() gave. It finds a range there, marks it, and allocates it as
 *    alloc_contig_range() does; when a page of it is lent, the bits are cleared again and the search goes on behind
 *    that page. So the bitmap keeps callers of one area apart, and isolation keeps them apart from the page allocator.
 * 4. `used` is the number of bits that are set.
 */
#include <mm/cma.h>

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/contig.h>
#include <mm/port.h>
#include <mm/reserved_mem.h>
#include <string.h>

#include "cma_area.h"
#include "internal.h"

struct cma cma_areas[MAX_CMA_AREAS];
int nr_cma_areas;

/* Why a claim cannot be an area; NULL when it can, and *@zone is where. */
static const char *area_fault(const struct mem_claim *claim, struct zone **zone)
{
	const struct mem_claim *other;
	unsigned int i = 0;

	if (!IS_ALIGNED(claim->base | claim->size, PAGEBLOCK_SIZE))
		return "base and size are no multiples of a pageblock (4 MiB)";
	do
		other = claim_next(&i, claim->base, claim->size,
				   CLAIM_BIT(CLAIM_RESERVED) | CLAIM_BIT(CLAIM_NOMAP) | CLAIM_BIT(CLAIM_METADATA));
	while (other == claim);
	if (other)
		return "somebody else has part of it";
	*zone = zone_of_range(PFN_DOWN(claim->base), PFN_DOWN(claim->base + claim->size));
	if (!*zone)
		return "it is not all RAM of one zone";
	return nr_cma_areas == MAX_CMA_AREAS ? "there are too many areas" : NULL;
}

static void add_area(const struct mem_claim *claim, const char *area_name, bool is_default)
{
	struct cma *cma = &cma_areas[nr_cma_areas];
	struct zone *zone = NULL;
	const char *fault = area_fault(claim, &zone);
	char name[128];

	if (fault) {
		printk("cma: %s [mem 0x%016llx-0x%016llx]: %s: it stays reserved\n",
		       claim_name(claim, name, sizeof(name)), claim->base, claim->base + claim->size - 1, fault);
		return;
	}
	cma->name = area_name;
	cma->node = claim->node;
	cma->zone = zone;
	cma->base_pfn = PFN_DOWN(claim->base);
	cma->count = PFN_DOWN(claim->size);
	cma->bitmap = boot_alloc(DIV_ROUND_UP(cma->count, 64) * sizeof(u64), SMP_CACHE_BYTES, zone->node->node_id,
				 "CMA bitmaps");
	cma->is_default = is_default;
	spin_lock_init(&cma->lock, "cma", LOCK_RANK_CMA);
	nr_cma_areas++;
	printk("cma: %s: %lu MiB at 0x%llx, node %d zone %s%s\n", cma->name, cma->count >> (20 - PAGE_SHIFT),
	       claim->base, zone->node->node_id, zone->name, is_default ? ", default" : "");
}

void cma_init(const void *fdt)
{
	const struct mem_claim *by_argument = cma_argument_claim();
	struct reserved_mem rmem;

	for (unsigned int i = 0; reserved_mem_next(fdt, &i, &rmem);)
		if (reserved_mem_is_cma(fdt, rmem.claim->node))
			add_area(rmem.claim, fdt_get_name(fdt, rmem.claim->node, NULL),
				 (rmem.flags & RMEM_CMA_DEFAULT) && !by_argument);
	if (by_argument)
		add_area(by_argument, by_argument->name, true);
}

unsigned long cma_hand_over(void)
{
	unsigned long pages = 0;

	for (int i = 0; i < nr_cma_areas; i++) {
		struct cma *cma = &cma_areas[i];

		claim_lend(cma_get_base(cma), cma_get_size(cma));
		hand_over_cma(cma->zone, cma->base_pfn, cma->base_pfn + cma->count);
		pages += cma->count;
	}
	return pages;
}

/* The first page of the area, counted from 0, at or behind @i, whose number is a multiple of @align. */
static unsigned long next_aligned(const struct cma *cma, unsigned long i, unsigned long align)
{
	return ALIGN(cma->base_pfn + i, align) - cma->base_pfn;
}

/*
 * Find @count pages from page @from on that are not allocated, and mark them. Return: the first, cma->count when none.
 */
static unsigned long claim_pages(struct cma *cma, unsigned long from, unsigned long count, unsigned long align)
{
	unsigned long flags = spin_lock_irqsave(&cma->lock);
	unsigned long at = next_aligned(cma, from, align);

	while (at < cma->count && cma->count - at >= count) {
		unsigned long taken = bits_next_set(cma->bitmap, at, at + count);

		if (taken == at + count) {
			bits_set_range(cma->bitmap, at, count);
			ADD_ONCE(cma->used, count);
			spin_unlock_irqrestore(&cma->lock, flags);
			return at;
		}
		at = next_aligned(cma, taken + 1, align);
	}
	spin_unlock_irqrestore(&cma->lock, flags);
	return cma->count;
}

static void unclaim_pages(struct cma *cma, unsigned long at, unsigned long count)
{
	unsigned long flags = spin_lock_irqsave(&cma->lock);

	bits_clear_range(cma->bitmap, at, count);
	ADD_ONCE(cma->used, -count);
	spin_unlock_irqrestore(&cma->lock, flags);
}

struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align_order, bool no_warn)
{
	unsigned long align = 1UL << min(align_order, (unsigned int)MAX_PHYSMEM_BITS), at = 0, busy;

	if (!cma || !count)
		return NULL;
	while ((at = claim_pages(cma, at, count, align)) < cma->count) {
		unsigned long pfn = cma->base_pfn + at;

		if (!alloc_contig_quietly(pfn, pfn + count, MIGRATE_CMA, GFP_KERNEL, &busy)) {
			fetch_add64(&cma->nr_allocs, 1);
			return pfn_to_page(pfn);
		}
		unclaim_pages(cma, at, count);
		/* Behind the page in the way; when it was somebody who isolates, behind the first of the range. */
		at = busy < pfn + count ? busy + 1 - cma->base_pfn : at + 1;
	}
	fetch_add64(&cma->nr_failures, 1);
	if (!no_warn)
		printk("cma: %s: no %lu pages behind one another, aligned to %lu: of %lu pages %lu are allocated, the rest is "
		       "lent in part\n",
		       cma->name, count, align, cma->count, cma_used_pages(cma));
	return NULL;
}

/* The first of pages [at, at + count) that is not allocated, counted from the area's first; at + count when all are. */
static unsigned long first_not_allocated(struct cma *cma, unsigned long at, unsigned long count)
{
	unsigned long flags = spin_lock_irqsave(&cma->lock);
	unsigned long found = bits_next_clear(cma->bitmap, at, at + count);

	spin_unlock_irqrestore(&cma->lock, flags);
	return found;
}

/* Whether @count pages from page @at of the area on can be released; a line and the caller's backtrace say why not. */
static bool may_release(struct cma *cma, unsigned long at, unsigned long count)
{
	unsigned long here = min(count, cma->count - at), bad = first_not_allocated(cma, at, here);

	if (here == count && bad == at + here)
		return true;
	printk("cma: %s: %lu pages from pfn 0x%lx on: pfn 0x%lx is %s: none is released\n", cma->name, count,
	       cma->base_pfn + at, cma->base_pfn + bad, bad == cma->count ? "behind the area" : "not allocated");
	arch_dump_stack();
	return false;
}

bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	unsigned long pfn, at;

	if (!cma || !pages)
		return false;
	pfn = page_to_pfn(pages);
	at = pfn - cma->base_pfn;
	/* That is how one asks whose a page is. */
	if (pfn < cma->base_pfn || at >= cma->count)
		return false;
	if (!may_release(cma, at, count))
		return false;
	/* The bits last: until the pages are free nobody else is to be given them. */
	free_contig_range(pfn, count);
	unclaim_pages(cma, at, count);
	return true;
}

struct cma *cma_default_area(void)
{
	for (int i = 0; i < nr_cma_areas; i++)
		if (cma_areas[i].is_default)
			return &cma_areas[i];
	return NULL;
}

struct cma *cma_of_node(int node)
{
	for (int i = 0; i < nr_cma_areas; i++)
		if (node >= 0 && cma_areas[i].node == node)
			return &cma_areas[i];
	return NULL;
}

int cma_for_each_area(int (*it)(struct cma *cma, void *data), void *data)
{
	int result = 0;

	for (int i = 0; i < nr_cma_areas && !result; i++)
		result = it(&cma_areas[i], data);
	return result;
}

phys_addr_t cma_get_base(const struct cma *cma)
{
	return PFN_PHYS(cma->base_pfn);
}

unsigned long cma_get_size(const struct cma *cma)
{
	return cma->count << PAGE_SHIFT;
}

const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}

unsigned long cma_used_pages(const struct cma *cma)
{
	return READ_ONCE(cma->used);
}

unsigned long totalcma_pages(void)
{
	unsigned long pages = 0;

	for (int i = 0; i < nr_cma_areas; i++)
		pages += cma_areas[i].count;
	return pages;
}
