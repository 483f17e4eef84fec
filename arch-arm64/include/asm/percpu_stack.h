/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pop and push as restartable sequences. Group 9 of the port contract (<mm/port.h>); what stacks are, <mm/percpu_stack.h> says.
 *
 * 1. A sequence runs from its first instruction to the store that takes effect. RESTART() records both; when an interrupt
 *    arrives in between, irq/restart.c moves the return address back to the first. So everything before the store may be
 *    done again: it changes registers, and a slot above the top.
 * 2. All sequences lie in one stretch of text, so that most interrupts cost two comparisons: a function in which one is
 *    inlined is marked __restartable. restart_check() proves it for all of them at boot.
 * 3. Nothing inside can fault in a working system, and nothing inside calls. A base may be read before: no code moves to
 *    another CPU.
 *
 * Cost: a pop is 5 instructions, a push 8; the branch that leaves is not taken on a hit.
 */
#ifndef ASM_PERCPU_STACK_H
#define ASM_PERCPU_STACK_H

#include <lib/types.h>

#include <asm/percpu.h>

/* For functions that have a sequence in them. */
#define __restartable __section(".text.restart") __noinline

/* Within an asm: the sequence from label @first to the store at label @commit. */
#define RESTART(first, commit)                  \
	".pushsection restart_table, \"a\"\n\t" \
	".balign 4\n\t"                         \
	".long (" #first ") - .\n\t"            \
	".long (" #commit ") - .\n\t"           \
	".popsection\n\t"

/* %[stack] is an offset from the base for the CPU's own node. */
static __always_inline void *asm_stack_pop(size_t stack)
{
	void *base, *top, *item;

	__asm__ goto volatile("1:	mrs	%[base], tpidr_el0\n"
			      "	ldr	%[top], [%[base], %[stack]]\n"
			      "	ldr	%[item], [%[top]], #-8\n"
			      "	cbz	%[item], %l[empty]\n"
			      "2:	str	%[top], [%[base], %[stack]]\n" RESTART(1b, 2b)
			      : [base] "=&r"(base), [top] "=&r"(top), [item] "=&r"(item)
			      : [stack] "ri"(stack)
			      : "memory"
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
	void *base, *top, *limit;

	__asm__ goto volatile("1:	mrs	%[base], tpidr_el1\n"
			      "	ldr	%w[top], %[stack]\n"
			      "	add	%[base], %[base], %w[top], uxtw\n"
			      "	ldp	%[top], %[limit], [%[base]]\n"
			      "	cmp	%[top], %[limit]\n"
			      "	b.eq	%l[full]\n"
			      "	str	%[item], [%[top], #8]!\n"
			      "2:	str	%[top], [%[base]]\n" RESTART(1b, 2b)
			      : [base] "=&r"(base), [top] "=&r"(top), [limit] "=&r"(limit)
			      : [stack] "m"(*stack), [item] "r"(item)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

/* The stack's head lies @stack bytes from @base, asm_percpu_base(). */
static __always_inline bool asm_stack_push_at(void *base, u32 stack, void *item)
{
	void *head = (char *)base + stack, *top, *limit;

	__asm__ goto volatile("1:	ldp	%[top], %[limit], [%[head]]\n"
			      "	cmp	%[top], %[limit]\n"
			      "	b.eq	%l[full]\n"
			      "	str	%[item], [%[top], #8]!\n"
			      "2:	str	%[top], [%[head]]\n" RESTART(1b, 2b)
			      : [top] "=&r"(top), [limit] "=&r"(limit)
			      : [head] "r"(head), [item] "r"(item)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

#endif
