/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GICv3 and GICv4 (Arm IHI 0069): a distributor for shared interrupts, for each CPU a redistributor, which has its
 * private ones, and an interface, which is system registers.
 *
 * 1. Affinity routing is on: a CPU is named by the affinity fields of its MPIDR, in GICD_IROUTER, by which each shared
 *    interrupt goes to the boot CPU, and in ICC_SGI1R_EL1, by which SGIs are sent. That takes three affinity fields
 *    and a list of 16 values of the fourth, Aff0; a further field chooses which 16, where both the distributor
 *    and the CPU have range selection (RSS). Where not, a CPU of a larger Aff0 cannot be woken, and stays off.
 * 2. All interrupts are of group 1 and of one priority, half way, so that nothing preempts and all pass the mask. What
 *    we see of GICD_CTLR depends: beside a secure state, bit 1 is the enable of the non-secure group 1 and bit 4 its
 *    affinity routing; where there is one security state, bit 1 is that of group 1, and bit 4 is routing for
 *    all. The same bits are right either way. Only with one security state does our write to the IGROUPRs count; else
 *    firmware, or boot/el3_gic.S, has done it, and an interrupt that is still secure reads as off whatever is written:
 *    enable reads back, and says whether it worked.
 * 3. Writes that take time raise RWP until they are done, and a redistributor that was asleep says when it is awake.
 *    Each wait ends after WAIT_READS reads of the device, some ten milliseconds at the least: the clock may not run
 *    yet.
 * 4. Message-signalled interrupts (LPIs) and the extended ranges of GICv3.1 are turned off, for firmware may have
 *    left them on.
 * 5. System registers are closed unless ICC_SRE_EL1.SRE can be set: EL2 and EL3 decide that. Reading it is undefined
 *    on a CPU that has none, whatever the tree says; that has a fix-up and reads as "closed".
 * 6. Barriers. A sender's DSB completes what it wrote before the write to ICC_SGI1R_EL1 is executed, which, a system
 *    register, no store barrier would order. At the receiver a DSB completes the acknowledgement, and an ISB keeps the
 *    handler from running, and loading, before it: else a load made early, before the SGI was sent, could miss what
 *    it announces. After EOIR an ISB, so that the next read of IAR sees the priority drop.
 * 7. Set-up of what is shared is the boot CPU's, before others run; a CPU's own is that CPU's. sgi_target[] of a CPU is
 *    written by itself before it says that it is on line, and read by who has seen that.
 */
#include <errno.h>

#include <libfdt.h>

#include <asm/barrier.h>
#include <asm/exception.h>
#include <asm/io.h>
#include <asm/irq.h>
#include <asm/mmu.h>
#include <asm/smp.h>
#include <asm/sysreg.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <lib/smp.h>

#include "gicv3.h"

/* Distributor (IHI 0069, 12.8). Registers with one bit per interrupt hold 32 of them, with one byte four. */
#define GICD_CTLR	 0x0000
#define GICD_TYPER	 0x0004
#define GICD_IGROUPR	 0x0080
#define GICD_ISENABLER	 0x0100
#define GICD_ICENABLER	 0x0180
#define GICD_ICPENDR	 0x0280
#define GICD_ICACTIVER	 0x0380
#define GICD_IPRIORITYR	 0x0400
#define GICD_ICENABLER_E 0x1400 /* of the extended range */
#define GICD_IROUTER	 0x6000 /* eight bytes per interrupt */

#define GICD_CTLR_GROUP1 BIT(1)
#define GICD_CTLR_ARE	 BIT(4)
#define GICD_CTLR_RWP	 BIT(31)
#define GICD_TYPER_RSS	 BIT(26)

#define GICD_LINES(typer)    (32 * (((typer)&0x1f) + 1))
#define GICD_EXTENDED(typer) ((typer)&BIT(8) ? 32 * (((typer) >> 27) + 1) : 0)

/* Redistributor, first frame (12.11). The second has the distributor's registers, for INTIDs 0 to 31. */
#define GICR_CTLR  0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014

#define GICR_CTLR_LPIS	      BIT(0)
#define GICR_CTLR_RWP	      BIT(3)
#define WAKER_SLEEP	      BIT(1)
#define WAKER_CHILDREN_ASLEEP BIT(2)
#define GICR_PPI_REGS(typer)  ((u32)((typer) >> 27 & 0x1f) + 1) /* registers of one bit per private interrupt */

