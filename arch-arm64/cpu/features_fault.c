/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feature_fault=CPU,FEATURE in the boot arguments: that CPU claims not to have that feature, by the name the log shows
 * it by, to see what becomes of a machine whose CPUs are not alike. No emulated one is. Part of a self-testing image
 * only.
 */
#include <stdlib.h>

#include <asm/cpufeature.h>
#include <lib/printk.h>
#include <mm/bootargs.h>

static long faulty_cpu = -1;
static u64 faulty_set;

void feature_fault_init(const char *args)
{
	char value[32], *end;

	if (!bootarg_value(args, "feature_fault", value, sizeof(value)))
		return;
	faulty_cpu = strtol(value, &end, 10);
	faulty_set = end != value && *end == ',' ? cpu_feature_by_name(end + 1) : 0;
	if (faulty_set)
		printk("feature_fault: CPU%ld is to have no %s\n", faulty_cpu, end + 1);
	else
		printk("bootargs: feature_fault=%s is not CPU,FEATURE: ignored\n", value);
}

u64 feature_fault_mask(int cpu)
{
	return cpu == faulty_cpu ? faulty_set : 0;
}
