// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB: what a hit runs through.
 *
 * 1. To allocate is to pop from this CPU's stack of the cache. Where it is depends on the cache only, so for a constant
 *    size it is a constant distance from the base for the CPU's own node; for others a table has it by size.
 * 2. To free is to push on the stack that the object's page names. A page that is no slab's names none, a page of
 *    another node one that takes nothing, a full stack takes nothing either: all of that is the slow path's.
 * 3. Both are restartable sequences (<mm/percpu_stack.h>): no lock, no atomic, interrupts as they are.
 * 4. Where frees are checked, what a free is given has to look right (<mm/object_check.h>), and is marked while it is
 *    free. The mark lies where the cache says. Who does not name the cache looks for it at the beginning of the object:
 *    objects of caches that have it elsewhere look odd then. What looks odd goes to the slow path, which knows.
 * 5. Several objects at once are copied from and to the stack with interrupts masked, BULK_MASKED at the most. Where
 *    frees are checked each is looked at and marked on its way, one of a slab closely; one that looks odd ends the
 *    stretch, and is freed by itself behind it.
 * 6. Functions here are called by inline ones, which know at compile time what flags and sizes are constants, and by
 *    those only: so they need no landing pads. Who has arguments in the first register but one, and anything in the
 *    first, need not move them out of the way of the object.
 *
 * Each function here ends in a jump to its slow path, so none needs a frame.
 */
#include "slub_hot.h"

#include <lib/smp.h>
#include <mm/port.h>
#include <string.h>

#include "slub_guard.h"
#include "slub_runs.h"

/* Objects that are moved with interrupts masked, a few instructions each. */
#define BULK_MASKED 128UL
#define BULK_STEP   8UL

u16 kmalloc_stack_of_size[KMALLOC_MAX_CACHE_SIZE / ARCH_KMALLOC_MINALIGN];

_Static_assert(OBJECT_STACK(OBJECT_STACKS) <= 0xffff, "a u16 holds it");
_Static_assert(NR_KMALLOC_CACHES < NO_OBJECT_STACK, "each general cache has a stack");

/* What no struct page of an earlier run has. */
static u32 draw_tag(void)
{
	u64 random = (get_cycles() ^ arch_clock_ns() ^ (uintptr_t)percpu_base(0)) * 0x9e3779b97f4a7c15UL;

	return object_window(random);
}

void slab_hot_init(void)
{
	u32 tag = draw_tag();

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		((struct mm_cpu *)percpu_base(cpu))->object_tag = tag;
	for (size_t i = 0; i < ARRAY_SIZE(kmalloc_stack_of_size); i++)
		kmalloc_stack_of_size[i] = (u16)OBJECT_STACK(kmalloc_index(i * ARCH_KMALLOC_MINALIGN + 1));
}

/* The number of the general cache whose stack is at @stack. */
static size_t index_of(size_t stack)
{
	return (stack - OBJECT_STACK(0)) / sizeof(struct percpu_stack);
}

__noinline void *kmem_cache_missed(size_t unused, struct kmem_cache *cache, gfp_t gfp)
{
	(void)unused;
	return slab_alloc_slow(cache, gfp);
}

__noinline void *kmalloc_missed(size_t unused, size_t stack, gfp_t gfp)
{
	(void)unused;
	return slab_alloc_slow(kmalloc_caches[index_of(stack)], gfp);
}

__noinline void *kmalloc_missed_size(size_t stack, gfp_t gfp, size_t last)
{
	struct kmem_cache *cache = kmalloc_caches[index_of(stack)];

	if (unlikely(cache->guard))
		return guard_kmalloc(cache, gfp, last + 1, NUMA_NO_NODE, false);
	return slab_alloc_slow(cache, gfp);
}

__noinline void *kmalloc_missed_odd(size_t unused, size_t stack, u32 request)
{
	struct kmem_cache *cache = kmalloc_caches[index_of(stack)];
	gfp_t gfp = kmalloc_request_gfp(request);

	(void)unused;
	if (unlikely(cache->guard))
		return guard_kmalloc(cache, gfp, cache->object_size - (request & KMALLOC_LEFT_MASK), NUMA_NO_NODE,
				     request & KMALLOC_ZEROED);
	return slab_alloc_slow(cache, gfp);
}

