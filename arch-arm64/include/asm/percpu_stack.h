/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pop and push as restartable sequences. Group 9 of the port contract (<mm/port.h>); what stacks are,
 * <mm/percpu_stack.h> says.
 *
 * 1. A sequence runs from its first instruction to the store that takes effect. RESTART() records both; when an
 *    interrupt arrives in between, irq/restart.c moves the return address back to the first. So everything before the
 *    store may be done again: it changes registers, and a slot above the top. RESTART_AT() names another place to go on
 *    at, for a sequence of which not all can be done twice (<asm/object_check.h>).
 * 2. All sequences lie in one stretch of text, so that most interrupts cost two comparisons: a function in which one is
 *    inlined is marked __restartable. restart_check() proves it for all of them at boot.
 * 3. Nothing inside can fault in a working system, and nothing inside calls. A base may be read before: no code moves
 *    to another CPU.
 *
 * Cost: a pop is 5 instructions, a push 8; the branch that leaves is not taken on a hit.
 */
#ifndef ASM_PERCPU_STACK_H
#define ASM_PERCPU_STACK_H

#include <lib/types.h>

#include <asm/percpu.h>

/* For functions that have a sequence in them. */
#define __restartable __section(".text.restart") __noinline

/* For functions that are called by name and nowhere else: no pointer leads there, so none needs a landing pad. */
#define __by_name __attribute__((target("branch-protection=none")))

/* Within an asm: who is interrupted behind label @first, up to the store at label @commit, goes on at @again. */
#define RESTART_AT(first, commit, again)        \
	".pushsection restart_table, \"a\"\n\t" \
	".balign 4\n\t"                         \
	".long (" #first ") - .\n\t"            \
	".long (" #commit ") - .\n\t"           \
	".long (" #again ") - .\n\t"            \
	".popsection\n\t"

/* The sequence from label @first to the store at label @commit begins anew. */
#define RESTART(first, commit) RESTART_AT(first, commit, first)

/*
 * %[stack] is an offset from the base for the CPU's own node. Scratch registers are named, so that the compiler leaves
 * arguments where they came.
 */
static __always_inline void *asm_stack_pop(size_t stack)
{
	void *item;

	__asm__ goto volatile("1:	mrs	x16, tpidr_el0\n"
			      "	ldr	x17, [x16, %[stack]]\n"
			      "	ldr	%[item], [x17], #-8\n"
			      "	cbz	%[item], %l[empty]\n"
			      "2:	str	x17, [x16, %[stack]]\n" RESTART(1b, 2b)
			      : [item] "=&r"(item)
			      : [stack] "ri"(stack)
			      : "memory", "x16", "x17"
			      : empty);
	/* As the compiler cannot know. */
	if (!item)
		__builtin_unreachable();
	return item;
empty:
	return NULL;
}

/* *@stack is an offset from the per-CPU base. */
static __always_inline bool asm_stack_push(const u32 *stack, void *item)
{
	__asm__ goto volatile("1:	mrs	x15, tpidr_el1\n"
			      "	ldr	w16, %[stack]\n"
			      "	add	x15, x15, w16, uxtw\n"
			      "	ldp	x16, x17, [x15]\n"
			      "	cmp	x16, x17\n"
			      "	b.eq	%l[full]\n"
			      "	str	%[item], [x16, #8]!\n"
			      "2:	str	x16, [x15]\n" RESTART(1b, 2b)
			      :
			      : [stack] "m"(*stack), [item] "r"(item)
			      : "memory", "cc", "x15", "x16", "x17"
			      : full);
	return true;
full:
	return false;
}

/* *@stack is an offset from the per-CPU base in units of 8 bytes. */
static __always_inline bool asm_object_push(const u16 *stack, void *item)
{
	__asm__ goto volatile("1:	mrs	x15, tpidr_el1\n"
			      "	ldrh	w16, %[stack]\n"
			      "	add	x15, x15, w16, uxth #3\n"
			      "	ldp	x16, x17, [x15]\n"
			      "	cmp	x16, x17\n"
			      "	b.eq	%l[full]\n"
			      "	str	%[item], [x16, #8]!\n"
			      "2:	str	x16, [x15]\n" RESTART(1b, 2b)
			      :
			      : [stack] "m"(*stack), [item] "r"(item)
			      : "memory", "cc", "x15", "x16", "x17"
			      : full);
	return true;
full:
	return false;
}

#endif
