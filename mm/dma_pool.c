// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pools of small blocks of coherent memory.
 *
 * 1. A chunk is one dma_alloc_coherent() of a page, or of a block if that is larger. Its blocks lie behind one another,
 *    and where one would cross a multiple of the boundary, it begins there instead:
 *
 *	|block|block|block|..|block|block|block|..|		.. what no block fits into; | is also the boundary
 *
 *    A chunk is aligned to the power of two that holds it, and the boundary is no larger, so offsets tell all.
 * 2. Which blocks are free is kept in a bitmap beside the chunk and not in the blocks, which the master can write. So a
 *    block that is freed twice, or never was one, is found, and a master cannot lead the pool astray.
 * 3. Chunks with free blocks are in a list, all in a tree by address. They stay until the pool is destroyed, as in
 *    Linux.
 *
 * The pool's lock covers chunks and bits; it is not held while a chunk is allocated. Cost: O(blocks of a chunk / 64) to
 * allocate, O(log chunks) to free.
 */
#include <string.h>

#include <lib/bitmap.h>
#include <mm/slab.h>

#include "dma.h"
#include "internal.h"

#define POOL_NAME_MAX 32
#define POOL_SIZE_MAX (1UL << 31)
#define BLOCKS_NAMED  8

/**
 * struct dma_chunk - memory of a pool
 * @at: (P) in the tree by address
 * @list: (P) in the pool's list while it has free blocks
 * @dma: (c) where the master finds it
 * @used: (P) blocks that are allocated
 * @map: (P) a bit for each of these
 */
struct dma_chunk {
	struct va_extent at;
	struct list_head list;
	dma_addr_t dma;
	unsigned int used;
	u64 map[];
};

/**
 * struct dma_pool - a pool
 * @list: (m) all of them
 * @dev: (c) whose it is
 * @size: (c) bytes from a block to the next one
 * @boundary: (c) what no block crosses
 * @bytes: (c) of a chunk
 * @blocks: (c) of a chunk
 * @lock: covers what is marked (P)
 * @chunks: (P) by address
 * @with_free: (P) those that have free blocks
 * @nr_chunks: (P)
 * @nr_used: (P) blocks that are allocated
 * @creator: (c) who created it
 * @name: (c)
 */
struct dma_pool {
	struct list_head list;
	struct device *dev;
	size_t size;
	size_t boundary;
	size_t bytes;
	unsigned int blocks;
	spinlock_t lock;
	struct va_tree chunks;
	struct list_head with_free;
	unsigned long nr_chunks;
	unsigned long nr_used;
	const void *creator;
	char name[POOL_NAME_MAX];
};

static LIST_HEAD(pools); /* dma_mutex */

/* --- where blocks lie --- */

static size_t per_boundary(const struct dma_pool *pool)
{
	return pool->boundary / pool->size;
}

static size_t block_offset(const struct dma_pool *pool, unsigned int i)
{
	return i / per_boundary(pool) * pool->boundary + i % per_boundary(pool) * pool->size;
}

/* The block that begins at @offset of a chunk; pool->blocks when none does. */
static unsigned int block_at(const struct dma_pool *pool, size_t offset)
{
	size_t within = offset % pool->boundary, i = offset / pool->boundary * per_boundary(pool) + within / pool->size;

	if (within % pool->size || within / pool->size >= per_boundary(pool) || i >= pool->blocks)
		return pool->blocks;
	return (unsigned int)i;
}

static unsigned int blocks_of(const struct dma_pool *pool)
{
	size_t rest = pool->bytes % pool->boundary / pool->size;

	return (unsigned int)(pool->bytes / pool->boundary * per_boundary(pool) + rest);
}

/* --- making pools --- */

