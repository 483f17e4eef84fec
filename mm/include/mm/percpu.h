/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU areas: one block of memory for each CPU, all of the same layout.
 *
 *	base of CPU n ──► struct mm_cpu | copy of percpu_data | struct mm_local of each node | alloc_percpu()
 *
 * When that room for alloc_percpu() is full, chunks of further memory are added, each with a unit for every CPU at the
 * same distance from its base: what finds a variable in the area finds it there, too.
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
 * @object_tag: (c) what tells objects in this run of the machine (mm/object_check.h), the same on all CPUs
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

/** percpu_cookie() - the per-CPU pointer to what lies @offset bytes from each base */
static inline void *percpu_cookie(size_t offset)
{
	return (void *)((uintptr_t)__start_percpu_data - sizeof(struct mm_cpu) + offset);
}

/* Each CPU's base; that of the boot CPU only, until setup_per_cpu_areas(). Constant from then on. */
extern void *percpu_bases[CONFIG_NR_CPUS];

/** percpu_base() - the base of @cpu's area */
static inline void *percpu_base(int cpu)
{
	return percpu_bases[cpu];
}

/** percpu_is_static() - whether a variable of DEFINE_PER_CPU() lies @offset bytes from the base */
bool percpu_is_static(size_t offset);

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
 * setup_per_cpu_areas() - give each of nr_cpu_ids CPUs its area, on its node or the nearest with free memory, from
 * memblock
 * @cpu_node: the node of a CPU, NULL when there is only one
 *
 * Context: boot only, after bootmem_init(). Panics when memory is short.
 */
void setup_per_cpu_areas(int (*cpu_node)(int cpu));

/* Bytes of the largest allocation. */
#define PERCPU_ALLOC_MAX (64UL << 10)

/**
 * __alloc_percpu_gfp() - @size bytes for each CPU, at the same offset from all bases, zeroed
 * @size: bytes, 1 to PERCPU_ALLOC_MAX
 * @align: a power of two, at most PAGE_SIZE
 * @gfp: with __GFP_DIRECT_RECLAIM (GFP_KERNEL), in a thread with interrupts unmasked, a chunk is added when there is no
 *	room; otherwise only what the chunks have is given. __GFP_NOWARN: no report.
 *
 * Context: any; a chunk is added in thread context only. Takes percpu_lock, and when a chunk is added a mutex and the
 * locks of vmalloc and the page allocator.
 * Cost: O(1) and O(CPUs * @size) for zeroing, while there is room at a hint; else a search of O(chunks * 64 KiB / 64
 * bytes).
 * Return: a per-CPU pointer, or NULL after a report (the first 20) that says size, alignment and why; nothing has
 * changed.
 */
void *__alloc_percpu_gfp(size_t size, size_t align, u32 gfp) __must_check;

/**
 * __alloc_percpu() - __alloc_percpu_gfp() with GFP_KERNEL. Cost: with free_percpu(), 8 bytes on 4 CPUs, 150
 * instructions.
 */
void *__alloc_percpu(size_t size, size_t align) __must_check;

#define alloc_percpu(type)	    ((__typeof__(type) *)__alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu_gfp(type, gfp) ((__typeof__(type) *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), gfp))

/**
 * free_percpu() - give back what an allocation above returned; NULL does nothing
 *
 * Anything else, what is free already, a pointer inside an allocation or to a static variable, is reported (the first
 * 20 times) with the allocation that it lies in, and nothing is done. Context: any; takes percpu_lock, and those of
 * vmalloc and the page allocator when a chunk has become empty and another one is empty, too. Cost: O(1).
 */
void free_percpu(void *ptr);

/** percpu_trim() - give the memory of empty chunks back, but not of the first one. Context: any. */
void percpu_trim(void);

/** percpu_may_grow() - chunks can be added from now on. Context: boot, after vmalloc_init(). */
void percpu_may_grow(void);

/**
 * percpu_check() - prove of each chunk that free and used grains make up a unit, that each run of used ones begins with
 * an allocation, that its hints are right, and that all its pages are mapped
 *
 * Context: thread; takes percpu_lock. Return: true, or false after a line that names chunk and numbers.
 */
bool percpu_check(void);

/**
 * percpu_usage() - bytes of each CPU's dynamic memory in use, and how many there are. Context: any; takes percpu_lock.
 */
size_t percpu_usage(size_t *total);

/** percpu_chunk_pages() - pages of all chunks but the first, whose memory is a boot allocation. A moment's figure. */
unsigned long percpu_chunk_pages(void);

#include <mm/percpu_ops.h>

#endif
