// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU areas and their dynamic part.
 *
 * 1. An area is struct mm_cpu, a copy of the percpu_data section, a struct mm_local for each node, and a dynamic part for
 *    __alloc_percpu(). All areas have one layout, so an offset found free in the bitmap is free in all of them.
 * 2. The boot CPU begins in boot_percpu_area, which has no dynamic part. setup_per_cpu_areas() allocates an area for each
 *    CPU on its node, or on the nearest one with free memory, and moves the boot CPU's contents to its own; nobody else
 *    runs yet.
 * 3. The dynamic part is a bitmap of 16-byte units: `used`, and `first` for the unit that an allocation begins with, by
 *    which free_percpu() knows its length: up to the next `first` or free unit.
 * 4. percpu_lock covers both bitmaps. A unit is zeroed in all areas by whoever gets it, not before: boot touches no more of the
 *    dynamic part than is used.
 */
#include <mm/percpu.h>

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/vmstat.h>
#include <string.h>

#include "internal.h"
#include "pcp.h"

#define UNIT_SHIFT 4
#define UNIT	   (1UL << UNIT_SHIFT)

/* Dynamic bytes beyond what the page caches ask for: the object stacks of some hundred caches. */
#define DYNAMIC_BYTES (160UL << 10)

char boot_percpu_area[sizeof(struct mm_cpu) + PERCPU_STATIC_MAX] __aligned(64);

/* The boot CPU's until there are areas: for its thread-local storage only. */
static struct mm_local boot_local;

static void *bases[CONFIG_NR_CPUS];
static DEFINE_SPINLOCK(percpu_lock, LOCK_RANK_PERCPU);
static u64 *used, *first;      /* percpu_lock */
static size_t local_offset;    /* from the base; constant after set-up */
static size_t dynamic_offset;  /* from the base; constant after set-up */
static unsigned long nr_units; /* constant after set-up */
static unsigned long nr_used;  /* percpu_lock */

_Static_assert(sizeof(struct mm_cpu) % 64 == 0, "what follows the head is aligned");

static size_t static_size(void)
{
	return (uintptr_t)__stop_percpu_data - (uintptr_t)__start_percpu_data;
}

void *percpu_base(int cpu)
{
	return bases[cpu];
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
	bases[cpu] = boot_percpu_area;
	asm_set_percpu_base(boot_percpu_area);
	asm_set_local_base(&boot_local);
}

struct mm_local *percpu_local(int cpu, int nid)
{
	return (struct mm_local *)(void *)((char *)bases[cpu] + percpu_local_offset(nid));
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
	struct mm_cpu *head = bases[cpu];
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
	bool is_boot_cpu = bases[cpu];
	char *area = __va(boot_phys_alloc(size, PAGE_SIZE, node_for_alloc[nid], "per-CPU areas"));
	struct mm_cpu *head = (struct mm_cpu *)area;

	memset(area, 0, dynamic_offset);
	if (is_boot_cpu)
		memcpy(area, boot_percpu_area, sizeof(*head) + static_size());
	else
		memcpy(area + sizeof(*head), __start_percpu_data, static_size());
	head->cpu = (u32)cpu;
	head->nid = nid;
	bases[cpu] = area;
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
	size_t dynamic = ALIGN(pcp_area_bytes(), UNIT) + vmstat_area_bytes() + DYNAMIC_BYTES, size;

	local_offset = ALIGN(sizeof(struct mm_cpu) + static_size(), (size_t)64);
	dynamic_offset = local_offset + (size_t)nr_local_nodes() * sizeof(struct mm_local);
	size = ALIGN(dynamic_offset + dynamic, (size_t)PAGE_SIZE);
	nr_units = (size - dynamic_offset) >> UNIT_SHIFT;
	used = boot_alloc(2 * DIV_ROUND_UP(nr_units, 64) * sizeof(u64), SMP_CACHE_BYTES, NUMA_NO_NODE,
			  "percpu bitmaps");
	first = used + DIV_ROUND_UP(nr_units, 64);

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		int nid = cpu_node ? cpu_node(cpu) : NUMA_NO_NODE;