static const char *pool_fault(size_t size, size_t align, size_t boundary)
{
	if (!size || size > POOL_SIZE_MAX)
		return "the size is 0, or more than 2 GiB";
	if (align & (align - 1))
		return "the alignment is no power of two";
	if (align > POOL_SIZE_MAX)
		return "the alignment is more than 2 GiB";
	if (boundary & (boundary - 1))
		return "the boundary is no power of two";
	return boundary && boundary < ALIGN(max(size, sizeof(u32)), align ? align : 1) ?
		       "the boundary is less than a block" :
		       NULL;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align, size_t boundary)
{
	const char *why = pool_fault(size, align, boundary);
	struct dma_pool *pool;

	if (why) {
		dma_report("%s: dma_pool_create %s, blocks of %zu bytes, alignment %zu, boundary %zu: %s: no pool",
			   dev->name, name, size, align, boundary, why);
		return NULL;
	}
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return NULL;
	pool->dev = dev;
	pool->size = ALIGN(max(size, sizeof(u32)), align ? align : 1);
	pool->bytes = max(pool->size, PAGE_SIZE);
	pool->boundary = min(boundary ? boundary : pool->bytes, pool->bytes);
	pool->blocks = blocks_of(pool);
	spin_lock_init(&pool->lock, "dma pool", LOCK_RANK_DMA_POOL);
	INIT_LIST_HEAD(&pool->with_free);
	pool->creator = __builtin_return_address(0);
	strncpy(pool->name, name, sizeof(pool->name) - 1);
	dma_device_pools(dev, 1);
	mutex_lock(&dma_mutex);
	list_add_tail(&pool->list, &pools);
	mutex_unlock(&dma_mutex);
	return pool;
}

static struct dma_chunk *make_chunk(struct dma_pool *pool, gfp_t gfp)
{
	size_t map = DIV_ROUND_UP(pool->blocks, 64U) * sizeof(u64);
	struct dma_chunk *chunk = kzalloc(sizeof(*chunk) + map, (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN);
	void *cpu;

	if (!chunk)
		return NULL;
	cpu = dma_alloc_coherent(pool->dev, pool->bytes, &chunk->dma, gfp);
	if (!cpu) {
		kfree(chunk);
		return NULL;
	}
	chunk->at.start = (uintptr_t)cpu;
	chunk->at.len = pool->bytes;
	return chunk;
}

static void free_chunk(struct dma_pool *pool, struct dma_chunk *chunk)
{
	va_remove(&pool->chunks, &chunk->at);
	pool->nr_chunks--;
	dma_free_coherent(pool->dev, pool->bytes, (void *)chunk->at.start, chunk->dma);
	kfree(chunk);
}

/* --- blocks --- */

/* A block of a chunk that has one; NULL. Under the pool's lock. */
static void *take_block(struct dma_pool *pool, dma_addr_t *handle)
{
	struct dma_chunk *chunk;
	unsigned int i;

	if (list_empty(&pool->with_free))
		return NULL;
	chunk = list_first_entry(&pool->with_free, struct dma_chunk, list);
	i = (unsigned int)bits_next_clear(chunk->map, 0, pool->blocks);
	bits_set_range(chunk->map, i, 1);
	ADD_ONCE(pool->nr_used, 1);
	if (++chunk->used == pool->blocks)
		list_del(&chunk->list);
	*handle = chunk->dma + block_offset(pool, i);
	return (char *)chunk->at.start + block_offset(pool, i);
}

static void add_chunk(struct dma_pool *pool, struct dma_chunk *chunk)
{
	va_insert(&pool->chunks, &chunk->at);
	list_add(&chunk->list, &pool->with_free);
	ADD_ONCE(pool->nr_chunks, 1);
}

void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	unsigned long flags = spin_lock_irqsave(&pool->lock);
	void *block = take_block(pool, handle);
	struct dma_chunk *chunk;

	spin_unlock_irqrestore(&pool->lock, flags);
	if (!block) {
		chunk = make_chunk(pool, gfp & ~__GFP_ZERO);
		if (!chunk)
			return NULL;
		flags = spin_lock_irqsave(&pool->lock);
		add_chunk(pool, chunk);
		block = take_block(pool, handle);
		spin_unlock_irqrestore(&pool->lock, flags);
	}
	return gfp & __GFP_ZERO ? memset(block, 0, pool->size) : block;
}

void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dma_pool_alloc(pool, gfp | __GFP_ZERO, handle);
}

