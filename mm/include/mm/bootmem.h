/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem: the boot allocator that came before memblock. One bitmap per node, a bit for each page frame from the node's
 * first to its last, set while the page is reserved. With CONFIG_BOOTMEM boot allocations come from here.
 *
 * Common contract:
 * - Addresses and sizes are bytes, physical, of any alignment. What is reserved is widened to whole pages, what is
 *   freed is narrowed to them: a page that is used in part stays reserved.
 * - A node's pages are all reserved when its bitmap is new; free_bootmem() says which are not.
 * - Node arguments are those with a bitmap. A range that leaves the pages its bitmaps cover, or a free of what is free,
 *   panics with the range and the node.
 * - Spans of nodes may interleave. free_bootmem() and reserve_bootmem() then follow the nodes of memblock's memory
 *   array.
 * - Context: the boot CPU alone, the linear map up, until free_all_bootmem(); no lock.
 * - Cost: O(pages / 64) for a range, with a few instructions for a word of 64 pages. A hole inside a node's span has
 *   its bits too.
 */
#ifndef MM_BOOTMEM_H
#define MM_BOOTMEM_H

#include <lib/list.h>
#include <lib/types.h>

#include <mm/mmzone.h>

/**
 * struct bootmem_data - one node's bitmap
 * @node_min_pfn: the page frame of bit 0
 * @node_low_pfn: one past the page frame of the last bit
 * @node_bootmem_map: the bits, in the linear map, page aligned; set is reserved. Bits behind the last are undefined
 * @last_end_off: where the last allocation ended, in bytes from node_min_pfn's page on. Not a multiple of the page
 *	size: the page it lies in has room behind it, which the next small allocation takes
 * @hint_idx: a search begins at this bit: all before it was taken, or passed over
 * @list: all bitmaps, by rising node_min_pfn; not linked (next is NULL) when the node has none
 */
struct bootmem_data {
	unsigned long node_min_pfn;
	unsigned long node_low_pfn;
	u64 *node_bootmem_map;
	unsigned long last_end_off;
	unsigned long hint_idx;
	struct list_head list;
};

/* By node id. */
extern struct bootmem_data bootmem_node_data[MAX_NUMNODES];

/* As init_bootmem() was told: the first page frame that may be given, one past the last. */
extern unsigned long min_low_pfn, max_low_pfn;

#define BOOTMEM_DEFAULT	  0
#define BOOTMEM_EXCLUSIVE (1 << 0)

/* Default goal: memory that 32-bit bus masters reach is left to them as long as there is other. End of "low". */
#define BOOTMEM_LOW_LIMIT      (1ULL << 32)
#define ARCH_LOW_ADDRESS_LIMIT (1ULL << 32)

/** bootmem_bootmap_pages() - pages that the bitmap of @pages pages needs */
unsigned long bootmem_bootmap_pages(unsigned long pages);

/**
 * init_bootmem_node() - give a node its bitmap, everything reserved
 * @freepfn: where the bitmap is to lie: page frames in the linear map, which nobody else uses
 * @startpfn, @endpfn: the page frames it covers
 *
 * Panics when @startpfn is not below @endpfn, or the node has one already. Return: bytes of the bitmap.
 */
unsigned long init_bootmem_node(pg_data_t *pgdat, unsigned long freepfn, unsigned long startpfn, unsigned long endpfn);

/** init_bootmem() - init_bootmem_node() of node 0, for page frames [0, @pages), the bitmap at page frame @start */
unsigned long init_bootmem(unsigned long start, unsigned long pages);

/** bootmem_init_nid() - init_bootmem_node() by node id, for who has no pg_data_t yet */
unsigned long bootmem_init_nid(int nid, unsigned long freepfn, unsigned long startpfn, unsigned long endpfn);

/**
 * free_bootmem_node() - the whole pages of [@physaddr, @physaddr + @size) are free; all are the node's, and reserved
 */
void free_bootmem_node(pg_data_t *pgdat, unsigned long physaddr, unsigned long size);

/** free_bootmem() - free_bootmem_node() of whichever nodes the range lies in */
void free_bootmem(unsigned long physaddr, unsigned long size);

/**
 * reserve_bootmem_node() - every page that [@physaddr, @physaddr + @size) touches is reserved
 * @flags: BOOTMEM_DEFAULT takes what is reserved already for done; BOOTMEM_EXCLUSIVE does not
 *
 * Return: 0; -EBUSY for BOOTMEM_EXCLUSIVE when any of the pages is reserved already: nothing has changed.
 */
