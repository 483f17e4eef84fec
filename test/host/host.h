/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host port, seen from a test: the machine's memory, its CPUs, its interrupts, its console.
 *
 * The core's state is static and has no way back, so a process is one machine that boots once: the harness (tap.h)
 * runs each case in a process of its own.
 */
#ifndef TEST_HOST_HOST_H
#define TEST_HOST_HOST_H

#include <lib/smp.h>
#include <lib/types.h>

#include <mm/percpu.h>

/* Interrupts and cross calls that this CPU has taken. */
DECLARE_PER_CPU(unsigned long, host_interrupts);

/**
 * host_boot_cpu() - make the calling thread the boot CPU of a machine with @nr_cpus CPUs, and show the log
 *
 * All that must precede any other call into mm or lib.
 */
void host_boot_cpu(int nr_cpus);

/** host_die() - the port is used as its contract does not allow: say so, and end the process */
_Noreturn void __printf(1, 2) host_die(const char *fmt, ...);

/** host_map_at() - have the memory file at @pa appear at @va too; page aligned */
void host_map_at(unsigned long va, phys_addr_t pa, size_t size, bool writable);

/** host_unmap_all() - no memory is mapped any more, as at reset; RAM keeps its bytes, as RAM does */
void host_unmap_all(void);

/** host_map_ram() - let the test itself look at physical memory that no core function has mapped yet */
void *host_map_ram(phys_addr_t base, phys_addr_t size);

/** host_is_mapped() - whether the linear map has the page at @pa */
bool host_is_mapped(phys_addr_t pa);

/** host_cpus_start() - bring CPUs 1 to nr_cpu_ids - 1 on line, each a thread that idles and works when told */
void host_cpus_start(void);

/** host_cpus_stop() - end those threads; the CPUs stay on line, and a cross call to one still runs */
void host_cpus_stop(void);

/** host_start_others() - have every CPU but this one, the boot CPU, run @fn(@arg). After host_cpus_start(). */
void host_start_others(smp_fn_t fn, void *arg);

/** host_wait_for_others() - return when they have done that */
void host_wait_for_others(void);

/** host_on_all_cpus() - run @fn(@arg) on every CPU at once, this one too; wait for all */
void host_on_all_cpus(smp_fn_t fn, void *arg);

/**
 * host_meet() - wait until @nr CPUs have come to this for the @nth time; *@came, which counts them, is 0 before the
 * first
 *
 * Who waits does not sleep at first: so all go on at once, if there are processors for them.
 */
void host_meet(u32 *came, u32 nr, u32 nth);

/** host_cpu_enter() - make the calling thread CPU @cpu, on line. One thread at a time may be a CPU. */
void host_cpu_enter(int cpu);

/** host_cpu_leave() - the calling thread is no CPU any more; interrupts must be unmasked */
void host_cpu_leave(void);

/**
 * host_interrupt() - run @fn(@arg) on @cpu as an interrupt handler would: when it is unmasked, and masked itself
 *
 * Context: any thread that is unmasked, whether a CPU or not. Returns when the handler has returned.
 */
void host_interrupt(int cpu, void (*fn)(void *arg), void *arg);

/** host_times_masked() - how often the calling thread has masked interrupts that were not, as any CPU */
unsigned long host_times_masked(void);

/** host_clock_skip() - arch_clock_ns() is @ns later at once, as after a rest: limits of reports begin anew */
void host_clock_skip(u64 ns);

/**
 * host_clock_hold() - from here on only host_clock_skip() moves arch_clock_ns(): a test of limits may take any time
 *
 * What waits by that clock waits for ever.
 */
void host_clock_hold(void);

/** host_log() - all that the console has shown since the start or host_log_clear(), as one string */
const char *host_log(void);
void host_log_clear(void);

/** host_mute() - from here on the log is kept, but not shown */
void host_mute(void);

/** host_input() - what the console's next con_getc() calls receive, followed by nothing */
void host_input(const char *text);

#endif
