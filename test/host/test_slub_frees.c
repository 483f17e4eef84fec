// SPDX-License-Identifier: BSD-2-Clause
/*
 * What SLUB's checked frees tell apart, for objects of all strides and with the mark in any place, one by one and in
 * bulk.
 *
 * Without the checks of CONFIG_MM_DEBUG, which send every free the long way, these cases go through the same
 * instructions as in an image: build/host/basic-asan and basic-tsan.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "../../mm/slub.h"
#include "../../mm/slub_debug.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define MANY 1000

static void *objects[MANY + 1];

#define LINEAR (0xffffUL << 48) /* an Arm machine's */
#define NOISE  BIT(33)		/* what other fields may add to a product */

/* A physical address: those at both ends of the linear map, in the first gigabytes, and any. */
static u64 any_slab_at(u32 bytes)
{
	const u64 ends[] = { 0, 240UL << 40, GIB, 4 * GIB, 1UL << 44, 1UL << 47 };
	u64 from = ends[tap_below(ARRAY_SIZE(ends))], within = BIT(13 + tap_below(20));

	if (from == 240UL << 40)
		return from - ALIGN(tap_below(within), (u64)bytes) - bytes;
	return ALIGN(from + tap_below(within), (u64)bytes);
}

/*
 * How far a slab's product moves from one try to the next, in windows of 2^64 - @first bytes; and *@room, how much of
 * such a window is too near its end for a slab: 0 for physical addresses from OBJECT_SPREAD on.
 */
static u64 move_of_try(u64 first, u64 *room)
{
	const u64 from = -first, move = (first << 16) % from;

	*room = from > OBJECT_WINDOW - OBJECT_SPREAD ? from - (OBJECT_WINDOW - OBJECT_SPREAD) : 0;
	return min(move, from - move);
}

/*
 * Whether there may be no factor: all tries end in that room. They move in one direction, and one of them not at all
 * when the product passes 2^64.
 */
static bool may_have_none(u64 first)
{
	u64 room, move = move_of_try(first, &room);

	return (OBJECT_TRIES - 2) * move < room;
}

/* One multiplication tells what a division does, for each byte of a slab, wherever that is. */
static bool try_factor(u32 stride, u32 bytes)
{
	const u32 first = bytes % stride, id = (u32)tap_below(0x10000);
	const u64 base = LINEAR + any_slab_at(bytes), factor = object_factor(base + first, object_step(stride), id);

	for (u32 n = 0; factor && n < bytes; n++) {
		bool begins = n >= first && (n - first) % stride == 0;
		u64 product = (base + n) * factor;

		if (unlikely((object_window(product) == id) != begins ||
			     (begins && object_window(product + NOISE) != id)))
			tap_fail(__FILE__, __LINE__, "slab of %u bytes at 0x%llx, stride %u, id 0x%x: offset %u", bytes,
				 base, stride, id, n);
	}
	if (!factor && !may_have_none(base + first))
		tap_fail(__FILE__, __LINE__, "slab at 0x%llx, stride %u, id 0x%x: no factor", base, stride, id);
	return factor;
}

static void test_factor(void)
{
	unsigned int none = 0, tried = 0;

	for (u32 stride = 8; stride <= 1U << 14; stride += 8) {
		for (u32 bytes = stride > PAGE_SIZE ? 32768 : 4096; bytes <= 32768; bytes *= 8, tried++)
			none += !try_factor(stride, bytes);
	}
	CHECK(none <= tried / 100);
}

/* Whether no multiplier between those that tries begin with has the objects of a slab in their window. */
static bool no_factor(u64 first, u64 step, u32 id)
{
	for (int i = 0; i < OBJECT_TRIES; i++, step += BIT(16))
		for (u64 more = 0; more < BIT(16); more++)
			if (first * (step + more) - ((u64)id << OBJECT_WINDOW_SHIFT) < OBJECT_WINDOW - OBJECT_SPREAD)
				return false;
	return true;
}

/* Of a slab at @first: how many of all numbers of caches have no factor. There is none, then, that would do. */
static u32 ids_without(u64 first, u64 step)
{
	u32 none = 0;

	for (u32 id = 0; id < 0x10000; id++) {
		if (object_factor(first, step, id))
			continue;
		if (!none++)
			CHECK(no_factor(first, step, id));
	}
	return none;
}

