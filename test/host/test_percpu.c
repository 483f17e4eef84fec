// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU memory: allocations against a map of bytes, chunks that come and go, what is refused, and eight CPUs at once.
 */
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/vmalloc.h>
#include <string.h>

#include "../../mm/percpu_chunk.h"
#include "../../mm/show.h"
#include "../../mm/vmap.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define GIB  (1ULL << 30)
#define CPUS 8

static unsigned long quiet_pages(void)
{
	percpu_trim();
	return host_quiet_pages();
}

/* Whether the only addresses in use are those of vmalloc()'s areas. */
static bool no_extents_left(void)
{
	struct va_extent extent;

	for (unsigned long at = VMALLOC_START; vmap_extent_next(at, &extent); at = extent.start + extent.len)
		if (!extent.owner)
			return false;
	return true;
}

/* Static variables. */

static DEFINE_PER_CPU(u64, test_static) = 0x1234;

static void test_static_variables(void)
{
	host_boot_simple(16 * MIB, CPUS);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		CHECK_EQ(per_cpu(test_static, cpu), 0x1234);
		per_cpu(test_static, cpu) = (u64)cpu;
		CHECK_EQ(((struct mm_cpu *)percpu_base(cpu))->cpu, cpu);
	}
	for (int cpu = 0; cpu < CPUS; cpu++)
		CHECK_EQ(*per_cpu_ptr(&test_static, cpu), cpu);
	CHECK_EQ(*this_cpu_ptr(&test_static), 0);
	get_cpu_var(test_static) += 5;
	put_cpu_var(test_static);
	CHECK_EQ(this_cpu_read(test_static), 5);
	CHECK(get_cpu_ptr(&test_static) == this_cpu_ptr(&test_static));
	put_cpu_ptr(&test_static);
}

/*
 * At random, against a map of the bytes that somebody has: of CPU 0's addresses, which are the others' but for a
 * distance.
 */

#define LIVE 600

static struct {
	u8 *ptr;
	size_t size;
} live[LIVE];

static void fill(unsigned long slot)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		memset(per_cpu_ptr(live[slot].ptr, cpu), (int)slot + cpu, live[slot].size);
}

static void check_bytes(unsigned long slot, bool zero)
{
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const u8 *at = per_cpu_ptr(live[slot].ptr, cpu);

		for (size_t i = 0; i < live[slot].size; i++)
			CHECK_EQ(at[i], zero ? 0 : (u8)((int)slot + cpu));
	}
}

static void check_apart(unsigned long slot)
{
	uintptr_t start = (uintptr_t)live[slot].ptr, end = start + live[slot].size;

	for (unsigned long other = 0; other < LIVE; other++) {
		uintptr_t from = (uintptr_t)live[other].ptr;

		CHECK(!from || other == slot || end <= from || from + live[other].size <= start);
	}
}

static size_t random_size(void)
{
	switch (tap_below(16)) {
	case 0:
	case 1:
		return 1 + tap_below(PERCPU_ALLOC_MAX);
	case 2:
	case 3:
		return 1 + tap_below(8000);
	default:
		return 1 + tap_below(tap_below(2) ? 8 : 300);
	}
}

static void make(unsigned long slot)
{
	size_t align = 1UL << tap_below(tap_below(4) ? 7 : 13);

	live[slot].size = random_size();
	live[slot].ptr = __alloc_percpu(live[slot].size, align);
	CHECK(live[slot].ptr);
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		CHECK(IS_ALIGNED((uintptr_t)per_cpu_ptr(live[slot].ptr, cpu), align));
	check_apart(slot);
	check_bytes(slot, true);
	fill(slot);
}

static void end(unsigned long slot)
{
	check_bytes(slot, false);
	free_percpu(live[slot].ptr);
	live[slot].ptr = NULL;
}

static size_t live_grains(void)
{
	size_t bytes = 0;

	for (unsigned long slot = 0; slot < LIVE; slot++)
		bytes += live[slot].ptr ? ALIGN(live[slot].size, GRAIN) : 0;
	return bytes;
}

