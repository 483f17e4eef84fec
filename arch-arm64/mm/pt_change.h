/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the table engine share with each other. */
#ifndef PT_CHANGE_H
#define PT_CHANGE_H

#include <lib/types.h>

#include <asm/pt_hw.h>

/* More entries than that cost more to invalidate one by one than TLBs cost to refill. */
#define PT_FLUSH_MAX 128

/**
 * pt_invalidate_range() - begin to drop what any TLB holds of [@start, @end), in units of @stride; after pt_written()
 */
static __always_inline void pt_invalidate_range(u64 start, u64 end, u64 stride)
{
	if (end - start > PT_FLUSH_MAX * stride)
		pt_invalidate_all();
	else
		for (; start < end; start += stride)
			pt_invalidate(start);
}

/**
 * pt_check_range() - 0, or -EINVAL after a line that names @what: nothing, no whole pages, or past the end of addresses
 */
int pt_check_range(const char *what, u64 va, u64 size);

/** pt_check_free_range() - pt_check_range(), and -EINVAL after a line where vmalloc maps and unmaps */
int pt_check_free_range(const char *what, u64 va, u64 size);

/* Behind each of the next two every table walk sees what was mapped: they end with pt_written(). */

/**
 * pt_undo_map() - unmap [@va, @end), which a failed pt_map_range() has just mapped, and free the tables that it made
 */
void pt_undo_map(u64 va, u64 end);

/** pt_merge_ends() - merge what [@va, @end), just mapped, completes with its neighbours */
void pt_merge_ends(u64 va, u64 end);

#endif
