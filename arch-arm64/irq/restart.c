// SPDX-License-Identifier: BSD-2-Clause
/*
 * Restartable sequences: what an interrupt does that lands in one.
 *
 * 1. RESTART() (<asm/percpu_stack.h>) records first instruction and committing store of each, and where to go on, which
 *    is mostly the first, all relative to where they are stored, so the table needs no relocation.
 * 2. Interrupted anywhere behind the first instruction, up to the store that has not been executed yet, a sequence
 *    begins anew. The branches that leave a sequence are taken before the store, so nothing has been done then either;
 *    but where RESTART_AT() says where to go on, what it says has been done, and stays so.
 * 3. The search is linear, and made only when the interrupted instruction lies in the stretch of text that has all of
 *    them: there are some tens.
 */
#include <lib/printk.h>
#include <mm/percpu.h>

#include <asm/restart.h>

struct restart_entry {
	s32 first;
	s32 commit;
	s32 again;
};

extern const struct restart_entry __start_restart_table[], __stop_restart_table[];
extern const char __restart_text_start[], __restart_text_end[];

/* This CPU's, interrupts masked. */
static DEFINE_PER_CPU(unsigned long, restarts);
static DEFINE_PER_CPU(unsigned long, elsewhere); /* those of them that did not go on at the first instruction */

static u64 target(const s32 *field)
{
	return (u64)(uintptr_t)field + (u64)(s64)*field;
}

static bool in_restart_text(u64 pc)
{
	return pc - (u64)(uintptr_t)__restart_text_start <
	       (u64)(uintptr_t)__restart_text_end - (u64)(uintptr_t)__restart_text_start;
}

void restart_interrupted(struct pt_regs *regs)
{
	if (likely(!in_restart_text(regs->pc)))
		return;
	for (const struct restart_entry *entry = __start_restart_table; entry < __stop_restart_table; entry++) {
		if (regs->pc <= target(&entry->first) || regs->pc > target(&entry->commit))
			continue;
		regs->pc = target(&entry->again);
		++*this_cpu_ptr(&restarts);
		*this_cpu_ptr(&elsewhere) += target(&entry->again) != target(&entry->first);
		return;
	}
}

unsigned long restart_count(int cpu)
{
	return READ_ONCE(*per_cpu_ptr(&restarts, cpu));
}

unsigned long restart_elsewhere_count(int cpu)
{
	return READ_ONCE(*per_cpu_ptr(&elsewhere, cpu));
}

void restart_check(void)
{
	for (const struct restart_entry *entry = __start_restart_table; entry < __stop_restart_table; entry++)
		if (!in_restart_text(target(&entry->first)) || !in_restart_text(target(&entry->commit)) ||
		    !in_restart_text(target(&entry->again)))
			panic("restart: the sequence at 0x%llx lies in a function that is not __restartable",
			      target(&entry->first));
}
