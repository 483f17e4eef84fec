// SPDX-License-Identifier: BSD-2-Clause
/* What the page tables promise, tried on every CPU: W^X, guards, no-map, and that what is mapped is mapped right. */
#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/port.h>

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

static const struct ktap_case cases[] = {
	{ "image is W^X on every CPU", case_image }, { "linear alias of the image", case_linear_alias },
	{ "stacks and their guards", case_stacks },  { "no-map ranges", case_nomap },
	{ "memory and memmap", case_memory },	     { "page tables keep the rules", case_tables },
};
KTAP_SUITE(map, cases, memory_check);
