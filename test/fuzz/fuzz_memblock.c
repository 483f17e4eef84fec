// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fuzz memblock: the input decides which operations are done; a plainly right model says what must come of them.
 *
 * 1. The model and the operations are those of test/host/memblock_model.c. They draw each decision with tap_random();
 *    here that is the next two bytes of the input, 0 when there are none left.
 * 2. A difference ends the process (tap_fail()), so that the fuzzer keeps the input. So does a panic: no operation of
 *    the model's has a reason for one.
 * 3. The first byte chooses the start: an empty machine, or one in so many pieces that both arrays have grown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../host/host.h"
#include "../host/memblock_model.h"
#include "../host/tap.h"
#include "reset.h"

struct input {
	const u8 *pos, *end;
};

static struct input input;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 next_byte(void)
{
	return input.pos < input.end ? *input.pos++ : 0;
}

u64 tap_random(void)
{
	u64 low = next_byte();

	return low | (u64)next_byte() << 8;
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("%s\n%s:%d: ", host_log(), file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

static void run(const void *unused)
{
	bool in_pieces = next_byte() & 1;

	(void)unused;
	memblock_model_start();
	if (in_pieces)
		memblock_model_fragment();
	while (input.pos < input.end)
		memblock_model_step();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_boot();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input = (struct input){ data, data + size };
	if (!machine_try(run, NULL))
		tap_fail(__FILE__, __LINE__, "the core ended the run");
	return 0;
}
