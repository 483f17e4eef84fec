// SPDX-License-Identifier: BSD-2-Clause
/*
 * The test of RAM before it is used (contract: <mm/memtest.h>).
 *
 * 1. Before hand-over memblock's free ranges are memory that nobody uses: what is tested is all whole pages of them,
 *    and nothing else. memblock's arrays do not change meanwhile, so every CPU may walk them.
 * 2. N patterns take N + 1 passes. Pass k checks pattern k - 1 and writes pattern k: between writing a word and reading
 *    it all other memory is written, so a write that lands elsewhere too, at a lower or a higher address, is seen when
 *    the elsewhere is read. The first pass only writes, the last one only reads.
 * 3. A pass is cut into chunks of 128 KiB, numbered through all free ranges. CPUs draw numbers from one atomic counter,
 *    and the numbers that one CPU draws rise, so it walks the ranges once per pass. A chunk fits a CPU's share of the
 *    second-level cache: it is read once and written once. The end of a pass is a barrier.
 * 4. What is written only to a cache proves nothing of memory: a chunk that was written is cleaned and invalidated to
 *    the point of coherency (arch_sync_memory()), and so is read from memory in the next pass.
 * 5. Other CPUs work in their idle loops (lib/smp.h). The boot CPU does its share, prints a line for each pattern and,
 *    while a pass takes long, one every PROGRESS_NS.
 * 6. In the end the boot CPU merges all tables and reserves the bad ranges. Reserving may make memblock's array or the
 *    table of claims grow: as long as bad ranges are not reserved yet, memblock is told not to place anything in them.
 */
#include "internal.h"

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/bootargs.h>
#include <mm/memblock.h>
#include <mm/memtest.h>
#include <mm/mmzone.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <stdlib.h>

#include "memtest.h"

#define CHUNK_SIZE  (128UL << 10)
#define PROGRESS_NS 5000000000ULL

/* What was asked for. */
static unsigned int nr_patterns;
static u64 seed;
static bool seed_given;

/*
 * The pass that runs; written by the boot CPU between passes. check and write are NULL where a pass does not do that.
 * Letter: (a) atomic.
 */
static struct {
	const struct memtest_pattern *check, *write;
	unsigned int number;
	u64 cursor; /* (a) the next chunk to be drawn */
	u64 nr_chunks;
	u64 next_line_ns;
	int boot_cpu;
} pass;

static struct bad_table *tables[CONFIG_NR_CPUS];

/* "N" or "N,SEED". */
static bool parse_argument(const char *text)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	n = strtoul(text, &end, 0);
	if (*end == ',' && end[1]) {
		seed = strtoull(end + 1, &end, 0);
		seed_given = true;
	}
	if (*end || n > MEMTEST_MAX_PATTERNS)
		return false;
	nr_patterns = (unsigned int)n;
	return true;
}

void memtest_setup(const char *args)
{
	char value[64];

	if (!bootarg_value(args, "memtest", value, sizeof(value)))
		return;
	if (!parse_argument(value))
		printk("memtest: memtest=%s is not a number of patterns from 0 to %d: memory is not tested\n", value,
		       MEMTEST_MAX_PATTERNS);
	else
		memtest_fault_args(args);
}

/* --- One pass, on every CPU --- */

static u64 draw_chunk(void)
{
	return fetch_add64(&pass.cursor, 1);
}

static void print_progress(void)
{
	u64 now = arch_clock_ns(), done = min(READ_ONCE(pass.cursor), pass.nr_chunks);

	if (now < pass.next_line_ns)
		return;
	pass.next_line_ns = now + PROGRESS_NS;
	printk("memtest: %llu%% done\n",
	       100 * (pass.number * pass.nr_chunks + done) / ((nr_patterns + 1ULL) * pass.nr_chunks));
}

static void test_chunk(phys_addr_t base, phys_addr_t end, struct bad_table *bad)
{
	u64 *words = __va(base);

	if (pass.check)
		memtest_verify(pass.check, words, end - base, bad);
	if (!pass.write)
		return;
	memtest_fill(pass.write, words, end - base);
	arch_sync_memory(words, end - base);
	memtest_apply_faults(base, end - base);
}

/* All that this CPU draws until the pass is over. */
static void test_chunks(void *unused)
{
	struct bad_table *bad = tables[smp_processor_id()];
	u64 chunk = draw_chunk(), first = 0;
	phys_addr_t from, to;
	u64 i;

	(void)unused;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		from = PFN_PHYS(PFN_UP(from));
		to = max(from, PFN_PHYS(PFN_DOWN(to)));
		for (; from + (chunk - first) * CHUNK_SIZE < to; chunk = draw_chunk()) {
			phys_addr_t base = from + (chunk - first) * CHUNK_SIZE;

			test_chunk(base, min(base + CHUNK_SIZE, to), bad);
			bad->chunks++;
			if (smp_processor_id() == pass.boot_cpu)
				print_progress();
		}
		first += DIV_ROUND_UP(to - from, CHUNK_SIZE);
	}
}