/*
 * Near @n times 4 GiB tries move least: @n * 4 GiB * 2^16 is a multiple of 2^48, and that leaves n * n * 2^32 in a
 * window, which n * n * 2^16 bytes less of address make up for; 340 KiB to both sides move six tries out of the room.
 * Numbers move the product by the physical address, so they go round the window @n times, and each time
 * OBJECT_SPREAD / (n * 4 GiB) of them meet the room.
 */
static void test_factor_none(void)
{
	const u64 rounds = OBJECT_SPREAD >> 32;

	for (u64 n = 1; n < rounds; n++) {
		u64 at = n * (4 * GIB) - n * n * BIT(16), room, first, move;
		u64 step = object_step(8 + 8 * (u32)tap_below(2048));
		u32 none;

		first = LINEAR + ALIGN(at + tap_below(680 * 1024) - 340 * 1024, 8UL);
		none = ids_without(first, step);
		move = move_of_try(first, &room);
		CHECK(!none || may_have_none(first));
		CHECK(none <= (n + 1) * (rounds / n + 1));
		CHECK(none || at + (OBJECT_TRIES - 1) * move >= room);
		/* A MiB away there is one for all. */
		CHECK(!may_have_none(first + MIB) && !may_have_none(first - MIB));
		CHECK(!ids_without(first + (n % 2 ? MIB : -MIB), step));
	}
}

/* The free of @p is refused with a report, and nothing is written. */
static void check_refused(struct kmem_cache *cache, char *p, bool by_kfree)
{
	u8 before[8], bytes = (uintptr_t)p % PAGE_SIZE > PAGE_SIZE - 8 ? 1 : 8;

	memcpy(before, p, bytes);
	host_log_clear();
	if (by_kfree)
		kfree(p);
	else
		kmem_cache_free(cache, p);
	CHECK_LOG("slub: BUG in inner: what was to be freed is not the beginning of an object");
	CHECK(!memcmp(before, p, bytes));
	/* At most ten reports in five seconds. */
	host_clock_skip(1000000000);
}

/*
 *	| rest | object | object | ... | object |
 *	           ^  no address in there and none of the rest, is handed out to anybody after it was freed
 */
static void try_inner(size_t size, void (*ctor)(void *obj))
{
	struct kmem_cache *cache = kmem_cache_create("inner", size, 0, SLAB_NO_MERGE, ctor);
	char *obj, *next, *slab;

	CHECK(cache && has_stacks(cache));
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	slab = page_address(slab_of(obj));
	for (size_t i = 1; i < cache->size; i += i < 16 ? 1 : 1 + tap_below(size / 4))
		check_refused(cache, obj + i, i % 2);
	for (size_t i = PAGE_SIZE; i < cache->size; i += PAGE_SIZE)
		check_refused(cache, obj + i, i == PAGE_SIZE);
	CHECK_EQ((size_t)(slab + cache->slab_bytes - obj) % cache->size, 0);
	for (size_t i = 0; i < cache->slab_bytes % cache->size; i += 8)
		check_refused(cache, slab + i, i % 16);
	host_log_clear();
	next = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(next && (next < obj || next >= obj + size));
	kfree(next);
	kmem_cache_free(cache, obj);
	host_check();
	CHECK_NO_LOG("slub: BUG");
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static void make_nothing(void *obj)
{
	(void)obj;
}

static void test_inner(void)
{
	static const size_t sizes[] = { 8, 24, 64, 96, 136, 192, 200, 700, 1024, 1608, 4104, 8192 };

	host_boot_simple(64 * MIB, 1);
	host_mute();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		try_inner(sizes[i], NULL);
		try_inner(sizes[i], make_nothing);
	}
}

/*
 * Whatever is within an object of one cache is refused as another's, by kmem_cache_free() and in a bulk: of each pair
 * of caches, at each multiple of 4 bytes.
 */
