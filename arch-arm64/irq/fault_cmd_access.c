/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that the page tables forbid, for the command `fault`: one for each promise of W^X, of the guards and of
 * no-map.
 *
 * 1. An access is a kind and an address. The address is said before, so that whoever reads the report can compare it
 *    with the one that the hardware gives.
 * 2. What is called holds a RET, so that a call that should fault and does not comes back and is told of.
 * 3. What an access needs, an area of vmalloc() say, is made by the CPU that does it, and is never given back: the run
 *    ends with the report.
 * 4. The accesses are assembly, so that the compiler, which may assume that they do not happen, keeps them.
 */
#include <string.h>

#include <asm/layout.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/vmalloc.h>

#include "fault_cmd.h"

#define RET_INSTRUCTION 0xd65f03c0U
#define TRIED_BYTES	4

static u32 ret_in_data = RET_INSTRUCTION;
static const u32 ret_in_rodata = RET_INSTRUCTION;

static void *with_ret(void *place)
{
	if (place)
		*(u32 *)place = RET_INSTRUCTION;
	else
		printk("fault: no memory for it\n");
	return place;
}

static void *at_null(void)
{
	return NULL;
}

static void *at_text(void)
{
	return _text;
}

static void *at_rodata(void)
{
	return (void *)(uintptr_t)&ret_in_rodata;
}

static void *at_data(void)
{
	return &ret_in_data;
}

/* The image's second address. */
static void *at_text_alias(void)
{
	return __va(kimage_pa(_text));
}

static void *at_rodata_alias(void)
{
	return __va(kimage_pa(&ret_in_rodata));
}

static void *at_tree(void)
{
	return (void *)FIX_FDT_START;
}

static void *past_image(void)
{
	return _end;
}

static void *before_image(void)
{
	return (void *)((uintptr_t)_text - TRIED_BYTES);
}

/* A page of free memory, by its linear address. */
static void *at_linear(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	return with_ret(page ? page_address(page) : NULL);
}

static void *at_vmalloc(void)
{
	return with_ret(vmalloc(PAGE_SIZE));
}

static void *past_vmalloc(void)
{
	char *area = at_vmalloc();

	return area ? area + PAGE_SIZE : NULL;
}

/* A large area, which is mapped by tables or blocks of its own. */
static void *past_large_vmalloc(void)
{
	char *area = with_ret(vmalloc_huge(2 * VMAP_BLOCK_SIZE, GFP_KERNEL));

	/* Another one behind it. */
	with_ret(vmalloc_huge(2 * VMAP_BLOCK_SIZE, GFP_KERNEL));
	return area ? area + 2 * VMAP_BLOCK_SIZE : NULL;
}

/* The page before an area, at its end: there is another area before that. */
static void *before_area(char *first, char *second)
{
	if (!first || !second) {
		printk("fault: no memory for it\n");
		return NULL;
	}
	return max(first, second) - TRIED_BYTES;
}

static void *before_vmalloc(void)
{
	char *first = vmalloc(PAGE_SIZE);

	return before_area(first, vmalloc(PAGE_SIZE));
}

static void *before_large_vmalloc(void)
{
	char *first = vmalloc_huge(2 * VMAP_BLOCK_SIZE, GFP_KERNEL);

	return before_area(first, vmalloc_huge(2 * VMAP_BLOCK_SIZE, GFP_KERNEL));
}

/* Freed, and every TLB told. */
static void *at_freed_vmalloc(void)
{
	void *area = at_vmalloc();

	vfree(area);
	vm_unmap_aliases();
	return area;
}

static void *at_vmap_ro(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *map = page ? vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO) : NULL;

	if (!map)
		printk("fault: no memory for it\n");
	return map;
}

static void *at_vmap(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	return with_ret(page ? vmap(&page, 1, VM_MAP, PAGE_KERNEL) : NULL);
}

/* This CPU's part of a chunk that was added when the first one was full. */
static void *at_percpu_chunk(void)
{
	char *place = at_linear();

	while (place && !is_vmalloc_addr(place)) {
		char *cookie = __alloc_percpu(PERCPU_ALLOC_MAX, sizeof(u32));

		place = cookie ? per_cpu_ptr(cookie, smp_processor_id()) : NULL;
	}
	return with_ret(place);
}

/* In the struct page of a page that is ours. */
static void *at_struct_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	return with_ret(page ? &page->private : NULL);
}

/* The first device that was mapped. */
static void *at_device(void)
{
	return (void *)FIX_DEVICE_START;
}

/* This CPU's stack, far below what is in use. */
static void *at_stack(void)
{
	return with_ret((void *)STACK_BASE((u64)smp_processor_id()));
}

