/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data cache maintenance by address, to the point of coherency: where a CPU with its MMU off, or a device, looks.
 *
 * All work with the MMU off too, on physical addresses, and use no stack. Cost: O(size / cache line).
 */
#ifndef ASM_CACHE_H
#define ASM_CACHE_H

#include <lib/types.h>

/** dcache_clean_poc() - make what was written to [@start, @start + @size) visible to those who bypass the caches */
void dcache_clean_poc(const void *start, size_t size);

/**
 * dcache_inval_poc() - drop the cached copy of [@start, @start + @size), so that the next read sees memory
 *
 * Lines that the range covers in part are dropped whole: both ends are aligned to a cache line (at most 2 KiB), or
 * the rest of those lines is not in use.
 */
void dcache_inval_poc(const void *start, size_t size);

/** dcache_clean_inval_poc() - both in one: what was written reaches memory, and the next read sees memory */
void dcache_clean_inval_poc(const void *start, size_t size);

#endif
