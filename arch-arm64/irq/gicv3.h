/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The redistributors of a GICv3: where they are. Private to irq/.
 */
#ifndef IRQ_GICV3_H
#define IRQ_GICV3_H

#include <lib/types.h>

/* Both the distributor and a redistributor are made of frames of this size, each with an identification at its end. */
#define GICV3_FRAME	    0x10000
#define GICV3_PIDR2	    0xffe8
#define GICV3_ARCHREV(pidr) ((pidr) >> 4 & 0xf) /* 3 for GICv3, 4 for GICv4; what follows is a superset, too */
#define ARCHREV_GICV3	    3

/**
 * struct gicv3_redist - a CPU's redistributor
 * @rd: its first frame: control, wake-up
 * @sgi: its second frame: the private interrupts; both NULL when the CPU has none
 */
struct gicv3_redist {
	volatile char *rd;
	volatile char *sgi;
};

/** gicv3_redist() - the redistributor of @cpu, below nr_cpu_ids */
const struct gicv3_redist *gicv3_redist(int cpu);

/**
 * gicv3_find_redists() - find and map the redistributor of each CPU that the tree names
 * @fdt, @node: the interrupt controller, binding "arm,gic-v3"
 *
 * Context: the boot CPU, after smp_discover(), before it starts the others. What is wrong is said. Return: how many
 * CPUs have one; 0 when the tree says nothing useful.
 */
unsigned int gicv3_find_redists(const void *fdt, int node);

#endif
