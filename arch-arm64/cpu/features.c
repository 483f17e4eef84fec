/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line that says what the boot CPU can do.
 *
 * 1. Each feature is a four-bit field of an ID register (Arm ARM, ID_AA64ISAR0_EL1 and its like), present from some value on. Fields are
 *    unsigned and rise with what they add (Arm ARM, "Principles of the ID scheme").
 * 2. DCZID_EL0 gives the block that DC ZVA zeroes, CTR_EL0 the smallest data cache line, each as the logarithm of a
 *    number of words of four bytes.
 */
#include <stdio.h>

#include <asm/mmu.h>
#include <asm/processor.h>
#include <asm/sysreg.h>
#include <lib/printk.h>

#define DCZID_PROHIBITED BIT(4)

enum id_reg { PFR1, ISAR0, ISAR1, MMFR1, MMFR2, ID_REGS };

struct feature {
	enum id_reg reg;
	unsigned int shift;
	unsigned int from;
	const char *name;
};

static const struct feature features[] = {
	{ ISAR0, 20, 2, "LSE" },   { ISAR0, 16, 1, "CRC32" }, { ISAR0, 60, 1, "RNG" }, { ISAR1, 4, 1, "PAuth" },
	{ ISAR1, 8, 1, "PAuth" },  { PFR1, 0, 1, "BTI" },     { PFR1, 8, 2, "MTE" },   { MMFR1, 20, 1, "PAN" },
	{ MMFR1, 0, 2, "HAFDBS" }, { MMFR2, 16, 1, "LVA" },
};

static unsigned int zva_bytes(void)
{
	u64 dczid = read_sysreg(dczid_el0);

	return dczid & DCZID_PROHIBITED ? 0 : 4U << (dczid & 0xf);
}

static unsigned int dcache_line_bytes(void)
{
	return 4U << (read_sysreg(ctr_el0) >> 16 & 0xf);
}

void cpu_print_features(void)
{
	const u64 regs[ID_REGS] = {
		[PFR1] = read_sysreg(id_aa64pfr1_el1),	 [ISAR0] = read_sysreg(id_aa64isar0_el1),
		[ISAR1] = read_sysreg(id_aa64isar1_el1), [MMFR1] = read_sysreg(id_aa64mmfr1_el1),
		[MMFR2] = read_sysreg(id_aa64mmfr2_el1),
	};
	char list[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features) && len < sizeof(list); i++)
		if (sysreg_field(regs[features[i].reg], features[i].shift) >= features[i].from)
			len += (size_t)snprintf(list + len, sizeof(list) - len, " %s", features[i].name);
	printk("CPU features:%s; physical addresses of %u bits, data cache line %u bytes, DC ZVA %u bytes\n",
	       *list ? list : " none of LSE, PAuth, BTI, MTE, PAN", arch_pa_bits(), dcache_line_bytes(), zva_bytes());
}
