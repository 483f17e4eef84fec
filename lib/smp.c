// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cross calls and idle work.
 *
 * 1. Each CPU has one call slot. A caller owns the target's slot from the compare-and-swap of `busy` until it has seen
 *    `pending` cleared; callers of one target queue by spinning with interrupts unmasked, so two CPUs that call each
 *    other both answer. `pending` is set only when fn and arg are in place, so an interrupt that comes late or twice
 *    never runs a half-written slot.
 * 2. fn and arg are written before the port's arch_send_call(), which orders them before the interrupt; the target
 *    clears pending with release, the caller reads it with acquire, so what fn wrote is seen by the caller.
 * 3. Idle work is a second slot. A starter owns it from the compare-and-swap of `busy` on; storing fn hands it over to
 *    the target's idle loop, which runs fn, clears it and then `busy`. Whoever waits, waits for `busy` to be clear.
 * 4. A CPU without work runs the idle task until that finds nothing to do. Its bit in idle_mask is set before the task
 *    looks for the last time, and whoever has something for the task to find looks at the mask after it is there to be
 *    found: so one of the two sees the other, and nothing is left lying while a CPU sleeps.
 * 5. A kick asks the others for one function, the same always, and nobody waits for it: so it may come from a handler,
 *    or while interrupts are masked. A CPU that is kicked twice before it takes the interrupt runs the function once,
 *    after both.
 * Slot letters: (a) atomic; (c) the caller that owns the slot.
 */
#include <lib/smp.h>

#include <errno.h>
#include <lib/printk.h>

#include <asm/atomic.h>
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/smp.h>

struct call_slot {
	u32 busy;    /* (a) */
	u32 pending; /* (a) the target has yet to run fn */
	smp_fn_t fn; /* (c) */
	void *arg;   /* (c) */
} __aligned(64);

struct work_slot {
	u32 busy;    /* (a) */
	smp_fn_t fn; /* (a) */
	void *arg;   /* (c) written before fn */
} __aligned(64);

int nr_cpu_ids = 1;

static u64 online_mask;		   /* (a) bit per CPU; CONFIG_NR_CPUS is at most 64 */
static u64 idle_mask;		   /* (a) CPUs in their idle loops, without work of their own */
static bool (*idle_task)(void);	   /* (a) */
static u32 kicked[CONFIG_NR_CPUS]; /* (a) */
static void (*kick_task)(void);	   /* set at boot */
static struct call_slot call_slots[CONFIG_NR_CPUS];
static struct work_slot work_slots[CONFIG_NR_CPUS];

_Static_assert(CONFIG_NR_CPUS <= 64, "online_mask has a bit for each CPU");

bool cpu_online(int cpu)
{
	return cpu >= 0 && cpu < nr_cpu_ids && (__atomic_load_n(&online_mask, __ATOMIC_ACQUIRE) >> cpu & 1);
}

void set_cpu_online(int cpu)
{
	or64_release(&online_mask, 1ULL << cpu);
}

int num_online_cpus(void)
{
	return __builtin_popcountll(__atomic_load_n(&online_mask, __ATOMIC_ACQUIRE));
}

static void call_self(smp_fn_t fn, void *arg)
{
	unsigned long flags = local_irq_save();

	fn(arg);
	local_irq_restore(flags);
}

static bool claim(u32 *busy)
{
	return claim32_acquire(busy, 1) == 0;
}

int smp_call_function_single(int cpu, smp_fn_t fn, void *arg)
{
	struct call_slot *slot = &call_slots[cpu];

	if (cpu == smp_processor_id()) {
		call_self(fn, arg);
		return 0;
	}
	if (!cpu_online(cpu))
		return -ENXIO;
	if (!arch_cross_call_ok())
		panic("cross call to CPU %d with interrupts masked or from a handler", cpu);
	while (!claim(&slot->busy))
		cpu_relax();
	slot->fn = fn;
	slot->arg = arg;
	__atomic_store_n(&slot->pending, 1, __ATOMIC_RELEASE);
	arch_send_call(cpu);
	while (__atomic_load_n(&slot->pending, __ATOMIC_ACQUIRE))
		cpu_relax();
	__atomic_store_n(&slot->busy, 0, __ATOMIC_RELEASE);
	return 0;
}

void on_each_cpu(smp_fn_t fn, void *arg)
{
	int cpu;

	for_each_online_cpu(cpu)
		smp_call_function_single(cpu, fn, arg);
}

static void nothing(void *unused)
{
	(void)unused;
}

void kick_all_cpus_sync(void)
{
	on_each_cpu(nothing, NULL);
}

void smp_call_interrupt(void)
{
	int cpu = smp_processor_id();
	struct call_slot *slot = &call_slots[cpu];

	if (READ_ONCE(kicked[cpu]) && xchg32_acquire(&kicked[cpu], 0))
		kick_task();
	if (__atomic_load_n(&slot->pending, __ATOMIC_ACQUIRE) == 0)
		return;
	slot->fn(slot->arg);
	__atomic_store_n(&slot->pending, 0, __ATOMIC_RELEASE);
}

void smp_set_kick_task(void (*task)(void))
{
	kick_task = task;
}

void smp_kick_others(void)
{
	int cpu, self = smp_processor_id();

	for_each_online_cpu(cpu) {
		if (cpu == self)
			continue;
		__atomic_store_n(&kicked[cpu], 1, __ATOMIC_RELEASE);
		arch_send_call(cpu);
	}
}

int smp_work_start(int cpu, smp_fn_t fn, void *arg)
{
	struct work_slot *slot = &work_slots[cpu];

	if (!cpu_online(cpu) || cpu == smp_processor_id())
		return -ENXIO;
	if (!claim(&slot->busy))
		return -EBUSY;
	slot->arg = arg;
	__atomic_store_n(&slot->fn, fn, __ATOMIC_RELEASE);
	arch_wake_idle(cpu);
	return 0;
}

void smp_work_wait(int cpu)
{
	while (__atomic_load_n(&work_slots[cpu].busy, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static void set_idle(bool idle)
{
	u64 bit = 1ULL << smp_processor_id();

	if (!(READ_ONCE(idle_mask) & bit) == !idle)
		return;
	if (idle)
		or64_release(&idle_mask, bit);
	else
		andnot64(&idle_mask, bit);
}

void smp_set_idle_task(bool (*task)(void))
{
	__atomic_store_n(&idle_task, task, __ATOMIC_RELEASE);
}

bool smp_idle_step(void)
{
	bool (*task)(void) = __atomic_load_n(&idle_task, __ATOMIC_ACQUIRE);

	return task && task();
}

void smp_wake_idle(u64 cpus)
{
	u64 idle = __atomic_load_n(&idle_mask, __ATOMIC_SEQ_CST) & cpus;

	if (idle)
		arch_wake_idle(__builtin_ctzll(idle));
}

bool smp_idle_work(void)
{
	struct work_slot *slot = &work_slots[smp_processor_id()];
	smp_fn_t fn = __atomic_load_n(&slot->fn, __ATOMIC_ACQUIRE);

	if (!fn) {
		/* Before the task looks: what comes later wakes this CPU. */
		set_idle(true);
		return smp_idle_step();
	}
	set_idle(false);
	fn(slot->arg);
	__atomic_store_n(&slot->fn, (smp_fn_t)NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->busy, 0, __ATOMIC_RELEASE);
	return true;
}
