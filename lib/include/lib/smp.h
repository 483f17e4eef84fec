/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work on other CPUs, written once over the port's two primitives (arch_send_call, arch_wake_idle).
 *
 * 1. A cross call runs a function on another CPU in interrupt context, at once; the caller waits.
 * 2. A kick has all other CPUs run one function, the same always, in interrupt context, soon; nobody waits.
 * 3. Idle work runs a function on another CPU from its idle loop, interrupts unmasked; the caller may wait later.
 */
#ifndef LIB_SMP_H
#define LIB_SMP_H

#include <lib/types.h>

/** nr_cpu_ids - CPUs that the tree names, at most CONFIG_NR_CPUS. Set once on the boot CPU. */
extern int nr_cpu_ids;

typedef void (*smp_fn_t)(void *arg);

/** cpu_online() - whether @cpu runs and takes calls */
bool cpu_online(int cpu);

/** set_cpu_online() - by @cpu itself, when it can take interrupts */
void set_cpu_online(int cpu);

/** num_online_cpus() - how many do */
int num_online_cpus(void);

#define for_each_online_cpu(cpu)                     \
	for ((cpu) = 0; (cpu) < nr_cpu_ids; (cpu)++) \
		if (!cpu_online(cpu)) {              \
		} else

/**
 * smp_call_function_single() - run @fn(@arg) on @cpu and wait for it
 *
 * On the calling CPU itself it is a call with interrupts masked. Context: where arch_cross_call_ok(); anything else
 * panics, for it would deadlock. Return: 0, or -ENXIO when @cpu is not on line (and @fn did not run).
 */
int smp_call_function_single(int cpu, smp_fn_t fn, void *arg);

/** on_each_cpu() - smp_call_function_single() on every CPU on line, one after the other */
void on_each_cpu(smp_fn_t fn, void *arg);

/**
 * kick_all_cpus_sync() - on_each_cpu() of nothing: wait until every CPU on line has taken a call
 *
 * Whatever one of them did with interrupts masked when this was called, or in a restartable push or pop, has come to
 * its end.
 * Context: where arch_cross_call_ok().
 */
void kick_all_cpus_sync(void);

/** smp_set_kick_task() - what smp_kick_others() has the others run. Context: boot, once. */
void smp_set_kick_task(void (*task)(void));

/**
 * smp_kick_others() - have every other CPU on line run the kick task as soon as it takes interrupts; do not wait for
 * that
 *
 * What the caller wrote before is seen there. Context: any, handlers included; boot has set a task. Cost: O(CPUs).
 */
void smp_kick_others(void);

/** smp_call_interrupt() - the port calls this on the target of arch_send_call(), interrupts masked */
void smp_call_interrupt(void);

/**
 * smp_work_start() - have the idle loop of @cpu run @fn(@arg), interrupts unmasked
 *
 * Return: 0, -ENXIO when @cpu is not on line or is the caller's, -EBUSY when it still has work. Context: thread.
 */
int smp_work_start(int cpu, smp_fn_t fn, void *arg);

/** smp_work_wait() - return when the work that smp_work_start() gave @cpu is done. Context: thread. */
void smp_work_wait(int cpu);

/**
 * smp_idle_work() - run this CPU's work, or else a step of the idle task; the idle loop's body
 *
 * Return: whether there was any; then it is to be asked again. Else the CPU may sleep until arch_wake_idle().
 */
bool smp_idle_work(void);

/**
 * smp_set_idle_task() - have CPUs that have nothing else to do run @task
 *
 * It does a small piece of whatever there is to do, interrupts unmasked at the start and at the end, and returns
 * whether it found any. It is asked until it does not, and again whenever the CPU was awake. Context: boot, once.
 */
void smp_set_idle_task(bool (*task)(void));

/**
 * smp_idle_step() - run the idle task once, for a CPU that waits in a loop of its own. Return: whether there was
 * anything to do.
 */
bool smp_idle_step(void);

/**
 * smp_wake_idle() - wake one CPU of the set @cpus, if one sleeps in its idle loop, for the idle task
 *
 * What was stored with __ATOMIC_SEQ_CST before is seen by the task if it loads that so: either it finds it, or the CPU
 * is woken.
 * Context: any. Cost: a load, and an interrupt sent.
 */
void smp_wake_idle(u64 cpus);

#endif