int reserve_bootmem_node(pg_data_t *pgdat, unsigned long physaddr, unsigned long size, int flags);

/** reserve_bootmem() - reserve_bootmem_node() of whichever nodes the range lies in; all of it, or nothing */
int reserve_bootmem(unsigned long physaddr, unsigned long size, int flags);

/** bootmem_free_nid(), bootmem_reserve_nid() - the same by node id */
void bootmem_free_nid(int nid, phys_addr_t physaddr, phys_addr_t size);
int bootmem_reserve_nid(int nid, phys_addr_t physaddr, phys_addr_t size, int flags);

/** bootmem_is_free_nid() - whether every page that the range touches is the node's, and free */
bool bootmem_is_free_nid(int nid, phys_addr_t physaddr, phys_addr_t size);

/**
 * bootmem_phys_alloc() - what all of the allocation functions below do: find a place, reserve it
 * @size: bytes, not 0; not rounded up
 * @align: a power of two, 0 for a cache line
 * @goal: at or above this address if there is a place, else anywhere. For a node that ends below it, no goal
 * @limit: end at or below this address, 0 for no limit. Rounded down to a page
 * @nid: this node if it has a place, else any in the order of addresses; NUMA_NO_NODE for any
 *
 * Order of mercy: the node, any node, both without the goal. Within a bitmap first fit, from where the last allocation
 * ended (hint_idx), then from the goal. An allocation of which the first byte fits into the rest of the page where the
 * last one ended goes there. The page at address 0 is never given. The memory is left as it is.
 * Cost: O(1) when memory behind the last allocation is free, O(pages / 64) at the worst. The search goes by words.
 * Return: its address, 0 when there is no place.
 */
phys_addr_t bootmem_phys_alloc(phys_addr_t size, phys_addr_t align, phys_addr_t goal, phys_addr_t limit, int nid);

/*
 * Allocation. Memory is zeroed and in the linear map. Without "nopanic" failure is a panic that says what was wanted,
 * where, and what is free; with it, NULL. "low": below ARCH_LOW_ADDRESS_LIMIT. "node": that one if it can, else any.
 */
void *__alloc_bootmem(unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_nopanic(unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_node(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_node_nopanic(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_low(unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_low_nopanic(unsigned long size, unsigned long align, unsigned long goal);
void *__alloc_bootmem_low_node(pg_data_t *pgdat, unsigned long size, unsigned long align, unsigned long goal);

#define alloc_bootmem(size)			__alloc_bootmem(size, 0, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_align(size, align)	__alloc_bootmem(size, align, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_nopanic(size)		__alloc_bootmem_nopanic(size, 0, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_pages(size)		__alloc_bootmem(size, PAGE_SIZE, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_pages_nopanic(size)	__alloc_bootmem_nopanic(size, PAGE_SIZE, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_node(pgdat, size)		__alloc_bootmem_node(pgdat, size, 0, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_node_nopanic(pgdat, size) __alloc_bootmem_node_nopanic(pgdat, size, 0, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_pages_node(pgdat, size)	__alloc_bootmem_node(pgdat, size, PAGE_SIZE, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_pages_node_nopanic(pgdat, size) \
	__alloc_bootmem_node_nopanic(pgdat, size, PAGE_SIZE, BOOTMEM_LOW_LIMIT)
#define alloc_bootmem_low(size)			  __alloc_bootmem_low(size, 0, 0)
#define alloc_bootmem_low_pages(size)		  __alloc_bootmem_low(size, PAGE_SIZE, 0)
#define alloc_bootmem_low_pages_nopanic(size)	  __alloc_bootmem_low_nopanic(size, PAGE_SIZE, 0)
#define alloc_bootmem_low_pages_node(pgdat, size) __alloc_bootmem_low_node(pgdat, size, PAGE_SIZE, 0)

/**
 * bootmem_free_pages() - pages that are free in all bitmaps; *@largest, if given, the longest run of them. O(pages /
 * 64)
 */
unsigned long bootmem_free_pages(unsigned long *largest);

/**
 * free_all_bootmem() - hand every free page to the page allocator, and the bitmaps themselves, and retire
 *
 * Runs of free pages are found by words and given as ranges: whole pageblocks are not touched (page_init.c). The pages
 * of bitmaps lie in reserved pages of memory.
 * Return: pages handed over. Context: boot only, after zones and sections are there.
 */
unsigned long free_all_bootmem(void);

#endif
