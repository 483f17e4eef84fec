// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many bytes were asked for: in guarded caches the red zone begins there, whatever way the object was had, and
 * moves with krealloc(); ksize() takes it away.
 */
#include <pthread.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../mm/slub_guard.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)

static void boot_with(const char *args)
{
	static const struct host_bank bank = { 1ULL << 30, 64 * MIB, -1 };

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = 4, .bootargs = args });
	host_check();
	host_log_clear();
}

static struct slab_guard *guard_of(const void *p)
{
	return slab_of(p)->slab_cache->guard;
}

/* @size bytes are the user's, and whoever writes to the first behind them is found. */
static void check_end(u8 *p, size_t size)
{
	unsigned long reports;
	struct slab_guard *guard;

	CHECK(p);
	guard = guard_of(p);
	reports = guard->reports;
	memset(p, 0x11, size);
	CHECK_EQ(guard_extent(slab_of(p), p), size);
	CHECK(kmem_cache_check());
	p[size] ^= 0x41;
	CHECK(!kmem_cache_check());
	kfree(p);
	CHECK_EQ(guard->reports, reports + 1);
}

static void test_sizes(void)
{
	boot_with("slub_debug=Z");
	host_mute();
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size = size * 5 / 4 + 1) {
		check_end(kmalloc(size, GFP_KERNEL), size);
		check_end(kmalloc(size, GFP_ATOMIC | __GFP_NOWARN), size);
		check_end(kzalloc(size, GFP_KERNEL), size);
		check_end(kmalloc_node(size, GFP_KERNEL, 0), size);
		check_end(kmalloc(size, GFP_KERNEL | __GFP_RECLAIMABLE), size);
		check_end(krealloc(NULL, size, GFP_KERNEL), size);
		check_end(krealloc(kmalloc(1, GFP_KERNEL), size, GFP_KERNEL), size);
	}
	host_check();
}

/* The size lies in the request of an inline kmalloc(), whatever its flags. */
static void test_constants(void)
{
	boot_with("slub_debug=ZU");
	host_mute();
	check_end(kmalloc(1, GFP_KERNEL), 1);
	check_end(kmalloc(60, GFP_KERNEL), 60);
	check_end(kmalloc(63, GFP_ATOMIC), 63);
	check_end(kmalloc(64, GFP_ATOMIC), 64);
	check_end(kmalloc(65, GFP_NOWAIT), 65);
	check_end(kmalloc(97, GFP_KERNEL | __GFP_NOWARN), 97);
	check_end(kmalloc(200, GFP_KERNEL | __GFP_NOFAIL), 200);
	check_end(kmalloc(4097, GFP_KERNEL | __GFP_NORETRY | __GFP_MOVABLE), 4097);
	check_end(kmalloc(8191, GFP_KERNEL), 8191);
	host_check();
}

static void test_request(void)
{
	const gfp_t cold = GFP_COLD & ~__GFP_ZERO;

	for (gfp_t gfp = 0; gfp < 1U << GFP_BITS; gfp++) {
		u32 request = kmalloc_request(4095, gfp & ~cold);

		CHECK_EQ(kmalloc_request_gfp(request), gfp & ~cold & ~__GFP_ZERO);
		CHECK_EQ(request & KMALLOC_LEFT_MASK, 4095);
		CHECK_EQ(!(request & KMALLOC_ZEROED), !(gfp & __GFP_ZERO));
	}
	CHECK(kmalloc_request(4095, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN) <= 0xffff);
}

