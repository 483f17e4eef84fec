/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual timer of each CPU (Arm ARM, "The Generic Timer"): a periodic interrupt.
 *
 * 1. CNTV_CVAL_EL0 is the counter value at which the interrupt line rises; it stays up until CVAL is moved on or the
 *    timer is off. The next due time is counted from the last one, so periods do not drift; when it has passed already
 *    (interrupts were masked for long), it is counted from now.
 * 2. State is per CPU, and written with interrupts masked by that CPU only. An interrupt may be taken though its cause
 *    has gone, when the timer was stopped or set anew after the controller had seen the line: CNTV_CTL_EL0.ISTATUS
 *    tells, and such a one is not counted as a period.
 * 3. The interrupt's number is the third of the tree's timer node (secure physical, physical, virtual, hypervisor;
 *    binding "arm,arch_timer"): cells {1, n, flags} name the private interrupt 16 + n.
 */
#include <errno.h>

#include <libfdt.h>

#include <asm/barrier.h>
#include <asm/irq.h>
#include <asm/irqflags.h>
#include <asm/processor.h>
#include <asm/sysreg.h>
#include <asm/timer.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <mm/percpu.h>

#define CNTV_CTL_ENABLE	 BIT(0)
#define CNTV_CTL_ISTATUS BIT(2) /* the due time has passed */
#define MIN_PERIOD_NS	 1000

#define INTERRUPT_CELLS 3
#define VIRTUAL_FIRST	(2 * (size_t)INTERRUPT_CELLS) /* cells before the third interrupt */
#define INTERRUPT_PPI	1
#define INTID_PPI	16

struct timer_state {
	u64 period;
	u64 due;
	void (*fn)(void);
};

static DEFINE_PER_CPU(struct timer_state, timer_state);
static bool available;

static void timer_off(void)
{
	write_sysreg(0, cntv_ctl_el0);
	isb();
}

static void timer_interrupt(u32 intid)
{
	struct timer_state *timer = this_cpu_ptr(&timer_state);
	u64 now = arch_ticks();

	(void)intid;
	if (!(read_sysreg(cntv_ctl_el0) & CNTV_CTL_ISTATUS))
		return;
	if (!timer->fn) {
		timer_off();
		return;
	}
	timer->due += timer->period;
	if (timer->due <= now)
		timer->due = now + timer->period;
	write_sysreg(timer->due, cntv_cval_el0);
	isb();
	timer->fn();
}

int timer_start_periodic(u64 ns, void (*fn)(void))
{
	struct timer_state *timer = this_cpu_ptr(&timer_state);
	unsigned long flags;

	if (!available)
		return -ENXIO;
	if (ns < MIN_PERIOD_NS)
		return -EINVAL;
	flags = local_irq_save();
	timer->fn = fn;
	timer->period = max(clock_ns_to_ticks(ns), 1ULL);
	timer->due = arch_ticks() + timer->period;
	write_sysreg(timer->due, cntv_cval_el0);
	write_sysreg(CNTV_CTL_ENABLE, cntv_ctl_el0);
	isb();
	local_irq_restore(flags);
	return 0;
}

void timer_stop(void)
{
	unsigned long flags = local_irq_save();

	timer_off();
	this_cpu_ptr(&timer_state)->fn = NULL;
	local_irq_restore(flags);
}

void timer_init_cpu(void)
{
	timer_off();
}

bool timer_available(void)
{
	return available;
}

/* Return: the virtual timer's INTID, or 0 when @node does not give one that is a private interrupt. */
static u32 virtual_timer_intid(const void *fdt, int node)
{
	int len;
	const fdt32_t *cells = fdt_getprop(fdt, node, "interrupts", &len);

	if (!cells || (size_t)len < (VIRTUAL_FIRST + INTERRUPT_CELLS) * sizeof(*cells))
		return 0;
	cells += VIRTUAL_FIRST;
	if (fdt32_ld(cells) != INTERRUPT_PPI || fdt32_ld(cells + 1) >= INTID_SPI - INTID_PPI)
		return 0;
	return INTID_PPI + fdt32_ld(cells + 1);
}

/* Firmware that starts us at EL3 may not have set CNTFRQ_EL0; then the tree must know. */
static void learn_frequency(const void *fdt, int node)
{
	u32 hz;

	if (!clock_frequency() && dt_u32(fdt, node, "clock-frequency", &hz) == 0)
		clock_set_frequency(hz);
}

/* Return: NULL when the timer's interrupt is registered, else why there is none. */
static const char *register_timer(const void *fdt, int node, u32 *intid)
{
	if (node < 0)
		return "the tree has no arm,armv8-timer";
	learn_frequency(fdt, node);
	if (!clock_frequency())
		return "its frequency is neither in CNTFRQ_EL0 nor in the tree";
	*intid = virtual_timer_intid(fdt, node);
	if (!*intid)
		return "the tree gives the virtual timer no private interrupt";
	if (!irq_available())
		return "there is no interrupt controller";
	switch (irq_register(*intid, timer_interrupt, "virtual timer")) {
	case 0:
		return NULL;
	case -EPERM:
		return "it belongs to the secure state";
	default:
		return "its number is taken";
	}
}

void timer_init(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");
	u32 intid = 0;
	const char *why;

	timer_init_cpu();
	why = register_timer(fdt, node, &intid);
	available = !why;
	if (why)
		printk("timer: no interrupt: %s\n", why);
	else
		printk("timer: %llu.%06llu MHz, interrupt %u\n", clock_frequency() / 1000000,
		       clock_frequency() % 1000000, intid);
}
