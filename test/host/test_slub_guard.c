// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guarded caches: every kind of damage, what is said about it, and that the machine runs on.
 *
 * Each case boots a machine and makes a cache with the guards that it is about. `victim` is an object of 60 bytes, so
 * its right red zone is the 4 bytes up to the next word.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../mm/slub_args.h"
#include "../../mm/slub_guard.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define SIZE 60

static struct kmem_cache *cache;
static u8 *victim;

static void boot_with(unsigned int flags)
{
	host_boot_simple(32 * MIB, 4);
	cache = kmem_cache_create("guarded", SIZE, 0, flags, NULL);
	CHECK(cache && cache->guard);
	victim = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(victim);
	host_check();
	host_log_clear();
}

static u64 state_of(const void *obj)
{
	return object_state(cache, obj)->state;
}

/* The machine runs on: what was reported is mended, and @isolated objects are out of use. */
static void check_mended(unsigned long isolated)
{
	host_check();
	CHECK_EQ(cache->guard->nr_isolated, isolated);
	for (int i = 0; i < 300; i++) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		CHECK(p && (!isolated || p != victim));
		kmem_cache_free(cache, p);
	}
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

static void test_layout(void)
{
	host_boot_simple(32 * MIB, 1);
	for (size_t align = 8; align <= 4096; align *= 8)
		for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size = size * 3 + 1) {
			u8 *objs[40];

			cache = kmem_cache_create("laid out", size, align, SLAB_GUARDS_FULL, NULL);
			CHECK(cache);
			for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++) {
				objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
				CHECK(objs[i] && IS_ALIGNED((uintptr_t)objs[i], align));
				for (size_t b = 0; b < size; b++)
					CHECK_EQ(objs[i][b], b == size - 1 ? POISON_END : POISON_FREE);
				memset(objs[i], 0x11, size);
			}
			host_check();
			for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
				kmem_cache_free(cache, objs[i]);
			host_check();
			CHECK_EQ(kmem_cache_destroy(cache), 0);
		}
	CHECK_NO_LOG("slub: BUG");
}

static void test_overflow(void)
{
	boot_with(SLAB_RED_ZONE);
	victim[SIZE] = 0x41;
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: guarded: .*: right red zone: 0x[0-9a-f]+ has 0x41 instead of 0xcc");
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: BUG in guarded: a red zone was written over");
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x41 instead of 0xcc, wrong bytes: 1");
	CHECK_LOG("  object 0x[0-9a-f]+ of guarded, 60 bytes, at offset 0x[0-9a-f]+ of the slab at pfn 0x[0-9a-f]+: ");
	CHECK_LOG("0x[0-9a-f]+: 41 cc cc cc  right red zone.60");
	CHECK_LOG("slub: guarded: red zone written anew");
	CHECK_EQ(state_of(victim), OBJECT_FREE);
	check_mended(0);
}

static void test_underflow(void)
{
	boot_with(SLAB_RED_ZONE);
	victim[-1] = 0;
	victim[-2] = 0;
	kmem_cache_free(cache, victim);
	CHECK_LOG("  left red zone: 0x[0-9a-f]+ has 0x00 instead of 0xcc, wrong bytes: 2");
	CHECK_LOG("0x[0-9a-f]+: cc cc cc cc cc cc 00 00  left red zone-8");
	check_mended(0);
}

/* A free object's neighbour writes past its end. */
static void test_free_zone(void)
{
	boot_with(SLAB_RED_ZONE);
	kmem_cache_free(cache, victim);
	victim[SIZE + 1] = 0x42;
	for (int i = 0; i < 300; i++)
		CHECK(kmem_cache_alloc(cache, GFP_KERNEL));
	CHECK_LOG("slub: BUG in guarded: a red zone of a free object was written to");
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x42 instead of 0xbb, wrong bytes: 1");
	host_check();
	CHECK_EQ(cache->guard->nr_isolated, 0);
}

