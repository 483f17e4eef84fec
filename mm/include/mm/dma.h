/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for bus masters, in the names of Linux's DMA API.
 *
 * A master is a node of the device tree. What it reaches is the list of windows that the dma-ranges of its buses leave
 * (fdt_dma_windows()), and of these the bus addresses up to its mask. A dma_addr_t is the address that the master uses,
 * which need not be the physical one. No buffer beyond the reach is ever given to a master, whether or not the machine
 * would stop it.
 *
 * Coherent memory is read and written by CPUs and the master without any call in between. A master whose node, or a bus
 * above it, says dma-coherent sees the CPUs' caches: its memory is the linear map's. For any other it is mapped a
 * second time, Normal and not cacheable, and the cached lines of the first mapping are cleaned and dropped before.
 *
 * memory-region of the node:
 *	restricted-dma-pool		all the master's memory is there; buffers that are mapped are copied there and
 *					back
 *	shared-dma-pool, no-map or plain	its coherent memory is there and nowhere else
 *	shared-dma-pool, reusable	its coherent memory comes from that CMA area first
 *
 * Context: what gives memory to a master that is not coherent, or takes it from a CMA area or a range, runs in a thread
 * with interrupts unmasked, and so does what gives a coherent master more than 511 pages of a no-map region; its other
 * pages, buffers that are mapped and blocks of a pool that has some can be had anywhere; everything is freed and
 * unmapped anywhere. Any number of CPUs at once.
 *
 * Errors: what cannot be is refused with a line that names the master, the range and who else is concerned, the first
 * 20 times; nothing has changed then.
 *
 * Source: Devicetree Specification 0.4, 2.3.9, 2.3.10, 3.5; bindings reserved-memory, shared-dma-pool,
 * restricted-dma-pool.
 */
#ifndef MM_DMA_H
#define MM_DMA_H

#include <mm/discover.h>
#include <mm/gfp.h>

/** typedef dma_addr_t - an address as a bus master uses it */
typedef u64 dma_addr_t;

/* What a mapping that failed returns. */
#define DMA_MAPPING_ERROR (~(dma_addr_t)0)

/* The highest address of @n bits. */
#define DMA_BIT_MASK(n) ((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)

/** enum dma_data_direction - who writes a buffer that is mapped: the CPU, the master, or either */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

/** struct device - a bus master */
struct device;

/* --- masters --- */

/**
 * dma_device_get() - the master that the tree's node at @path is
 *
 * Its masks are 32 bits to begin with, as in Linux. Context: thread, interrupts unmasked. Cost: O(size of the tree) for
 * the first who asks. Return: the same one for everybody; NULL, after a line, when there is no such node, dma-ranges
 * above it cannot be read, its restricted pool cannot be used, or memory is short.
 */
struct device *dma_device_get(const char *path) __must_check;

/** dma_device_get_node() - the same by the node's offset in the tree */
struct device *dma_device_get_node(int node) __must_check;

/**
 * dma_device_put() - end one dma_device_get()
 *
 * Return: 0; -EBUSY, after a line, when it is the last one and the master has memory, pools or mapped buffers: nothing
 * has changed then. Context: as dma_device_get().
 */
int dma_device_put(struct device *dev);

/** dev_name() - the path of its node */
const char *dev_name(const struct device *dev);

/** dev_is_dma_coherent() - whether it sees the CPUs' caches */
bool dev_is_dma_coherent(const struct device *dev);

/** dma_device_window() - window @i of its reach, masks aside. Return: false when there is none. */
bool dma_device_window(const struct device *dev, int i, struct dma_window *window);

/**
 * dma_set_mask() - the bus addresses that the master can drive, for buffers that are mapped
 *
 * Return: 0; -EIO when no RAM would be in reach: the mask stays. Context: the driver's, before it uses the mask.
 */
int dma_set_mask(struct device *dev, u64 mask);

/** dma_set_coherent_mask() - the same for dma_alloc_coherent() and pools */
int dma_set_coherent_mask(struct device *dev, u64 mask);

/** dma_set_mask_and_coherent() - both, or neither */
int dma_set_mask_and_coherent(struct device *dev, u64 mask);

/** dma_get_mask() - the mask for buffers that are mapped */
u64 dma_get_mask(const struct device *dev);

/**
 * phys_to_dma() - the bus address of @size bytes at @pa, all in one window; DMA_MAPPING_ERROR when they are not, masks
 * aside
 */
dma_addr_t phys_to_dma(const struct device *dev, phys_addr_t pa, size_t size);

