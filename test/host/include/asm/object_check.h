/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: what a checked free looks at. Group 11 of <mm/port.h>; what is compared, <mm/object_check.h> says.
 *
 * A fault has no fix-up here, so whether the struct page was ever written is asked first. Linear addresses do not begin
 * with ones: the tag is compared by itself.
 */
#ifndef ASM_OBJECT_CHECK_H
#define ASM_OBJECT_CHECK_H

#include <mm/object_check.h>
#include <mm/page.h>

static inline bool asm_may_be_object(const void *p)
{
	return (uintptr_t)p >= PAGE_SIZE;
}

static inline bool asm_mark_free(u32 *word, u32 mark)
{
	u32 old = READ_ONCE(*word);

	return old != mark && __atomic_compare_exchange_n(word, &old, mark, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline bool asm_slab_page(const struct page *page, const void *obj, u32 tag, u32 *stack)
{
	if (unlikely((uintptr_t)obj < (uintptr_t)__va(0) || !page_initialised(page_to_pfn(page))))
		return false;
	*stack = READ_ONCE(page->object_stack);
	return likely(!((READ_ONCE(page->object_check) ^ tag) & OBJECT_CHECK_TAG_MASK));
}

static inline bool host_object_leaves(const struct page *page, void *obj)
{
	u32 check = READ_ONCE(page->object_check);

	return likely(!(check & OBJECT_CHECK_NEVER) && !((uintptr_t)obj & check >> OBJECT_CHECK_ROTATE)) &&
	       asm_mark_free(obj, (u32)(uintptr_t)page);
}

static inline bool asm_object_leaves(struct page *page, void *obj, u32 tag, u32 *stack)
{
	return asm_slab_page(page, obj, tag, stack) && host_object_leaves(page, obj);
}

static inline bool asm_object_leaves_cache(struct page *page, void *obj, const struct kmem_cache *cache, u32 *stack)
{
	if (unlikely((uintptr_t)obj < (uintptr_t)__va(0) || !page_initialised(page_to_pfn(page))))
		return false;
	*stack = READ_ONCE(page->object_stack);
	return likely(READ_ONCE(page->slab_cache) == cache) && host_object_leaves(page, obj);
}

#endif
