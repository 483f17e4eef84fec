/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which CPUs there are: private to cpu/.
 */
#ifndef CPU_CPU_MAP_H
#define CPU_CPU_MAP_H

#include <lib/types.h>

/**
 * struct cpu_desc - a CPU as the tree describes it
 * @mpidr: affinity fields, its `reg`
 * @node: its numa-node-id, -1 for none
 * @by_psci: whether its enable-method is psci
 */
struct cpu_desc {
	u64 mpidr;
	int node;
	bool by_psci;
};

/** cpu_desc() - @cpu's description; @cpu is below nr_cpu_ids */
const struct cpu_desc *cpu_desc(int cpu);

#endif
