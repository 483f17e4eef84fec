// SPDX-License-Identifier: BSD-2-Clause
/* What the page tables promise, tried on every CPU: W^X, guards, no-map, and that what is mapped is mapped right. */
#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/port.h>
#include <mm/vmalloc.h>

#include <asm/exception.h>
#include <asm/layout.h>
#include <asm/sections.h>

#include "target.h"

#define RET_INSTRUCTION 0xd65f03c0U

static const u32 rodata_ret[2] __aligned(8) = { RET_INSTRUCTION, RET_INSTRUCTION };
static u32 data_ret[2] __aligned(8) = { RET_INSTRUCTION, RET_INSTRUCTION };

static void try_image(void *arg)
{
	u64 value = 0;

	(void)arg;
	ktap_ok(arch_probe_read(_text, &value));
	ktap_ok(!arch_probe_write(_text, 0));
	ktap_ok(arch_probe_read(rodata_ret, &value));
	ktap_ok(!arch_probe_write((void *)(uintptr_t)rodata_ret, 0));
	ktap_ok(!arch_probe_exec(rodata_ret));
	ktap_ok(arch_probe_read(data_ret, &value));
	ktap_ok(arch_probe_write(data_ret, value));
	ktap_ok(!arch_probe_exec(data_ret));
	ktap_ok(!arch_probe_read(NULL, &value));
}

static void case_image(void)
{
	on_all_cpus(try_image, NULL);
}

/* The image's second address, in the linear map. */
static void case_linear_alias(void)
{
	void *text = __va(kimage_pa(_text)), *data = __va(kimage_pa(data_ret));
	u64 value = 0, alias = 1;

	ktap_ok(arch_probe_read(text, &alias) && arch_probe_read(_text, &value) && alias == value);
	ktap_ok(!arch_probe_write(text, value));
	ktap_ok(!arch_probe_exec(text));
	ktap_ok(arch_probe_read(data, &value) && value == *(u64 *)data_ret);
	ktap_ok(!arch_probe_exec(data));
}

static void try_stacks(void *arg)
{
	int cpu, here = smp_processor_id();
	u64 value;

	(void)arg;
	for_each_online_cpu(cpu) {
		ktap_ok(!arch_probe_read((void *)STACK_SLOT((u64)cpu), &value));
		ktap_ok(!arch_probe_read((void *)(STACK_BASE((u64)cpu) - 8), &value));
		ktap_ok(arch_probe_read((void *)STACK_BASE((u64)cpu), &value));
	}
	ktap_ok((u64)__builtin_frame_address(0) > STACK_BASE((u64)here) &&
		(u64)__builtin_frame_address(0) < STACK_TOP((u64)here));
}

static void case_stacks(void)
{
	on_all_cpus(try_stacks, NULL);
}

static void case_nomap(void)
{
	bool any = false;

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);
		u64 value;

		if (c->kind != CLAIM_NOMAP || !memblock_is_memory(c->base))
			continue;
		any = true;
		ktap_ok(!arch_probe_read(__va(c->base), &value));
		ktap_ok(!arch_probe_read(__va(c->base + c->size - 8), &value));
		ktap_ok(!memblock_is_map_memory(c->base));
	}
	if (!any)
		ktap_skip("the tree has no no-map range");
}

/* The first and last page of every memory region are mapped, and struct pages are where the arithmetic says. */
static void case_memory(void)
{
	struct memblock_region *r;

	for_each_mem_region(r) {
		u64 value;

		if (r->flags & MEMBLOCK_NOMAP)
			continue;
		ktap_ok(arch_probe_read(__va(r->base), &value));
		ktap_ok(arch_probe_read(__va(r->base + r->size - 8), &value));
		ktap_ok(!arch_probe_exec(__va(r->base)));
		ktap_ok(arch_probe_read(pfn_to_page(PFN_UP(r->base)), &value));
		ktap_ok(arch_probe_read(pfn_to_page(PFN_DOWN(r->base + r->size) - 1), &value));
	}
	ktap_ok((void *)pfn_to_page(5) == (char *)VMEMMAP_START + 5 * sizeof(struct page));
}

static void case_tables(void)
{
	struct pt_stats stats;

	ktap_ok(arch_pt_check(&stats));
	ktap_ok(stats.tables > 0);
}

