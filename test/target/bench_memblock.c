// SPDX-License-Identifier: BSD-2-Clause
/*
 * `bench memblock` at the prompt: what memblock's calls cost.
 *
 * 1. Figures are ticks of the cycle counter in nanoseconds. Under `-icount shift=0,sleep=off` a nanosecond is an
 *    instruction of the guest, and the figures are exact; run it as
 *	echo 'bench memblock' | SMP=1 QEMU_ARGS='-icount shift=0,sleep=off' make run
 * 2. memblock has retired by then: the arrays are swapped for private ones for the time of a measurement, with memory
 *    that is only numbers. Nothing is read or written there, and nobody else looks at memblock.
 * 3. The layout and the order of calls are those of Linux's measurement: 256 allocations top-down, reservations 128 KiB
 *    apart in ascending order below them, then allocations among them. Budget and Linux 6.12's figure stand beside ours.
 */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/port.h>
#include <string.h>

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

static u64 since(u64 start, unsigned int n)
{
	return (arch_clock_ns() - start) / n;
}

static void report(const char *what, u64 cost, unsigned int budget, unsigned int linux_cost)
{
	con_printf("%-44s %6llu", what, cost);
	if (budget)
		con_printf(" %8u %8u  %s", budget, linux_cost, cost <= budget ? "" : "over budget");
	con_printf("\n");
}

static void measure(void)
{
	u64 start, cost;

	few_regions();
	start = arch_clock_ns();
	allocate(REGIONS);
	cost = since(start, REGIONS);
	report("allocate 4 KiB, few regions", cost, 400, 2007);
	start = arch_clock_ns();
	free_allocated(REGIONS);
	cost = since(start, REGIONS);
	report("free 4 KiB, few regions", cost, 0, 0);
	reserve_spaced(0, 64);
	start = arch_clock_ns();
	reserve_spaced(64, REGIONS);
	cost = since(start, REGIONS - 64);
	report("reserve, 64 to 256 regions, ascending", cost, 700, 3580);
	start = arch_clock_ns();
	allocate(64);
	cost = since(start, 64);
	report("allocate 4 KiB, 256 regions", cost, 1200, 7065);
	free_allocated(64);
	start = arch_clock_ns();
	reserve_low(64);
	cost = since(start, 64);
	report("reserve below 192 of 256 regions, all moved", cost, 0, 0);
	start = arch_clock_ns();
	free_spaced(64);
	cost = since(start, 64);
	report("free one of 256 regions, lowest first", cost, 0, 0);
}

static int cmd_bench(int argc, char **argv)
{
	struct memblock live = memblock;

	if (argc != 2 || strcmp(argv[1], "memblock") != 0) {
		con_printf("usage: bench memblock\n");
		return -EINVAL;
	}
	con_printf("%-44s %6s %8s %8s\n", "", "ns", "budget", "Linux");
	measure();
	memblock = live;
	return 0;
}
MONITOR_CMD(bench, "memblock", "what memblock's calls cost, in ns (instructions under -icount)", cmd_bench);
