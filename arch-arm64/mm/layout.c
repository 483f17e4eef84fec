/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the address space looks like, how much of it is in use, and how far this CPU's physical addresses reach.
 *
 * 1. All but the image's place is constant (<asm/layout.h>); it is printed at boot so that an address in a report can
 *    be placed by eye, and by the command `layout` with what is mapped of each part.
 * 2. parts[] is the one list of parts, in the order of addresses, apart from each other: the constants' order is
 *    asserted at compile time in <asm/layout.h>, that the image's parts follow each other by the linker script. The
 *    dump of the page tables takes its headings from it, and their check proves that nothing is mapped outside of it.
 * 3. What is mapped is counted in the page tables themselves, so the figure cannot differ from what is. It is of one
 *    moment for each table; on a machine that maps meanwhile, the sum is of no single one.
 */
#include <stdio.h>

#include <lib/monitor.h>
#include <lib/printk.h>

#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/sysreg.h>

#define LAYOUT_LINE_MAX 96

#define PART(part_name, from, to)                                                                 \
	{                                                                                         \
		.name = (part_name), .start = (u64)(uintptr_t)(from), .end = (u64)(uintptr_t)(to) \
	}

static const struct layout_part parts[] = {
	PART("linear map", LINEAR_START, LINEAR_END),
	PART("vmalloc", VMALLOC_START, VMALLOC_END),
	PART("vmemmap", VMEMMAP_START, VMEMMAP_END),
	PART("stacks", STACKS_START, STACKS_END),
	PART("image text", _text, _etext),
	PART("image rodata", __rodata_start, __rodata_end),
	PART("image data", __data_start, _end),
	PART("fixmap", FIXMAP_START, FIXMAP_END),
};

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

const struct layout_part *layout_part(unsigned int i)
{
	return i < ARRAY_SIZE(parts) ? &parts[i] : NULL;
}

const struct layout_part *layout_part_at(u64 va)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		if (va - parts[i].start < parts[i].end - parts[i].start)
			return &parts[i];
	return NULL;
}

/* "0x... - 0x...    240 TiB" */
static void format_part(const struct layout_part *part, char *buf, size_t size)
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB" };
	u64 amount = DIV_ROUND_UP(part->end - part->start, 1024);
	unsigned int unit = 0;

	while (amount % 1024 == 0 && unit + 1 < ARRAY_SIZE(units)) {
		amount /= 1024;
		unit++;
	}
	snprintf(buf, size, "%-12s 0x%016llx - 0x%016llx  %5llu %s", part->name, part->start, part->end - 1, amount,
		 units[unit]);
}

void arch_print_layout(void)
{
	char line[LAYOUT_LINE_MAX];

	printk("layout of the address space, %u-bit physical addresses:\n", arch_pa_bits());
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
		format_part(&parts[i], line, sizeof(line));
		printk("  %s\n", line);
	}
}

/* Bytes mapped in each part. */
struct usage {
	u64 mapped[ARRAY_SIZE(parts)];
};

static void count_leaf(const struct pt_leaf *leaf, void *arg)
{
	const struct layout_part *part = layout_part_at(leaf->va);
	struct usage *usage = arg;

	if (part && (leaf->entry & PTE_VALID))
		usage->mapped[part - parts] += leaf->size;
}

static int cmd_layout(int argc, char **argv)
{
	struct usage usage = { { 0 } };
	char line[LAYOUT_LINE_MAX];

	(void)argc;
	(void)argv;
	pt_visit(count_leaf, &usage);
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
		format_part(&parts[i], line, sizeof(line));
		con_printf("%s %12llu KiB mapped\n", line, usage.mapped[i] / 1024);
	}
	return 0;
}
MONITOR_CMD(layout, "", "the parts of the address space, and what is mapped of each", cmd_layout);
