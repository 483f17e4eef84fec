/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which redistributor of a GICv3 is whose (Arm IHI 0069, 12.11).
 *
 * 1. The tree gives regions: `#redistributor-regions` pairs of reg after the first (one without that property). In a
 *    region redistributors follow each other: two frames each, four with virtual LPIs (GICR_TYPER.VLPIS), or, where
 *    the tree has it, `redistributor-stride` bytes. GICR_TYPER.Last ends a region; its end does so too.
 * 2. GICR_TYPER says whose it is, by the affinity fields of MPIDR. Those of CPUs that the tree names are mapped for
 *    good, two pages each; all are looked at by early_ioremap(), because a region may be larger than the window for
 *    registers: QEMU describes 123 redistributors, 15 MiB.
 * 3. Nothing is believed: a place that does not answer, or does not identify itself as GICv3 or later, ends its region,
 *    with a line; CPUs whose redistributor is not found stay off, each with a line (gicv3.c). A stride that is not a
 *    multiple of a frame, or too small for a redistributor, would have us look between registers: no region is walked.
 * 4. A CPU that has two keeps the first.
 * 5. Cost: one look at each redistributor, each with a search among the CPUs. Nothing changes after the walk, so any
 *    CPU may read what it found.
 */
#include <libfdt.h>

#include <asm/exception.h>
#include <asm/io.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/smp.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <mm/io.h>

#include "gicv3.h"

#define GICR_TYPER	     0x0008
#define TYPER_VLPIS	     BIT(1)
#define TYPER_LAST	     BIT(4)
#define TYPER_AFFINITY(type) ((u32)((type) >> 32)) /* Aff3 to Aff0, a byte each */

#define REDIST_SIZE (2 * (u64)GICV3_FRAME)

static struct gicv3_redist redists[CONFIG_NR_CPUS];

const struct gicv3_redist *gicv3_redist(int cpu)
{
	return &redists[cpu];
}

/* MPIDR has Aff3 in bits 39:32, the others where GICR_TYPER has them. */
static u64 mpidr_of(u32 affinity)
{
	return (u64)(affinity >> 24) << 32 | (affinity & 0xffffff);
}

/* Whether a register can be read, and is: for a look at what may not be there. */
static bool peek32(phys_addr_t pa, u32 *value)
{
	void __iomem *reg = early_ioremap(pa, sizeof(*value));
	bool there = reg && arch_probe_read32(reg, value);

	if (reg)
		early_iounmap(reg, sizeof(*value));
	return there;
}

/* Return: whether a redistributor is at @pa; a line says when not. */
static bool look_at(phys_addr_t pa, u64 *typer)
{
	u32 id, low, high;

	if (!peek32(pa + GICV3_PIDR2, &id)) {
		printk("gicv3: nothing answers at 0x%llx, where a redistributor should be\n", pa);
		return false;
	}
	if (GICV3_ARCHREV(id) < ARCHREV_GICV3) {
		printk("gicv3: no redistributor at 0x%llx, it identifies itself as 0x%x\n", pa, id);
		return false;
	}
	/* Of 64 bits; two halves are as good (Arm IHI 0069, 12.1.3). */
	if (!peek32(pa + GICR_TYPER, &low) || !peek32(pa + GICR_TYPER + sizeof(low), &high))
		return false;
	*typer = (u64)high << 32 | low;
	return true;
}

/* Keep the redistributor at @pa when it is that of a CPU we know and have none for. Return: how many were kept. */
static unsigned int keep(phys_addr_t pa, u64 typer)
{
	int cpu = smp_find_cpu(mpidr_of(TYPER_AFFINITY(typer)));

	if (cpu < 0 || redists[cpu].rd)
		return 0;
	redists[cpu].rd = arch_map_device(pa, PAGE_SIZE, NULL);
	redists[cpu].sgi = arch_map_device(pa + GICV3_FRAME, PAGE_SIZE, NULL);
	return 1;
}

/* Walk the region [@base, @base + @size). @stride: bytes from one to the next, 0 for what each says itself. */
static unsigned int walk_region(phys_addr_t base, u64 size, u64 stride)
{
	unsigned int kept = 0;
	u64 offset = 0, step, typer;

	do {
		if (!look_at(base + offset, &typer))
			break;
		kept += keep(base + offset, typer);
		step = stride ? stride : REDIST_SIZE * (typer & TYPER_VLPIS ? 2 : 1);
		offset = step < size - offset ? offset + step : size;
	} while (!(typer & TYPER_LAST) && size - offset >= REDIST_SIZE);
	if (kept)
		arch_hold_device(base, size, "GICR", __builtin_return_address(0), NULL);
	return kept;
}

/* Return: whether the tree's stride can be used; @stride is 0 when there is none. */
static bool read_stride(const void *fdt, int node, u64 *stride)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, "redistributor-stride", &len);

	*stride = 0;
	if (!prop)
		return true;
	if (len == sizeof(u32) || len == sizeof(u64))
		*stride = dt_cells(prop, len / (int)sizeof(fdt32_t));
	if (*stride >= REDIST_SIZE && *stride % GICV3_FRAME == 0)
		return true;
	printk("gicv3: redistributor-stride of %d bytes, 0x%llx: not a multiple of 64 KiB, at least 128 KiB\n", len,
	       *stride);
	return false;
}

unsigned int gicv3_find_redists(const void *fdt, int node)
{
	u64 base, size, stride;
	u32 regions = 1;
	unsigned int kept = 0;

	dt_u32(fdt, node, "#redistributor-regions", &regions);
	if (!read_stride(fdt, node, &stride))
		return 0;
	for (u32 i = 1; i <= regions; i++) {
		char why[192];

		if (dt_reg_why(fdt, node, i, &base, &size, why, sizeof(why))) {
			printk("gicv3: redistributor region %u of %u: %s\n", i, regions, why);
			break;
		}
		if (size < REDIST_SIZE || !arch_pa_valid(base, size) || base % GICV3_FRAME)
			printk("gicv3: redistributor region %u of %u, 0x%llx bytes at 0x%llx: too small, misaligned or "
			       "beyond physical addresses\n",
			       i, regions, size, base);
		else
			kept += walk_region(base, size, stride);
	}
	return kept;
}