static void test_random(void)
{
	size_t total, used;
	unsigned long start, most = 0, all = tap_ops(4000);

	host_boot_simple(512 * MIB, 3);
	used = percpu_usage(&total);
	CHECK_EQ(percpu_chunk_pages(), 0);
	start = quiet_pages();
	for (unsigned long n = all; n; n--) {
		/* Many are made live, then most of them end, and again: chunks come and go. */
		bool many = n * 4 / all % 2;
		unsigned long slot = tap_below(many ? LIVE : LIVE / 20);

		if (live[slot].ptr)
			end(slot);
		else
			make(slot);
		for (slot = tap_below(LIVE); !many && slot < LIVE; slot += 7)
			if (live[slot].ptr)
				end(slot);
		most = max(most, percpu_chunk_pages());
		if (n % 64 == 0) {
			CHECK(percpu_check());
			CHECK_EQ(percpu_usage(&total), used + live_grains());
		}
	}
	for (unsigned long slot = 0; slot < LIVE; slot++)
		if (live[slot].ptr)
			end(slot);
	CHECK(most >= 2UL * 3 * PERCPU_UNIT / PAGE_SIZE);
	CHECK(percpu_check() && vmalloc_check());
	CHECK_EQ(percpu_usage(&total), used);
	CHECK(percpu_chunk_pages() <= 3 * PERCPU_UNIT / PAGE_SIZE);
	/* But for the tables of upper levels, which stay. */
	CHECK(quiet_pages() + 2 >= start);
	CHECK(no_extents_left());
	CHECK_EQ(percpu_chunk_pages(), 0);
	host_check();
}

/* Chunks. */

#define UNIT_PAGES (PERCPU_UNIT / PAGE_SIZE)

static u8 *units[64];

/* A unit each: none fits in what is left of the first chunk, in the end. */
static unsigned int take_units(unsigned int n)
{
	unsigned int taken = 0;

	while (taken < n) {
		units[taken] = __alloc_percpu(PERCPU_UNIT, PAGE_SIZE);
		CHECK(units[taken]);
		taken++;
	}
	return taken;
}

static void test_chunks(void)
{
	unsigned long start;
	void *spare;
	u64 *one;

	host_boot_simple(256 * MIB, 2);
	take_units(6);
	CHECK(percpu_chunk_pages() >= 4 * 2 * UNIT_PAGES);
	for (int i = 0; i < 6; i++)
		free_percpu(units[i]);
	/* One empty chunk stays, until it is asked for. */
	CHECK_EQ(percpu_chunk_pages(), 2 * UNIT_PAGES);
	CHECK(!no_extents_left());
	start = quiet_pages();
	CHECK_EQ(percpu_chunk_pages(), 0);
	CHECK(no_extents_left());
	take_units(6);
	one = alloc_percpu(u64);
	CHECK(one && percpu_check());
	for (int i = 5; i >= 0; i--)
		free_percpu(units[i]);
	CHECK(percpu_check());
	free_percpu(one);
	CHECK_EQ(quiet_pages(), start);
	/* At the edge of a chunk nothing comes and goes. */
	take_units(6);
	spare = __alloc_percpu(PERCPU_UNIT, 8);
	free_percpu(spare);
	start = percpu_chunk_pages();
	for (int i = 0; i < 10; i++) {
		spare = __alloc_percpu(PERCPU_UNIT, 8);
		CHECK_EQ(percpu_chunk_pages(), start);
		free_percpu(spare);
		CHECK_EQ(percpu_chunk_pages(), start);
	}
	for (int i = 0; i < 6; i++)
		free_percpu(units[i]);
	CHECK(vmalloc_check());
	host_check();
}

static void see_own(void *arg)
{
	u64 **ptr = arg;

	CHECK(this_cpu_ptr(ptr[0]) == per_cpu_ptr(ptr[0], smp_processor_id()));
	CHECK_EQ(*this_cpu_ptr(ptr[0]), (u64)smp_processor_id() + 100);
	this_cpu_add(*ptr[0], 1000);
}

/* A pointer into a further chunk works with the base that each CPU has, and each unit lies on its CPU's node. */
static int node_of_cpu(int cpu)
{
	return cpu % 2;
}

static void test_local(void)
{
	static const struct host_bank banks[] = { { GIB, 128 * MIB, 0 }, { 5 * GIB, 128 * MIB, 1 } };
	u64 *ptr;

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = 2, .nr_cpus = 4, .cpu_node = node_of_cpu });
	host_cpus_start();
	take_units(4);
	ptr = (u64 *)(void *)units[3];
	for (int cpu = 0; cpu < 4; cpu++) {
		CHECK(is_vmalloc_addr(per_cpu_ptr(ptr, cpu)));
		for (size_t at = 0; at < PERCPU_UNIT; at += PAGE_SIZE)
			CHECK_EQ(page_to_nid(vmalloc_to_page(per_cpu_ptr(units[3], cpu) + at)), cpu % 2);
		*per_cpu_ptr(ptr, cpu) = (u64)cpu + 100;
	}
	on_each_cpu(see_own, &ptr);
	for (int cpu = 0; cpu < 4; cpu++)
		CHECK_EQ(*per_cpu_ptr(ptr, cpu), (u64)cpu + 1100);
	/* None of vmalloc()'s, though it lies among them. */
	vfree(per_cpu_ptr(ptr, 1));
	CHECK_LOG("vfree: .* lies in no area: nothing done");
	for (int i = 0; i < 4; i++)
		free_percpu(units[i]);
	CHECK(vmalloc_check());
	host_check();
	host_cpus_stop();
}

