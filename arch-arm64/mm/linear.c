/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The large mappings made while memory management comes up: all RAM, the memmap, the stacks.
 *
 * 1. Linear map: RAM at its physical address plus a constant, readable and writable, not executable, in blocks of
 *    1 GiB and 2 MiB and, at the edges of a range, pages.
 * 2. The image's text and read-only data lie in RAM too. Their second address in the linear map is read-only as well,
 *    or W^X would hold only on paper; so a range that contains them is mapped in up to three pieces.
 * 3. Stacks: STACK_SIZE bytes in the upper half of each CPU's slot; the lower half is never mapped.
 *
 * Callers: the boot CPU in mm_init(), before it starts the others; no lock. Out of memory is a panic that says what
 * for, except in arch_map_vmemmap(), whose caller can name the section.
 */
#include <errno.h>

#include <lib/printk.h>

#include <mm/discover.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

static const char *map_error(int err)
{
	return err == -EEXIST ? "part of it is mapped" : "no memory for page tables";
}

static void map_linear(phys_addr_t base, phys_addr_t end, u64 prot)
{
	int err = base < end ? pt_map(base | LINEAR_START, base, end - base, prot, pt_boot_alloc) : 0;

	if (err)
		panic("linear map of 0x%llx..0x%llx: %s", base, end, map_error(err));
}

void arch_map_linear(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t ro_base = max(base, kimage_pa(_text));
	phys_addr_t ro_end = min(end, kimage_pa(__rodata_end));

	BUG_ON(end > arch_phys_limit());
	if (ro_base >= ro_end) {
		map_linear(base, end, PT_RW);
		return;
	}
	map_linear(base, ro_base, PT_RW);
	map_linear(ro_base, ro_end, PT_RO);
	map_linear(ro_end, end, PT_RW);
}

void arch_linear_map_done(void)
{
	pt_use_linear_map();
}

int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size)
{
	BUG_ON(va < VMEMMAP_START || va >= VMEMMAP_END || size > VMEMMAP_END - va);
	return pt_map(va, pa, size, PT_RW, pt_boot_alloc);
}

void arch_alloc_stack(int cpu, int nid)
{
	phys_addr_t pa = boot_phys_alloc(STACK_SIZE, PAGE_SIZE, nid, "stacks");
	int err;

	BUG_ON(cpu <= 0 || cpu >= CONFIG_NR_CPUS);
	err = pt_map(STACK_BASE(cpu), pa, STACK_SIZE, PT_RW, pt_boot_alloc);
	if (err)
		panic("stack of CPU%d: %s", cpu, map_error(err));
}
