// SPDX-License-Identifier: BSD-2-Clause
/* `test` and `stress` at the prompt. */
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

static int cmd_stress(int argc, char **argv)
{
	struct load_result r;
	unsigned long seconds;
	char *end;
	bool ok, checked;
	u64 seed = get_cycles() | 1;

	seconds = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
	if (argc != 2 || *end || !seconds || seconds > MAX_STRESS_SECONDS) {
		con_printf("usage: stress SECONDS, 1 to %d\n", MAX_STRESS_SECONDS);
		return -EINVAL;
	}
	con_printf("stress: %d CPUs for %lu s, seed 0x%llx\n", num_online_cpus(), seconds, seed);
	ok = load_run(seconds * 1000000000ULL, seed, &r);
	con_printf("stress: %llu operations, %llu of them frees on another CPU, %llu interrupts, %llu without memory, "
		   "%llu corruptions\n",
		   r.operations, r.foreign_frees, r.interrupts, r.no_memory, r.corruptions);
	checked = memory_check();
	con_printf("stress: every page and object is %saccounted for\n", checked ? "" : "NOT ");
	return ok && checked ? 0 : -EIO;
}
MONITOR_CMD(stress, "SECONDS", "allocate and free on all CPUs and in interrupt handlers", cmd_stress);