__by_name __restartable void *kmalloc_hot(size_t unused, size_t stack, gfp_t gfp)
{
	void *obj = asm_stack_pop(stack);

	(void)unused;
	return likely(obj) ? popped(obj) : kmalloc_missed(any_value(), stack, gfp);
}

__by_name __restartable void *kmalloc_hot_odd(size_t unused, size_t stack, u32 request)
{
	void *obj = asm_stack_pop(stack);

	(void)unused;
	return likely(obj) ? popped(obj) : kmalloc_missed_odd(any_value(), stack, request);
}

/* memset() clears the mark, too. */
static __always_inline void *zeroed(struct kmem_cache *cache, void *obj, size_t size)
{
	if (slub_debug_on()) {
		mark_taken(cache, obj);
		slub_debug_alloc(cache, obj);
	}
	return memset(obj, 0, size);
}

/*
 * kmalloc() of any size with __GFP_ZERO, and none else of GFP_COLD. All of an object is zeroed, as ksize() may be asked
 * for it.
 */
static __restartable void *kmalloc_zeroed(size_t size, gfp_t gfp)
{
	size_t last = size - 1, stack;
	void *obj;

	if (unlikely(last >= KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_slow(size, gfp);
	stack = kmalloc_stack_of_size[last / ARCH_KMALLOC_MINALIGN];
	obj = asm_stack_pop(stack);
	if (unlikely(!obj))
		return kmalloc_missed_size(stack, gfp, last);
	return zeroed(kmalloc_caches[index_of(stack)], obj, kmalloc_sizes[index_of(stack)]);
}

__by_name __restartable void *__kmalloc(size_t size, gfp_t gfp)
{
	if (likely(!(gfp & GFP_COLD)))
		return kmalloc_sized(size, gfp);
	if (!(gfp & GFP_COLD & ~__GFP_ZERO))
		return kmalloc_zeroed(size, gfp);
	return kmalloc_slow(size, gfp);
}

__by_name __restartable void *kmalloc_hot_any(size_t size, gfp_t gfp)
{
	return kmalloc_sized(size, gfp);
}

/* popped() of an object of @cache, whose mark is @offset bytes into it. */
static __always_inline void *popped_of(struct kmem_cache *cache, void *obj, u32 offset)
{
	if (HARDENED)
		*(u32 *)(void *)((char *)obj + offset) = 0;
	slub_debug_alloc(cache, obj);
	return obj;
}

/* Both fields in one load. */
__by_name __restartable void *kmem_cache_alloc_hot(size_t unused, struct kmem_cache *cache, gfp_t gfp)
{
	const u32 stack = cache->stack, offset = HARDENED ? cache->offset : 0;
	void *obj = asm_stack_pop(stack);

	(void)unused;
	return likely(obj) ? popped_of(cache, obj, offset) : kmem_cache_missed(any_value(), cache, gfp);
}

/* kmem_cache_alloc() with __GFP_ZERO, and none else of GFP_COLD. */
static __restartable void *kmem_cache_zeroed(struct kmem_cache *cache, gfp_t gfp)
{
	void *obj = asm_stack_pop(cache->stack);

	if (unlikely(!obj))
		return slab_alloc_slow(cache, gfp);
	if (HARDENED)
		mark_taken(cache, obj);
	return zeroed(cache, obj, cache->object_size);
}

__by_name __restartable void *__kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	if (likely(!(gfp & GFP_COLD))) {
		const u32 stack = cache->stack, offset = HARDENED ? cache->offset : 0;
		void *obj = asm_stack_pop(stack);

		if (likely(obj))
			return popped_of(cache, obj, offset);
	} else if (!(gfp & GFP_COLD & ~__GFP_ZERO)) {
		return kmem_cache_zeroed(cache, gfp);
	}
	return slab_alloc_slow(cache, gfp);
}

/* Point 4 of the theory. */
static __always_inline void kfree_checked(struct page *page, void *p)
{
	enum object_free free = slub_debug_on() ? OBJECT_ODD : asm_object_free(page, p, this_cpu()->object_tag);

	if (likely(free == OBJECT_FREED))
		return;
	if (free == OBJECT_ODD)
		kfree_slow(p);
	else
		slab_free_slow(p);
}

__by_name __restartable void __kfree(const void *p)
{
	struct page *page = virt_to_page(p);

	if (HARDENED) {
		if (likely(asm_may_be_object(p)))
			kfree_checked(page, (void *)(uintptr_t)p);
		else
			kfree_slow(p);
		return;
	}
	if ((uintptr_t)p <= (uintptr_t)ZERO_SIZE_PTR)
		return;
	if (slub_debug_on() || unlikely(!asm_object_push(&page->object_stack, (void *)(uintptr_t)p)))
		kfree_slow(p);
}

/* The same for who names the cache. NULL is no object, so it is sorted out behind the checks. */
static __always_inline void free_checked(struct kmem_cache *cache, struct page *page, void *obj)
{
	enum object_free free =
		slub_debug_on() ? OBJECT_ODD : asm_object_free_to(page, obj, free_word(cache, obj), cache->object_id);

	if (likely(free == OBJECT_FREED))
		return;
	if (free == OBJECT_ODD)
		kmem_cache_free_slow(cache, obj);
	else
		slab_free_slow(obj);
}

__by_name __restartable void __kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	struct page *page = virt_to_page(obj);

	if (HARDENED)
		free_checked(cache, page, obj);
	else if (obj && (slub_debug_on() || unlikely(!asm_object_push(&page->object_stack, obj))))
		kmem_cache_free_slow(cache, obj);
}

