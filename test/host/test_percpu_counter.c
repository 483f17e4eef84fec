// SPDX-License-Identifier: BSD-2-Clause
/* percpu_counter: against one number, with all batches, and from eight CPUs and handlers at once. */
#include <errno.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/percpu_counter.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define CPUS 8

static struct percpu_counter counter;

static s64 signed_below(s64 n)
{
	return (s64)tap_below(2 * (u64)n) - n;
}

static void check_parts(s32 batch)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		s32 part = *per_cpu_ptr(counter.counters, cpu);

		CHECK(part > -batch && part < batch);
	}
}

static void change(s64 *model)
{
	s64 amount = signed_below(tap_below(4) ? 20 : 1LL << (1 + tap_below(40)));

	switch (tap_below(8)) {
	case 0:
		percpu_counter_inc(&counter);
		++*model;
		break;
	case 1:
		percpu_counter_dec(&counter);
		--*model;
		break;
	case 2:
		percpu_counter_sub(&counter, amount);
		*model -= amount;
		break;
	case 3:
		percpu_counter_add_batch(&counter, amount, 1 + (s32)tap_below(32));
		*model += amount;
		break;
	default:
		percpu_counter_add(&counter, amount);
		*model += amount;
	}
}

static void check_value(s64 model)
{
	s64 margin = (s64)percpu_counter_batch * nr_cpu_ids, off = percpu_counter_read(&counter) - model;

	CHECK_EQ(percpu_counter_sum(&counter), model);
	CHECK_EQ(percpu_counter_sum_positive(&counter), max(model, (s64)0));
	CHECK(off < margin && off > -margin);
	CHECK_EQ(percpu_counter_read_positive(&counter), max(percpu_counter_read(&counter), (s64)0));
	check_parts(percpu_counter_batch);
	for (s64 by = -2 * margin; by <= 2 * margin; by += margin / 2) {
		CHECK_EQ(percpu_counter_compare(&counter, model + by), (by < 0) - (by > 0));
		CHECK_EQ(percpu_counter_compare(&counter, model + by + 1), (by + 1 < 0) - (by + 1 > 0));
	}
}

static void test_model(void)
{
	s64 model = -1000;

	host_boot_simple(16 * MIB, 16);
	CHECK_EQ(percpu_counter_batch, 32);
	CHECK(!percpu_counter_initialized(&counter));
	CHECK_EQ(percpu_counter_init(&counter, model, GFP_KERNEL), 0);
	CHECK(percpu_counter_initialized(&counter));
	for (unsigned long n = tap_ops(20000); n; n--) {
		change(&model);
		if (n % 100 == 0)
			check_value(model);
		if (n % 500 == 0) {
			percpu_counter_sync(&counter);
			CHECK_EQ(percpu_counter_read(&counter), model);
		}
		if (n % 1000 == 0) {
			model = signed_below(1LL << 50);
			percpu_counter_set(&counter, model);
			CHECK_EQ(percpu_counter_read(&counter), model);
		}
	}
	/* Amounts and batches as large as they can be. */
	percpu_counter_set(&counter, 0);
	percpu_counter_add_batch(&counter, INT64_MAX, INT32_MAX);
	percpu_counter_add_batch(&counter, INT32_MAX - 1, INT32_MAX);
	percpu_counter_sub(&counter, INT32_MAX - 1);
	percpu_counter_add_batch(&counter, INT64_MIN, INT32_MAX);
	CHECK_EQ(percpu_counter_sum(&counter), -1);
	percpu_counter_destroy(&counter);
	CHECK(!percpu_counter_initialized(&counter));
	percpu_counter_destroy(&counter);
	host_check();
}

static void test_no_memory(void)
{
	host_boot_simple(16 * MIB, 2);
	while (__alloc_percpu_gfp(4096, 8, GFP_NOWAIT))
		;
	while (__alloc_percpu_gfp(8, 8, GFP_NOWAIT))
		;
	CHECK_EQ(percpu_counter_init(&counter, 0, GFP_NOWAIT), -ENOMEM);
	CHECK(!percpu_counter_initialized(&counter));
	percpu_counter_destroy(&counter);
	CHECK_EQ(percpu_counter_init(&counter, 5, GFP_KERNEL), 0);
	CHECK_EQ(percpu_counter_sum(&counter), 5);
	percpu_counter_destroy(&counter);
}

static void handler_counts(void *unused)
{
	(void)unused;
	percpu_counter_add(&counter, -3);
}

static void load(void *arg)
{
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		percpu_counter_inc(&counter);
		if (n % 32 == 0)
			percpu_counter_add_batch(&counter, 31, 20);
		if (n % 64 == 0)
			host_interrupt((int)tap_below(CPUS), handler_counts, NULL);
		if (n % 8192 == 0)
			CHECK(percpu_counter_compare(&counter, -1000000000) == 1);
	}
}

static void test_threads(void)
{
	unsigned long n = tap_ops(400000);

	host_boot_simple(64 * MIB, CPUS);
	CHECK_EQ(percpu_counter_init(&counter, 1000, GFP_KERNEL), 0);
	host_cpus_start();
	host_on_all_cpus(load, &n);
	CHECK_EQ(percpu_counter_sum(&counter), 1000 + CPUS * (s64)(n + n / 32 * 31 - n / 64 * 3));
	check_parts(percpu_counter_batch);
	percpu_counter_destroy(&counter);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("against one number", test_model),
	TAP_CASE("no room for the parts", test_no_memory),
	TAP_CASE("8 CPUs and interrupts", test_threads),
};
TAP_MAIN(cases)
