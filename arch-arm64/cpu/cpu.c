/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each CPU sets up for itself, and what it is.
 *
 * 1. cpu_setup() runs once on each CPU, first of all C that may fault: vector table, thread register, cycle counter.
 *    It also unmasks SError, so that an asynchronous abort is reported where it happens.
 * 2. TPIDR_EL0 points to the C library's thread-local storage in the CPU's per-CPU area (errno; the linker script
 *    asserts that it fits). It stays in the area that the CPU started with.
 * 3. The cycle counter PMCCNTR_EL0 (Arm ARM, Performance Monitors Extension) counts at EL1, 64 bits wide, without
 *    interrupts. A CPU without PMUv3 has none; then get_cycles() is the virtual counter.
 */
#include <stdio.h>

#include <asm/exception.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/sysreg.h>
#include <lib/printk.h>
#include <mm/percpu.h>

#define PMCR_ENABLE	 BIT(0)
#define PMCR_RESET_CYCLE BIT(2)
#define PMCR_LONG_CYCLE	 BIT(6)
#define PMCNTEN_CYCLE	 BIT(31)

#define MIDR_PART(midr)	   ((unsigned int)((midr) >> 4 & 0xfff))
#define MIDR_ARM	   0x41
#define MIDR_IMPL(midr)	   ((unsigned int)((midr) >> 24 & 0xff))
#define MIDR_VARIANT(midr) ((unsigned int)((midr) >> 20 & 0xf))
#define MIDR_REV(midr)	   ((unsigned int)((midr)&0xf))

static bool has_cycle_counter;

/* PMUVer (ID_AA64DFR0_EL1, bits 11:8): 0 is none, 15 is one that is not Arm's. */
static bool cpu_has_pmu(void)
{
	unsigned int version = sysreg_field(read_sysreg(id_aa64dfr0_el1), ID_AA64DFR0_PMUVER_SHIFT);

	return version != 0 && version != 0xf;
}

static void start_cycle_counter(void)
{
	if (!cpu_has_pmu())
		return;
	write_sysreg(0, pmccfiltr_el0);
	write_sysreg(PMCNTEN_CYCLE, pmcntenset_el0);
	write_sysreg(PMCR_ENABLE | PMCR_RESET_CYCLE | PMCR_LONG_CYCLE, pmcr_el0);
	WRITE_ONCE(has_cycle_counter, true);
}

void cpu_setup(void)
{
	write_sysreg((uintptr_t)exception_vectors, vbar_el1);
	asm_set_local_base(this_cpu()->local);
	__asm__ volatile("isb\n\tmsr daifclr, #4" : : : "memory");
	start_cycle_counter();
}

u64 get_cycles(void)
{
	__asm__ volatile("isb" : : : "memory");
	return READ_ONCE(has_cycle_counter) ? read_sysreg(pmccntr_el0) : read_sysreg(cntvct_el0);
}

static const char *part_name(u64 midr)
{
	static const struct {
		u16 part;
		const char *name;
	} parts[] = {
		{ 0xd02, "Cortex-A34" },  { 0xd03, "Cortex-A53" },  { 0xd04, "Cortex-A35" },  { 0xd05, "Cortex-A55" },
		{ 0xd07, "Cortex-A57" },  { 0xd08, "Cortex-A72" },  { 0xd09, "Cortex-A73" },  { 0xd0a, "Cortex-A75" },
		{ 0xd0b, "Cortex-A76" },  { 0xd0c, "Neoverse-N1" }, { 0xd0d, "Cortex-A77" },  { 0xd40, "Neoverse-V1" },
		{ 0xd41, "Cortex-A78" },  { 0xd44, "Cortex-X1" },   { 0xd46, "Cortex-A510" }, { 0xd47, "Cortex-A710" },
		{ 0xd48, "Cortex-X2" },	  { 0xd49, "Neoverse-N2" }, { 0xd4d, "Cortex-A715" }, { 0xd4f, "Neoverse-V2" },
		{ 0xd80, "Cortex-A520" }, { 0xd81, "Cortex-A720" },
	};

	if (MIDR_IMPL(midr) != MIDR_ARM)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].part == MIDR_PART(midr))
			return parts[i].name;
	return NULL;
}

const char *cpu_model(u64 midr, char *buf, size_t size)
{
	const char *name = part_name(midr);
	char other[40];

	if (!name) {
		snprintf(other, sizeof(other), "implementer 0x%02x part 0x%03x", MIDR_IMPL(midr), MIDR_PART(midr));
		name = other;
	}
	snprintf(buf, size, "%s r%up%u [0x%08llx]", name, MIDR_VARIANT(midr), MIDR_REV(midr), midr);
	return buf;
}

void cpu_print_info(void)
{
	u64 midr = read_sysreg(midr_el1), mpidr = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	char model[CPU_MODEL_MAX];

	printk("CPU%d: on line, MPIDR 0x%llx, %s\n", smp_processor_id(), mpidr, cpu_model(midr, model, sizeof(model)));
}
