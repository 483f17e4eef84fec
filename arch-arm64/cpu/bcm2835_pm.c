/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power management block of the BCM2835 to BCM2711: reset and halt by its watchdog.
 *
 * 1. The watchdog counts down ticks of 16 microseconds (1 / 65,536 Hz) and then resets the chip, when RSTC says that it
 *    should. Each write carries a password in its upper byte; without it nothing is written.
 * 2. RSTS survives the reset. Firmware takes six of its bits, the even ones from bit 0 to bit 10, as the number of the
 *    partition to start from; 63 means: do not start, halt. That is as much power-off as the board has.
 * 3. A watchdog that a boot loader left running would end us: it is stopped, with a line.
 * 4. State is written once, on the boot CPU, before others run.
 */
#include <libfdt.h>

#include <asm/board.h>
#include <asm/io.h>
#include <asm/mmu.h>
#include <asm/processor.h>
#include <lib/dt.h>
#include <lib/printk.h>

#define PM_RSTC	 0x1c
#define PM_RSTS	 0x20
#define PM_WDOG	 0x24
#define PM_BYTES 0x28

#define PM_PASSWORD	0x5a000000U
#define PM_VALUES	0x00ffffffU
#define RSTC_CONFIG	0x00000030U /* what the watchdog does when it has run down */
#define RSTC_FULL_RESET 0x00000020U
#define RSTC_NO_ACTION	0x00000102U /* the register's value after reset */
#define RSTS_PARTITION	0x00000555U
#define WDOG_TICKS	10

#define RESET_WAIT_NS 100000000ULL
#define RESET_POLLS   100000000U

static volatile char *pm;

static u32 pm_read(u32 reg)
{
	return mmio_read32(pm + reg) & PM_VALUES;
}

static void pm_write(u32 reg, u32 value)
{
	mmio_write32(pm + reg, PM_PASSWORD | value);
}

void bcm2835_pm_reset(void)
{
	u64 start = arch_clock_ns();

	if (!pm)
		return;
	pm_write(PM_WDOG, WDOG_TICKS);
	pm_write(PM_RSTC, (pm_read(PM_RSTC) & ~RSTC_CONFIG) | RSTC_FULL_RESET);
	for (u32 polls = 0; arch_clock_ns() - start < RESET_WAIT_NS && polls < RESET_POLLS; polls++)
		cpu_relax();
}

void bcm2835_pm_off(void)
{
	if (!pm)
		return;
	pm_write(PM_RSTS, pm_read(PM_RSTS) | RSTS_PARTITION);
	bcm2835_pm_reset();
}

static void stop_watchdog(u64 addr)
{
	if ((pm_read(PM_RSTC) & RSTC_CONFIG) != RSTC_FULL_RESET)
		return;
	pm_write(PM_RSTC, RSTC_NO_ACTION);
	printk("watchdog: bcm2835-pm at 0x%llx was running: stopped\n", addr);
}

void bcm2835_pm_init(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "brcm,bcm2835-pm-wdt");
	char why[192];
	u64 addr, size;

	if (node < 0 || !dt_enabled(fdt, node))
		return;
	if (dt_reg_why(fdt, node, 0, &addr, &size, why, sizeof(why))) {
		printk("watchdog: bcm2835-pm: %s: no reset\n", why);
		return;
	}
	if (size < PM_BYTES) {
		printk("watchdog: bcm2835-pm at 0x%llx has 0x%llx bytes of registers, 0x%x are needed: no reset\n",
		       addr, size, PM_BYTES);
		return;
	}
	if (!arch_pa_valid(addr, PM_BYTES)) {
		printk("watchdog: bcm2835-pm at 0x%llx: beyond physical addresses: no reset\n", addr);
		return;
	}
	pm = arch_map_device(addr, PM_BYTES, "bcm2835-pm");
	stop_watchdog(addr);
}
