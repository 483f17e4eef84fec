/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock: the allocator of the first moments. Two sorted arrays of physical ranges, what is memory and what is
 * reserved; free is memory minus reserved. It retires when memblock_free_all() hands the rest to the buddy allocator.
 *
 * Common contract:
 * - Addresses and sizes are bytes, physical, of any alignment. A range that passes the end of the address space is
 *   capped there. A size of zero does nothing and succeeds.
 * - Within an array, regions are sorted by base and never overlap; two that touch are one unless their flags or
 *   nodes differ.
 * - Context: boot CPU only, before other CPUs run; no lock. memblock_free_all() ends that, and after it only the
 *   queries stay valid.
 * - An array that is full doubles, in memory of memblock's own, once memblock_allow_resize() was called; before that,
 *   a full array panics with its name and size. On -ENOMEM nothing has changed.
 * - Cost: finding a place in an array is O(log regions), inserting O(regions behind it).
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include <lib/types.h>

#define INIT_MEMBLOCK_MEMORY_REGIONS   128
#define INIT_MEMBLOCK_RESERVED_REGIONS 128

/* max_addr of "as high as memblock.current_limit allows", and current_limit of "no limit". */
#define MEMBLOCK_ALLOC_ACCESSIBLE 0
#define MEMBLOCK_ALLOC_ANYWHERE	  (~(phys_addr_t)0)

/**
 * enum memblock_flags - what is special about a region
 * @MEMBLOCK_NONE: nothing
 * @MEMBLOCK_HOTPLUG: may be unplugged; skipped by allocation when movable_node is on
 * @MEMBLOCK_MIRROR: mirrored; preferred by allocation when any such region exists
 * @MEMBLOCK_NOMAP: never mapped, never allocated, never given to the page allocator
 * @MEMBLOCK_DRIVER_MANAGED: a driver's memory, told by firmware as such
 * @MEMBLOCK_RSRV_NOINIT: (reserved) its struct pages are not initialised
 * @MEMBLOCK_RSRV_KERN: (reserved) taken by our own boot allocations, not by the tree: metadata
 */
enum memblock_flags {
	MEMBLOCK_NONE = 0,
	MEMBLOCK_HOTPLUG = 1 << 0,
	MEMBLOCK_MIRROR = 1 << 1,
	MEMBLOCK_NOMAP = 1 << 2,
	MEMBLOCK_DRIVER_MANAGED = 1 << 3,
	MEMBLOCK_RSRV_NOINIT = 1 << 4,
	MEMBLOCK_RSRV_KERN = 1 << 5,
};

struct memblock_region {
	phys_addr_t base;
	phys_addr_t size;
	enum memblock_flags flags;
	int nid;
};

/**
 * struct memblock_type - one array
 * @cnt: regions in use
 * @max: regions there is room for
 * @total_size: bytes in all regions together
 * @regions: sorted by base, disjoint
 * @name: "memory" or "reserved"
 * @place: where @regions lies once the array has grown; 0 for the static first array
 */
struct memblock_type {
	unsigned long cnt;
	unsigned long max;
	phys_addr_t total_size;
	struct memblock_region *regions;
	const char *name;
	phys_addr_t place;
};

/**
 * struct memblock - everything
 * @bottom_up: allocate from the lowest address up instead of from the highest down
 * @current_limit: allocations end below this address
 */
struct memblock {
	bool bottom_up;
	phys_addr_t current_limit;
	struct memblock_type memory;
	struct memblock_type reserved;
};

extern struct memblock memblock;

/** memblock_add() - [@base, @base + @size) is memory of no known node; what already stands there is left as it is */
int memblock_add(phys_addr_t base, phys_addr_t size);

/** memblock_add_node() - memblock_add() of memory that belongs to @nid and has @flags */
int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags);

/** memblock_remove() - the range is no memory; regions are cut as needed */
int memblock_remove(phys_addr_t base, phys_addr_t size);

/** memblock_reserve() - the range is in use; it need not be memory */
int memblock_reserve(phys_addr_t base, phys_addr_t size);

/** memblock_reserve_kern() - memblock_reserve() for our own boot allocations (MEMBLOCK_RSRV_KERN) */
int memblock_reserve_kern(phys_addr_t base, phys_addr_t size);

/** memblock_phys_free() - the range is no longer reserved */
int memblock_phys_free(phys_addr_t base, phys_addr_t size);

/** memblock_free() - memblock_phys_free() of what memblock_alloc() returned; NULL does nothing */
void memblock_free(void *ptr, size_t size);

/* Flags of the memory regions within the range; regions are cut at its ends. */
int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size);
int memblock_mark_mirror(phys_addr_t base, phys_addr_t size);
int memblock_mark_nomap(phys_addr_t base, phys_addr_t size);
int memblock_clear_nomap(phys_addr_t base, phys_addr_t size);

/** memblock_reserved_mark_noinit() - MEMBLOCK_RSRV_NOINIT on the reserved regions within the range */
int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size);

/** memblock_set_node() - the regions of @type within the range belong to @nid */
int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid);

/** memblock_allow_resize() - from now on a full array may double */
void memblock_allow_resize(void);

/**
 * memblock_set_claimed() - name who knows of ranges that are not reserved yet
 * @fn: returns the lowest base of a claimed range that overlaps [base, end), or @end when none does; NULL for nobody
 *
 * While discovery is still reading reservations, nothing may be allocated where a later one lies. As long as @fn is
 * set, allocation is top-down.
 */
