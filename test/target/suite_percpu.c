// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU memory in the image: where each CPU's copy is, operations on it against interrupts, and chunks on all CPUs at
 * once.
 *
 * Interrupts are of two kinds, this CPU's timer and cross calls of the others; both handlers change the variables that
 * the thread changes without a pause. What each did is counted apart, so the sums are exact.
 */
#include <mm/percpu.h>
#include <mm/percpu_counter.h>
#include <mm/port.h>
#include <mm/vmalloc.h>

#include <asm/exception.h>
#include <asm/timer.h>

#include "target.h"

#define UNITS	 6
#define TIMER_NS 20000ULL
#define LOAD_NS	 300000000ULL
#define LIMIT_NS 10000000000ULL
#define HANDLERS 10
#define SLOTS	 64
#define ROUNDS	 3000

static u8 *units[UNITS];

/* More than the first chunk has. */
static bool take_units(void)
{
	for (int i = 0; i < UNITS; i++) {
		units[i] = __alloc_percpu(PERCPU_ALLOC_MAX, PAGE_SIZE);
		if (!ktap_ok(units[i] != NULL))
			return false;
	}
	return true;
}

static void free_units(void)
{
	for (int i = 0; i < UNITS; i++)
		free_percpu(units[i]);
}

/* --- where copies are --- */

static void see_own(void *arg)
{
	u64 *const *ptr = arg;
	u64 *own = this_cpu_ptr(*ptr);

	ktap_ok(own == per_cpu_ptr(*ptr, smp_processor_id()));
	ktap_ok(*own == (u64)smp_processor_id() + 1);
	this_cpu_add(**ptr, 100);
}

static void check_copies(u64 *ptr)
{
	int cpu, other;

	for_each_online_cpu(cpu) {
		ktap_ok(*per_cpu_ptr(ptr, cpu) == 0);
		for_each_online_cpu(other)
			ktap_ok(cpu == other || per_cpu_ptr(ptr, cpu) != per_cpu_ptr(ptr, other));
		*per_cpu_ptr(ptr, cpu) = (u64)cpu + 1;
	}
	on_all_cpus(see_own, &ptr);
	for_each_online_cpu(cpu)
		ktap_ok(*per_cpu_ptr(ptr, cpu) == (u64)cpu + 101 &&
			((struct mm_cpu *)percpu_base(cpu))->cpu == (u32)cpu);
}

/* Pages of each CPU's unit lie on its node, or the one nearest to it that has any. */
static void check_nodes(u8 *ptr)
{
	int cpu;

	for_each_online_cpu(cpu) {
		int nid = node_for_alloc[((struct mm_cpu *)percpu_base(cpu))->nid];

		for (size_t at = 0; at < PERCPU_ALLOC_MAX; at += PAGE_SIZE) {
			const struct page *page = vmalloc_to_page(per_cpu_ptr(ptr, cpu) + at);

			if (ktap_ok(page != NULL))
				ktap_ok(page_to_nid(page) == nid);
		}
	}
}

static void case_copies(void)
{
	u64 *first = alloc_percpu(u64);

	if (!ktap_ok(first != NULL) || !take_units())
		return;
	check_copies(first);
	ktap_ok(is_vmalloc_addr(per_cpu_ptr(units[UNITS - 1], 0)));
	check_copies((u64 *)(void *)units[UNITS - 1]);
	check_nodes(units[UNITS - 1]);
	ktap_ok(percpu_check());
	free_percpu(first);
	free_units();
	ktap_ok(__alloc_percpu_gfp(1UL << 30, 8, GFP_KERNEL | __GFP_NOWARN) == NULL);
	ktap_ok(__alloc_percpu_gfp(8, 24, GFP_KERNEL | __GFP_NOWARN) == NULL);
}

struct probe {
	const void *addr;
	bool readable;
};

static void probe(void *arg)
{
	struct probe *p = arg;
	u64 value;

	p->readable |= arch_probe_read(p->addr, &value);
}

