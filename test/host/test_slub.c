// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB and kmalloc() against a shadow of every live object.
 *
 * 1. A live object is known by address, size and a seed; all its bytes hold a pattern of that seed, which is verified
 *    when it is freed, resized or looked at. Objects with a constructor hold what the constructor made instead.
 * 2. A map with one byte for each 8 bytes of RAM tells who overlaps: an object claims its granules atomically,
 *    whichever CPU it is allocated on.
 * 3. After each phase the check functions prove all equations; when everything is freed and every cache is shrunk, all
 *    pages are back.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define RAM_BASE  GIB
#define RAM_MOST  (256 * MIB)
#define GRANULE	  8
#define LIVE_MAX  2000
#define CTOR_BYTE 0xc7

static u8 claimed[RAM_MOST / GRANULE];

struct object {
	u8 *p;
	size_t size;
	u64 seed;
	struct kmem_cache *cache; /* NULL: from kmalloc() */
};

struct holder {
	struct object live[LIVE_MAX];
	unsigned int nr, max;
};

static struct holder one;

/* The shadow. */

static void set_claims(const struct object *obj, u8 from, u8 to)
{
	size_t first = (__pa(obj->p) - RAM_BASE) / GRANULE, last = (__pa(obj->p) + obj->size - 1 - RAM_BASE) / GRANULE;
	/* Of a large object, each page's first granule. */
	size_t step = obj->size > KMALLOC_MAX_CACHE_SIZE ? PAGE_SIZE / GRANULE : 1;

	CHECK(__pa(obj->p) >= RAM_BASE && last < ARRAY_SIZE(claimed));
	for (size_t g = first; g <= last; g += step)
		CHECK_EQ(__atomic_exchange_n(&claimed[g], to, __ATOMIC_RELAXED), from);
}

static u8 pattern(const struct object *obj, size_t i)
{
	return (u8)(obj->seed >> (i % 7 * 8)) ^ (u8)i;
}

static bool has_ctor(const struct object *obj);

static void write_pattern(struct object *obj)
{
	for (size_t i = 0; i < obj->size && !has_ctor(obj); i++)
		obj->p[i] = pattern(obj, i);
}

static void verify_pattern(const struct object *obj, size_t size)
{
	for (size_t i = 0; i < size; i++)
		CHECK_EQ(obj->p[i], has_ctor(obj) ? CTOR_BYTE : pattern(obj, i));
}

static struct object *note_object(struct holder *holder, void *p, size_t size, struct kmem_cache *cache)
{
	struct object *obj = &holder->live[holder->nr++];

	*obj = (struct object){ p, size, tap_random(), cache };
	set_claims(obj, 0, 1);
	write_pattern(obj);
	return obj;
}

static void free_object(struct holder *holder, unsigned int i)
{
	struct object obj = holder->live[i];

	holder->live[i] = holder->live[--holder->nr];
	verify_pattern(&obj, obj.size);
	set_claims(&obj, 1, 0);
	if (obj.cache && (obj.seed & 1))
		kmem_cache_free(obj.cache, obj.p);
	else
		kfree(obj.p);
}

static void free_all(struct holder *holder)
{
	while (holder->nr)
		free_object(holder, (unsigned int)tap_below(holder->nr));
}

/* What must come back. */

static void shrink_all(void)
{
	for (int i = 0; i < NR_KMALLOC_CACHES; i++)
		kmem_cache_shrink(kmalloc_caches[i]);
	drain_all_pages();
}

static unsigned long free_pages_now(void)
{
	shrink_all();
	return nr_free_pages();
}

/* Nobody holds anything, and all pages are back but @more. */
static void check_all_back(unsigned long start, unsigned long more)
{
	host_check();
	CHECK_EQ(free_pages_now() + more, start);
	host_check();
}

/* Caches. */

#define NR_CACHES 8

static struct kmem_cache *caches[NR_CACHES];
static size_t cache_sizes[NR_CACHES], cache_aligns[NR_CACHES];

static void fill_ctor_byte(void *obj, size_t size)
{
	memset(obj, CTOR_BYTE, size);
}

