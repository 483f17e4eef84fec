/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: what a checked free looks at. Group 11 of <mm/port.h>; what is compared, <mm/object_check.h> says.
 *
 * A fault has no fix-up here, so whether the struct page was ever written is asked first, and whether the mark is
 * aligned. Linear addresses do not begin with ones, as factors want it: they are given them.
 */
#ifndef ASM_OBJECT_CHECK_H
#define ASM_OBJECT_CHECK_H

#include <mm/object_check.h>
#include <mm/page.h>

#include <asm/percpu_stack.h>

static inline bool asm_may_be_object(const void *p)
{
	return (uintptr_t)p >= PAGE_SIZE;
}

static inline u64 asm_object_product(const void *obj, u64 factor)
{
	return ((uintptr_t)obj | 0xffffUL << OBJECT_WINDOW_SHIFT) * factor;
}

static inline bool asm_mark_free(u32 *word, u32 mark)
{
	u32 old = READ_ONCE(*word);

	return old != mark && __atomic_compare_exchange_n(word, &old, mark, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Whether @obj, whose window came out as @is, has @wanted; then it is marked. */
static inline enum object_free host_object_free(struct page *page, void *obj, u32 *word, u32 is, u32 wanted)
{
	const u32 stack = READ_ONCE(page->object_stack) * (u32)OBJECT_STACK_UNIT;

	if (unlikely(is != wanted || !stack || !asm_mark_free(word, (u32)(uintptr_t)page)))
		return OBJECT_ODD;
	return likely(asm_stack_push_at(asm_percpu_base(), stack, obj)) ? OBJECT_FREED : OBJECT_FULL;
}

static inline bool host_has_page(const struct page *page, const void *obj)
{
	return likely((uintptr_t)obj >= (uintptr_t)__va(0) && !((uintptr_t)obj % sizeof(u32)) &&
		      page_initialised(page_to_pfn(page)));
}

static inline bool asm_page_is_of(const struct page *page, const struct kmem_cache *cache)
{
	return page_initialised(page_to_pfn(page)) && page->slab_cache == cache;
}

static inline u32 host_object_window(const struct page *page, const void *obj)
{
	return object_window(asm_object_product(obj, READ_ONCE(page->object_factor)));
}

/* With what is constant of the word behind the factor. */
static inline u32 host_object_window_of_any(const struct page *page, const void *obj)
{
	u64 word = (u64)READ_ONCE(page->object_key) << 48 | (u64)READ_ONCE(page->head_offset) << 40;

	return object_window(asm_object_product(obj, READ_ONCE(page->object_factor)) + word);
}

static inline enum object_free asm_object_free(struct page *page, void *obj, u32 tag)
{
	if (unlikely(!host_has_page(page, obj)))
		return OBJECT_ODD;
	return host_object_free(page, obj, obj, host_object_window_of_any(page, obj), tag);
}

static inline enum object_free asm_object_free_to(struct page *page, void *obj, u32 *word, u32 id)
{
	if (unlikely(!host_has_page(page, obj)))
		return OBJECT_ODD;
	return host_object_free(page, obj, word, host_object_window(page, obj), id);
}

static inline bool asm_object_claim(struct page *page, const void *obj, u32 *word, u32 id, u32 stack)
{
	return host_has_page(page, obj) && host_object_window(page, obj) == id &&
	       READ_ONCE(page->object_stack) == stack && asm_mark_free(word, (u32)(uintptr_t)page);
}

#endif