/* Free the block at @addr. Return: NULL, or why it is not done. Under the pool's lock. */
static const char *give_block(struct dma_pool *pool, unsigned long addr, dma_addr_t dma)
{
	struct va_extent *at = va_at_or_below(&pool->chunks, addr);
	struct dma_chunk *chunk = at ? container_of(at, struct dma_chunk, at) : NULL;
	unsigned int i;

	if (!chunk || addr - at->start >= at->len)
		return "it lies in none of the pool's chunks";
	i = block_at(pool, addr - at->start);
	if (i == pool->blocks)
		return "no block begins there";
	if (dma != chunk->dma + (addr - at->start))
		return "its bus address is another one";
	if (!bit_test(chunk->map, i))
		return "the block is free already";
	if (chunk->used-- == pool->blocks)
		list_add(&chunk->list, &pool->with_free);
	bits_clear_range(chunk->map, i, 1);
	ADD_ONCE(pool->nr_used, -1UL);
	return NULL;
}

void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr)
{
	unsigned long flags = spin_lock_irqsave(&pool->lock);
	const char *why = give_block(pool, (uintptr_t)vaddr, addr);
	char symbol[ARCH_SYMBOL_MAX];

	spin_unlock_irqrestore(&pool->lock, flags);
	if (why)
		dma_report(
			"%s: dma_pool_free of %p (bus 0x%llx) to pool %s, blocks of %zu bytes, created by %s: %s: nothing done",
			pool->dev->name, vaddr, addr, pool->name, pool->size,
			arch_symbol((unsigned long)pool->creator, symbol, sizeof(symbol)), why);
}

/* --- the end --- */

static void name_blocks(const struct dma_pool *pool, const struct dma_chunk *chunk, unsigned int *named)
{
	unsigned int i = (unsigned int)bits_next_set(chunk->map, 0, pool->blocks);

	for (; i < pool->blocks && *named < BLOCKS_NAMED; ++*named) {
		printk("  block of %s at 0x%lx (bus 0x%llx)\n", pool->name, chunk->at.start + block_offset(pool, i),
		       chunk->dma + block_offset(pool, i));
		i = (unsigned int)bits_next_set(chunk->map, i + 1, pool->blocks);
	}
}

static void report_live(const struct dma_pool *pool)
{
	struct va_extent *at = va_at_or_above(&pool->chunks, 0);
	char symbol[ARCH_SYMBOL_MAX];
	unsigned int named = 0;

	printk("dma: %s: dma_pool_destroy: %lu blocks of pool %s, of %zu bytes, created by %s, are still allocated: the pool stays\n",
	       pool->dev->name, pool->nr_used, pool->name, pool->size,
	       arch_symbol((unsigned long)pool->creator, symbol, sizeof(symbol)));
	for (; at; at = va_at_or_above(&pool->chunks, at->start + at->len))
		name_blocks(pool, container_of(at, struct dma_chunk, at), &named);
	if (pool->nr_used > named)
		printk("  and %lu more\n", pool->nr_used - named);
}

void dma_pool_destroy(struct dma_pool *pool)
{
	struct va_extent *at;

	if (!pool)
		return;
	if (pool->nr_used) {
		report_live(pool);
		return;
	}
	mutex_lock(&dma_mutex);
	list_del(&pool->list);
	mutex_unlock(&dma_mutex);
	while ((at = va_at_or_above(&pool->chunks, 0)))
		free_chunk(pool, container_of(at, struct dma_chunk, at));
	dma_device_pools(pool->dev, -1);
	kfree(pool);
}

void dma_pools_show(void)
{
	const struct dma_pool *pool;
	char symbol[ARCH_SYMBOL_MAX];

	mutex_lock(&dma_mutex);
	list_for_each_entry(pool, &pools, list)
		con_printf(
			"pool %s of %s: blocks of %zu bytes, boundary %zu: %lu used of %lu, %lu bytes, created by %s\n",
			pool->name, pool->dev->name, pool->size, pool->boundary, READ_ONCE(pool->nr_used),
			READ_ONCE(pool->nr_chunks) * pool->blocks, READ_ONCE(pool->nr_chunks) * pool->bytes,
			arch_symbol((unsigned long)pool->creator, symbol, sizeof(symbol)));
	mutex_unlock(&dma_mutex);
}
