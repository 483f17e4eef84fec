// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chunks of per-CPU memory beyond the first: their addresses and pages.
 *
 * 1. A per-CPU pointer is an offset from every CPU's base. The bases are where the boot allocator put the areas, each
 *    on its CPU's node, so a chunk's units must lie as far from each other as the areas do:
 *
 *	linear map	[area 0][area 1]        ...        [area 2][area 3]
 *	vmalloc		[unit 0][unit 1]        ...        [unit 2][unit 3]	= base + offset
 *
 * 2. The blocks of 2 MiB that the areas' first PERCPU_UNIT bytes lie in, those that touch made one, are the ranges. A
 *    chunk is a copy of them, moved by a multiple of 2 MiB into vmalloc's address space: an extent for each range, as
 *    high as there is room for all, away from what vmalloc() takes from below, and with an unmapped block in front of
 *    large physical ranges. What lies between the ranges stays free, so nodes that are far apart cost address space
 *    only within 2 MiB. Areas that are further apart than vmalloc's address space is long have no chunks but the first.
 * 3. Units do not overlap, for a unit is not longer than an area. Each has pages of its CPU's node, or of the nearest
 *    with memory.
 * 4. The extents have no owner: no address in them is vmalloc()'s, vfree() refuses it, and vmalloc_check() leaves them
 *    to percpu_check().
 * 5. A chunk goes in this order: entries cleared, all TLBs told, tables retired (vmap_retire.c), addresses given back,
 *    pages freed. One that could be made in part only goes the same way.
 *
 * Locks: none here. The ranges are made by the first caller of percpu_chunk_create(), of which there is one at a time,
 * and never change.
 */
#include <errno.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "internal.h"
#include "percpu_chunk.h"
#include "vmap.h"

#define CHUNKS_END (VMAP_PHYS_START - VMAP_BLOCK_SIZE)

static struct range {
	unsigned long start, end;
} * ranges; /* by address */
static unsigned int nr_ranges;
static unsigned long nr_chunks; /* atomic */

static unsigned long unit_address(const struct percpu_chunk *chunk, int cpu)
{
	return (uintptr_t)percpu_base(cpu) + chunk->offset;
}

/* --- ranges --- */

/* Put @cpu's range in among @n that are sorted. */
static void insert_range(unsigned int n, int cpu)
{
	unsigned long base = (uintptr_t)percpu_base(cpu);
	struct range new = { ALIGN_DOWN(base, VMAP_BLOCK_SIZE), ALIGN(base + PERCPU_UNIT, VMAP_BLOCK_SIZE) };

	while (n && ranges[n - 1].start > new.start) {
		ranges[n] = ranges[n - 1];
		n--;
	}
	ranges[n] = new;
}

/* One for each CPU, then as few as there can be. */
static bool make_ranges(void)
{
	unsigned int n = 0;

	ranges = kmalloc((size_t)nr_cpu_ids * sizeof(*ranges), GFP_KERNEL | __GFP_NOWARN);
	if (!ranges)
		return false;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		insert_range((unsigned int)cpu, cpu);
	for (unsigned int i = 1; i < (unsigned int)nr_cpu_ids; i++) {
		if (ranges[i].start > ranges[n].end)
			ranges[++n] = ranges[i];
		else
			ranges[n].end = max(ranges[n].end, ranges[i].end);
	}
	nr_ranges = n + 1;
	return true;
}

/* --- addresses --- */

static void put_extents(struct percpu_chunk *chunk)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		if (chunk->extents[i])
			vmap_extent_put(chunk->extents[i]);
		chunk->extents[i] = NULL;
	}
}

/* All ranges, moved up by @shift. Return: 0, -EBUSY when some of that is in use, -ENOMEM; then none is taken. */
static int take_extents(struct percpu_chunk *chunk, unsigned long shift)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		int err = vmap_extent_get_at(ranges[i].start + shift, ranges[i].end - ranges[i].start,
					     &chunk->extents[i]);

		if (err) {
			put_extents(chunk);
			return err;
		}
	}
	return 0;
}

static bool find_place(struct percpu_chunk *chunk)
{
	unsigned long span = ranges[nr_ranges - 1].end - ranges[0].start, place;
	int err = -EBUSY;

	if (span > CHUNKS_END - VMALLOC_START)
		return false;
	for (place = CHUNKS_END - span; err == -EBUSY && place >= VMALLOC_START; place -= VMAP_BLOCK_SIZE) {
		chunk->offset = place - ranges[0].start;
		err = take_extents(chunk, chunk->offset);
	}
	return !err;
}

/* --- pages --- */

