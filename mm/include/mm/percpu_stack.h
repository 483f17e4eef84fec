/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU stacks: what a hit of the page and object caches is served from, without lock, atomic or masked interrupts.
 *
 * 1. A stack is an array of pointers that belongs to one CPU. Its head, in the CPU's per-CPU area, is two pointers:
 *
 *	slot[0]   slot[1]   slot[2]   ...   slot[n]
 *	NULL      coldest   hottest         (unused)
 *	                    top             limit
 *
 *    slot[0] is NULL for ever, so a pop that finds NULL has found the stack empty; the stack is full when top is limit.
 *    Neither end needs a count. Moving limit changes the bound of a stack at any time.
 * 2. Push and pop are restartable sequences: a few instructions that end in the one store that moves top. An interrupt
 *    that lands inside has them begin anew when it returns, so its handler may use the same stack. What is read inside,
 *    the offset of the stack included, is of one moment.
 * 3. Both ask for an offset, the same on all CPUs, not for an address: the CPU's base is read inside the sequence.
 * 4. After on_each_cpu() every CPU has left the sequences that it was in: what they read before they will not use. So a
 *    field that names a stack is changed first, then all CPUs are called, and from then on nobody pushes by the old
 *    value. (But who has marked an object in a checked free, <asm/object_check.h>, pushes it on the stack that it has
 *    read; its slab stays, for the object is neither in it nor anybody's.)
 * 5. A stack whose head is that of struct mm_cpu's `nothing` is empty and full: nothing is popped from it and nothing
 *    goes on it. Offset 0 names it, so whatever names no stack, a zeroed struct page for one, leads to the slow path.
 * 6. Several items at once, and anything else, is done by the owner with interrupts masked, in plain C.
 *
 * Of each node every per-CPU area has a struct mm_local with the heads of all stacks for that node's pages and objects.
 * That of the CPU's own node is one register away, so a hit there pays nothing for the others.
 */
#ifndef MM_PERCPU_STACK_H
#define MM_PERCPU_STACK_H

#include <lib/types.h>

#include <mm/mmzone.h>

/**
 * struct percpu_stack - the head of a stack
 * @top: the slot pushed last; slot[0], which holds NULL, when it is empty
 * @limit: the slot of the last item that may be pushed
 *
 * Owner: the CPU in whose area it lies. Others may read it (percpu_stack_count()).
 */
struct percpu_stack {
	void **top;
	void **limit;
};

/* Caches beyond this many are served without a stack. */
#define OBJECT_STACKS 256

/**
 * struct mm_local - the heads of one CPU's stacks for one node
 * @tls: thread-local storage of the C library, for the node that the CPU is on: there asm_local_base() points
 * @page: free blocks, by zone (the one that serves ordinary requests of the node is number 0), order and migratetype
 * @object: free objects, by cache
 */
struct mm_local {
	u64 tls[8];
	struct percpu_stack page[MAX_NR_ZONES][NR_PAGE_ORDERS][MIGRATE_PCPTYPES];
	struct percpu_stack object[OBJECT_STACKS];
} __aligned(64);

/**
 * percpu_stack_init() - an empty stack for up to @n items. @slots: n + 1 of them. Context: the owner, or it does not
 * use it yet.
 */
static inline void percpu_stack_init(struct percpu_stack *stack, void **slots, unsigned long n)
{
	slots[0] = NULL;
	WRITE_ONCE(stack->top, slots);
	WRITE_ONCE(stack->limit, slots + n);
}

/** percpu_stack_count() - items on a stack whose array is @slots. Context: any CPU; a moment's figure. */
static inline unsigned long percpu_stack_count(const struct percpu_stack *stack, void *const *slots)
{
	return (unsigned long)(READ_ONCE(stack->top) - slots);
}

/** percpu_local() - the heads of @cpu for @nid's pages and objects */
struct mm_local *percpu_local(int cpu, int nid);

/** percpu_local_offset() - bytes from any CPU's per-CPU base to what percpu_local() of @nid returns */
u32 percpu_local_offset(int nid);

#endif
