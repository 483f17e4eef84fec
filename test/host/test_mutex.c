// SPDX-License-Identifier: BSD-2-Clause
/* Mutexes, and what slab_mutex is for: caches that come and go while others walk their list. */
#include <lib/mutex.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define CPUS 6

static DEFINE_MUTEX(test_mutex);
static unsigned long counter; /* test_mutex */
static u32 calls;	      /* atomic */
static u32 busy;	      /* atomic: CPUs that are at work */
static u32 ready;	      /* atomic: CPUs that have come to the start */

static void count_call(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

/* The holder calls all others, who wait for the mutex meanwhile. */
static void count_up(void *arg)
{
	/* All CPUs begin together. */
	host_meet(&ready, CPUS, 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		unsigned long was;

		mutex_lock(&test_mutex);
		was = counter;
		for (int i = 0; i < 100; i++)
			cpu_relax();
		counter = was + 1;
		if (n % 8 == 0)
			on_each_cpu(count_call, NULL);
		mutex_unlock(&test_mutex);
	}
}

static void test_excludes(void)
{
	unsigned long n = tap_ops(400);

	host_boot_simple(16 * MIB, CPUS);
	host_cpus_start();
	host_on_all_cpus(count_up, &n);
	CHECK_EQ(counter, n * CPUS);
	CHECK_EQ(calls, n / 8 * CPUS * CPUS);
	host_cpus_stop();
}

static void test_twice(void)
{
	host_boot_simple(16 * MIB, 1);
	mutex_lock(&test_mutex);
	mutex_lock(&test_mutex);
}

static void test_masked(void)
{
	host_boot_simple(16 * MIB, 1);
	local_irq_disable();
	mutex_lock(&test_mutex);
}

static void take_mutex(void *arg)
{
	(void)arg;
	mutex_lock(&test_mutex);
}

static void test_handler(void)
{
	host_boot_simple(16 * MIB, 1);
	host_interrupt(0, take_mutex, NULL);
}

static void test_not_held(void)
{
	host_boot_simple(16 * MIB, 1);
	mutex_unlock(&test_mutex);
}

/* A cache that lives for a moment, again and again. */
static void make_caches(void *arg)
{
	void *obj[20];

	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		struct kmem_cache *cache = kmem_cache_create("brief", 8 + tap_below(500), 0, 0, NULL);

		CHECK(cache);
		for (unsigned int i = 0; i < ARRAY_SIZE(obj); i++)
			CHECK((obj[i] = kmem_cache_alloc(cache, GFP_KERNEL)));
		for (unsigned int i = 0; i < ARRAY_SIZE(obj); i++)
			kmem_cache_free(cache, obj[i]);
		CHECK_EQ(kmem_cache_destroy(cache), 0);
	}
	__atomic_fetch_sub(&busy, 1, __ATOMIC_RELEASE);
}

/* What the tables at the prompt do. */
static void walk_caches(void)
{
	struct kmem_cache *cache;
	struct slab_sums sums;
	int nr = 0;

	mutex_lock(&slab_mutex);
	list_for_each_entry(cache, &slab_caches, list) {
		slab_sum(cache, &sums);
		nr++;
	}
	mutex_unlock(&slab_mutex);
	CHECK(nr > NR_KMALLOC_CACHES && nr <= NR_KMALLOC_CACHES + CPUS);
}

static void test_walks(void)
{
	unsigned long n = tap_ops(60);
	size_t total, used;

	host_boot_simple(32 * MIB, CPUS);
	host_cpus_start();
	used = percpu_usage(&total);
	busy = CPUS - 1;
	host_start_others(make_caches, &n);
	while (__atomic_load_n(&busy, __ATOMIC_ACQUIRE)) {
		kmem_cache_shrink_all();
		walk_caches();
	}
	host_wait_for_others();
	CHECK(percpu_check());
	CHECK_EQ(percpu_usage(&total), used);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("a mutex excludes, and its holder calls who waits for it", test_excludes),
	TAP_PANICS("a mutex taken twice", test_twice, "panic: mutex test_mutex: CPU 0 takes it twice"),
	TAP_PANICS("a mutex taken with interrupts masked", test_masked,
		   "panic: mutex test_mutex: CPU 0 takes it with interrupts masked or from a handler"),
	TAP_PANICS("a mutex taken in a handler", test_handler,
		   "panic: mutex test_mutex: CPU 0 takes it with interrupts masked or from a handler"),
	TAP_PANICS("a mutex let go by who does not hold it", test_not_held,
		   "panic: mutex test_mutex: CPU 0 lets go of it and does not hold it"),
	TAP_CASE("caches come and go while their list is walked", test_walks),
};
TAP_MAIN(cases)
