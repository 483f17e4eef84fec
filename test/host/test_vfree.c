// SPDX-License-Identifier: BSD-2-Clause
/*
 * Areas that are freed twice, at the same moment by two CPUs, while blocks and tables come and go.
 *
 *	CPU	makes					and ends, twice at once
 *	0, 1	areas of vmalloc(), small and large	vfree()
 *	2, 3	mappings of vm_map_ram(), 1 page	vm_unmap_ram(, 1)
 *	4, 5	mappings of vm_map_ram(), 513 pages	vm_unmap_ram(, 513)
 *	6	mappings of vmap(), many of them alone in a block
 *	7	nothing, and frees what is no area's beginning, where CPU 6 maps and unmaps; handlers on all CPUs do
 *		that, too
 *
 * Who comes late must never meet an area of somebody else's that he may end. So no two of them share a kind of area and
 * a number of pages; and an area begins at an even page of its 2 MiB, whosever it is, so what begins at an odd one is
 * nobody's. Then the number of refusals is known: one for each area that two ended, and all of the last row.
 */
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/vmalloc.h>

#include "../../mm/vmap.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB	    (1ULL << 20)
#define CPUS	    8
#define PAIRS	    3
#define BATCH_MAX   64
#define LARGE_PAGES 513
#define PLACES	    64
#define HELD	    12

static struct page *given[LARGE_PAGES]; /* what is mapped; pages of RAM */

/* --- pairs --- */

/**
 * struct pair - two CPUs that end the same areas
 * @batch, @rounds: how many areas at a time, and how often
 * @count: pages of a mapping of vm_map_ram(); 0: areas of vmalloc()
 * @mem: the first CPU's between two meetings, read by both after the first of them
 * @met: how often a CPU has come to a meeting; atomic
 */
static struct pair {
	unsigned int batch;
	unsigned long rounds;
	unsigned int count;
	void *mem[BATCH_MAX];
	u32 met;
} pairs[PAIRS];

static u32 pairs_left;	/* CPUs of them; atomic */
static u32 wrong_frees; /* of odd pages; atomic */

static void *make_area(const struct pair *pair)
{
	if (pair->count)
		return vm_map_ram(given, pair->count, NUMA_NO_NODE);
	return vmalloc(tap_below(16) ? 1 + tap_below(4 * PAGE_SIZE) : 3 * MIB);
}

static void end_both(void *arg)
{
	struct pair *pair = arg;
	bool first = smp_processor_id() % 2 == 0;
	u32 meetings = 0;

	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = pair->rounds; n; n--) {
		for (unsigned int i = 0; first && i < pair->batch; i++) {
			pair->mem[i] = make_area(pair);
			CHECK(pair->mem[i]);
		}
		host_meet(&pair->met, 2, ++meetings);
		for (unsigned int i = 0; i < pair->batch; i++) {
			if (pair->count)
				vm_unmap_ram(pair->mem[i], pair->count);
			else
				vfree(pair->mem[i]);
		}
		host_meet(&pair->met, 2, ++meetings);
	}
	__atomic_fetch_sub(&pairs_left, 1, __ATOMIC_ACQ_REL);
}

/* --- blocks that come and go, and wrong frees in them --- */

static void *places[PLACES]; /* where CPU 6 has mapped something, of late; atomic */

static void free_odd_page(void *unused)
{
	char *place = __atomic_load_n(&places[tap_below(PLACES)], __ATOMIC_ACQUIRE);

	(void)unused;
	if (!place)
		return;
	fetch_add32(&wrong_frees, 1);
	vfree(place + (1 + 2 * tap_below(128)) * PAGE_SIZE);
}

static void wrong_free(void *unused)
{
	tap_random_stream(99);
	while (__atomic_load_n(&pairs_left, __ATOMIC_ACQUIRE))
		free_odd_page(unused);
}