static void use_all(unsigned int n)
{
	static void *objs[400];

	for (unsigned int i = 0; i < n; i++)
		CHECK((objs[i] = kmem_cache_alloc(cache, GFP_KERNEL)));
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(cache, objs[i]);
}

/* A write after the free is found when the object is to be handed out again, and nobody gets it. */
static void test_write_after_free(void)
{
	boot_with(SLAB_POISON);
	kmem_cache_free(cache, victim);
	victim[10] = 1;
	victim[SIZE - 1] = 2;
	CHECK(!kmem_cache_check());
	use_all(300);
	CHECK_LOG("slub: BUG in guarded: a free object was written to");
	CHECK_LOG("  poison: 0x[0-9a-f]+ has 0x01 instead of 0x6b, wrong bytes: 1");
	CHECK_LOG("slub: guarded: the object is isolated: nobody gets it any more");
	CHECK_EQ(state_of(victim), OBJECT_ISOLATED);
	check_mended(1);
}

/* The last byte differs from the others. */
static void test_last_byte(void)
{
	boot_with(SLAB_POISON);
	kmem_cache_free(cache, victim);
	victim[SIZE - 1] = POISON_FREE;
	use_all(300);
	CHECK_LOG("  poison: 0x[0-9a-f]+ has 0x6b instead of 0xa5, wrong bytes: 1");
	check_mended(1);
}

/* Who reads what it has freed, or never written, sees poison. */
static void test_read_after_free(void)
{
	boot_with(SLAB_POISON);
	memset(victim, 0x33, SIZE);
	kmem_cache_free(cache, victim);
	for (int i = 0; i < SIZE - 1; i++)
		CHECK_EQ(victim[i], POISON_FREE);
	CHECK_EQ(victim[SIZE - 1], POISON_END);
	check_mended(0);
}

static void test_double_free(void)
{
	boot_with(SLAB_CONSISTENCY_CHECKS);
	kmem_cache_free(cache, victim);
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: BUG in guarded: what was to be freed is free already");
	CHECK_LOG("slub: guarded: not freed");
	check_mended(0);
}

static void test_double_free_quarantined(void)
{
	boot_with(SLAB_QUARANTINE);
	kmem_cache_free(cache, victim);
	CHECK_EQ(state_of(victim), OBJECT_QUARANTINED);
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: BUG in guarded: what was to be freed is free already");
	CHECK_EQ(cache->guard->nr_quarantined, 1);
	check_mended(0);
}

static void free_elsewhere(void *obj)
{
	kmem_cache_free(cache, obj);
}

static void test_double_free_elsewhere(void)
{
	boot_with(SLAB_STORE_USER);
	host_cpus_start();
	smp_call_function_single(2, free_elsewhere, victim);
	smp_call_function_single(3, free_elsewhere, victim);
	CHECK_LOG("slub: BUG in guarded: what was to be freed is free already");
	CHECK_LOG("  allocated [0-9]+ us ago on CPU 0 by:");
	CHECK_LOG("  freed [0-9]+ us ago on CPU 2 by:");
	CHECK_LOG("    .[0-9a-f]{16}. ");
	host_cpus_stop();
	check_mended(0);
}

