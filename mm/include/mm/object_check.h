/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checked free of an object looks at, in three words that it has at hand.
 *
 * 1. A free object begins with its mark: the low half of the address of its struct page. It is written when the object is
 *    freed and cleared when it is handed out, so an object that has it is free already, or its user wrote just that.
 * 2. page->object_check of each page of a slab is a tag and, above it, the bits that are 0 in the address of every object:
 *
 *	31    30          19 18     3 2      0
 *	0     alignment - 1  tag      0
 *
 *    The tag is drawn anew in each run of the machine. What is no slab's page, or a struct page that was never written,
 *    even if its memory still holds one of an earlier run, does not have it. OBJECT_CHECK_NEVER, bit 31 alone, is that of
 *    slabs whose objects the hot paths must not look into.
 * 3. object_check less the tag, rotated by OBJECT_CHECK_ROTATE, has the alignment in its low bits, and whatever of the tag
 *    is wrong in the top 16, where linear addresses are all ones: so one AND with the address finds both. Bit 31 is taken
 *    for a sign, so that it stands there, too.
 * 4. All that is suspicious goes to the slow path, which knows exactly. An address between two objects whose size is no
 *    power of two may pass; it is found when it goes back to its slab. To find it at once, obj * c + d would take the place
 *    of the AND, with a tag and a remainder in its top bits: as many instructions in kfree(), and two more in
 *    kmem_cache_free(), where no tag is loaded. But c and d are eight bytes more for each page, and struct page has none left.
 */
#ifndef MM_OBJECT_CHECK_H
#define MM_OBJECT_CHECK_H

#include <lib/types.h>

#define OBJECT_CHECK_ROTATE    19
#define OBJECT_CHECK_TAG_SHIFT 3
#define OBJECT_CHECK_TAG_BITS  16
#define OBJECT_CHECK_NEVER     (1U << 31)
#define OBJECT_CHECK_TAG_MASK  ((BIT(OBJECT_CHECK_TAG_BITS) - 1) << OBJECT_CHECK_TAG_SHIFT)

_Static_assert(OBJECT_CHECK_TAG_SHIFT + OBJECT_CHECK_TAG_BITS == OBJECT_CHECK_ROTATE, "rotated, the tag is on top");

/** object_check_word() - object_check for objects aligned to @align (a power of two up to 4096) while the tag is @tag */
static inline u32 object_check_word(u32 tag, u32 align)
{
	return tag | (align - 1) << OBJECT_CHECK_ROTATE;
}

#endif
