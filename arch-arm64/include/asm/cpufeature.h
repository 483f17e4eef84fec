/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the CPUs can do, as far as it matters here: read once on each CPU, from its identification registers.
 *
 * 1. The boot CPU's features are known from cpu_features_init() on. The set that cpu_has() asks is its own first; each
 *    CPU that comes on line takes out what it lacks.
 * 2. Two things may not be taken out, for they are in use by then: LSE, once instructions were replaced, and physical
 *    addresses as wide as the boot CPU's. A CPU that lacks one does not come on line: cpu_features_read().
 * 3. PAN, pointer authentication and BTI are each CPU's own affair: a CPU without one runs the same code without it,
 *    because the instructions are hints there, which do nothing.
 */
#ifndef ASM_CPUFEATURE_H
#define ASM_CPUFEATURE_H

#include <lib/types.h>

/** enum cpu_feature - bits of a set of features */
enum cpu_feature {
	CPU_LSE,
	CPU_CRC32,
	CPU_RNG,
	CPU_PAN,
	CPU_VHE,
	CPU_RAS,
	CPU_HAFDBS,
	CPU_LVA,
	CPU_PAC,  /* of addresses */
	CPU_PACG, /* of data: PACGA */
	CPU_FPAC, /* a failed authentication is an exception */
	CPU_BTI,
	CPU_MTE,
	CPU_FEATURES
};

/* The set of features that all CPUs on line have and that were not switched off; changed with andnot64() only. */
extern u64 cpu_features_all;

/** cpu_has() - whether all CPUs on line have @feature. Cost: one load. */
static __always_inline bool cpu_has(enum cpu_feature feature)
{
	return READ_ONCE(cpu_features_all) >> feature & 1;
}

/**
 * cpu_features_init() - read the boot CPU's features and choose the instructions of the atomics
 * @args: boot arguments; `nolse` keeps the loops of exclusive loads and stores
 * @level: the exception level that the CPU was entered at
 *
 * Context: the boot CPU, once, before any other CPU starts and before arch_linear_map_done().
 */
void cpu_features_init(const char *args, u64 level);

/**
 * cpu_features_read() - read this CPU's features
 * @level: as above
 *
 * Context: each other CPU, once, before it uses an atomic: the log's lock is one. Return: whether it has what is in
 * use; if not cpu_features_refused() says why on any CPU, and this one must stop without a word.
 */
bool cpu_features_read(u64 level);

/** cpu_features_join() - take what this CPU lacks out of the set. Context: once, after cpu_features_read(). */
void cpu_features_join(void);

/** cpu_features_refused() - what @cpu lacks, in words, when cpu_features_read() refused it; NULL when it did not */
const char *cpu_features_refused(int cpu);

/** cpu_features_own() - the set that @cpu has; 0 when it never ran */
u64 cpu_features_own(int cpu);

#ifdef CONFIG_SELFTEST
/** feature_fault_init() - read feature_fault=CPU,FEATURE from the boot arguments, say what it asks for */
void feature_fault_init(const char *args);

/** feature_fault_mask() - the features that @cpu is to claim not to have */
u64 feature_fault_mask(int cpu);
#else
static inline void feature_fault_init(const char *args)
{
	(void)args;
}

static inline u64 feature_fault_mask(int cpu)
{
	(void)cpu;
	return 0;
}
#endif

/** cpu_feature_by_name() - the bits of the feature called @name in the log; 0 when there is none */
u64 cpu_feature_by_name(const char *name);

#endif