/* What breaks a rule is counted as what it is, in each of the ways that there are. */
static void case_breaches(void)
{
	static const struct {
		const char *how;
		unsigned long wx, user, others;
	} ways[] = {
		{ "wx", 3, 0, 0 },	   { "user", 0, 3, 0 },	       { "user-exec", 0, 3, 0 },
		{ "wx-user", 3, 3, 0 },	   { "no-access", 0, 0, 3 },   { "reserved", 0, 0, 3 },
		{ "hint", 0, 0, 3 },	   { "group-hint", 0, 0, 15 }, { "group-rights", 0, 0, 16 },
		{ "misaligned", 0, 0, 1 }, { "no-part", 0, 0, 1 },     { "top-block", 0, 0, 1 },
		{ "count", 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct pt_stats stats;

		if (!ktap_ok(pt_break(ways[i].how)))
			return;
		ktap_ok(!arch_pt_check(&stats));
		ktap_ok(stats.wx == ways[i].wx && stats.user == ways[i].user && stats.others == ways[i].others);
		pt_mend();
		ktap_ok(arch_pt_check(&stats));
	}
}

/*
 * How many CPUs map and unmap at most, and rounds divided by CPUs on line: each unmapping is told to all CPUs, which an
 * emulator with more CPUs than its host takes its time for.
 */
#define MAP_CPUS   8
#define MAP_ROUNDS 600

/*
 * Walks that have ended: the others begin after the first, for a busy host may not run the walker's CPU until they are
 * done. CPUs that have done their rounds: the walk goes on until all others have. Large areas that were had. Atomic.
 */
static u32 walks, cpus_done, areas_mapped;

/* Take pages that were tables until now, and write into them what would be breaches if they still were. */
static void reuse_tables(void)
{
	struct page *pages[8];
	size_t n = 0;

	while (n < ARRAY_SIZE(pages) && (pages[n] = alloc_page(GFP_KERNEL | __GFP_NOWARN)))
		fill_lines(page_address(pages[n++]), PAGE_SIZE / 64, (PT_RW & ~PTE_PXN) | PTE_PAGE);
	while (n)
		__free_page(pages[--n]);
}

/* Memory may be too small for all CPUs' areas at once: what cannot be had is left out. */
static void map_and_unmap(void)
{
	u64 random = 88172645463325252ULL + (u64)smp_processor_id();

	for (int i = 0; i < MAP_ROUNDS / num_online_cpus(); i++) {
		size_t small = 1 + next_random(&random) % 40 * PAGE_SIZE;
		size_t large = (1 + next_random(&random) % 4) * VMAP_BLOCK_SIZE;
		void *a = __vmalloc(small, GFP_KERNEL | __GFP_NOWARN);
		void *b = vmalloc_huge(large, GFP_KERNEL | __GFP_NOWARN);
		void *c = __vmalloc(large, GFP_KERNEL | __GFP_NOWARN);

		fetch_add32(&areas_mapped, c != NULL);
		vfree(b);
		vfree(a);
		vfree(c);
		reuse_tables();
	}
}

static void walk_or_map(void *arg)
{
	struct pt_stats stats;
	bool ok;

	(void)arg;
	if (smp_processor_id() != 0) {
		while (!__atomic_load_n(&walks, __ATOMIC_ACQUIRE))
			cpu_relax();
		if (smp_processor_id() < MAP_CPUS)
			map_and_unmap();
		fetch_add32(&cpus_done, 1);
		return;
	}
	do {
		ok = ktap_ok(arch_pt_check(&stats));
		fetch_add32(&walks, 1);
		cpu_relax();
	} while (ok && __atomic_load_n(&cpus_done, __ATOMIC_ACQUIRE) < (u32)num_online_cpus() - 1);
	ktap_ok(areas_mapped > 0 || num_online_cpus() == 1);
}

/* Tables come and go under the walk, and their pages get other owners. */
static void case_walk_while_mapping(void)
{
	walks = cpus_done = areas_mapped = 0;
	on_all_cpus(walk_or_map, NULL);
}

static const struct ktap_case cases[] = {
	{ "image is W^X on every CPU", case_image },
	{ "linear alias of the image", case_linear_alias },
	{ "stacks and their guards", case_stacks },
	{ "no-map ranges", case_nomap },
	{ "memory and memmap", case_memory },
	{ "page tables keep the rules", case_tables },
	{ "what breaks a rule is found", case_breaches },
	{ "tables are walked while all CPUs map and unmap", case_walk_while_mapping },
};
KTAP_SUITE(map, cases, memory_check);
