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

#define MIB (1ULL << 20)

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
	struct kmem_cache_cpu *stack = per_cpu_ptr(cache->cpu, cpu);

	stack->object[stack->count++] = obj;
}

static void test_freed_twice_on_stack(void)
{
	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_free(cache, victim);
}

static void test_freed_twice_in_slab(void)
{
	boot();
	kmem_cache_free(cache, victim);
	kmem_cache_shrink(cache);
	kmem_cache_free(cache, victim);
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
	*free_link(cache, victim) = (char *)kept + 8;
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
	TAP_PANICS("freed twice, on this CPU's stack", test_freed_twice_on_stack,
		   "panic: kmem_cache_free: broken: object 0x[0-9a-f]+ is free already: on the stack of CPU 0, "),
	TAP_PANICS("freed twice, in the slab's list", test_freed_twice_in_slab,
		   "panic: kmem_cache_free: broken: object .* is free already: in the list of its slab at pfn 0x"),
	TAP_PANICS("handed out and still in the slab's list", test_handed_out_twice,
		   "panic: kmem_cache_alloc: broken: object .* is free still: in the list of its slab at pfn 0x"),
	TAP_PANICS("a link that was written over", test_broken_link,
		   "panic: kmem_cache_free: broken: the free list of the slab at pfn 0x[0-9a-f]+ leads to 0x[0-9a-f]+,"),
	TAP_PANICS("an address that begins no object", test_no_object,
		   "panic: kmem_cache_alloc: broken: object .* is not the beginning of an object"),
	TAP_CASE("kmem_cache_check(): twice on a stack", test_check_one_stack),
	TAP_CASE("kmem_cache_check(): on two stacks", test_check_two_stacks),
	TAP_CASE("kmem_cache_check(): once on each of many places", test_check_full_stacks),
};
TAP_MAIN(cases)
