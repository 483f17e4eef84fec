// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's calls.
 *
 * 1. memblock has retired by the time there is a prompt: its arrays are swapped for private ones for the time of the
 *    measurement, with memory that is only numbers. Nothing is read or written there, and nobody else looks at memblock.
 * 2. The layout and the order of calls are those of Linux's measurement: 256 allocations top-down, reservations 128 KiB
 *    apart in ascending order below them, then allocations among them.
 */
#include <mm/memblock.h>
#include <string.h>

#include "bench.h"

#define REGIONS 256
#define MEMORY	(1ULL << 30)
#define BASE	(1ULL << 30)
#define SPACING 0x20000ULL
#define FIRST	(BASE + MEMORY / 4)

static struct memblock_region memory_array[REGIONS], reserved_array[2 * REGIONS];
static phys_addr_t place[REGIONS];

static void few_regions(void)
{
	memset(memory_array, 0, sizeof(memory_array));
	memset(reserved_array, 0, sizeof(reserved_array));
	memblock = (struct memblock){
		.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
		.memory = { .max = ARRAY_SIZE(memory_array), .regions = memory_array, .name = "memory" },
		.reserved = { .max = ARRAY_SIZE(reserved_array), .regions = reserved_array, .name = "reserved" },
	};
	memblock_add_node(BASE, MEMORY, 0, MEMBLOCK_NONE);
	for (unsigned int i = 0; i < 4; i++)
		memblock_reserve(BASE + 2 * MEMORY / 64 * i + SPACING, SPACING);
}

static void reserve_spaced(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		memblock_reserve(FIRST + i * SPACING, PAGE_SIZE);
}

static void free_spaced(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_phys_free(FIRST + i * SPACING, PAGE_SIZE);
}

static void allocate(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		place[i] = memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
}

/* The dearest place: nearly all regions lie behind it. */
static void reserve_low(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_reserve(FIRST + i * SPACING + 2 * PAGE_SIZE, PAGE_SIZE);
}

static void free_allocated(unsigned int n)
{
	for (unsigned int i = n; i-- > 0;)
		memblock_phys_free(place[i], PAGE_SIZE);
}

static void report_calls(const char *row, void (*calls)(unsigned int n), unsigned int n)
{
	u64 start, taken;

	bench_begin(row);
	start = get_cycles();
	calls(n);
	taken = get_cycles() - start;
	bench_end(row);
	bench_report(row, taken, n);
}

static void reserve_64_to_256(unsigned int n)
{
	reserve_spaced(REGIONS - n, REGIONS);
}

void bench_memblock(void)
{
	struct memblock live = memblock;

	few_regions();
	report_calls("memblock_alloc_4k", allocate, REGIONS);
	report_calls("memblock_free_4k", free_allocated, REGIONS);
	reserve_spaced(0, 64);
	report_calls("memblock_reserve_64_to_256", reserve_64_to_256, REGIONS - 64);
	report_calls("memblock_alloc_4k_256_regions", allocate, 64);
	free_allocated(64);
	report_calls("memblock_reserve_low", reserve_low, 64);
	report_calls("memblock_free_low", free_spaced, 64);
	memblock = live;
}