/* Interrupts are masked: this CPU's stack of @cache; that which is empty and full when there is none. */
static struct percpu_stack *this_stack(const struct kmem_cache *cache)
{
	return (struct percpu_stack *)(void *)((char *)this_cpu()->local + cache->stack);
}

/* Pop up to @n objects into @objs. Return: how many. */
static size_t pop_some(struct kmem_cache *cache, size_t n, void **objs)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *stack = this_stack(cache);
	size_t some = min(n, cpu_stack_count(cache, smp_processor_id()));
	void **top = stack->top - some;

	memcpy(objs, top + 1, some * sizeof(*objs));
	WRITE_ONCE(stack->top, top);
	local_irq_restore(flags);
	return some;
}

/* The marks of @n objects. */
static __always_inline void clear_marks(u32 offset, size_t n, void *const *objs)
{
	for (; n >= BULK_STEP; n -= BULK_STEP, objs += BULK_STEP) {
#pragma GCC unroll 4
		for (size_t i = 0; i < BULK_STEP; i += 2) {
			char *obj = objs[i], *next = objs[i + 1];

			*(u32 *)(void *)(obj + offset) = 0;
			*(u32 *)(void *)(next + offset) = 0;
		}
	}
	for (; n; n--)
		*(u32 *)(void *)((char *)*objs++ + offset) = 0;
}

/* What bulks owe the objects that they pop: each what popped() and the flags ask for. */
static void hand_out_some(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objs)
{
	if (HARDENED)
		clear_marks(cache->offset, n, objs);
	if (!slub_debug_on() && !(gfp & __GFP_ZERO))
		return;
	for (size_t i = 0; i < n; i++) {
		slub_debug_alloc(cache, objs[i]);
		if (gfp & __GFP_ZERO)
			memset(objs[i], 0, cache->object_size);
	}
}

size_t kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t n, void **objs)
{
	size_t got = 0;

	while (got < n) {
		size_t some =
			has_stacks(cache) && !(gfp & GFP_COLD & ~__GFP_ZERO) ? pop_some(cache, n - got, objs + got) : 0;

		hand_out_some(cache, gfp, some, objs + got);
		got += some;
		if (got == n)
			break;
		/* The stack is empty: this fills it. */
		objs[got] = kmem_cache_alloc(cache, gfp);
		if (unlikely(!objs[got])) {
			kmem_cache_free_bulk(cache, got, objs);
			return 0;
		}
		got++;
	}
	return n;
}

