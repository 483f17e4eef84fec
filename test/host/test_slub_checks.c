// SPDX-License-Identifier: BSD-2-Clause
/*
 * What SLUB's checks see: kmem_cache_check() and those of CONFIG_MM_DEBUG, on caches that were broken on purpose.
 *
 * Each case has a cache of its own with one object of it taken, so that the slab stays, and one that is misused.
 */
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "../../mm/slub.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB	(1ULL << 20)
#define CHECKED "where frees are checked"

#ifdef CONFIG_MM_DEBUG
#define DEBUGGED true
#else
#define DEBUGGED false
#endif

static struct kmem_cache *cache;
static void *kept, *victim;

static void boot(void)
{
	host_boot_simple(32 * MIB, 4);
	cache = kmem_cache_create("broken", 64, 0, 0, NULL);
	CHECK(cache);
	kept = kmem_cache_alloc(cache, GFP_KERNEL);
	victim = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(kept && victim && kmem_cache_check());
}

static void force_onto_stack(int cpu, void *obj)
{
	struct percpu_stack *stack = cpu_stack(cache, cpu);

	*++stack->top = obj;
}

/* Freed a second time, which is refused with a report; then both objects can be had again, and are two. */
static void free_again(void)
{
	kmem_cache_free(cache, victim);
	CHECK(kmem_cache_check());
	kfree(victim);
	CHECK(kmem_cache_check());
	kmem_cache_free(cache, kept);
	kmem_cache_shrink(cache);
	CHECK_EQ(kmem_cache_destroy(cache), 0);
}

static void test_freed_twice_on_stack(void)
{
	boot();
	kmem_cache_free(cache, victim);
	free_again();
	CHECK_LOG("slub: BUG in broken: what was to be freed is free already, on the stack of CPU 0");
	CHECK_LOG("  object 0x[0-9a-f]+ of broken, 64 bytes, at offset ");
}

static void free_victim(void *unused)
{
	(void)unused;
	kmem_cache_free(cache, victim);
}

static void test_freed_on_another_cpu(void)
{
	boot();
	host_cpus_start();
	host_interrupt(2, free_victim, NULL);
	free_again();
	host_cpus_stop();
	CHECK_LOG("slub: BUG in broken: what was to be freed is free already, on the stack of CPU 2");
}

static void test_freed_twice_in_slab(void)
{
	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_shrink(cache);
	free_again();
	CHECK_LOG("slub: BUG in broken: what was to be freed is free already, in its slab");
}

/* A user may write into an object what marks it free. */
static void test_written_mark(void)
{
	boot();
	host_log_clear();
	for (int i = 0; i < 1000; i++) {
		*free_word(cache, victim) = free_mark(victim);
		kmem_cache_free(cache, victim);
		victim = kmem_cache_alloc(cache, GFP_KERNEL);
	}
	*free_word(cache, victim) = free_mark(victim);
	kfree(victim);
	CHECK_NO_LOG("free already");
	CHECK(kmem_cache_check());
}

/* What follows the broken link is lost, the rest of the cache works on. */
static void test_list_cut_off(void)
{
	void *objs[200];

	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_shrink(cache);
	((u32 *)victim)[1] ^= 0x10000;
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		CHECK(objs[i] = kmem_cache_alloc(cache, GFP_KERNEL));
	CHECK_LOG("slub: BUG in broken: the free list of a slab leads to what is no free object of it");
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		kmem_cache_free(cache, objs[i]);
	CHECK(kmem_cache_check());
}

/* A link to an address in an object, which has what marks an object free there, is none. */
static void try_list_into_object(size_t size)
{
	struct kmem_cache *inner = kmem_cache_create("inner", size, 0, SLAB_NO_MERGE, NULL);
	char *objs[5], *into, *base;
	u32 *word;

	for (size_t i = 0; i < ARRAY_SIZE(objs); i++)
		CHECK(objs[i] = kmem_cache_alloc(inner, GFP_KERNEL));
	kmem_cache_free(inner, objs[1]);
	kmem_cache_free(inner, objs[3]);
	kmem_cache_shrink(inner);
	into = objs[2] + 16;
	base = page_address(slab_of(into));
	*(u32 *)(void *)into = free_mark(into);
	word = slab_of(into)->freelist;
	word[1] = ((u32)(into - base) + 1) ^ inner->key;
	host_clock_skip(10000000000);
	host_log_clear();
	CHECK(kmem_cache_alloc(inner, GFP_KERNEL) == (void *)word);
	CHECK_LOG("slub: BUG in inner: the free list of a slab leads to what is no free object of it");
	objs[1] = kmem_cache_alloc(inner, GFP_KERNEL);
	CHECK(objs[1] && objs[1] != into);
	CHECK_EQ(*(u32 *)(void *)into, free_mark(into));
	host_check();
}

