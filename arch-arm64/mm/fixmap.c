/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fixmap: windows whose tables are part of the image, so that they work before there is an allocator.
 *
 * 1. Window on the device tree: two blocks of 2 MiB, read-only. A tree of at most 2 MiB, wherever it begins, lies in
 *    the block of its first byte and the one after; the second is mapped only if the tree reaches it.
 * 2. Windows of pages that fill from the bottom and stay: device registers (nGnRE), and RAM for arch_boot_va(). What
 *    lies at an address in them never changes, so no TLB invalidation is needed.
 * 3. Single pages that change: one for the early console, one for each level of tables (pt_table()), and one through
 *    which text is changed (cpu/alternative.c), at boot only. There the old entry is taken away, and the TLB told,
 *    before the new one is written (break-before-make, Arm ARM D8.16.1). Only the boot CPU uses them, before it starts
 *    the others, whose TLBs are empty when they begin; so only its own TLB is told. arch_linear_map_done() clears those
 *    of tables for good.
 * 4. Behind the single pages: the slots of early_ioremap() (mm/early_ioremap.c), which other CPUs may have in their
 *    TLBs when it ends late in the boot: all TLBs are told.
 * 5. One more page that changes, while the machine runs: the alias of a table (pt_live.c). It is empty in between, and
 *    all TLBs are told when it becomes so, because the next user may be another CPU.
 * 6. Who has which registers mapped is held in mm/memtype.c, for which this file has the memory.
 *
 * Callers: the boot CPU, before it starts the others; no lock. (arch_boot_va() is called later too: it is __va() then.)
 * The alias: pt_mutex.
 */
#include <stdio.h>

#include <lib/printk.h>

#include <mm/memtype.h>

#include <libfdt.h>

#include <asm/barrier.h>
#include <asm/exception.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>
#include <asm/sections.h>
#include <asm/vmap.h>

#define FDT_SIZE_MAX FIXMAP_WINDOW

_Static_assert(FIXMAP_WINDOW == PT_SPAN(2), "a window is what one table of level 3 maps");
_Static_assert(FIX_TABLE(PT_LAST_LEVEL) < FIX_TEXT && FIX_TEXT < FIX_ALIAS && FIX_ALIAS < FIX_EARLY(0) &&
		       FIX_EARLY(EARLY_SLOTS) <= FIX_DEVICE_START,
	       "the single pages are apart, the early slots behind them, and all fit in their window");

/**
 * struct window - pages handed out from the bottom
 * @entries: its table of level 3
 * @va: its first address
 * @used: pages handed out; used + free = PT_ENTRIES
 */
struct window {
	u64 *entries;
	u64 va;
	unsigned int used;
};

static struct window device_window = { .entries = boot_tables.fix_device, .va = FIX_DEVICE_START };
static struct window boot_window = { .entries = boot_tables.fix_boot, .va = FIX_BOOT_START };

/* Whose registers are in the device window. */
static struct memtype_range devices[32];
static unsigned int nr_devices;

/* Which table page each level's single page shows; 0 for none. */
static phys_addr_t shown_table[PT_LAST_LEVEL + 1];

static void *window_map(struct window *window, phys_addr_t pa, size_t size, u64 prot)
{
	phys_addr_t first = ALIGN_DOWN(pa, PAGE_SIZE);
	u64 pages = (ALIGN(pa + size, PAGE_SIZE) - first) >> PAGE_SHIFT;
	u64 va = window->va + window->used * PAGE_SIZE;

	if (pages > PT_ENTRIES - window->used)
		return NULL;
	for (u64 i = 0; i < pages; i++)
		window->entries[window->used++] = (first + i * PAGE_SIZE) | prot | PTE_PAGE;
	dsb(ishst);
	isb();
	return (void *)(uintptr_t)(va + (pa - first));
}