/* A chunk that is gone is gone for all CPUs, and its memory is free. */
static void case_gone(void)
{
	unsigned long before;
	struct probe p;
	int cpu;

	/* Tables of upper levels stay, once they are there. */
	if (!take_units())
		return;
	free_units();
	before = quiet_free_pages();
	ktap_ok(percpu_chunk_pages() == 0);
	if (!take_units())
		return;
	p.addr = per_cpu_ptr(units[UNITS - 1], 0);
	p.readable = false;
	on_all_cpus(probe, &p);
	ktap_ok(p.readable);
	free_units();
	ktap_ok(quiet_free_pages() == before);
	p.readable = false;
	for_each_online_cpu(cpu)
		ktap_ok(smp_call_function_single(cpu, probe, &p) == 0);
	ktap_ok(!p.readable);
	ktap_ok(vmalloc_check());
}

/* --- operations against interrupts --- */

/* One CPU's, in a further chunk: what thread and handlers change, and what each did, plain. */
struct ops {
	u8 by_add8;
	u16 by_add16;
	u32 by_add32;
	u64 by_add64, by_return, by_cas, taken, bits;
	u64 by_dec;
	u64 thread, handler; /* runs of either; the handler's, interrupts masked */
	u64 took, wrong;
};

static struct ops *ops;
static u64 load_end_ns;

static void add_all(u64 n)
{
	this_cpu_add(ops->by_add8, n);
	this_cpu_add(ops->by_add16, n);
	this_cpu_add(ops->by_add32, n);
	this_cpu_add(ops->by_add64, n);
	this_cpu_add_return(ops->by_return, n);
	this_cpu_add(ops->taken, n);
	this_cpu_dec(ops->by_dec);
}

static void handle(void)
{
	u64 was = this_cpu_read(ops->by_cas);

	add_all(3);
	/* Masked, so nobody is in between. */
	this_cpu_ptr(ops)->wrong += this_cpu_cmpxchg(ops->by_cas, was, was + 1) != was;
	this_cpu_or(ops->bits, 2);
	this_cpu_and(ops->bits, ~4UL);
	this_cpu_ptr(ops)->handler++;
}

static void call(void *unused)
{
	(void)unused;
	handle();
}

static void step(struct ops *own)
{
	u64 was = this_cpu_read(ops->by_cas);

	add_all(1);
	while (!this_cpu_try_cmpxchg(ops->by_cas, &was, was + 1))
		;
	own->took += this_cpu_xchg(ops->taken, 0);
	this_cpu_or(ops->bits, 1);
	own->wrong += !(this_cpu_read(ops->bits) & 1);
	this_cpu_and(ops->bits, ~1UL);
	own->wrong += this_cpu_read(ops->bits) & 1;
	own->thread++;
}

/* Until the end, and then until handlers have run: on a busy host a CPU may hardly have. */
static bool go_on(const struct ops *own)
{
	u64 now = arch_clock_ns();

	return now < load_end_ns || (READ_ONCE(own->handler) <= HANDLERS && now < load_end_ns + LIMIT_NS);
}

static void operate(void *arg)
{
	struct ops *own = this_cpu_ptr(ops);
	int other = smp_processor_id();

	(void)arg;
	timer_start_periodic(TIMER_NS, handle);
	while (go_on(own)) {
		for (int i = 0; i < 100; i++)
			step(own);
		other = (other + 1) % nr_cpu_ids;
		smp_call_function_single(other, call, NULL);
	}
	timer_stop();
}

static void check_ops(const struct ops *own)
{
	u64 sum = own->thread + 3 * own->handler;

	ktap_ok(own->thread >= 100);
	ktap_ok(own->handler > HANDLERS);
	ktap_ok(own->wrong == 0);
	ktap_ok(own->by_add8 == (u8)sum);
	ktap_ok(own->by_add16 == (u16)sum);
	ktap_ok(own->by_add32 == (u32)sum);
	ktap_ok(own->by_add64 == sum);
	ktap_ok(own->by_return == sum);
	ktap_ok(own->by_cas == own->thread + own->handler);
	ktap_ok(own->by_dec + own->thread + own->handler == 0);
	ktap_ok(own->took + own->taken == sum);
	ktap_ok(own->bits == 2);
}

static void case_operations(void)
{
	int cpu;

	if (!take_units())
		return;
	ops = alloc_percpu(struct ops);
	if (!ktap_ok(ops != NULL))
		return;
	load_end_ns = arch_clock_ns() + LOAD_NS;
	on_all_cpus(operate, NULL);
	for_each_online_cpu(cpu)
		check_ops(per_cpu_ptr(ops, cpu));
	free_percpu(ops);
	free_units();
}

/* --- counters --- */

static struct percpu_counter counter;
static DEFINE_PER_CPU(u64, counted_in_handlers);