/* Some at a time, so that their blocks are given back with them. */
static void map_and_unmap(void *unused)
{
	void *held[HELD] = { NULL };

	(void)unused;
	tap_random_stream(98);
	for (unsigned int n = 0; __atomic_load_n(&pairs_left, __ATOMIC_ACQUIRE); n++) {
		unsigned int at = n % HELD;

		vunmap(held[at]);
		held[at] = vmap(given, n % 7 ? (unsigned int)(4U << tap_below(6)) : LARGE_PAGES, VM_MAP, PAGE_KERNEL);
		CHECK(held[at]);
		__atomic_store_n(&places[n % PLACES], held[at], __ATOMIC_RELEASE);
		if (n % 4 == 0)
			host_interrupt((int)tap_below(CPUS), free_odd_page, NULL);
	}
	for (unsigned int at = 0; at < HELD; at++)
		vunmap(held[at]);
}

static void give_pages(void)
{
	for (unsigned int i = 0; i < LARGE_PAGES; i++) {
		given[i] = alloc_page(GFP_KERNEL);
		CHECK(given[i]);
	}
}

static void take_pages_back(void)
{
	for (unsigned int i = 0; i < LARGE_PAGES; i++) {
		CHECK_EQ(page_ref_count(given[i]), 1);
		__free_page(given[i]);
	}
}

static void run_all(void)
{
	for (int cpu = 1; cpu < 2 * PAIRS; cpu++)
		CHECK_EQ(smp_work_start(cpu, end_both, &pairs[cpu / 2]), 0);
	CHECK_EQ(smp_work_start(6, map_and_unmap, NULL), 0);
	CHECK_EQ(smp_work_start(7, wrong_free, NULL), 0);
	end_both(&pairs[0]);
	for (int cpu = 1; cpu < CPUS; cpu++)
		smp_work_wait(cpu);
}

static void test_at_once(void)
{
	unsigned long start, twice = 0;

	host_boot_simple(512 * MIB, CPUS);
	start = host_quiet_pages();
	pairs[0] = (struct pair){ .batch = BATCH_MAX, .rounds = tap_ops(50) };
	pairs[1] = (struct pair){ .batch = BATCH_MAX, .rounds = tap_ops(50), .count = 1 };
	pairs[2] = (struct pair){ .batch = 4, .rounds = tap_ops(40), .count = LARGE_PAGES };
	pairs_left = 2 * PAIRS;
	give_pages();
	host_cpus_start();
	run_all();
	for (int i = 0; i < PAIRS; i++)
		twice += pairs[i].rounds * pairs[i].batch;
	CHECK(wrong_frees);
	CHECK_EQ(vmalloc_bad_frees(), twice + wrong_frees);
	CHECK(vmalloc_check());
	CHECK_EQ(vmalloc_nr_pages(), 0);
	take_pages_back();
	CHECK_EQ(host_quiet_pages(), start);
	CHECK_EQ(vmap_retired_tables(), 0);
	host_check();
	host_cpus_stop();
}

