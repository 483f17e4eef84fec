/* SPDX-License-Identifier: BSD-2-Clause */
/* The journey of a byte of RAM, from the device tree to kmalloc(), as one call; and the account of where it went. */
#ifndef MM_MM_INIT_H
#define MM_MM_INIT_H

#include <mm/discover.h>

/**
 * mm_init() - bring memory management up
 * @boot: what the port knows
 * @cpu_node: the node of each CPU, NULL when the port does not know
 *
 * Context: the boot CPU, alone, after percpu_init_boot() and with nr_cpu_ids set. Afterwards every allocator works on
 * every CPU that comes on line. Panics, naming the fault, when the tree has no usable memory or there is too little.
 */
void mm_init(const struct boot_info *boot, int (*cpu_node)(int cpu));

/** enum mm_stage - the stages of mm_init(), for the time each took */
enum mm_stage {
	MM_STAGE_START,
	MM_STAGE_DISCOVERY,
	MM_STAGE_LINEAR_MAP,
	MM_STAGE_NODES,
	MM_STAGE_SPARSE,
	MM_STAGE_ZONES,
	MM_STAGE_PERCPU,
	MM_STAGE_HANDOVER,
	MM_STAGE_SLAB,
	NR_MM_STAGES,
};

/** mm_stage_end() - arch_clock_ns() when @stage ended; MM_STAGE_START is when mm_init() was entered */
u64 mm_stage_end(enum mm_stage stage);

/**
 * account_print() - discovered = reserved + metadata + free + allocated, per zone and in bytes over all, into the log
 *
 * Context: thread, after mm_init(). Return: whether it balances, every zone_check() included.
 */
bool account_print(void);

#endif