/** dma_to_phys() - whether @size bytes at bus address @dma are in the reach, masks aside, and *@pa where */
bool dma_to_phys(const struct device *dev, dma_addr_t dma, size_t size, phys_addr_t *pa);

/* --- coherent memory --- */

/**
 * dma_alloc_coherent() - @size bytes that CPUs and @dev share, zeroed
 * @dma_handle: set to where @dev finds them
 * @gfp: __GFP_DIRECT_RECLAIM: the caller can wait; __GFP_HIGH, __GFP_NOWARN. What it says of zones does not count.
 *
 * Bus address, physical address and CPU address are multiples of the smallest power of two of pages that holds @size
 * (the CPU address up to 2 MiB, the bus address as far as the window's distance is); the memory is whole pages. It
 * comes from the master's own region, or a CMA area (its own, or, for more than 32 KiB, the default one), or the
 * highest zone that lies wholly in the reach, or wherever in the reach there are that many free pages behind one
 * another. What is mapped apart from the linear map is held with its memory type, in the master's name
 * (<mm/memtype.h>).
 * Return: its address; NULL, with nothing left behind, after a line (unless __GFP_NOWARN) with the reach and the
 * largest free block in it, when that is what was lacking; or, when some of the memory is mapped with another type by
 * somebody, with both named.
 */
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp) __must_check;

/**
 * dma_free_coherent() - give back what dma_alloc_coherent() of the same @dev and @size gave; NULL does nothing
 *
 * What is not allocated, of another size, bus address or master, is reported with its owner, or with who freed it
 * before, and stays. Context: any.
 */
void dma_free_coherent(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle);

/* --- buffers of the linear map --- */

/**
 * dma_map_single() - let @dev at @size bytes at @cpu_addr, an address of the linear map, until dma_unmap_single()
 *
 * For a master that is not coherent what CPUs wrote is cleaned to memory; what shares the buffer's first and last cache
 * line must not be used by CPUs meanwhile. Context: any.
 * Return: the bus address; DMA_MAPPING_ERROR, after a line, for a size of 0, an address that is no RAM of the linear
 * map, a buffer beyond the reach, or when the restricted pool is full.
 */
dma_addr_t dma_map_single(struct device *dev, void *cpu_addr, size_t size, enum dma_data_direction dir) __must_check;

/** dma_map_page() - dma_map_single() of @size bytes at @offset in @page and those behind it */
dma_addr_t dma_map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			enum dma_data_direction dir) __must_check;

/** dma_mapping_error() - whether a mapping failed. Return: 0 or -ENOMEM. */
int dma_mapping_error(const struct device *dev, dma_addr_t dma);

/**
 * dma_unmap_single() - the master is done: CPUs see what it wrote. Arguments as those of the mapping, else it is
 * reported.
 */
void dma_unmap_single(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir);

/** dma_unmap_page() - the same of dma_map_page() */
void dma_unmap_page(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir);

/** dma_sync_single_for_cpu() - CPUs see what @dev wrote to part or all of a mapped buffer */
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir);

/** dma_sync_single_for_device() - @dev sees what CPUs wrote to part or all of a mapped buffer */
void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size, enum dma_data_direction dir);

/* --- pools of small blocks --- */

struct dma_pool;

/**
 * dma_pool_create() - a pool of coherent blocks of @size bytes
 * @name: for reports; copied, up to 31 bytes
 * @align: of each block, a power of two; 0 is 1
 * @boundary: a power of two that no block crosses; 0: none
 *
 * Return: NULL, after a line, for a @size of 0 or more than 2 GiB, an @align or @boundary that is no power of two, a
 * @boundary below @size; or when memory is short. Context: thread.
 */
struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary) __must_check;

/** dma_pool_alloc() - a block of @pool, not zeroed unless @gfp has __GFP_ZERO. Return: NULL when there is none. */
void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle) __must_check;

/** dma_pool_zalloc() - dma_pool_alloc(), zeroed */
void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle) __must_check;

/**
 * dma_pool_free() - give a block back
 *
 * What is no block of @pool, is free, or has another bus address is reported, with the pool, and nothing happens.
 * Context: any. Cost: O(log pages of the pool).
 */
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr);

/**
 * dma_pool_destroy() - end @pool; NULL does nothing
 *
 * When blocks are allocated still they are named, and the pool stays, to free them into. Context: thread, nobody else
 * uses @pool.
 */
void dma_pool_destroy(struct dma_pool *pool);

/**
 * dma_check() - prove that each master's account is that of the allocations and pools that are live
 *
 * Context: thread, while nobody allocates or frees. Return: true, or false after a line.
 */
bool dma_check(void);

#endif