static void ctor_40(void *obj)
{
	fill_ctor_byte(obj, 40);
}

static void ctor_1000(void *obj)
{
	fill_ctor_byte(obj, 1000);
}

static bool has_ctor(const struct object *obj)
{
	return obj->cache && (obj->cache == caches[0] || obj->cache == caches[1]);
}

static void create_cache(int i, const char *name, size_t size, size_t align, unsigned int flags,
			 void (*ctor)(void *obj))
{
	caches[i] = kmem_cache_create(name, size, align, flags, ctor);
	cache_sizes[i] = size;
	cache_aligns[i] = max(align, flags & SLAB_HWCACHE_ALIGN ? 64UL : ARCH_KMALLOC_MINALIGN);
	CHECK(caches[i]);
	CHECK_EQ(kmem_cache_size(caches[i]), size);
}

static void create_caches(void)
{
	create_cache(0, "ctor-40", 40, 0, 0, ctor_40);
	create_cache(1, "ctor-1000", 1000, 256, 0, ctor_1000);
	create_cache(2, "bytes", 1, 0, 0, NULL);
	create_cache(3, "hwcache-100", 100, 0, SLAB_HWCACHE_ALIGN, NULL);
	create_cache(4, "page-aligned", 24, PAGE_SIZE, 0, NULL);
	create_cache(5, "largest", 8192, 0, 0, NULL);
	create_cache(6, "odd", 4097, 16, 0, NULL);
	create_cache(7, "words", 72, 32, SLAB_PANIC, NULL);
}

static bool alloc_from_cache(struct holder *holder, gfp_t gfp, int nid)
{
	u64 i = tap_below(NR_CACHES);
	bool zero = i > 1 && tap_below(2);
	void *p = kmem_cache_alloc_node(caches[i], gfp | (zero ? __GFP_ZERO : 0), nid);

	if (!p)
		return false;
	CHECK(IS_ALIGNED((uintptr_t)p, cache_aligns[i]));
	for (size_t b = 0; b < cache_sizes[i] && (zero || i < 2); b++)
		CHECK_EQ(((u8 *)p)[b], zero ? 0 : CTOR_BYTE);
	note_object(holder, p, cache_sizes[i], caches[i]);
	return true;
}

/* Sizes of all magnitudes alike, few of them above a page. */
static size_t random_size(void)
{
	size_t below = 2UL << tap_below(tap_below(16) ? 10 : 17);

	return 1 + tap_below(below);
}

static bool alloc_by_kmalloc(struct holder *holder, gfp_t gfp, int nid)
{
	size_t size = random_size();
	u8 *p = nid == NUMA_NO_NODE ? kmalloc(size, gfp) : kmalloc_node(size, gfp, nid);

	if (!p)
		return false;
	CHECK(ksize(p) >= size);
	CHECK(IS_ALIGNED((uintptr_t)p, size & (size - 1) ? 8 : max(size, (size_t)8)));
	note_object(holder, p, size, NULL);
	return true;
}

static void resize(struct holder *holder, unsigned int i, gfp_t gfp)
{
	struct object *obj = &holder->live[i];
	size_t size = random_size();
	u8 *p;

	if (obj->cache)
		return;
	verify_pattern(obj, obj->size);
	set_claims(obj, 1, 0);
	p = krealloc(obj->p, size, gfp);
	if (p) {
		obj->p = p;
		verify_pattern(obj, min(size, obj->size));
		obj->size = size;
		write_pattern(obj);
	}
	set_claims(obj, 0, 1);
}

static void random_op(struct holder *holder, gfp_t gfp)
{
	u64 dice = tap_below(100);
	int nid = tap_below(8) ? NUMA_NO_NODE : (int)tap_below(3);

	gfp |= __GFP_NOWARN;
	if (dice < 35 && holder->nr < holder->max)
		alloc_from_cache(holder, gfp, nid);
	else if (dice < 55 && holder->nr < holder->max)
		alloc_by_kmalloc(holder, gfp, nid);
	else if (dice < 60 && holder->nr)
		resize(holder, (unsigned int)tap_below(holder->nr), gfp);
	else if (holder->nr)
		free_object(holder, (unsigned int)tap_below(holder->nr));
}