/* Areas that are further apart than vmalloc's addresses are many. */
static void test_too_far(void)
{
	static const struct host_bank banks[] = { { GIB, 64 * MIB, 0 }, { 200 * GIB, 64 * MIB, 1 } };
	unsigned int n = 0;

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = 2, .nr_cpus = 2, .cpu_node = node_of_cpu });
	while ((units[n] = __alloc_percpu(16384, 8)))
		n++;
	CHECK_LOG("percpu: 16384 bytes aligned to 8, CPU 0: no room, and no memory or address space for another chunk");
	CHECK(n > 2 && percpu_chunk_pages() == 0);
	while (n)
		free_percpu(units[--n]);
	CHECK(vmalloc_check());
	host_check();
}

/* Memory runs out at each step of adding a chunk: nothing of it is left. */
static void test_no_memory(void)
{
	static struct page *taken[32 * MIB / PAGE_SIZE];
	unsigned long start, n = 0, k = 0;
	void *ptr = NULL;

	host_boot_simple(32 * MIB, 2);
	take_units(3);
	free_percpu(units[2]);
	quiet_pages();
	while (n < ARRAY_SIZE(taken) && (taken[n] = alloc_page(GFP_KERNEL | __GFP_NOWARN)))
		n++;
	start = quiet_pages();
	host_log_clear();
	while (!ptr && k < 200) {
		ptr = __alloc_percpu_gfp(PERCPU_UNIT, 8, GFP_KERNEL | __GFP_NOWARN);
		CHECK(percpu_check() && vmalloc_check());
		if (ptr)
			break;
		CHECK_EQ(quiet_pages(), start + k);
		__free_page(taken[--n]);
		k++;
	}
	CHECK(ptr && k > 2 * UNIT_PAGES);
	CHECK_NO_LOG(".");
	free_percpu(ptr);
	CHECK_EQ(quiet_pages(), start + k);
	while (n)
		__free_page(taken[--n]);
	for (int i = 0; i < 2; i++)
		free_percpu(units[i]);
	percpu_trim();
	CHECK(no_extents_left());
	host_check();
}

/* Who cannot wait gets what there is. */
static void test_cannot_wait(void)
{
	unsigned long flags, chunks;
	unsigned int n = 0;
	void *ptr;

	host_boot_simple(64 * MIB, 2);
	while ((units[n] = __alloc_percpu_gfp(16384, 8, GFP_NOWAIT)))
		n++;
	CHECK(n > 2 && !percpu_chunk_pages());
	CHECK_NO_LOG("percpu: 16384");
	flags = local_irq_save();
	CHECK(!__alloc_percpu(16384, 8));
	CHECK_LOG("percpu: 16384 bytes aligned to 8, CPU 0: no room, and no chunk can be added in this context");
	free_percpu(units[--n]);
	units[n++] = __alloc_percpu(16384, 8);
	CHECK(units[n - 1]);
	local_irq_restore(flags);
	ptr = __alloc_percpu(16384, 8);
	chunks = percpu_chunk_pages();
	CHECK(ptr && chunks == 2 * UNIT_PAGES);
	free_percpu(ptr);
	/* A handler gets from the chunk that was added. */
	flags = local_irq_save();
	ptr = __alloc_percpu(16384, 8);
	CHECK(ptr);
	free_percpu(ptr);
	local_irq_restore(flags);
	CHECK_EQ(percpu_chunk_pages(), chunks);
	while (n)
		free_percpu(units[--n]);
	host_check();
}

/* What is refused. */

