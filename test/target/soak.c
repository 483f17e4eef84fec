// SPDX-License-Identifier: BSD-2-Clause
/*
 * The soak: memory is driven to exhaustion and back, again and again, by every CPU in its thread and in its timer
 * interrupt.
 *
 * A round has four parts:
 *
 * 1. The mixed load (load.c), on memory that the round before has been through.
 * 2. Taking: each CPU's thread takes blocks of pages of random order and objects of random size until it gets NULL for
 *    a single page; its handler, GFP_ATOMIC, does the same, which goes further down. A CPU that has come to the end
 *    gives one back and takes again, so that all meet at the bottom, until every context of every CPU has been there.
 *    Then the boot CPU takes what is left. Now a page can be had by nobody, and every check function must find memory
 *    whole.
 * 3. Giving: each CPU frees what its neighbour took, in thread and handler, while its own handler goes on taking and
 *    giving.
 * 4. All caches are given back: as many pages are free as before the first round, and every page is accounted for.
 *
 * What is taken is a chain through the memory itself, so the test needs none. Each page and object is stamped at its
 * start with its address and its owner's number: whoever else has it, or part of it, overwrites that.
 */
#include "target.h"

#include <lib/spinlock.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include <asm/timer.h>

#define TIMER_NS    1000000ULL
#define LOAD_NS	    300000000ULL
#define BOTTOM_NS   30000000000ULL /* a round that has not come to the bottom then has failed */
#define HANDLER_OPS 8
#define MAX_OBJECT  3000U

/* What is at the start of everything taken; the other pages of a block have their stamp at the same place. */
struct taken {
	u64 stamp;
	struct taken *next;
	u32 order; /* of a block of pages */
	bool is_object;
};

/* One context of a CPU. */
struct taker {
	struct taken *chain;
	u64 random;
	u64 owner;
	gfp_t gfp;
	unsigned int largest; /* order that may still be had */
	bool at_bottom;
	u64 taken, nulls, corruptions;
};

struct cpu_soak {
	struct taker thread, handler;
	u64 interrupts;
};

static struct cpu_soak *soaks;
static u64 bottom_limit_ns;

static u64 stamp_of(const void *at, u64 owner)
{
	return (uintptr_t)at * 0x9e3779b97f4a7c15ULL + owner;
}

static u64 *page_stamp(struct taken *block, unsigned long page)
{
	return (u64 *)(void *)((char *)block + page * PAGE_SIZE);
}

static unsigned long nr_stamps(const struct taken *taken)
{
	return taken->is_object ? 1 : 1UL << taken->order;
}

static void add_taken(struct taker *taker, struct taken *taken, unsigned int order, bool is_object)
{
	taken->next = taker->chain;
	taken->order = order;
	taken->is_object = is_object;
	for (unsigned long i = 0; i < nr_stamps(taken); i++)
		*page_stamp(taken, i) = stamp_of(page_stamp(taken, i), taker->owner);
	taker->chain = taken;
	taker->taken++;
}

/* Take one more. Return: false when there is not a page. */
static bool take(struct taker *taker)
{
	u64 r = next_random(&taker->random);
	/* Half are single pages, and each order is half as frequent as the one below. */
	unsigned int order = (unsigned int)__builtin_ctzll((r >> 16) | 1ULL << taker->largest);
	bool is_object = r % 4 == 0;
	struct taken *taken;

	if (is_object)
		taken = kmalloc(sizeof(*taken) + (r >> 32) % MAX_OBJECT, taker->gfp);
	else
		taken = (struct taken *)__get_free_pages(taker->gfp, order);
	if (taken) {
		add_taken(taker, taken, order, is_object);
		return true;
	}
	taker->nulls++;
	if (!is_object && order) {
		taker->largest = order - 1;
		return true;
	}
	return is_object;
}

static void give(struct taker *from, struct taker *by)
{
	struct taken *taken = from->chain;

	from->chain = taken->next;
	for (unsigned long i = 0; i < nr_stamps(taken); i++)
		by->corruptions += *page_stamp(taken, i) != stamp_of(page_stamp(taken, i), from->owner);
	if (taken->is_object)
		kfree(taken);
	else
		free_pages((unsigned long)taken, taken->order);
}

/* One step down; who has been at the bottom gives one back first. */
static void step_down(struct taker *taker)
{
	if (taker->at_bottom && taker->chain)
		give(taker, taker);
	if (!take(taker))
		WRITE_ONCE(taker->at_bottom, true);
}

static bool all_at_bottom(void)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (!READ_ONCE(soaks[cpu].thread.at_bottom) || !READ_ONCE(soaks[cpu].handler.at_bottom))
			return false;
	return true;
}

static void take_interrupt(void)
{
	struct cpu_soak *soak = &soaks[smp_processor_id()];

	soak->interrupts++;
	for (int i = 0; i < HANDLER_OPS; i++)
		step_down(&soak->handler);
}

static void take_on_cpu(void *arg)
{
	struct cpu_soak *soak = &soaks[smp_processor_id()];
	bool interrupts = timer_start_periodic(TIMER_NS, take_interrupt) == 0;

	(void)arg;
	if (!interrupts)
		WRITE_ONCE(soak->handler.at_bottom, true);
	while (!all_at_bottom() && arch_clock_ns() < bottom_limit_ns)
		step_down(&soak->thread);
	if (interrupts)
		timer_stop();
}