static void test_wrong_frees(void)
{
	u8 on_stack[8];
	u8 *other;

	boot_with(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE);
	other = kmalloc(64, GFP_KERNEL);
	kmem_cache_free(cache, victim + 8);
	CHECK_LOG("slub: BUG in guarded: what was to be freed is not the beginning of an object");
	CHECK_LOG("  address 0x[0-9a-f]+, .8 bytes from the beginning of:");
	kfree(victim + 1);
	CHECK_LOG("  address 0x[0-9a-f]+, .1 bytes from the beginning of:");
	kmem_cache_free(cache, victim - 8);
	CHECK_LOG("  address 0x[0-9a-f]+, -8 bytes from the beginning of:");
	kmem_cache_free(cache, on_stack);
	CHECK_LOG("slub: BUG in guarded: what was to be freed lies in no slab");
	kmem_cache_free(cache, other);
	CHECK_LOG("slub: BUG in guarded: what was to be freed belongs to another cache");
	CHECK_LOG("  object 0x[0-9a-f]+ of kmalloc-64, ");
	host_log_clear();
	kmem_cache_free(kmalloc_caches[3], victim);
	CHECK_LOG("slub: BUG in kmalloc-64: what was to be freed belongs to another cache");
	kmem_cache_free_bulk(cache, 1, (void *[]){ other });
	CHECK_LOG("slub: BUG in guarded: what was to be freed belongs to another cache");
	CHECK_EQ(state_of(victim), OBJECT_TAKEN);
	kfree(other);
	kfree(victim);
	check_mended(0);
}

/* A long overflow reaches the state: the object is given up when it comes back. */
static void test_state_written(void)
{
	boot_with(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE);
	memset(victim + SIZE, 0x41, cache->guard->state + sizeof(struct object_state) - SIZE);
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: BUG in guarded: the state behind an object was written over");
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: BUG in guarded: what was to be freed was isolated before");
	check_mended(1);
}

/* The same of a free object: the free list is made anew. */
static void test_free_state_written(void)
{
	boot_with(SLAB_CONSISTENCY_CHECKS);
	kmem_cache_free(cache, victim);
	memset(object_state(cache, victim), 0x41, sizeof(struct object_state));
	use_all(300);
	CHECK_LOG("slub: BUG in guarded: the state behind a free object was written over");
	check_mended(1);
}

/* Only the link: no object is lost. */
static void test_link_written(void)
{
	u8 stray[SIZE];

	boot_with(SLAB_CONSISTENCY_CHECKS);
	kmem_cache_free(cache, victim);
	object_state(cache, victim)->next = stray;
	use_all(300);
	CHECK_LOG("slub: BUG in guarded: the free list of a slab leads to what is no object of it");
	CHECK_LOG("slub: guarded: free list made anew");
	check_mended(0);
}

static void test_quarantined_state_written(void)
{
	boot_with(SLAB_QUARANTINE);
	kmem_cache_free(cache, victim);
	object_state(cache, victim)->state = 7;
	use_all(300);
	CHECK_LOG("slub: BUG in guarded: the state behind a freed object was written over");
	check_mended(1);
}

/* Freed objects come back only after as many others as the quarantine holds. */
static void test_quarantine(void)
{
	u32 max;

	boot_with(SLAB_QUARANTINE | SLAB_POISON);
	max = cache->guard->quarantine_max;
	CHECK_EQ(max, QUARANTINE_OBJECTS);
	kmem_cache_free(cache, victim);
	for (u32 i = 1; i < max; i++) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		CHECK(p && p != victim);
		kmem_cache_free(cache, p);
	}
	CHECK_EQ(state_of(victim), OBJECT_QUARANTINED);
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	CHECK_EQ(state_of(victim), OBJECT_FREE);
	host_check();
	kmem_cache_shrink(cache);
	CHECK_EQ(cache->guard->nr_quarantined, 0);
	CHECK_EQ(cache->guard->nr_slabs, 0);
	check_mended(0);
}

/* A write to an object that waits is found when it leaves. */
static void test_quarantine_write(void)
{
	boot_with(SLAB_QUARANTINE | SLAB_POISON);
	kmem_cache_free(cache, victim);
	victim[0] = 0;
	kmem_cache_shrink(cache);
	CHECK_LOG("slub: BUG in guarded: a free object was written to");
	CHECK_EQ(state_of(victim), OBJECT_ISOLATED);
	check_mended(1);
}

