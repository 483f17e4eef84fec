// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is made of kmalloc(), memory of a kind, and caches that share their slabs: slab_util.h, slab_flags.h, slabinfo.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lib/monitor.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static bool all(const void *p, size_t size, u8 byte)
{
	for (size_t i = 0; i < size; i++)
		if (((const u8 *)p)[i] != byte)
			return false;
	return true;
}

static void test_arrays(void)
{
	u8 *p;

	host_boot_simple(32 * MIB, 1);
	CHECK(!kmalloc_array(1UL << 33, 1UL << 33, GFP_KERNEL));
	CHECK(!kcalloc(SIZE_MAX, 2, GFP_KERNEL));
	p = kcalloc(7, 9, GFP_KERNEL);
	CHECK(p && ksize(p) == 64 && all(p, 64, 0));
	memset(p, 0x11, 63);
	CHECK(!krealloc_array(p, SIZE_MAX / 2, 3, GFP_KERNEL));
	p = krealloc_array(p, 10, 100, GFP_KERNEL);
	CHECK(p && ksize(p) == 1024 && all(p, 63, 0x11));
	kfree(p);
	CHECK_EQ((uintptr_t)kmalloc_array(0, 8, GFP_KERNEL), (uintptr_t)ZERO_SIZE_PTR);
	p = kzalloc_node(100, GFP_KERNEL, 0);
	CHECK(p && all(p, 128, 0));
	kfree(p);
	host_check();
}

/* In place while it fits, moved when not; with __GFP_ZERO what is new is zero, shrunk and grown again too. */
static void test_krealloc(void)
{
	u8 *p, *q;

	host_boot_simple(32 * MIB, 1);
	p = krealloc(NULL, 50, GFP_KERNEL | __GFP_ZERO);
	CHECK(p && all(p, 64, 0));
	memset(p, 0x22, 50);
	CHECK(krealloc(p, 64, GFP_KERNEL | __GFP_ZERO) == p && all(p, 50, 0x22) && all(p + 50, 14, 0));
	memset(p, 0x33, 64);
	CHECK(krealloc(p, 10, GFP_KERNEL | __GFP_ZERO) == p && all(p, 10, 0x33) && all(p + 10, 54, 0));
	q = krealloc(p, 5000, GFP_KERNEL | __GFP_ZERO);
	CHECK(q && q != p && all(q, 10, 0x33) && all(q + 10, ksize(q) - 10, 0));
	memset(q, 0x44, 5000);
	p = krealloc(q, 100000, GFP_KERNEL | __GFP_ZERO);
	CHECK(p && all(p, 5000, 0x44) && all(p + 5000, 95000, 0));
	CHECK(!krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL) && all(p, 5000, 0x44));
	CHECK(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	p = krealloc(ZERO_SIZE_PTR, 8, GFP_KERNEL);
	CHECK(p);
	kfree(p);
	host_check();
}

static void test_copies(void)
{
	static const char text[] = "a name";
	char *p;

	host_boot_simple(32 * MIB, 1);
	p = kstrdup(text, GFP_KERNEL);
	CHECK(p && p != text && !strcmp(p, text));
	kfree(p);
	p = kstrndup(text, 3, GFP_KERNEL);
	CHECK(p && !strcmp(p, "a n"));
	kfree(p);
	p = kstrndup(text, 100, GFP_KERNEL);
	CHECK(p && !strcmp(p, text));
	kfree(p);
	p = kmemdup_nul("\1\2\3", 2, GFP_KERNEL);
	CHECK(p && p[0] == 1 && p[1] == 2 && p[2] == 0);
	kfree(p);
	p = kmemdup(text, sizeof(text), GFP_KERNEL);
	CHECK(p && !memcmp(p, text, sizeof(text)));
	kfree(p);
	CHECK(!kstrdup(NULL, GFP_KERNEL) && !kstrndup(NULL, 1, GFP_KERNEL) && !kmemdup_nul(NULL, 1, GFP_KERNEL));
	CHECK(!kmemdup_nul(text, SIZE_MAX, GFP_KERNEL));
	host_check();
}