/* The handler while others give: it takes, and gives what it took. */
static void give_interrupt(void)
{
	struct cpu_soak *soak = &soaks[smp_processor_id()];

	soak->interrupts++;
	for (int i = 0; i < HANDLER_OPS; i++)
		if (take(&soak->handler) && soak->handler.chain)
			give(&soak->handler, &soak->handler);
}

/* The next CPU on line after this one, round and round. */
static int neighbour(void)
{
	int cpu = smp_processor_id();

	do
		cpu = (cpu + 1) % nr_cpu_ids;
	while (!cpu_online(cpu));
	return cpu;
}

/* Chains are handed over before: nobody else has them. */
static void give_on_cpu(void *arg)
{
	struct taker *chains = &((struct taker *)arg)[2 * neighbour()];
	struct taker *by = &soaks[smp_processor_id()].thread;
	bool interrupts = timer_start_periodic(TIMER_NS, give_interrupt) == 0;

	while (chains[0].chain)
		give(&chains[0], by);
	while (chains[1].chain)
		give(&chains[1], by);
	if (interrupts)
		timer_stop();
	while (soaks[smp_processor_id()].handler.chain)
		give(&soaks[smp_processor_id()].handler, by);
}

static void start_taker(struct taker *taker, gfp_t gfp, u64 seed, u64 owner)
{
	*taker = (struct taker){
		.random = seed | 1,
		.owner = owner,
		.gfp = gfp | __GFP_NOWARN,
		.largest = MAX_PAGE_ORDER,
	};
}

/* Give every context a new start, an owner's number nobody has had, and an empty chain. */
static void start_round(u64 seed, u64 round)
{
	int cpu;

	for_each_online_cpu(cpu) {
		u64 number = (round * CONFIG_NR_CPUS + (u64)cpu) * 2;

		start_taker(&soaks[cpu].thread, GFP_KERNEL, seed + number * 0x9e3779b97f4a7c15ULL, number);
		start_taker(&soaks[cpu].handler, GFP_ATOMIC, ~seed + number * 0x9e3779b97f4a7c15ULL, number + 1);
	}
}

static void sum_up(struct soak_result *result)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct cpu_soak *soak = &soaks[cpu];

		result->taken += soak->thread.taken;
		result->taken_in_handlers += soak->handler.taken;
		result->nulls += soak->thread.nulls;
		result->nulls_in_handlers += soak->handler.nulls;
		result->corruptions += soak->thread.corruptions + soak->handler.corruptions;
		result->interrupts += soak->interrupts;
		soak->interrupts = 0;
	}
}

/* What the boot CPU still gets, when all caches have been given back. Then there is not a page for anybody. */
static bool take_the_rest(struct taker *taker)
{
	bool ok;

	quiet_free_pages();
	taker->largest = MAX_PAGE_ORDER;
	while (take(taker)) {
	}
	ok = ktap_ok(alloc_page(GFP_KERNEL | __GFP_NOWARN) == NULL);
	return ktap_ok(memory_check()) && ok;
}

/* @chains: of each CPU, thread and handler. */
static void hand_over_chains(struct taker *chains)
{
	int cpu;

	for_each_online_cpu(cpu) {
		chains[2 * cpu] = soaks[cpu].thread;
		chains[2 * cpu + 1] = soaks[cpu].handler;
		soaks[cpu].thread.chain = soaks[cpu].handler.chain = NULL;
		soaks[cpu].handler.largest = 2;
	}
}

static bool soak_round(u64 seed, u64 round, struct taker *chains, struct soak_result *result)
{
	struct load_result load;
	bool ok = load_run(LOAD_NS, seed + round, &load);

	result->load_operations += load.operations;
	result->caches += load.caches;
	start_round(seed, round);
	bottom_limit_ns = arch_clock_ns() + BOTTOM_NS;
	ok = on_all_cpus(take_on_cpu, NULL) && ok;
	ok = ktap_ok(all_at_bottom()) && ok;
	ok = take_the_rest(&soaks[smp_processor_id()].thread) && ok;
	hand_over_chains(chains);
	ok = on_all_cpus(give_on_cpu, chains) && ok;
	sum_up(result);
	ok = ktap_ok(result->corruptions == 0) && ok;
	return ktap_ok(memory_check()) && ok;
}

bool soak_run(u64 ns, u64 seed, struct soak_result *result)
{
	u64 end = arch_clock_ns() + ns;
	struct taker *chains;
	bool ok = true;

	*result = (struct soak_result){ 0 };
	soaks = kcalloc((size_t)nr_cpu_ids, sizeof(*soaks), GFP_KERNEL);
	chains = kcalloc(2 * (size_t)nr_cpu_ids, sizeof(*chains), GFP_KERNEL);
	result->free_before = quiet_free_pages();
	for (; ok && soaks && chains && (!result->rounds || arch_clock_ns() < end); result->rounds++) {
		ok = soak_round(seed, result->rounds, chains, result);
		result->free_after = quiet_free_pages();
		ok = ktap_ok(result->free_after == result->free_before) && ok;
	}
	ok = ktap_ok(soaks && chains && result->taken) && ok;
	kfree(chains);
	kfree(soaks);
	return ok;
}
