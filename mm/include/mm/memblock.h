/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock: the allocator of the first moments. Two sorted arrays of physical ranges, what is memory and what is
 * reserved; free is memory minus reserved. It retires when memblock_free_all() hands the rest to the page allocator.
 * A third array, physmem, may keep what firmware told before any limit was applied; nothing is allocated by it.
 *
 * Common contract:
 * 1. Addresses and sizes are bytes, physical, of any alignment. A range that passes the end of the address space is
 *    capped there. A size of zero does nothing and succeeds.
 * 2. Within an array, regions are sorted by base and never overlap; two that touch are one unless their flags or
 *    nodes differ.
 * 3. Context: changes by the boot CPU only, while no other CPU looks; no lock. memblock_free_all() ends that: after it
 *    only the queries stay valid, and without CONFIG_KEEP_MEMBLOCK only memblock_phys_mem_size() and
 *    memblock_reserved_size().
 * 4. An array that is full doubles, in memory of memblock's own, once memblock_allow_resize() was called; before that,
 *    a full array panics with its name and size. Functions that may need a larger array return 0 or -ENOMEM; on -ENOMEM
 *    every array describes what it did before.
 * 5. Cost: finding a place in an array is O(log regions), inserting O(regions behind it); about 300 instructions for a
 *    reservation among 256.
 * 6. Names and behaviour are those of Linux as of 6.16, checked by test/host/test_memblock_sim.c in the manner of its
 *    simulator. Where a node is asked for, NUMA_NO_NODE and any number that is no node mean "any".
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include <lib/types.h>
#include <mm/numa.h>

#include <asm/page.h>

/* Regions that the static arrays have room for. */
#define INIT_MEMBLOCK_REGIONS	       128
#define INIT_MEMBLOCK_MEMORY_REGIONS   INIT_MEMBLOCK_REGIONS
#define INIT_MEMBLOCK_RESERVED_REGIONS INIT_MEMBLOCK_REGIONS
#define INIT_PHYSMEM_REGIONS	       4

#define PHYS_ADDR_MAX (~(phys_addr_t)0)

/*
 * max_addr: as high as memblock.current_limit allows (NOLEAKTRACE is the same here: there is no leak tracer), or the
 * end of the address space, which is also the current_limit of "no limit".
 */
#define MEMBLOCK_ALLOC_ACCESSIBLE  0
#define MEMBLOCK_ALLOC_NOLEAKTRACE 1
#define MEMBLOCK_ALLOC_ANYWHERE	   PHYS_ADDR_MAX

/* min_addr of "anywhere". */
#define MEMBLOCK_LOW_LIMIT 0

/* max_addr of memblock_alloc_low(): what devices of 32 address bits reach, and no more. */
#define ARCH_LOW_ADDRESS_LIMIT (1ULL << 32)

/* What align 0 means. */
#define SMP_CACHE_BYTES 64

/**
 * enum memblock_flags - what is special about a region
 * @MEMBLOCK_NONE: nothing
 * @MEMBLOCK_HOTPLUG: may be unplugged; passed over by allocation when memblock_set_movable_node() is on
 * @MEMBLOCK_MIRROR: mirrored; preferred by allocation when any such region exists
 * @MEMBLOCK_NOMAP: never mapped, never allocated, never given to the page allocator
 * @MEMBLOCK_DRIVER_MANAGED: a driver's memory, told by firmware as such; mapped, never allocated
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

/**
 * struct memblock_region - [base, base + size)
 * @base: first byte
 * @size: bytes, never 0 in an array's first cnt regions
 * @flags: what is special
 * @nid: its node, NUMA_NO_NODE when nobody said; of a reserved region, the node that was asked for
 */
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
 * @name: "memory", "reserved" or "physmem"
 * @place: where @regions lies once the array has grown; of no meaning as long as it is the static first array
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
 * @memory: what is memory
 * @reserved: what is in use, memory or not
 */
struct memblock {
	bool bottom_up;
	phys_addr_t current_limit;
	struct memblock_type memory;
	struct memblock_type reserved;
};

extern struct memblock memblock;

/* Physical memory as firmware told it, whatever limits memory; see memblock_physmem_add(). */
extern struct memblock_type physmem;

/* --- What is memory, what is reserved --- */

