/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which CPUs there are, and how each is started: private to cpu/.
 */
#ifndef CPU_CPU_MAP_H
#define CPU_CPU_MAP_H

#include <lib/types.h>

struct cpu_ops;

/**
 * struct cpu_desc - a CPU as the tree describes it
 * @mpidr: affinity fields, its `reg`
 * @node: its numa-node-id, -1 for none
 * @ops: its enable-method; NULL when there is no way to start it
 * @release_addr: (spin-table) physical address of the word that it waits for
 * @release: (spin-table) that word, mapped; NULL when it must not be written
 */
struct cpu_desc {
	u64 mpidr;
	int node;
	const struct cpu_ops *ops;
	phys_addr_t release_addr;
	void *release;
};

/**
 * struct cpu_ops - an enable-method (Devicetree Specification 3.8)
 * @method: its name in the tree
 * @describe: take from the CPU's @node what the method needs, into @desc; false after setting @why when it is not there
 * @prepare: make the mappings that starting the CPU needs; NULL for none. Before any other CPU runs.
 * @start: have the CPU come to one of the entries of <asm/smp.h>, its record complete; false after setting @why
 *
 * @why has room for CPU_WHY_MAX bytes.
 */
struct cpu_ops {
	const char *method;
	bool (*describe)(const void *fdt, int node, struct cpu_desc *desc, char *why);
	void (*prepare)(struct cpu_desc *desc);
	bool (*start)(const struct cpu_desc *desc, phys_addr_t record, char *why);
};

#define CPU_WHY_MAX 128

extern const struct cpu_ops psci_cpu_ops, spin_table_cpu_ops;

/** cpu_desc() - @cpu's description; @cpu is below nr_cpu_ids */
struct cpu_desc *cpu_desc(int cpu);

#endif
