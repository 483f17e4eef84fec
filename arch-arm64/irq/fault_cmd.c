/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `fault KIND CPU`: make an exception or a panic on purpose, on any CPU, or on all at once, to see it reported.
 *
 * 1. Each kind is a function that does not return: the report ends the run with status 1.
 * 2. Accesses that the page tables forbid are in fault_cmd_access.c. The instructions are assembly, so that the
 *    compiler, which may assume that what they do does not happen, keeps them.
 * 3. On another CPU than the caller's the fault is made by its idle loop, as work: on that CPU's own stack.
 * 4. stack-twice overflows the stack, and again while that is reported: the report's first byte goes to a console that
 *    puts its stack pointer into the guard.
 * 5. bti calls a place without a landing pad; pac returns by an address that was changed after it was signed. Where the
 *    CPU lacks the feature the first goes on to an undefined instruction, and the second to an address that is none.
 * 6. frames leaves a chain of frame records that goes round, over both stacks that a backtrace may follow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <asm/exception.h>
#include <asm/layout.h>
#include <asm/processor.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>

#include "fault_cmd.h"

/* Push without end. */
static void fault_stack(void)
{
	__asm__ volatile("1:	str xzr, [sp, #-64]!\n"
			 "	b	1b\n"
			 :
			 :
			 : "memory");
}

static bool overflow_armed;

static void overflow_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	(void)text;
	(void)len;
	if (!overflow_armed)
		return;
	overflow_armed = false;
	__asm__ volatile("mov	sp, %0\n"
			 "	str	xzr, [sp, #-16]!\n"
			 :
			 : "r"(STACK_BASE((u64)smp_processor_id()))
			 : "memory");
}

static void fault_stack_twice(void)
{
	static struct console con = { .name = "overflow", .write = overflow_write };

	console_register(&con);
	overflow_armed = true;
	fault_stack();
}

/*
 * Two records that point to each other, on this stack and on the emergency stack; both return to the start of the text.
 */
static void fault_frames(void)
{
	__asm__ volatile("stp	%0, %1, [sp, #-16]!\n"
			 "	mov	x29, sp\n"
			 "	stp	x29, %1, [%0]\n"
			 "	udf	#0\n"
			 :
			 : "r"(emergency_stack), "r"(_text)
			 : "memory");
}

static void fault_panic(void)
{
	panic("asked for");
}

static void fault_undef(void)
{
	__asm__ volatile("udf #0");
}

static void fault_brk(void)
{
	__asm__ volatile("brk #1");
}

/* Device memory takes aligned accesses only. The first device that was mapped is the console, or a controller. */
static void fault_unaligned(void)
{
	u32 value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(FIX_DEVICE_START + 1) : "memory");
}

static void fault_bti(void)
{
	__asm__ volatile("	adr	x16, 1f\n"
			 "	blr	x16\n"
			 "1:	nop\n"
			 "	udf	#0\n"
			 :
			 :
			 : "x16", "x30", "memory");
}

static void fault_pac(void)
{
	__asm__ volatile("	adr	x30, 1f\n"
			 "	paciasp\n"
			 "	eor	x30, x30, #(1 << 53)\n"
			 "	autiasp\n"
			 "	ret\n"
			 "1:\n"
			 :
			 :
			 : "x30", "memory");
}

static const struct fault_kind kinds[] = {
	{ .name = "stack", .make = fault_stack },   { .name = "stack-twice", .make = fault_stack_twice },
	{ .name = "frames", .make = fault_frames }, { .name = "undef", .make = fault_undef },
	{ .name = "brk", .make = fault_brk },	    { .name = "unaligned", .make = fault_unaligned },
	{ .name = "bti", .make = fault_bti },	    { .name = "pac", .make = fault_pac },
	{ .name = "panic", .make = fault_panic },   { .name = NULL },
};

static const struct fault_kind *find_kind(const char *name)
{
	for (const struct fault_kind *kind = kinds; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	for (const struct fault_kind *kind = fault_accesses; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

static void make_fault(void *arg)
{
	const struct fault_kind *kind = arg;

	if (kind->make)
		(kind->make)();
	else
		fault_access(kind, true);
}

/* One of many: a line of this CPU's would be within the report of another. */
static void make_fault_silently(void *arg)
{
	const struct fault_kind *kind = arg;

	if (kind->make)
		(kind->make)();
	else
		fault_access(kind, false);
}

static int usage(void)
{
	con_printf("usage: fault KIND CPU, with CPU a number or all, and KIND one of");
	for (const struct fault_kind *kind = kinds; kind->name; kind++)
		con_printf(" %s", kind->name);
	for (const struct fault_kind *kind = fault_accesses; kind->name; kind++)
		con_printf(" %s", kind->name);
	con_printf("\n");
	return -EINVAL;
}

/* Comes back only when nothing has happened. */
static void fault_everywhere(void *kind)
{
	int cpu;

	for_each_online_cpu(cpu)
		smp_work_start(cpu, make_fault_silently, kind);
	make_fault_silently(kind);
}

static int fault_on(const char *number, void *kind)
{
	char *end;
	long cpu = strtol(number, &end, 10);
	int err;

	if (*end || end == number || cpu < 0 || cpu >= nr_cpu_ids || !cpu_online((int)cpu)) {
		con_printf("fault: CPU %s is not on line\n", number);
		return -ENXIO;
	}
	if (cpu == smp_processor_id()) {
		make_fault(kind);
		return 0;
	}
	err = smp_work_start((int)cpu, make_fault, kind);
	if (err) {
		con_printf("fault: CPU %ld has other work\n", cpu);
		return err;
	}
	smp_work_wait((int)cpu);
	return 0;
}

static int cmd_fault(int argc, char **argv)
{
	const struct fault_kind *kind = argc == 3 ? find_kind(argv[1]) : NULL;

	if (!kind)
		return usage();
	if (strcmp(argv[2], "all") != 0)
		return fault_on(argv[2], (void *)(uintptr_t)kind);
	fault_everywhere((void *)(uintptr_t)kind);
	return 0;
}
MONITOR_CMD(fault, "KIND CPU|all", "make an exception (null, text-write, data-exec, stack, ...)", cmd_fault);
