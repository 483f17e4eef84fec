// SPDX-License-Identifier: BSD-2-Clause
/*
 * memblock's calls.
 *
 * 1. memblock has retired by the time there is a prompt: its arrays are swapped for private ones for the time of the
 *    measurement. Nobody else looks at memblock.
 * 2. Of the memory that they describe the end is real, a block of the page allocator's. All allocations are top-down
 *    and come from there, so those that are zeroed may be written. The rest is only numbers: nothing is read or written
 *    there.
 * 3. The layout and the order of calls are those of Linux's measurement: 256 allocations, freed again, 256 that are
 *    zeroed and 256 small ones that stay, reservations 128 KiB apart in ascending order below them, then allocations
 *    among them.
 */
#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/page.h>
#include <string.h>

#include "bench.h"

#define REGIONS 256
#define SMALL	64
#define MEMORY	(1ULL << 30)
#define SPACING 0x20000ULL
#define POISON	0xa5
/* What stays allocated, zeroed, at the end of memory; the most that is allocated at a time. */
#define ZEROED	  (REGIONS * (PAGE_SIZE + SMALL))
#define ALLOCATED (ZEROED + REGIONS * PAGE_SIZE)

_Static_assert(ALLOCATED <= PAGEBLOCK_SIZE, "what is allocated is real");

static struct memblock_region memory_array[REGIONS], reserved_array[2 * REGIONS];
static phys_addr_t place[REGIONS];
static phys_addr_t first; /* of the places that are reserved 128 KiB apart */

/* Memory ends at @end. */
static void few_regions(phys_addr_t end)
{
	phys_addr_t base = end - MEMORY;

	first = base + MEMORY / 4;
	memset(memory_array, 0, sizeof(memory_array));
	memset(reserved_array, 0, sizeof(reserved_array));
	memblock = (struct memblock){
		.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
		.memory = { .max = ARRAY_SIZE(memory_array), .regions = memory_array, .name = "memory" },
		.reserved = { .max = ARRAY_SIZE(reserved_array), .regions = reserved_array, .name = "reserved" },
	};
	memblock_add_node(base, MEMORY, 0, MEMBLOCK_NONE);
	for (unsigned int i = 0; i < 4; i++)
		memblock_reserve(base + 2 * MEMORY / 64 * i + SPACING, SPACING);
}

static void reserve_spaced(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		memblock_reserve(first + i * SPACING, PAGE_SIZE);
}

static void free_spaced(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_phys_free(first + i * SPACING, PAGE_SIZE);
}

static void allocate(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		place[i] = memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void allocate_zeroed(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void allocate_small(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_alloc(SMALL, SMALL);
}

static void reserve_to_64(unsigned int n)
{
	reserve_spaced(0, n);
}

static void reserve_64_to_256(unsigned int n)
{
	reserve_spaced(REGIONS - n, REGIONS);
}

/* The dearest place: nearly all regions lie behind it. */
static void reserve_low(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		memblock_reserve(first + i * SPACING + 2 * PAGE_SIZE, PAGE_SIZE);
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

static bool all_zero(const u8 *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* @block, the end of memory, is poisoned. */
static void measure(u8 *block)
{
	few_regions(__pa(block) + PAGEBLOCK_SIZE);
	report_calls("memblock_alloc_4k", allocate, REGIONS);
	report_calls("memblock_free_4k", free_allocated, REGIONS);
	report_calls("memblock_alloc_4k_zeroed", allocate_zeroed, REGIONS);
	report_calls("memblock_alloc_64_zeroed", allocate_small, REGIONS);
	if (!all_zero(block + PAGEBLOCK_SIZE - ZEROED, ZEROED))
		bench_fail("memblock_alloc_4k_zeroed", "the end of memory is not allocated and zero");
	report_calls("memblock_reserve_64", reserve_to_64, 64);
	report_calls("memblock_reserve_64_to_256", reserve_64_to_256, REGIONS - 64);
	report_calls("memblock_alloc_4k_256_regions", allocate, 64);
	free_allocated(64);
	report_calls("memblock_reserve_low", reserve_low, 64);
	report_calls("memblock_free_low", free_spaced, 64);
}

void bench_memblock(void)
{
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER);
	const struct memblock live = memblock;

	if (block && page_to_phys(block) + PAGEBLOCK_SIZE >= MEMORY) {
		memset(page_address(block), POISON, PAGEBLOCK_SIZE);
		measure(page_address(block));
		memblock = live;
	} else {
		bench_fail("memblock", "no block of 4 MiB is free, or it lies too low");
	}
	if (block)
		__free_pages(block, MAX_PAGE_ORDER);
}