static void *at_own_guard(void)
{
	return (void *)(STACK_BASE((u64)smp_processor_id()) - TRIED_BYTES);
}

static void *at_other_guard(void)
{
	u64 cpu = ((u64)smp_processor_id() + 1) % (u64)nr_cpu_ids;

	return (void *)STACK_SLOT(cpu);
}

static void *at_nomap(void)
{
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->kind == CLAIM_NOMAP)
			return __va(c->base);
	}
	printk("fault: the tree has no no-map range\n");
	return NULL;
}

/* Behind the last byte of memory, where the next bank would be. */
static void *past_memory(void)
{
	return __va(ALIGN(memblock_end_of_DRAM(), PAGE_SIZE));
}

/* The struct page of the last frame that there can be. */
static void *at_vmemmap_hole(void)
{
	return (void *)(VMEMMAP_END - sizeof(struct page));
}

static void *past_vmemmap(void)
{
	return (void *)VMEMMAP_END;
}

const struct fault_kind fault_accesses[] = {
	{ "null", NULL, FAULT_READ, at_null },
	{ "null-exec", NULL, FAULT_EXEC, at_null },
	{ "text-write", NULL, FAULT_WRITE, at_text },
	{ "text-alias-write", NULL, FAULT_WRITE, at_text_alias },
	{ "text-alias-exec", NULL, FAULT_EXEC, at_text_alias },
	{ "rodata-write", NULL, FAULT_WRITE, at_rodata },
	{ "rodata-exec", NULL, FAULT_EXEC, at_rodata },
	{ "rodata-alias-write", NULL, FAULT_WRITE, at_rodata_alias },
	{ "tree-write", NULL, FAULT_WRITE, at_tree },
	{ "data-exec", NULL, FAULT_EXEC, at_data },
	{ "linear-exec", NULL, FAULT_EXEC, at_linear },
	{ "stack-exec", NULL, FAULT_EXEC, at_stack },
	{ "vmalloc-exec", NULL, FAULT_EXEC, at_vmalloc },
	{ "vmap-exec", NULL, FAULT_EXEC, at_vmap },
	{ "percpu-exec", NULL, FAULT_EXEC, at_percpu_chunk },
	{ "vmemmap-exec", NULL, FAULT_EXEC, at_struct_page },
	{ "device-exec", NULL, FAULT_EXEC, at_device },
	{ "vmap-ro-write", NULL, FAULT_WRITE, at_vmap_ro },
	{ "vmalloc-guard", NULL, FAULT_READ, past_vmalloc },
	{ "vmalloc-large-guard", NULL, FAULT_READ, past_large_vmalloc },
	{ "vmalloc-before", NULL, FAULT_READ, before_vmalloc },
	{ "vmalloc-large-before", NULL, FAULT_READ, before_large_vmalloc },
	{ "vmalloc-freed", NULL, FAULT_READ, at_freed_vmalloc },
	{ "stack-guard", NULL, FAULT_READ, at_own_guard },
	{ "stack-guard-write", NULL, FAULT_WRITE, at_own_guard },
	{ "other-stack-guard", NULL, FAULT_READ, at_other_guard },
	{ "nomap", NULL, FAULT_READ, at_nomap },
	{ "nomap-write", NULL, FAULT_WRITE, at_nomap },
	{ "nomap-exec", NULL, FAULT_EXEC, at_nomap },
	{ "linear-hole", NULL, FAULT_READ, past_memory },
	{ "vmemmap-hole", NULL, FAULT_READ, at_vmemmap_hole },
	{ "past-vmemmap", NULL, FAULT_READ, past_vmemmap },
	{ "past-image", NULL, FAULT_READ, past_image },
	{ "before-image", NULL, FAULT_READ, before_image },
	{ .name = NULL },
};

void fault_access(const struct fault_kind *kind, bool say)
{
	static const char *const verbs[] = { "read", "write", "call" };
	void *addr = (kind->where)();
	u32 value;

	if (!addr && kind->where != at_null)
		return;
	if (say)
		printk("fault: CPU %d: %s of 0x%llx\n", smp_processor_id(), verbs[kind->how], (u64)(uintptr_t)addr);
	switch (kind->how) {
	case FAULT_READ:
		__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
		break;
	case FAULT_WRITE:
		__asm__ volatile("str wzr, [%0]" : : "r"(addr) : "memory");
		break;
	case FAULT_EXEC:
		__asm__ volatile("blr %0" : : "r"(addr) : "x30", "memory");
	}
	printk("fault: nothing has stopped it\n");
}
