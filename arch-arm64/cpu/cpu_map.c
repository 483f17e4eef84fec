/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Discovery of CPUs: /cpus of the tree to numbers.
 *
 * 1. A CPU is a child of /cpus whose device_type is "cpu" (Devicetree Specification 3.8), whose status lets it be used,
 *    and whose reg, in the #address-cells of /cpus, gives the affinity fields of its MPIDR.
 * 2. Number 0 is the CPU that runs this, found by its MPIDR. The others are numbered in the order of the tree until
 *    CONFIG_NR_CPUS; how many were left out is said in one line, and so is each node that is malformed or names an
 *    MPIDR a second time.
 * 3. How a CPU is started is its own enable-method or, when it has none, that of /cpus, which holds what all have in
 *    common (3.7): of several names the first that we know. A CPU without one that we know keeps its number and stays
 *    off; a line names node and method.
 * 4. A tree without a node for the boot CPU is wrong, but the CPU runs: it is number 0 all the same, with a line.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <asm/psci.h>
#include <asm/smp.h>
#include <asm/sysreg.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/numa.h>

#include "cpu_map.h"

static struct cpu_desc cpus[CONFIG_NR_CPUS] = { [0] = { .node = -1 } };

static const struct cpu_ops *const methods[] = { &psci_cpu_ops, &spin_table_cpu_ops };

struct cpu_desc *cpu_desc(int cpu)
{
	return &cpus[cpu];
}

static bool has_string(const void *fdt, int node, const char *name, const char *value)
{
	int len;
	const char *prop = fdt_getprop(fdt, node, name, &len);

	return prop && fdt_stringlist_contains(prop, len, value);
}

int smp_find_cpu(u64 mpidr)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (cpus[cpu].mpidr == mpidr)
			return cpu;
	return -1;
}

/* Return: whether @node's reg is one address of @cells cells that can be an MPIDR. */
static bool read_mpidr(const void *fdt, int node, int cells, u64 *mpidr)
{
	int len;
	const void *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || len != cells * (int)sizeof(fdt32_t))
		return false;
	*mpidr = dt_cells(reg, cells);
	return !(*mpidr & ~MPIDR_AFFINITY);
}

/* Without CONFIG_NUMA there is one node, whatever the tree says. */
static int read_node(const void *fdt, int node)
{
	u32 nid;

	if (MAX_NUMNODES == 1 || dt_u32(fdt, node, "numa-node-id", &nid))
		return NUMA_NO_NODE;
	if (nid < MAX_NUMNODES)
		return (int)nid;
	printk("SMP: /cpus/%s: numa-node-id %u is not below %d: ignored\n", fdt_get_name(fdt, node, NULL), nid,
	       MAX_NUMNODES);
	return NUMA_NO_NODE;
}

static const struct cpu_ops *find_ops(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i]->method, name) == 0)
			return methods[i];
	return NULL;
}

/* How to start the CPU of @node; NULL after setting @why. */
static const struct cpu_ops *read_method(const void *fdt, int node, struct cpu_desc *desc, char *why)
{
	int owner = fdt_getprop(fdt, node, "enable-method", NULL) ? node : fdt_parent_offset(fdt, node);
	const char *first = fdt_stringlist_get(fdt, owner, "enable-method", 0, NULL), *name = first;
	const struct cpu_ops *ops = NULL;

	for (int i = 1; name && !ops; i++) {
		ops = find_ops(name);
		name = fdt_stringlist_get(fdt, owner, "enable-method", i, NULL);
	}
	if (!first)
		snprintf(why, CPU_WHY_MAX, "no enable-method");
	else if (!ops)
		snprintf(why, CPU_WHY_MAX, "enable-method \"%s\" is neither psci nor spin-table", first);
	else if (!(ops->describe)(fdt, node, desc, why))
		return NULL;
	return ops;
}

static void fill(const void *fdt, int node, int cpu, u64 mpidr)
{
	struct cpu_desc *desc = &cpus[cpu];
	char why[CPU_WHY_MAX];

	desc->mpidr = mpidr;
	desc->node = read_node(fdt, node);
	if (!cpu)
		return;
	desc->ops = read_method(fdt, node, desc, why);
	if (!desc->ops)
		printk("CPU%d: /cpus/%s: %s: stays off\n", cpu, fdt_get_name(fdt, node, NULL), why);
}

/* Take up the CPU of @node. Return: false when there is no number left for it. */
static bool add_cpu(const void *fdt, int node, int cells, bool *boot_seen)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	u64 mpidr;

	if (!read_mpidr(fdt, node, cells, &mpidr)) {
		printk("SMP: /cpus/%s: reg is not an MPIDR: left out\n", name);
		return true;
	}
	if (mpidr == cpus[0].mpidr && !*boot_seen) {
		*boot_seen = true;
		fill(fdt, node, 0, mpidr);
		return true;
	}
	if (smp_find_cpu(mpidr) >= 0) {
		printk("SMP: /cpus/%s: a second CPU of MPIDR 0x%llx: left out\n", name, mpidr);
		return true;
	}
	if (nr_cpu_ids == CONFIG_NR_CPUS)
		return false;
	fill(fdt, node, nr_cpu_ids++, mpidr);
	return true;
}

static void scan_cpus(const void *fdt, int parent)
{
	int cells = fdt_address_cells(fdt, parent), node, left_out = 0;
	bool boot_seen = false;

	if (cells < 1 || cells > 2) {
		printk("SMP: /cpus: #address-cells is neither 1 nor 2: one CPU\n");
		return;
	}
	fdt_for_each_subnode(node, fdt,
			     parent) if (has_string(fdt, node, "device_type", "cpu") && dt_enabled(fdt, node))
		left_out += !add_cpu(fdt, node, cells, &boot_seen);
	if (!boot_seen)
		printk("SMP: /cpus does not name the CPU that runs, MPIDR 0x%llx\n", cpus[0].mpidr);
	if (left_out)
		printk("SMP: %d CPUs of the tree left out, NR_CPUS is %d\n", left_out, CONFIG_NR_CPUS);
}

void smp_discover(const void *fdt)
{
	int parent = fdt_path_offset(fdt, "/cpus");

	nr_cpu_ids = 1;
	cpus[0].mpidr = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
	if (parent < 0)
		printk("SMP: the tree has no /cpus: one CPU\n");
	else
		scan_cpus(fdt, parent);
	psci_init(fdt);
}