static void destroy_caches(void)
{
	for (int i = 0; i < NR_CACHES; i++)
		CHECK_EQ(kmem_cache_destroy(caches[i]), 0);
}

/* The struct of a cache comes from a cache, whose slabs stay. */
static unsigned long pages_of_cache_structs(void)
{
	unsigned long before = free_pages_now();

	create_caches();
	destroy_caches();
	return before - free_pages_now();
}

static void random_on(const struct host_machine *machine, unsigned long ops)
{
	unsigned long start, kept;

	host_boot(machine);
	start = free_pages_now();
	kept = pages_of_cache_structs();
	create_caches();
	for (int phase = 0; phase < 3; phase++) {
		one.max = phase == 1 ? 60 : LIVE_MAX;
		for (unsigned long i = 0; i < ops; i++) {
			random_op(&one, GFP_KERNEL);
			if (!tap_below(1000))
				kmem_cache_shrink(caches[tap_below(NR_CACHES)]);
		}
		tap_did(ops);
		host_check();
		for (unsigned int i = 0; i < one.nr; i++)
			verify_pattern(&one.live[i], one.live[i].size);
		free_all(&one);
		host_check();
	}
	destroy_caches();
	check_all_back(start, kept);
}

static const struct host_bank simple_bank = { RAM_BASE, 64 * MIB, -1 };
static const struct host_bank small_bank = { RAM_BASE, 5 * MIB, -1 };

static const struct host_bank numa_banks[] = {
	{ RAM_BASE, 33 * MIB + 20 * KIB, 0 },
	{ RAM_BASE + 33 * MIB + 20 * KIB, 20 * MIB, 1 },
	{ RAM_BASE + 53 * MIB + 20 * KIB, 11 * MIB, 2 },
};

static int cpu_of_node(int cpu)
{
	return cpu % 3;
}

static void test_random(void)
{
	random_on(&(struct host_machine){ .banks = &simple_bank, .nr_banks = 1 }, tap_ops(8000));
}

static void test_random_short(void)
{
	random_on(&(struct host_machine){ .banks = &small_bank, .nr_banks = 1 }, tap_ops(8000));
}

static void test_random_nodes(void)
{
	random_on(&(struct host_machine){ .banks = numa_banks,
					  .nr_banks = ARRAY_SIZE(numa_banks),
					  .nr_cpus = 3,
					  .cpu_node = cpu_of_node },
		  tap_ops(8000));
}

/* kmalloc(). */

static void try_size(size_t size)
{
	u8 *p = kmalloc(size, GFP_KERNEL);

	CHECK(p);
	CHECK(ksize(p) >= size);
	CHECK(IS_ALIGNED((uintptr_t)p, size & (size - 1) ? 8 : max(size, (size_t)8)));
	memset(p, 0x5a, ksize(p));
	note_object(&one, p, ksize(p), NULL);
}

static void test_every_size(void)
{
	unsigned long start;

	host_boot_simple(64 * MIB, 1);
	start = free_pages_now();
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		int i = kmalloc_index(size);

		CHECK(kmalloc_sizes[i] >= size);
		CHECK(!i || kmalloc_sizes[i - 1] < size);
		/* Of the large ones, those at the borders of caches and some others. */
		if (size < 600 || size > kmalloc_sizes[i] - 2u || kmalloc_index(size - 1) != i || !tap_below(50))
			try_size(size);
		if (one.nr == 500)
			free_all(&one);
	}
	free_all(&one);
	for (size_t size = 2 * KMALLOC_MAX_CACHE_SIZE; size <= KMALLOC_MAX_SIZE; size *= 2) {
		try_size(size - 1);
		try_size(size);
		if (size < KMALLOC_MAX_SIZE)
			try_size(size + 1);
		free_all(&one);
	}
	check_all_back(start, 0);
}

