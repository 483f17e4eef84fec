// SPDX-License-Identifier: BSD-2-Clause
/*
 * The proof of what percpu_chunk.h says of each chunk, and its figures.
 *
 * A chunk is walked run by run, free and used in turn; a used one allocation by allocation. So each grain is looked at
 * once, and hints and counts are compared with what was seen.
 */
#include <lib/bitmap.h>
#include <lib/printk.h>

#include "percpu_chunk.h"

/* What a walk has seen. */
struct seen {
	unsigned long free, used, allocations;
	unsigned long longest;		/* free run */
	unsigned long low;		/* first free grain */
	unsigned long run[RUN_CLASSES]; /* where the first free run of RUN_LENGTH() begins */
	unsigned long orphan;		/* a used grain that belongs to no allocation, or a free one that begins one */
};

static void see_free(const struct percpu_chunk *chunk, unsigned long start, unsigned long end, struct seen *seen)
{
	seen->free += end - start;
	seen->longest = max(seen->longest, end - start);
	seen->low = min(seen->low, start);
	for (int k = 0; k < RUN_CLASSES; k++)
		if (end - start >= RUN_LENGTH(k))
			seen->run[k] = min(seen->run[k], start);
	seen->orphan = min(seen->orphan, bits_next_set(chunk->first, start, end) < end ? start : ~0UL);
}

static void see_used(const struct percpu_chunk *chunk, unsigned long start, unsigned long end, struct seen *seen)
{
	if (!bit_test(chunk->first, start))
		seen->orphan = min(seen->orphan, start);
	for (unsigned long at = start; at < end; at = bits_next_set(chunk->first, at + 1, end))
		seen->allocations++;
	seen->used += end - start;
}

static void walk(const struct percpu_chunk *chunk, struct seen *seen)
{
	unsigned long nr = chunk->nr_grains, start = 0;

	*seen = (struct seen){ .low = nr, .orphan = ~0UL };
	for (int k = 0; k < RUN_CLASSES; k++)
		seen->run[k] = nr;
	while (start < nr) {
		unsigned long used = bits_next_set(chunk->used, start, nr),
			      end = bits_next_clear(chunk->used, used, nr);

		if (used > start)
			see_free(chunk, start, used, seen);
		if (end > used)
			see_used(chunk, used, end, seen);
		start = end;
	}
}

#define complain(chunk, fmt, ...) \
	(printk("percpu check: chunk at offset 0x%zx: " fmt "\n", (chunk)->offset, __VA_ARGS__), false)

/* Whether each hint is at or below what it promises nothing below of. */
static bool hints_right(const struct percpu_chunk *chunk, const struct seen *seen)
{
	if (chunk->low > seen->low)
		return complain(chunk, "grain %lu is free, and none shall be below %u", seen->low, chunk->low);
	if (chunk->no_run <= seen->longest)
		return complain(chunk, "%lu grains in a row are free, and no %u shall be", seen->longest,
				chunk->no_run);
	for (int k = 0; k < RUN_CLASSES; k++) {
		unsigned long reach = RUN_LENGTH(k) - 1;

		if (min(chunk->run[k], chunk->freed > reach ? chunk->freed - (u32)reach : 0) > seen->run[k])
			return complain(chunk, "a free run of %lu grains begins at %lu, and none shall below %u",
					RUN_LENGTH(k), seen->run[k], chunk->run[k]);
	}
	return true;
}

static bool check_chunk(const struct percpu_chunk *chunk)
{
	struct seen seen;

	walk(chunk, &seen);
	if (seen.orphan != ~0UL)
		return complain(chunk, "grain %lu is %s", seen.orphan,
				bit_test(chunk->used, seen.orphan) ? "in use and belongs to no allocation" :
								     "free, and one of its run begins an allocation");
	if (seen.free != chunk->nr_free || seen.free + seen.used != chunk->nr_grains)
		return complain(chunk, "%lu grains are free and %lu used, counted %u of %u", seen.free, seen.used,
				chunk->nr_free, chunk->nr_grains);
	if (!hints_right(chunk, &seen))
		return false;
	if (chunk != &percpu_first && !percpu_chunk_mapped(chunk))
		return complain(chunk, "of its %u grains some are not mapped", chunk->nr_grains);
	return true;
}

bool percpu_check(void)
{
	unsigned long flags = spin_lock_irqsave(&percpu_pool.lock);
	const struct percpu_chunk *chunk;
	bool ok = true;

	list_for_each_entry(chunk, &percpu_pool.chunks, list)
		ok = ok && check_chunk(chunk);
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
	return ok;
}

size_t percpu_usage(size_t *total)
{
	unsigned long flags = spin_lock_irqsave(&percpu_pool.lock);
	const struct percpu_chunk *chunk;
	size_t used = 0;

	*total = 0;
	list_for_each_entry(chunk, &percpu_pool.chunks, list) {
		*total += (size_t)chunk->nr_grains << GRAIN_SHIFT;
		used += (size_t)(chunk->nr_grains - chunk->nr_free) << GRAIN_SHIFT;
	}
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
	return used;
}

bool percpu_chunk_stats(unsigned int i, struct percpu_stats *stats)
{
	unsigned long flags = spin_lock_irqsave(&percpu_pool.lock);
	const struct percpu_chunk *chunk;
	bool found = false;
	struct seen seen;

	list_for_each_entry(chunk, &percpu_pool.chunks, list) {
		if (i--)
			continue;
		walk(chunk, &seen);
		*stats = (struct percpu_stats){
			.offset = chunk->offset,
			.unit = (size_t)chunk->nr_grains << GRAIN_SHIFT,
			.used = seen.used << GRAIN_SHIFT,
			.largest = seen.longest << GRAIN_SHIFT,
			.allocations = seen.allocations,
		};
		found = true;
		break;
	}
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
	return found;
}
