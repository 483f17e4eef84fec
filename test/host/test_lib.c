// SPDX-License-Identifier: BSD-2-Clause
/* lib's building blocks: lists, bitmaps, locks, cross calls, idle work; and mm's per-CPU areas. */
#include <errno.h>
#include <string.h>

#include <lib/bitmap.h>
#include <lib/list.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <lib/spinlock.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define CPUS 8

/* Lists, against an array of what should be in them, front to back. */

#define ENTRIES 40

struct entry {
	struct list_head link;
	int id;
};

static int model[ENTRIES], model_len;

static void model_insert(int at, int id)
{
	memmove(&model[at + 1], &model[at], sizeof(model[0]) * (size_t)(model_len++ - at));
	model[at] = id;
}

static void model_delete(int id)
{
	int at = 0;

	while (model[at] != id)
		at++;
	memmove(&model[at], &model[at + 1], sizeof(model[0]) * (size_t)(--model_len - at));
}

static void compare_list(const struct list_head *head)
{
	const struct list_head *back = head;
	struct entry *e;
	int n = 0;

	list_for_each_entry(e, head, link)
		CHECK_EQ(e->id, model[n++]);
	CHECK_EQ(n, model_len);
	while ((back = back->prev) != head)
		CHECK_EQ(list_entry(back, struct entry, link)->id, model[--n]);
	CHECK_EQ(n, 0);
	CHECK_EQ(list_empty(head), !model_len);
}

static void test_list(void)
{
	static struct entry entries[ENTRIES];
	struct entry *e, *tmp;
	LIST_HEAD(head);

	for (int i = 0; i < ENTRIES; i++) {
		entries[i].id = i;
		INIT_LIST_HEAD(&entries[i].link);
	}
	for (unsigned long n = tap_ops(5000); n; n--) {
		e = &entries[tap_below(ENTRIES)];
		if (list_empty(&e->link)) {
			bool front = tap_below(2);

			(front ? list_add : list_add_tail)(&e->link, &head);
			model_insert(front ? 0 : model_len, e->id);
		} else if (tap_below(2)) {
			list_del_init(&e->link);
			model_delete(e->id);
		} else {
			list_move(&e->link, &head);
			model_delete(e->id);
			model_insert(0, e->id);
		}
		compare_list(&head);
	}
	list_for_each_entry_safe(e, tmp, &head, link)
		list_del_init(&e->link);
	model_len = 0;
	compare_list(&head);
}

/* What the debug checks say of a list whose links are wrong. */

static void test_list_deleted_twice(void)
{
	struct list_head a;
	LIST_HEAD(head);

	host_boot_cpu(1);
	list_add(&a, &head);
	list_del(&a);
	list_del(&a);
}

static void test_list_added_twice(void)
{
	struct list_head a;
	LIST_HEAD(head);

	host_boot_cpu(1);
	list_add(&a, &head);
	list_add(&a, &head);
}

static void test_list_entry_overwritten(void)
{
	struct list_head a, b, c;
	LIST_HEAD(head);

	host_boot_cpu(1);
	list_add(&a, &head);
	list_add(&b, &head);
	list_add(&c, &head);
	a.prev = &c;
	list_del(&b);
}

static void test_list_neighbour_overwritten(void)
{
	struct list_head a, b;
	LIST_HEAD(head);

	host_boot_cpu(1);
	list_add(&a, &head);
	a.next = &b;
	list_add_tail(&b, &head);
}

static void test_bitmap(void)
{
	u64 map[5] = { 0 };
	bool bits[5 * 64] = { false };

	for (unsigned long n = tap_ops(5000); n; n--) {
		unsigned long first = tap_below(320), len = tap_below(tap_below(2) ? 8 : 321 - first);
		bool set = tap_below(2);

		len = min(len, 320 - first);
		(set ? bits_set_range : bits_clear_range)(map, first, len);
		memset(&bits[first], set, len);
		first = tap_below(320);
		set = tap_below(2);
		(set ? bit_set : bit_clear)(map, first);
		bits[first] = set;
		for (unsigned long b = 0; b < 320; b++)
			CHECK(bit_test(map, b) == bits[b] && bit_test_acquire(map, b) == bits[b]);
	}
}