/* Nothing else runs. Who is refused is faster, and meets the other in the midst of the next one. */
static void test_two_alone(void)
{
	unsigned long start;

	host_boot_simple(512 * MIB, 2);
	start = host_quiet_pages();
	pairs[0] = (struct pair){ .batch = BATCH_MAX, .rounds = tap_ops(300) };
	pairs_left = 2;
	host_cpus_start();
	CHECK_EQ(smp_work_start(1, end_both, &pairs[0]), 0);
	end_both(&pairs[0]);
	smp_work_wait(1);
	CHECK_EQ(vmalloc_bad_frees(), pairs[0].rounds * pairs[0].batch);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

/* --- what is retired --- */

/* A large area has two tables of its own. */
static void make_and_free(void)
{
	void *mem = vmalloc(3 * MIB);

	CHECK(mem);
	vfree(mem);
}

static void test_retired(void)
{
	unsigned long start, flags, waiting;
	void *mem;

	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	start = host_quiet_pages();
	CHECK_EQ(vmap_retired_tables(), 0);
	mem = vmalloc(3 * MIB);
	CHECK(mem);
	flags = local_irq_save();
	vfree(mem);
	local_irq_restore(flags);
	CHECK_EQ(vmap_retired_tables(), 2);
	vm_unmap_aliases();
	CHECK_EQ(vmap_retired_tables(), 0);
	CHECK_EQ(host_quiet_pages(), start);
	/* Who may make cross calls leaves few; who may not leaves them to the next who may. */
	for (int i = 0; i < 100; i++) {
		make_and_free();
		CHECK(vmap_retired_tables() < 16);
	}
	waiting = vmap_retired_tables();
	for (int i = 0; i < 20; i++) {
		flags = local_irq_save();
		make_and_free();
		local_irq_restore(flags);
	}
	CHECK_EQ(vmap_retired_tables(), waiting + 40);
	make_and_free();
	CHECK(vmap_retired_tables() < 16);
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static bool masked, reaped; /* atomic */

/* As one who looks for an area does, only longer. */
static void stay_masked(void *unused)
{
	u64 until = arch_clock_ns() + 100000000;
	unsigned long flags = local_irq_save();

	(void)unused;
	__atomic_store_n(&masked, true, __ATOMIC_RELEASE);
	while (arch_clock_ns() < until)
		CHECK(!__atomic_load_n(&reaped, __ATOMIC_ACQUIRE));
	local_irq_restore(flags);
}

static void test_waits(void)
{
	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	make_and_free();
	CHECK(vmap_retired_tables());
	CHECK_EQ(smp_work_start(1, stay_masked, NULL), 0);
	while (!__atomic_load_n(&masked, __ATOMIC_ACQUIRE))
		cpu_relax();
	vmap_reap();
	__atomic_store_n(&reaped, true, __ATOMIC_RELEASE);
	smp_work_wait(1);
	CHECK_EQ(vmap_retired_tables(), 0);
	host_cpus_stop();
}

static char *last_area;
static bool ready, retired_late; /* atomic */

/* After its own call, and before the last CPU's, this CPU retires tables. */
static void retire_late(void *unused)
{
	unsigned long flags = local_irq_save(), before = *this_cpu_ptr(&host_interrupts);

	(void)unused;
	__atomic_store_n(&ready, true, __ATOMIC_RELEASE);
	while (*this_cpu_ptr(&host_interrupts) == before) {
		local_irq_restore(flags);
		cpu_relax();
		flags = local_irq_save();
	}
	vfree(last_area);
	local_irq_restore(flags);
	__atomic_store_n(&retired_late, true, __ATOMIC_RELEASE);
}

static void hold_call(void *unused)
{
	unsigned long flags = local_irq_save();

	(void)unused;
	__atomic_store_n(&masked, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&retired_late, __ATOMIC_ACQUIRE))
		cpu_relax();
	local_irq_restore(flags);
}

/*
 * What is retired while CPUs are called waits for calls of its own.
 *
 *	CPU 0	vmap_reap(): [takes what waits | calls CPU 1, calls CPU 2 .................. frees]
 *	CPU 1	                                      taken, retires others
 *	CPU 2	                        masked ............................. taken
 */
static void test_late(void)
{
	host_boot_simple(64 * MIB, 3);
	host_cpus_start();
	last_area = vmalloc(3 * MIB);
	make_and_free();
	CHECK(last_area && vmap_retired_tables());
	CHECK_EQ(smp_work_start(1, retire_late, NULL), 0);
	CHECK_EQ(smp_work_start(2, hold_call, NULL), 0);
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE) || !__atomic_load_n(&masked, __ATOMIC_ACQUIRE))
		cpu_relax();
	vmap_reap();
	smp_work_wait(1);
	smp_work_wait(2);
	CHECK_EQ(vmap_retired_tables(), 2);
	vmap_reap();
	CHECK_EQ(vmap_retired_tables(), 0);
	CHECK(vmalloc_check());
	host_cpus_stop();
	host_check();
}

/* --- the walk of vfree() --- */

static bool walking, gone; /* atomic */