/* Whether the registers follow those held last and are called the same: then those are more from now on. */
static bool extends_last(phys_addr_t pa, u64 size, const char *name)
{
	struct memtype_range *last = nr_devices ? &devices[nr_devices - 1] : NULL;

	return last && last->name == name && last->base + last->size == pa && memtype_extend(last, size);
}

void arch_hold_device(phys_addr_t pa, u64 size, const char *name, const void *caller, const void *va)
{
	struct memtype_range *device = &devices[nr_devices];

	if (extends_last(pa, size, name))
		return;
	if (nr_devices == ARRAY_SIZE(devices)) {
		printk("device at 0x%llx: %u of %zu are held: 0x%llx bytes of %s are not\n", pa, nr_devices,
		       ARRAY_SIZE(devices), size, name);
		return;
	}
	*device = (struct memtype_range){
		.base = pa,
		.size = size,
		.type = MEMTYPE_DEVICE,
		.name = name,
		.caller = caller,
		.va = ALIGN_DOWN((uintptr_t)va, PAGE_SIZE),
		.device = true,
	};
	nr_devices += memtype_hold(device, false);
}

void *arch_map_device(phys_addr_t pa, size_t size, const char *name)
{
	void *va;

	if (!arch_pa_valid(pa, size))
		panic("device at 0x%llx: beyond the CPU's %u-bit physical addresses", pa, arch_pa_bits());
	va = window_map(&device_window, pa, size, PT_DEVICE);
	if (!va)
		panic("device at 0x%llx: 0x%zx bytes of registers do not fit, %u of %u pages are in use", pa, size,
		      device_window.used, PT_ENTRIES);
	if (name)
		arch_hold_device(pa, size, name, __builtin_return_address(0), va);
	return va;
}

void *arch_boot_va(phys_addr_t pa, size_t size)
{
	if (pt_linear_ready())
		return __va(pa);
	return window_map(&boot_window, pa, size, PT_RW);
}

/* Change what a single page of the fixmap shows; an @entry of 0 for nothing. */
static void set_single(u64 va, u64 entry)
{
	u64 *slot = &boot_tables.fix_slot[pt_index(va, PT_LAST_LEVEL)];

	if (*slot) {
		WRITE_ONCE(*slot, 0);
		dsb(nshst);
		__asm__ volatile("tlbi vae1, %0" : : "r"((va << 8) >> (8 + PAGE_SHIFT)) : "memory");
		dsb(nsh);
	}
	WRITE_ONCE(*slot, entry);
	dsb(nshst);
	isb();
}

u64 *fixmap_table(phys_addr_t pa, int level)
{
	u64 va = FIX_TABLE(level);

	if (shown_table[level] != pa) {
		set_single(va, pa | PT_RW | PTE_PAGE);
		shown_table[level] = pa;
	}
	return (u64 *)(uintptr_t)va;
}

void *arch_map_early_uart(phys_addr_t pa)
{
	phys_addr_t page = ALIGN_DOWN(pa, PAGE_SIZE);

	set_single(FIX_EARLY_UART, page | PT_DEVICE | PTE_PAGE);
	return (void *)(uintptr_t)(FIX_EARLY_UART + (pa - page));
}

void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64 prot)
{
	u64 *entry = &boot_tables.fix_slot[pt_index(FIX_EARLY(slot), PT_LAST_LEVEL)];

	for (unsigned int i = 0; i < pages; i++)
		WRITE_ONCE(entry[i], (pa + i * PAGE_SIZE) | prot | PTE_PAGE);
	dsb(ishst);
	isb();
	return (void *)FIX_EARLY(slot);
}

void arch_early_unmap(unsigned int slot, unsigned int pages)
{
	u64 *entry = &boot_tables.fix_slot[pt_index(FIX_EARLY(slot), PT_LAST_LEVEL)];

	for (unsigned int i = 0; i < pages; i++)
		WRITE_ONCE(entry[i], 0);
	arch_flush_tlb_kernel(FIX_EARLY(slot), FIX_EARLY(slot) + pages * PAGE_SIZE);
}