		if (nid < 0 || nid >= MAX_NUMNODES)
			nid = node_for_alloc[0];
		init_area(cpu, size, nid);
	}
	printk("percpu: %d areas of %zu bytes: %zu static, %zu dynamic\n", nr_cpu_ids, size,
	       sizeof(struct mm_cpu) + static_size(), (size_t)nr_units << UNIT_SHIFT);
}

/* The first run of @n free units that begins at a multiple of @align units from the page's start; nr_units if none. */
static unsigned long find_run(unsigned long n, unsigned long align)
{
	unsigned long bias = dynamic_offset >> UNIT_SHIFT, start = ALIGN(bias, align) - bias;

	while (start + n <= nr_units) {
		unsigned long taken = bits_next_set(used, start, start + n);

		if (taken == start + n)
			return start;
		start = ALIGN(bias + bits_next_clear(used, taken, nr_units), align) - bias;
	}
	return nr_units;
}

static void zero_units(unsigned long start, unsigned long n)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		memset((char *)bases[cpu] + dynamic_offset + (start << UNIT_SHIFT), 0, n << UNIT_SHIFT);
}

void *__alloc_percpu(size_t size, size_t align)
{
	unsigned long n = DIV_ROUND_UP(size, UNIT), units = align > UNIT ? align >> UNIT_SHIFT : 1, start, flags;

	if (!size || size > nr_units << UNIT_SHIFT || align > PAGE_SIZE || (align & (align - 1))) {
		printk("percpu: %zu bytes aligned to %zu: out of range\n", size, align);
		return NULL;
	}
	flags = spin_lock_irqsave(&percpu_lock);
	start = find_run(n, units);
	if (start < nr_units) {
		bits_set_range(used, start, n);
		bit_set(first, start);
		nr_used += n;
	}
	spin_unlock_irqrestore(&percpu_lock, flags);
	if (start == nr_units)
		return NULL;
	zero_units(start, n);
	/* The cookie is no address of an object: it is what percpu_offset() turns back into the offset. */
	return (void *)((uintptr_t)__start_percpu_data - sizeof(struct mm_cpu) + dynamic_offset +
			(start << UNIT_SHIFT));
}

/* Which unit @ptr names, if an allocation begins there; nr_units otherwise. */
static unsigned long unit_of(const void *ptr)
{
	size_t offset = percpu_offset(ptr) - dynamic_offset;
	unsigned long unit = offset >> UNIT_SHIFT;

	return unit < nr_units && IS_ALIGNED(offset, UNIT) && bit_test(first, unit) ? unit : nr_units;
}

void free_percpu(void *ptr)
{
	unsigned long flags, start, n = 1;

	if (!ptr)
		return;
	flags = spin_lock_irqsave(&percpu_lock);
	start = unit_of(ptr);
	if (start == nr_units)
		panic("free_percpu: no allocation begins at per-CPU offset 0x%zx", percpu_offset(ptr));
	while (start + n < nr_units && bit_test(used, start + n) && !bit_test(first, start + n))
		n++;
	bit_clear(first, start);
	bits_clear_range(used, start, n);
	nr_used -= n;
	spin_unlock_irqrestore(&percpu_lock, flags);
}

/* Whether @unit may be what the bitmaps say, after a unit that is in use or not. */
static bool check_unit(unsigned long unit, bool after_used)
{
	bool begins = bit_test(first, unit), in_use = bit_test(used, unit);

	if (begins == in_use || (in_use && after_used))
		return true;
	printk("percpu check: unit %lu of %lu is %s\n", unit, nr_units,
	       begins ? "free and begins an allocation" : "in use and belongs to no allocation");
	return false;
}

static bool check_units(void)
{
	unsigned long count = 0;

	for (unsigned long unit = 0; unit < nr_units; unit++) {
		if (!check_unit(unit, unit && bit_test(used, unit - 1)))
			return false;
		count += bit_test(used, unit);
	}
	if (count != nr_used)
		printk("percpu check: %lu of %lu units are in use, counted %lu\n", count, nr_units, nr_used);
	return count == nr_used;
}

bool percpu_check(void)
{
	unsigned long flags = spin_lock_irqsave(&percpu_lock);
	bool ok = check_units();

	spin_unlock_irqrestore(&percpu_lock, flags);
	return ok;
}

size_t percpu_usage(size_t *total)
{
	*total = nr_units << UNIT_SHIFT;
	return READ_ONCE(nr_used) << UNIT_SHIFT;
}
