/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GICv2 (Arm IHI 0048): a distributor shared by up to eight CPUs, and an interface for each.
 *
 * 1. Distributor: enable, priority and target of each interrupt. Registers for INTIDs 0 to 31 are banked: each CPU
 *    sees its own. CPU interface: acknowledge (IAR), end (EOIR), priority mask (PMR).
 * 2. All interrupts are of one group and one priority, half way, so that nothing preempts and all pass the mask.
 *    Seen from the non-secure side of a GIC with security extensions the same registers control group 1; an interrupt
 *    of group 0 reads as off there whatever is written. So enable reads back, and says whether it worked.
 * 3. Which bit of a target list a CPU is, it learns from its own banked GICD_ITARGETSR0: that need not be its number
 *    in the tree. On a controller with one CPU the register reads as zero, and nothing needs a target.
 * 4. GICD_SGIR and the SET/CLEAR registers act on the bits written as 1 and need no lock. Set-up of shared interrupts
 *    is the boot CPU's, before others run.
 * 5. An SGI's token carries the sending CPU in bits 12:10, which EOIR must be given back.
 * 6. Device and normal memory are not ordered with each other. The sender of an SGI puts a barrier between what it
 *    wrote and GICD_SGIR; the receiver puts one between IAR and what it reads, or a load made early, before the SGI was
 *    sent, could miss what the SGI announces: the interrupt would be used up and the call lost.
 */
#include <errno.h>

#include <libfdt.h>

#include <asm/barrier.h>
#include <asm/exception.h>
#include <asm/io.h>
#include <asm/irq.h>
#include <asm/mmu.h>
#include <asm/smp.h>
#include <lib/dt.h>
#include <lib/printk.h>

/* Distributor (IHI 0048, 4.1.2). Registers with one bit per interrupt hold 32 of them, with one byte four. */
#define GICD_CTLR	0x000
#define GICD_TYPER	0x004
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_ICPENDR	0x280
#define GICD_ICACTIVER	0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR	0x800
#define GICD_SGIR	0xf00

/* CPU interface (4.1.3). */
#define GICC_CTLR 0x00
#define GICC_PMR  0x04
#define GICC_BPR  0x08
#define GICC_IAR  0x0c
#define GICC_EOIR 0x10

#define GIC_ENABLE	  1
#define GICD_LINES(typer) (32 * (((typer)&0x1f) + 1))
#define SGIR_TARGETS(bit) ((u32)(bit) << 16)

#define PRIORITY     0xa0U
#define PRIORITY_X4  (PRIORITY * 0x01010101U)
#define PRIORITY_ALL 0xf0 /* PMR: everything more urgent than the lowest priority that all GICs implement */
#define PPIS	     0xffff0000U
#define ALL	     0xffffffffU

/* Bytes of registers used, of what the tree says there are. */
#define GICD_SIZE 0x1000
#define GICC_SIZE 0x1000

#define GICV2_CPUS_MAX 8
#define INTID_MASK     0x3ffU /* of IAR: the sender of an SGI is above */

static volatile char *dist, *cpu_if;
static u8 target_bit[CONFIG_NR_CPUS];

static u32 dist_read(u32 reg)
{
	return mmio_read32(dist + reg);
}

static void dist_write(u32 reg, u32 value)
{
	mmio_write32(dist + reg, value);
}

/* The register that holds @intid's bit, and the bit. */
static u32 bit_reg(u32 reg, u32 intid)
{
	return reg + intid / 32 * 4;
}

static u32 bit_mask(u32 intid)
{
	return 1U << intid % 32;
}

static bool gicv2_enable(u32 intid)
{
	if (intid >= INTID_SPI)
		mmio_write8(dist + GICD_ITARGETSR + intid, target_bit[0]);
	dist_write(bit_reg(GICD_ISENABLER, intid), bit_mask(intid));
	return dist_read(bit_reg(GICD_ISENABLER, intid)) & bit_mask(intid);
}

static void gicv2_disable(u32 intid)
{
	dist_write(bit_reg(GICD_ICENABLER, intid), bit_mask(intid));
}

static u32 gicv2_ack(void)
{
	u32 token = mmio_read32(cpu_if + GICC_IAR);

	dmb(ishld);
	return token;
}

static void gicv2_eoi(u32 token)
{
	mmio_write32(cpu_if + GICC_EOIR, token);
}

