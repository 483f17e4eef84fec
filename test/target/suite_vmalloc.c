// SPDX-License-Identifier: BSD-2-Clause
/* vmalloc in the image: what the page tables let through, on every CPU, and all CPUs at once. */
#include <errno.h>
#include <lib/printk.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <mm/vmalloc.h>
#include <string.h>

#include <asm/exception.h>

#include "target.h"

#define LOAD_ROUNDS 400
#define SLOTS	    24

static const size_t sizes[] = { 1, 4096, 4097, 65536, 511 * PAGE_SIZE, 512 * PAGE_SIZE, 3UL << 20 };

/* What a CPU may do with an address. */
struct access {
	char *addr;
	bool readable, writable, executable;
};

static void probe(void *arg)
{
	struct access *access = arg;
	u64 value;

	access->readable &= arch_probe_read(access->addr, &value);
	access->writable &= arch_probe_write(access->addr, 0xd65f03c0);
	access->executable |= arch_probe_exec(access->addr);
}

/* Whether every CPU may do just that at @addr, and none may call there. */
static bool all_may(char *addr, bool readable, bool writable)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct access one = { addr, true, true, false };

		ktap_ok(smp_call_function_single(cpu, probe, &one) == 0);
		if (one.readable != readable || one.writable != writable || one.executable)
			return false;
	}
	return true;
}

static void case_sizes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t mapped = ALIGN(sizes[i], PAGE_SIZE);
		char *mem = vzalloc(sizes[i]);

		if (!ktap_ok(mem != NULL))
			continue;
		ktap_ok(is_vmalloc_addr(mem) && IS_ALIGNED((uintptr_t)mem, PAGE_SIZE));
		ktap_ok(!mem[0] && !mem[sizes[i] - 1]);
		memset(mem, 0x5a, mapped);
		ktap_ok(all_may(mem, true, true));
		ktap_ok(all_may(mem + mapped - 8, true, true));
		ktap_ok(all_may(mem - 8, false, false));
		ktap_ok(all_may(mem + mapped, false, false));
		ktap_ok(vmalloc_to_page(mem + mapped - 1) != NULL);
		vfree(mem);
		vm_unmap_aliases();
		ktap_ok(all_may(mem, false, false));
		ktap_ok(all_may(mem + mapped - 8, false, false));
	}
}

static void case_refused(void)
{
	ktap_ok(__vmalloc(0, GFP_KERNEL | __GFP_NOWARN) == NULL);
	ktap_ok(__vmalloc(1UL << 63, GFP_KERNEL | __GFP_NOWARN) == NULL);
	ktap_ok(__vmalloc((totalram_pages() + 1) << PAGE_SHIFT, GFP_KERNEL | __GFP_NOWARN) == NULL);
	vfree(NULL);
}

static void case_vmap(void)
{
	struct page *pages[3];
	char *map, *fixed;

	for (int i = 0; i < 3; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		if (!ktap_ok(pages[i] != NULL))
			return;
	}
	map = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
	fixed = vmap(pages, 3, VM_MAP, PAGE_KERNEL_RO);
	if (!ktap_ok(map && fixed))
		return;
	map[2 * PAGE_SIZE] = 77;
	ktap_ok(((char *)page_address(pages[2]))[0] == 77 && fixed[2 * PAGE_SIZE] == 77);
	ktap_ok(all_may(fixed, true, false));
	ktap_ok(all_may(map, true, true));
	ktap_ok(vmalloc_to_page(fixed + PAGE_SIZE) == pages[1]);
	vunmap(map);
	vunmap(fixed);
	for (int i = 0; i < 3; i++) {
		ktap_ok(page_ref_count(pages[i]) == 1);
		__free_page(pages[i]);
	}
}

