// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's calls.
 *
 * 1. memblock has retired by the time there is a prompt: its arrays are swapped for private ones for the time of the
 *    measurement, with memory that is only numbers. Nothing is read or written there, and nobody else looks at memblock. What
 *    is zeroed lies in a block of the page allocator.
 * 2. The layout and the order of calls are those of Linux's measurement: 256 allocations top-down, reservations 128 KiB
 *    apart in ascending order below them, then allocations among them.
 */
#include <mm/gfp.h>
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

static void few_regions(phys_addr_t base, phys_addr_t size)
{
	memset(memory_array, 0, sizeof(memory_array));
	memset(reserved_array, 0, sizeof(reserved_array));
	memblock = (struct memblock){
		.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
		.memory = { .max = ARRAY_SIZE(memory_array), .regions = memory_array, .name = "memory" },
		.reserved = { .max = ARRAY_SIZE(reserved_array), .regions = reserved_array, .name = "reserved" },
	};
	memblock_add_node(base, size, 0, MEMBLOCK_NONE);
	for (unsigned int i = 0; i < 4; i++)
		memblock_reserve(base + 2 * size / 64 * i + PAGE_SIZE, PAGE_SIZE);
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

static void allocate_zeroed(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		place[i] = __pa(memblock_alloc(PAGE_SIZE, PAGE_SIZE));
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

static void reserve_first(unsigned int n)
{
	reserve_spaced(0, n);
}

static void reserve_rest(unsigned int n)
{
	reserve_spaced(REGIONS - n, REGIONS);
}

/* In memory that is there: the pages are taken from the top, the reservations lie in the lower half. */
static void zeroed_row(void)
{
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER);

	if (!block) {
		bench_fail("memblock_alloc_4k_zeroed", "there is no block of the largest order");
		return;
	}
	few_regions(page_to_phys(block), PAGE_SIZE << MAX_PAGE_ORDER);
	report_calls("memblock_alloc_4k_zeroed", allocate_zeroed, REGIONS);
	__free_pages(block, MAX_PAGE_ORDER);
}

void bench_memblock(void)
{
	struct memblock live = memblock;

	zeroed_row();
	few_regions(BASE, MEMORY);
	report_calls("memblock_alloc_4k", allocate, REGIONS);
	report_calls("memblock_free_4k", free_allocated, REGIONS);
	report_calls("memblock_reserve_64", reserve_first, 64);
	report_calls("memblock_reserve_64_to_256", reserve_rest, REGIONS - 64);
	report_calls("memblock_alloc_4k_256_regions", allocate, 64);
	free_allocated(64);
	report_calls("memblock_reserve_low", reserve_low, 64);
	report_calls("memblock_free_low", free_spaced, 64);
	memblock = live;
}