/* The object is the next one handed out: what is not SLUB's of it is zero. */
static void test_sensitive(void)
{
	u8 *p, *again;

	host_boot_simple(32 * MIB, 1);
	for (size_t size = 200; size < 100000; size *= 7) {
		p = kmalloc(size, GFP_KERNEL);
		memset(p, 0x55, size);
		kfree_sensitive(p);
		again = kmalloc(size, GFP_KERNEL);
		CHECK(again == p && !memchr(again, 0x55, size));
		kfree(again);
	}
	kfree_sensitive(NULL);
	kfree_sensitive(ZERO_SIZE_PTR);
	host_check();
}

static void fill_with_a(void *obj)
{
	memset(obj, 'a', 64);
}

/*
 * Guarded objects that are not poisoned are cleared: those with a constructor, and those that are looked at when free.
 */
static void test_sensitive_guarded(void)
{
	struct kmem_cache *keys[3];

	host_boot_simple(32 * MIB, 1);
	keys[0] = kmem_cache_create("poisoned keys", 64, 0, SLAB_GUARDS_FULL, NULL);
	keys[1] = kmem_cache_create("constructed keys", 64, 0, SLAB_GUARDS_FULL, fill_with_a);
	keys[2] = kmem_cache_create("typesafe keys", 64, 0, SLAB_GUARDS_FULL | SLAB_TYPESAFE_BY_RCU, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		u8 *p = kmem_cache_alloc(keys[i], GFP_KERNEL);

		memset(p, 0x53, 64);
		kfree_sensitive(p);
		CHECK(!memchr(p, 0x53, 64));
		CHECK_NO_LOG("slub: BUG");
		/* The second time it is refused, and stays as it is. */
		memset(p, i ? 0x54 : p[0], 63);
		kfree_sensitive(p);
		CHECK(!i || memchr(p, 0x54, 64));
		CHECK_LOG("slub: BUG in .* keys: what was to be freed is free already");
		host_log_clear();
	}
	host_check();
}

/* What is no object in use is not resized, and nothing around it is written to. */
static void check_not_resized(void *p, size_t size, const char *said)
{
	host_log_clear();
	CHECK(!krealloc(p, size, GFP_KERNEL | __GFP_ZERO));
	CHECK_LOG(said);
	CHECK_LOG("slub: .*: not resized");
}

static void test_krealloc_refused(void)
{
	u64 on_stack = 0;
	u8 *p[8], *large;

	host_boot_simple(32 * MIB, 1);
	for (int i = 0; i < 8; i++) {
		p[i] = kmalloc(64, GFP_KERNEL);
		memset(p[i], 0x61 + i, 64);
	}
	large = kmalloc(20000, GFP_KERNEL);
	check_not_resized(p[3] + 16, 8,
			  "slub: BUG in kmalloc-64: what was to be resized is not the beginning of an object");
	check_not_resized(p[3] + 16, 100, "slub: BUG in kmalloc-64: what was to be resized is not the beginning");
	check_not_resized(large + PAGE_SIZE, 8,
			  "slub: BUG in krealloc: what was to be resized is nothing that kmalloc returned");
	check_not_resized(&on_stack, 8,
			  "slub: BUG in krealloc: what was to be resized is nothing that kmalloc returned");
	for (int i = 0; i < 8; i++)
		CHECK(all(p[i], 64, (u8)(0x61 + i)));
	for (int i = 0; i < 8; i++)
		kfree(p[i]);
	check_not_resized(p[3], 8,
			  "slub: BUG in kmalloc-64: what was to be resized is free already, on the stack of CPU 0");
	kfree(large);
	host_check();
}

static void test_krealloc_guarded(void)
{
	const struct host_bank bank = { GIB, 32 * MIB, -1 };
	u8 *p;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "slub_debug=FZP" });
	p = kmalloc(60, GFP_KERNEL);
	memset(p, 0x61, 60);
	check_not_resized(p + 8, 8, "slub: BUG in kmalloc-64: what was to be resized is no object in use");
	CHECK(all(p, 60, 0x61));
	kfree(p);
	check_not_resized(p, 8, "slub: BUG in kmalloc-64: what was to be resized is no object in use");
	host_check();
}

static void test_roundup(void)
{
	host_boot_simple(64 * MIB, 1);
	for (size_t size = 1; size <= KMALLOC_MAX_SIZE; size += 1 + size / 7) {
		void *p = kmalloc(size, GFP_KERNEL);

		CHECK_EQ(kmalloc_size_roundup(size), ksize(p));
		kfree(p);
	}
	CHECK_EQ(kmalloc_size_roundup(0), 0);
	CHECK_EQ(kmalloc_size_roundup(KMALLOC_MAX_SIZE + 1), KMALLOC_MAX_SIZE + 1);
}