/* Two that fill whole blocks, the second as near to the first as may be: nothing is between them. */
static void case_huge(void)
{
	char *mem = vmalloc_huge(4UL << 20, GFP_KERNEL), *next = vmalloc_huge(4UL << 20, GFP_KERNEL);

	if (ktap_ok(mem && next)) {
		ktap_ok(IS_ALIGNED((uintptr_t)mem, VMAP_BLOCK_SIZE));
		memset(mem, 1, 4UL << 20);
		ktap_ok(all_may(mem + (4UL << 20) - 8, true, true));
		ktap_ok(all_may(mem + (4UL << 20), false, false));
		ktap_ok(all_may(next + (4UL << 20), false, false));
		ktap_ok(all_may(next, true, true));
	}
	vfree(mem);
	vfree(next);
}

/* A reference to one page of an area keeps that page when the area ends, and no other. */
static void case_reference(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long before = quiet_free_pages();
		char *mem = vmalloc(sizes[i]);
		struct page *page;

		if (!ktap_ok(mem != NULL))
			continue;
		page = vmalloc_to_page(mem + sizes[i] / 2);
		get_page(page);
		put_page(page);
		ktap_ok(page_ref_count(page) == 1 && all_may(mem + sizes[i] / 2, true, true));
		get_page(page);
		vfree(mem);
		ktap_ok(quiet_free_pages() == before - 1 && page_ref_count(page) == 1);
		put_page(page);
		ktap_ok(quiet_free_pages() == before);
	}
}

/*
 * Rights of both addresses of an area's pages, on every CPU: read-only at one is read-only at the other, and what
 * vfree() gives back, in a thread or with interrupts masked, can be written again.
 */
static void case_rights(void)
{
	static const size_t counts[] = { 1, 16, 600 };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
		unsigned long nr = counts[i / 2], before = quiet_free_pages(), flags = 0;
		char *mem = vmalloc(nr * PAGE_SIZE), *linear;

		if (!ktap_ok(mem != NULL))
			continue;
		linear = page_address(vmalloc_to_page(mem + nr / 2 * PAGE_SIZE));
		ktap_ok(set_memory_ro((unsigned long)mem, nr) == 0);
		ktap_ok(all_may(mem + nr / 2 * PAGE_SIZE, true, false) && all_may(linear, true, false));
		ktap_ok(set_memory_rw((unsigned long)mem, nr) == 0);
		ktap_ok(all_may(mem + nr / 2 * PAGE_SIZE, true, true) && all_may(linear, true, true));
		ktap_ok(set_memory_x((unsigned long)mem, nr) == -EPERM);
		ktap_ok(set_memory_ro((unsigned long)mem, nr) == 0 && set_memory_x((unsigned long)mem, nr) == 0);
		ktap_ok(set_memory_rw((unsigned long)linear, 1) == -EPERM);
		ktap_ok(all_may(linear, true, false));
		if (i % 2)
			flags = local_irq_save();
		vfree(mem);
		if (i % 2) {
			ktap_ok(vmalloc_nr_pages() == nr);
			local_irq_restore(flags);
		}
		ktap_ok(quiet_free_pages() == before && vmalloc_nr_pages() == 0);
		ktap_ok(all_may(linear, true, true));
	}
	ktap_ok(vmalloc_check());
}

/* A third address of a page that is executable at the first: it is not to be written there. */
static void case_third(void)
{
	char *mem = vmalloc(PAGE_SIZE), *map;
	struct page *page = mem ? vmalloc_to_page(mem) : NULL;
	unsigned long at = (unsigned long)mem;

	if (!ktap_ok(mem != NULL))
		return;
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	ktap_ok(map != NULL && set_memory_ro(at, 1) == 0);
	ktap_ok(set_memory_x(at, 1) == -EPERM && all_may(mem, true, false) && all_may(map, true, true));
	ktap_ok(set_memory_ro((unsigned long)map, 1) == 0 && set_memory_x(at, 1) == 0);
	ktap_ok(set_memory_rw((unsigned long)map, 1) == -EPERM && all_may(map, true, false));
	vunmap(map);
	ktap_ok(vmap(&page, 1, VM_MAP, PAGE_KERNEL) == NULL && vm_map_ram(&page, 1, -1) == NULL);
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO);
	ktap_ok(map != NULL && all_may(map, true, false));
	vunmap(map);
	vfree(mem);
	ktap_ok(vmalloc_check());
}

