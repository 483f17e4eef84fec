// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock in the simulator: as a program that knows memblock's names and nothing else of ours would test it.
 *
 * 1. The arena is a buffer of libc's, added with memblock_add(): physical memory is real memory, and what an allocation
 *    returns can be read and written.
 * 2. Between scenarios memblock is put back by assigning its fields (begin()), the way such tests do, not by a function
 *    of ours: whatever state hides elsewhere must not matter.
 * 3. In the pictures `=` is memory, `#` is reserved, `.` is neither; addresses grow to the right.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mm/memblock.h>

#include "regions.h"
#include "tap.h"

#define ARENA_SIZE  (16 * MIB)
#define ARENA_ALIGN (2 * MIB)

static char *arena;

static void begin_type(struct memblock_type *type, unsigned long max, const char *name)
{
	memset(type->regions, 0, type->cnt * sizeof(*type->regions));
	type->cnt = 0;
	type->max = max;
	type->total_size = 0;
	type->name = name;
}

static void begin(void)
{
	if (!arena)
		arena = aligned_alloc(ARENA_ALIGN, ARENA_SIZE);
	CHECK(arena);
	begin_type(&memblock.memory, INIT_MEMBLOCK_REGIONS, "memory");
	begin_type(&memblock.reserved, INIT_MEMBLOCK_RESERVED_REGIONS, "reserved");
	begin_type(&physmem, INIT_PHYSMEM_REGIONS, "physmem");
	memblock.bottom_up = false;
	memblock.current_limit = MEMBLOCK_ALLOC_ANYWHERE;
}

static phys_addr_t base(void)
{
	return (phys_addr_t)(uintptr_t)arena;
}

/* The whole arena is memory, full of rubbish. */
static void begin_with_memory(void)
{
	begin();
	memset(arena, 0xa5, ARENA_SIZE);
	CHECK_EQ(memblock_add(base(), ARENA_SIZE), 0);
}

/* The arena in four nodes of four MiB. */
static void begin_with_nodes(void)
{
	begin();
	for (int nid = 0; nid < 4; nid++)
		CHECK_EQ(memblock_add_node(base() + (phys_addr_t)nid * 4 * MIB, 4 * MIB, nid, MEMBLOCK_NONE), 0);
}

