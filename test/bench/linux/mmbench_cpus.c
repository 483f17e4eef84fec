// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Several CPUs, and an interrupt handler. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "mmbench.h"

/* From CPU 0 to CPU 1: the one sleeps while the other works. The first rounds are not measured. */
#define CROSS_SKIP 4

struct cross {
	unsigned long n;
	u64 taken;
};

/* clang-format off */
#define CROSS(name, statement)                                              \
	static long name(void *arg)                                         \
	{                                                                   \
		struct cross *cross = arg;                                  \
		u64 start = counter();                                      \
                                                                            \
		for (unsigned long i = 0; i < cross->n; i++)                \
			statement;                                          \
		cross->taken = counter() - start;                           \
		return 0;                                                   \
	}
CROSS(cross_kmalloc, mmbench_slots[i] = kmalloc(64, GFP_KERNEL))
CROSS(cross_kfree, kfree(mmbench_slots[i]))
CROSS(cross_alloc_page, mmbench_slots[i] = alloc_page(GFP_KERNEL))
CROSS(cross_free_page, __free_page(mmbench_slots[i]))
/* clang-format on */

static void cross_batch(const char *row, long (*fill)(void *arg), long (*empty)(void *arg), unsigned long n, int reps)
{
	struct cross cross = { .n = n };
	u64 alloc = 0, free = 0;

	for (int rep = 0; rep < reps + CROSS_SKIP; rep++) {
		work_on_cpu(0, fill, &cross);
		alloc += rep < CROSS_SKIP ? 0 : cross.taken;
		work_on_cpu(1, empty, &cross);
		free += rep < CROSS_SKIP ? 0 : cross.taken;
	}
	mmbench_report_half(row, "alloc_cpu0", alloc, n * reps);
	mmbench_report_half(row, "free_cpu1", free, n * reps);
	mmbench_report_half(row, "pair", alloc + free, n * reps);
}

static void cross_cpus(void)
{
	cross_batch("xcpu_kmalloc64_x1000", cross_kmalloc, cross_kfree, 1000, 50);
	cross_batch("xcpu_kmalloc64_x10000", cross_kmalloc, cross_kfree, 10000, 20);
	cross_batch("xcpu_page0_x1000", cross_alloc_page, cross_free_page, 1000, 50);
	cross_batch("xcpu_page0_x10000", cross_alloc_page, cross_free_page, 10000, 20);
}

/* Several CPUs at once: the instructions of all, from the first start to the last end, for the operations of all. */
#define AT_ONCE_OPS 200000UL
#define AT_ONCE_MAX 4

struct at_once {
	u64 (*run)(unsigned long n);
	u64 start, end;
	struct completion done;
};

/* clang-format off */
LOOP(once_kmalloc, kfree(kmalloc(64, GFP_KERNEL));)
LOOP(once_page, __free_page(alloc_page(GFP_KERNEL));)
LOOP(once_page_5, __free_pages(alloc_pages(GFP_KERNEL, 5), 5);)
/* clang-format on */

static atomic_t at_once_ready;
static int at_once_go;

static int at_once_thread(void *arg)
{
	struct at_once *once = arg;

	atomic_inc(&at_once_ready);
	while (!READ_ONCE(at_once_go))
		schedule_timeout_uninterruptible(1);
	once->start = counter();
	once->run(AT_ONCE_OPS);
	once->end = counter();
	complete(&once->done);
	return 0;
}

static void run_at_once(const char *row, u64 (*loop)(unsigned long n), int nr)
{
	struct at_once once[AT_ONCE_MAX];
	u64 start = ~0ULL, end = 0;
	char half[8];

	atomic_set(&at_once_ready, 0);
	WRITE_ONCE(at_once_go, 0);
	for (int i = 0; i < nr; i++) {
		struct task_struct *thread = kthread_create(at_once_thread, &once[i], "at_once%d", i);

		once[i].run = loop;
		init_completion(&once[i].done);
		kthread_bind(thread, i);
		wake_up_process(thread);
	}
	while (atomic_read(&at_once_ready) != nr)
		msleep(1);
	WRITE_ONCE(at_once_go, 1);
	for (int i = 0; i < nr; i++) {
		wait_for_completion(&once[i].done);
		start = min(start, once[i].start);
		end = max(end, once[i].end);
	}
	snprintf(half, sizeof(half), "t%d", nr);
	mmbench_report_half(row, half, end - start, AT_ONCE_OPS * nr);
}

static void at_once(const char *row, u64 (*loop)(unsigned long n))
{
	for (int nr = 1; nr <= num_online_cpus() && nr <= AT_ONCE_MAX; nr *= 2)
		run_at_once(row, loop, nr);
}

void mmbench_cpus(void)
{
	if (num_online_cpus() > 1)
		cross_cpus();
	at_once("at_once_kmalloc64", once_kmalloc);
	at_once("at_once_page0", once_page);
	at_once("at_once_page5", once_page_5);
}

/* In a timer's handler, on CPU 0. The second run counts. */
#define HANDLER_PAIRS 1000UL

static u64 handler_kmalloc, handler_page;
static DECLARE_COMPLETION(handler_done);

static enum hrtimer_restart handler(struct hrtimer *timer)
{
	u64 start = counter();

	for (unsigned long i = 0; i < HANDLER_PAIRS; i++)
		kfree(kmalloc(64, GFP_ATOMIC));
	handler_kmalloc = counter() - start;
	start = counter();
	for (unsigned long i = 0; i < HANDLER_PAIRS; i++)
		__free_page(alloc_page(GFP_ATOMIC));
	handler_page = counter() - start;
	complete(&handler_done);
	return HRTIMER_NORESTART;
}

void mmbench_interrupts(void)
{
	static struct hrtimer timer;

	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = handler;
	for (int i = 0; i < 2; i++) {
		hrtimer_start(&timer, ms_to_ktime(10), HRTIMER_MODE_REL_HARD);
		wait_for_completion(&handler_done);
	}
	mmbench_report("irq_kmalloc_64", handler_kmalloc, HANDLER_PAIRS);
	mmbench_report("irq_page_0", handler_page, HANDLER_PAIRS);
}
