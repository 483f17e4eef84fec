// SPDX-License-Identifier: BSD-2-Clause
/*
 * alloc_percpu() and free_percpu(): which bytes of the chunks are whose.
 *
 * 1. A chunk has two bitmaps, a bit for each grain of 8 bytes: `used`, and `first` for the grain that an allocation
 *    begins with, by which free_percpu() knows its length. One pair serves all CPUs, for their units have one layout.
 * 2. One grain: the first free one of the bitmap word that `low` lies in, below which none is free; when that word is
 *    full, a search moves `low` on. More grains: first fit, begun at a hint. Below run[k] begins no free run of 8, 64
 *    or 512 grains. A request begins at the hint of the shortest length that is not less than its own, so that it
 *    passes over no holes that are too short; if nothing is found there, at the one before. An allocation at the hint
 *    moves it on: in the usual case nothing is searched.
 * 3. A free lowers `low`, and the hints of runs to where the free run that it has become part of begins. Of a single
 *    grain that is put off: a run that it makes or lengthens by grain f begins above f - length; `freed` is the lowest
 *    such f, and the next request for more than one grain lowers the hints by it.
 * 4. A chunk that had no run of n grains is not searched again for that many until something in it is freed (no_run).
 *    The chunk that had room last is the first in the list.
 * 5. When no chunk has room, a thread adds one (percpu_chunk.c), under grow_mutex, and tries again. A handler, a caller
 *    with interrupts masked, or one that says that it cannot wait, gets what chunks have.
 * 6. A chunk that becomes empty stays if it is the only empty one, else its memory goes back: a caller who comes and
 *    goes at the edge of a chunk does not make and unmake it each time. percpu_trim() gives back that one, too. The
 *    first chunk stays.
 * 7. Whoever gets grains zeroes them on all CPUs, outside of the lock: nobody else knows them.
 * 8. What was freed lately is kept in a ring, to tell who frees twice how much was freed there, and by whom; one grain
 *    that is freed without a call (9) is not, for that must not cost.
 * 9. One grain, allocated from the first chunk of the list and freed, with nobody else at the lock, is done without a
 *    call. All else is done by functions that begin anew, so that this path has no frame.
 */
#include <lib/bitmap.h>
#include <lib/mutex.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "percpu_chunk.h"

#define MAX_REPORTS 20

struct percpu_pool percpu_pool = {
	.lock = SPINLOCK_INIT("percpu_lock", LOCK_RANK_PERCPU),
	.chunks = LIST_HEAD_INIT(percpu_pool.chunks),
};
struct percpu_chunk percpu_first;

static DEFINE_MUTEX(grow_mutex);
static struct va_tree further;	/* all but the first; percpu_lock */
static bool may_grow;		/* set once */
static u32 refusals, bad_frees; /* reported; atomic */

#define FREED_KEPT 64

/* What was freed lately: where, how much, and by whom; percpu_lock. */
static struct freed {
	size_t offset, len;
	const void *by;
} freed[FREED_KEPT], *freed_next = freed;

/* percpu_lock and interrupts, without a call when nobody has it. */
static __always_inline unsigned long lock_pool(void)
{
	unsigned long flags = local_irq_save();

	if (unlikely(!spin_trylock_inline(&percpu_pool.lock)))
		spin_lock(&percpu_pool.lock);
	return flags;
}

static __always_inline void unlock_pool(unsigned long flags)
{
	spin_unlock_inline(&percpu_pool.lock);
	local_irq_restore(flags);
}

/* --- hints and bitmaps; percpu_lock is held --- */

void percpu_chunk_init(struct percpu_chunk *chunk, size_t offset, unsigned long nr_grains, u64 *maps)
{
	chunk->offset = offset;
	chunk->nr_grains = chunk->nr_free = chunk->freed = (u32)nr_grains;
	chunk->no_run = (u32)nr_grains + 1;
	chunk->used = maps;
	chunk->first = maps + DIV_ROUND_UP(nr_grains, 64);
}