/* Three zones: DMA below 1.25 GiB, as RAM begins at 1 GiB. */
static void boot_zones(void)
{
	static const struct host_bank bank = { GIB, 512 * MIB, -1 };

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = 2, .dma_limit = 0x50000000 });
}

static struct kmem_cache *cache_of(const void *p)
{
	return slab_head(p) ? slab_head(p)->slab_cache : NULL;
}

static void take_dma(void *arg)
{
	*(void **)arg = kmalloc(512, GFP_ATOMIC | __GFP_DMA);
}

static void test_dma(void)
{
	void *p, *q, *node, *large, *handler;

	boot_zones();
	p = kmalloc(100, GFP_KERNEL | __GFP_DMA);
	q = kzalloc(100, GFP_KERNEL | __GFP_DMA);
	node = kmalloc_node(128, GFP_KERNEL | __GFP_DMA, 0);
	large = kmalloc(10000, GFP_KERNEL | __GFP_DMA);
	CHECK(p && q && node && large && all(q, 128, 0));
	CHECK(!strcmp(cache_of(p)->name, "dma-kmalloc-128") && cache_of(p) == cache_of(q) &&
	      cache_of(p) == cache_of(node));
	CHECK(__pa(p) < 0x50000000 && __pa(q) < 0x50000000 && __pa(large) < 0x50000000);
	CHECK_EQ(page_zonenum(virt_to_page(p)), ZONE_DMA);
	CHECK(!cache_of(large) && ksize(large) == 16384);
	/* In a handler no cache is made. */
	CHECK_EQ(smp_call_function_single(0, take_dma, &handler), 0);
	CHECK(handler && !cache_of(handler) && __pa(handler) < 0x50000000);
	kfree(p);
	kfree(q);
	kfree(node);
	kfree(large);
	kfree(handler);
	p = kmalloc(100, GFP_KERNEL | __GFP_DMA32);
	CHECK(p && !cache_of(p));
	kfree(p);
	host_check();
}

/* Who may not wait makes no cache, in a thread either; and who may finds it made. */
static void test_typed_no_wait(void)
{
	static const gfp_t flags[] = { GFP_NOWAIT, GFP_ATOMIC };

	boot_zones();
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		void *p = kmalloc(300, flags[i] | __GFP_DMA), *q = kmalloc(300, flags[i] | __GFP_RECLAIMABLE);

		CHECK(p && q && !cache_of(p) && __pa(p) < 0x50000000);
		CHECK(cache_of(q) == kmalloc_caches[kmalloc_index(300)]);
		kfree(p);
		kfree(q);
	}
	kfree(kmalloc(300, GFP_KERNEL | __GFP_DMA));
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		void *p = kmalloc(300, flags[i] | __GFP_DMA);

		CHECK(!strcmp(cache_of(p)->name, "dma-kmalloc-512"));
		kfree(p);
	}
	host_check();
}