static void test_refused(void)
{
	size_t total, used;

	host_boot_simple(16 * MIB, 1);
	used = percpu_usage(&total);
	CHECK(!__alloc_percpu(0, 8));
	CHECK_LOG("percpu: 0 bytes aligned to 8, CPU 0: nothing to allocate");
	CHECK(!__alloc_percpu(PERCPU_ALLOC_MAX + 1, 8));
	CHECK_LOG("percpu: 65537 bytes aligned to 8, CPU 0: more than a unit holds");
	CHECK(!__alloc_percpu(~0UL, 8));
	CHECK(!__alloc_percpu(1UL << 63, 8));
	CHECK(!__alloc_percpu(8, 24));
	CHECK_LOG("percpu: 8 bytes aligned to 24, CPU 0: an alignment is a power of two up to a page");
	CHECK(!__alloc_percpu(8, 0));
	CHECK(!__alloc_percpu(8, 3));
	CHECK(!__alloc_percpu(8, 2 * PAGE_SIZE));
	host_log_clear();
	CHECK(!__alloc_percpu_gfp(0, 8, GFP_KERNEL | __GFP_NOWARN));
	CHECK_NO_LOG(".");
	CHECK_EQ(percpu_usage(&total), used);
	host_check();
}

static void test_bad_frees(void)
{
	u64 *one, local = 0;
	size_t total, used;
	u8 *many;

	host_boot_simple(64 * MIB, 1);
	one = alloc_percpu(u64);
	many = __alloc_percpu(64, 64);
	take_units(4);
	used = percpu_usage(&total);
	free_percpu(NULL);
	CHECK_NO_LOG("free_percpu");
	free_percpu(many + 16);
	CHECK_LOG(
		"free_percpu: 0x[0-9a-f]+ lies 16 bytes inside the allocation of 64 bytes at 0x[0-9a-f]+: nothing done");
	free_percpu((u8 *)one + 3);
	CHECK_LOG("free_percpu: .* lies 3 bytes inside the allocation of 8 bytes at ");
	free_percpu(units[3] + 40000);
	CHECK_LOG("free_percpu: .* lies 40000 bytes inside the allocation of 65536 bytes at ");
	free_percpu(&local);
	CHECK_LOG("free_percpu: .* lies in no chunk: nothing done");
	free_percpu(&test_static);
	CHECK_LOG("free_percpu: .* lies in no chunk, but among the static variables: nothing done");
	free_percpu(per_cpu_ptr(one, 0));
	CHECK_EQ(percpu_usage(&total), used);
	free_percpu(many);
	free_percpu(many);
	CHECK_LOG(
		"free_percpu: .*, offset 0x[0-9a-f]+ of the chunk at offset 0x[0-9a-f]+, is free already: the last known to be freed there were 64 bytes at 0x[0-9a-f]+, by .*: nothing done");
	free_percpu(many + 24);
	CHECK_LOG("free_percpu: .* is free already: the last known to be freed there were 64 bytes at ");
	free_percpu(one);
	host_log_clear();
	free_percpu(one);
	CHECK_LOG("free_percpu: .* is free already, with [0-9]+ bytes from 0x[0-9a-f]+ on: nothing done");
	CHECK_EQ(percpu_usage(&total), used - 72);
	for (int i = 0; i < 4; i++)
		free_percpu(units[i]);
	percpu_trim();
	host_log_clear();
	free_percpu(units[3]);
	CHECK_LOG(
		"free_percpu: .*, lies in no chunk any more: the last known to be freed there were 65536 bytes at 0x[0-9a-f]+, by .*: nothing done");
	host_check();
}

/* Operations on this CPU's copy, against plain C. */

static DEFINE_PER_CPU(u8, op8);
static DEFINE_PER_CPU(u16, op16);
static DEFINE_PER_CPU(s32, op32);
static DEFINE_PER_CPU(s64, op64);
static DEFINE_PER_CPU(u64 *, op_ptr);