static void run_pass(const struct memtest_pattern *check, const struct memtest_pattern *write)
{
	int cpu;

	pass.check = check;
	pass.write = write;
	WRITE_ONCE(pass.cursor, 0);
	for_each_online_cpu(cpu)
		if (cpu != pass.boot_cpu && smp_work_start(cpu, test_chunks, NULL))
			printk("memtest: CPU%d has other work: not used\n", cpu);
	test_chunks(NULL);
	for_each_online_cpu(cpu)
		if (cpu != pass.boot_cpu)
			smp_work_wait(cpu);
}

static void run_patterns(void)
{
	struct memtest_pattern last, next;

	for (unsigned int n = 0; n <= nr_patterns; n++) {
		pass.number = n;
		if (n < nr_patterns) {
			next = memtest_pattern(n, seed);
			printk("memtest: pattern %u of %u: %s\n", n + 1, nr_patterns, next.name);
		}
		run_pass(n ? &last : NULL, n < nr_patterns ? &next : NULL);
		last = next;
	}
}

/* --- What it found --- */

static phys_addr_t claimed_bad(phys_addr_t base, phys_addr_t end)
{
	return bad_lowest(tables[pass.boot_cpu], base, end);
}

/* The first free bytes within [*from, *to). */
static bool first_free_part(phys_addr_t *from, phys_addr_t *to)
{
	phys_addr_t start, end;
	u64 i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL) {
		start = max(start, *from);
		end = min(end, *to);
		if (start < end) {
			*from = start;
			*to = end;
			return true;
		}
	}
	return false;
}

/* What of [base, end) is in use stays whose it is. Return: bytes reserved. */
static phys_addr_t reserve_free_parts(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t from = base, to = end, sum = 0;

	while (first_free_part(&from, &to)) {
		if (memblock_reserve(from, to - from))
			panic("memtest: bad [mem 0x%016llx-0x%016llx] cannot be reserved: no memory for the array",
			      from, to - 1);
		claim_add(&(struct mem_claim){ from, to - from, CLAIM_RESERVED, -1, NUMA_NO_NODE, "bad RAM", -1 });
		sum += to - from;
		from = to;
		to = end;
	}
	return sum;
}

static phys_addr_t reserve_bad(const struct bad_table *bad)
{
	phys_addr_t sum = 0;

	memblock_set_claimed(claimed_bad);
	for (unsigned int i = 0; i < bad->nr; i++)
		sum += reserve_free_parts(bad->range[i].base, bad->range[i].end);
	memblock_set_claimed(NULL);
	return sum;
}

static void print_bad(const struct bad_table *bad)
{
	unsigned int lines = min(bad->nr, (unsigned int)MEMTEST_MAX_LINES);

	for (unsigned int i = 0; i < lines; i++) {
		const struct bad_range *r = &bad->range[i];

		printk("memtest: bad [mem 0x%016llx-0x%016llx], at 0x%016llx pattern 0x%016llx, read 0x%016llx "
		       "(wrong reads: %llu)\n",
		       r->base, r->end - 1, r->word, r->expected, r->seen, r->reads);
	}
	if (bad->nr > lines)
		printk("memtest: bad ranges not shown: %u\n", bad->nr - lines);
	if (bad->good_pages)
		printk("memtest: too many bad ranges to tell apart: up to %llu good pages between them are given up too\n",
		       bad->good_pages);
}

/* Everybody's results into the boot CPU's table. Return: CPUs that have tested anything. */
static int gather(void)
{
	struct bad_table *all = tables[pass.boot_cpu];
	int workers = 0;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		workers += tables[cpu]->chunks != 0;
		if (cpu != pass.boot_cpu)
			bad_merge(all, tables[cpu]);
	}
	return workers;
}

static void report(u64 start_ns)
{
	u64 ms = (arch_clock_ns() - start_ns) / 1000000;
	const struct bad_table *bad = tables[pass.boot_cpu];
	phys_addr_t reserved;
	int workers = gather();

	print_bad(bad);
	reserved = reserve_bad(bad);
	printk("memtest: done in %llu ms by %d of %d CPUs: ", ms, workers, num_online_cpus());
	if (bad->nr)
		printk("bad ranges: %u, %llu KiB reserved\n", bad->nr, reserved >> 10);
	else
		printk("no bad memory\n");
}

/* --- The whole --- */

static void count_chunks(phys_addr_t *bytes)
{
	phys_addr_t from, to;
	u64 i;

	*bytes = 0;
	pass.nr_chunks = 0;
	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &from, &to, NULL) {
		if (PFN_UP(from) >= PFN_DOWN(to))
			continue;
		*bytes += PFN_PHYS(PFN_DOWN(to) - PFN_UP(from));
		pass.nr_chunks += DIV_ROUND_UP(PFN_PHYS(PFN_DOWN(to) - PFN_UP(from)), CHUNK_SIZE);
	}
}

void memtest_run(void)
{
	u64 start_ns = arch_clock_ns();
	phys_addr_t bytes;

	if (!nr_patterns)
		return;
	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		tables[cpu] = boot_alloc(PAGE_SIZE, PAGE_SIZE, NUMA_NO_NODE, "memory test");
	if (!seed_given)
		seed = start_ns ^ get_cycles() << 32;
	pass.boot_cpu = smp_processor_id();
	pass.next_line_ns = start_ns + PROGRESS_NS;
	count_chunks(&bytes);
	printk("memtest: %llu KiB, patterns: %u, seed 0x%llx\n", bytes >> 10, nr_patterns, seed);
	run_patterns();
	report(start_ns);
}
