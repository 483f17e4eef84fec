/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test asks of the machine that the table engine runs on (recorder.c). */
#ifndef RECORDER_H
#define RECORDER_H

#include <lib/types.h>

/**
 * recorder_begin() - what follows may make addresses in [@start, @end) invalid, and no others, but for a live moment
 */
void recorder_begin(u64 start, u64 end);

/** recorder_reach() - until recorder_end() tables that map nothing of [@start, @end) must not be looked up */
void recorder_reach(u64 start, u64 end);

/**
 * recorder_end() - nothing may be left: no stale translation, no entry without a barrier, no table held, no page
 * neither linked nor freed
 */
void recorder_end(void);

/** recorder_fail_after() - the @n-th request for a page from now on, and all later ones, gets none; ~0U for never */
void recorder_fail_after(unsigned int n);

/** recorder_pages() - pages that tables have, those of boot_tables not counted */
unsigned long recorder_pages(void);

/** recorder_lives() - how often all other CPUs stood still */
unsigned long recorder_lives(void);

/**
 * recorder_check_shape() - every table is as it has to be
 *
 * Each entry is of a type that its level has. No table is empty; none could be a block; no sixteen entries could be a
 * group; the entries of a group are alike.
 */
void recorder_check_shape(void);

/** recorder_boot_page() - a pt_alloc_fn for the boot: what it gives is never freed */
phys_addr_t recorder_boot_page(void);

#endif