#define TEST_OPS(name, type)                                                                  \
	static void test_##name(type model)                                                   \
	{                                                                                     \
		type n = (type)tap_random(), old = tap_below(2) ? model : n;                  \
                                                                                              \
		this_cpu_write(name, model);                                                  \
		this_cpu_add(name, n);                                                        \
		CHECK(this_cpu_read(name) == (model = (type)((u64)model + (u64)n)));          \
		this_cpu_sub(name, 2 * (u64)n);                                               \
		CHECK(this_cpu_read(name) == (model = (type)((u64)model - 2 * (u64)n)));      \
		this_cpu_inc(name);                                                           \
		this_cpu_inc(name);                                                           \
		this_cpu_dec(name);                                                           \
		CHECK(this_cpu_read(name) == (model = (type)((u64)model + 1)));               \
		CHECK(this_cpu_add_return(name, n) == (model = (type)((u64)model + (u64)n))); \
		CHECK(this_cpu_sub_return(name, 5) == (model = (type)((u64)model - 5)));      \
		CHECK(this_cpu_inc_return(name) == (model = (type)((u64)model + 1)));         \
		CHECK(this_cpu_dec_return(name) == (model = (type)((u64)model - 1)));         \
		this_cpu_or(name, n);                                                         \
		CHECK(this_cpu_read(name) == (model = (type)(model | n)));                    \
		n = (type)tap_random();                                                       \
		this_cpu_and(name, n);                                                        \
		CHECK(this_cpu_read(name) == (model = (type)(model & n)));                    \
		CHECK(this_cpu_cmpxchg(name, old, n) == model);                               \
		CHECK(this_cpu_read(name) == (model = model == old ? n : model));             \
		old = (type)((u64)model + 1);                                                 \
		CHECK(!this_cpu_try_cmpxchg(name, &old, n) && old == model);                  \
		CHECK(this_cpu_try_cmpxchg(name, &old, n) && this_cpu_read(name) == n);       \
		CHECK(this_cpu_xchg(name, 7) == n && this_cpu_read(name) == 7);               \
		raw_cpu_add(name, 3);                                                         \
		raw_cpu_sub(name, 1);                                                         \
		raw_cpu_inc(name);                                                            \
		raw_cpu_dec(name);                                                            \
		raw_cpu_or(name, 16);                                                         \
		raw_cpu_and(name, 27);                                                        \
		CHECK(raw_cpu_read(name) == 25 && raw_cpu_add_return(name, 1) == 26);         \
		CHECK(raw_cpu_xchg(name, 9) == 26 && raw_cpu_cmpxchg(name, 8, 1) == 9);       \
		CHECK(raw_cpu_cmpxchg(name, 9, 1) == 9 && __this_cpu_read(name) == 1);        \
	}
TEST_OPS(op8, u8)
TEST_OPS(op16, u16)
TEST_OPS(op32, s32)
TEST_OPS(op64, s64)

static void test_operations(void)
{
	u64 word, *none = NULL;

	host_boot_simple(16 * MIB, 2);
	for (unsigned long n = tap_ops(2000); n; n--) {
		test_op8((u8)tap_random());
		test_op16((u16)tap_random());
		test_op32((s32)tap_random());
		test_op64((s64)tap_random());
	}
	this_cpu_write(op_ptr, &word);
	CHECK(this_cpu_cmpxchg(op_ptr, none, none) == &word);
	CHECK(this_cpu_xchg(op_ptr, none) == &word && !this_cpu_read(op_ptr));
	CHECK(!per_cpu(op8, 1) && !per_cpu(op16, 1) && !per_cpu(op32, 1) && !per_cpu(op64, 1));
}

/*
 * A thread and handlers on one variable: the handler runs beside the thread here, so nothing may be lost between two
 * steps.
 */

static void handler_adds(void *arg)
{
	u32 **ptr = arg;

	this_cpu_add(*ptr[0], 3);
	this_cpu_inc(*ptr[1]);
	this_cpu_xchg(*ptr[2], 1);
}

static u32 *shared[3];
static u32 adding; /* CPUs that are not done yet; atomic */

static void thread_adds(void *arg)
{
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		u32 old = this_cpu_read(*shared[1]);

		this_cpu_add(*shared[0], 1);
		while (!this_cpu_try_cmpxchg(*shared[1], &old, old + 1))
			;
		if (n % 64 == 0)
			host_interrupt((int)tap_below(CPUS), handler_adds, shared);
	}
	__atomic_fetch_sub(&adding, 1, __ATOMIC_RELEASE);
}

static void test_interrupted(void)
{
	unsigned long n = tap_ops(500000), handlers = 0;
	u64 sum[2] = { 0, 0 };

	host_boot_simple(64 * MIB, CPUS);
	for (int i = 0; i < 3; i++)
		shared[i] = alloc_percpu(u32);
	host_cpus_start();
	adding = CPUS - 1;
	host_start_others(thread_adds, &n);
	do {
		host_interrupt((int)(handlers % CPUS), handler_adds, shared);
		handlers++;
	} while (__atomic_load_n(&adding, __ATOMIC_ACQUIRE));
	host_wait_for_others();
	handlers += (CPUS - 1) * (n / 64);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		sum[0] += *per_cpu_ptr(shared[0], cpu);
		sum[1] += *per_cpu_ptr(shared[1], cpu);
	}
	CHECK_EQ(sum[0], (CPUS - 1) * n + 3 * handlers);
	CHECK_EQ(sum[1], (CPUS - 1) * n + handlers);
	for (int i = 0; i < 3; i++)
		free_percpu(shared[i]);
	host_check();
	host_cpus_stop();
}