static u64 *entry_at(u64 *table, unsigned long va)
{
	return &table[(va & (VMAP_BLOCK_SIZE - 1)) >> PAGE_SHIFT];
}

/*
 * The entry for @va; NULL when there is no page for a table. *@table is that of the page before. A block that may have
 * none is not looked up without the lock of the tables: one on the way to it may be freed, which the last other block
 * there had.
 */
static u64 *make_entry(u64 **table, unsigned long va)
{
	if (!*table || va % VMAP_BLOCK_SIZE == 0) {
		*table = arch_vmap_table_alloc(va);
		if (!*table)
			return NULL;
	}
	return entry_at(*table, va);
}

static bool map_unit(const struct percpu_chunk *chunk, int cpu)
{
	unsigned long va = unit_address(chunk, cpu), end = va + PERCPU_UNIT;
	int nid = node_for_alloc[((const struct mm_cpu *)percpu_base(cpu))->nid];
	u64 *table = NULL;

	for (; va < end; va += PAGE_SIZE) {
		u64 *pte = make_entry(&table, va);
		struct page *page = pte ? alloc_pages_node(nid, GFP_KERNEL | __GFP_NOWARN, 0) : NULL;

		if (!page)
			return false;
		arch_set_ptes(pte, va, page_to_phys(page), 1, PAGE_KERNEL);
	}
	return true;
}

/* What of @cpu's unit is mapped, onto @pages; all TLBs forget it. */
static void unmap_unit(const struct percpu_chunk *chunk, int cpu, struct list_head *pages)
{
	unsigned long start = unit_address(chunk, cpu), va = start;

	phys_addr_t pa;

	for (; va < start + PERCPU_UNIT && arch_vmap_lookup(va, &pa); va += PAGE_SIZE) {
		list_add(&pfn_to_page(PFN_DOWN(pa))->lru, pages);
		arch_clear_ptes(entry_at(arch_vmap_table(va), va), va, 1);
	}
	if (va > start)
		arch_flush_tlb_kernel(start, va);
}

static void free_tables(const struct percpu_chunk *chunk)
{
	for (unsigned int i = 0; i < nr_ranges; i++)
		for (unsigned long va = ranges[i].start; va < ranges[i].end; va += VMAP_BLOCK_SIZE)
			arch_vmap_table_free(va + chunk->offset);
}

static void unmap_and_free(struct percpu_chunk *chunk)
{
	struct page *page, *next;
	LIST_HEAD(pages);

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		unmap_unit(chunk, cpu, &pages);
	free_tables(chunk);
	put_extents(chunk);
	list_for_each_entry_safe(page, next, &pages, lru)
		__free_page(page);
	kfree(chunk);
	vmap_reap_many();
}

/* --- for percpu_alloc.c and percpu_check.c --- */

static struct percpu_chunk *new_chunk(void)
{
	size_t head = sizeof(struct percpu_chunk) + nr_ranges * sizeof(struct va_extent *);
	struct percpu_chunk *chunk = kzalloc(head + 2 * PERCPU_MAP_WORDS * sizeof(u64), GFP_KERNEL | __GFP_NOWARN);

	if (!chunk)
		return NULL;
	if (!find_place(chunk)) {
		kfree(chunk);
		return NULL;
	}
	percpu_chunk_init(chunk, chunk->offset, PERCPU_UNIT >> GRAIN_SHIFT, (u64 *)(void *)((char *)chunk + head));
	chunk->node.start = chunk->offset;
	chunk->node.len = PERCPU_UNIT;
	return chunk;
}

struct percpu_chunk *percpu_chunk_create(void)
{
	struct percpu_chunk *chunk = ranges || make_ranges() ? new_chunk() : NULL;

	if (!chunk)
		return NULL;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (map_unit(chunk, cpu))
			continue;
		unmap_and_free(chunk);
		return NULL;
	}
	arch_vmap_publish();
	__atomic_fetch_add(&nr_chunks, 1, __ATOMIC_RELAXED);
	return chunk;
}

void percpu_chunk_destroy(struct percpu_chunk *chunk)
{
	__atomic_fetch_sub(&nr_chunks, 1, __ATOMIC_RELAXED);
	unmap_and_free(chunk);
}

bool percpu_chunk_mapped(const struct percpu_chunk *chunk)
{
	phys_addr_t pa;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		for (unsigned long at = 0; at < PERCPU_UNIT; at += PAGE_SIZE)
			if (!arch_vmap_lookup(unit_address(chunk, cpu) + at, &pa))
				return false;
	return true;
}

unsigned long percpu_chunk_pages(void)
{
	return READ_ONCE(nr_chunks) * (unsigned long)nr_cpu_ids * (PERCPU_UNIT >> PAGE_SHIFT);
}
