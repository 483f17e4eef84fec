// SPDX-License-Identifier: BSD-2-Clause
/*
 * SLUB's per-CPU stacks: how far they fill and empty, whose objects lie on them, caches that have none, and what a
 * checked free keeps off them.
 */
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <stdio.h>

#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define MANY 2000

static void *objects[MANY];

static unsigned long on_stack(const struct kmem_cache *cache)
{
	return cpu_stack_count(cache, smp_processor_id());
}

static void alloc_many(struct kmem_cache *cache, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		CHECK(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
		*(unsigned int *)objects[i] = i;
	}
}

static void free_many(struct kmem_cache *cache, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		CHECK_EQ(*(unsigned int *)objects[i], i);
		kmem_cache_free(cache, objects[i]);
		CHECK(on_stack(cache) <= cache->capacity);
	}
}

/* From every level of the stack up and down again, past both ends. */
static void try_levels(size_t size)
{
	struct kmem_cache *cache = kmem_cache_create("levels", size, 0, 0, NULL);

	CHECK(cache && has_stacks(cache));
	for (unsigned int n = 1; n < MANY && n < 4 * cache->capacity; n += 1 + n / 8) {
		alloc_many(cache, n);
		host_check();
		free_many(cache, n);
		host_check();
	}
	kmem_cache_shrink(cache);
	CHECK_EQ(on_stack(cache), 0);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static void test_levels(void)
{
	host_boot_simple(64 * MIB, 1);
	try_levels(8);
	try_levels(96);
	try_levels(1024);
	try_levels(8192);
}

/* A slab's objects come in the order of their addresses while nobody has freed any. */
static void test_order(void)
{
	struct kmem_cache *cache;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("order", 64, 0, 0, NULL);
	alloc_many(cache, 64);
	for (int i = 1; i < 64; i++)
		CHECK_EQ(objects[i], (uintptr_t)objects[i - 1] + 64);
	free_many(cache, 64);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

#define CACHES 300

/* Heads that are not the one that is empty and full, of all CPUs. */
static unsigned int real_heads(void)
{
	unsigned int n = 0;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const struct mm_cpu *head = percpu_base(cpu);

		for (int nr = 0; nr < OBJECT_STACKS; nr++)
			n += head->local->object[nr].top != head->nothing.top;
	}
	return n;
}

/* The heads, or the per-CPU memory, do not suffice for all: the others have no stacks, and work. */
static void test_many_caches(void)
{
	static struct kmem_cache *caches[CACHES];
	static char names[CACHES][16];
	unsigned int with = 0, before;

	host_boot_simple(64 * MIB, 2);
	before = real_heads();
	for (unsigned int i = 0; i < CACHES; i++) {
		snprintf(names[i], sizeof(names[i]), "many-%u", i);
		CHECK(caches[i] = kmem_cache_create(names[i], 16 + 8 * (i % 100), 0, SLAB_NO_MERGE, NULL));
		with += has_stacks(caches[i]);
	}
	CHECK(with && with < CACHES);
	CHECK_EQ(real_heads(), before + 2 * with);
	for (unsigned int i = 0; i < CACHES; i++) {
		alloc_many(caches[i], 100);
		free_many(caches[i], 100);
	}
	host_check();
	for (unsigned int i = 0; i < CACHES; i++)
		CHECK_EQ(kmem_cache_destroy(caches[i]), 0);
	host_check();
	CHECK_EQ(real_heads(), before);
	/* What they had is there for others. */
	CHECK(caches[0] = kmem_cache_create("one more", 64, 0, 0, NULL));
	CHECK(has_stacks(caches[0]));
	alloc_many(caches[0], MANY);
	free_many(caches[0], MANY);
	CHECK_EQ(kmem_cache_destroy(caches[0]), 0);
	host_check();
}

static const struct host_bank banks[] = { { GIB, 32 * MIB, 0 }, { GIB + 32 * MIB, 32 * MIB, 1 } };

static int cpu_of_node(int cpu)
{
	return cpu % 2;
}

static void free_remote(void *cache)
{
	for (int i = 0; i < 500; i++)
		kmem_cache_free(cache, objects[i]);
}

static void free_last(void *cache)
{
	kmem_cache_free(cache, objects[499]);
}

/*
 * Objects of node 0, freed on a CPU of node 1, are never on the stack that it pops from: they go home together, the
 * last of them when somebody asks.
 */
static void test_remote(void)
{
	struct kmem_cache *cache;
	struct slab_stats stats;
	unsigned long before;
	void **slot, *lost, *far;

	host_boot(&(struct host_machine){
		.banks = banks, .nr_banks = ARRAY_SIZE(banks), .nr_cpus = 2, .cpu_node = cpu_of_node });
	cache = kmem_cache_create("remote", 64, 0, 0, NULL);
	far = kmem_cache_alloc_node(cache, GFP_KERNEL, 1);
	alloc_many(cache, 500);
	for (int i = 0; i < 500; i++)
		CHECK_EQ(page_to_nid(virt_to_page(objects[i])), 0);
	before = on_stack(cache);
	host_interrupt(1, free_remote, cache);
	CHECK_EQ(cpu_stack_count(cache, 1), 0);
	CHECK_EQ(node_stack_count(cache, 1, 0), 500 % FAR_STACK);
	CHECK_EQ(per_cpu_ptr(cache->cpu, 1)->remote_frees, 500 - 500 % FAR_STACK);
	slab_stat(cache, &stats);
	CHECK_EQ(stats.remote_frees, 500);
	CHECK_EQ(on_stack(cache), before);
	host_check();
	/* Freed twice, it is found where it waits, on either CPU. */
	for (int cpu = 0; HARDENED && cpu < 2; cpu++) {
		host_log_clear();
		if (cpu)
			host_interrupt(cpu, free_last, cache);
		else
			free_last(cache);
		CHECK_LOG("slub: BUG in remote: what was to be freed is free already, on the stack of CPU 1");
		host_check();
	}
	/* One that lies where it does not belong is found. */
	slot = node_slots(cache, 1, 0) + 1;
	lost = *slot;
	*slot = far;
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: remote: CPU 1: 0x[0-9a-f]+ of node 1 is on its stack for node 0");
	*slot = node_slots(cache, 1, 0)[2];
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: remote: CPU 1: 0x[0-9a-f]+ on its stack is on CPU 1's stack too: freed twice");
	*slot = lost;
	kmem_cache_free(cache, far);
	host_check();
	host_cpus_start();
	kmem_cache_shrink(cache);
	host_cpus_stop();
	CHECK_EQ(node_stack_count(cache, 1, 0), 0);
	CHECK_EQ(node_stack_count(cache, 0, 1), 0);
	CHECK_EQ(per_cpu_ptr(cache->cpu, 1)->remote_frees, 500);
	host_check();
	alloc_many(cache, 500);
	free_many(cache, 500);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

#define NOTHING "slub: BUG in kfree: what was to be freed is nothing that kmalloc returned"

/* A report of @p: its first line, and the address in one of the others. */
static bool reported(const char *bug, const void *p)
{
	char address[40];

	snprintf(address, sizeof(address), "  (address|object) 0x%lx", (unsigned long)(uintptr_t)p);
	CHECK_LOG(bug);
	CHECK_LOG(address);
	host_log_clear();
	return true;
}

/* What is no object never reaches a stack. */
static void test_wild_frees(void)
{
	static const size_t inside[] = { 1, 8, 32, 63 };
	char *obj, *volatile local;
	struct kmem_cache *cache, *other;

	host_boot_simple(64 * MIB, 1);
	cache = kmem_cache_create("own", 64, 0, SLAB_NO_MERGE, NULL);
	other = kmem_cache_create("other", 64, 0, SLAB_NO_MERGE, NULL);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	local = (char *)&local;
	host_log_clear();
	kfree(local);
	CHECK(reported(NOTHING, local));
	kfree((void *)(uintptr_t)__pa(obj));
	CHECK(reported(NOTHING, (void *)(uintptr_t)__pa(obj)));
	kfree((char *)__va(GIB) + 3 * GIB);
	CHECK(reported(NOTHING, (char *)__va(GIB) + 3 * GIB));
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		kfree(obj + inside[i]);
		CHECK(reported("slub: BUG in own: what was to be freed is not the beginning of an object",
			       obj + inside[i]));
	}
	kmem_cache_free(other, obj);
	CHECK(reported("slub: BUG in other: what was to be freed belongs to another cache", obj));
	kmem_cache_free(other, local);
	CHECK(reported("slub: BUG in other: what was to be freed lies in no slab", local));
	host_check();
	kmem_cache_free(cache, obj);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(other), 0);
}

