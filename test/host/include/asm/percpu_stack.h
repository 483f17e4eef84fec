/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: pop and push, what is restartable on a machine done with interrupts masked. Group 9 of <mm/port.h>.
 *
 * The benchmark's port has no interrupts: there masking is nothing.
 */
#ifndef ASM_PERCPU_STACK_H
#define ASM_PERCPU_STACK_H

#include <mm/percpu_stack.h>

#include <asm/irqflags.h>
#include <asm/percpu.h>

#define __restartable
#define __by_name

/* @stack is an offset from asm_local_base(). */
static inline void *asm_stack_pop(size_t stack)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *head = (struct percpu_stack *)(void *)((char *)asm_local_base() + stack);
	void **top = head->top, *item = *top;

	if (likely(item))
		WRITE_ONCE(head->top, top - 1);
	local_irq_restore(flags);
	return item;
}

/* The stack's head lies @stack bytes from @base, asm_percpu_base(). */
static inline bool asm_stack_push_at(void *base, u32 stack, void *item)
{
	unsigned long flags = local_irq_save();
	struct percpu_stack *head = (struct percpu_stack *)(void *)((char *)base + stack);
	void **top = head->top;
	bool room = top != head->limit;

	if (likely(room)) {
		WRITE_ONCE(top[1], item);
		WRITE_ONCE(head->top, top + 1);
	}
	local_irq_restore(flags);
	return room;
}

/* *@stack is an offset from asm_percpu_base(). */
static inline bool asm_stack_push(const u32 *stack, void *item)
{
	return asm_stack_push_at(asm_percpu_base(), READ_ONCE(*stack), item);
}

/* *@stack is one in units of 8 bytes. */
static inline bool asm_object_push(const u16 *stack, void *item)
{
	return asm_stack_push_at(asm_percpu_base(), READ_ONCE(*stack) * 8U, item);
}

#endif