/* As soon as the other CPU is in the midst of its walk: all empty blocks, and what was retired, back. */
static void purge_under_walk(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&walking, __ATOMIC_ACQUIRE))
		cpu_relax();
	vm_unmap_aliases();
	__atomic_store_n(&gone, true, __ATOMIC_RELEASE);
}

/* A walk that has found a table takes long. Nobody frees the table meanwhile. */
static void walk_slowly(void)
{
	u64 until = arch_clock_ns() + 50000000;

	__atomic_store_n(&walking, true, __ATOMIC_RELEASE);
	while (arch_clock_ns() < until)
		CHECK(!__atomic_load_n(&gone, __ATOMIC_ACQUIRE));
}

static void walk_while_purged(void (*end)(const void *addr), const void *addr)
{
	u32 refused = vmalloc_bad_frees();

	walking = gone = false;
	CHECK_EQ(smp_work_start(1, purge_under_walk, NULL), 0);
	host_walk_watch(walk_slowly);
	end(addr);
	host_walk_watch(NULL);
	CHECK(__atomic_load_n(&walking, __ATOMIC_ACQUIRE));
	smp_work_wait(1);
	CHECK(gone);
	CHECK_EQ(vmalloc_bad_frees(), refused + 1);
}

static void unmap_ram_page(const void *addr)
{
	vm_unmap_ram(addr, 1);
}

/*
 * What was freed is freed again while another CPU gives back its block, and cannot: vfree() walks with interrupts
 * masked.
 *
 *	CPU 0	vfree(): [table found ......................... slot looked at] refused
 *	CPU 1	          vm_unmap_aliases(): cross calls wait ................ table and block are freed
 */
static void test_walk(void)
{
	static void (*const ends[])(const void *addr) = { vfree, vunmap, unmap_ram_page };

	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		void *mem = vmalloc(PAGE_SIZE);

		CHECK(mem);
		vfree(mem);
		walk_while_purged(ends[i], mem);
		CHECK(!arch_vmap_table((uintptr_t)mem));
	}
	CHECK(vmalloc_check());
	host_cpus_stop();
	host_check();
}

/* One after the other: each kind of area, small and large, the second time and with a wrong number of pages. */
static void test_in_turn(void)
{
	static const unsigned int counts[] = { 1, LARGE_PAGES };
	u32 refused = 0;

	host_boot_simple(64 * MIB, 1);
	give_pages();
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		void *mem = vmalloc(counts[i] * PAGE_SIZE), *map = vmap(given, counts[i], VM_MAP, PAGE_KERNEL);
		void *ram = vm_map_ram(given, counts[i], NUMA_NO_NODE);

		CHECK(mem && map && ram);
		vunmap(mem);
		vunmap(ram);
		vfree(map);
		vm_unmap_ram(map, counts[i]);
		vm_unmap_ram(ram, counts[i] + 1);
		vm_unmap_ram(ram, 0);
		CHECK_EQ(vmalloc_bad_frees(), refused += 6);
		vfree(mem);
		vunmap(map);
		vm_unmap_ram(ram, counts[i]);
		CHECK_EQ(vmalloc_bad_frees(), refused);
		vfree(mem);
		vunmap(map);
		vm_unmap_ram(ram, counts[i]);
		CHECK_EQ(vmalloc_bad_frees(), refused += 3);
	}
	take_pages_back();
	CHECK(vmalloc_check());
	CHECK_EQ(vmalloc_nr_pages(), 0);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("two CPUs end each area at once: one does", test_at_once),
	TAP_CASE("two CPUs alone", test_two_alone),
	TAP_CASE("the second time, one after the other", test_in_turn),
	TAP_CASE("tables that are taken out wait, not many and not for ever", test_retired),
	TAP_CASE("they wait for a CPU that has interrupts masked", test_waits),
	TAP_CASE("those that are retired meanwhile wait for the next call", test_late),
	TAP_CASE("vfree() has, as long as it walks", test_walk),
};
TAP_MAIN(cases)