static void test_edges(void)
{
	u8 *p;

	host_boot_simple(32 * MIB, 1);
	CHECK_EQ(kmalloc(0, GFP_KERNEL), (uintptr_t)ZERO_SIZE_PTR);
	CHECK_EQ(ksize(ZERO_SIZE_PTR), 0);
	CHECK_EQ(ksize(NULL), 0);
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kmem_cache_free(kmalloc_caches[0], NULL);
	CHECK_EQ(kmem_cache_destroy(NULL), 0);
	CHECK(!kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	CHECK(!kmalloc_array(1UL << 33, 1UL << 33, GFP_KERNEL));
	CHECK(!kcalloc(~0UL, 2, GFP_KERNEL));
	p = kmalloc(100, GFP_KERNEL);
	memset(p, 0xff, 100);
	kfree(p);
	p = kzalloc(100, GFP_KERNEL);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(p[i], 0);
	CHECK_EQ(krealloc(p, 0, GFP_KERNEL), (uintptr_t)ZERO_SIZE_PTR);
	p = krealloc(NULL, 20, GFP_KERNEL);
	CHECK(p && ksize(p) >= 20);
	p[0] = 77;
	CHECK(!krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	CHECK_EQ(p[0], 77);
	kfree(p);
	host_check();
}

#define BULK 300 /* several stacks full */

static void bulk_of_pages(void)
{
	static struct page *pages[BULK];
	struct page *had = alloc_page(GFP_KERNEL);

	pages[BULK / 2] = had;
	CHECK_EQ(alloc_pages_bulk(GFP_KERNEL, BULK, pages), BULK);
	CHECK(had && pages[BULK / 2] == had);
	for (int i = 0; i < BULK; i++) {
		CHECK_EQ(page_ref_count(pages[i]), 1);
		*(int *)page_address(pages[i]) = i;
	}
	for (int i = 0; i < BULK; i++) {
		CHECK_EQ(*(int *)page_address(pages[i]), i);
		__free_page(pages[i]);
	}
	host_check();
}

/* Many at once are all there, zeroed and apart; a wrong one among those freed stays; running out gives all back. */
static void test_bulk(void)
{
	static void *objs[1 << 17];
	struct kmem_cache *cache;
	u8 *victim;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("bulk", 512, 0, 0, NULL);
	for (int round = 0; round < 2; round++) {
		CHECK_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO, BULK, objs), BULK);
		for (u64 i = 0; i < BULK; i++) {
			CHECK_EQ(*(u64 *)objs[i], 0);
			*(u64 *)objs[i] = i + 1;
		}
		for (u64 i = 0; i < BULK; i++)
			CHECK_EQ(*(u64 *)objs[i], i + 1);
		host_check();
		victim = objs[BULK / 2];
		objs[BULK / 2] = HARDENED ? victim + 8 : victim;
		kmem_cache_free_bulk(cache, BULK, objs);
		if (HARDENED) {
			CHECK_LOG("slub: BUG in bulk: what was to be freed is not the beginning of an object");
			kmem_cache_free(cache, victim);
		}
		host_check();
	}
	CHECK_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_NOWARN, ARRAY_SIZE(objs), objs), 0);
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	bulk_of_pages();
}

