/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mm's files share with each other and with nobody else.
 *
 * Lock order, lowest first: a CPU that holds a lock takes only locks further down the table. Interrupts are masked
 * while any of them is held.
 *
 *	10  slab_mutex		the list of caches
 *	15  percpu_lock		the dynamic part of the per-CPU areas
 *	20  kmem_cache node	partial slabs of one cache on one node
 *	30  zone->lock		free lists and pageblock states of one zone
 *	200 log			lib/printk.c: anything may be held when a line is printed
 *
 * A CPU's own page and object stacks have no lock: they are touched by that CPU only, interrupts masked.
 */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/mm_init.h>

enum mm_lock_rank {
	LOCK_RANK_SLAB_MUTEX = 10,
	LOCK_RANK_PERCPU = 15,
	LOCK_RANK_CACHE_NODE = 20,
	LOCK_RANK_ZONE = 30,
};

#define SMP_CACHE_BYTES 64

/* --- memblock_array.c: the arrays --- */

struct memblock_type;

/** memblock_first_ending_after() - index of the first region of @type whose end is above @addr; cnt when none. */
unsigned long memblock_first_ending_after(const struct memblock_type *type, phys_addr_t addr);

/** memblock_add_range() - the contract of memblock_add() on any array */
int memblock_add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid, unsigned int flags);

/** memblock_remove_range() - the contract of memblock_remove() on any array */
int memblock_remove_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size);

/**
 * memblock_isolate_range() - cut regions so that none crosses an end of the range
 * @first, @last: the regions within the range are [*first, *last) then
 */
int memblock_isolate_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, unsigned long *first,
			   unsigned long *last);

/** memblock_merge_regions() - join equal neighbours among regions [first - 1, last] */
void memblock_merge_regions(struct memblock_type *type, unsigned long first, unsigned long last);

/** memblock_remove_region() - drop region @i */
void memblock_remove_region(struct memblock_type *type, unsigned long i);

/** memblock_cap_size() - @size, cut so that @base + size does not pass the end of the address space */
phys_addr_t memblock_cap_size(phys_addr_t base, phys_addr_t size);

/* --- claims.c --- */

/** claims_set_fdt() - the tree whose nodes claims refer to */
void claims_set_fdt(const void *fdt);

/** claims_add_arrays() - claim what memblock's arrays have grown into, once no more can be added to them */
void claims_add_arrays(void);

/* --- show_map.c --- */

/** claims_print() - the claims of our own boot allocations, or all others, into the log */
void claims_print(bool metadata);

/* --- memblock_alloc.c --- */

/** memblock_find_free() - a free place by the allocation rules, or 0; see memblock.h for the rules. */
phys_addr_t memblock_find_free(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
			       unsigned int flags);

/** memblock_alloc_range_nid() - find and reserve; 0 on failure */
phys_addr_t memblock_alloc_range_nid(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end, int nid,
				     bool exact_nid);

#endif