static bool all_bytes(const char *p, size_t n, char value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void test_names(void)
{
	CHECK_EQ(memblock.memory.cnt, 0);
	CHECK_EQ(memblock.memory.max, INIT_MEMBLOCK_MEMORY_REGIONS);
	CHECK_EQ(memblock.reserved.max, INIT_MEMBLOCK_RESERVED_REGIONS);
	CHECK_EQ(physmem.max, INIT_PHYSMEM_REGIONS);
	CHECK_EQ(INIT_MEMBLOCK_REGIONS, 128);
	CHECK_EQ(memblock.current_limit, MEMBLOCK_ALLOC_ANYWHERE);
	CHECK_EQ(PHYS_ADDR_MAX, ~0ULL);
	CHECK(!strcmp(memblock.memory.name, "memory") && !strcmp(memblock.reserved.name, "reserved"));
	CHECK(!strcmp(physmem.name, "physmem"));
	CHECK(!memblock.bottom_up && !memblock_bottom_up());
}

/*
 *	[======================##]	memory that can be written, zeroed before
 */
static void test_alloc_is_memory(void)
{
	char *p, *raw;

	begin_with_memory();
	p = memblock_alloc(64 * KIB, SMP_CACHE_BYTES);
	CHECK(p == arena + ARENA_SIZE - 64 * KIB);
	CHECK(all_bytes(p, 64 * KIB, 0) && all_bytes(p - KIB, KIB, (char)0xa5));
	memset(p, 1, 64 * KIB);
	raw = memblock_alloc_raw(KIB, SMP_CACHE_BYTES);
	CHECK(raw == p - KIB && all_bytes(raw, KIB, (char)0xa5));
	CHECK_REGIONS(reserved, K(base() + ARENA_SIZE - 65 * KIB, 65 * KIB));
	memblock_free(raw, KIB);
	CHECK_EQ(memblock.reserved.total_size, 64 * KIB);
	memblock_set_bottom_up(true);
	CHECK(memblock_alloc(16, 0) == arena);
}

/*
 *	 asked of node 1, which is full:   [0===][1###][2===][3===]
 *	                                                        ^ any node, from the top
 */
static void test_nodes(void)
{
	begin_with_nodes();
	CHECK(memblock_alloc_node(3 * MIB, SMP_CACHE_BYTES, 1) == arena + 5 * MIB);
	CHECK_REGIONS(reserved, R(base() + 5 * MIB, 3 * MIB, MEMBLOCK_RSRV_KERN, 1));
	/* Of one node and one kind: they join. */
	CHECK(memblock_alloc_try_nid(MIB / 2, SMP_CACHE_BYTES, 0, MEMBLOCK_ALLOC_ACCESSIBLE, 1) ==
	      arena + 5 * MIB - MIB / 2);
	CHECK_EQ(__memblock_reserve(base() + 4 * MIB, MIB / 4, 1, MEMBLOCK_RSRV_KERN), 0);
	CHECK_REGIONS(reserved, R(base() + 4 * MIB, MIB / 4, MEMBLOCK_RSRV_KERN, 1),
		      R(base() + 5 * MIB - MIB / 2, 3 * MIB + MIB / 2, MEMBLOCK_RSRV_KERN, 1));
	CHECK(!memblock_alloc_exact_nid_raw(MIB, SMP_CACHE_BYTES, 0, MEMBLOCK_ALLOC_ACCESSIBLE, 1));
	CHECK(memblock_alloc_try_nid_raw(MIB, SMP_CACHE_BYTES, 0, MEMBLOCK_ALLOC_ACCESSIBLE, 1) == arena + 15 * MIB);
	CHECK_EQ(memblock_get_region_node(&memblock.reserved.regions[memblock.reserved.cnt - 1]), NUMA_NO_NODE);
	/* A number that is no node is any node. */
	CHECK(memblock_alloc_try_nid_raw(MIB, SMP_CACHE_BYTES, 0, MEMBLOCK_ALLOC_ACCESSIBLE, MAX_NUMNODES) ==
	      arena + 14 * MIB);
}

/*
 *	min_addr below everything, within, above everything; max_addr likewise
 */
static void test_min_and_max(void)
{
	begin_with_memory();
	CHECK(memblock_alloc_try_nid(MIB, SMP_CACHE_BYTES, base() - MIB, base() + 3 * MIB, NUMA_NO_NODE) ==
	      arena + 2 * MIB);
	CHECK(!memblock_alloc_try_nid(MIB, SMP_CACHE_BYTES, base() - MIB, base() + MIB / 2, NUMA_NO_NODE));
	CHECK(memblock_alloc_from(MIB, SMP_CACHE_BYTES, base() + ARENA_SIZE) == arena + ARENA_SIZE - MIB);
	CHECK(memblock_alloc_from(MIB, SMP_CACHE_BYTES, base() + 4 * MIB) == arena + ARENA_SIZE - 2 * MIB);
	memblock_set_bottom_up(true);
	CHECK(memblock_alloc_from(MIB, SMP_CACHE_BYTES, base() + 4 * MIB) == arena + 4 * MIB);
	CHECK(memblock_alloc_try_nid(MIB, SMP_CACHE_BYTES, base() + 4 * MIB, base() + 5 * MIB, NUMA_NO_NODE) == arena);
	/* Nothing of the arena is low. */
	CHECK(base() < ARCH_LOW_ADDRESS_LIMIT || !memblock_alloc_low(MIB, SMP_CACHE_BYTES));
}

/* The pointers' limit is the lower of the two; a physical request's is what it says. */
static void test_current_limit(void)
{
	begin_with_memory();
	memblock_set_current_limit(base() + 8 * MIB);
	CHECK(memblock_alloc(MIB, MIB) == arena + 7 * MIB);
	CHECK(memblock_alloc_try_nid(MIB, MIB, 0, base() + 12 * MIB, NUMA_NO_NODE) == arena + 6 * MIB);
	CHECK(memblock_alloc_try_nid(MIB, MIB, 0, MEMBLOCK_ALLOC_NOLEAKTRACE, NUMA_NO_NODE) == arena + 5 * MIB);
	CHECK_EQ(memblock_phys_alloc(MIB, MIB), base() + 4 * MIB);
	CHECK_EQ(memblock_phys_alloc_range(MIB, MIB, 0, base() + 12 * MIB), base() + 11 * MIB);
	CHECK_EQ(memblock_phys_alloc_range(MIB, MIB, 0, MEMBLOCK_ALLOC_ANYWHERE), base() + 15 * MIB);
}

#define STEP (16 * KIB)

/*
 *	 0   1           p           128
 *	[#]=[#]=  ...  =[?]=  ...  =[#]==============	[?] comes last: the array moves to the top of the arena
 */
static void test_129th_everywhere(void)
{
	struct memblock_region *first = memblock.reserved.regions;
	phys_addr_t array = ALIGN(2UL * INIT_MEMBLOCK_REGIONS * sizeof(*first), PAGE_SIZE);

	for (unsigned long p = 0; p <= INIT_MEMBLOCK_REGIONS; p++) {
		begin_with_memory();
		memblock_allow_resize();
		for (unsigned long i = 0; i <= INIT_MEMBLOCK_REGIONS; i++)
			if (i != p)
				CHECK_EQ(memblock_reserve(base() + i * STEP, STEP / 2), 0);
		CHECK_EQ(memblock.reserved.cnt, memblock.reserved.max);
		CHECK_EQ(memblock_reserve(base() + p * STEP, STEP / 2), 0);
		CHECK_EQ(memblock.reserved.cnt, INIT_MEMBLOCK_REGIONS + 2);
		CHECK_EQ(memblock.reserved.max, 2 * INIT_MEMBLOCK_REGIONS);
		CHECK_EQ(memblock.reserved.total_size, (INIT_MEMBLOCK_REGIONS + 1) * STEP / 2 + array);
		CHECK(memblock.reserved.regions != first);
		CHECK((char *)memblock.reserved.regions == arena + ARENA_SIZE - array);
		CHECK_EQ(memblock.reserved.regions[p].base, base() + p * STEP);
		CHECK(memblock_check());
		memblock.reserved.regions = first;
		memblock.reserved.cnt = INIT_MEMBLOCK_RESERVED_REGIONS;
	}
}

/* `physmem` grows out of its four regions too; what it holds changes nothing else. */
static void test_physmem(void)
{
	phys_addr_t from, to;
	unsigned int n = 0;
	u64 i;

	begin_with_memory();
	memblock_allow_resize();
	for (unsigned int r = 0; r < 6; r++)
		CHECK_EQ(memblock_physmem_add((2 * r + 1) * GIB, GIB), 0);
	CHECK_EQ(physmem.cnt, 6);
	CHECK_EQ(physmem.max, 2 * INIT_PHYSMEM_REGIONS);
	CHECK_EQ(memblock_phys_mem_size(), ARENA_SIZE);
	for_each_physmem_range(i, NULL, &from, &to) {
		CHECK_EQ(from, (2 * n++ + 1) * GIB);
		CHECK_EQ(to, from + GIB);
	}
	CHECK_EQ(n, 6);
	CHECK_EQ(memblock_reserve(GIB, GIB / 2), 0);
	CHECK_EQ(memblock_reserve(3 * GIB, GIB), 0);
	n = 0;
	for_each_physmem_range(i, &memblock.reserved, &from, &to)
		CHECK(n++ || (from == GIB + GIB / 2 && to == 2 * GIB));
	CHECK_EQ(n, 5);
	CHECK(memblock_check());
}

static void alloc_too_much(void)
{
	begin_with_memory();
	CHECK(memblock_alloc_or_panic(MIB, 0) == arena + ARENA_SIZE - MIB);
	memblock_alloc_or_panic(ARENA_SIZE, 0);
}

static void fill_for_good(void)
{
	begin_with_memory();
	for (unsigned long i = 0; i <= INIT_MEMBLOCK_REGIONS; i++)
		CHECK_EQ(memblock_add(i * STEP, STEP / 2), 0);
}

static const struct tap_case cases[] = {
	TAP_CASE("names and sizes at the start", test_names),
	TAP_CASE("what is allocated is memory", test_alloc_is_memory),
	TAP_CASE("nodes, and what a reservation says of them", test_nodes),
	TAP_CASE("min_addr and max_addr", test_min_and_max),
	TAP_CASE("current_limit", test_current_limit),
	TAP_CASE("the 129th reservation at every position", test_129th_everywhere),
	TAP_CASE("physmem", test_physmem),
	TAP_PANICS(
		"alloc_or_panic says who, what, and how full memory is", alloc_too_much,
		"panic: alloc_too_much: Failed to allocate 16777216 bytes .*: 1048576 of 16777216 bytes of memory reserved"),
	TAP_PANICS("a full array says so", fill_for_good, "panic: memblock: memory: 128 of 128 regions"),
};
TAP_MAIN(cases)
