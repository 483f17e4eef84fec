/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chunks of dynamic per-CPU memory, for percpu.c, percpu_alloc.c, percpu_chunk.c, percpu_check.c and show_percpu.c.
 *
 *	a chunk = a unit for each CPU, all of one layout: grains of 8 bytes
 *	grains of a unit = free + used
 *	used = allocations: runs of grains, each from a bit of @first to the next one or to a free grain
 *
 * Lock letters: (c) constant once set up, (P) percpu_lock.
 */
#ifndef MM_PERCPU_CHUNK_H
#define MM_PERCPU_CHUNK_H

#include <lib/list.h>
#include <lib/spinlock.h>
#include <mm/percpu.h>
#include <mm/va_tree.h>

#define GRAIN_SHIFT 3
#define GRAIN	    (1UL << GRAIN_SHIFT)

/* Bytes of a unit of each chunk but the first. */
#define PERCPU_UNIT PERCPU_ALLOC_MAX

/* Lengths of runs, in grains, that have a hint: 8, 64 and 512. */
#define RUN_CLASSES	 3
#define RUN_LENGTH(k)	 (8UL << (3 * (k)))
#define CLASS_OF_RUN(n)	 ((n) <= 8 ? 0 : (n) <= 64 ? 1 : 2)
#define PERCPU_MAP_WORDS (PERCPU_UNIT >> GRAIN_SHIFT >> 6)

/**
 * struct percpu_chunk - a chunk
 * @list: (P) the one that had room last is the first
 * @node: (P) of each but the first, by offset from the base
 * @offset: (c) bytes from any CPU's base to its unit
 * @nr_grains: (c) of a unit, a multiple of 64
 * @nr_free: (P) of them
 * @low: (P) no grain below is free; less than @nr_grains
 * @freed: (P) the lowest grain freed alone since @run was right; nr_grains if there is none
 * @no_run: (P) no run of so many grains is free
 * @run: (P) no free run of RUN_LENGTH() begins below, but for what is freed since
 * @used, @first: (c) where the bitmaps are, (P) their bits
 * @extents: (c) address space, one for each range that the CPUs' units lie in; none of the first chunk
 */
struct percpu_chunk {
	struct list_head list;
	struct va_extent node;
	size_t offset;
	u32 nr_grains;
	u32 nr_free;
	u32 low;
	u32 freed;
	u32 no_run;
	u32 run[RUN_CLASSES];
	u64 *used, *first;
	struct va_extent *extents[];
};

extern struct percpu_chunk percpu_first;

/**
 * struct percpu_pool - all chunks
 * @lock: percpu_lock
 * @chunks: (P)
 */
extern struct percpu_pool {
	spinlock_t lock;
	struct list_head chunks;
} percpu_pool;

/**
 * percpu_chunk_init() - nothing of @chunk is in use. @maps: both bitmaps, zeroed. Context: nobody else knows it yet.
 */
void percpu_chunk_init(struct percpu_chunk *chunk, size_t offset, unsigned long nr_grains, u64 *maps);

/** percpu_alloc_init() - the first chunk, whose units lie at @offset of each area. Context: boot only. */
void percpu_alloc_init(size_t offset, size_t bytes);

/** percpu_chunk_len() - grains of the allocation that begins at @start. Context: percpu_lock. */
unsigned long percpu_chunk_len(const struct percpu_chunk *chunk, unsigned long start);

/**
 * percpu_chunk_create() - one more chunk, its pages on the CPUs' nodes
 *
 * Context: thread, one caller at a time. Return: NULL, with nothing left behind, when memory or address space is short.
 */
struct percpu_chunk *percpu_chunk_create(void);

/** percpu_chunk_destroy() - the pages and addresses of a chunk that is in no list any more. Context: any. */
void percpu_chunk_destroy(struct percpu_chunk *chunk);

/** percpu_chunk_mapped() - whether all pages of all units are mapped */
bool percpu_chunk_mapped(const struct percpu_chunk *chunk);

/** struct percpu_stats - a chunk's figures, bytes of each CPU */
struct percpu_stats {
	size_t offset, unit, used, largest;
	unsigned long allocations;
};

/** percpu_chunk_stats() - of chunk number @i. Return: false when there is none. Context: any; takes percpu_lock. */
bool percpu_chunk_stats(unsigned int i, struct percpu_stats *stats);

#endif