/* Memory that no struct page was written for: what lies there instead, one of an earlier run, is not believed. */
static void test_never_written(void)
{
	unsigned long pfn = PFN_DOWN(GIB);
	struct page *page;
	void *obj, *p;
	u32 tag;

	host_boot_simple(1024 * MIB, 1);
	tag = this_cpu()->object_tag;
	CHECK(obj = kmalloc(64, GFP_KERNEL));
	while (page_initialised(pfn))
		pfn += PAGEBLOCK_NR_PAGES;
	CHECK(pfn_valid(pfn));
	page = pfn_to_page(pfn);
	p = page_address(page);
	*page = *virt_to_page(obj);
	*(u64 *)p = 0;
	CHECK_EQ(asm_object_free(page, p, tag), OBJECT_ODD);
	CHECK_EQ(asm_object_free(virt_to_page(obj), obj, tag ^ 1), OBJECT_ODD);
	CHECK_EQ(asm_object_free(virt_to_page(obj), obj, tag), OBJECT_FREED);
	CHECK_EQ(asm_object_free(virt_to_page(obj), obj, tag), OBJECT_ODD);
	CHECK_EQ((uintptr_t)kmalloc(64, GFP_KERNEL), (uintptr_t)obj);
	host_log_clear();
	kfree(p);
	CHECK(reported(NOTHING, p));
	kfree(obj);
	host_check();
}

