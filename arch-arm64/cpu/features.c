/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the CPUs can do (contract: <asm/cpufeature.h>): the registers, the set, the lines that show it.
 *
 * 1. Each feature is a four-bit field of an ID register (Arm ARM, ID_AA64ISAR0_EL1 and its like), present from some
 *    value on. Fields are unsigned and rise with what they add (Arm ARM, "Principles of the ID scheme"). A feature may
 *    have several rows in features[], which differ in the name it is shown by.
 * 2. DCZID_EL0 gives the block that DC ZVA zeroes, CTR_EL0 the smallest data cache line, each as the logarithm of a
 *    number of words of four bytes.
 * 3. ids[] has a record for each CPU, written by that CPU alone, before it comes on line or is refused; `read` is
 *    stored last, with release.
 * 4. The choice is made by what the boot CPU has, before the others run: they are not known yet, and instructions can
 *    be changed while nobody executes them. Where that shuts a CPU out, its line says which boot argument lets it in.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <asm/alternative.h>
#include <asm/atomic.h>
#include <asm/const.h>
#include <asm/cpufeature.h>
#include <asm/mmu.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/sysreg.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/bootargs.h>

#define DCZID_PROHIBITED BIT(4)
#define FEATURES_TEXT	 160

enum id_reg { PFR0, PFR1, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, ID_REGS };

struct feature {
	enum cpu_feature bit;
	enum id_reg reg;
	unsigned int shift;
	unsigned int from, to;
	const char *name;
};

/* In the order they are shown. */
static const struct feature features[] = {
	{ CPU_LSE, ISAR0, 20, 2, 15, "LSE" },
	{ CPU_CRC32, ISAR0, 16, 1, 15, "CRC32" },
	{ CPU_RNG, ISAR0, 60, 1, 15, "RNG" },
	{ CPU_PAN, MMFR1, 20, 1, 15, "PAN" },
	{ CPU_VHE, MMFR1, 8, 1, 15, "VHE" },
	{ CPU_RAS, PFR0, 28, 1, 15, "RAS" },
	{ CPU_HAFDBS, MMFR1, 0, 2, 15, "HAFDBS" },
	{ CPU_LVA, MMFR2, 16, 1, 15, "LVA" },
	{ CPU_PAC, ISAR1, 4, 1, 15, "PAC-QARMA5" },
	{ CPU_PAC, ISAR2, 12, 1, 15, "PAC-QARMA3" },
	{ CPU_PAC, ISAR1, 8, 1, 15, "PAC-IMPDEF" },
	{ CPU_PACG, ISAR1, 24, 1, 15, "PACG-QARMA5" },
	{ CPU_PACG, ISAR2, 8, 1, 15, "PACG-QARMA3" },
	{ CPU_PACG, ISAR1, 28, 1, 15, "PACG-IMPDEF" },
	{ CPU_FPAC, ISAR1, 4, 4, 15, "FPAC" },
	{ CPU_FPAC, ISAR2, 12, 4, 15, "FPAC" },
	{ CPU_FPAC, ISAR1, 8, 4, 15, "FPAC" },
	{ CPU_BTI, PFR1, 0, 1, 15, "BTI" },
	{ CPU_MTE, PFR1, 8, 1, 1, "MTE" },
	{ CPU_MTE, PFR1, 8, 2, 2, "MTE2" },
	{ CPU_MTE, PFR1, 8, 3, 15, "MTE3" },
};

_Static_assert(CPU_FEATURES <= 64, "a set is a word");

/**
 * struct cpu_id - what a CPU said of itself
 * @regs: ID registers, by enum id_reg
 * @midr: MIDR_EL1
 * @mpidr: affinity fields of MPIDR_EL1
 * @level: exception level that it was entered at
 * @pa_bits: width of its physical addresses
 * @hidden: features that it does not use: switched off, or by feature_fault=
 * @refused: what it lacks, in words; NULL when it may come on line
 * @read: whether the rest is there
 */
struct cpu_id {
	u64 regs[ID_REGS];
	u64 midr;
	u64 mpidr;
	u64 level;
	unsigned int pa_bits;
	u64 hidden;
	const char *refused;
	bool read;
};

static struct cpu_id ids[CONFIG_NR_CPUS];

u64 cpu_features_all;

static u64 features_used; /* what a CPU must have: replaced instructions */
static unsigned int alternatives_applied;

static bool row_holds(const struct cpu_id *id, const struct feature *row)
{
	unsigned int value = sysreg_field(id->regs[row->reg], row->shift);

	return value >= row->from && value <= row->to && !(id->hidden >> row->bit & 1);
}

static u64 feature_set(const struct cpu_id *id)
{
	u64 set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (row_holds(id, &features[i]))
			set |= BIT(features[i].bit);
	return set;
}

