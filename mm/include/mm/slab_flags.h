/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flags of object caches, and what each level of checking costs.
 *
 * 1. A cache with any of SLAB_GUARDS is guarded: its objects have no per-CPU stack, so every allocation and free is
 *    looked at, under one lock for the cache. Other caches pay nothing for that, not an instruction.
 * 2. Three places say which caches are guarded: the flags of kmem_cache_create(); the level full
 *    (CONFIG_HARDENING_FULL), which guards all caches with SLAB_GUARDS_FULL; and the boot argument slub_debug=, which
 *    replaces the level's choice. The cache that caches come from is never guarded.
 * 3. slub_debug=LETTERS[,NAME[,NAME...]][;LETTERS...]: the caches named (a * at the end of a name stands for any rest),
 *    or all, get the flags of the letters; where a cache is named several times the last one counts. F consistency
 *    checks, Z red zones, P poison, U owners, T trace, Q quarantine, - nothing. slub_debug and slub_debug=,NAME mean
 *    FZPUQ.
 * 4. An object of a guarded cache, in a cell that is as long as the cache's stride:
 *
 *	left red zone | object | right red zone | state and link | owners: allocated by, freed by | padding
 *	8, aligned      size     1 to 8           16               2 x 96                           to the alignment
 *
 *    Bytes of a red zone are 0xcc around an allocated object and 0xbb around a free one; a free object is 0x6b all over
 *    and ends with 0xa5. Without SLAB_RED_ZONE, or SLAB_STORE_USER, the cell has no such part. Of an object that
 *    kmalloc() gave, the bytes behind those that were asked for are red zone, too: krealloc() moves where it begins,
 *    ksize() takes that part away. Below the level full they are zero instead of 0xcc behind an inline kzalloc().
 * 5. What is found is reported with the object's bytes and owners, at most ten reports in five seconds. A red zone is
 *    repaired. An object whose poison or whose state was written over is isolated: nobody gets it again. A wrong free
 *    is ignored. The machine runs on.
 *
 * 6. What each finds, and what kmalloc(64) and kfree() take together with that flag alone, in instructions, loop
 *    included, and its cell in bytes. A cache that is not guarded takes 34 and 64 at this level, 27 and 64 at none.
 *    What is guarded at all has a lock, a choice of objects and 16 bytes of state, and finds double, inner and foreign
 *    frees. Objects of kmalloc(64) are aligned to 64, which is most of these bytes: another cache's cell is point 4's
 *    sum.
 *
 *	F	a damaged free list, before it is used: each call walks the list of the slab	2,775	128
 *	Z	writes past the ends: 8 bytes behind and what was not asked for, 8 or more before	1,316	192
 *	P	writes after the free; what is read then, or was never written, is poison	1,194	128
 *	U	no more, but says who allocated and who freed					1,675	320
 *	Q	writes long after the free (with P): up to 64 objects, 64 KiB wait		969	128
 *	FZPUQ	all of that									2,461	384
 *
 *    All of it is less than F alone, whose smaller cells make longer lists. Nothing of it is about kmalloc() of more
 *    than 8192 bytes, which are whole pages: what is written behind them is not found. Measured on cortex-a72 with
 *    QEMU's -icount: `make CONFIG=full image`, boot arguments memmap_ahead=0 slub_debug=LETTER,kmalloc-64, `bench
 *    kmalloc` at the prompt, row kmalloc_64; the cell is slabinfo's objsize.
 */
#ifndef MM_SLAB_FLAGS_H
#define MM_SLAB_FLAGS_H

/**
 * DOC: slab flags
 *
 * SLAB_HWCACHE_ALIGN: objects of at least 33 bytes begin on a cache line.
 * SLAB_PANIC: kmem_cache_create() panics instead of returning NULL.
 * SLAB_NO_MERGE: never share slabs with a like cache (kmem_cache_create() says which are like).
 * SLAB_RECLAIM_ACCOUNT: objects can be given up under pressure: their pages are grouped with reclaimable ones and
 * counted as
 *	SReclaimable, those of all other caches as SUnreclaim, and so is a kmalloc() too large for a slab.
 * SLAB_TYPESAFE_BY_RCU: an object may be freed and handed out again at any moment while somebody looks at it, but its
 *	memory stays an object of this cache until every CPU has been with interrupts unmasked once. There is no RCU
 *	here; a reader is whoever keeps interrupts masked. Slabs go back to the page allocator in kmem_cache_shrink()
 *	and kmem_cache_destroy() only, after a cross call to all CPUs. Such objects are not poisoned.
 * SLAB_CACHE_DMA: objects lie in ZONE_DMA.
 * SLAB_CONSISTENCY_CHECKS (F), SLAB_RED_ZONE (Z), SLAB_POISON (P), SLAB_STORE_USER (U): above. Objects with a
 * constructor
 *	are not poisoned.
 * SLAB_TRACE (T): a line for each allocation and free.
 * SLAB_QUARANTINE (Q): a freed object is handed out again only after others: up to 64 objects and 64 KiB wait.
 */
#define SLAB_HWCACHE_ALIGN	(1U << 0)
#define SLAB_PANIC		(1U << 1)
#define SLAB_NO_MERGE		(1U << 2)
#define SLAB_RECLAIM_ACCOUNT	(1U << 3)
#define SLAB_TYPESAFE_BY_RCU	(1U << 4)
#define SLAB_CACHE_DMA		(1U << 5)
#define SLAB_CONSISTENCY_CHECKS (1U << 6)
#define SLAB_RED_ZONE		(1U << 7)
#define SLAB_POISON		(1U << 8)
#define SLAB_STORE_USER		(1U << 9)
#define SLAB_TRACE		(1U << 10)
#define SLAB_QUARANTINE		(1U << 11)

/* What guards a cache, all of it, and what the level full and a bare slub_debug mean. */
#define SLAB_GUARDS \
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TRACE | SLAB_QUARANTINE)
#define SLAB_GUARDS_FULL (SLAB_GUARDS & ~SLAB_TRACE)

#define ALL_SLAB_FLAGS ((1U << 12) - 1)

#endif
