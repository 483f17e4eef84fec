/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that may fault, and probes made of them.
 *
 * 1. EX_TABLE() (<asm/exception.h>) records, beside such an instruction, where to go on when it faults. Both addresses
 *    are stored relative to where they are stored, so the table needs no relocation.
 * 2. A data fault is looked up by the faulting instruction. An instruction fetch faults at the target of a call, so
 *    there the return address in x30 is looked up: arch_probe_exec() records the instruction after its call.
 * 3. The search is linear: there are a few dozen entries, and a fault that has one is a probe or the end of the run.
 */
#include <asm/exception.h>

struct ex_entry {
	s32 insn;
	s32 fixup;
};

extern const struct ex_entry __start_ex_table[], __stop_ex_table[];

static u64 ex_target(const s32 *field)
{
	return (u64)(uintptr_t)field + (u64)(s64)*field;
}

bool ex_fixup(struct pt_regs *regs, u64 insn)
{
	for (const struct ex_entry *entry = __start_ex_table; entry < __stop_ex_table; entry++) {
		if (ex_target(&entry->insn) != insn)
			continue;
		regs->pc = ex_target(&entry->fixup);
		regs->pstate &= ~PSTATE_BTYPE; /* the fix-up is not the target of the branch that may have faulted */
		return true;
	}
	return false;
}

/* Load from @addr into @result by @load, an instruction up to its address. Value: whether it did not fault. */
#define PROBE(load, addr, result)                          \
	({                                                 \
		u32 ok_ = 0;                               \
                                                           \
		__asm__ volatile("1:	" load ", [%2]\n"  \
				 "	mov	%w1, #1\n"          \
				 "2:\n" EX_TABLE(1b, 2b)   \
				 : "+r"(result), "+r"(ok_) \
				 : "r"(addr)               \
				 : "memory");              \
		ok_;                                       \
	})

bool arch_probe_read(const void *addr, u64 *value)
{
	u64 result = 0;

	if (!PROBE("ldr %0", addr, result))
		return false;
	*value = result;
	return true;
}

bool arch_probe_read32(const volatile void *addr, u32 *value)
{
	u32 result = 0;

	if (!PROBE("ldr %w0", addr, result))
		return false;
	*value = result;
	return true;
}

bool arch_probe_write(void *addr, u64 value)
{
	u32 ok = 0;

	__asm__ volatile("1:	str	%1, [%2]\n"
			 "	mov	%w0, #1\n"
			 "2:\n" EX_TABLE(1b, 2b)
			 : "+r"(ok)
			 : "r"(value), "r"(addr)
			 : "memory");
	return ok;
}

bool arch_probe_exec(const void *addr)
{
	u32 ok = 0;

	__asm__ volatile("	blr	%1\n"
			 "1:	mov	%w0, #1\n"
			 "2:\n" EX_TABLE(1b, 2b)
			 : "+r"(ok)
			 : "r"(addr)
			 : "x30", "memory");
	return ok;
}
