// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU areas.
 *
 * 1. An area is struct mm_cpu, a copy of the percpu_data section, a struct mm_local for each node, and a dynamic part,
 *    which is the first chunk of alloc_percpu() (percpu_alloc.c). All areas have one layout.
 * 2. The boot CPU begins in boot_percpu_area, which has no dynamic part. setup_per_cpu_areas() allocates an area for
 *    each CPU on its node, or on the nearest one with free memory, and moves the boot CPU's contents to its own; nobody
 *    else runs yet.
 * 3. The dynamic part is zeroed by whoever gets a piece of it, not before: boot touches no more of it than is used.
 */
#include <mm/percpu.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu_counter.h>
#include <mm/port.h>
#include <mm/vmstat.h>
#include <string.h>

#include "internal.h"
#include "pcp.h"
#include "percpu_chunk.h"

/* Dynamic bytes beyond what the page caches ask for: the object stacks of some hundred caches. */
#define DYNAMIC_BYTES (160UL << 10)

char boot_percpu_area[sizeof(struct mm_cpu) + PERCPU_STATIC_MAX] __aligned(64);

/* The boot CPU's until there are areas: for its thread-local storage only. */
static struct mm_local boot_local;

void *percpu_bases[CONFIG_NR_CPUS];
static size_t local_offset;   /* from the base; constant after set-up */
static size_t dynamic_offset; /* from the base; constant after set-up */

_Static_assert(sizeof(struct mm_cpu) % 64 == 0, "what follows the head is aligned");
_Static_assert(sizeof(struct mm_cpu) + PERCPU_STATIC_MAX + 64 + MAX_NUMNODES * sizeof(struct mm_local) <=
		       0x10000 * OBJECT_STACK_UNIT,
	       "page->object_stack reaches the heads of all nodes");

static size_t static_size(void)
{
	return (uintptr_t)__stop_percpu_data - (uintptr_t)__start_percpu_data;
}

bool percpu_is_static(size_t offset)
{
	return offset - sizeof(struct mm_cpu) < static_size();
}

void percpu_init_boot(int cpu)
{
	struct mm_cpu *head = (struct mm_cpu *)boot_percpu_area;

	if (static_size() > PERCPU_STATIC_MAX)
		panic("percpu: %zu bytes of static variables, room for %lu", static_size(), PERCPU_STATIC_MAX);
	memcpy(boot_percpu_area + sizeof(*head), __start_percpu_data, static_size());
	head->cpu = (u32)cpu;
	head->nid = NUMA_NO_NODE;
	head->local = &boot_local;
	percpu_bases[cpu] = boot_percpu_area;
	asm_set_percpu_base(boot_percpu_area);
	asm_set_local_base(&boot_local);
}

struct mm_local *percpu_local(int cpu, int nid)
{
	return (struct mm_local *)(void *)((char *)percpu_bases[cpu] + percpu_local_offset(nid));
}

u32 percpu_local_offset(int nid)
{
	return (u32)(local_offset + (size_t)nid * sizeof(struct mm_local));
}

/* One more than the highest node with memory. */
static int nr_local_nodes(void)
{
	int nid = MAX_NUMNODES;

	while (nid > 0 && !node_data[nid - 1])
		nid--;
	return nid;
}

/* Every stack of @cpu is the one that is empty and full, until somebody makes it a real one. */
static void init_stacks(int cpu)
{
	struct mm_cpu *head = percpu_bases[cpu];
	struct percpu_stack *nothing = &head->nothing;

	percpu_stack_init(nothing, &head->nothing_slot, 0);
	for (int nid = 0; nid < nr_local_nodes(); nid++) {
		struct mm_local *local = percpu_local(cpu, nid);

		for (size_t i = 0; i < sizeof(local->page) / sizeof(*nothing); i++)
			(&local->page[0][0][0])[i] = *nothing;
		for (size_t i = 0; i < OBJECT_STACKS; i++)
			local->object[i] = *nothing;
	}
	head->local = percpu_local(cpu, node_for_alloc[head->nid]);
	memset(head->local->tls, 0, sizeof(head->local->tls));
}

static void init_area(int cpu, size_t size, int nid)
{
	bool is_boot_cpu = percpu_bases[cpu];
	char *area = __va(boot_phys_alloc(size, PAGE_SIZE, node_for_alloc[nid], "per-CPU areas"));
	struct mm_cpu *head = (struct mm_cpu *)area;

	memset(area, 0, dynamic_offset);
	if (is_boot_cpu)
		memcpy(area, boot_percpu_area, sizeof(*head) + static_size());
	else
		memcpy(area + sizeof(*head), __start_percpu_data, static_size());
	head->cpu = (u32)cpu;
	head->nid = nid;
	percpu_bases[cpu] = area;
	init_stacks(cpu);
	if (is_boot_cpu) {
		asm_set_percpu_base(area);
		asm_set_local_base(head->local);
	} else {
		arch_alloc_stack(cpu, node_for_alloc[nid]);
	}
}

void setup_per_cpu_areas(int (*cpu_node)(int cpu))
{
	size_t dynamic = ALIGN(pcp_area_bytes(), GRAIN) + vmstat_area_bytes() + DYNAMIC_BYTES, size;

	local_offset = ALIGN(sizeof(struct mm_cpu) + static_size(), (size_t)64);
	dynamic_offset = local_offset + (size_t)nr_local_nodes() * sizeof(struct mm_local);
	size = ALIGN(dynamic_offset + dynamic, (size_t)PAGE_SIZE);
	percpu_alloc_init(dynamic_offset, size - dynamic_offset);
	percpu_counter_batch = max(percpu_counter_batch, 2 * nr_cpu_ids);

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		int nid = cpu_node ? cpu_node(cpu) : NUMA_NO_NODE;

		if (nid < 0 || nid >= MAX_NUMNODES)
			nid = node_for_alloc[0];
		init_area(cpu, size, nid);
	}
	printk("percpu: %d areas of %zu bytes: %zu static, %zu dynamic\n", nr_cpu_ids, size,
	       sizeof(struct mm_cpu) + static_size(), size - dynamic_offset);
}
