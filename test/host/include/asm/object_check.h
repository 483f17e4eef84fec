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

static inline bool host_object_leaves(struct page *page, void *obj, u32 check, u32 *stack)
{
	u32 *word = obj, mark = (u32)(uintptr_t)page;

	if (unlikely((check & OBJECT_CHECK_NEVER) || ((uintptr_t)obj & check >> OBJECT_CHECK_ROTATE) ||
		     READ_ONCE(*word) == mark))
		return false;
	WRITE_ONCE(*word, mark);
	*stack = READ_ONCE(page->object_stack);
	return true;
}

static inline bool asm_object_leaves(struct page *page, void *obj, u32 tag, u32 *stack)
{
	u32 check;

	if (unlikely((uintptr_t)obj < (uintptr_t)__va(0) || !page_initialised(page_to_pfn(page))))
		return false;
	check = READ_ONCE(page->object_check) ^ tag;
	return likely(!(check & OBJECT_CHECK_TAG_MASK)) && host_object_leaves(page, obj, check, stack);
}

static inline bool asm_object_leaves_cache(struct page *page, void *obj, const struct kmem_cache *cache, u32 *stack)
{
	if (unlikely((uintptr_t)obj < (uintptr_t)__va(0) || !page_initialised(page_to_pfn(page))))
		return false;
	return likely(READ_ONCE(page->slab_cache) == cache) &&
	       host_object_leaves(page, obj, READ_ONCE(page->object_check), stack);
}

#endif