static void count_in_handler(void)
{
	percpu_counter_add(&counter, -7);
	raw_cpu_inc(counted_in_handlers);
}

static void count_in_call(void *unused)
{
	(void)unused;
	count_in_handler();
}

static void count(void *arg)
{
	u64 *threads = arg;

	timer_start_periodic(TIMER_NS, count_in_handler);
	for (u64 n = 0; n < ROUNDS || arch_clock_ns() < load_end_ns; n++) {
		percpu_counter_inc(&counter);
		percpu_counter_add_batch(&counter, 30, 1 + (s32)(n % 50));
		fetch_add64(threads, 31);
		if (n % 1024 == 0)
			smp_call_function_single((int)(n / 1024 % (u64)nr_cpu_ids), count_in_call, NULL);
	}
	timer_stop();
}

static void case_counter(void)
{
	u64 threads = 0, handlers = 0;
	int cpu;

	if (!ktap_ok(percpu_counter_init(&counter, 5, GFP_KERNEL) == 0))
		return;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		per_cpu(counted_in_handlers, cpu) = 0;
	load_end_ns = arch_clock_ns() + LOAD_NS;
	on_all_cpus(count, &threads);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		handlers += per_cpu(counted_in_handlers, cpu);
	ktap_ok(handlers > 0);
	ktap_ok(percpu_counter_sum(&counter) == 5 + (s64)threads - 7 * (s64)handlers);
	ktap_ok(percpu_counter_compare(&counter, 5 + (s64)threads - 7 * (s64)handlers) == 0);
	percpu_counter_destroy(&counter);
}

/* --- allocation on all CPUs and in handlers --- */

static DEFINE_PER_CPU(u64 *, in_handler);

static bool all_are(u64 *ptr, u64 value)
{
	bool ok = true;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		ok &= *per_cpu_ptr(ptr, cpu) == value;
	return ok;
}

static void set_all(u64 *ptr, u64 value)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		*per_cpu_ptr(ptr, cpu) = value;
}

static void swap_in_handler(void)
{
	u64 **mine = this_cpu_ptr(&in_handler);

	if (*mine)
		ktap_ok(all_are(*mine, (uintptr_t)*mine));
	free_percpu(*mine);
	*mine = alloc_percpu_gfp(u64, GFP_ATOMIC | __GFP_NOWARN);
	if (*mine) {
		ktap_ok(all_are(*mine, 0));
		set_all(*mine, (uintptr_t)*mine);
	}
}

static void load(void *arg)
{
	u64 random = 88172645463325252ULL + (u64)smp_processor_id(), *slot[SLOTS] = { NULL };

	(void)arg;
	timer_start_periodic(10 * TIMER_NS, swap_in_handler);
	for (int i = 0; i < ROUNDS; i++) {
		u64 **ptr = &slot[next_random(&random) % SLOTS];

		if (*ptr) {
			ktap_ok(all_are(*ptr, (uintptr_t)ptr));
			free_percpu(*ptr);
			*ptr = NULL;
			continue;
		}
		*ptr = __alloc_percpu(8 + next_random(&random) % (i % 16 ? 64 : 20000), 8);
		if (ktap_ok(*ptr != NULL)) {
			ktap_ok(all_are(*ptr, 0));
			set_all(*ptr, (uintptr_t)ptr);
		}
	}
	timer_stop();
	for (int i = 0; i < SLOTS; i++)
		free_percpu(slot[i]);
	free_percpu(this_cpu_xchg(in_handler, NULL));
}

static void case_all_cpus(void)
{
	size_t total, used = percpu_usage(&total);
	unsigned long before = quiet_free_pages();

	on_all_cpus(load, NULL);
	ktap_ok(percpu_check());
	ktap_ok(percpu_usage(&total) == used);
	ktap_ok(quiet_free_pages() == before);
	ktap_ok(percpu_chunk_pages() == 0);
}

static const struct ktap_case cases[] = {
	{ "copies are distinct, local, and on their CPU's node", case_copies },
	{ "a chunk that is gone is gone on all CPUs", case_gone },
	{ "this_cpu operations against timer and cross calls, on all CPUs", case_operations },
	{ "percpu_counter on all CPUs and in handlers", case_counter },
	{ "all CPUs and handlers allocate and free", case_all_cpus },
};
KTAP_SUITE(percpu, cases, memory_check);