/* An address inside an object that got onto a stack, as by a wild store, gets no further. */
static void test_found_late(void)
{
	struct kmem_cache *cache;
	char *obj, said[200];
	int reports = 0;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("late", 96, 0, 0, NULL);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	host_log_clear();
	*++cpu_stack(cache, 0)->top = obj + 32;
	kmem_cache_shrink(cache);
	CHECK_LOG("slub: BUG in late: what was freed some time ago is not the beginning of an object$");
	snprintf(said, sizeof(said), "  address 0x%lx, .32 bytes from the beginning of:$",
		 (unsigned long)(uintptr_t)(obj + 32));
	CHECK_LOG(said);
	CHECK_LOG("  object 0x[0-9a-f]+ of late, 96 bytes, at offset 0x[0-9a-f]+ of the slab at pfn 0x[0-9a-f]+: ");
	CHECK_LOG("slub: late: not put into its slab$");
	host_check();
	/* Many of them are no flood. */
	host_log_clear();
	for (int i = 0; i < 40; i++)
		*++cpu_stack(cache, 0)->top = obj + 8 + i;
	kmem_cache_shrink(cache);
	for (const char *at = host_log(); (at = strstr(at, "was freed some time ago")); at++)
		reports++;
	CHECK(reports > 0 && reports < 10);
	host_check();
	kmem_cache_free(cache, obj);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

#define LATE "slub: BUG in late: what was freed some time ago "

/* The same beside @more objects of @size bytes, up to all that a slab has. */
static void try_found_late(u32 size, unsigned int more)
{
	struct kmem_cache *cache = kmem_cache_create("late", size, 0, SLAB_NO_MERGE, NULL);
	struct slab_sums sums;

	alloc_many(cache, more);
	kmem_cache_shrink(cache);
	host_clock_skip(10000000000);
	host_log_clear();
	*++cpu_stack(cache, 0)->top = (char *)objects[0] + size / 2;
	kmem_cache_shrink(cache);
	CHECK_LOG(LATE "is not the beginning of an object$");
	host_check();
	slab_sum(cache, &sums);
	CHECK(sums.slabs == 1 && sums.taken == more);
	free_many(cache, more);
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static void test_found_in_slabs(void)
{
	static const u32 sizes[] = { 8, 64, 96, 192, 1024 };

	host_boot_simple(32 * MIB, 1);
	host_mute();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *cache = kmem_cache_create("like", sizes[i], 0, SLAB_NO_MERGE, NULL);
		const unsigned int all = cache->objects;

		CHECK_EQ(kmem_cache_destroy(cache), 0);
		try_found_late(sizes[i], 1);
		try_found_late(sizes[i], all / 2);
		try_found_late(sizes[i], all);
	}
}

/* One of another cache, @into bytes into an object of a full slab: neither cache changes. */
static void try_found_foreign(u32 size, u32 others, u32 into)
{
	struct kmem_cache *cache = kmem_cache_create("late", size, 0, SLAB_NO_MERGE, NULL),
			  *other = kmem_cache_create("other", others, 0, SLAB_NO_MERGE, NULL);
	const unsigned int all = other->objects;
	struct slab_sums before, after;

	alloc_many(other, all);
	kmem_cache_shrink(other);
	slab_sum(other, &before);
	host_clock_skip(10000000000);
	host_log_clear();
	*++cpu_stack(cache, 0)->top = (char *)objects[tap_below(all)] + into;
	kmem_cache_shrink(cache);
	CHECK_LOG(LATE "belongs to another cache$");
	slab_sum(other, &after);
	CHECK(after.slabs == before.slabs && after.taken == before.taken && after.partial == before.partial);
	host_check();
	free_many(other, all);
	slab_sum(cache, &after);
	CHECK(!after.taken && !after.stacked);
	host_check();
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	CHECK_EQ(kmem_cache_destroy(other), 0);
}

static void test_found_foreign(void)
{
	static const u32 sizes[] = { 64, 96, 192, 1024 };
	char *page, *wild[] = { NULL, NULL, NULL, (char *)8, (char *)0x4141414141414141, (char *)-8UL };
	struct kmem_cache *cache;

	host_boot_simple(32 * MIB, 1);
	host_mute();
	for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes) * ARRAY_SIZE(sizes); i++)
		try_found_foreign(sizes[i % 4], sizes[i / 4 % 4], i < 16 ? 0 : sizes[i / 4 % 4] / 4);
	cache = kmem_cache_create("late", 64, 0, SLAB_NO_MERGE, NULL);
	CHECK(page = (char *)__get_free_page(GFP_KERNEL));
	wild[0] = page + 64;
	wild[1] = (char *)__va(0) + 32 * GIB;
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		*++cpu_stack(cache, 0)->top = wild[i];
		host_clock_skip(10000000000);
		host_log_clear();
		kmem_cache_shrink(cache);
		CHECK_LOG(LATE "lies in no slab$");
		CHECK_EQ(cpu_stack_count(cache, 0), 0);
	}
	free_page((unsigned long)(uintptr_t)page);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
	host_check();
}

