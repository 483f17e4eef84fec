/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checked free looks at before an object goes on a stack. Group 11 of the port contract (<mm/port.h>); what is
 * compared, <mm/object_check.h> says.
 *
 * 1. The pointer may be anything. virt_to_page() of any 64 bits lies in vmemmap, where nothing but the memmap is
 *    mapped, so the loads read a struct page, or never written memory of one, or fault; and a fault is a no. The same
 *    goes for the object, and for the head of the stack.
 * 2. The flags say whether all was well so far: each comparison is made if so, else it sets them to "not".
 * 3. The mark is read and written as one: of two CPUs that free an object at the same moment one finds it marked, or
 *    its store refused. A store that is refused for another reason, an interrupt in between, is "not", too: the slow
 *    path tries anew.
 * 4. The top of the stack is read between the two. An exception return clears the monitor, so when the store succeeds
 *    nobody has interrupted, and what was read is still so. Behind it the object is marked, and must not be found so:
 *    who is interrupted there goes on at the second push, which reads the top anew. It lies out of the way.
 *
 * Cost: 13 instructions, or 14 with an offset, of which a free without checks has 7, too.
 */
#ifndef ASM_OBJECT_CHECK_H
#define ASM_OBJECT_CHECK_H

#include <mm/object_check.h>
#include <mm/page.h>

#include <asm/exception.h>
#include <asm/percpu_stack.h>

_Static_assert(offsetof(struct page, object_stack) == offsetof(struct page, object_factor) + 8, "LDP loads both");
_Static_assert(OBJECT_STACK_UNIT == 8, "UXTH #3");

/* Linear addresses have all of their top bits set. */
static __always_inline bool asm_may_be_object(const void *p)
{
	return (intptr_t)p < 0;
}

static __always_inline u64 asm_object_product(const void *obj, u64 factor)
{
	return (uintptr_t)obj * factor;
}

/* clang-format off */
/*
 * What all of it has in common: from the struct page to the two words, with the mark at @word; and from the comparisons
 * on.
 */
#define OBJECT_LOAD(word)                                              \
	"1:	ldp	%[product], %[head], [%[page], %[factor]]\n"       \
	"2:	ldxr	%w[mark], [" word "]\n"

#define OBJECT_PUSH(word)                                              \
	"	add	%[head], %[base], %w[head], uxth #3\n"             \
	"3:	ldp	x16, x17, [%[head]]\n"                             \
	"	cmp	%[window], %[product], lsr #48\n"                  \
	"	ccmp	%w[mark], %w[page], #4, eq\n"                      \
	"	ccmp	x16, x17, #4, ne\n"                                \
	"	b.eq	%l[odd]\n"                                         \
	"4:	stxr	%w[mark], %w[page], [" word "]\n"                  \
	"	cbnz	%w[mark], %l[odd]\n"                               \
	"	str	%[obj], [x16, #8]!\n"                              \
	"5:	str	x16, [%[head]]\n"                                  \
	"	.subsection 1\n"                                           \
	"6:	cbnz	%w[mark], %l[odd]\n"                               \
	"7:	ldp	x16, x17, [%[head]]\n"                             \
	"	cmp	x16, x17\n"                                        \
	"	b.eq	%l[full]\n"                                        \
	"	str	%[obj], [x16, #8]!\n"                              \
	"8:	str	x16, [%[head]]\n"                                  \
	"	b	9f\n"                                              \
	"	.subsection 0\n"                                           \
	"9:\n" RESTART_AT(4b, 5b, 6b) RESTART(7b, 8b)                      \
	EX_TABLE(1b, %l[odd]) EX_TABLE(2b, %l[odd]) EX_TABLE(3b, %l[odd])

static __always_inline enum object_free asm_object_free(struct page *page, void *obj, u32 tag)
{
	/* Named, so that it stays where a free has got it. */
	register void *at __asm__("x0") = obj;
	u64 product, head;
	u32 mark;

	__asm__ goto volatile(OBJECT_LOAD("%[obj]")
			      "	madd	%[product], %[obj], %[product], %[head]\n"
			      OBJECT_PUSH("%[obj]")
			      : [product] "=&r"(product), [head] "=&r"(head), [mark] "=&r"(mark)
			      : [page] "r"(page), [obj] "r"(at), [window] "r"((u64)tag), [base] "r"(asm_percpu_base()),
				[factor] "i"(offsetof(struct page, object_factor))
			      : "memory", "cc", "x16", "x17"
			      : odd, full);
	return OBJECT_FREED;
odd:
	return OBJECT_ODD;
full:
	return OBJECT_FULL;
}

static __always_inline enum object_free asm_object_free_to(struct page *page, void *obj, u32 *word, u32 id)
{
	u64 product, head;
	u32 mark;

	__asm__ goto volatile(OBJECT_LOAD("%[word]")
			      "	mul	%[product], %[obj], %[product]\n"
			      OBJECT_PUSH("%[word]")
			      : [product] "=&r"(product), [head] "=&r"(head), [mark] "=&r"(mark)
			      : [page] "r"(page), [obj] "r"(obj), [word] "r"(word), [window] "r"((u64)id),
				[base] "r"(asm_percpu_base()), [factor] "i"(offsetof(struct page, object_factor))
			      : "memory", "cc", "x16", "x17"
			      : odd, full);
	return OBJECT_FREED;
odd:
	return OBJECT_ODD;
full:
	return OBJECT_FULL;
}

static __always_inline bool asm_object_claim(struct page *page, const void *obj, u32 *word, u32 id, u32 stack)
{
	u64 product, head;
	u32 mark;

	__asm__ goto volatile("1:	ldp	%[product], %[head], [%[page], %[factor]]\n"
			      "2:	ldxr	%w[mark], [%[word]]\n"
			      "	mul	%[product], %[obj], %[product]\n"
			      "	uxth	%w[head], %w[head]\n"
			      "	cmp	%[window], %[product], lsr #48\n"
			      "	ccmp	%w[head], %w[stack], #0, eq\n"
			      "	ccmp	%w[mark], %w[page], #4, eq\n"
			      "	b.eq	%l[odd]\n"
			      "	stxr	%w[mark], %w[page], [%[word]]\n"
			      "	cbnz	%w[mark], %l[odd]\n"
			      EX_TABLE(1b, %l[odd]) EX_TABLE(2b, %l[odd])
			      : [product] "=&r"(product), [head] "=&r"(head), [mark] "=&r"(mark)
			      : [page] "r"(page), [obj] "r"(obj), [word] "r"(word), [window] "r"((u64)id),
				[stack] "r"(stack), [factor] "i"(offsetof(struct page, object_factor))
			      : "memory", "cc"
			      : odd);
	return true;
odd:
	return false;
}

static __always_inline bool asm_page_is_of(const struct page *page, const struct kmem_cache *cache)
{
	const struct kmem_cache *owner;

	__asm__ goto volatile("1:	ldr	%[owner], [%[page], %[at]]\n"
			      EX_TABLE(1b, %l[unmapped])
			      : [owner] "=r"(owner)
			      : [page] "r"(page), [at] "i"(offsetof(struct page, slab_cache))
			      : "memory"
			      : unmapped);
	return owner == cache;
unmapped:
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
