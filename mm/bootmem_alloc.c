// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allocation from bootmem: choosing a place in the bitmaps.
 *
 * 1. Within a bitmap the place is the first that fits, at or above the goal. The search begins at hint_idx, where the
 *    last allocation ended, when that lies higher; when it finds nothing, from the goal on. So a row of allocations
 *    does not look again at what the ones before it took.
 * 2. A page that the last allocation used in part has its rest from last_end_off on. An allocation whose aligned start
 *    lies in that rest takes it, and as many pages behind it as it still needs, when those are free: small allocations
 *    share pages, and a bit is all there is to know of a page. Only the last page's rest is known; others are lost.
 * 3. Over the nodes: the asked one, all by rising address, then both again without the goal.
 * 4. A request is for bytes; a bitmap's part of it (struct window) is in bits: where to begin, where to end. Alignment
 *    is of addresses, not of bits: node_min_pfn need not be aligned.
 */
#include <mm/bootmem.h>

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <mm/port.h>
#include <string.h>

#include "bootmem_list.h"
#include "internal.h"

/* Bytes; see bootmem_phys_alloc(). */
struct request {
	phys_addr_t size, align, goal, limit;
	int nid;
};

/* Bits [start, end) of a bitmap may be given. */
struct window {
	unsigned long start, end;
};

static struct window window_of(const struct bootmem_data *bdata, const struct request *rq)
{
	unsigned long low = max(bdata->node_min_pfn, 1UL), high = bdata->node_low_pfn, goal = PFN_UP(rq->goal);

	if (rq->limit)
		high = min(high, PFN_DOWN(rq->limit));
	if (goal > low && goal < bdata->node_low_pfn)
		low = goal;
	return (struct window){ low - bdata->node_min_pfn, max(low, high) - bdata->node_min_pfn };
}

/* @off, in bytes from @bdata's first page on, rounded up so that the address is aligned. */
static phys_addr_t align_off(const struct bootmem_data *bdata, phys_addr_t off, phys_addr_t align)
{
	phys_addr_t base = PFN_PHYS(bdata->node_min_pfn);

	return ALIGN(base + off, align) - base;
}

/* The first aligned run of free bits in @window that holds @rq, as an offset in bytes; ~0 when there is none. */
static phys_addr_t find_run(const struct bootmem_data *bdata, const struct request *rq, struct window window)
{
	unsigned long pages = PFN_DOWN(rq->size - 1) + 1, idx = window.start, used;
	phys_addr_t align = max(rq->align, (phys_addr_t)PAGE_SIZE);

	while (idx < window.end) {
		idx = bits_next_clear(bdata->node_bootmem_map, idx, window.end);
		idx = PFN_DOWN(align_off(bdata, PFN_PHYS(idx), align));
		if (idx >= window.end || window.end - idx < pages)
			break;
		used = bits_next_set(bdata->node_bootmem_map, idx, idx + pages);
		if (used == idx + pages)
			return PFN_PHYS(idx);
		idx = used + 1;
	}
	return ~0ULL;
}

/* A place for @rq that begins in the rest of the page where the last allocation ended, as an offset; ~0 for none. */
static phys_addr_t find_rest(const struct bootmem_data *bdata, const struct request *rq, struct window window)
{
	phys_addr_t off = align_off(bdata, bdata->last_end_off, rq->align);
	unsigned long idx = PFN_DOWN(bdata->last_end_off), end;

	if (IS_ALIGNED(bdata->last_end_off, PAGE_SIZE) || PFN_DOWN(off) != idx)
		return ~0ULL;
	if (idx < window.start || idx >= window.end || rq->size > PFN_PHYS(window.end) - off)
		return ~0ULL;
	end = PFN_UP(off + rq->size);
	return bits_next_set(bdata->node_bootmem_map, idx + 1, end) == end ? off : ~0ULL;
}

static phys_addr_t find_off(const struct bootmem_data *bdata, const struct request *rq)
{
	struct window window = window_of(bdata, rq), behind = { max(window.start, bdata->hint_idx), window.end };
	phys_addr_t off = find_rest(bdata, rq, window);

	if (off == ~0ULL)
		off = find_run(bdata, rq, behind);
	if (off == ~0ULL && behind.start > window.start)
		off = find_run(bdata, rq, window);
	return off;
}