/* All memory in objects of one size: the quarantines give theirs up, and all comes back. */
static void test_exhaustion(void)
{
	unsigned long start;

	host_boot_simple(8 * MIB, 1);
	cache = kmem_cache_create("guarded", 1000, 0, SLAB_GUARDS_FULL, NULL);
	drain_all_pages();
	start = nr_free_pages();
	for (int round = 0; round < 3; round++) {
		void **chain = NULL, **p;
		unsigned long n = 0;

		while ((p = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOWARN))) {
			*p = chain;
			chain = p;
			n++;
		}
		CHECK(n > 5000 / 2);
		CHECK_EQ(cache->guard->nr_quarantined, 0);
		host_check();
		while (chain) {
			p = *chain;
			kmem_cache_free(cache, chain);
			chain = p;
		}
		host_check();
	}
	kmem_cache_shrink(cache);
	drain_all_pages();
	CHECK_EQ(nr_free_pages(), start);
	CHECK_NO_LOG("slub: BUG");
}

/* The order in which objects come is not that of their addresses. */
static void test_random_order(void)
{
	int rising = 0;
	u8 *last;

	boot_with(SLAB_CONSISTENCY_CHECKS);
	last = victim;
	for (int i = 0; i < 40; i++) {
		u8 *p = kmem_cache_alloc(cache, GFP_KERNEL);

		CHECK(p);
		rising += p == last + cache->size;
		last = p;
	}
	CHECK(rising < 20);
}

static void construct(void *obj)
{
	memset(obj, 0xc7, SIZE);
}

/* What a constructor made stays: such objects are not poisoned, but guarded for the rest. */
static void test_ctor(void)
{
	u8 *p;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("guarded", SIZE, 0, SLAB_GUARDS_FULL, construct);
	for (int i = 0; i < 200; i++) {
		p = kmem_cache_alloc(cache, GFP_KERNEL);
		for (int b = 0; b < SIZE; b++)
			CHECK_EQ(p[b], 0xc7);
		kmem_cache_free(cache, p);
	}
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	p[SIZE] = 0;
	kmem_cache_free(cache, p);
	CHECK_LOG("slub: BUG in guarded: a red zone was written over");
	victim = NULL;
	check_mended(0);
}

static void test_trace(void)
{
	boot_with(SLAB_TRACE);
	kmem_cache_free(cache, victim);
	CHECK_LOG("slub: TRACE guarded: frees 0x[0-9a-f]+ on CPU 0");
	CHECK(kmem_cache_alloc(cache, GFP_KERNEL));
	CHECK_LOG("slub: TRACE guarded: allocates 0x[0-9a-f]+ on CPU 0");
}

static void test_zeroed(void)
{
	boot_with(SLAB_GUARDS_FULL);
	for (int i = 0; i < 100; i++) {
		u8 *p = kmem_cache_zalloc(cache, GFP_KERNEL);

		for (int b = 0; b < SIZE; b++)
			CHECK_EQ(p[b], 0);
		memset(p, 0xff, SIZE);
		kmem_cache_free(cache, p);
	}
	kmem_cache_free(cache, victim);
	check_mended(0);
}