static void test_list_into_object(void)
{
	boot();
	host_mute();
	try_list_into_object(64);
	try_list_into_object(96);
	try_list_into_object(1024);
}

/* It was freed on two CPUs, so this one is handed what the free list has too. */
static void test_handed_out_twice(void)
{
	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_shrink(cache);
	force_onto_stack(0, victim);
	CHECK(kmem_cache_alloc(cache, GFP_KERNEL));
}

static void test_broken_link(void)
{
	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_shrink(cache);
	((u32 *)victim)[1] ^= 0x10000;
	kmem_cache_free(cache, kept);
}

/* Written over by whoever had it before: the object that a stack holds is none. */
static void test_no_object(void)
{
	boot();
	force_onto_stack(0, (char *)victim + 8);
	CHECK(kmem_cache_alloc(cache, GFP_KERNEL));
}

static void test_check_one_stack(void)
{
	boot();
	kmem_cache_free(cache, victim);
	CHECK(kmem_cache_check());
	force_onto_stack(0, victim);
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: broken: CPU 0: 0x[0-9a-f]+ on its stack is on CPU 0's stack too: freed twice");
}

static void test_check_two_stacks(void)
{
	boot();
	kmem_cache_free(cache, victim);
	force_onto_stack(3, victim);
	CHECK(!kmem_cache_check());
	CHECK_LOG("slab check: broken: CPU 3: 0x[0-9a-f]+ on its stack is on CPU 0's stack too: freed twice");
}

/* Two stacks full of objects of which none is there twice. */
static void test_check_full_stacks(void)
{
	void *objs[100];

	boot();
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		force_onto_stack(i % 2 ? 1 : 2, objs[i]);
	CHECK(kmem_cache_check());
	kmem_cache_free(cache, victim);
	kmem_cache_free(cache, kept);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE_IF(HARDENED, CHECKED, "freed twice: on this CPU's stack", test_freed_twice_on_stack),
	TAP_CASE_IF(HARDENED, CHECKED, "freed twice: on another CPU's stack", test_freed_on_another_cpu),
	TAP_CASE_IF(HARDENED, CHECKED, "freed twice: in the slab's list", test_freed_twice_in_slab),
	TAP_CASE("no false alarm: the mark written by the object's user", test_written_mark),
	TAP_CASE_IF(HARDENED, CHECKED, "a list that leads nowhere is cut off", test_list_cut_off),
	TAP_CASE_IF(HARDENED, CHECKED, "a list that leads into an object is cut off", test_list_into_object),
	TAP_PANICS_IF(DEBUGGED, "with CONFIG_MM_DEBUG", "handed out and still in the slab's list",
		      test_handed_out_twice,
		      "panic: kmem_cache_alloc: broken: object .* is free still: in the list of its slab at pfn 0x"),
	TAP_PANICS_IF(
		DEBUGGED, "with CONFIG_MM_DEBUG", "a link that was written over", test_broken_link,
		"panic: kmem_cache_free: broken: the free list of the slab at pfn 0x[0-9a-f]+ leads to 0x[0-9a-f]+,"),
	TAP_PANICS_IF(DEBUGGED, "with CONFIG_MM_DEBUG", "an address that begins no object", test_no_object,
		      "panic: kmem_cache_alloc: broken: object .* is not the beginning of an object"),
	TAP_CASE("kmem_cache_check(): twice on a stack", test_check_one_stack),
	TAP_CASE("kmem_cache_check(): on two stacks", test_check_two_stacks),
	TAP_CASE("kmem_cache_check(): once on each of many places", test_check_full_stacks),
};
TAP_MAIN(cases)
