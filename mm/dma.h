/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the dma*.c files share.
 *
 *	a master's live bytes = sum over its records of whole pages
 *	a region's pages = used (bits set) + free
 *
 * Lock letters: (c) constant once the master can be found; (m) dma_mutex; (L) dma_live_lock; (R) the region's lock;
 * (P) the pool's lock; (d) its driver, which sets masks before it uses them; (a) atomic.
 */
#ifndef MM_DMA_PRIVATE_H
#define MM_DMA_PRIVATE_H

#include <lib/list.h>
#include <lib/mutex.h>
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/cma.h>
#include <mm/dma.h>
#include <mm/port.h>
#include <mm/va_tree.h>

#define DMA_MAX_WINDOWS 16
#define DMA_NAME_MAX	96
#define DMA_MAX_REPORTS 20

/* The number of no page frame. */
#define DMA_NO_PFN (~0UL)

/**
 * struct dma_region - memory of /reserved-memory that is its masters' alone
 * @list: (m) all of them
 * @node: (c) its node
 * @restricted: (c) a restricted-dma-pool
 * @mapped: (c) the linear map has it
 * @base_pfn: (c) first page frame
 * @nr_pages: (c)
 * @lock: covers what is marked (R)
 * @used: (R) pages given
 * @bitmap: (R) a bit for each page that is given
 * @name: (c) the path of its node
 */
struct dma_region {
	struct list_head list;
	int node;
	bool restricted;
	bool mapped;
	unsigned long base_pfn;
	unsigned long nr_pages;
	spinlock_t lock;
	unsigned long used;
	u64 *bitmap;
	char name[DMA_NAME_MAX];
};

/**
 * struct device - a bus master
 * @list: (m) all of them
 * @refs: (m) dma_device_get() calls that have not ended
 * @nr_pools: (m) pools of blocks
 * @node: (c) its node
 * @coherent: (c) it sees caches
 * @nr_windows: (c)
 * @windows: (c) its reach, masks aside
 * @dma_mask: (d) highest bus address of buffers that are mapped
 * @coherent_mask: (d) highest bus address of coherent memory
 * @zone: (d) the highest zone that, with all below it, lies in the reach of coherent memory; -1 when there is none
 * @region: (c) where its memory comes from, NULL for RAM
 * @cma: (c) the area that its node names, NULL when it names none
 * @nr_live: (L) records
 * @live_pages: (L) pages of them
 * @nr_mapped: (a) buffers that are mapped, those in the restricted pool included
 * @name: (c) the path of its node
 */
struct device {
	struct list_head list;
	unsigned int refs;
	unsigned int nr_pools;
	int node;
	bool coherent;
	int nr_windows;
	struct dma_window windows[DMA_MAX_WINDOWS];
	u64 dma_mask;
	u64 coherent_mask;
	int zone;
	struct dma_region *region;
	struct cma *cma;
	unsigned long nr_live;
	unsigned long live_pages;
	u32 nr_mapped;
	char name[DMA_NAME_MAX];
};

/* Where the pages of a record come from. */
enum dma_source { DMA_PAGES, DMA_RANGE, DMA_CMA, DMA_REGION };

/**
 * struct dma_record - memory that a master has; constant while it is live
 * @at: (L) in the tree of live ones, by the address that CPUs use
 * @dev: whose it is
 * @phys: first byte
 * @dma: the same for the master
 * @size: bytes asked for
 * @nr_pages: whole pages
 * @source: enum dma_source
 * @uncached: it is mapped apart from the linear map
 * @cma: its area, when that is the source
 * @region: its region, when that is the source: the master may be gone before its pages are given back
 * @original: of a buffer in a restricted pool: what it is copied from and to; else NULL
 * @dir: of such a buffer: who writes it
 * @caller: who asked for it
 */
struct dma_record {
	struct va_extent at;
	struct device *dev;
	phys_addr_t phys;
	dma_addr_t dma;
	size_t size;
	unsigned long nr_pages;
	u8 source;
	bool uncached;
	struct cma *cma;
	struct dma_region *region;
	void *original;
	enum dma_data_direction dir;
	const void *caller;
};

/* --- dma_device.c --- */

extern struct mutex dma_mutex;
extern struct list_head dma_devices; /* (m) */

/** dma_device_pools() - one pool more or less (@n is 1 or -1) is @dev's */
void dma_device_pools(struct device *dev, int n);

