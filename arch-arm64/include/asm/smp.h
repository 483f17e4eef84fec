/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUs: which the tree names, how they are started, how they are reached.
 *
 * 1. smp_discover() numbers them: 0 is the boot CPU, wherever it stands in /cpus, the others follow in the order of
 *    the tree, at most CONFIG_NR_CPUS.
 * 2. smp_init() starts the others one after the other; each comes through secondary_entry (boot/head.S), reads its
 *    struct secondary_boot with the MMU off, and ends in secondary_start(). One that does not know its record comes
 *    through spin_table_entry (boot/spin_entry.S), which finds it.
 */
#ifndef ASM_SMP_H
#define ASM_SMP_H

/* Offsets of struct secondary_boot for head.S, asserted below. */
#define SECONDARY_BOOT_SP     0
#define SECONDARY_BOOT_PERCPU 8
#define SECONDARY_BOOT_MPIDR  16
#define SECONDARY_BOOT_SIZE   128

/* With the MPIDR of a record: the record is complete. No affinity field has this bit. */
#define SECONDARY_BOOT_VALID 0x80000000

/* Where a per-CPU area has its CPU's number (struct mm_cpu; asserted in cpu/smp.c). */
#define MM_CPU_NUMBER 24

/* Affinity fields of MPIDR_EL1: Aff3 in bits 39:32, Aff2, Aff1, Aff0 in bits 23:0. */
#define MPIDR_AFFINITY 0xff00ffffff

#ifndef __ASSEMBLER__

#include <lib/types.h>

#include <asm/percpu.h>

/**
 * struct secondary_boot - what a starting CPU needs before it can look at anything else
 * @sp: its initial stack pointer
 * @percpu: its per-CPU base
 * @mpidr: its affinity fields and SECONDARY_BOOT_VALID, written last; 0 while the CPU is not to start
 *
 * The CPU reads it with the MMU off, its physical address in x0 or found by @mpidr: the writer cleans it to the point
 * of coherency. Each has a cache line (at most 128 bytes) of its own, so that cleaning one disturbs no other.
 */
struct secondary_boot {
	u64 sp;
	u64 percpu;
	u64 mpidr;
} __aligned(SECONDARY_BOOT_SIZE);

_Static_assert(offsetof(struct secondary_boot, sp) == SECONDARY_BOOT_SP, "head.S reads here");
_Static_assert(offsetof(struct secondary_boot, percpu) == SECONDARY_BOOT_PERCPU, "head.S reads here");
_Static_assert(offsetof(struct secondary_boot, mpidr) == SECONDARY_BOOT_MPIDR, "spin_entry.S reads here");
_Static_assert(sizeof(struct secondary_boot) == SECONDARY_BOOT_SIZE, "spin_entry.S steps so far");
_Static_assert((SECONDARY_BOOT_VALID & MPIDR_AFFINITY) == 0, "a valid record is no affinity");

/* boot/head.S: where PSCI starts a CPU; entered at its physical address, x0 the physical address of its record. */
extern char secondary_entry[];

/* boot/spin_entry.S: where a spin table sends a CPU, by its physical address; nothing is passed. */
extern char spin_table_entry[];

/** smp_discover() - read /cpus and /psci, set nr_cpu_ids. Boot CPU, before anything asks how many CPUs there are. */
void smp_discover(const void *fdt);

/**
 * secondary_start() - head.S ends here, on the CPU's own stack with the MMU on and interrupts masked
 * @entry_el: the exception level that the CPU was entered at
 */
_Noreturn void secondary_start(u64 entry_el);

/** smp_processor_id() - number of the calling CPU: the first field of its per-CPU area (asserted in cpu/smp.c) */
static __always_inline int smp_processor_id(void)
{
	return (int)*(const u32 *)(const void *)((const char *)asm_percpu_base() + MM_CPU_NUMBER);
}

/** smp_find_cpu() - the number of the CPU with these affinity fields of MPIDR, -1 when the tree names none. O(CPUs). */
int smp_find_cpu(u64 mpidr);

/**
 * smp_init() - start the other CPUs and wait until each is on line or has failed
 *
 * Each CPU's stack and per-CPU area exist. Context: the boot CPU, thread, after irq_init() and timer_init(), before
 * mm_hand_over(): a CPU that runs already idles, and touches no memory management until it is given work. One that is
 * later than the wait parks.
 */
void smp_init(void);

/** arch_cpu_node() - numa-node-id of @cpu in the tree, -1 when it has none */
int arch_cpu_node(int cpu);

/** arch_send_call() - make @cpu run smp_call_interrupt() soon. @cpu is on line. */
void arch_send_call(int cpu);

/** arch_wake_idle() - make @cpu leave its idle wait and look at its work. @cpu is on line. */
void arch_wake_idle(int cpu);

/**
 * cpus_stop() - every other CPU stands still, interrupts masked, until cpus_go()
 *
 * It touches nothing but the image and its stack meanwhile. Context: where arch_cross_call_ok(), one caller at a time
 * (pt_mutex). A CPU that starts meanwhile waits as well. Cost: as long as others keep their interrupts masked, or
 * start.
 */
void cpus_stop(void);

/** cpus_go() - they go on, and have synchronised their context */
void cpus_go(void);

/**
 * cpu_arrive() - this CPU is not on line and is about to use more than the image and its stack; waits for cpus_go()
 *
 * Context: interrupts masked, before anything of its per-CPU area is used; needs no feature of the CPU.
 */
void cpu_arrive(void);

/** cpu_leave() - it is on line now, or uses nothing but the image and its stack any more */
void cpu_leave(void);

/** cpu_stop_interrupt() - the handler of SGI_STOP */
void cpu_stop_interrupt(void);

/** arch_cross_call_ok() - whether this context may wait for other CPUs: interrupts unmasked, not in a handler */
bool arch_cross_call_ok(void);

#endif
#endif
