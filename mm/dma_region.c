// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions of /reserved-memory that are their masters' alone: restricted pools, and shared pools that are not reusable.
 *
 * 1. A region is made when the first master that names it is, and stays: its memory is the tree's, never the page
 *    allocator's. It is the whole pages of the node's first range.
 * 2. No byte of it may be another's: neither a claim of anybody before it nor, but for a no-map one, memory that is not
 *    RAM. A no-map region has no place in the linear map; it may even lie outside RAM, where the CPU's physical
 *    addresses reach.
 * 3. A bitmap has a bit for each page that is given. The lowest free place that fits serves, within what the master
 *    reaches.
 *
 * Cost: O(pages / 64).
 */
#include <lib/bitmap.h>
#include <libfdt.h>
#include <mm/reserved_mem.h>
#include <mm/slab.h>
#include <string.h>

#include "discover.h"
#include "dma.h"
#include "internal.h"
#include "provenance.h"

LIST_HEAD(dma_regions);

static const struct mem_claim *claim_of_node(const void *fdt, int node)
{
	struct reserved_mem rmem;

	for (unsigned int i = 0; reserved_mem_next(fdt, &i, &rmem);)
		if (rmem.claim->node == node)
			return rmem.claim;
	return NULL;
}

/* Whether somebody else keeps part of @claim, in RAM or not. */
static bool overlapped(const struct mem_claim *claim)
{
	const unsigned int kinds = CLAIM_BIT(CLAIM_RESERVED) | CLAIM_BIT(CLAIM_NOMAP) | CLAIM_BIT(CLAIM_METADATA);
	const struct mem_claim *other;
	unsigned int i = 0;

	while ((other = claim_next(&i, claim->base, claim->size, kinds)))
		if (other != claim && !claim_said_twice(claim, other))
			return true;
	return false;
}

/* Why a no-map claim, which may lie outside RAM, cannot be a region; NULL when it can. */
static const char *nomap_fault(const struct mem_claim *claim)
{
	if (!arch_pa_valid(claim->base, claim->size))
		return "it ends beyond this CPU's physical addresses";
	return overlapped(claim) ? "another reservation overlaps it" : NULL;
}

/* Why a claim cannot be a region; NULL when it can. *@ram: bytes of it that are RAM */
static const char *region_fault(const struct mem_claim *claim, phys_addr_t *ram)
{
	phys_addr_t end = claim->base + claim->size;
	struct ram_run run = { 0 };

	*ram = 0;
	while (ram_run_next(&run)) {
		if (run.end <= claim->base || run.base >= end)
			continue;
		if (run.owner != claim)
			return "somebody else has part of it";
		if (run.nomap && claim->kind != CLAIM_NOMAP)
			return "part of it is in no-map memory";
		*ram += min(run.end, end) - max(run.base, claim->base);
	}
	if (claim->kind != CLAIM_NOMAP && *ram != claim->size)
		return "it is not all RAM";
	if (PFN_DOWN(end) <= PFN_UP(claim->base))
		return "it is less than a page";
	return claim->kind == CLAIM_NOMAP ? nomap_fault(claim) : NULL;
}

static struct dma_region *make_region(const void *fdt, const struct mem_claim *claim)
{
	struct dma_region *region = kzalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return NULL;
	region->node = claim->node;
	region->restricted = !fdt_node_check_compatible(fdt, claim->node, "restricted-dma-pool");
	region->mapped = claim->kind != CLAIM_NOMAP;
	region->base_pfn = PFN_UP(claim->base);
	region->nr_pages = PFN_DOWN(claim->base + claim->size) - region->base_pfn;
	claim_name(claim, region->name, sizeof(region->name));
	spin_lock_init(&region->lock, "dma region", LOCK_RANK_DMA_REGION);
	region->bitmap = kzalloc(DIV_ROUND_UP(region->nr_pages, 64) * sizeof(u64), GFP_KERNEL);
	if (!region->bitmap) {
		kfree(region);
		return NULL;
	}
	list_add_tail(&region->list, &dma_regions);
	return region;
}

struct dma_region *dma_find_region(int node, const char **why)
{
	const void *fdt = claims_fdt();
	const struct mem_claim *claim = claim_of_node(fdt, node);
	struct dma_region *region;
	phys_addr_t ram;

	list_for_each_entry(region, &dma_regions, list)
		if (region->node == node)
			return region;
	*why = claim ? region_fault(claim, &ram) : "no memory is reserved for it";
	if (*why)
		return NULL;
	region = make_region(fdt, claim);
	if (!region)
		*why = "there is no memory to manage it";
	return region;
}

/* Mark @nr free pages within page frames [start, end). Return: the first, DMA_NO_PFN when there are none. */
static unsigned long take_within(struct dma_region *region, unsigned long nr, unsigned int order, unsigned long start,
				 unsigned long end)
{
	unsigned long align = 1UL << order, pfn = ALIGN(start, align), flags = spin_lock_irqsave(&region->lock);
	unsigned long base = region->base_pfn, found = DMA_NO_PFN;

	while (found == DMA_NO_PFN && pfn >= start && pfn < end && end - pfn >= nr) {
		unsigned long taken = base + bits_next_set(region->bitmap, pfn - base, pfn - base + nr);

		if (taken == pfn + nr) {
			bits_set_range(region->bitmap, pfn - base, nr);
			ADD_ONCE(region->used, nr);
			found = pfn;
		}
		pfn = ALIGN(taken + 1, align);
	}
	spin_unlock_irqrestore(&region->lock, flags);
	return found;
}

/* The part of @dev's region in the first window from *@i on that has any, as dma_next_window(). */
static bool next_part(const struct device *dev, int *i, u64 mask, unsigned long *start, unsigned long *end)
{
	const struct dma_region *region = dev->region;

	while (dma_next_window(dev, i, mask, start, end)) {
		*start = max(*start, region->base_pfn);
		*end = min(*end, region->base_pfn + region->nr_pages);
		if (*start < *end)
			return true;
	}
	return false;
}

unsigned long dma_region_take(struct device *dev, unsigned long nr, unsigned int order, u64 mask)
{
	unsigned long start, end, pfn;

	for (int i = 0; next_part(dev, &i, mask, &start, &end);) {
		pfn = take_within(dev->region, nr, order, start, end);
		if (pfn != DMA_NO_PFN)
			return pfn;
	}
	return DMA_NO_PFN;
}

void dma_region_give(struct dma_region *region, unsigned long pfn, unsigned long nr)
{
	unsigned long flags = spin_lock_irqsave(&region->lock);

	bits_clear_range(region->bitmap, pfn - region->base_pfn, nr);
	ADD_ONCE(region->used, -nr);
	spin_unlock_irqrestore(&region->lock, flags);
}

/* The longest run of clear bits in [bit, end), under the region's lock. */
static unsigned long longest_clear(const u64 *map, unsigned long bit, unsigned long end)
{
	unsigned long longest = 0;

	while (bit < end) {
		unsigned long first = bits_next_clear(map, bit, end);

		bit = bits_next_set(map, first, end);
		longest = max(longest, bit - first);
	}
	return longest;
}

unsigned long dma_region_largest(struct device *dev, u64 mask)
{
	struct dma_region *region = dev->region;
	unsigned long start, end, flags, largest = 0;

	for (int i = 0; next_part(dev, &i, mask, &start, &end);) {
		flags = spin_lock_irqsave(&region->lock);
		largest = max(largest, longest_clear(region->bitmap, start - region->base_pfn, end - region->base_pfn));
		spin_unlock_irqrestore(&region->lock, flags);
	}
	return largest;
}
