// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * What operations of Linux's memory management cost: the peer of the benchmark in memstage's image.
 *
 * 1. build.py puts these files into mm/ of a kernel's source. mmbench=all, memblock or boot on the command line says
 *    what is measured, here, from a thread on CPU 0; the rows are in mmbench_loops.c and mmbench_cpus.c.
 * 2. memblock is measured while it is the allocator: the figures of a boot with mmbench=memblock are not those of a
 *    boot.
 * 3. Marks of the boot are rows too, "mark_..." or "mark_..._end": instructions since the machine started.
 * 4. The machine is then switched off; no init is ever started.
 */
#include <linux/boot_mark.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>
#include <asm/sysreg.h>

#include "mmbench.h"

#define REPETITIONS 3
#define ROW_NAME    64
#define NR_MARKS    64

static struct {
	const char *name;
	u64 count;
} marks[NR_MARKS];
static int nr_marks;

static char mode[16] = "all";
static u64 frequency;
void **mmbench_slots;

static int __init set_mode(char *value)
{
	strscpy(mode, value, sizeof(mode));
	return 1;
}
__setup("mmbench=", set_mode);

void boot_mark(const char *name)
{
	if (nr_marks == NR_MARKS)
		return;
	marks[nr_marks].name = name;
	marks[nr_marks++].count = counter();
}

void mmbench_report(const char *row, u64 counts, u64 operations)
{
	pr_info("bench: %s %llu %llu\n", row, mul_u64_u64_div_u64(counts, NSEC_PER_SEC, frequency), operations);
}

void mmbench_report_half(const char *row, const char *half, u64 counts, u64 operations)
{
	char name[ROW_NAME];

	snprintf(name, sizeof(name), "%s_%s", row, half);
	mmbench_report(name, counts, operations);
}

void mmbench_run(const char *row, u64 (*loop)(unsigned long n), unsigned long n)
{
	u64 least = ~0ULL;

	loop(n / 8 + 64);
	for (int rep = 0; rep < REPETITIONS; rep++)
		least = min(least, loop(n));
	mmbench_report(row, least, n);
	cond_resched();
}

/* memblock, just before it retires: few regions, then reservations 128 KiB apart, then allocations among them. */
#define REGIONS 256
#define FIRST	0x50000000ULL
#define SPACING 0x20000ULL

static phys_addr_t place[REGIONS] __initdata;

static void __init allocate(int n)
{
	for (int i = 0; i < n; i++)
		place[i] = memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void __init free_reverse(int n)
{
	for (int i = n; i-- > 0;)
		memblock_phys_free(place[i], PAGE_SIZE);
}

static void __init allocate_zeroed(int n)
{
	for (int i = 0; i < n; i++)
		memblock_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void __init allocate_small(int n)
{
	for (int i = 0; i < n; i++)
		memblock_alloc(64, 64);
}

static void __init reserve_first(int n)
{
	for (int i = 0; i < n; i++)
		memblock_reserve(FIRST + i * SPACING, PAGE_SIZE);
}

static void __init reserve_rest(int n)
{
	for (int i = REGIONS - n; i < REGIONS; i++)
		memblock_reserve(FIRST + i * SPACING, PAGE_SIZE);
}

static void __init free_spaced(int n)
{
	for (int i = 0; i < n; i++)
		memblock_phys_free(FIRST + i * SPACING, PAGE_SIZE);
}

static void __init report_calls(const char *row, void (*calls)(int n), int n)
{
	u64 start = counter();

	calls(n);
	mmbench_report(row, counter() - start, n);
}

void __init mmbench_early(void)
{
	frequency = read_sysreg(cntfrq_el0);
	if (strcmp(mode, "memblock"))
		return;
	report_calls("memblock_alloc_4k", allocate, REGIONS);
	report_calls("memblock_free_4k", free_reverse, REGIONS);
	report_calls("memblock_alloc_4k_zeroed", allocate_zeroed, REGIONS);
	report_calls("memblock_alloc_64_zeroed", allocate_small, REGIONS);
	report_calls("memblock_reserve_64", reserve_first, 64);
	report_calls("memblock_reserve_64_to_256", reserve_rest, REGIONS - 64);
	report_calls("memblock_alloc_4k_256_regions", allocate, 64);
	report_calls("memblock_free_256_regions", free_spaced, REGIONS);
}

static void report_boot(void)
{
	unsigned long present = 0, managed = 0;
	struct zone *zone;

	for (int i = 0; i < nr_marks; i++)
		mmbench_report_half("mark", marks[i].name, marks[i].count, 1);
	for_each_populated_zone(zone) {
		present += zone->present_pages;
		managed += zone_managed_pages(zone);
	}
	pr_info("bench: unmanaged_mib_per_gib %lu %lu\n", (present - managed) * 1024, present);
}

/* What boot has left to idle threads is done by then. */
#define QUIET_MS 300

static void measure_all(void)
{
	mmbench_slots = vmalloc(MMBENCH_SLOTS * sizeof(*mmbench_slots));
	if (!mmbench_slots)
		panic("bench: no memory for the slots\n");
	mmbench_loops();
	mmbench_batches();
	mmbench_cpus();
	mmbench_slab_bytes();
	mmbench_cycle();
	mmbench_interrupts();
	mmbench_singles();
}

static int measure(void *unused)
{
	msleep(QUIET_MS);
	report_boot();
	if (!strcmp(mode, "all"))
		measure_all();
	pr_info("bench: end, 0 rows failed\n");
	mdelay(1);
	kernel_power_off();
	return 0;
}

/* The boot thread waits: the machine is off before it would look for an init. */
static int __init mmbench_init(void)
{
	struct task_struct *thread = kthread_create(measure, NULL, "mmbench");

	kthread_bind(thread, 0);
	thread->flags &= ~PF_NO_SETAFFINITY;
	wake_up_process(thread);
	schedule_timeout_uninterruptible(MAX_SCHEDULE_TIMEOUT);
	return 0;
}
late_initcall(mmbench_init);
