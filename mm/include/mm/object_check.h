/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checked free of an object looks at, in two words of its struct page.
 *
 * 1. A free object has its mark, the low half of the address of its struct page, in a word of its own: at its
 *    beginning, or behind it where what a constructor made stays. It is written when the object is freed and cleared
 *    when it is handed out, so an object that has it is free already, or its user wrote just that.
 * 2. page->object_factor of each page of a slab is a multiplier. The top 16 bits of address times factor, modulo 2^64,
 *    are the number of the slab's cache (kmem_cache.object_id) where an object begins, and nowhere else in the slab. So
 *    one multiplication tells any address inside of an object. Between two objects of a slab the windows run through
 *    all there are, so an address inside of a foreign cache's object could have the number of the cache that a free
 *    names: numbers are chosen so that of no two caches one has such an address (object_ids_apart()). A cache that no
 *    number is left for has no stacks.
 * 3. How that comes. Let s be the stride and F = 2^64 / s + d with a small d. n * F is, modulo 2^64, n * d for each
 *    multiple n of s, so below OBJECT_SPREAD. Any other n of a slab is at least F less that away from there: more than
 *    two windows of 2^48, which are numbers with the same top 16 bits. Objects are flush with the end of their slab, so
 *    each multiple, from the first object on, is an object, and what is left over lies before them.
 * 4. What remains is to have the product of the first object's address in the right window. A linear address is 2^64 -
 *    M with M up to 2^48: each one more in d moves the product by M downwards, at most a window. So one division tells
 *    the d. M is 2^48 less a physical address that a linear map has room for, 2^44 at least, so d < 2^20 and n * d <
 *    2^35. What would leave the window on its far side is tried again with d larger by 2^16, eight times at the most.
 * 5. A free that does not know the cache adds what lies behind the factor in struct page: the other word, whose top 16
 *    bits are page->object_key. That makes this machine run's tag of each cache's number; except where the mark is not
 *    at the beginning, where such a free would not find it: there no address makes the tag, as there are four windows
 *    between two bytes of an object. The tag, and with it each cache's number, is drawn anew in each run: what a struct
 *    page that was never written still holds of an earlier one is believed in one of 65,536 cases. Of all others that
 *    are no slab's page->object_stack is 0, which takes nothing, whatever else is there. So it is of a slab that no
 *    factor was found for. The page's number in its slab, bits 40 to 42 of the word, is added as well; where that takes
 *    a later object's sum into the next window, frees of it by kfree() take the slow path.
 * 6. All that is suspicious goes to the slow path, which knows exactly.
 */
#ifndef MM_OBJECT_CHECK_H
#define MM_OBJECT_CHECK_H

#include <lib/types.h>

/* Products of one window have their top 16 bits alike. */
#define OBJECT_WINDOW_SHIFT 48
#define OBJECT_WINDOW	    BIT(OBJECT_WINDOW_SHIFT)

/* Products of a slab's objects lie within. */
#define OBJECT_SPREAD BIT(37)
#define OBJECT_TRIES  8

/**
 * enum object_free - what became of a checked free
 * @OBJECT_FREED: the object bears its mark, and is on the stack that its page names
 * @OBJECT_ODD: nothing was written: it is no object, or marked, or the stack is full; or another CPU or a handler has
 * got in between
 * @OBJECT_FULL: it bears its mark, and is on no stack: a handler has filled it just now
 */
enum object_free { OBJECT_FREED, OBJECT_ODD, OBJECT_FULL };

/** object_step() - 2^64 / @stride, rounded up to a multiple of 2^16. @stride: bytes, 8 to 2^14 */
static inline u64 object_step(u32 stride)
{
	return (BIT(OBJECT_WINDOW_SHIFT) + stride - 1) / stride << 16;
}

/**
 * object_factor() - the multiplier of a slab whose first object is at @first, a linear address whose top 16 bits are
 * ones
 * @step: object_step() of its stride
 * @id: what the top 16 bits of products are for its objects
 *
 * Return: 0 when there is none, as there may be for slabs near a multiple of 4 GiB. Cost: a division, rarely more.
 */
static inline u64 object_factor(u64 first, u64 step, u32 id)
{
	const u64 from = -first;

	for (int i = 0; i < OBJECT_TRIES; i++, step += BIT(16)) {
		u64 less = first * step - ((u64)id << OBJECT_WINDOW_SHIFT);

		if (less % from + OBJECT_SPREAD < OBJECT_WINDOW)
			return step + less / from;
	}
	return 0;
}

/**
 * object_window_of_none() - how far from the window of objects of a slab is one that no address in it has: half a step
 */
static inline u32 object_window_of_none(u64 step)
{
	return (u32)(step >> (OBJECT_WINDOW_SHIFT + 1));
}

/** object_window() - the top 16 bits of a product, or of a sum with one */
static inline u32 object_window(u64 product)
{
	return (u32)(product >> OBJECT_WINDOW_SHIFT);
}

/**
 * object_ids_apart() - whether no address within an object of @stride has the window @other, when objects have @id
 *
 * Of addresses that are multiples of 4: at others no mark can be read. With both ways round of two caches a free that
 * names the one is never taken for the other's, wherever in an object it points.
 */
static inline bool object_ids_apart(u32 id, u32 stride, u32 other)
{
	/* Each 4 bytes are 2^18 / stride windows, and where in its window the first object is, is not known. */
	u32 away = ((other - id) & 0xffff) * stride & (BIT(18) - 1);

	return away >= 2 * stride && BIT(18) - away >= 2 * stride;
}

#endif