static void constructor(void *obj)
{
	*(u64 *)obj = 0x1234567890abcdef;
}

/* What a constructor made is left as it is, the word at the beginning of the object, too. */
static void test_constructed(void)
{
	struct kmem_cache *cache;

	host_boot_simple(32 * MIB, 1);
	cache = kmem_cache_create("constructed", 8, 0, 0, constructor);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			CHECK(objects[i] = kmem_cache_alloc(cache, GFP_KERNEL));
			CHECK_EQ(*(u64 *)objects[i], 0x1234567890abcdef);
		}
		for (int i = 0; i < MANY; i++)
			kmem_cache_free(cache, objects[i]);
		host_check();
	}
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static const struct tap_case cases[] = {
	TAP_CASE("levels of a stack", test_levels),
	TAP_CASE("a new slab is handed out in order", test_order),
	TAP_CASE("more caches than stacks", test_many_caches),
	TAP_CASE("objects of another node go home", test_remote),
	TAP_CASE_IF(HARDENED, "where frees are checked", "addresses that are no objects", test_wild_frees),
	TAP_CASE_IF(HARDENED, "where frees are checked", "a struct page that was never written", test_never_written),
	TAP_CASE_IF(HARDENED, "where frees are checked", "an address between objects is found in the end",
		    test_found_late),
	TAP_CASE_IF(HARDENED, "where frees are checked", "the same beside objects that come back", test_found_in_slabs),
	TAP_CASE_IF(HARDENED, "where frees are checked", "another cache's object is found in the end",
		    test_found_foreign),
	TAP_CASE("constructed objects stay as they are", test_constructed),
};
TAP_MAIN(cases)