static void test_foreign_inner(void)
{
	static const size_t sizes[] = { 24, 64, 200, 512, 1024, 2048, 4096, 8192 };
	struct kmem_cache *caches[ARRAY_SIZE(sizes)];

	void *page;

	host_boot_simple(64 * MIB, 1);
	host_mute();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK((caches[i] = kmem_cache_create("inner", sizes[i], 0, SLAB_NO_MERGE, NULL)) &&
		      has_stacks(caches[i]));
	for (size_t of = 0; of < ARRAY_SIZE(sizes); of++) {
		char *obj = kmem_cache_alloc(caches[of], GFP_KERNEL), *next;

		memset(obj, 0xaa, sizes[of]);
		for (size_t named = 0; named < ARRAY_SIZE(sizes); named++) {
			for (size_t at = 4; at < sizes[of]; at += 4) {
				void *p = obj + at;

				kmem_cache_free(caches[named], p);
				kmem_cache_free_bulk(caches[named], 1, &p);
			}
		}
		for (size_t at = 0; at < sizes[of]; at++)
			CHECK_EQ((u8)obj[at], 0xaa);
		next = kmem_cache_alloc(caches[of], GFP_KERNEL);
		CHECK(next >= obj + sizes[of] || next + sizes[of] <= obj);
		kmem_cache_free(caches[of], next);
		kmem_cache_free(caches[of], obj);
	}
	/* A page that is no slab's names no stack. */
	CHECK(page = (void *)__get_free_page(GFP_KERNEL));
	*(u32 *)page = 0;
	kmem_cache_free_bulk(caches[0], 1, &page);
	CHECK_EQ(*(u32 *)page, 0);
	free_page((unsigned long)page);
	host_check();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK_EQ(kmem_cache_destroy(caches[i]), 0);
}

/*
 * Numbers of caches that hold each other's objects apart are what object_ids_apart() says, by a look at all addresses.
 */
static void test_ids_apart(void)
{
	unsigned int met = 0;

	for (int round = 0; round < 200; round++) {
		const u32 stride = 8 * (1 + (u32)tap_below(1024)), bytes = stride > PAGE_SIZE ? 32768 : 4096;
		const u32 id = (u32)tap_below(0x10000), first = bytes % stride;
		const u64 base = LINEAR + any_slab_at(bytes);
		const u64 factor = object_factor(base + first, object_step(stride), id);

		for (u32 n = first; factor && n < bytes; n += 4) {
			u32 other = object_window((base + n) * factor);

			met += other != id;
			CHECK(other == id || !object_ids_apart(id, stride, other));
		}
	}
	CHECK(met);
}

#define MADE 0x1234567890abcdefULL

static void make_word(void *obj)
{
	*(u64 *)obj = MADE;
}

