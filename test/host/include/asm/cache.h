/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: the host's caches are not ours to flush, and everybody looks into them. What is asked of them is told to
 * whoever wants to know.
 */
#ifndef ASM_CACHE_H
#define ASM_CACHE_H

#include <lib/types.h>

enum host_cache_op { HOST_CACHE_CLEAN, HOST_CACHE_INVAL, HOST_CACHE_CLEAN_INVAL };

/** host_cache_watch() - have @fn called with each operation from now on; NULL for nobody. Context: all CPUs quiet. */
void host_cache_watch(void (*fn)(enum host_cache_op op, unsigned long start, unsigned long end));

void dcache_clean_poc(unsigned long start, unsigned long end);
void dcache_inval_poc(unsigned long start, unsigned long end);
void dcache_clean_inval_poc(unsigned long start, unsigned long end);

#endif
