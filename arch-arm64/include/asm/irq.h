/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: who handles which, and what an interrupt controller's driver offers.
 *
 * 1. An interrupt is named by its INTID (GIC architecture): 0 to 15 SGI (between CPUs), 16 to 31 PPI (private to a
 *    CPU), from 32 SPI (shared).
 * 2. irq_init() finds the controller named by the tree's root interrupt-parent and starts its driver. Without one that
 *    we can drive, and whose interrupts can be enabled, irq_available() stays false: no timer interrupt, no cross
 *    calls, one CPU.
 * 3. Handlers run with interrupts masked, on the interrupted stack, with this_cpu()->irq_depth raised.
 */
#ifndef ASM_IRQ_H
#define ASM_IRQ_H

#include <lib/types.h>

/* Interrupts between CPUs. */
#define SGI_CALL 0
#define SGI_WAKE 1
#define SGI_STOP 2

/* First shared interrupt; those below are each CPU's own. */
#define INTID_SPI 32

/*
 * INTIDs from here on are none that can be registered: 1020 to 1023 are special (GIC architecture 2.2.1), ack() gives
 * one of them when nothing is pending; above are GICv3's extended and message-signalled interrupts, which stay off.
 */
#define INTID_LIMIT 1020
#define INTID_ABOVE 1024

typedef void (*irq_handler_t)(u32 intid);

/**
 * struct irq_chip - an interrupt controller's driver
 * @compatible: strings of the tree's compatible property, ended by NULL
 * @max_cpus: CPUs that it can serve
 * @intid_mask: the bits of a token of @ack that are the INTID
 * @probe: find the controller at the offset in the tree, map and set it up; 0 or a negative error after a line why not
 * @serves: whether it has what belongs to a CPU, which need not run yet; false after a line that says so. NULL: it has,
 *	for all up to @max_cpus
 * @init_cpu: set up what belongs to the calling CPU; false after a line why that cannot be
 * @enable: let an interrupt through, a private one on the calling CPU only; false when the controller does not let us
 * @disable: stop it, likewise
 * @ack: take the most urgent pending interrupt; the token for @eoi, with the INTID 1020 to 1023 for none. What
 *	the sender of an SGI wrote before is seen by what follows
 * @eoi: say that the interrupt of this token has been handled
 * @send_sgi: raise an SGI on another CPU; what was written before is seen after its @ack
 */
struct irq_chip {
	const char *const *compatible;
	int max_cpus;
	u32 intid_mask;
	int (*probe)(const void *fdt, int node);
	bool (*serves)(int cpu);
	bool (*init_cpu)(void);
	bool (*enable)(u32 intid);
	void (*disable)(u32 intid);
	u32 (*ack)(void);
	void (*eoi)(u32 token);
	void (*send_sgi)(int cpu, u32 sgi);
};

extern const struct irq_chip gicv2_chip;
extern const struct irq_chip gicv3_chip;

/** irq_init() - find and start the interrupt controller, and the boot CPU's part of it. Boot CPU only. */
void irq_init(const void *fdt);

/**
 * irq_init_cpu() - a secondary CPU's part: its interface, and every private interrupt registered so far
 *
 * Return: whether the CPU can take them all; a line says which it cannot.
 */
bool irq_init_cpu(void);

/** irq_available() - whether a controller is being driven */
bool irq_available(void);

/** irq_max_cpus() - CPUs that can take interrupts; 1 without a controller */
int irq_max_cpus(void);

/** irq_serves() - whether the controller has what belongs to @cpu, below irq_max_cpus(); a line says when it has not */
bool irq_serves(int cpu);

/**
 * irq_register() - have @handler called for an interrupt, and enable it
 * @intid: its INTID
 * @handler: runs in interrupt context
 * @name: for `interrupts`
 *
 * A private interrupt is enabled on the calling CPU, and by irq_init_cpu() on CPUs that start later. Context: the
 * boot CPU, thread. Return: 0; -ENXIO without a controller; -EINVAL for no such INTID; -EBUSY when it has a handler;
 * -ENOSPC when IRQ_HANDLERS_MAX have been registered; -EPERM when the controller does not let us enable it, as one
 * that belongs to the secure state. On error nothing has changed.
 */
int irq_register(u32 intid, irq_handler_t handler, const char *name);

struct pt_regs;

/** irq_dispatch() - entry.S calls this for each IRQ exception, interrupts masked, with what it interrupted */
void irq_dispatch(struct pt_regs *regs);

/** irq_send_sgi() - raise an SGI on another CPU that is on line */
void irq_send_sgi(int cpu, u32 sgi);

/** irq_count() - how often @cpu has handled @intid */
u64 irq_count(u32 intid, int cpu);

#endif
