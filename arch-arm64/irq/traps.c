/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions that are not interrupts: fix-ups, and the report of those that end the run.
 *
 * 1. A synchronous exception first looks for a fix-up (<asm/exception.h>). Without one it is fatal, as are SError, a
 *    stack overflow and every vector that nothing should come through.
 * 2. A report is: one line that begins "panic: ", the registers, the backtrace; then arch_exit(1).
 * 3. One CPU reports, an exception or a panic(): the first, by its MPIDR in `report_owner`. Another that comes
 *    meanwhile halts, for the report ends the run. MPIDR and not smp_processor_id(), because the per-CPU base may be
 *    what is broken.
 * 4. A fault during the report comes back here on the same CPU. `depth` counts: the second report is one line that
 *    also names the first fault, the third only ends the run, and a fourth, from inside arch_exit(), halts.
 * 5. The emergency stack is for the report of a stack overflow, and so for the CPU that reports: entry.S does there
 *    what arch_begin_report() does, before there is a stack, and gives it to the owner, from its top each time: what an
 *    earlier overflow left on it is lost, which is why first_fault is a copy. It has no guard: a report was measured to
 *    use 3.6 KiB, and a fault within it adds less than that again.
 */
#include <stdio.h>

#include <asm/bug.h>
#include <asm/exception.h>
#include <asm/ksyms.h>
#include <asm/layout.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/sysreg.h>
#include <lib/printk.h>

#define ESR_EC(esr) ((esr) >> 26 & 0x3f)
#define EC_IABT_EL1 0x21

char emergency_stack[EMERGENCY_STACK_SIZE] __aligned(16);

/* MPIDR_EL1 of the CPU that reports; bit 31 of it is always 1, so no CPU's is 0. entry.S sets it too. */
u64 report_owner;

static u32 depth; /* the owner's */
static struct {
	u64 pc, far, esr;
} first_fault;

/* Called from entry.S only. */
void handle_sync(struct pt_regs *regs);
void handle_serror(const struct pt_regs *regs);
void handle_unexpected(const struct pt_regs *regs, unsigned int kind);
_Noreturn void handle_overflow(const struct pt_regs *regs);

bool arch_begin_report(void)
{
	u64 nobody = 0, self = read_sysreg(mpidr_el1);

	if (!__atomic_compare_exchange_n(&report_owner, &nobody, self, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	    nobody != self)
		cpu_halt();
	switch (++depth) {
	case 1:
		return true;
	case 2:
		return false;
	case 3:
		arch_exit(1);
	default:
		cpu_halt();
	}
}

static void print_registers(const struct pt_regs *regs)
{
	char name[KSYM_MAX];

	for (int i = 0; i < 30; i += 3)
		printk("x%-2d %016llx  x%-2d %016llx  x%-2d %016llx\n", i, regs->x[i], i + 1, regs->x[i + 1], i + 2,
		       regs->x[i + 2]);
	printk("x30 %016llx  sp  %016llx  pstate %08llx\n", regs->x[30], regs->sp, regs->pstate);
	printk("pc  %s\n", ksym_format(regs->pc, name, sizeof(name)));
	printk("lr  %s\n", ksym_format(strip_signature(regs->x[30]), name, sizeof(name)));
}

static _Noreturn void report_nested(const struct pt_regs *regs)
{
	char first[ESR_DESC_MAX] = "a panic";

	if (first_fault.pc)
		snprintf(first, sizeof(first), "one at pc 0x%llx, far 0x%llx, esr 0x%llx", first_fault.pc,
			 first_fault.far, first_fault.esr);
	printk("panic: an exception at pc 0x%llx, far 0x%llx, esr 0x%llx, while reporting %s\n", regs->pc, regs->far,
	       regs->esr, first);
	arch_exit(1);
}

static void print_cause(const struct pt_regs *regs, const char *cause)
{
	char pc[KSYM_MAX], where[ESR_DESC_MAX];

	if (esr_has_far(regs->esr))
		printk("panic: %s (%s) at pc %s, far 0x%llx, esr 0x%llx on CPU %d\n", cause,
		       va_describe(regs->far, where, sizeof(where)), ksym_format(regs->pc, pc, sizeof(pc)), regs->far,
		       regs->esr, smp_processor_id());
	else
		printk("panic: %s at pc %s, esr 0x%llx on CPU %d\n", cause, ksym_format(regs->pc, pc, sizeof(pc)),
		       regs->esr, smp_processor_id());
}

_Noreturn void report_exception(const struct pt_regs *regs, const char *prefix)
{
	char desc[ESR_DESC_MAX], cause[ESR_DESC_MAX + 64];
	bool first = arch_begin_report();

	log_emergency();
	if (!first)
		report_nested(regs);
	first_fault.pc = regs->pc;
	first_fault.far = regs->far;
	first_fault.esr = regs->esr;
	snprintf(cause, sizeof(cause), "%s%s", prefix, esr_describe(regs->esr, desc, sizeof(desc)));
	print_cause(regs, cause);
	print_registers(regs);
	backtrace(regs->pc, regs->x[30], regs->x[29]);
	arch_exit(1);
}

void handle_sync(struct pt_regs *regs)
{
	u64 insn = ESR_EC(regs->esr) == EC_IABT_EL1 ? regs->x[30] : regs->pc;

	if (!ex_fixup(regs, insn))
		report_exception(regs, "");
}

void handle_serror(const struct pt_regs *regs)
{
	report_exception(regs, "");
}

void handle_unexpected(const struct pt_regs *regs, unsigned int kind)
{
	static const char *const names[] = {
		[VECTOR_SP0] = "exception on SP_EL0: ",
		[VECTOR_FIQ] = "FIQ: ",
		[VECTOR_LOWER] = "exception from EL0: ",
	};

	report_exception(regs, names[kind]);
}

/* Whether @sp is in this CPU's guard, or so close above it that a frame does not fit. */
static bool stack_is_full(u64 sp)
{
	u64 cpu = (u64)smp_processor_id();

	return sp >= STACK_SLOT(cpu) && sp < STACK_BASE(cpu) + sizeof(struct pt_regs);
}

_Noreturn void handle_overflow(const struct pt_regs *regs)
{
	report_exception(regs, stack_is_full(regs->sp) ? "stack overflow: " : "bad stack pointer: ");
}
