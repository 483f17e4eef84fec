// SPDX-License-Identifier: BSD-2-Clause
/* Per-CPU memory: a pair of allocation and free in the first chunk, and a counter. */
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/percpu_counter.h>

#include "bench.h"

static struct percpu_counter counter;
static DEFINE_PER_CPU(u64, variable);

BENCH_LOOP(percpu_8, { free_percpu(alloc_percpu(u64)); })
BENCH_LOOP(percpu_64, { free_percpu(__alloc_percpu(64, 64)); })
BENCH_LOOP(percpu_4096, { free_percpu(__alloc_percpu(4096, 8)); })
BENCH_LOOP(add_to_variable, { this_cpu_add(variable, 1); })
BENCH_LOOP(percpu_counter_add_1, { percpu_counter_add(&counter, 1); })

void bench_percpu(void)
{
	static const struct bench_loop loops[] = {
		{ "percpu_8", percpu_8, 50000 },
		{ "percpu_64", percpu_64, 50000 },
		{ "percpu_4096", percpu_4096, 10000 },
		{ "this_cpu_add", add_to_variable, 50000 },
		{ "percpu_counter_add", percpu_counter_add_1, 50000 },
	};

	if (percpu_counter_init(&counter, 0, GFP_KERNEL)) {
		bench_fail("percpu_counter_add", "no memory for the counter");
		return;
	}
	bench_run(loops, ARRAY_SIZE(loops));
	percpu_counter_destroy(&counter);
}