/* CPU interface (12.2). */
#define ICC_CTLR_PRI_BITS(ctlr) (((ctlr) >> 8 & 7) + 1)
#define ICC_CTLR_RSS		BIT(18)
#define ICC_IGRPEN1_ENABLE	1

/* ICC_SGI1R_EL1. */
#define SGI1R_INTID_SHIFT 24
#define SGI1R_RS_SHIFT	  44
#define AFF0_PER_LIST	  16

#define PRIORITY     0xa0U
#define PRIORITY_X4  (PRIORITY * 0x01010101U)
#define PRIORITY_ALL 0xf0 /* PMR: everything more urgent than the lowest priority that all GICs implement */
#define ALL	     0xffffffffU
#define INTID_MASK   0xffffffU

#define WAIT_READS 1000000

static volatile char *dist;
static u64 boot_affinity;	       /* as GICD_IROUTER has it: as MPIDR has it */
static bool range_selection;	       /* the distributor's */
static u64 sgi_target[CONFIG_NR_CPUS]; /* ICC_SGI1R_EL1 less the INTID */

/* The register that holds @intid's bit, and the bit. */
static u32 bit_reg(u32 reg, u32 intid)
{
	return reg + intid / 32 * 4;
}

static u32 bit_mask(u32 intid)
{
	return 1U << intid % 32;
}

/* Where the registers of @intid are: private ones are the calling CPU's. */
static volatile char *frame_of(u32 intid)
{
	return intid < INTID_SPI ? gicv3_redist(smp_processor_id())->sgi : dist;
}

/* Return: whether @bit of @reg became clear. */
static bool wait_clear(const volatile char *reg, u32 bit)
{
	for (u32 i = 0; i < WAIT_READS; i++)
		if (!(mmio_read32(reg) & bit))
			return true;
	return false;
}

static bool gicv3_enable(u32 intid)
{
	volatile char *frame = frame_of(intid);

	if (intid >= INTID_SPI)
		mmio_write64(dist + GICD_IROUTER + intid * sizeof(u64), boot_affinity);
	mmio_write32(frame + bit_reg(GICD_ISENABLER, intid), bit_mask(intid));
	return mmio_read32(frame + bit_reg(GICD_ISENABLER, intid)) & bit_mask(intid);
}

static void gicv3_disable(u32 intid)
{
	mmio_write32(frame_of(intid) + bit_reg(GICD_ICENABLER, intid), bit_mask(intid));
}

static u32 gicv3_ack(void)
{
	u64 intid = read_sysreg(icc_iar1_el1);

	dsb(sy);
	isb();
	return (u32)intid;
}

static void gicv3_eoi(u32 token)
{
	write_sysreg(token, icc_eoir1_el1);
	isb();
}

static void gicv3_send_sgi(int cpu, u32 sgi)
{
	dsb(ishst);
	write_sysreg(sgi_target[cpu] | (u64)sgi << SGI1R_INTID_SHIFT, icc_sgi1r_el1);
	isb();
}

/* Turn the system registers on. Return: whether they are. */
static bool open_interface(void)
{
	u64 sre;

	__asm__ volatile("1:	mrs	%0, icc_sre_el1\n"
			 "	orr	%0, %0, %1\n"
			 "2:	msr	icc_sre_el1, %0\n"
			 "	isb\n"
			 "	mrs	%0, icc_sre_el1\n"
			 "	b	4f\n"
			 "3:	mov	%0, #0\n"
			 "4:\n" EX_TABLE(1b, 3b) EX_TABLE(2b, 3b)
			 : "=&r"(sre)
			 : "i"(ICC_SRE_SRE)
			 : "memory");
	if (sre & ICC_SRE_SRE)
		return true;
	printk("gicv3: CPU%d: the system registers of the interrupt controller are closed to EL1 (ICC_SRE_EL1.SRE)\n",
	       smp_processor_id());
	return false;
}

/* Priorities that firmware may have left active would mask ours. */
static void clear_active_priorities(u64 bits)
{
	write_sysreg(0, icc_ap1r0_el1);
	if (bits >= 6)
		write_sysreg(0, icc_ap1r1_el1);
	if (bits >= 7) {
		write_sysreg(0, icc_ap1r2_el1);
		write_sysreg(0, icc_ap1r3_el1);
	}
}

