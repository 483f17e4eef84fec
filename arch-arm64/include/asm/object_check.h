/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checked free looks at before an object goes on a stack. Group 11 of the port contract (<mm/port.h>); what is
 * compared, <mm/object_check.h> says.
 *
 * 1. The pointer may be anything. virt_to_page() of any 64 bits lies in vmemmap, where nothing but the memmap is mapped, so
 *    the loads read a struct page, or never written memory of one, or fault; and a fault is a no.
 * 2. The flags say whether all was well so far: each comparison is made if so, else it sets them to "not".
 * 3. The mark is read and written as one: of two CPUs that free an object at the same moment one finds it marked, or its
 *    store refused. A store that is refused for another reason, an interrupt in between, is "not", too: the slow path tries anew.
 *
 * Cost: 9 instructions with the load that a free without checks has, too.
 */
#ifndef ASM_OBJECT_CHECK_H
#define ASM_OBJECT_CHECK_H

#include <mm/object_check.h>
#include <mm/page.h>

#include <asm/exception.h>

_Static_assert(offsetof(struct page, object_stack) == offsetof(struct page, object_check) + 4, "LDPSW loads both");

/* Linear addresses have all of their top bits set. */
static __always_inline bool asm_may_be_object(const void *p)
{
	return (intptr_t)p < 0;
}

/* clang-format off */
static __always_inline bool asm_object_leaves(struct page *page, void *obj, u32 tag, u32 *stack)
{
	/* Named, so that it stays where a free has got it. */
	register void *at __asm__("x0") = obj;
	u64 check, place;
	u32 mark;

	__asm__ goto volatile("1:	ldpsw	%[check], %[place], [%[page], %[words]]\n"
			      "2:	ldxr	%w[mark], [%[obj]]\n"
			      "	eor	%[check], %[check], %[tag]\n"
			      "	tst	%[obj], %[check], ror %[rotate]\n"
			      "	ccmp	%w[mark], %w[page], #4, eq\n"
			      "	b.eq	%l[odd]\n"
			      "	stxr	%w[mark], %w[page], [%[obj]]\n"
			      "	cbnz	%w[mark], %l[odd]\n"
			      EX_TABLE(1b, %l[odd]) EX_TABLE(2b, %l[odd])
			      : [check] "=&r"(check), [place] "=&r"(place), [mark] "=&r"(mark)
			      : [page] "r"(page), [obj] "r"(at), [tag] "r"((u64)tag),
				[words] "i"(offsetof(struct page, object_check)), [rotate] "i"(OBJECT_CHECK_ROTATE)
			      : "memory", "cc"
			      : odd);
	*stack = (u32)place;
	return true;
odd:
	return false;
}

static __always_inline bool asm_object_leaves_cache(struct page *page, void *obj, const struct kmem_cache *cache,
						    u32 *stack)
{
	const struct kmem_cache *owner;
	u64 check, place;
	u32 mark;

	__asm__ goto volatile("1:	ldpsw	%[check], %[place], [%[page], %[words]]\n"
			      "3:	ldr	%[owner], [%[page], %[slab_cache]]\n"
			      "2:	ldxr	%w[mark], [%[obj]]\n"
			      "	tst	%[obj], %[check], asr %[rotate]\n"
			      "	ccmp	%[owner], %[cache], #0, eq\n"
			      "	ccmp	%w[mark], %w[page], #4, eq\n"
			      "	b.eq	%l[odd]\n"
			      "	stxr	%w[mark], %w[page], [%[obj]]\n"
			      "	cbnz	%w[mark], %l[odd]\n"
			      EX_TABLE(1b, %l[odd]) EX_TABLE(2b, %l[odd]) EX_TABLE(3b, %l[odd])
			      : [check] "=&r"(check), [place] "=&r"(place), [mark] "=&r"(mark), [owner] "=&r"(owner)
			      : [page] "r"(page), [obj] "r"(obj), [cache] "r"(cache),
				[words] "i"(offsetof(struct page, object_check)),
				[slab_cache] "i"(offsetof(struct page, slab_cache)), [rotate] "i"(OBJECT_CHECK_ROTATE)
			      : "memory", "cc"
			      : odd);
	*stack = (u32)place;
	return true;
odd:
	return false;
}

static __always_inline bool asm_slab_page(const struct page *page, const void *obj, u32 tag, u32 *stack)
{
	u64 check, place;

	if (!asm_may_be_object(obj))
		return false;
	__asm__ goto volatile("1:	ldpsw	%[check], %[place], [%[page], %[words]]\n" EX_TABLE(1b, %l[odd])
			      : [check] "=&r"(check), [place] "=&r"(place)
			      : [page] "r"(page), [words] "i"(offsetof(struct page, object_check))
			      : "memory"
			      : odd);
	*stack = (u32)place;
	return !(((u32)check ^ tag) & OBJECT_CHECK_TAG_MASK);
odd:
	return false;
}

static __always_inline bool asm_mark_free(u32 *word, u32 mark)
{
	u32 old;

	__asm__ goto volatile("1:	ldxr	%w[old], [%[word]]\n"
			      "	cmp	%w[old], %w[mark]\n"
			      "	b.eq	%l[odd]\n"
			      "	stxr	%w[old], %w[mark], [%[word]]\n"
			      "	cbnz	%w[old], 1b\n" EX_TABLE(1b, %l[odd])
			      : [old] "=&r"(old)
			      : [word] "r"(word), [mark] "r"(mark)
			      : "memory", "cc"
			      : odd);
	return true;
odd:
	return false;
}
/* clang-format on */

#endif
