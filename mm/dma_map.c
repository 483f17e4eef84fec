// SPDX-License-Identifier: BSD-2-Clause
/*
 * Buffers that are lent to a master for a while.
 *
 * 1. A buffer in reach is used where it is: its bus address is all there is to tell, and nothing is recorded but how
 *    many buffers a master has.
 * 2. A master with a restricted pool gets a copy there instead, in whole pages of its own, so that it sees nobody
 *    else's bytes. It is made when the buffer is mapped, so that what the master does not write comes back as it was;
 *    it is copied back when CPUs are to see what the master wrote. Its record is in the tree of live ones, by its
 *    linear address.
 * 3. For a master that does not see caches what CPUs wrote is cleaned before it reads or writes, and what CPUs may have
 *    read ahead meanwhile is dropped before they read what it wrote.
 * 4. A bus address that comes from a driver is believed only as far as it is in the reach and is RAM of the linear map:
 *    cache lines of other addresses are not touched. Pages that were handed over are that; of others the claims tell,
 *    for no-map memory may have a struct page as well.
 * 5. A master may be ended by another CPU as soon as none of its buffers is counted. So the count is what an unmapping
 *    changes last, and what it needs of the master later it reads before.
 */
#include <errno.h>
#include <mm/slab.h>
#include <string.h>

#include <asm/cache.h>

#include "dma.h"
#include "internal.h"
#include "provenance.h"

static bool to_device(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL;
}

static bool from_device(enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL;
}

static bool valid_direction(enum dma_data_direction dir)
{
	return to_device(dir) || from_device(dir);
}

/* Whether page frame @pfn is the page allocator's, so that it is RAM of the linear map for certain. */
static bool is_handed_over(unsigned long pfn)
{
	return pfn_valid(pfn) && page_initialised(pfn) && !page_test(pfn_to_page(pfn), PG_reserved);
}

/* Whether all bytes of [at, end) are RAM that the linear map has, by the claims. */
static bool claims_say_ram(phys_addr_t at, phys_addr_t end)
{
	struct ram_run run = { .end = at };

	while (at < end) {
		if (!ram_run_next(&run) || run.base != at || run.nomap)
			return false;
		at = run.end;
	}
	return true;
}

/* Whether all pages of [@pa, @pa + @size) are RAM of the linear map. Cost: O(pages) for what was handed over. */
static bool is_ram(phys_addr_t pa, size_t size)
{
	phys_addr_t at = ALIGN_DOWN(pa, PAGE_SIZE), end;

	if (pa >= PHYS_ADDR_LIMIT || size > PHYS_ADDR_LIMIT - pa)
		return false;
	end = ALIGN(pa + size, PAGE_SIZE);
	while (at < end && is_handed_over(PFN_DOWN(at)))
		at += PAGE_SIZE;
	return claims_say_ram(at, end);
}

static void clean_for_device(const struct device *dev, phys_addr_t pa, size_t size)
{
	unsigned long va = (unsigned long)__va(pa);

	if (!dev->coherent)
		dcache_clean_poc(va, va + size);
}

static void drop_for_cpu(bool coherent, phys_addr_t pa, size_t size, enum dma_data_direction dir)
{
	unsigned long va = (unsigned long)__va(pa);

	if (!coherent && from_device(dir))
		dcache_inval_poc(va, va + size);
}

/* One buffer less, after which @dev may be gone. Return: false when it has none. */
static bool count_unmapped(struct device *dev)
{
	u32 nr = READ_ONCE(dev->nr_mapped);

	while (nr && !cas32_acq_rel(&dev->nr_mapped, nr, nr - 1))
		nr = READ_ONCE(dev->nr_mapped);
	return nr;
}

/* --- copies in the restricted pool --- */

static bool bounces(const struct device *dev)
{
	return dev->region && dev->region->restricted;
}