/* A cache whose objects all lie in ZONE_DMA need not be asked for that, and may be; of another zone it has none. */
static void test_dma_cache(void)
{
	struct kmem_cache *cache;
	void *objs[20];

	boot_zones();
	cache = kmem_cache_create("dma", 64, 0, SLAB_CACHE_DMA, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i += 2) {
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		objs[i + 1] = i % 4 ? kmem_cache_alloc(cache, GFP_KERNEL | GFP_DMA) :
				      kmem_cache_alloc_node(cache, GFP_ATOMIC | __GFP_DMA | __GFP_ZERO, 0);
		CHECK(objs[i] && objs[i + 1] && (i % 4 || all(objs[i + 1], 64, 0)));
		CHECK(__pa(objs[i]) < 0x50000000 && __pa(objs[i + 1]) < 0x50000000);
	}
	CHECK_NO_LOG("asks for a DMA zone");
	CHECK(!kmem_cache_alloc(cache, GFP_KERNEL | __GFP_DMA32));
	CHECK_LOG("kmem_cache_alloc: dma: gfp 0x[0-9a-f]+ asks for a DMA zone");
	kmem_cache_free_bulk(cache, ARRAY_SIZE(objs), objs);
	CHECK_EQ(kmem_cache_alloc_bulk(cache, GFP_KERNEL | GFP_DMA, ARRAY_SIZE(objs), objs), ARRAY_SIZE(objs));
	kmem_cache_free_bulk(cache, ARRAY_SIZE(objs), objs);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

static void test_reclaimable(void)
{
	void *p;

	boot_zones();
	p = kmalloc(1000, GFP_KERNEL | __GFP_RECLAIMABLE);
	CHECK(p && !strcmp(cache_of(p)->name, "kmalloc-rcl-1024"));
	CHECK(cache_of(p)->flags & SLAB_RECLAIM_ACCOUNT);
	kfree(p);
	p = kmalloc(1000, GFP_KERNEL | __GFP_RECLAIMABLE | __GFP_DMA);
	CHECK(p && !strcmp(cache_of(p)->name, "dma-kmalloc-1024"));
	kfree(p);
	host_check();
}

/* Like caches are one; each difference that matters keeps them apart. */
static void test_merging(void)
{
	struct kmem_cache *first, *like;
	struct kmem_cache *apart[6];
	u8 *p, *q;

	host_boot_simple(32 * MIB, 1);
	first = kmem_cache_create("first", 60, 0, 0, NULL);
	like = kmem_cache_create("like", 62, 0, 0, NULL);
	CHECK(first && first == like);
	CHECK_EQ(kmem_cache_size(first), 62);
	apart[0] = kmem_cache_create("other size", 72, 0, 0, NULL);
	apart[1] = kmem_cache_create("alone", 60, 0, SLAB_NO_MERGE, NULL);
	apart[2] = kmem_cache_create("reclaimable", 60, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	apart[3] = kmem_cache_create("checked", 60, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	apart[4] = kmem_cache_create("aligned", 50, 128, 0, NULL);
	apart[5] = kmem_cache_create("typesafe", 60, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(apart); i++)
		CHECK(apart[i] && apart[i] != first && apart[i] != kmalloc_caches[3]);
	p = kmem_cache_alloc(first, GFP_KERNEL);
	q = kmem_cache_alloc(like, GFP_KERNEL);
	CHECK(p && q && virt_to_page(p) == virt_to_page(q));
	/* The first of two destroys does nothing, whatever is allocated. */
	CHECK_EQ(kmem_cache_destroy(first), 0);
	kmem_cache_free(like, p);
	CHECK_EQ((u64)kmem_cache_destroy(like), (u64)-EBUSY);
	kmem_cache_free(like, q);
	CHECK_EQ(kmem_cache_destroy(like), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(apart); i++)
		CHECK_EQ(kmem_cache_destroy(apart[i]), 0);
	host_check();
}

/* What kmalloc() and the caches themselves come from stays, and no new cache becomes one of them. */
static void test_destroy_general(void)
{
	struct kmem_cache *own, *dma;
	void *p;

	boot_zones();
	p = kmalloc(64, GFP_KERNEL | __GFP_DMA);
	dma = cache_of(p);
	kfree(p);
	CHECK_EQ((u64)kmem_cache_destroy(kmalloc_caches[3]), (u64)-EINVAL);
	CHECK_LOG("kmem_cache_destroy: kmalloc-64 is a general cache, or its last maker has ended it: the cache stays");
	CHECK_EQ((u64)kmem_cache_destroy(dma), (u64)-EINVAL);
	CHECK_LOG("kmem_cache_destroy: dma-kmalloc-64 is a general cache");
	CHECK_EQ((u64)kmem_cache_destroy(slab_of(dma)->slab_cache), (u64)-EINVAL);
	own = kmem_cache_create("own", 64, 0, 0, NULL);
	CHECK(own && own != kmalloc_caches[3]);
	CHECK_EQ(kmem_cache_destroy(own), 0);
	p = kmalloc(64, GFP_KERNEL);
	kfree(p);
	host_check();
}

/* 0 when all slabs have gone back, as on Linux. */
static void test_shrink(void)
{
	struct kmem_cache *cache, *guarded;
	void *p, *q;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("shrunk", 64, 0, SLAB_NO_MERGE, NULL);
	guarded = kmem_cache_create("guarded", 64, 0, SLAB_RED_ZONE | SLAB_QUARANTINE, NULL);
	CHECK_EQ(kmem_cache_shrink(cache), 0);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	q = kmem_cache_alloc(guarded, GFP_KERNEL);
	CHECK(kmem_cache_shrink(cache) == 1 && kmem_cache_shrink(guarded) == 1);
	kmem_cache_free(cache, p);
	kmem_cache_free(guarded, q);
	CHECK(kmem_cache_shrink(cache) == 0 && kmem_cache_shrink(guarded) == 0);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(guarded), 0);
}

static void test_nomerge(void)
{
	const struct host_bank bank = { GIB, 32 * MIB, -1 };
	struct kmem_cache *a, *b;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .bootargs = "slab_nomerge" });
	a = kmem_cache_create("a", 64, 0, 0, NULL);
	b = kmem_cache_create("b", 64, 0, 0, NULL);
	CHECK(a && b && a != b);
	CHECK_EQ(kmem_cache_destroy(a), 0);
	CHECK_EQ(kmem_cache_destroy(b), 0);
}

