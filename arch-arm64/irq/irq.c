/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: registration and dispatch.
 *
 * 1. slots[] holds the registered handlers, slot_of[] for each INTID the number of its slot plus one, 0 for none.
 *    Both are written by the boot CPU, each slot before the interrupt it is for is enabled, and never change after;
 *    dispatch reads them without a lock.
 * 2. counts are written by their own CPU only, in interrupt context; `interrupts` reads them as they are.
 * 3. An interrupt that nobody registered is disabled where it is taken, with one line, so that a device which holds
 *    its line up cannot stop the machine.
 * 4. Dispatch acknowledges until the controller has nothing left; interrupts stay masked, so handlers do not nest.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <libfdt.h>

#include <asm/irq.h>
#include <asm/processor.h>
#include <asm/restart.h>
#include <asm/smp.h>
#include <lib/dt.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>

/* SGIs, the timer and a few devices. */
#define IRQ_HANDLERS_MAX 16

struct irq_slot {
	u32 intid;
	irq_handler_t handler;
	const char *name;
	u64 counts[CONFIG_NR_CPUS];
};

static const struct irq_chip *const chips[] = { &gicv2_chip, &gicv3_chip };
static const struct irq_chip *chip;

static struct irq_slot slots[IRQ_HANDLERS_MAX];
static u8 slot_of[INTID_LIMIT];
static u32 nr_slots;

_Static_assert(IRQ_HANDLERS_MAX < 256, "slot_of[] holds a slot's number plus one in a byte");

bool irq_available(void)
{
	return chip;
}

int irq_max_cpus(void)
{
	return chip ? chip->max_cpus : 1;
}

bool irq_serves(int cpu)
{
	return !chip->serves || chip->serves(cpu);
}

int irq_register(u32 intid, irq_handler_t handler, const char *name)
{
	struct irq_slot *slot = &slots[nr_slots];

	if (!chip)
		return -ENXIO;
	if (intid >= INTID_LIMIT)
		return -EINVAL;
	if (slot_of[intid])
		return -EBUSY;
	if (nr_slots == IRQ_HANDLERS_MAX)
		return -ENOSPC;
	slot->intid = intid;
	slot->handler = handler;
	slot->name = name;
	slot_of[intid] = (u8)(nr_slots + 1);
	if (!chip->enable(intid)) {
		slot_of[intid] = 0;
		return -EPERM;
	}
	nr_slots++;
	return 0;
}

static void handle(u32 intid)
{
	u32 number = intid < INTID_LIMIT ? slot_of[intid] : 0;
	int cpu = smp_processor_id();
	struct irq_slot *slot;

	if (!number) {
		if (intid < INTID_LIMIT)
			chip->disable(intid);
		printk("irq: interrupt %u has no handler: %s CPU %d\n", intid,
		       intid < INTID_LIMIT ? "disabled on" : "not one that can be disabled, dropped by", cpu);
		return;
	}
	slot = &slots[number - 1];
	slot->counts[cpu]++;
	slot->handler(intid);
}

/* Whether @token is that of an interrupt, and not of "none". */
static bool is_interrupt(u32 token)
{
	u32 intid = token & chip->intid_mask;

	return intid < INTID_LIMIT || intid >= INTID_ABOVE;
}

void irq_dispatch(struct pt_regs *regs)
{
	struct mm_cpu *self = this_cpu();
	u32 token = chip->ack();

	restart_interrupted(regs);
	self->irq_depth++;
	for (; is_interrupt(token); token = chip->ack()) {
		handle(token & chip->intid_mask);
		chip->eoi(token);
	}
	self->irq_depth--;
}

void irq_send_sgi(int cpu, u32 sgi)
{
	chip->send_sgi(cpu, sgi);
}

u64 irq_count(u32 intid, int cpu)
{
	u32 number = intid < INTID_LIMIT ? slot_of[intid] : 0;

	return number ? READ_ONCE(slots[number - 1].counts[cpu]) : 0;
}

static void call_interrupt(u32 intid)
{
	(void)intid;
	smp_call_interrupt();
}

static void wake_interrupt(u32 intid)
{
	(void)intid;
	cpu_note_wake();
}

static void stop_interrupt(u32 intid)
{
	(void)intid;
	cpu_stop_interrupt();
}

/* The controller that interrupts of the root's children go to: the root's interrupt-parent. */
static int root_controller(const void *fdt)
{
	u32 phandle;
	int err = dt_u32(fdt, 0, "interrupt-parent", &phandle);

	return err ? err : fdt_node_offset_by_phandle(fdt, phandle);
}

static void say_no_driver(const void *fdt, int node)
{
	int len;
	const char *model = fdt_getprop(fdt, node, "compatible", &len);
	char path[64];

	if (fdt_get_path(fdt, node, path, sizeof(path)))
		snprintf(path, sizeof(path), "%s", fdt_get_name(fdt, node, NULL));
	printk("irq: no driver for %s (%.*s): one CPU, no interrupts\n", path, model ? len : INT_MAX,
	       model ? model : "no compatible");
}

static void probe(const void *fdt, int node)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (!dt_compatible(fdt, node, chips[i]->compatible))
			continue;
		if (chips[i]->probe(fdt, node) == 0)
			chip = chips[i];
		return;
	}
	say_no_driver(fdt, node);
}

/* No interrupt could be enabled: none is registered. */
static void forget_all(void)
{
	for (u32 i = 0; i < nr_slots; i++)
		slot_of[slots[i].intid] = 0;
	nr_slots = 0;
}

void irq_init(const void *fdt)
{
	int node = root_controller(fdt);

	restart_check();
	if (node < 0) {
		printk("irq: the tree's root names no interrupt-parent: one CPU, no interrupts\n");
		return;
	}
	probe(fdt, node);
	if (!chip)
		return;
	if (!chip->init_cpu()) {
		chip = NULL;
		return;
	}
	if (!irq_register(SGI_CALL, call_interrupt, "cross call") &&
	    !irq_register(SGI_WAKE, wake_interrupt, "wake-up") && !irq_register(SGI_STOP, stop_interrupt, "stop"))
		return;
	printk("irq: %s lets us enable no interrupt, the secure state has them: one CPU, no interrupts\n",
	       fdt_get_name(fdt, node, NULL));
	forget_all();
	chip = NULL;
}

bool irq_init_cpu(void)
{
	if (!chip->init_cpu())
		return false;
	for (u32 i = 0; i < nr_slots; i++) {
		if (slots[i].intid >= INTID_SPI || chip->enable(slots[i].intid))
			continue;
		printk("irq: CPU%d: interrupt %u (%s) cannot be enabled\n", smp_processor_id(), slots[i].intid,
		       slots[i].name);
		return false;
	}
	return true;
}

static int cmd_interrupts(int argc, char **argv)
{
	int cpu;

	(void)argc;
	(void)argv;
	con_printf("%6s", "");
	for_each_online_cpu(cpu)
		con_printf("       CPU%-2d", cpu);
	con_printf("\n");
	for (u32 i = 0; i < nr_slots; i++) {
		con_printf("%5u:", slots[i].intid);
		for_each_online_cpu(cpu)
			con_printf(" %11llu", READ_ONCE(slots[i].counts[cpu]));
		con_printf("  %s\n", slots[i].name);
	}
	return 0;
}
MONITOR_CMD(interrupts, "", "interrupts taken, per CPU", cmd_interrupts);