/* Locks. */

static DEFINE_SPINLOCK(low_lock, 1);
static DEFINE_SPINLOCK(high_lock, 2);
static unsigned long counter; /* low_lock */

static void count_up(void *arg)
{
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		unsigned long flags;

		if (n % 4) {
			flags = spin_lock_irqsave(&low_lock);
		} else {
			flags = local_irq_save();
			while (!spin_trylock(&low_lock))
				cpu_relax();
		}
		counter++;
		spin_unlock_irqrestore(&low_lock, flags);
	}
}

static void test_spinlock(void)
{
	unsigned long n = tap_ops(2000);

	host_boot_simple(16 * MIB, CPUS);
	host_cpus_start();
	host_on_all_cpus(count_up, &n);
	CHECK_EQ(counter, n * CPUS);
	CHECK(!spin_is_locked(&low_lock));
	host_cpus_stop();
}

static void test_trylock(void)
{
	host_boot_simple(16 * MIB, 1);
	CHECK(spin_trylock(&low_lock));
	CHECK(spin_is_locked(&low_lock));
	CHECK(!spin_trylock(&low_lock));
	spin_unlock(&low_lock);
	CHECK(!spin_is_locked(&low_lock));
	CHECK(spin_trylock(&low_lock));
}

static void test_lock_order(void)
{
	host_boot_simple(16 * MIB, 1);
	spin_lock(&high_lock);
	spin_lock(&low_lock);
}

static void test_lock_twice(void)
{
	host_boot_simple(16 * MIB, 1);
	spin_lock(&high_lock);
	spin_lock(&high_lock);
}

static void test_unlock_not_held(void)
{
	host_boot_simple(16 * MIB, 1);
	spin_unlock(&low_lock);
}

/* Cross calls and idle work. */

static u32 called[CPUS]; /* each by its own CPU, interrupts masked */

static void note_call(void *arg)
{
	CHECK(irqs_disabled() && !arch_cross_call_ok());
	CHECK(!arg || *(const int *)arg == smp_processor_id());
	called[smp_processor_id()]++;
}

static void call_others(void *arg)
{
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		int cpu = (int)tap_below(CPUS);

		CHECK_EQ(smp_call_function_single(cpu, note_call, &cpu), 0);
	}
}

static void test_cross_calls(void)
{
	unsigned long n = tap_ops(500), sum = 0;

	host_boot_simple(16 * MIB, CPUS);
	CHECK_EQ(smp_call_function_single(3, note_call, NULL), (unsigned long long)-ENXIO);
	CHECK_EQ(smp_work_start(3, note_call, NULL), (unsigned long long)-ENXIO);
	host_cpus_start();
	CHECK_EQ(num_online_cpus(), CPUS);
	on_each_cpu(note_call, NULL);
	for (int cpu = 0; cpu < CPUS; cpu++)
		CHECK_EQ(called[cpu], 1);
	host_on_all_cpus(call_others, &n);
	for (int cpu = 0; cpu < CPUS; cpu++)
		sum += called[cpu];
	CHECK_EQ(sum, CPUS + CPUS * n);
	CHECK_EQ(smp_work_start(0, note_call, NULL), (unsigned long long)-ENXIO);
	host_cpus_stop();
}

static void test_call_masked(void)
{
	host_boot_simple(16 * MIB, 2);
	host_cpus_start();
	local_irq_disable();
	smp_call_function_single(1, note_call, NULL);
}

static bool release_worker;

static void wait_for_release(void *arg)
{
	CHECK(!irqs_disabled() && smp_processor_id() == 1);
	while (!__atomic_load_n(&release_worker, __ATOMIC_ACQUIRE))
		cpu_relax();
	*(int *)arg = 42;
}

