/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gfp flags: from where pages may come, and what may be done to get them.
 *
 * The bits of a request are of four kinds, and each bit says here what it does; one that is named in Linux and not here
 * does not exist. Bits of one kind may be combined with those of the others; what excludes each other is refused, with
 * a report, like an order that there is not.
 *
 * 1. Zones. Without a bit a request is served from ZONE_NORMAL or a lower zone.
 *	__GFP_DMA, __GFP_DMA32	from that zone or a lower one; with both, __GFP_DMA is what counts
 *	__GFP_HIGHMEM		alone nothing: all memory is in the linear map, so what Linux takes from highmem comes
 *				from NORMAL
 *	__GFP_MOVABLE		with __GFP_HIGHMEM may come from ZONE_MOVABLE, too
 * 2. Groups, so that pages that stay do not mix with pages that go (mm/buddy.c). Without a bit: unmovable.
 *	__GFP_MOVABLE		grouped with movable pages
 *	__GFP_RECLAIMABLE	grouped with reclaimable ones; excludes __GFP_MOVABLE
 * 3. Effort. Without a bit: what is free above the watermarks now, and a report when there is nothing.
 *	__GFP_DIRECT_RECLAIM	the caller can wait: other CPUs' page caches may be drained for it by cross call. Where
 *				that cannot be (a handler, masked interrupts) it does nothing.
 *	__GFP_NORETRY		do not drain for it: what is not there at once is not there; with __GFP_NOFAIL it does
 *				nothing
 *	__GFP_HIGH		may use half of the reserve below the min watermark
 *	__GFP_NOFAIL		never NULL. After draining, and with half of the reserve as by __GFP_HIGH, it waits,
 *				draining again and again, until somebody frees enough. It panics, with the whole report,
 *				where that cannot be waited for: without __GFP_DIRECT_RECLAIM, in a handler or with
 *				interrupts masked, or when no zone that it may use has as many pages at all.
 *	__GFP_NOWARN		no report on failure
 *	__GFP_THISNODE		the node asked for or none
 * 4. What comes.
 *	__GFP_ZERO		zeroed
 *	__GFP_COMP		a compound block (<mm/page.h>), of an order above 0: its pages know their first one
 */
#ifndef MM_GFP_TYPES_H
#define MM_GFP_TYPES_H

#include <lib/types.h>

#include <mm/mmzone.h>

typedef u32 gfp_t;

#define __GFP_DMA	     ((gfp_t)1 << 0)
#define __GFP_DMA32	     ((gfp_t)1 << 1)
#define __GFP_MOVABLE	     ((gfp_t)1 << 2)
#define __GFP_RECLAIMABLE    ((gfp_t)1 << 3)
#define __GFP_HIGH	     ((gfp_t)1 << 4)
#define __GFP_ZERO	     ((gfp_t)1 << 5)
#define __GFP_NOWARN	     ((gfp_t)1 << 6)
#define __GFP_THISNODE	     ((gfp_t)1 << 7)
#define __GFP_DIRECT_RECLAIM ((gfp_t)1 << 8)
#define __GFP_HIGHMEM	     ((gfp_t)1 << 9)
#define __GFP_NOFAIL	     ((gfp_t)1 << 10)
#define __GFP_NORETRY	     ((gfp_t)1 << 11)
#define __GFP_COMP	     ((gfp_t)1 << 12)
#define GFP_BITS	     13

/* The caller can wait. */
#define GFP_KERNEL __GFP_DIRECT_RECLAIM
/* A handler: it cannot wait, and it matters. */
#define GFP_ATOMIC __GFP_HIGH
/* It cannot wait, and it does not matter. */
#define GFP_NOWAIT __GFP_NOWARN
/* It can wait, and may come from wherever there is memory: the only ones that ZONE_MOVABLE serves. */
#define GFP_HIGHUSER_MOVABLE (GFP_KERNEL | __GFP_HIGHMEM | __GFP_MOVABLE)
#define GFP_DMA		     __GFP_DMA
#define GFP_DMA32	     __GFP_DMA32

/** gfp_zone() - the highest zone that @gfp allows */
static inline enum zone_type gfp_zone(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return ZONE_DMA;
	if (gfp & __GFP_DMA32)
		return ZONE_DMA32;
	return (gfp & (__GFP_MOVABLE | __GFP_HIGHMEM)) == (__GFP_MOVABLE | __GFP_HIGHMEM) ? ZONE_MOVABLE : ZONE_NORMAL;
}

/** gfp_migratetype() - the group that pages of @gfp, which does not name two of them, belong to */
static __always_inline enum migratetype gfp_migratetype(gfp_t gfp)
{
	return (enum migratetype)(gfp >> 2 & 3);
}

_Static_assert((__GFP_MOVABLE >> 2) == MIGRATE_MOVABLE && (__GFP_RECLAIMABLE >> 2) == MIGRATE_RECLAIMABLE,
	       "gfp_migratetype() is a shift");

/* Room for what gfp_names() writes. */
#define GFP_NAMES_MAX 256

/** gfp_names() - write @gfp as one would in C, "GFP_KERNEL|__GFP_ZERO", into @buf of @size bytes. Return: @buf. */
const char *gfp_names(gfp_t gfp, char *buf, size_t size);

#endif