struct slot {
	u64 *mem;
	size_t words;
};

static u64 stamp_of(const u64 *at)
{
	return (uintptr_t)at * 0x9e3779b97f4a7c15ULL + (u64)smp_processor_id();
}

static bool whole(const struct slot *slot)
{
	for (size_t i = 0; i < slot->words; i += 512)
		if (slot->mem[i] != stamp_of(&slot->mem[i]))
			return false;
	return true;
}

static void fill(struct slot *slot, u64 *random)
{
	size_t bytes = 8 + next_random(random) % (next_random(random) % 16 ? 70000 : 3UL << 20);

	slot->mem = vmalloc(bytes);
	slot->words = bytes / 8;
	if (ktap_ok(slot->mem != NULL))
		for (size_t i = 0; i < slot->words; i += 512)
			slot->mem[i] = stamp_of(&slot->mem[i]);
}

static void load(void *arg)
{
	u64 random = 88172645463325252ULL + (u64)smp_processor_id();
	struct slot slots[SLOTS] = { 0 };

	(void)arg;
	for (int i = 0; i < LOAD_ROUNDS; i++) {
		struct slot *slot = &slots[next_random(&random) % SLOTS];

		if (!slot->mem) {
			fill(slot, &random);
			continue;
		}
		ktap_ok(whole(slot));
		vfree(slot->mem);
		slot->mem = NULL;
	}
	for (int i = 0; i < SLOTS; i++)
		vfree(slots[i].mem);
}

static void case_all_cpus(void)
{
	unsigned long before = quiet_free_pages();

	on_all_cpus(load, NULL);
	ktap_ok(vmalloc_nr_pages() == 0);
	vm_unmap_aliases();
	ktap_ok(vmalloc_check());
	ktap_ok(quiet_free_pages() == before);
}

static u32 loading; /* CPUs that map and unmap; atomic */
static unsigned long walked;

/* How often the load is repeated at most, for a walker whose CPU the host has not let run yet. */
#define LOADS_MAX 50

/* What is found meanwhile, in the first gibibyte of addresses, is RAM. */
static void walk(void)
{
	unsigned long at = VMALLOC_START;

	for (; READ_ONCE(loading); at += 13 * PAGE_SIZE) {
		phys_addr_t pa;
		bool found = arch_vmap_lookup(VMALLOC_START + (at - VMALLOC_START) % (1UL << 30), &pa);

		ktap_ok(!found || pfn_valid(PFN_DOWN(pa)));
		WRITE_ONCE(walked, walked + found);
		if (at % (1UL << 20) == 0) {
			vmalloc_nr_pages();
			cpu_relax();
		}
	}
}

static void load_or_walk(void *walker)
{
	if (smp_processor_id() == *(int *)walker) {
		walk();
	} else {
		for (int i = 0; i < LOADS_MAX && (!i || !READ_ONCE(walked)); i++)
			load(NULL);
		fetch_add32(&loading, -1U);
	}
}

static void case_walker(void)
{
	int walker = smp_processor_id();

	loading = (u32)num_online_cpus() - 1;
	walked = 0;
	on_all_cpus(load_or_walk, &walker);
	ktap_ok(num_online_cpus() == 1 || walked);
	ktap_ok(vmalloc_nr_pages() == 0);
	ktap_ok(vmalloc_check());
}

#define ENDINGS	     50
#define ENDED	     8
#define AROUND	     3
#define AROUND_PAGES 600

/*
 * What all CPUs do in step. What they end twice is of vmalloc(), what comes and goes around it of vmap(), so no late
 * vfree() can meet an area of the other kind; and no area begins at an odd page.
 */