static bool all_are(const u8 *bytes, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* An inline kzalloc() clears the whole object: it is zero, and what is written there that is not is found. */
static void test_zeroed(void)
{
	u8 *p;

	boot_with("slub_debug=Z");
	p = kzalloc(60, GFP_KERNEL);
	CHECK(p && all_are(p, 64, 0));
	CHECK_EQ(guard_extent(slab_of(p), p), 60);
	CHECK(kmem_cache_check());
	p[60] = 0;
	kfree(p);
	CHECK_NO_LOG("slub: BUG");
	p = kzalloc(60, GFP_KERNEL);
	p[60] = 0x41;
	p[62] = 0x41;
	kfree(p);
	CHECK_LOG("slub: BUG in kmalloc-64: a red zone was written over");
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x41 instead of 0x00, wrong bytes: 2");
	CHECK_LOG("  object 0x[0-9a-f]+ of kmalloc-64, 60 bytes of 64, at offset ");
	CHECK_LOG("0x[0-9a-f]+: 41 00 41 00  right red zone.60");
	host_log_clear();
	p = kzalloc(60, GFP_KERNEL);
	p[64] = 0x41;
	kfree(p);
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x41 instead of 0xcc, wrong bytes: 1");
	host_check();
}

/* A size that is no constant: cleared as far as it goes, red behind it. */
static void test_zeroed_by_call(void)
{
	volatile size_t size = 60;
	u8 *p;

	boot_with("slub_debug=ZP");
	p = kzalloc(size, GFP_KERNEL);
	CHECK(p && all_are(p, 60, 0) && all_are(p + 60, 12, RED_TAKEN));
	p[60] = 0;
	kfree(p);
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x00 instead of 0xcc, wrong bytes: 1");
	CHECK_LOG("0x[0-9a-f]+: 00 cc cc cc  right red zone.60");
	host_check();
}

/* Who asks for the size may use it. What was written before is found then. */
static void test_ksize(void)
{
	u8 *p;

	boot_with("slub_debug=Z");
	p = kmalloc(60, GFP_KERNEL);
	CHECK_EQ(ksize(p), 64);
	memset(p, 0x22, 64);
	host_check();
	kfree(p);
	CHECK_NO_LOG("slub: BUG");
	p = kmalloc(60, GFP_KERNEL);
	p[60] = 1;
	p[-1] = 1;
	CHECK_EQ(ksize(p), 64);
	CHECK_LOG("  left red zone: 0x[0-9a-f]+ has 0x01 instead of 0xcc, wrong bytes: 1");
	host_check();
	p[64] = 1;
	kfree(p);
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x01 instead of 0xcc, wrong bytes: 1");
	CHECK_EQ(kmalloc_size_roundup(60), 64);
	p = kmalloc(kmalloc_size_roundup(60), GFP_KERNEL);
	memset(p, 0x22, 64);
	host_check();
	/* Of what is no object in use nothing changes. */
	CHECK_EQ(ksize(p + 8), 64);
	CHECK_EQ(guard_resize(slab_of(p), p + 8, 10), 64);
	kfree(p);
	CHECK_EQ(ksize(p), 64);
	CHECK_EQ(guard_extent(slab_of(p), p), 64);
	host_check();
}

static void test_krealloc(void)
{
	u8 *p, *q;

	boot_with("slub_debug=Z");
	p = kmalloc(60, GFP_KERNEL);
	memset(p, 0x33, 60);
	CHECK(krealloc(p, 40, GFP_KERNEL) == p && all_are(p, 40, 0x33) && all_are(p + 40, 24, RED_TAKEN));
	CHECK(krealloc(p, 50, GFP_KERNEL | __GFP_ZERO) == p);
	CHECK(all_are(p, 40, 0x33) && all_are(p + 40, 10, 0) && all_are(p + 50, 14, RED_TAKEN));
	CHECK(krealloc(p, 64, GFP_KERNEL | __GFP_ZERO) == p && all_are(p + 40, 24, 0));
	CHECK(krealloc(p, 40, GFP_KERNEL | __GFP_ZERO) == p);
	host_check();
	/* Only what was asked for moves. */
	q = krealloc(p, 100, GFP_KERNEL | __GFP_ZERO);
	CHECK(q && q != p && all_are(q, 40, 0x33) && all_are(q + 40, 60, 0) && all_are(q + 100, 28, RED_TAKEN));
	CHECK_NO_LOG("slub: BUG");
	host_check();
	p = krealloc(q, 10000, GFP_KERNEL);
	CHECK(p && all_are(p, 40, 0x33));
	kfree(p);
	/* What was written behind the old size is found when it changes. */
	p = kmalloc(60, GFP_KERNEL);
	p[61] = 0x41;
	CHECK(krealloc(p, 62, GFP_KERNEL) == p);
	CHECK_LOG("slub: BUG in kmalloc-64: a red zone was written over");
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x41 instead of 0xcc, wrong bytes: 1");
	host_check();
	CHECK(!krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	CHECK_EQ(guard_extent(slab_of(p), p), 62);
	CHECK(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	host_check();
}

static void test_sensitive(void)
{
	u8 *p;

	boot_with("slub_debug=FZPUQ");
	for (size_t size = 1; size < 300; size += 7) {
		p = kmalloc(size, GFP_KERNEL);
		memset(p, 0x44, size);
		kfree_sensitive(p);
	}
	CHECK_NO_LOG("slub: BUG");
	p = kmalloc(60, GFP_KERNEL);
	p[60] = 1;
	kfree_sensitive(p);
	CHECK_LOG("slub: BUG in kmalloc-64: a red zone was written over");
	host_check();
}

/*
 * What an object of a cache of one's own has is used whole, and the word behind it is as safe as the state beside it.
 */
static void test_word_written(void)
{
	struct kmem_cache *cache;
	u8 *p;

	boot_with("");
	cache = kmem_cache_create("guarded", 60, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK_EQ(guard_extent(slab_of(p), p), 60);
	object_state(cache, p)->asked = 20;
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: guarded: .*: the state behind it was written over");
	CHECK_EQ(ksize(p), 60);
	kmem_cache_free(cache, p);
	CHECK_LOG("slub: BUG in guarded: the state behind an object was written over");
	CHECK_EQ(cache->guard->nr_isolated, 1);
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

/* Through the red zone and into the word: one report, and the object is used again. */
static void test_long_overflow(void)
{
	u8 *p;

	boot_with("slub_debug=Z");
	p = kmalloc(60, GFP_KERNEL);
	memset(p + 60, 0x41, 64 - 60 + RED_BYTES + 4);
	kfree(p);
	CHECK_LOG("slub: BUG in kmalloc-64: a red zone was written over");
	CHECK_LOG("  right red zone: 0x[0-9a-f]+ has 0x41 instead of 0xcc, wrong bytes: 8");
	CHECK_NO_LOG("the state behind");
	CHECK_EQ(guard_of(p)->nr_isolated, 0);
	host_check();
}

/* Threads: all CPUs and their handlers ask, resize and free in the same caches. */

#define THREADS 4
#define BOXES	16

static u8 *boxes[BOXES];
static bool stop;

static void churn(void *arg)
{
	(void)arg;
	for (unsigned long i = 0; i < tap_ops(10000); i++) {
		size_t size = 1 + tap_below(128);
		u8 *p = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN), *q;

		if (p)
			memset(p, 0x55, size);
		p = __atomic_exchange_n(&boxes[tap_below(BOXES)], p, __ATOMIC_ACQ_REL);
		if (!p)
			continue;
		size = 1 + tap_below(128);
		q = krealloc(p, size, GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
		p = q ? q : p;
		if (q)
			memset(q, 0x66, size);
		if (tap_below(4) == 0)
			memset(p, 0x77, ksize(p));
		kfree(p);
	}
}

static void handler(void *arg)
{
	u8 *p = kmalloc(60, GFP_ATOMIC | __GFP_NOWARN);

	(void)arg;
	if (p)
		memset(p, 0x88, 60);
	kfree(p);
}

static void *interrupts(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		for (int cpu = 0; cpu < THREADS; cpu++)
			host_interrupt(cpu, handler, NULL);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread;

	boot_with("slub_debug=FZPU");
	host_cpus_start();
	CHECK_EQ(pthread_create(&thread, NULL, interrupts, NULL), 0);
	host_on_all_cpus(churn, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	host_cpus_stop();
	for (int i = 0; i < BOXES; i++)
		kfree(boxes[i]);
	CHECK_NO_LOG("slub: BUG");
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("the byte behind what was asked for, all sizes and calls", test_sizes),
	TAP_CASE("constant sizes", test_constants),
	TAP_CASE("a request in one word", test_request),
	TAP_CASE("kzalloc() of a constant size", test_zeroed),
	TAP_CASE("kzalloc() of any other size", test_zeroed_by_call),
	TAP_CASE("ksize() and kmalloc_size_roundup()", test_ksize),
	TAP_CASE("krealloc()", test_krealloc),
	TAP_CASE("kfree_sensitive()", test_sensitive),
	TAP_CASE("the word behind an object is written over", test_word_written),
	TAP_CASE("a long overflow", test_long_overflow),
	TAP_CASE("4 CPUs and interrupts", test_threads),
};
TAP_MAIN(cases)