/* From a stack and back to it: no slab is looked at, what the constructor made stays, and a second free is found. */
static void try_constructed(unsigned int flags, void (*ctor)(void *obj), size_t size)
{
	struct kmem_cache *cache = kmem_cache_create("made", size, 0, flags | SLAB_NO_MERGE, ctor);
	struct slab_stats before, after;
	unsigned long most;

	CHECK(cache && has_stacks(cache));
	host_clock_skip(10000000000);
	most = min((unsigned long)cache->capacity / 2, (unsigned long)MANY);
	for (unsigned long i = 0; i < most; i++)
		CHECK(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
	slab_stat(cache, &before);
	for (unsigned long i = 0; i < most; i++) {
		*(u64 *)objects[i] = MADE;
		if (i % 2)
			kfree(objects[i]);
		else
			kmem_cache_free(cache, objects[i]);
	}
	for (unsigned long i = 0; i < most; i++) {
		void *obj = kmem_cache_alloc(cache, GFP_KERNEL);

		CHECK_EQ((uintptr_t)obj, (uintptr_t)objects[most - 1 - i]);
		CHECK_EQ(*(u64 *)obj, MADE);
	}
	slab_stat(cache, &after);
	CHECK_EQ(before.refills + before.singles, after.refills + after.singles);
	CHECK_EQ(before.flushes, after.flushes);
	host_log_clear();
	for (unsigned long i = 0; i < most; i++)
		kmem_cache_free(cache, objects[i]);
	CHECK_NO_LOG("slub: BUG");
	for (int i = 0; HARDENED && i < 2; i++) {
		host_log_clear();
		if (i)
			kfree(objects[i]);
		else
			kmem_cache_free(cache, objects[i]);
		CHECK_LOG("slub: BUG in made: what was to be freed is free already, on the stack of CPU 0");
	}
	host_check();
	/* Many: the stack is filled and emptied, and so are slabs. */
	for (int i = 0; i < MANY; i++)
		CHECK(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
	for (int i = 0; i < MANY; i++) {
		CHECK(!ctor || *(u64 *)objects[i] == MADE);
		kmem_cache_free(cache, objects[i]);
	}
	CHECK_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL, MANY, objects), MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(!ctor || *(u64 *)objects[i] == MADE);
	kmem_cache_free_bulk(cache, MANY, objects);
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

static void test_constructed(void)
{
	host_boot_simple(64 * MIB, 1);
	try_constructed(0, make_word, 8);
	try_constructed(0, make_word, 56);
	try_constructed(0, make_word, 1000);
	try_constructed(SLAB_TYPESAFE_BY_RCU, NULL, 64);
	try_constructed(SLAB_TYPESAFE_BY_RCU, NULL, 200);
	try_constructed(SLAB_TYPESAFE_BY_RCU, make_word, 100);
}

#define ROUNDS 400

static struct kmem_cache *raced;
static void *contested;
static u32 arrived; /* atomic */
static bool by_kfree;

/* Both CPUs free the object as soon as both are here. */
static void free_contested(void *unused)
{
	void *obj = contested;

	(void)unused;
	host_meet(&arrived, 2, 1);
	if (by_kfree)
		kfree(obj);
	else
		kmem_cache_free(raced, obj);
}

/* How often @obj lies on @cpu's stack. */
static unsigned int times_on_stack(int cpu, const void *obj)
{
	void *const *slot = per_cpu_ptr(raced->cpu, cpu)->slot;
	unsigned int times = 0;

	for (unsigned long i = 1; i <= cpu_stack_count(raced, cpu); i++)
		times += slot[i] == obj;
	return times;
}

/* Freed by two CPUs at the very same moment, an object is free once. */
static void race_of(size_t size, void (*ctor)(void *obj), unsigned long rounds)
{
	raced = kmem_cache_create("raced", size, 0, SLAB_NO_MERGE, ctor);
	CHECK(raced);
	for (unsigned long i = 0; i < rounds; i++) {
		CHECK(contested = kmem_cache_alloc(raced, GFP_KERNEL));
		by_kfree = i % 2;
		__atomic_store_n(&arrived, 0, __ATOMIC_RELEASE);
		CHECK_EQ(smp_work_start(1, free_contested, NULL), 0);
		free_contested(NULL);
		smp_work_wait(1);
		CHECK_EQ(times_on_stack(0, contested) + times_on_stack(1, contested), 1);
	}
	CHECK_LOG("slub: BUG in raced: what was to be freed is free already, on the stack of CPU [01]");
	host_log_clear();
	CHECK_EQ(kmem_cache_destroy(raced), 0);
	host_check();
}

static void test_race(void)
{
	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	host_mute();
	race_of(64, NULL, tap_ops(ROUNDS));
	host_clock_skip(10000000000);
	race_of(96, NULL, tap_ops(ROUNDS));
	host_clock_skip(10000000000);
	race_of(40, make_nothing, tap_ops(ROUNDS));
	host_cpus_stop();
}

/* Objects of all kinds at once; a wrong one among them is reported and left alone. */
static void test_kfree_bulk(void)
{
	struct kmem_cache *odd;
	void *mixed[8], *kept;

	host_boot_simple(64 * MIB, 1);
	odd = kmem_cache_create("odd", 40, 0, SLAB_NO_MERGE, make_nothing);
	for (int round = 0; round < 100; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(mixed); i++)
			CHECK(mixed[i] = i ? kmalloc(8UL << (2 * i), GFP_KERNEL) : kmem_cache_alloc(odd, GFP_KERNEL));
		kfree_bulk(ARRAY_SIZE(mixed), mixed);
		host_check();
	}
	kfree_bulk(0, mixed);
	for (unsigned int i = 0; i < ARRAY_SIZE(mixed); i++)
		CHECK(mixed[i] = kmalloc(96, GFP_KERNEL));
	kept = mixed[3];
	mixed[3] = NULL;
	kmem_cache_free_bulk(NULL, ARRAY_SIZE(mixed), mixed);
	kfree(kept);
	host_check();
	CHECK_EQ(kmem_cache_destroy(odd), 0);
}

/* What try_wrong_bulk() causes: objects of others, addresses in objects, in no slab, freed twice, 1, and NULL. */
static const char *const reports[] = {
	"slub: BUG in wrong: what was to be freed belongs to another cache",
	"slub: BUG in wrong: what was to be freed is not the beginning of an object",
	"slub: BUG in wrong: what was to be freed lies in no slab",
	"slub: BUG in wrong: what was to be freed is free already, ",
	"slub: BUG in wrong: what was to be freed lies in no slab",
	NULL,
};

/* What is wrong among the objects of a bulk is reported and left alone, wherever it stands, and all others are free. */
static void try_wrong_bulk(size_t size, void (*ctor)(void *obj), unsigned int n, unsigned int wrong)
{
	struct kmem_cache *cache = kmem_cache_create("wrong", size, 0, SLAB_NO_MERGE, ctor),
			  *other = kmem_cache_create("other", size, 0, SLAB_NO_MERGE, ctor);
	void *foreign = kmem_cache_alloc(other, GFP_KERNEL);
	struct slab_sums sums;

	CHECK(foreign);
	for (size_t kind = 0; kind < ARRAY_SIZE(reports); kind++) {
		void *odd = foreign;

		for (unsigned int i = 0; i < n; i++)
			CHECK(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
		if (kind == 1)
			odd = (char *)objects[wrong] + 4;
		if (kind == 2)
			odd = &sums;
		if (kind == 3)
			odd = objects[wrong];
		if (kind > 3)
			odd = (void *)(ARRAY_SIZE(reports) - 1 - kind); /* 1, NULL */
		/* One more, between the others. */
		memmove(objects + wrong + 1, objects + wrong, (n - wrong) * sizeof(objects[0]));
		objects[wrong] = odd;
		host_clock_skip(10000000000);
		host_log_clear();
		kmem_cache_free_bulk(cache, n + 1, objects);
		if (reports[kind])
			CHECK_LOG(reports[kind]);
		else
			CHECK_NO_LOG("slub: BUG");
		slab_sum(cache, &sums);
		CHECK_EQ(sums.taken, sums.stacked);
		host_check();
	}
	kmem_cache_free(other, foreign);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(other), 0);
}

static void test_wrong_bulk(void)
{
	host_boot_simple(64 * MIB, 1);
	host_mute();
	for (unsigned int round = 0; round < 40; round++) {
		unsigned int n = 1 + (unsigned int)tap_below(round % 2 ? 40 : MANY - 1);

		try_wrong_bulk(8 + 8 * tap_below(40), round % 4 < 2 ? NULL : make_nothing, n,
			       (unsigned int)tap_below(n));
	}
}

/* Objects that were written to come zeroed from stack and slab, all of each, whatever way they are asked for. */
static void test_zeroed(void)
{
	static const size_t sizes[] = { 8, 24, 64, 96, 200, 1024, 8192 };
	volatile gfp_t zero = GFP_KERNEL | __GFP_ZERO;

	host_boot_simple(64 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *cache = kmem_cache_create("zeroed", sizes[i], 0, SLAB_NO_MERGE, NULL);

		for (int round = 0; round < 6; round++) {
			volatile size_t size = sizes[i] - (size_t)(round % 2);
			u8 *made = round % 2 ? kmem_cache_zalloc(cache, GFP_KERNEL) : kmem_cache_alloc(cache, zero);
			u8 *any = round % 2 ? kzalloc(size, GFP_KERNEL) : kmalloc(size, zero);
			size_t whole;

			CHECK(made && any);
			whole = kmalloc_size_roundup(size);
			for (size_t byte = 0; byte < sizes[i]; byte++)
				CHECK(!made[byte]);
			for (size_t byte = 0; byte < (KMALLOC_EXACT ? size : whole); byte++)
				CHECK(!any[byte]);
			memset(made, 0x5a, sizes[i]);
			memset(any, 0x5a, size);
			kmem_cache_free(cache, made);
			kfree(any);
			host_check();
		}
		CHECK_EQ(kmem_cache_destroy(cache), 0);
	}
}

#define BULK_MANY (1UL << 17)

static bool freeing, seen_half;

/* Between two stretches of a bulk: some of its objects are free, and some are not. */
static void look_between(void *unused)
{
	unsigned long taken = raced->node[0].nr_taken - cpu_stack_count(raced, 0);

	(void)unused;
	if (__atomic_load_n(&freeing, __ATOMIC_ACQUIRE) && taken && taken < BULK_MANY)
		__atomic_store_n(&seen_half, true, __ATOMIC_RELEASE);
}

static bool interrupts_stop;

static void *interrupt_all(void *unused)
{
	while (!__atomic_load_n(&interrupts_stop, __ATOMIC_RELAXED))
		host_interrupt(0, look_between, NULL);
	return unused;
}

/* A bulk lets interrupts in on its way: a handler sees it half done. */
static void test_bulk_unmasked(void)
{
	static void *many[BULK_MANY];
	pthread_t interrupter;

	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	raced = kmem_cache_create("bulk", 64, 0, SLAB_NO_MERGE, NULL);
	CHECK(!pthread_create(&interrupter, NULL, interrupt_all, NULL));
	for (int round = 0; round < 50 && !__atomic_load_n(&seen_half, __ATOMIC_ACQUIRE); round++) {
		CHECK_EQ(kmem_cache_alloc_bulk(raced, GFP_KERNEL, ARRAY_SIZE(many), many), ARRAY_SIZE(many));
		__atomic_store_n(&freeing, true, __ATOMIC_RELEASE);
		kmem_cache_free_bulk(raced, ARRAY_SIZE(many), many);
		__atomic_store_n(&freeing, false, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&interrupts_stop, true, __ATOMIC_RELAXED);
	pthread_join(interrupter, NULL);
	CHECK(seen_half);
	CHECK_EQ(kmem_cache_destroy(raced), 0);
	host_check();
	host_cpus_stop();
}

static int node_of_cpu(int cpu)
{
	return cpu % 2;
}

static struct kmem_cache *boot_two_nodes(void)
{
	static const struct host_bank banks[] = { { GIB, 32 * MIB, 0 }, { GIB + 32 * MIB, 32 * MIB, 1 } };
	struct kmem_cache *cache;

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = ARRAY_SIZE(banks), .nr_cpus = 2, .cpu_node = node_of_cpu });
	CHECK(cache = kmem_cache_create("both", 64, 0, SLAB_NO_MERGE, NULL));
	return cache;
}