/** memblock_add() - [@base, @base + @size) is memory of no known node; what already stands there is left as it is */
int memblock_add(phys_addr_t base, phys_addr_t size);

/** memblock_add_node() - memblock_add() of memory that belongs to @nid and has @flags */
int memblock_add_node(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags);

/** memblock_physmem_add() - record [@base, @base + @size) in physmem; memory does not change */
int memblock_physmem_add(phys_addr_t base, phys_addr_t size);

/** memblock_remove() - the range is no memory; regions are cut as needed */
int memblock_remove(phys_addr_t base, phys_addr_t size);

/** __memblock_reserve() - the range is in use, by @nid's wish and with @flags; it need not be memory */
int __memblock_reserve(phys_addr_t base, phys_addr_t size, int nid, enum memblock_flags flags);

/** memblock_reserve() - the range is in use by somebody before us */
static inline int memblock_reserve(phys_addr_t base, phys_addr_t size)
{
	return __memblock_reserve(base, size, NUMA_NO_NODE, MEMBLOCK_NONE);
}

/** memblock_reserve_kern() - memblock_reserve() for our own boot allocations */
static inline int memblock_reserve_kern(phys_addr_t base, phys_addr_t size)
{
	return __memblock_reserve(base, size, NUMA_NO_NODE, MEMBLOCK_RSRV_KERN);
}

/** memblock_phys_free() - the range is no longer reserved */
int memblock_phys_free(phys_addr_t base, phys_addr_t size);

/** memblock_free() - memblock_phys_free() of what memblock_alloc() returned; NULL does nothing */
void memblock_free(void *ptr, size_t size);

/** memblock_allow_resize() - from now on a full array may double */
void memblock_allow_resize(void);

/* --- Flags and nodes: of the regions within the range, which are cut at its ends --- */

/** memblock_mark_hotplug() - MEMBLOCK_HOTPLUG on the memory within the range */
int memblock_mark_hotplug(phys_addr_t base, phys_addr_t size);

/** memblock_clear_hotplug() - no MEMBLOCK_HOTPLUG on the memory within the range */
int memblock_clear_hotplug(phys_addr_t base, phys_addr_t size);

/** memblock_mark_mirror() - MEMBLOCK_MIRROR on the memory within the range; from now on such memory is preferred */
int memblock_mark_mirror(phys_addr_t base, phys_addr_t size);

/** memblock_mark_nomap() - MEMBLOCK_NOMAP on the memory within the range */
int memblock_mark_nomap(phys_addr_t base, phys_addr_t size);

/** memblock_clear_nomap() - no MEMBLOCK_NOMAP on the memory within the range */
int memblock_clear_nomap(phys_addr_t base, phys_addr_t size);

/** memblock_reserved_mark_noinit() - MEMBLOCK_RSRV_NOINIT on the reserved regions within the range */
int memblock_reserved_mark_noinit(phys_addr_t base, phys_addr_t size);

/** memblock_set_node() - the regions of @type within the range belong to @nid */
int memblock_set_node(phys_addr_t base, phys_addr_t size, struct memblock_type *type, int nid);

static inline bool memblock_is_hotpluggable(const struct memblock_region *r)
{
	return r->flags & MEMBLOCK_HOTPLUG;
}

static inline bool memblock_is_mirror(const struct memblock_region *r)
{
	return r->flags & MEMBLOCK_MIRROR;
}

static inline bool memblock_is_nomap(const struct memblock_region *r)
{
	return r->flags & MEMBLOCK_NOMAP;
}

static inline bool memblock_is_driver_managed(const struct memblock_region *r)
{
	return r->flags & MEMBLOCK_DRIVER_MANAGED;
}

static inline bool memblock_is_reserved_noinit(const struct memblock_region *r)
{
	return r->flags & MEMBLOCK_RSRV_NOINIT;
}

static inline int memblock_get_region_node(const struct memblock_region *r)
{
	return r->nid;
}

static inline void memblock_set_region_node(struct memblock_region *r, int nid)
{
	r->nid = nid;
}

/* --- Limits --- */

/**
 * memblock_trim_memory() - shrink each memory region to whole @align units (a power of two)
 *
 * What becomes empty is dropped. Cost: O(regions).
 */
void memblock_trim_memory(phys_addr_t align);