/* The hints of runs take part in what was freed. */
static void lower_runs(struct percpu_chunk *chunk)
{
	for (int k = 0; k < RUN_CLASSES; k++) {
		u32 reach = (u32)RUN_LENGTH(k) - 1, begin = chunk->freed > reach ? chunk->freed - reach : 0;

		chunk->run[k] = min(chunk->run[k], begin);
	}
	chunk->freed = chunk->nr_grains;
}

/* Where a search for @n grains begins. */
static u32 *hint_for(struct percpu_chunk *chunk, unsigned long n)
{
	if (n == 1)
		return &chunk->low;
	if (chunk->freed < chunk->nr_grains)
		lower_runs(chunk);
	return &chunk->run[CLASS_OF_RUN(n)];
}

/*
 * The first run of @n free grains, at or above @from, that begins at a multiple of @align in a page; nr_grains if none.
 */
static unsigned long find_run(const struct percpu_chunk *chunk, unsigned long from, unsigned long n,
			      unsigned long align)
{
	unsigned long bias = (chunk->offset & ~PAGE_MASK) >> GRAIN_SHIFT, start = ALIGN(bias + from, align) - bias;

	while (start + n <= chunk->nr_grains) {
		unsigned long taken = bits_next_set(chunk->used, start, start + n);

		if (taken == start + n)
			return start;
		start = ALIGN(bias + bits_next_clear(chunk->used, taken, chunk->nr_grains), align) - bias;
	}
	return chunk->nr_grains;
}

/* The hint behind which a run of @n grains must be, however many shorter ones there are. */
static unsigned long sure_hint(const struct percpu_chunk *chunk, unsigned long n)
{
	int k = CLASS_OF_RUN(n);

	if (n >= RUN_LENGTH(k))
		return chunk->run[k];
	return k ? chunk->run[k - 1] : chunk->low;
}

/* What was not found at @hint itself, which goes to where the first run of @n grains begins, of any alignment. */
static unsigned long search(struct percpu_chunk *chunk, u32 *hint, unsigned long n, unsigned long align)
{
	unsigned long start = find_run(chunk, *hint, n, 1);

	if (start < chunk->nr_grains && n <= RUN_LENGTH(CLASS_OF_RUN(n)))
		*hint = (u32)start;
	if (align > 1)
		start = find_run(chunk, start, n, align);
	if (start < chunk->nr_grains)
		return start;
	start = find_run(chunk, sure_hint(chunk, n), n, align);
	if (start == chunk->nr_grains)
		chunk->no_run = min(chunk->no_run, (u32)(n + align - 1));
	return start;
}

/* Whether the run of @n grains at @start is free and lies in one word of the bitmap. */
static bool free_in_word(const struct percpu_chunk *chunk, unsigned long start, unsigned long n, unsigned long align)
{
	unsigned long bias = (chunk->offset & ~PAGE_MASK) >> GRAIN_SHIFT;

	return start % 64 + n <= 64 && start + n <= chunk->nr_grains && IS_ALIGNED(bias + start, align) &&
	       !(chunk->used[start / 64] & bits_mask(start % 64, n));
}

static void claim(struct percpu_chunk *chunk, unsigned long start, unsigned long n)
{
	bits_set_range(chunk->used, start, n);
	chunk->first[start / 64] |= 1ULL << (start % 64);
	chunk->nr_free -= (u32)n;
}

/* @n grains of @chunk. Return: their offset from the base; 0 when there is no such run. */
static size_t take_from(struct percpu_chunk *chunk, unsigned long n, unsigned long align)
{
	u32 *hint = hint_for(chunk, n);
	unsigned long start = *hint;

	if (!free_in_word(chunk, start, n, align))
		start = search(chunk, hint, n, align);
	if (start == chunk->nr_grains)
		return 0;
	/* A run that begins before it ends there now, so it is too short. */
	if (n > 1 && start - *hint < RUN_LENGTH(CLASS_OF_RUN(n)))
		*hint = (u32)(start + n);
	claim(chunk, start, n);
	return chunk->offset + (start << GRAIN_SHIFT);
}

