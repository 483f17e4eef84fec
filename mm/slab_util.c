// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is made of kmalloc() and kfree(): copies, strings, other sizes.
 *
 * 1. krealloc() moves only what does not fit. It copies as many bytes as were usable, for how many were asked for is
 *    not kept; so what was zero behind them stays zero, which is what __GFP_ZERO rests on.
 * 2. A guarded cache does keep it (slub_guard_size.c): there krealloc() copies and clears by what was asked for, and
 *    the red zone begins anew behind the new size.
 * 3. What is no object in use is neither resized nor cleared, where that is checked: a guarded cache knows it at every
 *    level. krealloc() says so and returns NULL; nothing is written, to no neighbour either.
 * 4. kfree_sensitive() clears what ksize() tells. The clearing is followed by a use that the compiler has to believe
 *    in, or it would drop stores to memory that is about to be freed.
 */
#include <mm/slab.h>
#include <string.h>

#include <asm/page.h>

#include "slub.h"
#include "slub_guard.h"
#include "slub_report.h"

/* Whom a report names when there is no cache. */
static const struct kmem_cache no_cache = { .name = "krealloc" };

/* krealloc() within the object at @p, which has @size bytes and more, in @slab of a guarded cache. */
static void *resize_guarded(struct page *slab, void *p, size_t size, gfp_t gfp)
{
	size_t old = guard_resize(slab, p, (u32)size);

	if ((gfp & __GFP_ZERO) && old < size)
		memset((char *)p + old, 0, size - old);
	return p;
}

/* krealloc() within the @old bytes at @p, which is enough. */
static void *resize(struct page *slab, void *p, size_t old, size_t size, gfp_t gfp)
{
	if (slab && unlikely(slab->slab_cache->guard))
		return resize_guarded(slab, p, size, gfp);
	if (gfp & __GFP_ZERO)
		memset((char *)p + size, 0, old - size);
	return p;
}

/*
 * Whether @p, which lies in @slab, if in any, and has @old bytes, is nothing that can be resized; then it has been
 * reported.
 */
static bool resize_refused(const struct page *slab, const void *p, size_t old)
{
	const char *fault = NULL;

	if ((uintptr_t)p <= (uintptr_t)ZERO_SIZE_PTR)
		return false;
	if (!slab)
		fault = old ? NULL : "is nothing that kmalloc returned";
	else if (unlikely(slab->slab_cache->guard))
		fault = guard_in_use(slab, p) ? NULL : "is no object in use";
	else
		return HARDENED && unlikely(slab_use_refused(NULL, p, "resized"));
	if (fault)
		slub_report_use(slab ? slab->slab_cache : &no_cache, slab, p, "resized", fault);
	return fault;
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	struct page *slab = (uintptr_t)p > (uintptr_t)ZERO_SIZE_PTR ? slab_head(p) : NULL;
	size_t old = slab ? slab->slab_cache->object_size : kmalloc_large_size(p);
	void *new;

	if (!size) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (unlikely(resize_refused(slab, p, old)))
		return NULL;
	if (old >= size)
		return resize(slab, (void *)(uintptr_t)p, old, size, gfp);
	if (slab && unlikely(slab->slab_cache->guard))
		old = guard_extent(slab, p);
	new = kmalloc(size, gfp);
	if (!new)
		return NULL;
	if (old)
		memcpy(new, p, old);
	kfree(p);
	return new;
}

/* Whether @p, an address in @slab, is an object in use as far as is checked; if not, it has been reported. */
static bool may_be_cleared(const struct page *slab, const void *p)
{
	const struct kmem_cache *cache = slab->slab_cache;

	if (!cache->guard)
		return !HARDENED || !slab_free_refused(NULL, p);
	/* Poison takes the place of what was there, and is proof that nobody wrote since. */
	return !cache->guard->poisoned && guard_in_use(slab, p);
}

void kfree_sensitive(const void *p)
{
	const struct page *slab = (uintptr_t)p > (uintptr_t)ZERO_SIZE_PTR ? slab_head(p) : NULL;
	void *bytes = (void *)(uintptr_t)p;
	size_t size = ksize(p);

	/* Nothing is cleared but what kfree() takes: it reports the rest. */
	if (slab && !may_be_cleared(slab, p)) {
		if (slab->slab_cache->guard)
			kfree(p);
		return;
	}
	/* NULL and ZERO_SIZE_PTR have no size, nor has what is nothing that kmalloc() gave. */
	if (size)
		memset(bytes, 0, size);
	__asm__ volatile("" : : "r"(bytes) : "memory");
	kfree(p);
}

size_t kmalloc_size_roundup(size_t size)
{
	size_t bytes = PAGE_SIZE;

	if (!size || size > KMALLOC_MAX_SIZE)
		return size;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_sizes[kmalloc_index(size)];
	while (bytes < size)
		bytes *= 2;
	return bytes;
}

void *kmemdup(const void *src, size_t size, gfp_t gfp)
{
	void *copy = kmalloc(size, gfp);

	if (copy && size)
		memcpy(copy, src, size);
	return copy;
}

char *kmemdup_nul(const char *src, size_t size, gfp_t gfp)
{
	char *copy;

	if (!src || size == SIZE_MAX)
		return NULL;
	copy = kmalloc(size + 1, gfp);
	if (!copy)
		return NULL;
	memcpy(copy, src, size);
	copy[size] = '\0';
	return copy;
}

char *kstrdup(const char *text, gfp_t gfp)
{
	return text ? kmemdup(text, strlen(text) + 1, gfp) : NULL;
}

char *kstrndup(const char *text, size_t max, gfp_t gfp)
{
	return text ? kmemdup_nul(text, strnlen(text, max), gfp) : NULL;
}