/**
 * memblock_enforce_memory_limit() - keep the first @limit bytes of memory, NOMAP counted, and nothing above them
 *
 * Memory and reservations above are dropped, NOMAP too. 0, or more than there is, changes nothing.
 */
void memblock_enforce_memory_limit(phys_addr_t limit);

/**
 * memblock_cap_memory_range() - keep the memory within the range, and NOMAP wherever it is
 *
 * Reservations outside of the range are dropped. A size of 0 changes nothing; without any memory a line says so.
 */
void memblock_cap_memory_range(phys_addr_t base, phys_addr_t size);

/** memblock_mem_limit_remove_map() - memblock_enforce_memory_limit() that keeps NOMAP memory */
void memblock_mem_limit_remove_map(phys_addr_t limit);

/* --- Allocation: how --- */

/** memblock_set_bottom_up() - allocate from the lowest address up (true), or from the highest down (false, at first) */
static inline void memblock_set_bottom_up(bool enable)
{
	memblock.bottom_up = enable;
}

/** memblock_bottom_up() - the direction */
static inline bool memblock_bottom_up(void)
{
	return memblock.bottom_up;
}

/** memblock_set_current_limit() - allocations end below @limit; MEMBLOCK_ALLOC_ANYWHERE is no limit */
void memblock_set_current_limit(phys_addr_t limit);

/** memblock_get_current_limit() - one past the highest address that is allocated */
phys_addr_t memblock_get_current_limit(void);

/** memblock_set_movable_node() - whether allocation passes MEMBLOCK_HOTPLUG memory over; it does not at first */
void memblock_set_movable_node(bool enable);

/** memblock_has_mirror() - whether some memory is mirrored. O(1) as long as no region ever was. */
bool memblock_has_mirror(void);

/**
 * memblock_set_claimed() - name who knows of ranges that are not reserved yet
 * @fn: returns the lowest base of a claimed range that overlaps [base, end), or @end when none does; NULL for nobody
 *
 * While discovery is still reading reservations, nothing may be allocated where a later one lies. As long as @fn is
 * set, allocation is top-down.
 */
void memblock_set_claimed(phys_addr_t (*fn)(phys_addr_t base, phys_addr_t end));

/* --- Allocation: physical addresses. Return: the address, 0 on failure; memory is left as it is --- */

/*
 * Of all functions: @align is a power of two, 0 means SMP_CACHE_BYTES. The size is not rounded up. The first page is
 * never given. A node that cannot serve is followed by any node, unless the function says exact. Mirrored memory comes
 * first when there is any; when it cannot serve, a line says so once. The range becomes MEMBLOCK_RSRV_KERN.
 */

/** memblock_phys_alloc_range() - within [@start, @end), whatever current_limit says, unless @end is ACCESSIBLE */
phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t start, phys_addr_t end);

/** memblock_phys_alloc_try_nid() - below current_limit, on @nid if it can serve */
phys_addr_t memblock_phys_alloc_try_nid(phys_addr_t size, phys_addr_t align, int nid);

/** memblock_phys_alloc() - below current_limit */
phys_addr_t memblock_phys_alloc(phys_addr_t size, phys_addr_t align);

/** memblock_find_in_range() - where memblock_phys_alloc_range() would place it, without reserving; 0 when nowhere */
phys_addr_t memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t size, phys_addr_t align);

/* --- Allocation: pointers. Return: NULL on failure. Memory is zeroed unless the name ends in _raw --- */

/*
 * Of all functions: the place is within [@min_addr, @max_addr), @max_addr clamped to current_limit. @min_addr is given
 * up when neither the node nor any other can serve.
 */

/** memblock_alloc_exact_nid_raw() - on @nid or not at all */
void *memblock_alloc_exact_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				   int nid);

/** memblock_alloc_try_nid_raw() - on @nid if it can serve */
void *memblock_alloc_try_nid_raw(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr,
				 int nid);

/** memblock_alloc_try_nid() - memblock_alloc_try_nid_raw(), zeroed */
void *memblock_alloc_try_nid(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr, phys_addr_t max_addr, int nid);