static size_t take(unsigned long n, unsigned long align)
{
	struct percpu_chunk *chunk;

	list_for_each_entry(chunk, &percpu_pool.chunks, list) {
		size_t offset = n < chunk->no_run ? take_from(chunk, n, align) : 0;

		if (!offset)
			continue;
		if (chunk->list.prev != &percpu_pool.chunks)
			list_move(&chunk->list, &percpu_pool.chunks);
		return offset;
	}
	return 0;
}

/*
 * One grain, aligned as any, of the first chunk in the list. Return: its offset; 0 when it is not at hand, or the lock
 * is not.
 */
static __always_inline size_t take_word(void)
{
	unsigned long flags = local_irq_save(), word, bit;
	struct percpu_chunk *chunk;
	size_t offset = 0;
	u64 unused;

	if (likely(spin_trylock_inline(&percpu_pool.lock))) {
		chunk = list_first_entry(&percpu_pool.chunks, struct percpu_chunk, list);
		word = chunk->low / 64;
		unused = ~chunk->used[word];
		if (likely(unused)) {
			bit = (unsigned long)__builtin_ctzll(unused);
			chunk->used[word] = ~(unused & (unused - 1));
			chunk->first[word] |= 1ULL << bit;
			chunk->nr_free--;
			offset = chunk->offset + ((word * 64 + bit) << GRAIN_SHIFT);
		}
		spin_unlock_inline(&percpu_pool.lock);
	}
	local_irq_restore(flags);
	return offset;
}

/* percpu_chunk_len(), where a call would cost. */
static __always_inline unsigned long run_len(const struct percpu_chunk *chunk, unsigned long start)
{
	unsigned long word = start / 64;
	u64 ends = (chunk->first[word] | ~chunk->used[word]) & ~1ULL << (start % 64);

	while (!ends && ++word < chunk->nr_grains / 64)
		ends = chunk->first[word] | ~chunk->used[word];
	return word * 64 + (ends ? (unsigned long)__builtin_ctzll(ends) : 0) - start;
}

unsigned long percpu_chunk_len(const struct percpu_chunk *chunk, unsigned long start)
{
	return run_len(chunk, start);
}

/* Where the run of free grains that ends at @grain begins; @grain itself when the one below is in use. */
static __always_inline unsigned long free_run_begin(const struct percpu_chunk *chunk, unsigned long grain)
{
	unsigned long word = grain / 64;
	u64 below = grain % 64 ? chunk->used[word] & bits_mask(0, grain % 64) : 0;

	while (!below && word)
		below = chunk->used[--word];
	return below ? word * 64 + 64 - (unsigned long)__builtin_clzll(below) : 0;
}

/* The chunk that @offset lies in; NULL when it lies in none. */
static struct percpu_chunk *chunk_at(size_t offset)
{
	struct va_extent *node;

	if (likely(offset - percpu_first.offset < (size_t)percpu_first.nr_grains << GRAIN_SHIFT))
		return &percpu_first;
	node = va_at_or_below(&further, offset);
	return node && offset - node->start < node->len ? container_of(node, struct percpu_chunk, node) : NULL;
}

static bool begins_at(const struct percpu_chunk *chunk, size_t offset)
{
	size_t inside = offset - chunk->offset;

	return IS_ALIGNED(inside, GRAIN) && bit_test(chunk->first, inside >> GRAIN_SHIFT);
}

/* --- chunks come and go --- */

void percpu_alloc_init(size_t offset, size_t bytes)
{
	/* Whole words of the bitmaps. */
	unsigned long nr_grains = ALIGN_DOWN(bytes >> GRAIN_SHIFT, 64UL);
	u64 *maps = boot_alloc(2 * nr_grains / 64 * sizeof(u64), SMP_CACHE_BYTES, NUMA_NO_NODE, "percpu bitmaps");

	percpu_chunk_init(&percpu_first, offset, nr_grains, maps);
	list_add(&percpu_first.list, &percpu_pool.chunks);
}

