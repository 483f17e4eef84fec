/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's host port: pop and push. Group 9 of <mm/port.h>.
 *
 * Nothing interrupts a CPU here (asm/irqflags.h), so top is moved by one addition to memory. Heads are reached through
 * %gs (asm/percpu.h): an offset from the base is all there is to an address.
 *
 * Cost: a pop is 5 instructions, a push 5.
 */
#ifndef ASM_PERCPU_STACK_H
#define ASM_PERCPU_STACK_H

#include <lib/types.h>

#include <asm/percpu.h>

#define __restartable
#define __by_name

/* @stack is an offset from the local base. */
static __always_inline void *asm_stack_pop(size_t stack)
{
	void *item;

	__asm__ goto volatile("movq	%%gs:%c[local](%[stack]), %[item]\n\t"
			      "movq	(%[item]), %[item]\n\t"
			      "testq	%[item], %[item]\n\t"
			      "jz	%l[empty]\n\t"
			      "subq	$8, %%gs:%c[local](%[stack])"
			      : [item] "=&a"(item) /* where it is returned */
			      : [stack] "r"(stack), [local] "i"(BENCH_LOCAL_OFFSET)
			      : "memory", "cc"
			      : empty);
	/* As the compiler cannot know. */
	if (!item)
		__builtin_unreachable();
	return item;
empty:
	return NULL;
}

/* The stack's head lies @stack bytes from the per-CPU base. */
static __always_inline bool bench_stack_push(size_t stack, void *item)
{
	void *top;

	__asm__ goto volatile("movq	%%gs:(%[stack]), %[top]\n\t"
			      "cmpq	%[top], %%gs:8(%[stack])\n\t"
			      "je	%l[full]\n\t"
			      "movq	%[item], 8(%[top])\n\t"
			      "addq	$8, %%gs:(%[stack])"
			      : [top] "=&r"(top)
			      : [stack] "r"(stack), [item] "r"(item)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

/* @base is asm_percpu_base(). */
static __always_inline bool asm_stack_push_at(const void *base, u32 stack, void *item)
{
	(void)base;
	return bench_stack_push(stack, item);
}

/* *@stack is an offset from the per-CPU base in units of 8 bytes. */
static __always_inline bool asm_object_push(const u16 *stack, void *item)
{
	size_t eighth = *stack;
	void *top;

	__asm__ goto volatile("movq	%%gs:(,%[eighth],8), %[top]\n\t"
			      "cmpq	%[top], %%gs:8(,%[eighth],8)\n\t"
			      "je	%l[full]\n\t"
			      "movq	%[item], 8(%[top])\n\t"
			      "addq	$8, %%gs:(,%[eighth],8)"
			      : [top] "=&r"(top)
			      : [eighth] "r"(eighth), [item] "r"(item)
			      : "memory", "cc"
			      : full);
	return true;
full:
	return false;
}

/*
 * *@stack is an offset from asm_percpu_base(). A plain load: gcc makes no address of a shift and a displacement for
 * others.
 */
static __always_inline bool asm_stack_push(const u32 *stack, void *item)
{
	return bench_stack_push(*stack, item);
}

#endif