/* Misuse is reported, and nothing else happens. */
static void test_wrong_frees(void)
{
	u64 on_stack = 0;
	struct kmem_cache *cache;
	u8 *p, *large;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("mine", 100, 0, 0, NULL);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	large = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	CHECK(p && large);
	kmem_cache_free(kmalloc_caches[3], p);
	CHECK_LOG("slub: BUG in kmalloc-64: what was to be freed belongs to another cache");
	CHECK_LOG("  object 0x[0-9a-f]+ of mine, 100 bytes, at offset 0x[0-9a-f]+ of the slab at pfn 0x[0-9a-f]+: ");
	kmem_cache_free(cache, p + 8);
	CHECK_LOG("slub: BUG in mine: what was to be freed is not the beginning of an object");
	kmem_cache_free(cache, &on_stack);
	CHECK_LOG("slub: BUG in mine: what was to be freed lies in no slab");
	kfree(&on_stack);
	CHECK_LOG("slub: BUG in kfree: what was to be freed is nothing that kmalloc returned");
	CHECK_LOG("slub: kfree: not freed");
	kfree(large + PAGE_SIZE);
	kfree(large + 8);
	__free_pages(virt_to_page(large), 2);
	CHECK_LOG("the page belongs to SLUB");
	host_check();
	kfree(large);
	CHECK_EQ(kmem_cache_destroy(cache), (unsigned long long)-EBUSY);
	CHECK_LOG("kmem_cache_destroy: mine: 1 objects are still allocated: the cache stays");
	kfree(p);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

static void test_create_refused(void)
{
	host_boot_simple(32 * MIB, 1);
	CHECK(!kmem_cache_create("none", 0, 0, 0, NULL));
	CHECK_LOG("kmem_cache_create: none: size 0, align 0, flags 0x0: out of range");
	CHECK(!kmem_cache_create("large", KMALLOC_MAX_CACHE_SIZE + 1, 0, 0, NULL));
	CHECK(!kmem_cache_create("odd", 8, 24, 0, NULL));
	CHECK_LOG("kmem_cache_create: odd: size 8, align 24");
	CHECK(!kmem_cache_create("wide", 8, 4 * PAGE_SIZE, 0, NULL));
	CHECK(!kmem_cache_create("flags", 8, 0, 1U << 20, NULL));
	CHECK_LOG("kmem_cache_create: flags: .*flags 0x100000");
	host_check();
}

static void test_create_panics(void)
{
	host_boot_simple(32 * MIB, 1);
	CHECK(!kmem_cache_create("doomed", 0, 0, SLAB_PANIC, NULL));
}

/* All memory in objects of one size, chained through themselves; then all of it back. */
static void test_exhaustion(void)
{
	static const size_t sizes[] = { 32, 192, 4096, 5000 };
	unsigned long start;

	host_boot_simple(8 * MIB, 1);
	start = free_pages_now();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		void **p, **chain = NULL;
		size_t bytes = 0;

		while ((p = kmalloc(sizes[i], GFP_KERNEL | __GFP_NOWARN))) {
			*p = chain;
			chain = p;
			bytes += sizes[i];
		}
		CHECK(bytes > 3 * MIB);
		CHECK(kmem_cache_check());
		while (chain) {
			p = *chain;
			kfree(chain);
			chain = p;
		}
		host_check();
	}
	CHECK_EQ(free_pages_now(), start);
}

static void test_nodes(void)
{
	host_boot(&(struct host_machine){
		.banks = numa_banks, .nr_banks = ARRAY_SIZE(numa_banks), .nr_cpus = 3, .cpu_node = cpu_of_node });
	for (int nid = 0; nid < 3; nid++) {
		for (int i = 0; i < 300; i++) {
			void *p = kmalloc_node(64, GFP_KERNEL, nid);

			CHECK(p);
			CHECK_EQ(page_to_nid(virt_to_page(p)), nid);
			note_object(&one, p, 64, NULL);
		}
	}
	free_all(&one);
	host_check();
}

/* kmem_cache_check() tells a broken cache from a whole one: a free object whose link was overwritten. */
static void test_check_sees(void)
{
	struct kmem_cache *cache;
	void *p, *q;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("victim", 64, 0, 0, NULL);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	q = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(p && q);
	kmem_cache_free(cache, q);
	kmem_cache_shrink(cache);
	CHECK(kmem_cache_check());
	free_word(cache, q)[1] ^= 0x10000;
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: victim: slab at pfn 0x[0-9a-f]+: ");
}

/* Threads. */

#define THREADS	    8
#define MAILBOXES   64
#define HANDLER_OPS 5

static struct holder holders[THREADS], handler_holders[THREADS];
static u64 *mailbox[MAILBOXES];
static unsigned long thread_ops;
static bool interrupts_stop;

/* Leave an object in a mailbox and free what lay there: mostly another CPU's. */
static void exchange_object(void)
{
	u64 *p = kmalloc(256, GFP_KERNEL | __GFP_NOWARN);

	for (int i = 0; i < 32 && p; i++)
		p[i] = (uintptr_t)p + (u64)i;
	p = __atomic_exchange_n(&mailbox[tap_below(MAILBOXES)], p, __ATOMIC_ACQ_REL);
	for (int i = 0; i < 32 && p; i++)
		CHECK_EQ(p[i], (uintptr_t)p + (u64)i);
	kfree(p);
}

