/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache maintenance by address. Each takes [start, end), of any alignment; an empty range is nothing to do.
 *
 *	point of coherency (PoC): where a CPU with its MMU off, or a device, looks: memory
 *	point of unification (PoU): where a CPU's instruction fetches and data accesses meet
 *
 * Who uses them: the boot, for the image and its tables, which are written or read while the MMU is off; the starts of
 * other CPUs (spin tables, records of the boot), who look with their MMU off; arch_sync_memory(); whoever hands memory
 * to a device that does not look into caches, or to another stage; whoever writes instructions.
 *
 * Context: any, any CPU, the MMU on or off (then on physical addresses); no stack is used. On return it is done for
 * all CPUs; each other CPU that is to run new instructions needs an isb() of its own. Cost: O((end - start) / cache
 * line).
 */
#ifndef ASM_CACHE_H
#define ASM_CACHE_H

#include <lib/types.h>

/** dcache_clean_poc() - make what was written to [@start, @end) visible to those who bypass the caches */
void dcache_clean_poc(unsigned long start, unsigned long end);

/**
 * dcache_inval_poc() - drop the cached copy of [@start, @end), so that the next read sees memory
 *
 * What was written to the range and not cleaned is lost, or not, as it happens. Lines that the range covers in part, at
 * its ends, are cleaned before they are dropped: bytes beside the range are kept.
 */
void dcache_inval_poc(unsigned long start, unsigned long end);

/** dcache_clean_inval_poc() - both in one: what was written reaches memory, and the next read sees memory */
void dcache_clean_inval_poc(unsigned long start, unsigned long end);

/** dcache_clean_pou() - make what was written to [@start, @end) visible to instruction fetches that miss their cache */
void dcache_clean_pou(unsigned long start, unsigned long end);

/** caches_clean_inval_pou() - make instructions written to [@start, @end) what is fetched there from now on */
void caches_clean_inval_pou(unsigned long start, unsigned long end);

#endif