/* 0 when @bdata has no place for @rq. */
static phys_addr_t alloc_from(struct bootmem_data *bdata, const struct request *rq)
{
	phys_addr_t off = find_off(bdata, rq);
	unsigned long first, end;

	if (off == ~0ULL)
		return 0;
	first = PFN_UP(off);
	end = PFN_UP(off + rq->size);
	/* A page that it begins within is reserved already. */
	bits_set_range(bdata->node_bootmem_map, first, end - first);
	bdata->last_end_off = off + rq->size;
	bdata->hint_idx = end;
	return PFN_PHYS(bdata->node_min_pfn) + off;
}

/* Any bitmap that reaches above the goal and begins below the limit, lowest first. */
static phys_addr_t alloc_from_any(const struct request *rq)
{
	struct bootmem_data *bdata;
	phys_addr_t place;

	list_for_each_entry(bdata, &bdata_list, list) {
		if (rq->goal && bdata->node_low_pfn <= PFN_UP(rq->goal))
			continue;
		place = alloc_from(bdata, rq);
		if (place)
			return place;
	}
	return 0;
}

static phys_addr_t alloc_by_mercy(struct request *rq)
{
	for (;; rq->goal = 0) {
		bool has_map = rq->nid >= 0 && bootmem_node_data[rq->nid].list.next;
		phys_addr_t place = has_map ? alloc_from(&bootmem_node_data[rq->nid], rq) : 0;

		if (!place)
			place = alloc_from_any(rq);
		if (place || !rq->goal)
			return place;
	}
}

phys_addr_t bootmem_phys_alloc(phys_addr_t size, phys_addr_t align, phys_addr_t goal, phys_addr_t limit, int nid)
{
	struct request rq = { size, align ? align : SMP_CACHE_BYTES, goal, limit, nid };

	if (!size || (align & (align - 1)))
		panic("bootmem: %llu bytes aligned to %llu: no size or no power of two", size, align);
	return alloc_by_mercy(&rq);
}

static void *alloc_zeroed(phys_addr_t size, phys_addr_t align, phys_addr_t goal, phys_addr_t limit, int nid)
{
	phys_addr_t place = bootmem_phys_alloc(size, align, goal, limit, nid);

	return place ? memset(__va(place), 0, size) : NULL;
}

static _Noreturn void panic_empty(phys_addr_t size, phys_addr_t align, phys_addr_t limit, int nid)
{
	unsigned long largest, pages = bootmem_free_pages(&largest);

	panic("bootmem: no memory for %llu bytes aligned to %llu below 0x%llx (node %d): %lu pages free, largest run %lu",
	      size, align, limit ? limit : PHYS_ADDR_LIMIT, nid, pages, largest);
}

static void *alloc_or_panic(phys_addr_t size, phys_addr_t align, phys_addr_t goal, phys_addr_t limit, int nid)
{
	void *va = alloc_zeroed(size, align, goal, limit, nid);

	if (!va)
		panic_empty(size, align, limit, nid);
	return va;
}

void *__alloc_bootmem(unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_or_panic(size, align, goal, 0, NUMA_NO_NODE);
}

void *__alloc_bootmem_nopanic(unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_zeroed(size, align, goal, 0, NUMA_NO_NODE);
}

void *__alloc_bootmem_node(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_or_panic(size, align, goal, 0, pgdat->node_id);
}

void *__alloc_bootmem_node_nopanic(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_zeroed(size, align, goal, 0, pgdat->node_id);
}

void *__alloc_bootmem_low(unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_or_panic(size, align, goal, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE);
}

void *__alloc_bootmem_low_nopanic(unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_zeroed(size, align, goal, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE);
}

void *__alloc_bootmem_low_node(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal)
{
	return alloc_or_panic(size, align, goal, ARCH_LOW_ADDRESS_LIMIT, pgdat->node_id);
}