static void thread_work(void *unused)
{
	struct holder *holder = &holders[smp_processor_id()];

	(void)unused;
	tap_random_stream((unsigned int)smp_processor_id() + 1);
	holder->max = 200;
	for (unsigned long i = 0; i < thread_ops; i++) {
		if (tap_below(4))
			random_op(holder, GFP_KERNEL);
		else
			exchange_object();
		if (!tap_below(500))
			kmem_cache_shrink(caches[tap_below(NR_CACHES)]);
	}
	tap_did(thread_ops);
	free_all(holder);
}

static void handler(void *arg)
{
	struct holder *holder = &handler_holders[smp_processor_id()];

	(void)arg;
	holder->max = 20;
	for (int i = 0; i < HANDLER_OPS; i++)
		random_op(holder, GFP_ATOMIC);
	tap_did(HANDLER_OPS);
}

static void *interrupt_all(void *unused)
{
	tap_random_stream(100);
	while (!__atomic_load_n(&interrupts_stop, __ATOMIC_RELAXED)) {
		host_interrupt((int)tap_below(THREADS), handler, NULL);
		cpu_relax();
	}
	return unused;
}

static void threads_test(const struct host_machine *machine, unsigned long ops)
{
	unsigned long start, kept;
	pthread_t interrupter;

	host_boot(machine);
	host_cpus_start();
	start = free_pages_now();
	kept = pages_of_cache_structs();
	create_caches();
	thread_ops = ops;
	CHECK(!pthread_create(&interrupter, NULL, interrupt_all, NULL));
	host_on_all_cpus(thread_work, NULL);
	__atomic_store_n(&interrupts_stop, true, __ATOMIC_RELAXED);
	pthread_join(interrupter, NULL);
	for (int i = 0; i < MAILBOXES; i++)
		kfree(mailbox[i]);
	for (int cpu = 0; cpu < THREADS; cpu++)
		free_all(&handler_holders[cpu]);
	destroy_caches();
	check_all_back(start, kept);
	host_cpus_stop();
}

static void test_threads(void)
{
	threads_test(&(struct host_machine){ .banks = &simple_bank, .nr_banks = 1, .nr_cpus = THREADS },
		     tap_thread_ops(1000));
}

static void test_threads_short(void)
{
	threads_test(&(struct host_machine){ .banks = &small_bank, .nr_banks = 1, .nr_cpus = THREADS },
		     tap_thread_ops(500));
}

static void test_threads_nodes(void)
{
	threads_test(&(struct host_machine){ .banks = numa_banks,
					     .nr_banks = ARRAY_SIZE(numa_banks),
					     .nr_cpus = THREADS,
					     .cpu_node = cpu_of_node },
		     tap_thread_ops(1000));
}

static const struct tap_case cases[] = {
	TAP_CASE("kmalloc() of every size", test_every_size),
	TAP_CASE("sizes at the edges", test_edges),
	TAP_CASE("random objects", test_random),
	TAP_CASE("random objects, short of memory", test_random_short),
	TAP_CASE("random objects, three nodes", test_random_nodes),
	TAP_CASE("many at once", test_bulk),
	TAP_CASE_IF(HARDENED, "where frees are checked", "wrong frees are reported and refused", test_wrong_frees),
	TAP_CASE("caches that cannot be are refused", test_create_refused),
	TAP_PANICS("SLAB_PANIC", test_create_panics, "panic: kmem_cache_create: doomed failed"),
	TAP_CASE("all memory in objects, and back", test_exhaustion),
	TAP_CASE("objects of the asked node", test_nodes),
	TAP_CASE("kmem_cache_check() sees what is wrong", test_check_sees),
	TAP_CASE("8 CPUs and interrupts", test_threads),
	TAP_CASE("8 CPUs and interrupts, short of memory", test_threads_short),
	TAP_CASE("8 CPUs and interrupts, three nodes", test_threads_nodes),
};
TAP_MAIN(cases)