void memblock_set_claimed(phys_addr_t (*fn)(phys_addr_t base, phys_addr_t end));

void memblock_set_bottom_up(bool enable);
bool memblock_bottom_up(void);
void memblock_set_current_limit(phys_addr_t limit);
phys_addr_t memblock_get_current_limit(void);

/** memblock_enforce_memory_limit() - keep the first @limit bytes of memory (NOMAP kept), drop the rest */
void memblock_enforce_memory_limit(phys_addr_t limit);

/** memblock_trim_memory() - shrink each memory region to whole @align units (a power of two) */
void memblock_trim_memory(phys_addr_t align);

/*
 * Allocation. @align 0 means a cache line (64). The size is not rounded up. The page at address 0 is never given.
 * The range searched is [min_addr, max_addr), max_addr clamped to current_limit. A node that cannot serve is
 * followed by any node, unless the function says exact; then by the whole range without min_addr.
 * memblock_phys_*: return a physical address, 0 on failure, memory as it is.
 * memblock_alloc*: return a pointer, NULL on failure; memory is zeroed unless the name ends in _raw.
 */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end);
phys_addr_t memblock_phys_alloc_try_nid(phys_addr_t size, phys_addr_t align, int nid);
phys_addr_t memblock_phys_alloc(phys_addr_t size, phys_addr_t align);
void *memblock_alloc_exact_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				   int nid);
void *memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				 int nid);
void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr, int nid);
void *memblock_alloc(phys_addr_t size, phys_addr_t align);
void *memblock_alloc_raw(phys_addr_t size, phys_addr_t align);
void *memblock_alloc_node(phys_addr_t size, phys_addr_t align, int nid);

/** memblock_find_in_range() - where memblock_phys_alloc_range() would place it, without reserving; 0 when nowhere */
phys_addr_t memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t size, phys_addr_t align);

/* Queries. Adjacency is no overlap. */
bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size);
bool memblock_is_memory(phys_addr_t addr);
bool memblock_is_map_memory(phys_addr_t addr);
bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size);
bool memblock_is_reserved(phys_addr_t addr);
bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size);
phys_addr_t memblock_phys_mem_size(void);
phys_addr_t memblock_reserved_size(void);
phys_addr_t memblock_start_of_DRAM(void);
phys_addr_t memblock_end_of_DRAM(void);

/** memblock_search() - the region of @type that holds @addr, or NULL. O(log regions). */
struct memblock_region *memblock_search(struct memblock_type *type, phys_addr_t addr);

/** memblock_dump_all() - both arrays with flags and nodes into the log */
void memblock_dump_all(void);

/**
 * memblock_check() - prove the invariants of both arrays: sorted, disjoint, merged, non-empty, totals right
 *
 * Return: true, or false after a line that names the first array, index and numbers at fault.
 */
bool memblock_check(void);

/* Iteration. The cursor of the range walks is opaque. */
void __next_mem_range(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);
void __next_mem_range_rev(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
			  struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);
void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn, unsigned long *out_end_pfn, int *out_nid);

#define for_each_mem_region(region) \
	for ((region) = memblock.memory.regions; (region) < memblock.memory.regions + memblock.memory.cnt; (region)++)

#define for_each_reserved_mem_region(region)                                                                     \
	for ((region) = memblock.reserved.regions; (region) < memblock.reserved.regions + memblock.reserved.cnt; \
	     (region)++)

#define __for_each_mem_range(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)                                  \
	for ((i) = 0, __next_mem_range(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid); (i) != (u64)~0ULL; \
	     __next_mem_range(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid))

#define __for_each_mem_range_rev(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)                        \
	for ((i) = (u64)~0ULL, __next_mem_range_rev(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid); \
	     (i) != (u64)~0ULL; __next_mem_range_rev(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid))

/** for_each_mem_range() - every mapped memory range, ascending; @i is a u64 cursor */
#define for_each_mem_range(i, p_start, p_end) \
	__for_each_mem_range(i, &memblock.memory, NULL, NUMA_NO_NODE, MEMBLOCK_NONE, p_start, p_end, NULL)

/** for_each_free_mem_range() - every range that is memory, not reserved and fits @flags, ascending */
#define for_each_free_mem_range(i, nid, flags, p_start, p_end, p_nid) \
	__for_each_mem_range(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, p_end, p_nid)

/** for_each_free_mem_range_reverse() - the same, descending */
#define for_each_free_mem_range_reverse(i, nid, flags, p_start, p_end, p_nid) \
	__for_each_mem_range_rev(i, &memblock.memory, &memblock.reserved, nid, flags, p_start, p_end, p_nid)

/** for_each_mem_pfn_range() - every memory region's whole pages (those of @nid, or all), ascending; @i is an int */
#define for_each_mem_pfn_range(i, nid, p_start, p_end, p_nid)                            \
	for ((i) = -1, __next_mem_pfn_range(&(i), nid, p_start, p_end, p_nid); (i) >= 0; \
	     __next_mem_pfn_range(&(i), nid, p_start, p_end, p_nid))

/**
 * memblock_free_all() - hand every free range to the page allocator and retire
 *
 * Return: pages handed over. Context: boot only, after bootmem_init() and sparse_init().
 */
unsigned long memblock_free_all(void);

#endif