/* All on this CPU's stack for @nid are of that node. */
static void check_stack_of(const struct kmem_cache *cache, int nid)
{
	void *const *slot = node_slots(cache, 0, nid);

	for (unsigned long i = 1; i <= node_stack_count(cache, 0, nid); i++)
		CHECK_EQ(page_to_nid(virt_to_page(slot[i])), nid);
}

/* Of a bulk of two nodes' objects, in runs of all lengths, each goes where it belongs. */
static void test_bulk_nodes(void)
{
	struct kmem_cache *cache = boot_two_nodes();
	struct slab_sums sums;

	for (unsigned long round = 0; round < tap_ops(400); round++) {
		unsigned int n = 1 + (unsigned int)tap_below(tap_below(2) ? 40 : MANY), nid = 0;

		for (unsigned int i = 0; i < n; i++) {
			nid ^= tap_below(round % 20 + 1) == 0;
			CHECK(objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL, (int)nid));
		}
		kmem_cache_free_bulk(cache, n, objects);
		host_check();
		slab_sum(cache, &sums);
		CHECK_EQ(sums.taken, sums.stacked);
		check_stack_of(cache, 0);
		check_stack_of(cache, 1);
	}
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

#define RUNS 5
#define RUN  21U

/*
 *	| near ... near | far | near ... near | far | ...
 *
 * A run of near objects goes on this CPU's stack at once: interrupts are masked once for it, and once for each far
 * object, which is pushed on a stack of its own. No stack is full, so nothing goes home.
 */