void percpu_may_grow(void)
{
	may_grow = true;
}

static void add_chunk(struct percpu_chunk *chunk)
{
	unsigned long flags = spin_lock_irqsave(&percpu_pool.lock);

	list_add(&chunk->list, &percpu_pool.chunks);
	va_insert(&further, &chunk->node);
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
}

static void forget_chunk(struct percpu_chunk *chunk)
{
	list_del(&chunk->list);
	va_remove(&further, &chunk->node);
}

static bool is_empty(const struct percpu_chunk *chunk)
{
	return chunk->nr_free == chunk->nr_grains && chunk != &percpu_first;
}

/* @chunk has become empty. Return: it, in no list any more, when there is another empty one; else NULL. */
static __noinline struct percpu_chunk *drop_second(struct percpu_chunk *chunk)
{
	struct percpu_chunk *other;

	list_for_each_entry(other, &percpu_pool.chunks, list) {
		if (other == chunk || !is_empty(other))
			continue;
		forget_chunk(chunk);
		return chunk;
	}
	return NULL;
}

/* An empty chunk, in no list any more; NULL when there is none. */
static struct percpu_chunk *drop_one(void)
{
	unsigned long flags = spin_lock_irqsave(&percpu_pool.lock);
	struct percpu_chunk *chunk, *empty = NULL;

	list_for_each_entry(chunk, &percpu_pool.chunks, list)
		if (is_empty(chunk))
			empty = chunk;
	if (empty)
		forget_chunk(empty);
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
	return empty;
}

void percpu_trim(void)
{
	struct percpu_chunk *empty;

	while ((empty = drop_one()))
		percpu_chunk_destroy(empty);
}

static size_t take_locked(unsigned long n, unsigned long align)
{
	unsigned long flags = lock_pool();
	size_t offset = take(n, align);

	unlock_pool(flags);
	return offset;
}

/* Take from what there is, or with chunks more. Return: 0 when no chunk could be added. */
static __noinline size_t grow_and_take(unsigned long n, unsigned long align)
{
	size_t offset;

	mutex_lock(&grow_mutex);
	while (!(offset = take_locked(n, align))) {
		struct percpu_chunk *chunk = percpu_chunk_create();

		if (!chunk)
			break;
		add_chunk(chunk);
	}
	mutex_unlock(&grow_mutex);
	return offset;
}

/* --- the interface --- */

static void *refuse(size_t size, size_t align, gfp_t gfp, const char *why)
{
	if (!(gfp & __GFP_NOWARN) && fetch_add32(&refusals, 1) < MAX_REPORTS) {
		printk("percpu: %zu bytes aligned to %zu, CPU %d: %s\n", size, align, smp_processor_id(), why);
		arch_dump_stack();
	}
	return NULL;
}

static __noinline void *refuse_argument(size_t size, size_t align, gfp_t gfp)
{
	if (!size)
		return refuse(size, align, gfp, "nothing to allocate");
	return refuse(size, align, gfp,
		      size > PERCPU_ALLOC_MAX ? "more than a unit holds" :
						"an alignment is a power of two up to a page");
}

static __noinline size_t take_more(size_t size, size_t align, unsigned long align_grains, gfp_t gfp)
{
	bool can = may_grow && (gfp & __GFP_DIRECT_RECLAIM) && arch_cross_call_ok();
	size_t offset = can ? grow_and_take(DIV_ROUND_UP(size, GRAIN), align_grains) : 0;

	if (!offset)
		refuse(size, align, gfp,
		       can ? "no room, and no memory or address space for another chunk" :
			     "no room, and no chunk can be added in this context");
	return offset;
}

static void zero_grains(size_t offset, unsigned long n)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		memset((char *)percpu_base(cpu) + offset, 0, n << GRAIN_SHIFT);
}