void fixmap_release_tables(void)
{
	for (int level = 0; level <= PT_LAST_LEVEL; level++) {
		set_single(FIX_TABLE(level), 0);
		shown_table[level] = 0;
	}
}

u64 *fixmap_alias(phys_addr_t pa)
{
	boot_tables.fix_slot[pt_index(FIX_ALIAS, PT_LAST_LEVEL)] = pa | PT_RW | PTE_PAGE;
	dsb(ishst);
	isb();
	return (u64 *)FIX_ALIAS;
}

void fixmap_release_alias(void)
{
	WRITE_ONCE(boot_tables.fix_slot[pt_index(FIX_ALIAS, PT_LAST_LEVEL)], 0);
	pt_written();
	pt_invalidate(FIX_ALIAS);
	pt_invalidated();
}

/* Which page of text is shown; 0 for none. */
static phys_addr_t shown_text;

u32 *fixmap_text(phys_addr_t pa)
{
	if (shown_text != pa) {
		set_single(FIX_TEXT, pa | PT_RW | PTE_PAGE);
		shown_text = pa;
	}
	return (u32 *)FIX_TEXT;
}

void fixmap_release_text(void)
{
	set_single(FIX_TEXT, 0);
	shown_text = 0;
}

static void map_fdt_block(unsigned int i, phys_addr_t block)
{
	boot_tables.fix_l2[pt_index(FIX_FDT_START, 2) + i] = (block + i * PT_SPAN(2)) | PT_RO | PTE_BLOCK;
	dsb(ishst);
	isb();
}

/* What is wrong with a tree at @pa, as far as can be told without looking at it; NULL when nothing is. */
static const char *fdt_address_fault(phys_addr_t pa)
{
	if (!pa)
		return "the boot loader passed none (x0 is 0)";
	if (pa % sizeof(u64))
		return "its address is not a multiple of 8";
	if (!arch_pa_valid(pa, FDT_SIZE_MAX))
		return "its address is beyond the CPU's physical addresses";
	return NULL;
}

/* What is wrong with the first eight bytes of the tree, magic and size. */
static const char *fdt_header_fault(const void *fdt)
{
	u64 first_bytes;

	if (!arch_probe_read(fdt, &first_bytes))
		return "nothing answers at its address";
	if (fdt_magic(fdt) != FDT_MAGIC)
		return "no device tree at its address (wrong magic)";
	if (fdt_totalsize(fdt) > FDT_SIZE_MAX)
		return "larger than 2 MiB";
	if (fdt_totalsize(fdt) < sizeof(struct fdt_header))
		return "smaller than its header";
	return NULL;
}

/* What is wrong with the pages of the tree behind its first: memory may end before it does. */
static const char *fdt_extent_fault(const void *fdt, phys_addr_t pa)
{
	static char why[80];
	u64 word, size = fdt_totalsize(fdt);

	for (u64 at = PAGE_SIZE - pa % PAGE_SIZE; at < size; at += PAGE_SIZE) {
		if (arch_probe_read((const char *)fdt + at, &word))
			continue;
		snprintf(why, sizeof(why), "%llu bytes, but nothing answers at 0x%llx", size, pa + at);
		return why;
	}
	return NULL;
}

const void *arch_map_fdt(phys_addr_t pa, const char **why)
{
	phys_addr_t block = ALIGN_DOWN(pa, PT_SPAN(2));
	const void *fdt = (const void *)(uintptr_t)(FIX_FDT_START + (pa - block));

	*why = fdt_address_fault(pa);
	if (*why)
		return NULL;
	map_fdt_block(0, block);
	*why = fdt_header_fault(fdt);
	if (*why)
		return NULL;
	if (pa - block + fdt_totalsize(fdt) > PT_SPAN(2))
		map_fdt_block(1, block);
	*why = fdt_extent_fault(fdt, pa);
	return *why ? NULL : fdt;
}