/** memblock_alloc() - anywhere */
static inline void *memblock_alloc(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

/** memblock_alloc_raw() - anywhere, not zeroed */
static inline void *memblock_alloc_raw(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid_raw(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

/** memblock_alloc_from() - at or above @min_addr if possible */
static inline void *memblock_alloc_from(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr)
{
	return memblock_alloc_try_nid(size, align, min_addr, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE);
}

/** memblock_alloc_low() - below ARCH_LOW_ADDRESS_LIMIT */
static inline void *memblock_alloc_low(phys_addr_t size, phys_addr_t align)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, ARCH_LOW_ADDRESS_LIMIT, NUMA_NO_NODE);
}

/** memblock_alloc_node() - on @nid if it can serve */
static inline void *memblock_alloc_node(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_try_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE, nid);
}

/** memblock_alloc_or_panic() - memblock_alloc(), or a panic with the caller's name, the request and what there was */
#define memblock_alloc_or_panic(size, align) __memblock_alloc_or_panic(size, align, __func__)

/** __memblock_alloc_or_panic() - the same, for a caller of the name @func */
void *__memblock_alloc_or_panic(phys_addr_t size, phys_addr_t align, const char *func);

/*
 * --- Queries. Adjacency is no overlap. O(log regions) where an address is given, else O(1) unless said otherwise ---
 */

/** memblock_overlaps_region() - whether any region of @type has a byte in common with the range */
bool memblock_overlaps_region(struct memblock_type *type, phys_addr_t base, phys_addr_t size);

/** memblock_is_memory() - whether @addr is memory, NOMAP too */
bool memblock_is_memory(phys_addr_t addr);

/** memblock_is_map_memory() - whether @addr is memory and not NOMAP */
bool memblock_is_map_memory(phys_addr_t addr);

/** memblock_is_region_memory() - whether one region covers the range: two that touch do not count as one */
bool memblock_is_region_memory(phys_addr_t base, phys_addr_t size);

/** memblock_is_reserved() - whether @addr is reserved */
bool memblock_is_reserved(phys_addr_t addr);

/** memblock_is_region_reserved() - whether any byte of the range is reserved */
bool memblock_is_region_reserved(phys_addr_t base, phys_addr_t size);

/** memblock_phys_mem_size() - bytes of memory; stays valid for ever */
phys_addr_t memblock_phys_mem_size(void);

/** memblock_reserved_size() - bytes reserved; after hand-over, what was reserved then */
phys_addr_t memblock_reserved_size(void);

/** memblock_start_of_DRAM() - the lowest address of memory, 0 when there is none */
phys_addr_t memblock_start_of_DRAM(void);

/** memblock_end_of_DRAM() - one past the highest address of memory, 0 when there is none */
phys_addr_t memblock_end_of_DRAM(void);

/** memblock_search() - the region of @type that holds @addr, or NULL */
struct memblock_region *memblock_search(struct memblock_type *type, phys_addr_t addr);

/**
 * memblock_search_pfn_nid() - the node of page frame @pfn and the extent of its memory region
 * @start_pfn, @end_pfn: of the region, both rounded down; untouched when there is none
 *
 * Return: the node, NUMA_NO_NODE when the page frame is no memory or nobody said whose it is.
 */
int memblock_search_pfn_nid(unsigned long pfn, unsigned long *start_pfn, unsigned long *end_pfn);

/**
 * memblock_validate_numa_coverage() - whether almost all memory has a node
 * @threshold_bytes: so much may have none
 *
 * Return: false after a line with the figures. O(regions).
 */
bool memblock_validate_numa_coverage(unsigned long threshold_bytes);

/** memblock_dump_all() - all arrays with flags and nodes into the log */
void memblock_dump_all(void);

/**
 * memblock_check() - prove the invariants of all arrays: sorted, disjoint, merged, non-empty, totals right
 *
 * Return: true, or false after a line that names the first array, index and numbers at fault. O(regions).
 */
bool memblock_check(void);

/* --- Iteration. Arrays must not change on the way. The cursor of the range walks is opaque; O(1) per step --- */

/** __next_mem_range() - the step of the walks upwards: the next part of @type_a outside of @type_b (NULL: none) */
void __next_mem_range(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
		      struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);

/** __next_mem_range_rev() - the same downwards */
void __next_mem_range_rev(u64 *idx, int nid, enum memblock_flags flags, struct memblock_type *type_a,
			  struct memblock_type *type_b, phys_addr_t *out_start, phys_addr_t *out_end, int *out_nid);