static struct dma_record *make_copy(struct device *dev, phys_addr_t pa, size_t size, enum dma_data_direction dir,
				    const void *caller)
{
	struct dma_record *rec = kzalloc(sizeof(*rec), GFP_ATOMIC | __GFP_NOWARN);
	unsigned long pfn;

	if (!rec)
		return NULL;
	rec->nr_pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	pfn = dma_region_take(dev, rec->nr_pages, 0, dev->dma_mask);
	if (pfn == DMA_NO_PFN) {
		kfree(rec);
		return NULL;
	}
	rec->dev = dev;
	rec->size = size;
	rec->source = DMA_REGION;
	rec->region = dev->region;
	rec->phys = PFN_PHYS(pfn);
	rec->dma = dma_reaches(dev, rec->phys, size, dev->dma_mask);
	rec->original = __va(pa);
	rec->dir = dir;
	rec->caller = caller;
	return rec;
}

static dma_addr_t map_copy(struct device *dev, phys_addr_t pa, size_t size, enum dma_data_direction dir,
			   const void *caller)
{
	struct dma_record *rec = make_copy(dev, pa, size, dir, caller);
	dma_addr_t dma;

	if (!rec) {
		dma_report(
			"%s: a buffer of %zu bytes at [mem 0x%llx-0x%llx] does not fit into its pool %s: %lu of %lu pages used, the largest free block has %lu bytes: not mapped",
			dev->name, size, pa, pa + size - 1, dev->region->name, READ_ONCE(dev->region->used),
			dev->region->nr_pages, dma_region_largest(dev, dev->dma_mask) << PAGE_SHIFT);
		return DMA_MAPPING_ERROR;
	}
	dma = rec->dma;
	memcpy(__va(rec->phys), rec->original, size);
	memset((char *)__va(rec->phys) + size, 0, (rec->nr_pages << PAGE_SHIFT) - size);
	clean_for_device(dev, rec->phys, rec->nr_pages << PAGE_SHIFT);
	fetch_add32(&dev->nr_mapped, 1);
	dma_live_add(rec, __va(rec->phys));
	return dma;
}

/* The copy that holds @size bytes at @pa, which are @dev's. Return: false when there is none. */
static bool find_copy(const struct device *dev, phys_addr_t pa, size_t size, struct dma_record *rec)
{
	return dma_live_find(__va(pa), rec) && rec->dev == dev && rec->original && pa - rec->phys < rec->size &&
	       size <= rec->size - (pa - rec->phys);
}

static void copy_back(const struct dma_record *rec, bool coherent, phys_addr_t pa, size_t size)
{
	drop_for_cpu(coherent, pa, size, DMA_FROM_DEVICE);
	memcpy((char *)rec->original + (pa - rec->phys), __va(pa), size);
}

static void unmap_copy(struct device *dev, phys_addr_t pa, size_t size, dma_addr_t dma, const void *caller)
{
	bool coherent = dev->coherent;
	struct dma_record *rec = dma_live_take(dev, __va(pa), size, dma, true, caller);

	if (!rec)
		return;
	if (from_device(rec->dir))
		copy_back(rec, coherent, rec->phys, size);
	dma_give_pages(rec);
	kfree(rec);
	count_unmapped(dev);
}

/* --- mapping --- */

static const char *map_fault(const struct device *dev, phys_addr_t pa, size_t size, enum dma_data_direction dir)
{
	if (!size)
		return "it has no bytes";
	if (!valid_direction(dir))
		return "there is no such direction";
	if (!is_ram(pa, size))
		return "it is not RAM of the linear map";
	if (bounces(dev) || dma_reaches(dev, pa, size, dev->dma_mask) != DMA_MAPPING_ERROR)
		return NULL;
	return "it is beyond the master's reach";
}

static dma_addr_t map_buffer(struct device *dev, const void *cpu, size_t size, enum dma_data_direction dir,
			     const void *caller)
{
	phys_addr_t pa = __pa(cpu);
	const char *why = map_fault(dev, pa, size, dir);
	char reach[DMA_REACH_MAX];

	if (why) {
		dma_report("%s: a buffer of %zu bytes at %p [mem 0x%llx-0x%llx]: %s: it %s: not mapped", dev->name,
			   size, cpu, pa, pa + size - 1, why, dma_reach_text(dev, dev->dma_mask, reach, sizeof(reach)));
		return DMA_MAPPING_ERROR;
	}
	if (bounces(dev))
		return map_copy(dev, pa, size, dir, caller);
	clean_for_device(dev, pa, size);
	fetch_add32(&dev->nr_mapped, 1);
	return dma_reaches(dev, pa, size, dev->dma_mask);
}

