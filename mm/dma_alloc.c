// SPDX-License-Identifier: BSD-2-Clause
/*
 * Coherent memory: dma_alloc_coherent() and its end.
 *
 * 1. Pages are taken in reach (dma_pages.c), zeroed, mapped where the master needs that, and recorded (dma_live.c).
 *    What fails on the way is undone in the opposite order.
 * 2. For a master that does not see caches the pages are zeroed through the linear map, cleaned and dropped from the
 *    caches there, and mapped Normal and not cacheable. The linear map keeps its mapping, which nobody uses meanwhile:
 *    a CPU may read ahead through it, but what it reads is never written back. No TLB knows the second mapping any more
 *    when the pages are freed; whatever their next owner writes goes through the first again.
 * 3. Memory that the linear map has not (no-map) is mapped for any master, and zeroed there. What is too long for a
 *    slot takes a mutex (vmap_phys.c).
 * 4. A mapping of either kind is held with its memory type (<mm/memtype.h>), in the master's name, from before the
 *    pages are cleaned until no TLB knows it. Where somebody else has one of the pages with another type there is no
 *    memory: it is refused and not looked for elsewhere, for it is a driver's mistake.
 */
#include <mm/memtype.h>
#include <mm/page_exact.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>
#include <stdio.h>
#include <string.h>

#include <asm/cache.h>

#include "dma.h"
#include "internal.h"
#include "vmap.h"

static const char no_memory[] = "no memory in reach";

/**
 * struct coherent - coherent memory
 * @rec: its record; first, so that one pointer is both
 * @held: that it is mapped, while @rec says that it is mapped apart from the linear map
 */
struct coherent {
	struct dma_record rec;
	struct memtype_range held;
};

_Static_assert(offsetof(struct coherent, rec) == 0, "the end of a record is that of all of it");

static struct memtype_range *held_of(struct dma_record *rec)
{
	return &container_of(rec, struct coherent, rec)->held;
}

/* Whether pages are in the linear map: of a region the tree may have kept them out. */
static bool in_linear_map(const struct dma_record *rec)
{
	return rec->source != DMA_REGION || rec->region->mapped;
}

/* Hold what map_held() is to map. Return: false, after a line unless @quiet, when it is mapped with another type. */
static bool hold(struct dma_record *rec, bool quiet)
{
	struct memtype_range *held = held_of(rec);

	*held = (struct memtype_range){
		.base = rec->phys,
		.size = rec->nr_pages << PAGE_SHIFT,
		.caller = rec->caller,
		.node = rec->dev->node,
		.type = MEMTYPE_WC,
		.ram = in_linear_map(rec),
	};
	return memtype_hold(held, quiet);
}

/*
 * A mapping of the record's pages apart from the linear map; NULL, and nothing is held any more, when there can be
 * none.
 */
static void *map_held(struct dma_record *rec)
{
	void *cpu = vmap_phys(rec->phys, rec->nr_pages, memtype_prot(MEMTYPE_WC), VMAP_DMA, rec->caller);

	if (!cpu)
		memtype_drop(held_of(rec));
	return cpu;
}

static void unmap_held(struct dma_record *rec, void *cpu)
{
	vunmap_phys("dma_free_coherent", cpu, VMAP_DMA);
	memtype_drop(held_of(rec));
}

/* Zero the pages and make them what CPUs and the master share, at *@cpu. Return: NULL, or why they cannot be mapped. */
static const char *share(struct dma_record *rec, bool quiet, void **cpu)
{
	size_t bytes = rec->nr_pages << PAGE_SHIFT;
	bool linear = in_linear_map(rec);

	rec->uncached = !rec->dev->coherent || !linear;
	if (rec->uncached && rec->nr_pages > SLOT_PAGES_MAX && !arch_cross_call_ok())
		return "more than 511 pages of a no-map region are mapped in a thread only, with interrupts unmasked";
	if (rec->uncached && !hold(rec, quiet))
		return "some of its memory is mapped with another memory type";
	if (linear)
		*cpu = memset(__va(rec->phys), 0, bytes);
	if (!rec->uncached)
		return NULL;
	if (linear)
		dcache_clean_inval_poc((unsigned long)*cpu, (unsigned long)*cpu + bytes);
	*cpu = map_held(rec);
	if (!*cpu)
		return "no address space, or no memory, to map it";
	if (!linear)
		memset(*cpu, 0, bytes);
	return NULL;
}

static unsigned long largest_in_reach(struct device *dev)
{
	return dev->region ? dma_region_largest(dev, dev->coherent_mask) : dma_largest_free(dev, dev->coherent_mask);
}

/* The largest free block is told only where it explains something: to find it takes a walk over all RAM in reach. */
static void report_failure(struct device *dev, size_t size, const char *why)
{
	char reach[DMA_REACH_MAX], largest[DMA_NAME_MAX + 80] = "";

	if (!dma_may_report())
		return;
	if (why == no_memory)
		snprintf(largest, sizeof(largest), "; of %s%s the largest free block in reach has %lu bytes",
			 dev->region ? "its pool " : "RAM", dev->region ? dev->region->name : "",
			 largest_in_reach(dev) << PAGE_SHIFT);
	printk("dma: %s: dma_alloc_coherent of %zu bytes: %s; it %s%s\n", dev->name, size, why,
	       dma_reach_text(dev, dev->coherent_mask, reach, sizeof(reach)), largest);
	arch_dump_stack();
}

/* A record with pages that are mapped; NULL, and *@why, when there is none, and nothing is left. */
static struct dma_record *make_record(struct device *dev, size_t size, gfp_t gfp, const void *caller, void **cpu,
				      const char **why)
{
	struct coherent *memory;
	struct dma_record *rec;

	*why = "nothing to allocate";
	if (!size)
		return NULL;
	*why = "a master that does not see caches gets memory in a thread only, with interrupts unmasked";
	if (!dev->coherent && !arch_cross_call_ok())
		return NULL;
	*why = "no memory for its record";
	memory = kzalloc(sizeof(*memory), (gfp & (__GFP_DIRECT_RECLAIM | __GFP_HIGH)) | __GFP_NOWARN);
	if (!memory)
		return NULL;
	rec = &memory->rec;
	rec->dev = dev;
	rec->size = size;
	rec->nr_pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	rec->caller = caller;
	*why = no_memory;
	if (dma_take_pages(rec, gfp)) {
		*why = share(rec, gfp & __GFP_NOWARN, cpu);
		if (!*why)
			return rec;
		dma_give_pages(rec);
	}
	kfree(memory);
	return NULL;
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp)
{
	const char *why;
	void *cpu = NULL;
	struct dma_record *rec = make_record(dev, size, gfp, __builtin_return_address(0), &cpu, &why);

	if (!rec) {
		if (!(gfp & __GFP_NOWARN))
			report_failure(dev, size, why);
		return NULL;
	}
	*dma_handle = rec->dma;
	dma_live_add(rec, cpu);
	return cpu;
}

void dma_free_coherent(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle)
{
	struct dma_record *rec;

	if (!cpu_addr)
		return;
	rec = dma_live_take(dev, cpu_addr, size, dma_handle, false, __builtin_return_address(0));
	if (!rec)
		return;
	if (rec->uncached)
		unmap_held(rec, cpu_addr);
	dma_give_pages(rec);
	kfree(container_of(rec, struct coherent, rec));
}
