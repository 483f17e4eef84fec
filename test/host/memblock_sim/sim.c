// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's simulator: what memblock asks of the rest of the core, in a few lines of libc.
 *
 * 1. The simulator is mm/memblock*.c compiled with include/asm here in front of the host port's, and this file: a
 *    library (build/host/.../libmemblock.a) that any program may link, with libc's headers next to ours. Physical
 *    address = pointer.
 * 2. There is no page allocator: memblock_free_all() and memblock_discard() are not part of it.
 * 3. What memblock says is kept, for tests to look at, and shown when MEMSTAGE_LOG is set. A panic ends the program
 *    with status 1 behind its line, as in the core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/printk.h>

#include "../host.h"

static char log_text[1UL << 20];
static size_t log_len;

void vprintk(const char *fmt, va_list args)
{
	char *line = log_text + log_len;
	size_t room = sizeof(log_text) - log_len;
	int len = vsnprintf(line, room, fmt, args);

	if (getenv("MEMSTAGE_LOG"))
		fputs(line, stdout);
	log_len += min((size_t)len, room - 1);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

void panic(const char *fmt, ...)
{
	va_list args;

	printf("panic: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_Exit(1);
}

const char *host_log(void)
{
	return log_text;
}

void host_log_clear(void)
{
	log_len = 0;
	log_text[0] = '\0';
}
