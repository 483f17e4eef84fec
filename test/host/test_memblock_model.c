// SPDX-License-Identifier: BSD-2-Clause
/* memblock against a plainly right model (memblock_model.h), on random operations. */
#include "host.h"
#include "memblock_model.h"
#include "tap.h"

static void run_ops(unsigned long nr)
{
	while (nr--)
		memblock_model_step();
}

static void test_random(void)
{
	host_boot_cpu(1);
	memblock_model_start();
	run_ops(tap_ops(6000));
}

/* A machine that is all memory from the start, cut into ever smaller pieces: the arrays grow early and often. */
static void test_random_fragmented(void)
{
	host_boot_cpu(1);
	memblock_model_start();
	memblock_model_fragment();
	run_ops(tap_ops(3000));
}

static const struct tap_case cases[] = {
	TAP_CASE("random operations from nothing", test_random),
	TAP_CASE("random operations on a machine in pieces", test_random_fragmented),
};
TAP_MAIN(cases)
