/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be done in C before the MMU is on: relocate the image and build the tables that it will run on.
 *
 * 1. Everything here runs at the image's physical address. The address of a symbol, taken relative to the program
 *    counter, is then physical; a pointer stored in the image (a table of pointers, say) is virtual. So this file uses
 *    no stored pointers and calls nothing outside.
 * 2. Relocation: the image is linked at KIMAGE_VADDR and mapped at KIMAGE_VADDR plus the slide, which early_kaslr.c
 *    decides. Each R_AARCH64_RELATIVE entry names an address to be stored. The linker leaves no
 *    other kind; should one appear it is counted, and start_memstage() panics, for there is no way to speak yet.
 * 3. Tables: the image in pages (text RX, of it our own guarded by BTI, read-only data R, data RW), the boot stack in
 *    slot 0 of the stacks, the empty windows of the fixmap, and in tables of its own the page that turns the MMU on.
 * 4. Tables are zero when early_init() is called, and all memory here is device memory: nothing may be unaligned.
 *
 * Cost: about five instructions for each page of the image and ten for each relocation.
 */
#include <asm/const.h>
#include <asm/kaslr.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

#define R_AARCH64_RELATIVE 1027

struct boot_tables boot_tables __section(".noinit.tables");
u64 boot_idmap[4][PT_ENTRIES] __section(".noinit.tables") __aligned(PAGE_SIZE);
u8 boot_stack[STACK_SIZE] __section(".noinit.stack") __aligned(PAGE_SIZE);

u64 kimage_voffset __section(".noinit");
u64 boot_entry_ticks __section(".noinit");
u64 boot_entry_el __section(".noinit");
u64 boot_entry_caches __section(".noinit");
u64 boot_bad_relocs __section(".noinit");

u64 early_init(u64 entry_ticks, u64 entry_el, u64 entry_caches, u64 fdt_pa);

/* The physical address of something in the image, while the MMU is off. */
static u64 here(const void *symbol)
{
	return (uintptr_t)symbol;
}

u64 relocate_image(u64 slide)
{
	u64 load = here(_text) - KIMAGE_VADDR;
	u64 bad = 0;

	for (const struct elf_rela *rela = __rela_start; rela < __rela_end; rela++) {
		if ((u32)rela->info == R_AARCH64_RELATIVE)
			*(u64 *)(uintptr_t)(rela->offset + load) = rela->addend + slide;
		else
			bad++;
	}
	return bad;
}

/* PTE_GP, where this CPU has FEAT_BTI and the code landing pads; without FEAT_BTI the bit is reserved. */
static u64 guarded(void)
{
	return BRANCH_PROTECTED && sysreg_field(read_sysreg(id_aa64pfr1_el1), ID_AA64PFR1_BT_SHIFT) ? PTE_GP : 0;
}

/* Image pages from @start up to @end. */
static void map_image_part(const char *start, const char *end, u64 prot)
{
	u64 *entry = &boot_tables.image_l3[(start - _text) / PAGE_SIZE];

	for (u64 pa = here(start); pa < here(end); pa += PAGE_SIZE)
		*entry++ = pa | prot | PTE_PAGE;
}

static void map_image(u64 va)
{
	u64 *l2 = &boot_tables.image_l2[pt_index(va, 2)];

	boot_tables.pgd[pt_index(va, 0)] = here(boot_tables.high_l1) | PTE_TABLE;
	boot_tables.high_l1[pt_index(va, 1)] = here(boot_tables.image_l2) | PTE_TABLE;
	for (u64 i = 0; i < IMAGE_L3_ENTRIES; i += PT_ENTRIES)
		*l2++ = here(&boot_tables.image_l3[i]) | PTE_TABLE;
	map_image_part(_text, __guarded_text_start, PT_RX);
	map_image_part(__guarded_text_start, _etext, PT_RX | guarded());
	map_image_part(__rodata_start, __rodata_end, PT_RO);
	map_image_part(__data_start, _end, PT_RW);
}

static void map_boot_stack(void)
{
	u64 *entry = &boot_tables.stacks_l3[pt_index(STACK_BASE(0), 3)];

	boot_tables.pgd[pt_index(STACKS_START, 0)] = here(boot_tables.stacks_l1) | PTE_TABLE;
	boot_tables.stacks_l1[pt_index(STACKS_START, 1)] = here(boot_tables.stacks_l2) | PTE_TABLE;
	boot_tables.stacks_l2[pt_index(STACKS_START, 2)] = here(boot_tables.stacks_l3) | PTE_TABLE;
	for (u64 offset = 0; offset < STACK_SIZE; offset += PAGE_SIZE)
		*entry++ = here(boot_stack + offset) | PT_RW | PTE_PAGE;
}

static void map_fixmap(void)
{
	boot_tables.high_l1[pt_index(FIXMAP_START, 1)] = here(boot_tables.fix_l2) | PTE_TABLE;
	boot_tables.fix_l2[pt_index(FIX_SLOT_START, 2)] = here(boot_tables.fix_slot) | PTE_TABLE;
	boot_tables.fix_l2[pt_index(FIX_DEVICE_START, 2)] = here(boot_tables.fix_device) | PTE_TABLE;
	boot_tables.fix_l2[pt_index(FIX_BOOT_START, 2)] = here(boot_tables.fix_boot) | PTE_TABLE;
}

static void map_idmap(void)
{
	u64 pa = here(__idmap_text_start);

	for (int level = 0; level < PT_LAST_LEVEL; level++)
		boot_idmap[level][pt_index(pa, level)] = here(boot_idmap[level + 1]) | PTE_TABLE;
	boot_idmap[PT_LAST_LEVEL][pt_index(pa, PT_LAST_LEVEL)] = pa | PT_RX | PTE_PAGE;
}

/*
 * head.S calls this once, on the boot CPU, with the MMU off and the tables cleared. @fdt_pa: what the loader passed in
 * x0.
 * Return: the image's virtual minus its physical address.
 */
u64 early_init(u64 entry_ticks, u64 entry_el, u64 entry_caches, u64 fdt_pa)
{
	u64 slide = early_image_slide(fdt_pa);
	u64 voffset = KIMAGE_VADDR + slide - here(_text);

	boot_bad_relocs = relocate_image(slide);
	map_image(KIMAGE_VADDR + slide);
	map_boot_stack();
	map_fixmap();
	map_idmap();
	kimage_voffset = voffset;
	boot_entry_ticks = entry_ticks;
	boot_entry_el = entry_el;
	boot_entry_caches = entry_caches;
	return voffset;
}
