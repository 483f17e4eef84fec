/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checked free of an object looks at, in three words that it has at hand.
 *
 * 1. A free object begins with its mark: the low half of the address of its struct page. It is written when the object is
 *    freed and cleared when it is handed out, so an object that has it is free already, or its user wrote just that.
 * 2. page->object_check of each page of a slab is a tag and, above it, the bits that are 0 in the address of every object:
 *
 *	31    30          18 17     4 3      2      0
 *	0     alignment - 1  tag      0      0
 *
 *    The tag is drawn anew in each run of the machine. What is no slab's page, or a struct page that was never written,
 *    even if its memory still holds one of an earlier run, does not have it. OBJECT_CHECK_NEVER, bit 31 alone, is that of
 *    slabs whose objects the hot paths must not look into. With the tag and bit 3 it is that of uneven slabs, 4.
 * 3. object_check less the tag, rotated by OBJECT_CHECK_ROTATE, has the alignment in its low bits, and whatever of the tag
 *    is wrong, or bit 3, in the top 15, where linear addresses are all ones: so one AND with the address finds both. Bit 31 is
 *    taken for a sign: of the comparison that shifts it stands there, too. Of that which rotates it does not, and the address
 *    of one of the first pages of physical memory has no other bits: that is what bit 3 is for.
 * 4. All that is suspicious goes to the slow path, which knows exactly. Between the two there is a path for uneven slabs: whose
 *    stride is no power of two, or larger than there are bits for, so that no bits tell where objects begin, or whose mark is not at the beginning of the
 *    object. It believes the tag, and then has the struct kmem_cache, where there is room for c and the mark's place.
 * 5. Whether n bytes from the beginning of the slab an object begins, one multiplication says: with c = 2^32 / stride, rounded
 *    up, n * c is modulo 2^32 a small number for each multiple of the stride, growing by e = c * stride - 2^32 < stride from
 *    one to the next, and for all others at least c. So what is below objects * e, and only that, begins one. Of a power of
 *    two e is 0, and the bound 1. n < 2^15 and stride < 2^14, so objects * e < 2^15 + 2^14 < 2^18 < c.
 */
#ifndef MM_OBJECT_CHECK_H
#define MM_OBJECT_CHECK_H

#include <lib/types.h>

#define OBJECT_CHECK_ROTATE    18
#define OBJECT_CHECK_TAG_SHIFT 4
#define OBJECT_CHECK_TAG_BITS  14
#define OBJECT_CHECK_UNEVEN    BIT(3)
#define OBJECT_CHECK_NEVER     (1U << 31)
#define OBJECT_CHECK_TAG_MASK  ((BIT(OBJECT_CHECK_TAG_BITS) - 1) << OBJECT_CHECK_TAG_SHIFT)

_Static_assert(OBJECT_CHECK_TAG_SHIFT + OBJECT_CHECK_TAG_BITS == OBJECT_CHECK_ROTATE, "rotated, the tag is on top");

/* Objects of a larger stride are uneven. */
#define OBJECT_CHECK_MAX_ALIGN BIT(31 - OBJECT_CHECK_ROTATE)

/** object_check_word() - object_check for objects aligned to @align (a power of two up to the most) while the tag is @tag */
static inline u32 object_check_word(u32 tag, u32 align)
{
	return tag | (align - 1) << OBJECT_CHECK_ROTATE;
}

/** object_check_uneven() - object_check of an uneven slab while the tag is @tag */
static inline u32 object_check_uneven(u32 tag)
{
	return tag | OBJECT_CHECK_NEVER | OBJECT_CHECK_UNEVEN;
}

/** object_reciprocal() - c of point 5. @stride: bytes, 8 to 2^14 - 1 */
static inline u32 object_reciprocal(u32 stride)
{
	return (u32)(((1UL << 32) + stride - 1) / stride);
}

/** object_bound() - what is below it begins one of @objects objects */
static inline u32 object_bound(u32 stride, u32 objects)
{
	u32 e = object_reciprocal(stride) * stride;

	return e ? objects * e : 1;
}

#endif