static void test_work(void)
{
	int result = 0;

	host_boot_simple(16 * MIB, 2);
	host_cpus_start();
	CHECK_EQ(smp_work_start(1, wait_for_release, &result), 0);
	CHECK_EQ(smp_work_start(1, wait_for_release, &result), (unsigned long long)-EBUSY);
	__atomic_store_n(&release_worker, true, __ATOMIC_RELEASE);
	smp_work_wait(1);
	CHECK_EQ(result, 42);
	host_cpus_stop();
}

/* By CPU: how often CPU 2 was given its work, and how often it ran it. */
static unsigned long accepted[2], ran[2];
static unsigned long arrived; /* atomic */

static void count_run(void *arg)
{
	++*(unsigned long *)arg;
}

/* CPUs 0 and 1 give CPU 2 work at the same moment, again and again. */
static void start_work(void *arg)
{
	int self = smp_processor_id();

	for (unsigned long round = 1; round <= *(const unsigned long *)arg; round++) {
		__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < 2 * round)
			;
		accepted[self] += !smp_work_start(2, count_run, &ran[self]);
		smp_work_wait(2);
	}
}

static void test_work_race(void)
{
	unsigned long rounds = tap_ops(3000);

	host_boot_simple(16 * MIB, 3);
	host_cpus_start();
	CHECK_EQ(smp_work_start(1, start_work, &rounds), 0);
	start_work(&rounds);
	smp_work_wait(1);
	for (int cpu = 0; cpu < 2; cpu++)
		CHECK_EQ(ran[cpu], accepted[cpu]);
	host_cpus_stop();
}

static void test_irq_nesting(void)
{
	unsigned long outer, inner;

	host_boot_simple(16 * MIB, 1);
	outer = local_irq_save();
	inner = local_irq_save();
	local_irq_restore(inner);
	CHECK(irqs_disabled());
	local_irq_restore(outer);
	CHECK(!irqs_disabled());
}

static const struct tap_case cases[] = {
	TAP_CASE("lists", test_list),
	TAP_PANICS("a list entry that is deleted twice", test_list_deleted_twice,
		   "panic: list: 0x[0-9a-f]+ is taken out, but it was taken out before"),
	TAP_PANICS("a list entry that is added twice", test_list_added_twice,
		   "panic: list: (0x[0-9a-f]+) is added between 0x[0-9a-f]+ and \\1, so it is in the list already"),
	TAP_PANICS(
		"a list entry beside one that was overwritten", test_list_entry_overwritten,
		"panic: list: 0x[0-9a-f]+ is taken out from between 0x[0-9a-f]+ and 0x[0-9a-f]+, but their links are to "),
	TAP_PANICS("an entry added beside one that was overwritten", test_list_neighbour_overwritten,
		   "panic: list: 0x[0-9a-f]+ is added between 0x[0-9a-f]+ and 0x[0-9a-f]+, but their links are to "),
	TAP_CASE("bitmaps", test_bitmap),
	TAP_CASE("a lock excludes", test_spinlock),
	TAP_CASE("trylock", test_trylock),
	TAP_PANICS("locks out of order", test_lock_order,
		   "panic: lock order: CPU 0 waits for low_lock \\(rank 1\\) while it holds high_lock \\(rank 2\\)"),
	TAP_PANICS("a lock taken twice", test_lock_twice, "panic: lock order: CPU 0 waits for high_lock"),
	TAP_PANICS("a lock let go by who does not hold it", test_unlock_not_held,
		   "panic: lock order: CPU 0 releases low_lock, which it does not hold"),
	TAP_CASE("cross calls from everywhere to everywhere", test_cross_calls),
	TAP_PANICS("a cross call with interrupts masked", test_call_masked,
		   "panic: cross call to CPU 1 with interrupts masked"),
	TAP_CASE("idle work", test_work),
	TAP_CASE("idle work given by many at once", test_work_race),
	TAP_CASE("interrupt masking nests", test_irq_nesting),
};
TAP_MAIN(cases)