static void init_interface(void)
{
	u64 ctlr = read_sysreg(icc_ctlr_el1);

	write_sysreg(0, icc_ctlr_el1);
	clear_active_priorities(ICC_CTLR_PRI_BITS(ctlr));
	write_sysreg(0, icc_bpr1_el1);
	write_sysreg(PRIORITY_ALL, icc_pmr_el1);
	write_sysreg(ICC_IGRPEN1_ENABLE, icc_igrpen1_el1);
	isb();
}

/* How SGIs find this CPU. Return: false when they cannot. */
static bool init_sgi_target(int cpu)
{
	u64 mpidr = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	u64 aff0 = mpidr & 0xff, list = aff0 / AFF0_PER_LIST;

	if (list && !(range_selection && (read_sysreg(icc_ctlr_el1) & ICC_CTLR_RSS))) {
		printk("gicv3: CPU%d: MPIDR 0x%llx: no SGI reaches it, without range selection Aff0 is below 16\n", cpu,
		       mpidr);
		return false;
	}
	/* Aff1 and Aff2, in bits 15:8 and 23:16, go to bits 23:16 and 39:32, Aff3, in bits 39:32, to bits 55:48. */
	sgi_target[cpu] = (mpidr >> 8 & 0xff) << 16 | (mpidr >> 16 & 0xff) << 32 | (mpidr >> 32) << 48 |
			  list << SGI1R_RS_SHIFT | 1U << aff0 % AFF0_PER_LIST;
	return true;
}

static bool wake_redist(const struct gicv3_redist *own)
{
	mmio_write32(own->rd + GICR_WAKER, mmio_read32(own->rd + GICR_WAKER) & ~(u32)WAKER_SLEEP);
	return wait_clear(own->rd + GICR_WAKER, WAKER_CHILDREN_ASLEEP);
}

/* LPIs may refuse to go off once they have been on (IHI 0069, GICR_CTLR.EnableLPIs): then one line says so. */
static void stop_lpis(const struct gicv3_redist *own, int cpu)
{
	u32 ctlr = mmio_read32(own->rd + GICR_CTLR);

	if (!(ctlr & GICR_CTLR_LPIS))
		return;
	mmio_write32(own->rd + GICR_CTLR, ctlr & ~(u32)GICR_CTLR_LPIS);
	if (mmio_read32(own->rd + GICR_CTLR) & GICR_CTLR_LPIS)
		printk("gicv3: CPU%d: firmware has left LPIs on, and they cannot be turned off\n", cpu);
}

/* All private interrupts off, idle, of our group and priority. */
static bool init_redist(const struct gicv3_redist *own)
{
	u32 registers = GICR_PPI_REGS(mmio_read64(own->rd + GICR_TYPER));

	for (u32 i = 0; i < registers; i++)
		mmio_write32(own->sgi + GICD_ICENABLER + 4 * i, ALL);
	if (!wait_clear(own->rd + GICR_CTLR, GICR_CTLR_RWP))
		return false;
	mmio_write32(own->sgi + GICD_IGROUPR, ALL);
	mmio_write32(own->sgi + GICD_ICPENDR, ALL);
	mmio_write32(own->sgi + GICD_ICACTIVER, ALL);
	for (u32 intid = 0; intid < INTID_SPI; intid += 4)
		mmio_write32(own->sgi + GICD_IPRIORITYR + intid, PRIORITY_X4);
	return true;
}

static bool gicv3_serves(int cpu)
{
	if (gicv3_redist(cpu)->rd)
		return true;
	printk("gicv3: CPU%d: the tree's regions have no redistributor for it: stays off\n", cpu);
	return false;
}

static bool gicv3_init_cpu(void)
{
	int cpu = smp_processor_id();
	const struct gicv3_redist *own = gicv3_redist(cpu);

	if (!open_interface())
		return false;
	if (!wake_redist(own)) {
		printk("gicv3: CPU%d: its redistributor does not wake up\n", cpu);
		return false;
	}
	stop_lpis(own, cpu);
	if (!init_redist(own)) {
		printk("gicv3: CPU%d: its redistributor does not finish a write (RWP stays set)\n", cpu);
		return false;
	}
	init_interface();
	return init_sgi_target(cpu);
}

