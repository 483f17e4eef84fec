/* SPDX-License-Identifier: BSD-2-Clause */
/* The journey of a byte of RAM, from the device tree to kmalloc(), as one call; and the account of where it went. */
#ifndef MM_MM_INIT_H
#define MM_MM_INIT_H

#include <mm/discover.h>

/**
 * mm_init() - from the device tree to where only the hand-over is left
 * @boot: what the port knows
 * @cpu_node: the node of each CPU, NULL when the port does not know
 *
 * Afterwards all RAM is mapped, every CPU has its area and stack and may be started, and memblock still serves.
 * Context: the boot CPU, alone, after percpu_init_boot() and with nr_cpu_ids set. Panics, naming the fault, when the
 * tree has no usable memory or there is too little.
 */
void mm_init(const struct boot_info *boot, int (*cpu_node)(int cpu));

/**
 * mm_hand_over() - memblock retires, the page allocator and SLUB take over
 *
 * Afterwards every allocator works on every CPU on line. Other CPUs may run already, but must not have touched memory
 * management. Context: the boot CPU, once, after mm_init().
 */
void mm_hand_over(void);

/** enum mm_stage - the stages of mm_init() and mm_hand_over(), for the time each took */
enum mm_stage {
	MM_STAGE_START,
	MM_STAGE_DISCOVERY,
	MM_STAGE_LINEAR_MAP,
	MM_STAGE_NODES,
	MM_STAGE_SPARSE,
	MM_STAGE_DMA,
	MM_STAGE_ZONES,
	MM_STAGE_PERCPU,
	MM_STAGE_CPUS,
	MM_STAGE_MEMTEST,
	MM_STAGE_HANDOVER,
	MM_STAGE_SLAB,
	NR_MM_STAGES,
};

/** mm_stage_end() - arch_clock_ns() when @stage ended; MM_STAGE_START is when mm_init() was entered */
u64 mm_stage_end(enum mm_stage stage);

/**
 * account_print() - discovered = reserved + metadata + free + allocated, per zone and in bytes over all, into the log
 *
 * Context: thread, after mm_hand_over(). Return: whether it balances, every zone_check() included.
 */
bool account_print(void);

#endif
