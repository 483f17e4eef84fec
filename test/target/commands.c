// SPDX-License-Identifier: BSD-2-Clause
/* `test`, `stress` and `soak` at the prompt. */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/port.h>
#include <stdlib.h>

#include "target.h"

#define MAX_STRESS_SECONDS 86400

static int cmd_test(int argc, char **argv)
{
	if (argc > 2) {
		con_printf("usage: test [SUITE]\n");
		return -EINVAL;
	}
	return ktap_run(argc == 2 ? argv[1] : NULL);
}
MONITOR_CMD(test, "[SUITE]", "run the suites, KTAP on the console", cmd_test);

/* The only argument, seconds; 0 after saying that it is none. */
static unsigned long seconds_of(int argc, char **argv)
{
	char *end = NULL;
	unsigned long seconds = argc == 2 ? strtoul(argv[1], &end, 10) : 0;

	if (argc == 2 && !*end && seconds && seconds <= MAX_STRESS_SECONDS)
		return seconds;
	con_printf("usage: %s SECONDS, 1 to %d\n", argv[0], MAX_STRESS_SECONDS);
	return 0;
}

static int cmd_stress(int argc, char **argv)
{
	unsigned long seconds = seconds_of(argc, argv);
	struct load_result r;
	bool ok, checked;
	u64 seed = get_cycles() | 1;

	if (!seconds)
		return -EINVAL;
	con_printf("stress: %d CPUs for %lu s, seed 0x%llx\n", num_online_cpus(), seconds, seed);
	ok = load_run(seconds * 1000000000ULL, seed, &r);
	con_printf("stress: %llu operations, %llu of them frees on another CPU, %llu interrupts, %llu without memory, "
		   "%llu corruptions, %llu caches made and ended\n",
		   r.operations, r.foreign_frees, r.interrupts, r.no_memory, r.corruptions, r.caches);
	checked = memory_check();
	con_printf("stress: every page and object is %saccounted for\n", checked ? "" : "NOT ");
	return ok && checked ? 0 : -EIO;
}
MONITOR_CMD(stress, "SECONDS", "allocate and free on all CPUs and in interrupt handlers", cmd_stress);

static int cmd_soak(int argc, char **argv)
{
	unsigned long seconds = seconds_of(argc, argv);
	struct soak_result r;
	u64 seed = get_cycles() | 1;
	bool ok;

	if (!seconds)
		return -EINVAL;
	con_printf("soak: %d CPUs for %lu s, seed 0x%llx\n", num_online_cpus(), seconds, seed);
	ok = soak_run(seconds * 1000000000ULL, seed, &r);
	con_printf(
		"soak: %llu rounds, %llu taken by threads and %llu by handlers in %llu interrupts, without memory %llu and "
		"%llu times, %llu operations of load, %llu caches made and ended, %llu corruptions\n",
		r.rounds, r.taken, r.taken_in_handlers, r.interrupts, r.nulls, r.nulls_in_handlers, r.load_operations,
		r.caches, r.corruptions);
	con_printf("soak: %lu pages free before, %lu after: %s\n", r.free_before, r.free_after,
		   ok ? "whole" : "NOT whole");
	return ok ? 0 : -EIO;
}
MONITOR_CMD(soak, "SECONDS", "drive memory to exhaustion and back on all CPUs and in interrupt handlers", cmd_soak);