/** __next_mem_pfn_range() - the step of for_each_mem_pfn_range() */
void __next_mem_pfn_range(int *idx, int nid, unsigned long *out_start_pfn, unsigned long *out_end_pfn, int *out_nid);

/** for_each_mem_region() - every memory region, ascending */
#define for_each_mem_region(region) \
	for ((region) = memblock.memory.regions; (region) < memblock.memory.regions + memblock.memory.cnt; (region)++)

/** for_each_reserved_mem_region() - every reserved region, ascending */
#define for_each_reserved_mem_region(region)                                                                     \
	for ((region) = memblock.reserved.regions; (region) < memblock.reserved.regions + memblock.reserved.cnt; \
	     (region)++)

/*
 * __for_each_mem_range() - parts of @type_a outside of @type_b, ascending. Memory of other nodes than @nid is left out;
 * so is NOMAP and DRIVER_MANAGED memory, and HOTPLUG with movable nodes, unless @flags name it; with MIRROR in @flags,
 * all that is not mirrored is.
 */
#define __for_each_mem_range(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)                                  \
	for ((i) = 0, __next_mem_range(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid); (i) != (u64)~0ULL; \
	     __next_mem_range(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid))

#define __for_each_mem_range_rev(i, type_a, type_b, nid, flags, p_start, p_end, p_nid)                        \
	for ((i) = (u64)~0ULL, __next_mem_range_rev(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid); \
	     (i) != (u64)~0ULL; __next_mem_range_rev(&(i), nid, flags, type_a, type_b, p_start, p_end, p_nid))

/** for_each_mem_range() - every memory range but NOMAP, ascending; @i is a u64 cursor, as in all that follow */
#define for_each_mem_range(i, p_start, p_end)                                                                     \
	__for_each_mem_range(i, &memblock.memory, NULL, NUMA_NO_NODE, MEMBLOCK_HOTPLUG | MEMBLOCK_DRIVER_MANAGED, \
			     p_start, p_end, NULL)

/** for_each_mem_range_rev() - the same, descending */
#define for_each_mem_range_rev(i, p_start, p_end)                                                                     \
	__for_each_mem_range_rev(i, &memblock.memory, NULL, NUMA_NO_NODE, MEMBLOCK_HOTPLUG | MEMBLOCK_DRIVER_MANAGED, \
				 p_start, p_end, NULL)

/** for_each_reserved_mem_range() - every reserved range, ascending */
#define for_each_reserved_mem_range(i, p_start, p_end) \
	__for_each_mem_range(i, &memblock.reserved, NULL, NUMA_NO_NODE, MEMBLOCK_NONE, p_start, p_end, NULL)

/** for_each_physmem_range() - every range of physmem outside of @type (NULL: none), ascending */
#define for_each_physmem_range(i, type, p_start, p_end) \
	__for_each_mem_range(i, &physmem, type, NUMA_NO_NODE, MEMBLOCK_NONE, p_start, p_end, NULL)

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

/* --- The end --- */

/**
 * memblock_free_all() - hand every free range to the page allocator and retire
 *
 * Return: pages handed over. Context: boot only, after bootmem_init() and sparse_init().
 */
unsigned long memblock_free_all(void);

/** memblock_discard_arrays() - what memblock_discard() does without CONFIG_KEEP_MEMBLOCK */
unsigned long memblock_discard_arrays(void);

/**
 * memblock_discard() - hand over the arrays' own memory too, where they have grown
 *
 * Afterwards the arrays are empty; memory and reserved keep their total_size. With CONFIG_KEEP_MEMBLOCK it does
 * nothing: the arrays stay for who wants to look at them. Return: pages handed over. Context: boot only, after
 * memblock_free_all(). memblock_kept() tells which of the two it is.
 */
#ifdef CONFIG_KEEP_MEMBLOCK
static inline unsigned long memblock_discard(void)
{
	return 0;
}

static inline bool memblock_kept(void)
{
	return true;
}
#else
static inline unsigned long memblock_discard(void)
{
	return memblock_discard_arrays();
}

static inline bool memblock_kept(void)
{
	return false;
}
#endif

#endif