static unsigned int constructed;

static void construct(void *obj)
{
	memset(obj, 0x66, 40);
	constructed++;
}

/* The same three ways to make a cache as Linux has, and the name is the caller's again afterwards. */
static void test_args(void)
{
	struct kmem_cache_args args = { .align = 256, .ctor = construct };
	char name[] = "by name";
	struct kmem_cache *cache;
	u8 *p;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create(name, 40, &args, SLAB_PANIC);
	memset(name, 'x', sizeof(name) - 1);
	CHECK(!strcmp(cache->name, "by name"));
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(p && IS_ALIGNED((uintptr_t)p, 256) && all(p, 40, 0x66) && constructed);
	kmem_cache_free(cache, p);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	cache = kmem_cache_create("plain", 40, NULL, 0);
	CHECK(cache && cache->align == 8 && !cache->ctor);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK(!kmem_cache_create("far", 40, 1UL << 40, 0, NULL));
	host_check();
}

/* A freed object stays what it is; its slab goes back only when every CPU was asked. */
static void test_typesafe(void)
{
	struct kmem_cache *cache;
	static void *objs[1000];
	struct slab_sums sums;
	unsigned long calls;

	host_boot_simple(32 * MIB, 4);
	host_cpus_start();
	cache = kmem_cache_create("typesafe", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		memset(objs[i], 0x77, 64);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		kmem_cache_free(cache, objs[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		CHECK(all(objs[i], 64, 0x77));
	slab_sum(cache, &sums);
	CHECK(sums.slabs >= 1000 * 64 / PAGE_SIZE);
	calls = *per_cpu_ptr(&host_interrupts, 3);
	CHECK_EQ(slab_shrink(cache), sums.slabs);
	/* One for the stacks. */
	CHECK_EQ(*per_cpu_ptr(&host_interrupts, 3), calls + 2);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_cpus_stop();
	host_check();
}

static void type(const char *text)
{
	char line[80];

	snprintf(line, sizeof(line), "%s", text);
	host_log_clear();
	monitor_exec(line);
}

/* The tables: aliases, the largest first, and figures that are known here. */
static void test_tables(void)
{
	static void *objs[2000];
	struct kmem_cache *cache, *guarded;
	struct slab_stats stats;
	const char *large, *small;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("tables", 192, 0, 0, NULL);
	CHECK(kmem_cache_create("more tables", 190, 0, 0, NULL) == cache);
	guarded = kmem_cache_create("watched", 64, 0, SLAB_QUARANTINE, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(guarded, kmem_cache_alloc(guarded, GFP_KERNEL));
	type("slabinfo -a");
	CHECK_LOG("^kmalloc-64 .* : tunables +512 +128 +0 : ");
	CHECK_LOG("^slabinfo - version: 2.1$");
	CHECK_LOG("^tables +2000 +[0-9]+ +192 +[0-9]+ +[0-9]+ : tunables ");
	CHECK_LOG("^more tables +-> tables$");
	type("slabinfo");
	CHECK_NO_LOG("more tables");
	type("slabtop");
	large = strstr(host_log(), " tables\n");
	small = strstr(host_log(), " watched\n");
	CHECK(large && small && large < small);
	type("slabstat");
	CHECK_LOG("^watched +guarded: 1 allocations, 1 frees, 0 reports, 1 in quarantine, 0 isolated$");
	CHECK_LOG("^tables +[0-9]+ +[0-9]+ +0 +0 +0 +0$");

	/* Each object was a hit or a miss, and of those that none came back between all are seen. */
	slab_stat(cache, &stats);
	CHECK_EQ(stats.hits + stats.refills, 2000);
	CHECK(stats.refills && !stats.flushes && !stats.free_hits);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		kmem_cache_free(cache, objs[i]);
	slab_stat(cache, &stats);
	/* The last hits before the first frees are in neither count, or in both. */
	CHECK_EQ(stats.free_hits + stats.flushes, stats.hits + stats.refills);
	CHECK(stats.flushes && stats.hits + stats.refills + CPU_STACK_MAX > 2000);
	type("slabinfo -s");
	CHECK_LOG("^slabinfo - version: 2.1 .statistics.$");
	CHECK_LOG(
		" <sharedavail> : globalstat <refills> <remotefrees> : cpustat <allochit> <allocmiss> <freehit> <freemiss>$");
	CHECK_LOG("^tables .* : slabdata .* : globalstat +[1-9][0-9]* +0 : cpustat +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+$");
	CHECK_LOG("^watched .* : globalstat +0 +0 : cpustat +0 +1 +0 +1$");
	type("slabinfo -x");
	CHECK_LOG("usage: slabinfo .-a . -s.");
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(guarded), 0);
}

/*
 * While other CPUs allocate, more objects may be seen on stacks than were taken from slabs a moment before: then none
 * is in use, not 2^64 less some.
 */
static void test_tables_under_load(void)
{
	struct kmem_cache *cache;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("busy", 192, 0, SLAB_NO_MERGE, NULL);
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	CHECK(cpu_stack_count(cache, 0) > 1);
	cache->node[0].nr_taken -= 2;
	type("slabinfo");
	CHECK_LOG("^busy +0 +[1-9][0-9]* +192 ");
	type("slabtop");
	CHECK_LOG("^ +[1-9][0-9]* +0 +0% +192 .* busy$");
	cache->node[0].nr_taken += 2;
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

/* Objects of @cache in use, as its counts of allocations and frees have it. Nobody uses it. */
static unsigned long counted(const struct kmem_cache *cache)
{
	struct slab_stats stats;

	slab_stat(cache, &stats);
	return stats.hits + stats.refills + stats.singles - stats.free_hits - stats.flushes - stats.remote_frees;
}

static void check_counted(struct kmem_cache *cache, unsigned long in_use)
{
	struct slab_sums sums;

	slab_sum(cache, &sums);
	CHECK_EQ(sums.taken - sums.stacked, in_use);
	CHECK_EQ(counted(cache), in_use);
}

/* CPUs 0, 2 on node 0 and 1, 3 on node 1. */
static int odd_or_even(int cpu)
{
	return cpu % 2;
}

#define COUNTED_CPUS 4
#define KEPT	     700

static void *kept[COUNTED_CPUS][KEPT];
static struct kmem_cache *counted_cache;

/* Each CPU frees what others allocated, and goes on with as many as it likes. */
static void use_counted(void *arg)
{
	gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;

	for (unsigned long i = 0; i < tap_ops(20000); i++) {
		void **slot = &kept[tap_below(COUNTED_CPUS)][tap_below(KEPT)], *p = NULL;
		u64 how = tap_below(20);

		if (how == 0)
			p = kmem_cache_alloc_node(counted_cache, gfp, (int)tap_below(2));
		else if (how == 1)
			p = kmem_cache_alloc(counted_cache, gfp | __GFP_THISNODE);
		else if (how < 10)
			p = kmem_cache_alloc(counted_cache, gfp);
		p = __atomic_exchange_n(slot, p, __ATOMIC_ACQ_REL);
		kmem_cache_free(counted_cache, p);
	}
	(void)arg;
}

static unsigned long nr_kept(void)
{
	unsigned long n = 0;

	for (int i = 0; i < COUNTED_CPUS * KEPT; i++)
		n += kept[i / KEPT][i % KEPT] != NULL;
	return n;
}

/* Allocations less frees are what is in use, whatever hits no count has seen. */
static void test_counts(void)
{
	static const struct host_bank banks[] = { { GIB, 16 * MIB, 0 }, { GIB + 16 * MIB, 16 * MIB, 1 } };
	void *some[100];

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = ARRAY_SIZE(banks), .nr_cpus = COUNTED_CPUS, .cpu_node = odd_or_even });
	counted_cache = kmem_cache_create("counted", 200, 0, SLAB_NO_MERGE, NULL);
	check_counted(counted_cache, 0);
	CHECK_EQ(kmem_cache_alloc_bulk(counted_cache, GFP_KERNEL, 100, some), 100);
	check_counted(counted_cache, 100);
	kmem_cache_free_bulk(counted_cache, 50, some);
	check_counted(counted_cache, 50);
	for (int i = 0; i < 1000; i++)
		kmem_cache_free(counted_cache, kmem_cache_alloc(counted_cache, GFP_KERNEL));
	check_counted(counted_cache, 50);
	kmem_cache_shrink(counted_cache);
	check_counted(counted_cache, 50);
	host_cpus_start();
	for (int round = 0; round < 3; round++) {
		host_on_all_cpus(use_counted, NULL);
		check_counted(counted_cache, 50 + nr_kept());
		kmem_cache_shrink(counted_cache);
		check_counted(counted_cache, 50 + nr_kept());
	}
	host_cpus_stop();
	for (int i = 0; i < COUNTED_CPUS * KEPT; i++)
		kmem_cache_free(counted_cache, kept[i / KEPT][i % KEPT]);
	kmem_cache_free_bulk(counted_cache, 50, some + 50);
	check_counted(counted_cache, 0);
	CHECK_EQ(kmem_cache_destroy(counted_cache), 0);
	host_check();
}

static bool all_are(const u8 *bytes, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* What is refused is not cleared, and clearing does not hide that an object is free. */
static void test_sensitive_refused(void)
{
	u8 *slots[64];

	host_boot_simple(32 * MIB, 1);
	for (int i = 0; i < 64; i++) {
		slots[i] = kmalloc(64, GFP_KERNEL);
		CHECK(slots[i]);
		memset(slots[i], 0x5a, 64);
	}
	host_log_clear();
	kfree_sensitive(slots[7] + 16);
	CHECK_LOG("slub: BUG in kmalloc-64: what was to be freed is not the beginning of an object");
	for (int i = 0; i < 64; i++)
		CHECK(all_are(slots[i], 64, 0x5a));
	kfree_sensitive(slots[7]);
	host_log_clear();
	kfree_sensitive(slots[7]);
	CHECK_LOG("slub: BUG in kmalloc-64: what was to be freed is free already");
	for (int i = 0; i < 64; i++)
		if (i != 7)
			kfree(slots[i]);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("arrays", test_arrays),
	TAP_CASE("krealloc()", test_krealloc),
	TAP_CASE("copies and strings", test_copies),
	TAP_CASE("kfree_sensitive()", test_sensitive),
	TAP_CASE_IF(HARDENED, "where frees are checked", "kfree_sensitive() of what is no object in use",
		    test_sensitive_refused),
	TAP_CASE("kfree_sensitive() of guarded objects", test_sensitive_guarded),
	TAP_CASE_IF(HARDENED, "where frees are checked", "krealloc() of what is no object in use",
		    test_krealloc_refused),
	TAP_CASE("krealloc() of what is no guarded object in use", test_krealloc_guarded),
	TAP_CASE("kmalloc_size_roundup() is ksize()", test_roundup),
	TAP_CASE("memory of ZONE_DMA", test_dma),
	TAP_CASE("memory of a kind for who may not wait", test_typed_no_wait),
	TAP_CASE("a cache in ZONE_DMA", test_dma_cache),
	TAP_CASE("reclaimable memory", test_reclaimable),
	TAP_CASE("like caches are merged", test_merging),
	TAP_CASE("general caches stay", test_destroy_general),
	TAP_CASE("kmem_cache_shrink()", test_shrink),
	TAP_CASE("slab_nomerge", test_nomerge),
	TAP_CASE("the ways to make a cache", test_args),
	TAP_CASE("SLAB_TYPESAFE_BY_RCU", test_typesafe),
	TAP_CASE("slabinfo, slabtop, slabstat", test_tables),
	TAP_CASE("slabinfo and slabtop under load", test_tables_under_load),
	TAP_CASE("hits, misses and frees make up what is in use", test_counts),
};
TAP_MAIN(cases)