/* All shared interrupts off, idle, of our group and priority. Return: how many there are, 0 when a wait had no end. */
static u32 init_distributor(void)
{
	u32 typer = mmio_read32(dist + GICD_TYPER);
	u32 lines = min(GICD_LINES(typer), (u32)INTID_LIMIT), extended = GICD_EXTENDED(typer);

	range_selection = typer & GICD_TYPER_RSS;
	/* Routing may only change while the groups are off. */
	mmio_write32(dist + GICD_CTLR, mmio_read32(dist + GICD_CTLR) & (u32)GICD_CTLR_ARE);
	if (!wait_clear(dist + GICD_CTLR, (u32)GICD_CTLR_RWP))
		return 0;
	mmio_write32(dist + GICD_CTLR, (u32)GICD_CTLR_ARE);
	for (u32 intid = INTID_SPI; intid < lines; intid += 32) {
		mmio_write32(dist + bit_reg(GICD_ICENABLER, intid), ALL);
		mmio_write32(dist + bit_reg(GICD_ICPENDR, intid), ALL);
		mmio_write32(dist + bit_reg(GICD_ICACTIVER, intid), ALL);
		mmio_write32(dist + bit_reg(GICD_IGROUPR, intid), ALL);
	}
	for (u32 i = 0; i < extended; i += 32)
		mmio_write32(dist + bit_reg(GICD_ICENABLER_E, i), ALL);
	for (u32 intid = INTID_SPI; intid < lines; intid += 4)
		mmio_write32(dist + GICD_IPRIORITYR + intid, PRIORITY_X4);
	if (!wait_clear(dist + GICD_CTLR, (u32)GICD_CTLR_RWP))
		return 0;
	mmio_write32(dist + GICD_CTLR, (u32)(GICD_CTLR_ARE | GICD_CTLR_GROUP1));
	return wait_clear(dist + GICD_CTLR, (u32)GICD_CTLR_RWP) ? lines : 0;
}

/* Map the distributor, and set @pa to where it is. Return: NULL, or why there is none. */
static const char *map_distributor(const void *fdt, int node, u64 *pa)
{
	static char why[192];
	u64 size;
	u32 id;

	if (dt_reg_why(fdt, node, 0, pa, &size, why, sizeof(why)))
		return why;
	if (size < GICV3_FRAME)
		return "less than 64 KiB of registers";
	if (!arch_pa_valid(*pa, size))
		return "beyond physical addresses";
	dist = arch_map_device(*pa, GICV3_FRAME, "GICD");
	if (!arch_probe_read32(dist + GICV3_PIDR2, &id))
		return "nothing answers there";
	return GICV3_ARCHREV(id) < ARCHREV_GICV3 ? "it does not identify itself as a GICv3" : NULL;
}

/* Return: NULL when the controller is set up, or why it is not. */
static const char *set_up(const void *fdt, int node)
{
	unsigned int redists;
	u64 pa = 0;
	const char *why;
	u32 lines;

	if (!open_interface())
		return "no CPU interface";
	why = map_distributor(fdt, node, &pa);
	if (why)
		return why;
	redists = gicv3_find_redists(fdt, node);
	if (!gicv3_redist(0)->rd)
		return "no redistributor for the boot CPU";
	lines = init_distributor();
	if (!lines)
		return "the distributor does not finish a write (RWP stays set)";
	boot_affinity = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	printk("gicv3: distributor at 0x%llx, redistributors for %u of %d CPUs, %u interrupts\n", pa, redists,
	       nr_cpu_ids, lines);
	return NULL;
}

static int gicv3_probe(const void *fdt, int node)
{
	const char *why = set_up(fdt, node);

	if (!why)
		return 0;
	printk("gicv3: %s: %s: one CPU, no interrupts\n", fdt_get_name(fdt, node, NULL), why);
	return -EINVAL;
}

static const char *const compatible[] = { "arm,gic-v3", NULL };

const struct irq_chip gicv3_chip = {
	.compatible = compatible,
	.max_cpus = CONFIG_NR_CPUS,
	.intid_mask = INTID_MASK,
	.probe = gicv3_probe,
	.serves = gicv3_serves,
	.init_cpu = gicv3_init_cpu,
	.enable = gicv3_enable,
	.disable = gicv3_disable,
	.ack = gicv3_ack,
	.eoi = gicv3_eoi,
	.send_sgi = gicv3_send_sgi,
};