/* Eight CPUs and their handlers, which free, and allocate. */

static u64 *handed[CPUS][16]; /* by mailbox, atomic */

static void swap_mail(u64 **box, u64 *ptr)
{
	u64 *old;

	if (ptr)
		for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
			CHECK_EQ(*per_cpu_ptr(ptr, cpu), 0);
			*per_cpu_ptr(ptr, cpu) = (uintptr_t)ptr + (u64)cpu;
		}
	old = __atomic_exchange_n(box, ptr, __ATOMIC_ACQ_REL);
	for (int cpu = 0; old && cpu < nr_cpu_ids; cpu++)
		CHECK_EQ(*per_cpu_ptr(old, cpu), (uintptr_t)old + (u64)cpu);
	free_percpu(old);
}

static void handler_swaps(void *arg)
{
	swap_mail(arg, __alloc_percpu_gfp(8, 8, GFP_ATOMIC | __GFP_NOWARN));
}

static void load(void *arg)
{
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		size_t size = tap_below(4) ? 8 : 8 + tap_below(n % 16 ? 2000 : 60000);

		swap_mail(&handed[tap_below(CPUS)][tap_below(16)], __alloc_percpu(size, 8));
		if (n % 16 == 0)
			host_interrupt((int)tap_below(CPUS), handler_swaps, &handed[tap_below(CPUS)][tap_below(16)]);
		if (n % 256 == 0)
			percpu_trim();
	}
}

static void test_threads(void)
{
	unsigned long n = tap_ops(3000);
	size_t total, used;

	host_boot_simple(512 * MIB, CPUS);
	used = percpu_usage(&total);
	host_cpus_start();
	host_on_all_cpus(load, &n);
	CHECK(percpu_check());
	for (int i = 0; i < CPUS * 16; i++)
		free_percpu((&handed[0][0])[i]);
	CHECK_EQ(percpu_usage(&total), used);
	percpu_trim();
	CHECK_EQ(percpu_chunk_pages(), 0);
	CHECK(percpu_check() && vmalloc_check());
	host_check();
	host_cpus_stop();
}

/* The prompt. */

static void test_command(void)
{
	host_boot_simple(64 * MIB, 2);
	host_log_clear();
	CHECK_EQ(show_meminfo(1, NULL), 0);
	CHECK_LOG("^Percpu: +[0-9]+ kB");
	take_units(4);
	host_log_clear();
	CHECK_EQ(show_percpu(1, NULL), 0);
	CHECK_LOG("^ *1 +0x[0-9a-f]+ +65536 +65536 +1 +0 +0 +0 %");
	CHECK_LOG(
		"^2 CPUs, [0-9]+ of [0-9]+ bytes in use of each, [0-9]+ static; (64|96) pages beyond the first chunk");
	/* As Linux does: by size, without pages, and no unmapped page counted. */
	host_log_clear();
	show_vmalloc_areas();
	CHECK_LOG("^0x[0-9a-f]*00000-0x[0-9a-f]*00000 +[0-9]+ [^ ]+ vmalloc$");
	for (int i = 0; i < 4; i++)
		free_percpu(units[i]);
	percpu_trim();
	host_log_clear();
	show_vmalloc_areas();
	CHECK_NO_LOG(" vmalloc$");
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("static per-CPU variables", test_static_variables),
	TAP_CASE("allocations at random, against a map of bytes", test_random),
	TAP_CASE("chunks come and go, one empty one stays", test_chunks),
	TAP_CASE("each CPU's unit is at its own base, on its own node", test_local),
	TAP_CASE("areas too far apart have no further chunks", test_too_far),
	TAP_CASE("memory runs out at each step, and nothing is left", test_no_memory),
	TAP_CASE("who cannot wait gets what there is", test_cannot_wait),
	TAP_CASE("what is refused", test_refused),
	TAP_CASE("wrong frees are reported, with the allocation", test_bad_frees),
	TAP_CASE("operations on this CPU's copy", test_operations),
	TAP_CASE("operations against interrupts", test_interrupted),
	TAP_CASE("8 CPUs and interrupts", test_threads),
	TAP_CASE("the prompt", test_command),
};
TAP_MAIN(cases)