static void test_bulk_runs(void)
{
	struct kmem_cache *cache = boot_two_nodes();
	struct slab_stats before, after;
	unsigned long near, far, masked;
	void *bulk[RUNS * (RUN + 1)];

	for (unsigned int i = 0; i < ARRAY_SIZE(bulk); i++)
		CHECK(bulk[i] = kmem_cache_alloc_node(cache, GFP_KERNEL, i % (RUN + 1) == RUN));
	near = node_stack_count(cache, 0, 0);
	far = node_stack_count(cache, 0, 1);
	CHECK(cache->capacity - near >= RUNS * RUN && far_stack() - far >= RUNS);
	slab_stat(cache, &before);
	masked = host_times_masked();
	kmem_cache_free_bulk(cache, ARRAY_SIZE(bulk), bulk);
	masked = host_times_masked() - masked;
	CHECK(slub_debug_on() || masked <= 2 * RUNS);
	CHECK_EQ(node_stack_count(cache, 0, 0), near + RUNS * RUN);
	CHECK_EQ(node_stack_count(cache, 0, 1), far + RUNS);
	check_stack_of(cache, 0);
	check_stack_of(cache, 1);
	slab_stat(cache, &after);
	CHECK_EQ(after.flushes, before.flushes);
	CHECK_EQ(after.remote_frees - before.remote_frees, RUNS);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

/* The smallest power of two from 8 up to the line's 64 bytes into which an object fits, as Linux has it. */
static void test_hwcache_align(void)
{
	host_boot_simple(32 * MIB, 1);
	for (size_t size = 1; size <= 200; size++) {
		struct kmem_cache *cache = kmem_cache_create("lines", size, 0, SLAB_HWCACHE_ALIGN, NULL);
		size_t align = 8;

		while (align < 64 && align < size)
			align *= 2;
		CHECK(cache);
		CHECK_EQ(cache->align, align);
		CHECK_EQ(cache->size, ALIGN(size, align));
		CHECK_EQ(kmem_cache_destroy(cache), 0);
	}
}

/* A power of two is aligned to itself, with every guard, too. */
static void test_natural_alignment(void)
{
	static const struct host_bank bank = { GIB, 64 * MIB, -1 };
	void *p;

	host_boot(
		&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = 1, .bootargs = "slub_debug=FZPUQ" });
	for (size_t size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 2) {
		for (int i = 0; i < 20; i++) {
			CHECK(p = kmalloc(size, i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_RECLAIMABLE));
			CHECK(slab_of(p)->slab_cache->guard && IS_ALIGNED((uintptr_t)p, size));
			memset(p, 0x33, size);
			kfree(p);
		}
	}
	CHECK_NO_LOG("slub: BUG");
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("where an object begins, by multiplication", test_factor),
	TAP_CASE("no factor for an object: where, and how rarely", test_factor_none),
	TAP_CASE("caches that are told apart", test_ids_apart),
	TAP_CASE_IF(HARDENED, "where frees are checked", "addresses inside of objects", test_inner),
	TAP_CASE_IF(HARDENED, "where frees are checked", "addresses inside of another cache's objects",
		    test_foreign_inner),
	TAP_CASE("objects with a constructor, and typesafe ones, have stacks", test_constructed),
	TAP_CASE_IF(HARDENED, "where frees are checked", "two CPUs free an object at the same moment", test_race),
	TAP_CASE("kfree_bulk()", test_kfree_bulk),
	TAP_CASE_IF(HARDENED, "where frees are checked", "what is wrong in a bulk", test_wrong_bulk),
	TAP_CASE("__GFP_ZERO", test_zeroed),
	TAP_CASE("interrupts during a bulk", test_bulk_unmasked),
	TAP_CASE("a bulk of two nodes' objects", test_bulk_nodes),
	TAP_CASE("a run of near objects in a bulk is pushed at once", test_bulk_runs),
	TAP_CASE("SLAB_HWCACHE_ALIGN", test_hwcache_align),
	TAP_CASE("kmalloc() of a power of two, guarded", test_natural_alignment),
};
TAP_MAIN(cases)