u64 cpu_feature_by_name(const char *name)
{
	u64 set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (strcmp(features[i].name, name) == 0)
			set |= BIT(features[i].bit);
	return set;
}

static void read_id(struct cpu_id *id, u64 level, u64 hidden)
{
	*id = (struct cpu_id){
		.regs = {
			[PFR0] = read_sysreg(id_aa64pfr0_el1),
			[PFR1] = read_sysreg(id_aa64pfr1_el1),
			[ISAR0] = read_sysreg(id_aa64isar0_el1),
			[ISAR1] = read_sysreg(id_aa64isar1_el1),
			[ISAR2] = read_sysreg(ID_AA64ISAR2_EL1),
			[MMFR0] = read_sysreg(id_aa64mmfr0_el1),
			[MMFR1] = read_sysreg(id_aa64mmfr1_el1),
			[MMFR2] = read_sysreg(id_aa64mmfr2_el1),
		},
		.midr = read_sysreg(midr_el1),
		.mpidr = read_sysreg(mpidr_el1) & MPIDR_AFFINITY,
		.level = level,
		.pa_bits = arch_pa_bits(),
		.hidden = hidden,
	};
}

void cpu_features_init(const char *args, u64 level)
{
	int cpu = smp_processor_id();
	u64 hidden;

	feature_fault_init(args);
	hidden = feature_fault_mask(cpu) | (bootarg_flag(args, "nolse") ? BIT(CPU_LSE) : 0);
	read_id(&ids[cpu], level, hidden);
	ids[cpu].read = true;
	cpu_features_all = feature_set(&ids[cpu]);
	alternatives_applied = alternatives_apply();
	features_used = cpu_features_all & BIT(CPU_LSE);
}

bool cpu_features_read(u64 level)
{
	struct cpu_id *id = &ids[smp_processor_id()];
	u64 own;

	read_id(id, level, feature_fault_mask(smp_processor_id()));
	own = feature_set(id);
	if (features_used & ~own)
		id->refused =
			"it lacks LSE, which the boot CPU has and the code now uses (boot argument nolse: it does not)";
	else if (id->pa_bits < ids[0].pa_bits)
		id->refused = "its physical addresses are narrower than the boot CPU's";
	__atomic_store_n(&id->read, true, __ATOMIC_RELEASE);
	return !id->refused;
}

void cpu_features_join(void)
{
	andnot64(&cpu_features_all, ~feature_set(&ids[smp_processor_id()]));
}

static bool was_read(int cpu)
{
	return __atomic_load_n(&ids[cpu].read, __ATOMIC_ACQUIRE);
}

const char *cpu_features_refused(int cpu)
{
	return was_read(cpu) ? ids[cpu].refused : NULL;
}

u64 cpu_features_own(int cpu)
{
	return was_read(cpu) ? feature_set(&ids[cpu]) : 0;
}

/* The names of what @id has, each with a blank before it. */
static const char *list_features(const struct cpu_id *id, char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(features) && len < size; i++)
		if (row_holds(id, &features[i]))
			len += (size_t)snprintf(text + len, size - len, " %s", features[i].name);
	return *text ? text : " none of those that are looked for";
}

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
	const struct cpu_id *id = &ids[smp_processor_id()];
	char text[FEATURES_TEXT];

	printk("CPU features:%s; physical addresses of %u bits, data cache line %u bytes, DC ZVA %u bytes\n",
	       list_features(id, text, sizeof(text)), id->pa_bits, dcache_line_bytes(), zva_bytes());
	printk("CPU features in use: atomics by %s (%u of %u places replaced)%s%s%s\n",
	       cpu_has(CPU_LSE) ? "LSE" : "exclusives", alternatives_applied, alternatives_count(),
	       cpu_has(CPU_PAN) ? ", PAN" : "", BRANCH_PROTECTED && cpu_has(CPU_PAC) ? ", PAC of return addresses" : "",
	       BRANCH_PROTECTED && cpu_has(CPU_BTI) ? ", BTI" : "");
}

static void show_cpu(int cpu)
{
	const struct cpu_id *id = &ids[cpu];
	char text[FEATURES_TEXT], model[CPU_MODEL_MAX];

	if (!was_read(cpu)) {
		con_printf("CPU%d: never ran\n", cpu);
		return;
	}
	con_printf("CPU%d: %s, MPIDR 0x%llx, %s, entered at EL%llu, PA %u bits:%s\n", cpu,
		   cpu_online(cpu) ? "on line" : "off", id->mpidr, cpu_model(id->midr, model, sizeof(model)), id->level,
		   id->pa_bits, list_features(id, text, sizeof(text)));
	if (id->refused)
		con_printf("CPU%d: off: %s\n", cpu, id->refused);
}

static int cmd_cpuinfo(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		show_cpu(cpu);
	return 0;
}
MONITOR_CMD(cpuinfo, "", "each CPU: model, level it was entered at, features", cmd_cpuinfo);