/* The list of leaks of a guarded cache has owners, that of another has places; both stop at sixteen. */
static void test_leaks(void)
{
	void *objs[20];
	struct kmem_cache *plain;

	boot_with(SLAB_STORE_USER);
	CHECK_EQ((u64)kmem_cache_destroy(cache), (u64)-EBUSY);
	CHECK_LOG("kmem_cache_destroy: guarded: 1 objects are still allocated: the cache stays");
	CHECK_LOG("  object 0x[0-9a-f]+ of guarded, 60 bytes, ");
	CHECK_LOG("  allocated [0-9]+ us ago on CPU 0 by:");
	kmem_cache_free(cache, victim);
	CHECK_EQ(kmem_cache_destroy(cache), 0);

	plain = kmem_cache_create("plain", 100, 0, SLAB_NO_MERGE, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = kmem_cache_alloc(plain, GFP_KERNEL);
	kmem_cache_free(plain, objs[3]);
	host_log_clear();
	CHECK_EQ((u64)kmem_cache_destroy(plain), (u64)-EBUSY);
	CHECK_LOG("kmem_cache_destroy: plain: 19 objects are still allocated: the cache stays");
	CHECK_LOG("  and 3 more");
	host_log_clear();
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		if (i != 3 && i != 5)
			kmem_cache_free(plain, objs[i]);
	CHECK_EQ((u64)kmem_cache_destroy(plain), (u64)-EBUSY);
	CHECK_LOG("  object 0x[0-9a-f]+ of plain, 100 bytes, ");
	CHECK(strstr(host_log(), "  object ") && !strstr(strstr(host_log(), "  object ") + 1, "  object "));
	kmem_cache_free(plain, objs[5]);
	CHECK_EQ(kmem_cache_destroy(plain), 0);
	host_check();
}

/* Ten reports, then silence, and a count of what was not said. */
static void test_rate_limit(void)
{
	const char *at;
	int reports = 0;

	boot_with(SLAB_CONSISTENCY_CHECKS);
	for (int i = 0; i < 50; i++)
		kmem_cache_free(cache, victim + 8);
	for (at = host_log(); (at = strstr(at, "slub: BUG")); at++)
		reports++;
	CHECK_EQ(reports, 10);
	CHECK_EQ(cache->guard->reports, 50);
}

/* slub_debug=. */

static void test_args(void)
{
	slub_setup_args("slub_debug=FZ;PU,kmalloc-*,inode;-,kmalloc-8 quiet");
	CHECK_EQ(slub_guards("dentry"), SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE);
	CHECK_EQ(slub_guards("kmalloc-64"), SLAB_POISON | SLAB_STORE_USER);
	CHECK_EQ(slub_guards("inode"), SLAB_POISON | SLAB_STORE_USER);
	CHECK_EQ(slub_guards("inodes"), SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE);
	CHECK_EQ(slub_guards("kmalloc-8"), 0);
	slub_setup_args("slub_debug=fzut,own");
	CHECK_EQ(slub_guards("own"), SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_STORE_USER | SLAB_TRACE);
	CHECK_EQ(slub_guards("other"), 0);
	slub_setup_args("slub_debug");
	CHECK_EQ(slub_guards("any"), SLAB_GUARDS_FULL);
	slub_setup_args("slub_debug=,any");
	CHECK_EQ(slub_guards("any"), SLAB_GUARDS_FULL);
	CHECK_EQ(slub_guards("other"), 0);
	slub_setup_args("slub_debug=-");
	CHECK_EQ(slub_guards("any"), 0);
	slub_setup_args("slub_debug=Q slab_nomerge");
	CHECK_EQ(slub_guards("any"), SLAB_QUARANTINE);
	CHECK(!slub_merging());
}

static void test_unknown_letters(void)
{
	host_boot_cpu(1);
	slub_setup_args("slub_debug=FAO,own;x");
	CHECK_LOG("slub_debug: A is not known: ignored");
	CHECK_LOG("slub_debug: O is not known: ignored");
	CHECK_LOG("slub_debug: x is not known: ignored");
	CHECK_NO_LOG("slub_debug: o");
	CHECK_EQ(slub_guards("own"), SLAB_CONSISTENCY_CHECKS);
}

static void test_boot_arg(void)
{
	const struct host_bank bank = { 1ULL << 30, 32 * MIB, -1 };
	u8 *p;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "slub_debug=FZPUQ,kmalloc-64" });
	CHECK(kmalloc_caches[3]->guard && !kmalloc_caches[2]->guard && !kmalloc_caches[4]->guard);
	p = kmalloc(64, GFP_KERNEL);
	p[64] = 1;
	kfree(p);
	CHECK_LOG("slub: BUG in kmalloc-64: a red zone was written over");
	CHECK_EQ(ksize(p), 64);
	host_check();
}

