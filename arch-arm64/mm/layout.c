/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the address space looks like and how far this CPU's physical addresses reach, and the clearing of a page.
 *
 * 1. The layout is constant (<asm/layout.h>); it is printed so that an address in a report can be placed by eye.
 * 2. clear_page() uses DC ZVA, which zeroes a block (DCZID_EL0.BS is log2 of its words; 64 bytes on most cores) without
 *    reading it, four blocks per turn. Where blocks are too large for that, or where a hypervisor prohibits DC ZVA
 *    (DCZID_EL0.DZP), the page is stored to. Cost: with blocks of 64 bytes, 170 instructions.
 * 3. fill_lines() does so too, where a block is one of its units; else four stores make a unit.
 */
#include <string.h>

#include <lib/printk.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/sysreg.h>

#define DCZID_DZP     (1U << 4)
#define DCZID_BS_MASK 0xfU

void clear_page(void *page)
{
	u64 dczid = read_sysreg(dczid_el0);
	u64 block = 4UL << (dczid & DCZID_BS_MASK);
	char *end = (char *)page + PAGE_SIZE;

	if ((dczid & DCZID_DZP) || 4 * block > PAGE_SIZE) {
		memset(page, 0, PAGE_SIZE);
		return;
	}
	for (char *p = page; p < end; p += 4 * block)
		__asm__ volatile("dc zva, %0\n\t"
				 "dc zva, %1\n\t"
				 "dc zva, %2\n\t"
				 "dc zva, %3"
				 :
				 : "r"(p), "r"(p + block), "r"(p + 2 * block), "r"(p + 3 * block)
				 : "memory");
}

/* DC ZVA zeroes just 64 bytes. */
#define DCZID_64_BYTES 4

static __always_inline void zero_and_store(u64 *line, u64 first)
{
	__asm__ volatile("dc zva, %0" : : "r"(line) : "memory");
	*line = first;
}

static __always_inline void store_line(u64 *line, u64 first)
{
	line[0] = first;
	line[1] = 0;
	line[2] = 0;
	line[3] = 0;
	line[4] = 0;
	line[5] = 0;
	line[6] = 0;
	line[7] = 0;
}

void fill_lines(void *lines, unsigned long n, u64 first)
{
	bool zva = (read_sysreg(dczid_el0) & (DCZID_DZP | DCZID_BS_MASK)) == DCZID_64_BYTES;
	u64 *line = lines, *end = line + n * 8;

	if (zva) {
#pragma GCC unroll 8
		for (; line < end; line += 8)
			zero_and_store(line, first);
	} else {
#pragma GCC unroll 8
		for (; line < end; line += 8)
			store_line(line, first);
	}
}

unsigned int arch_pa_bits(void)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };
	unsigned int range = sysreg_field(read_sysreg(id_aa64mmfr0_el1), 0);

	return bits[min(range, (unsigned int)PARANGE_48)];
}

bool arch_pa_valid(phys_addr_t pa, u64 size)
{
	u64 limit = 1ULL << arch_pa_bits();

	return pa < limit && size <= limit - pa;
}

phys_addr_t arch_phys_limit(void)
{
	return min(PHYS_ADDR_LIMIT, 1ULL << arch_pa_bits());
}

static void print_part(const char *name, const void *start, const void *end)
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB" };
	u64 size = DIV_ROUND_UP((uintptr_t)end - (uintptr_t)start, 1024);
	unsigned int unit = 0;

	while (size % 1024 == 0 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1024;
		unit++;
	}
	printk("  %-12s 0x%016llx - 0x%016llx  %5llu %s\n", name, (u64)(uintptr_t)start, (u64)(uintptr_t)end - 1, size,
	       units[unit]);
}

#define PRINT_PART(name, start, end) print_part(name, (const void *)(start), (const void *)(end))

void arch_print_layout(void)
{
	printk("layout of the address space, %u-bit physical addresses:\n", arch_pa_bits());
	PRINT_PART("linear map", LINEAR_START, LINEAR_END);
	PRINT_PART("vmalloc", VMALLOC_START, VMALLOC_END);
	PRINT_PART("vmemmap", VMEMMAP_START, VMEMMAP_END);
	PRINT_PART("stacks", STACKS_START, STACKS_END);
	PRINT_PART("image text", _text, _etext);
	PRINT_PART("image rodata", __rodata_start, __rodata_end);
	PRINT_PART("image data", __data_start, _end);
	PRINT_PART("fixmap", FIXMAP_START, FIXMAP_END);
}