static void gicv2_send_sgi(int cpu, u32 sgi)
{
	dsb(ishst);
	dist_write(GICD_SGIR, SGIR_TARGETS(target_bit[cpu]) | sgi);
}

/* Bits of this CPU in target lists: every byte of the banked register has the same, or it reads as zero. */
static u8 own_target_bit(void)
{
	return (u8)(dist_read(GICD_ITARGETSR) & 0xff);
}

static bool gicv2_init_cpu(void)
{
	target_bit[smp_processor_id()] = own_target_bit();
	dist_write(GICD_ICENABLER, PPIS);
	dist_write(GICD_ICACTIVER, ALL);
	for (u32 intid = 0; intid < INTID_SPI; intid += 4)
		dist_write(GICD_IPRIORITYR + intid, PRIORITY_X4);
	mmio_write32(cpu_if + GICC_BPR, 0);
	mmio_write32(cpu_if + GICC_PMR, PRIORITY_ALL);
	mmio_write32(cpu_if + GICC_CTLR, GIC_ENABLE);
	return true;
}

static u32 init_distributor(void)
{
	u32 lines = min(GICD_LINES(dist_read(GICD_TYPER)), (u32)INTID_LIMIT);

	dist_write(GICD_CTLR, 0);
	for (u32 intid = INTID_SPI; intid < lines; intid += 32) {
		dist_write(bit_reg(GICD_ICENABLER, intid), ALL);
		dist_write(bit_reg(GICD_ICPENDR, intid), ALL);
		dist_write(bit_reg(GICD_ICACTIVER, intid), ALL);
	}
	for (u32 intid = INTID_SPI; intid < lines; intid += 4)
		dist_write(GICD_IPRIORITYR + intid, PRIORITY_X4);
	dist_write(GICD_CTLR, GIC_ENABLE);
	return lines;
}

/* Whether the register @reg can be read; a line says when nothing is at its base @pa. */
static bool answers(const volatile char *reg, u64 pa)
{
	u32 value;

	if (arch_probe_read32(reg, &value))
		return true;
	printk("gicv2: nothing answers at 0x%llx: one CPU, no interrupts\n", pa);
	return false;
}

static int gicv2_probe(const void *fdt, int node)
{
	u64 dist_pa, dist_size, cpu_pa, cpu_size;
	char why[192];

	if (dt_reg_why(fdt, node, 0, &dist_pa, &dist_size, why, sizeof(why)) ||
	    dt_reg_why(fdt, node, 1, &cpu_pa, &cpu_size, why, sizeof(why))) {
		printk("gicv2: %s: one CPU, no interrupts\n", why);
		return -EINVAL;
	}
	if (dist_size < GICD_SIZE || cpu_size < GICC_SIZE) {
		printk("gicv2: %s has 0x%llx and 0x%llx bytes of registers, not 0x%x: one CPU, no interrupts\n",
		       fdt_get_name(fdt, node, NULL), dist_size, cpu_size, GICD_SIZE);
		return -EINVAL;
	}
	if (!arch_pa_valid(dist_pa, GICD_SIZE) || !arch_pa_valid(cpu_pa, GICC_SIZE)) {
		printk("gicv2: registers at 0x%llx and 0x%llx: beyond physical addresses: one CPU, no interrupts\n",
		       dist_pa, cpu_pa);
		return -EINVAL;
	}
	dist = arch_map_device(dist_pa, GICD_SIZE, "GICD");
	cpu_if = arch_map_device(cpu_pa, GICC_SIZE, "GICC");
	if (!answers(dist + GICD_TYPER, dist_pa) || !answers(cpu_if + GICC_PMR, cpu_pa))
		return -ENXIO;
	printk("gicv2: distributor at 0x%llx, CPU interface at 0x%llx, %u interrupts\n", dist_pa, cpu_pa,
	       init_distributor());
	return 0;
}

static const char *const compatible[] = {
	"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic", "arm,cortex-a7-gic", NULL,
};

const struct irq_chip gicv2_chip = {
	.compatible = compatible,
	.max_cpus = GICV2_CPUS_MAX,
	.intid_mask = INTID_MASK,
	.probe = gicv2_probe,
	.init_cpu = gicv2_init_cpu,
	.enable = gicv2_enable,
	.disable = gicv2_disable,
	.ack = gicv2_ack,
	.eoi = gicv2_eoi,
	.send_sgi = gicv2_send_sgi,
};
