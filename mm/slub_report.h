/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What SLUB says about objects that are not as they should be, at every hardening level.
 *
 *	slub: BUG in CACHE: WHAT					CACHE is the one that was called
 *	  address ADDRESS, +N bytes from the beginning of:			when it is not the beginning
 *	  object ADDRESS of CACHE, N bytes [of N], at offset N of the slab at pfn N: N objects, N in use, node N
 *	  PART: ADDRESS has 0xNN instead of 0xNN, wrong bytes: N		damaged bytes only
 *	  ADDRESS: 16 bytes in hexadecimal			what part of the cell it is
 *	  allocated ... by CPU N:	and a backtrace, then the same of `freed'	SLAB_STORE_USER's
 *	Backtrace of CPU N: ...						who runs into it
 *	slub: CACHE: what was done about it
 *
 * Ten reports in five seconds are printed, the rest is counted and named with the next one.
 */
#ifndef MM_SLUB_REPORT_H
#define MM_SLUB_REPORT_H

#include "slub_guard.h"

/**
 * slub_report() - the first lines of a report, the owners and the backtrace
 * @cache: whose object it should be; NULL: that of any general cache, which is to say that kfree() was called
 * @slab: first page of the slab that @obj lies in; NULL when it lies in none, and then nothing of it is read
 * @damage: NULL when the bytes are not what is wrong
 *
 * Context: any; SLUB's locks may be held. Return: whether it was printed; only then should slub_fixed() follow.
 */
bool slub_report(const struct kmem_cache *cache, const struct page *slab, const void *obj, const char *what,
		 const struct object_damage *damage);

/**
 * slub_report_use() - a whole report: @obj, which lies in @slab, is not freed, or not resized, as an object of @cache
 * @verb: "freed" or "resized"
 * @fault: why: "lies in no slab"
 */
void slub_report_use(const struct kmem_cache *cache, const struct page *slab, const void *obj, const char *verb,
		     const char *fault);

/** slub_report_free() - slub_report_use() of what was to be freed */
static inline void slub_report_free(const struct kmem_cache *cache, const struct page *slab, const void *obj,
				    const char *fault)
{
	slub_report_use(cache, slab, obj, "freed", fault);
}

/** slub_fixed() - the last line of a report */
void slub_fixed(const struct kmem_cache *cache, const char *what);

/** slub_show_object() - where @obj of @slab lies: the second line of a report, and the owners where they are known */
void slub_show_object(const struct kmem_cache *cache, const struct page *slab, const void *obj);

#endif