/* Any request, from the beginning. */
static __noinline void *alloc_any(size_t size, size_t align, gfp_t gfp)
{
	unsigned long n = DIV_ROUND_UP(size, GRAIN), align_grains = align > GRAIN ? align >> GRAIN_SHIFT : 1;
	size_t offset;

	if (size - 1 >= PERCPU_ALLOC_MAX || align - 1 >= PAGE_SIZE || (align & (align - 1)))
		return refuse_argument(size, align, gfp);
	offset = take_locked(n, align_grains);
	if (!offset)
		offset = take_more(size, align, align_grains, gfp);
	if (!offset)
		return NULL;
	zero_grains(offset, n);
	return percpu_cookie(offset);
}

static __always_inline void *alloc(size_t size, size_t align, gfp_t gfp)
{
	bool one = size - 1 < GRAIN && align - 1 < GRAIN && !(align & (align - 1));
	size_t offset = likely(one) ? take_word() : 0;

	if (unlikely(!offset))
		return alloc_any(size, align, gfp);
	for (void *const *base = percpu_bases, *const *end = base + nr_cpu_ids; base < end; base++)
		*(u64 *)(void *)((char *)*base + offset) = 0;
	return percpu_cookie(offset);
}

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	return alloc(size, align, gfp);
}

void *__alloc_percpu(size_t size, size_t align)
{
	return alloc(size, align, GFP_KERNEL);
}

static void remember(size_t offset, size_t len, const void *by)
{
	struct freed *at = freed_next;

	*at = (struct freed){ offset, len, by };
	freed_next = at == &freed[FREED_KEPT - 1] ? freed : at + 1;
}

/* The last that was freed at @offset, as far as that is known; its @by is NULL when it is not. */
static struct freed freed_at(size_t offset)
{
	const struct freed *one = freed_next;

	for (unsigned int i = 0; i < FREED_KEPT; i++) {
		one = one == freed ? &freed[FREED_KEPT - 1] : one - 1;
		if (one->by && offset - one->offset < one->len)
			return *one;
	}
	return (struct freed){ 0 };
}

/* Where a pointer is that was freed before, or is in no chunk any more. */
struct place {
	bool in_chunk;
	size_t offset, chunk; /* its, and the chunk's */
	size_t run, run_end;  /* free bytes around it */
	struct freed freed;
};

static void report_free(const void *ptr, const struct place *place)
{
	char by[ARCH_SYMBOL_MAX], where[96] = "lies in no chunk any more";

	if (place->in_chunk)
		snprintf(where, sizeof(where), "offset 0x%zx of the chunk at offset 0x%zx, is free already",
			 place->offset - place->chunk, place->chunk);
	if (place->freed.by)
		printk("free_percpu: %p, %s: the last known to be freed there were %zu bytes at %p, by %s: nothing done\n",
		       ptr, where, place->freed.len, percpu_cookie(place->freed.offset),
		       arch_symbol((unsigned long)place->freed.by, by, sizeof(by)));
	else if (place->in_chunk)
		printk("free_percpu: %p, %s, with %zu bytes from %p on: nothing done\n", ptr, where,
		       place->run_end - place->run, percpu_cookie(place->run));
	else
		printk("free_percpu: %p lies in no chunk%s: nothing done\n", ptr,
		       percpu_is_static(place->offset) ? ", but among the static variables" : "");
}

/* What is known of @offset, of @chunk or of none, where nothing is in use. percpu_lock is held. */
static struct place free_place(const struct percpu_chunk *chunk, size_t offset)
{
	struct place place = { .offset = offset, .freed = freed_at(offset) };
	unsigned long grain;

	if (!chunk)
		return place;
	grain = (offset - chunk->offset) >> GRAIN_SHIFT;
	place.in_chunk = true;
	place.chunk = chunk->offset;
	place.run = chunk->offset + (free_run_begin(chunk, grain) << GRAIN_SHIFT);
	place.run_end = chunk->offset + (bits_next_set(chunk->used, grain, chunk->nr_grains) << GRAIN_SHIFT);
	return place;
}