dma_addr_t dma_map_single(struct device *dev, void *cpu_addr, size_t size, enum dma_data_direction dir)
{
	return map_buffer(dev, cpu_addr, size, dir, __builtin_return_address(0));
}

dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size, enum dma_data_direction dir)
{
	return map_buffer(dev, (char *)page_address(page) + offset, size, dir, __builtin_return_address(0));
}

int dma_mapping_error(const struct device *dev, dma_addr_t dma)
{
	(void)dev;
	return dma == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

/* --- what is mapped --- */

/* Whether buffers of @dev that are mapped can be at [@pa, @pa + @size). */
static bool can_be_mapped(const struct device *dev, phys_addr_t pa, size_t size)
{
	const struct dma_region *region = dev->region;

	if (!bounces(dev))
		return is_ram(pa, size);
	return pa >= PFN_PHYS(region->base_pfn) && pa - PFN_PHYS(region->base_pfn) < region->nr_pages << PAGE_SHIFT &&
	       size <= (region->nr_pages << PAGE_SHIFT) - (pa - PFN_PHYS(region->base_pfn));
}

/* Whether @size bytes at @dma may be a buffer of @dev's that is mapped, and where; it is reported when they may not. */
static bool mapped_at(struct device *dev, const char *what, dma_addr_t dma, size_t size, enum dma_data_direction dir,
		      phys_addr_t *pa)
{
	char reach[DMA_REACH_MAX];

	if (valid_direction(dir) && dma_to_phys(dev, dma, size, pa) && can_be_mapped(dev, *pa, size))
		return true;
	dma_report("%s: %s of %zu bytes at bus 0x%llx, direction %d: no buffer of it can be there: it %s: nothing done",
		   dev->name, what, size, dma, (int)dir, dma_reach_text(dev, dev->dma_mask, reach, sizeof(reach)));
	return false;
}

static void unmap_buffer(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir,
			 const void *caller)
{
	phys_addr_t pa;
	bool coherent;

	if (!mapped_at(dev, "dma_unmap_single", dma, size, dir, &pa))
		return;
	if (bounces(dev)) {
		unmap_copy(dev, pa, size, dma, caller);
		return;
	}
	coherent = dev->coherent;
	if (count_unmapped(dev))
		drop_for_cpu(coherent, pa, size, dir);
	else
		dma_report(
			"%s: dma_unmap_single of %zu bytes at bus 0x%llx: none of its buffers is mapped: nothing done",
			dev->name, size, dma);
}

void dma_unmap_single(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	unmap_buffer(dev, dma, size, dir, __builtin_return_address(0));
}

void dma_unmap_page(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	unmap_buffer(dev, dma, size, dir, __builtin_return_address(0));
}

/* The copy that a sync is about; it is reported when there is none. */
static bool synced_copy(struct device *dev, const char *what, phys_addr_t pa, dma_addr_t dma, size_t size,
			struct dma_record *rec)
{
	if (find_copy(dev, pa, size, rec))
		return true;
	dma_report("%s: %s of %zu bytes at bus 0x%llx: no buffer of it is mapped there in its pool %s: nothing done",
		   dev->name, what, size, dma, dev->region->name);
	return false;
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	static const char what[] = "dma_sync_single_for_cpu";
	struct dma_record rec;
	phys_addr_t pa;

	if (!mapped_at(dev, what, dma, size, dir, &pa))
		return;
	if (!bounces(dev))
		drop_for_cpu(dev->coherent, pa, size, dir);
	else if (synced_copy(dev, what, pa, dma, size, &rec) && from_device(dir))
		copy_back(&rec, dev->coherent, pa, size);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	static const char what[] = "dma_sync_single_for_device";
	struct dma_record rec;
	phys_addr_t pa;

	if (!mapped_at(dev, what, dma, size, dir, &pa))
		return;
	if (bounces(dev)) {
		if (!synced_copy(dev, what, pa, dma, size, &rec))
			return;
		if (to_device(dir))
			memcpy(__va(pa), (char *)rec.original + (pa - rec.phys), size);
	}
	clean_for_device(dev, pa, size);
}