/*
 * Copy those of the @n @objs, from the first on, whose pages name the stack at @place. A few @to behind them may be
 * written to, too. Return: how many.
 */
static __always_inline size_t copy_near(void **to, void *const *objs, size_t n, u32 place)
{
	size_t done = 0;

	for (u32 differ = 0; n - done >= BULK_STEP; done += BULK_STEP) {
#pragma GCC unroll 4
		for (size_t i = done; i < done + BULK_STEP; i += 2) {
			void *obj = objs[i], *next = objs[i + 1];

			differ |= virt_to_page(obj)->object_stack ^ place;
			differ |= virt_to_page(next)->object_stack ^ place;
			to[i] = obj;
			to[i + 1] = next;
		}
		if (differ)
			break;
	}
	for (; done < n && virt_to_page(objs[done])->object_stack == place; done++)
		to[done] = objs[done];
	return done;
}

/* Push those of @objs, from the first on, that go on this CPU's stack; all are believed. Return: how many. */
static __always_inline size_t push_some(const struct kmem_cache *cache, size_t n, void **objs)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *stack = this_stack(cache);
	void **top = stack->top;
	size_t some = min(n, (size_t)(stack->limit - top));

	/* On one node all of them do. */
	if (nr_node_ids == 1)
		memcpy(top + 1, objs, some * sizeof(*objs));
	else
		some = copy_near(top + 1, objs, some,
				 (u32)((char *)stack - (char *)asm_percpu_base()) / OBJECT_STACK_UNIT);
	WRITE_ONCE(stack->top, top + some);
	local_irq_restore(flags);
	return some;
}

/*
 * The same where frees are checked: those that look right are marked, and go on the stack. Behind one that does, others
 * of its slab need not be looked at so closely where bits tell objects (slub_runs.h).
 */
static __always_inline size_t push_checked(const struct kmem_cache *cache, size_t n, void *const *objs)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *stack = this_stack(cache);
	const u32 offset = cache->offset, id = cache->object_id;
	const u32 place = object_stack_of(cache, node_for_alloc[this_cpu()->nid]);
	const u64 same = tells_by_bits(cache) ? cache->same : ~0UL;
	void **top = stack->top, **const before = top, **const last = top + min(n, (size_t)(stack->limit - top));
	uintptr_t right = BIT(63) + 1; /* no address at all */

	while (top < last) {
		void *obj = *objs++;
		u32 *word = (u32 *)(void *)((char *)obj + offset);

		if (run_has(obj, right, same)) {
			if (unlikely(!asm_mark_free(word, free_mark(obj))))
				break;
		} else {
			if (unlikely(!asm_object_claim(virt_to_page(obj), obj, word, id, place)))
				break;
			right = (uintptr_t)obj;
		}
		top++;
		WRITE_ONCE(*top, obj);
	}
	WRITE_ONCE(stack->top, top);
	local_irq_restore(flags);
	return (size_t)(top - before);
}

/* Each by itself. */
static void free_each(struct kmem_cache *cache, size_t n, void **objs)
{
	for (size_t i = 0; i < n; i++) {
		if (cache)
			kmem_cache_free(cache, objs[i]);
		else
			kfree(objs[i]);
	}
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t n, void **objs)
{
	if (slub_debug_on() || unlikely(!cache)) {
		free_each(cache, n, objs);
		return;
	}
	while (n) {
		size_t some = HARDENED ? push_checked(cache, min(n, BULK_MASKED), objs) :
					 push_some(cache, min(n, BULK_MASKED), objs);

		if (likely(some == n))
			break;
		/* The stack is full, or the object another node's, or odd: a free of its own finds out. */
		kmem_cache_free(cache, objs[some]);
		n -= some + 1;
		objs += some + 1;
	}
}