static struct {
	void *mem[ENDED];		  /* the boot CPU's, or everybody's to read */
	u32 met;			  /* CPUs that have come to a meeting, all of them so far; atomic */
	u32 odd;			  /* wrong frees of odd pages; atomic */
	char *place;			  /* where something was mapped; atomic */
	struct page *pages[AROUND_PAGES]; /* one page, many times */
} twice;

static void meet(u32 *meetings)
{
	u32 all = ++*meetings * (u32)num_online_cpus();

	for (fetch_add32(&twice.met, 1); __atomic_load_n(&twice.met, __ATOMIC_ACQUIRE) < all;)
		cpu_relax();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void make_all(u64 *random)
{
	for (int i = 0; i < ENDED; i++) {
		twice.mem[i] = vmalloc(1 + next_random(random) % (i % 8 ? 20000 : 3UL << 20));
		ktap_ok(twice.mem[i] != NULL);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Blocks with a table of their own, and large areas, come and go. */
static void map_around(void)
{
	void *map[AROUND];

	for (unsigned int i = 0; i < AROUND; i++) {
		map[i] = vmap(twice.pages, i ? 300 : AROUND_PAGES, VM_MAP, PAGE_KERNEL);
		ktap_ok(map[i] != NULL);
		__atomic_store_n(&twice.place, map[i], __ATOMIC_RELEASE);
	}
	for (unsigned int i = 0; i < AROUND; i++)
		vunmap(map[i]);
}

static void end_together(void *maker)
{
	u64 random = 88172645463325252ULL + (u64)smp_processor_id();
	u32 meetings = 0;

	for (int round = 0; round < ENDINGS; round++) {
		char *place = __atomic_load_n(&twice.place, __ATOMIC_ACQUIRE);

		if (smp_processor_id() == *(int *)maker)
			make_all(&random);
		meet(&meetings);
		if ((round + smp_processor_id()) % 4 == 0)
			map_around();
		for (int i = 0; i < ENDED; i++)
			vfree(twice.mem[i]);
		if (place) {
			fetch_add32(&twice.odd, 1);
			vfree(place + (1 + 2 * (next_random(&random) % 128)) * PAGE_SIZE);
		}
		meet(&meetings);
	}
}

static void case_twice(void)
{
	u32 before = vmalloc_bad_frees(), again = ENDINGS * ENDED * ((u32)num_online_cpus() - 1);
	struct page *page = alloc_page(GFP_KERNEL);
	int maker = smp_processor_id();
	unsigned long free;

	if (!ktap_ok(page != NULL))
		return;
	memset(&twice, 0, sizeof(twice));
	for (int i = 0; i < AROUND_PAGES; i++)
		twice.pages[i] = page;
	free = quiet_free_pages();
	printk("vmalloc: what is ended twice now, by all CPUs at once, is ended so on purpose\n");
	on_all_cpus(end_together, &maker);
	ktap_ok(twice.odd > 0);
	ktap_ok(vmalloc_bad_frees() - before == again + twice.odd);
	ktap_ok(vmalloc_nr_pages() == 0);
	ktap_ok(vmalloc_check());
	ktap_ok(quiet_free_pages() == free);
	__free_page(page);
}

static const struct ktap_case cases[] = {
	{ "sizes, unmapped neighbours, and nothing after the end, on all CPUs", case_sizes },
	{ "what is refused", case_refused },
	{ "given pages, writable and read-only", case_vmap },
	{ "blocks of 2 MiB", case_huge },
	{ "a reference holds one page, past vfree()", case_reference },
	{ "rights of both addresses, and what vfree() gives back", case_rights },
	{ "a third address of a page that is executable", case_third },
	{ "all CPUs at once", case_all_cpus },
	{ "a CPU walks while the others map and unmap", case_walker },
	{ "all CPUs end each area at once: one does", case_twice },
};
KTAP_SUITE(vmalloc, cases, memory_check);