/* What @offset, which no allocation begins at, is. percpu_lock is held; it is let go of before anything is printed. */
static __noinline void report_bad(const void *ptr, size_t offset, unsigned long flags)
{
	const struct percpu_chunk *chunk = chunk_at(offset);
	unsigned long grain = chunk ? (offset - chunk->offset) >> GRAIN_SHIFT : 0, start = grain, len = 0;
	bool in_use = chunk && bit_test(chunk->used, grain);
	struct place place;
	size_t first = chunk ? chunk->offset : 0; /* the chunk may go when the lock is let go of */

	while (in_use && start && !bit_test(chunk->first, start))
		start--;
	if (in_use)
		len = percpu_chunk_len(chunk, start);
	else
		place = free_place(chunk, offset);
	spin_unlock_irqrestore(&percpu_pool.lock, flags);
	if (fetch_add32(&bad_frees, 1) >= MAX_REPORTS)
		return;
	if (in_use)
		printk("free_percpu: %p lies %zu bytes inside the allocation of %lu bytes at %p: nothing done\n", ptr,
		       offset - first - (start << GRAIN_SHIFT), len << GRAIN_SHIFT,
		       percpu_cookie(first + (start << GRAIN_SHIFT)));
	else
		report_free(ptr, &place);
	arch_dump_stack();
}

/* The @n grains at @start are free. */
static void release_run(struct percpu_chunk *chunk, unsigned long start, unsigned long n)
{
	u32 begin = (u32)free_run_begin(chunk, start);

	bits_clear_range(chunk->used, start, n);
	chunk->first[start / 64] &= ~(1ULL << (start % 64));
	chunk->low = min(chunk->low, (u32)start);
	for (int k = 0; k < RUN_CLASSES; k++)
		chunk->run[k] = min(chunk->run[k], begin);
	chunk->no_run = ~0U;
	chunk->nr_free += (u32)n;
}

/* Any pointer, from the beginning. */
static __noinline void free_any(void *ptr, const void *by)
{
	unsigned long flags = lock_pool(), start, n;
	size_t offset = percpu_offset(ptr);
	struct percpu_chunk *chunk = chunk_at(offset);

	if (!chunk || !begins_at(chunk, offset)) {
		report_bad(ptr, offset, flags);
		return;
	}
	start = (offset - chunk->offset) >> GRAIN_SHIFT;
	n = run_len(chunk, start);
	remember(offset, n << GRAIN_SHIFT, by);
	release_run(chunk, start, n);
	chunk = is_empty(chunk) ? drop_second(chunk) : NULL;
	unlock_pool(flags);
	if (chunk)
		percpu_chunk_destroy(chunk);
}

/*
 * The allocation at @inside of @chunk, which stays when it is empty, if it is one grain, and not the last of its word.
 * The lock is held. Return: whether it was.
 */
static __always_inline bool release_word(struct percpu_chunk *chunk, size_t inside)
{
	unsigned long start = inside >> GRAIN_SHIFT, word = start / 64;
	u64 bit = 1ULL << (start % 64), used = chunk->used[word], first = chunk->first[word];

	if (unlikely(!(first & bit) || !((first | ~used) & bit << 1)))
		return false;
	chunk->used[word] = used & ~bit;
	chunk->first[word] = first & ~bit;
	chunk->low = min(chunk->low, (u32)start);
	chunk->freed = min(chunk->freed, (u32)start);
	chunk->no_run = ~0U;
	chunk->nr_free++;
	return true;
}

void free_percpu(void *ptr)
{
	size_t inside = percpu_offset(ptr) - percpu_first.offset;
	unsigned long flags;
	bool done = false;

	if (unlikely(!ptr))
		return;
	if (likely(inside < (size_t)percpu_first.nr_grains << GRAIN_SHIFT && IS_ALIGNED(inside, GRAIN))) {
		flags = local_irq_save();
		if (likely(spin_trylock_inline(&percpu_pool.lock))) {
			done = release_word(&percpu_first, inside);
			spin_unlock_inline(&percpu_pool.lock);
		}
		local_irq_restore(flags);
	}
	if (unlikely(!done))
		free_any(ptr, __builtin_return_address(0));
}