/** dma_reach_text() - windows and mask of @dev in words, in @buf. Return: @buf. */
const char *dma_reach_text(const struct device *dev, u64 mask, char *buf, size_t size);

/** dma_coherent_node() - whether a master at @node sees the CPUs' caches, by its own properties or a bus's above it */
bool dma_coherent_node(const void *fdt, int node);

/**
 * dma_next_window() - the first window from *@i on that has page frames below the mask
 *
 * Return: whether there is one; then page frames [*@start, *@end) lie wholly in it and below the mask, and *@i is
 * behind it.
 */
bool dma_next_window(const struct device *dev, int *i, u64 mask, unsigned long *start, unsigned long *end);

/** dma_reaches() - the bus address of @size bytes at @pa, all in one window and below the mask; DMA_MAPPING_ERROR */
dma_addr_t dma_reaches(const struct device *dev, phys_addr_t pa, size_t size, u64 mask);

/* Room for dma_reach_text(). */
#define DMA_REACH_MAX 320

/** dma_may_report() - whether one more line may be said */
bool dma_may_report(void);

/** dma_report() - a line, while there have not been too many, and the caller's backtrace */
#define dma_report(fmt, ...)                                   \
	do {                                                   \
		if (dma_may_report()) {                        \
			printk("dma: " fmt "\n", __VA_ARGS__); \
			arch_dump_stack();                     \
		}                                              \
	} while (0)

/* --- dma_region.c --- */

extern struct list_head dma_regions; /* (m) */

/**
 * dma_find_region() - the region of /reserved-memory that the node at @node is, made when it is asked for the first
 * time
 *
 * Context: dma_mutex is held. Return: NULL, with *@why set, when it cannot be used, or memory is short.
 */
struct dma_region *dma_find_region(int node, const char **why);

/**
 * dma_region_take() - @nr pages of @dev's region that it reaches, aligned to 1 << @order; DMA_NO_PFN when there are
 * none
 */
unsigned long dma_region_take(struct device *dev, unsigned long nr, unsigned int order, u64 mask);

/** dma_region_give() - give them back. Context: any. */
void dma_region_give(struct dma_region *region, unsigned long pfn, unsigned long nr);

/** dma_region_largest() - the most free pages behind one another in @dev's region that it reaches */
unsigned long dma_region_largest(struct device *dev, u64 mask);

/* --- dma_pages.c --- */

/**
 * dma_take_pages() - pages for @rec, whose dev, size and nr_pages are set; sets phys, dma, source, cma. Return: whether
 * there were.
 */
bool dma_take_pages(struct dma_record *rec, gfp_t gfp);

/** dma_give_pages() - give them back. Context: any. */
void dma_give_pages(const struct dma_record *rec);

/** dma_best_zone() - the highest zone that, with all below it, lies in the reach of coherent memory; -1 */
int dma_best_zone(const struct device *dev);

/** dma_largest_free() - the most free pages behind one another in RAM in reach. Context: any. Cost: O(RAM in reach). */
unsigned long dma_largest_free(const struct device *dev, u64 mask);

/* --- dma_live.c --- */

extern spinlock_t dma_live_lock;

/** dma_live_add() - @rec is live from now on, found by [@cpu, @cpu + its pages) */
void dma_live_add(struct dma_record *rec, void *cpu);

/**
 * dma_live_take() - the live record that begins at @cpu, which is none any more
 * @copy: it is to be a buffer in a restricted pool, not coherent memory
 *
 * Return: NULL, after a report, when it is not, or not @dev's, or not of that @size and @dma.
 */
struct dma_record *dma_live_take(struct device *dev, void *cpu, size_t size, dma_addr_t dma, bool copy,
				 const void *caller);

/** dma_live_count() - how many records @dev has; who took the last one out is then done with @dev. Context: any. */
unsigned long dma_live_count(const struct device *dev);

/** dma_live_find() - copy the live record that @cpu lies in. Return: false when there is none. */
bool dma_live_find(const void *cpu, struct dma_record *copy);

/**
 * dma_live_next() - copy the live record with the lowest address at or above @cpu. Return: false when there is none.
 */
bool dma_live_next(unsigned long cpu, struct dma_record *copy);

/* --- show_dma.c --- */

/** show_dma() - the command `dma`. Context: thread. Return: 0, or -EINVAL after saying how it is used. */
int show_dma(int argc, char **argv);

/* --- dma_pool.c --- */

/** dma_pools_show() - each pool, a line on the console. Context: thread. */
void dma_pools_show(void);

#endif
