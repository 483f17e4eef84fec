/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU areas: one block of memory for each CPU, all of the same layout.
 *
 *	base of CPU n ──► struct mm_cpu | copy of the percpu_data section | struct mm_local of each node | alloc_percpu()
 *
 * A per-CPU pointer is a cookie: the address that the variable would have if the areas' layout began so that the
 * percpu_data section stood where the linker put it. per_cpu_ptr() and this_cpu_ptr() turn it into an address.
 * Until setup_per_cpu_areas() the boot CPU uses boot_percpu_area, whose contents move to its final area.
 */
#ifndef MM_PERCPU_H
#define MM_PERCPU_H

#include <lib/types.h>

#include <mm/percpu_stack.h>

#include <asm/percpu.h>

/**
 * struct mm_cpu - the head of each per-CPU area, one load away from the per-CPU base
 * @nothing: (c) the stack that is empty and full; offset 0 names it
 * @nothing_slot: (c) its only slot, NULL
 * @cpu: (c) this CPU's number
 * @irq_depth: (o) interrupt handlers running on this CPU, counted by the port's dispatcher
 * @local: (c) the stacks for the CPU's own node: what the port's local base points to; NULL until there are areas
 * @nid: (c) the node this CPU belongs to, NUMA_NO_NODE until numa_init()
 * @object_tag: (c) what object_check of slab pages has in this run of the machine (mm/object_check.h), the same on all CPUs
 *
 * Lock letters: (c) constant once set up, (o) only by its own CPU with interrupts masked or from one context.
 */
struct mm_cpu {
	struct percpu_stack nothing;
	void *nothing_slot;
	u32 cpu;
	u32 irq_depth;
	struct mm_local *local;
	int nid;
	u32 object_tag;
} __aligned(64);

/* Room for the percpu_data section; setup_per_cpu_areas() refuses an image that needs more. */
#define PERCPU_STATIC_MAX 4096UL

extern char boot_percpu_area[sizeof(struct mm_cpu) + PERCPU_STATIC_MAX];
extern char __start_percpu_data[], __stop_percpu_data[];

#define DEFINE_PER_CPU(type, name)  __section("percpu_data") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

static inline struct mm_cpu *this_cpu(void)
{
	return (struct mm_cpu *)asm_percpu_base();
}

/** percpu_offset() - bytes from a per-CPU base to the variable that the cookie @ptr names */
static inline size_t percpu_offset(const void *ptr)
{
	return (uintptr_t)ptr - (uintptr_t)__start_percpu_data + sizeof(struct mm_cpu);
}

/** percpu_base() - the base of @cpu's area; the boot CPU's only, until setup_per_cpu_areas() */
void *percpu_base(int cpu);

/** this_cpu_ptr() - the calling CPU's copy. Stable while the caller stays on this CPU. */
#define this_cpu_ptr(ptr) ((__typeof__(ptr))(void *)((char *)asm_percpu_base() + percpu_offset(ptr)))

/** per_cpu_ptr() - @cpu's copy */
#define per_cpu_ptr(ptr, cpu) ((__typeof__(ptr))(void *)((char *)percpu_base(cpu) + percpu_offset(ptr)))

/**
 * percpu_init_boot() - make boot_percpu_area usable as CPU @cpu's area and point the per-CPU base at it
 *
 * Context: the boot CPU, once, before any other call into mm or lib.
 */
void percpu_init_boot(int cpu);

/**
 * setup_per_cpu_areas() - give each of nr_cpu_ids CPUs its area, on its node or the nearest with free memory, from memblock
 * @cpu_node: the node of a CPU, NULL when there is only one
 *
 * Context: boot only, after bootmem_init(). Panics when memory is short.
 */
void setup_per_cpu_areas(int (*cpu_node)(int cpu));

/**
 * __alloc_percpu() - @size bytes at the same offset in every area, zeroed
 * @size: bytes, at least 1
 * @align: a power of two, at most PAGE_SIZE
 *
 * Context: thread; takes percpu_lock. Cost: O(size of the dynamic part / 16 bytes).
 * Return: a per-CPU cookie, or NULL when no such run of bytes is free in the dynamic part.
 */
void *__alloc_percpu(size_t size, size_t align) __must_check;

#define alloc_percpu(type) ((__typeof__(type) *)__alloc_percpu(sizeof(type), __alignof__(type)))

/** free_percpu() - give back what __alloc_percpu() returned; NULL does nothing. Panics on any other pointer. */
void free_percpu(void *ptr);

/**
 * percpu_check() - prove the bitmaps of the dynamic part: their count is percpu_usage(), and each run of used units begins
 * with an allocation
 *
 * Context: thread; takes percpu_lock. Return: true, or false after a line that names unit or numbers.
 */
bool percpu_check(void);

/** percpu_usage() - bytes of one area's dynamic part in use, and how many there are */
size_t percpu_usage(size_t *total);

#endif