/* Threads: all CPUs and interrupts use one guarded cache, and free each other's objects. */

#define THREADS 4
#define BOXES	16

static void *boxes[BOXES];
static bool stop;

static void churn(void *arg)
{
	(void)arg;
	for (unsigned long i = 0; i < tap_ops(20000); i++) {
		u64 *p = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

		if (p)
			*p = (uintptr_t)p;
		p = __atomic_exchange_n(&boxes[tap_below(BOXES)], p, __ATOMIC_ACQ_REL);
		CHECK(!p || *p == (uintptr_t)p);
		kmem_cache_free(cache, p);
	}
}

static void handler(void *arg)
{
	void *p = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	(void)arg;
	kmem_cache_free(cache, p);
}

static void *interrupter(void *arg)
{
	(void)arg;
	tap_random_stream(THREADS);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		host_interrupt((int)tap_below(THREADS), handler, NULL);
	return NULL;
}

static void churn_stream(void *arg)
{
	tap_random_stream((unsigned int)(uintptr_t)arg);
	churn(NULL);
}

static void test_threads(void)
{
	pthread_t thread;

	boot_with(SLAB_GUARDS_FULL);
	host_cpus_start();
	CHECK_EQ(pthread_create(&thread, NULL, interrupter, NULL), 0);
	for (int cpu = 1; cpu < THREADS; cpu++)
		CHECK_EQ(smp_work_start(cpu, churn_stream, (void *)(uintptr_t)cpu), 0);
	churn(NULL);
	for (int cpu = 1; cpu < THREADS; cpu++)
		smp_work_wait(cpu);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	for (int i = 0; i < BOXES; i++)
		kmem_cache_free(cache, boxes[i]);
	kmem_cache_free(cache, victim);
	host_cpus_stop();
	CHECK_NO_LOG("slub: BUG");
	check_mended(0);
}

static const struct tap_case cases[] = {
	TAP_CASE("objects of all sizes and alignments", test_layout),
	TAP_CASE("overflow by a byte", test_overflow),
	TAP_CASE("underflow", test_underflow),
	TAP_CASE("a red zone of a free object", test_free_zone),
	TAP_CASE("write after free", test_write_after_free),
	TAP_CASE("write after free, to the last byte", test_last_byte),
	TAP_CASE("read after free", test_read_after_free),
	TAP_CASE("double free", test_double_free),
	TAP_CASE("double free, in quarantine", test_double_free_quarantined),
	TAP_CASE("double free on two other CPUs, with owners", test_double_free_elsewhere),
	TAP_CASE_IF(HARDENED, "where frees are checked", "frees of what is no object", test_wrong_frees),
	TAP_CASE("an allocated object's state is written over", test_state_written),
	TAP_CASE("a free object's state is written over", test_free_state_written),
	TAP_CASE("a link is written over", test_link_written),
	TAP_CASE("a quarantined object's state is written over", test_quarantined_state_written),
	TAP_CASE("the quarantine holds objects back", test_quarantine),
	TAP_CASE("write to a quarantined object", test_quarantine_write),
	TAP_CASE("short of memory, the quarantine is emptied", test_exhaustion),
	TAP_CASE("the order of objects is drawn", test_random_order),
	TAP_CASE("objects with a constructor", test_ctor),
	TAP_CASE("trace", test_trace),
	TAP_CASE("zeroed objects", test_zeroed),
	TAP_CASE("the list of what leaks", test_leaks),
	TAP_CASE("reports are limited", test_rate_limit),
	TAP_CASE("slub_debug= is understood", test_args),
	TAP_CASE("letters that mean nothing", test_unknown_letters),
	TAP_CASE("slub_debug= at boot", test_boot_arg),
	TAP_CASE("4 CPUs and interrupts", test_threads),
};
TAP_MAIN(cases)
