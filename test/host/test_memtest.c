// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory test: what it writes, what it finds in memory that is broken on purpose, and what becomes of that.
 *
 * 1. Most cases have a few MiB in memblock and no more. The model is one byte per page, set where a fault lies; after
 *    the test exactly those pages are reserved as "bad RAM". Memory that is not free is filled before, and whole after.
 * 2. Some cases boot a whole machine, several CPUs at the test's work, and then allocate all there is: no page that is
 *    broken is ever given, and the account balances.
 * 3. Faults that connect two addresses are simulated on one CPU only: with two it would be a race by design.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mm/gfp.h>
#include <mm/memblock.h>
#include <mm/memtest.h>
#include <mm/mm_init.h>
#include <mm/mmzone.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "../../mm/memtest.h"
#include "host.h"
#include "machine.h"
#include "regions.h"
#include "tap.h"

#define BASE	  (1 * GIB)
#define SMALL	  (2 * MIB)
#define MAX_PAGES (64 * MIB / PAGE_SIZE)
#define FILLER	  0x5a

/* Pages from BASE on that a fault lies in. */
static bool broken[MAX_PAGES];

static u64 *word_at(phys_addr_t pa)
{
	return __va(pa);
}

/* One bank of @size bytes and nothing reserved. */
static void start(phys_addr_t size)
{
	host_boot_cpu(1);
	memblock_allow_resize();
	CHECK_EQ(memblock_add_node(BASE, size, 0, MEMBLOCK_NONE), 0);
	memset(host_map_ram(BASE, size), FILLER, size);
	arch_linear_map_done();
}

static void run(const char *args)
{
	memtest_setup(args);
	memtest_run();
	CHECK(memblock_check());
}

static void break_bits(phys_addr_t base, phys_addr_t size, phys_addr_t stride, u64 zeros, u64 ones)
{
	const struct memtest_fault fault = { base, size, stride, zeros, ones, 0 };

	CHECK_EQ(memtest_fault_add(&fault), 0);
	for (phys_addr_t pa = base; pa < base + size; pa += stride)
		broken[(pa - BASE) / PAGE_SIZE] = true;
}

static void connect(phys_addr_t low, phys_addr_t high, phys_addr_t size)
{
	const struct memtest_fault fault = { .base = low, .size = size, .stride = 8, .alias = high };

	CHECK_EQ(memtest_fault_add(&fault), 0);
}

static bool is_bad_ram(phys_addr_t page)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->name && !strcmp(c->name, "bad RAM") && c->base < page + PAGE_SIZE && page < c->base + c->size) {
			CHECK_EQ(c->kind, CLAIM_RESERVED);
			CHECK(c->base <= page && c->base + c->size >= page + PAGE_SIZE);
			found++;
		}
	}
	CHECK(found <= 1);
	return found;
}

/* Exactly the broken pages are claimed as bad, and reserved, but not as metadata. */
static void check_bad_pages(phys_addr_t size)
{
	for (phys_addr_t page = BASE; page < BASE + size; page += PAGE_SIZE) {
		if (is_bad_ram(page) != broken[(page - BASE) / PAGE_SIZE])
			tap_fail(__FILE__, __LINE__, "the page at %#llx is %sbroken", page,
				 broken[(page - BASE) / PAGE_SIZE] ? "" : "not ");
		if (broken[(page - BASE) / PAGE_SIZE])
			CHECK_EQ(memblock_search(&memblock.reserved, page)->flags, MEMBLOCK_NONE);
	}
}

/* Patterns. */

static void test_patterns_defined(void)
{
	phys_addr_t places[] = { 0, 8, BASE, BASE + 0x1238, (1ULL << 47) - 8 };

	host_boot_cpu(1);
	for (unsigned int n = 0; n < MEMTEST_MAX_PATTERNS; n += 2) {
		struct memtest_pattern even = memtest_pattern(n, 99), odd = memtest_pattern(n + 1, 99);

		for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
			u64 word = memtest_word(&even, places[i]);

			CHECK_EQ(memtest_word(&odd, places[i]), ~word);
			if (n == 0)
				CHECK_EQ(word, places[i]);
			if (n == 4)
				CHECK_EQ(word, 0);
			if (n >= 6 && n % 4 == 2)
				CHECK_EQ(word, 1ULL << ((places[i] / 8 + (n - 6) / 4) % 64));
		}
	}
}

/*
 * Each random pattern: no two words of a MiB are equal, each bit is set in about half of them, each differs from the
 * last.
 */
static void test_patterns_random(void)
{
	static u64 words[MIB / 8];
	u64 last = 0;

	host_boot_cpu(1);
	for (unsigned int n = 2; n < 30; n = n == 2 ? 8 : n + 4) {
		struct memtest_pattern p = memtest_pattern(n, tap_random());
		unsigned int ones[64] = { 0 };

		CHECK_EQ(p.kind, PATTERN_RANDOM);
		for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
			words[i] = memtest_word(&p, BASE + 8 * i);
			for (int bit = 0; bit < 64; bit++)
				ones[bit] += words[i] >> bit & 1;
		}
		for (int bit = 0; bit < 64; bit++)
			CHECK(ones[bit] > ARRAY_SIZE(words) * 48 / 100 && ones[bit] < ARRAY_SIZE(words) * 52 / 100);
		CHECK(words[0] != last);
		last = words[0];
		for (unsigned int i = 1; i < ARRAY_SIZE(words); i++)
			CHECK(words[i] != words[i - 1] && words[i] != words[0]);
	}
}

/* What is written is the pattern, what is read back is compared with it, at any place and length. */
static void test_fill_and_verify(void)
{
	static struct bad_table bad;

	start(SMALL);
	for (unsigned int i = 0; i < tap_ops(400); i++) {
		struct memtest_pattern p = memtest_pattern((unsigned int)tap_below(MEMTEST_MAX_PATTERNS), tap_random());
		phys_addr_t base = BASE + 64 * tap_below(1000), size = 64 * (1 + tap_below(200)), wrong;
		u64 flip = 1ULL << tap_below(64);

		memset(__va(base), FILLER, size + 64);
		memtest_fill(&p, word_at(base), size);
		for (phys_addr_t pa = base; pa < base + size; pa += 8)
			CHECK_EQ(*word_at(pa), memtest_word(&p, pa));
		CHECK_EQ(*word_at(base + size), 0x0101010101010101ULL * FILLER);
		memtest_verify(&p, word_at(base), size, &bad);
		CHECK_EQ(bad.nr, 0);
		wrong = base + 8 * tap_below(size / 8);
		*word_at(wrong) ^= flip;
		memtest_verify(&p, word_at(base), size, &bad);
		CHECK_EQ(bad.nr, 1);
		CHECK_EQ(bad.range[0].base, ALIGN_DOWN(wrong, PAGE_SIZE));
		CHECK_EQ(bad.range[0].end, bad.range[0].base + PAGE_SIZE);
		CHECK_EQ(bad.range[0].word, wrong);
		CHECK_EQ(bad.range[0].expected, memtest_word(&p, wrong));
		CHECK_EQ(bad.range[0].seen, memtest_word(&p, wrong) ^ flip);
		CHECK_EQ(bad.range[0].reads, 1);
		CHECK_EQ(bad.range[0].pattern, p.number);
		bad.nr = 0;
	}
}

/* Results. */

static void check_table(const struct bad_table *table, const bool *map, unsigned int pages)
{
	unsigned int covered = 0, found = 0, bad = 0;

	for (unsigned int i = 0; i < table->nr; i++) {
		CHECK(table->range[i].base < table->range[i].end);
		CHECK(!i || table->range[i - 1].end < table->range[i].base);
		CHECK(table->range[i].word >= table->range[i].base && table->range[i].word < table->range[i].end);
		covered += (unsigned int)((table->range[i].end - table->range[i].base) / PAGE_SIZE);
	}
	for (unsigned int page = 0; page < pages; page++) {
		phys_addr_t pa = page * PAGE_SIZE;
		bool inside = bad_lowest(table, pa, pa + PAGE_SIZE) < pa + PAGE_SIZE;

		CHECK(inside || !map[page]);
		found += inside;
		bad += map[page];
	}
	CHECK_EQ(found, covered);
	CHECK(table->good_pages >= covered - bad);
	CHECK(table->good_pages || covered == bad);
}

/* Bad words at random, few pages or many, into two tables that are merged in the end. */
static void random_table(unsigned int pages, unsigned int words)
{
	static struct bad_table tables[2];
	static bool map[4096];
	u64 reads = 0;
	phys_addr_t first = ~0ULL;

	memset(tables, 0, sizeof(tables));
	memset(map, 0, sizeof(map));
	for (unsigned int i = 0; i < words; i++) {
		phys_addr_t pa = 8 * tap_below(pages * PAGE_SIZE / 8);
		unsigned int pattern = (unsigned int)tap_below(3);

		map[pa / PAGE_SIZE] = true;
		if (!pattern)
			first = min(first, pa);
		bad_word(&tables[tap_below(2)], pa, pattern, pa, ~pa);
	}
	bad_merge(&tables[0], &tables[1]);
	check_table(&tables[0], map, pages);
	for (unsigned int i = 0; i < tables[0].nr; i++) {
		const struct bad_range *r = &tables[0].range[i];

		reads += r->reads;
		CHECK(r->expected == r->word && r->seen == ~r->word);
		if (first >= r->base && first < r->end)
			CHECK(r->word == first && r->pattern == 0);
	}
	CHECK_EQ(reads, words);
}

static void test_table_model(void)
{
	host_boot_cpu(1);
	for (unsigned int i = 0; i < tap_ops(300); i++)
		random_table(1 + (unsigned int)tap_below(tap_below(2) ? 60 : 4096), 1 + (unsigned int)tap_below(400));
}

/* Arguments. */

static void test_not_asked(void)
{
	start(SMALL);
	run("quiet memtest_fault=0x40000000,1 xmemtest=4");
	run("memtest=0");
	CHECK_EQ(strlen(host_log()), 0);
	CHECK_EQ(memblock_reserved_size(), 0);
	CHECK_EQ(*word_at(BASE), 0x0101010101010101ULL * FILLER);
}

static void test_bad_arguments(void)
{
	static const char *const values[] = { "x", "-1", "263", "4x", "4,", "4,z", "99999999999999999999", ",7" };

	start(SMALL);
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		char args[64], line[128];

		host_log_clear();
		snprintf(args, sizeof(args), "memtest=%s", values[i]);
		run(args);
		snprintf(line, sizeof(line), "memtest: memtest=%s is not a number of patterns from 0 to 262",
			 values[i]);
		CHECK(strstr(host_log(), line));
	}
	CHECK_NO_LOG("memtest: .*patterns:");
	CHECK_EQ(*word_at(BASE), 0x0101010101010101ULL * FILLER);
}

static void test_fault_arguments(void)
{
	start(SMALL);
	run("memtest=2,0x77 memtest_fault=0x40001008,5 memtest_fault=0x40003000,63,0 memtest_fault=0x40005001,1 "
	    "memtest_fault=1,64 memtest_fault=z");
	broken[1] = broken[3] = true;
	check_bad_pages(SMALL);
	CHECK_LOG("memtest: .* patterns: 2, seed 0x77$");
	CHECK_LOG("memtest_fault=0x40005001,1: not a multiple of 8");
	CHECK_LOG("memtest_fault=1,64 is not ADDRESS,BIT");
	CHECK_LOG("memtest_fault=z is not ADDRESS,BIT");
	CHECK_LOG("bad \\[mem 0x0000000040001000-0x0000000040001fff\\], at 0x0000000040001008 pattern "
		  "0x0000000040001008, read 0x0000000040001028 \\(wrong reads: 1\\)");
}

/* What is tested. */

/*
 *	BASE                                    +2M
 *	[==#==|====#####==|#|==================)	reserved ranges of any alignment: whole free pages are tested,
 *						nothing else is touched
 */
static void test_covers_all_free(void)
{
	struct memtest_pattern last = memtest_pattern(5, 0);
	phys_addr_t tested = 0;

	start(SMALL);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(memblock_reserve(BASE + tap_below(SMALL), 1 + tap_below(3 * PAGE_SIZE)), 0);
	run("memtest=6");
	CHECK_LOG("no bad memory");
	for (phys_addr_t page = BASE; page < BASE + SMALL; page += PAGE_SIZE) {
		bool is_free = !memblock_is_region_reserved(page, PAGE_SIZE);

		if (!is_free && memblock_search(&memblock.reserved, page) &&
		    memblock_search(&memblock.reserved, page)->flags & MEMBLOCK_RSRV_KERN)
			continue; /* the results */
		for (phys_addr_t pa = page; pa < page + PAGE_SIZE; pa += 8)
			CHECK_EQ(*word_at(pa), is_free ? memtest_word(&last, pa) : 0x0101010101010101ULL * FILLER);
		tested += is_free ? PAGE_SIZE : 0;
	}
	CHECK(tested > SMALL / 2);
}

/* Banks with ends inside pages, and two nodes. */
static void test_odd_banks(void)
{
	start(SMALL);
	CHECK_EQ(memblock_add_node(BASE + SMALL, MIB + 100, 1, MEMBLOCK_NONE), 0);
	CHECK_EQ(memblock_add_node(BASE + SMALL + MIB + 200, MIB, 1, MEMBLOCK_NONE), 0);
	host_map_ram(BASE + SMALL, 2 * MIB);
	break_bits(BASE + SMALL + MIB - 8, 8, 8, 0, 1);
	break_bits(BASE + SMALL + MIB + PAGE_SIZE, 8, 8, 0, 1);
	*word_at(BASE + SMALL + MIB) = 7;
	run("memtest=2");
	check_bad_pages(SMALL + 2 * MIB);
	CHECK_EQ(*word_at(BASE + SMALL + MIB), 7);
}

/* Faults. */

/* Any bit of any word, stuck at 0 (@arg below 64) or at 1: the first pair of patterns finds it. */
static void one_stuck_bit(const void *arg)
{
	unsigned int n = *(const unsigned int *)arg, bit = n % 64;
	phys_addr_t pa = BASE + 8 * tap_below((SMALL - MIB) / 8);
	char args[32];

	host_mute();
	start(SMALL);
	if (n / 64)
		break_bits(pa, 8, 8, 0, 1ULL << bit);
	else
		break_bits(pa, 8, 8, 1ULL << bit, 0);
	snprintf(args, sizeof(args), "memtest=%u", 2 + n % 3);
	run(args);
	check_bad_pages(SMALL);
	CHECK_LOG("bad ranges: 1, 4 KiB reserved");
}

static void test_stuck_bits(void)
{
	for (unsigned long i = tap_ops(40); i; i--) {
		unsigned int n = (unsigned int)tap_below(128);

		CHECK_EQ(tap_in_child(one_stuck_bit, &n), 0);
	}
}

/* Each bit set once in eight times. */
static u64 few_bits(void)
{
	u64 bits = ~0ULL;

	for (int i = 0; i < 3; i++)
		bits &= tap_random();
	return bits;
}

/* Up to 16 faults: words, runs of words over several pages, columns. The table has room for all, so all is exact. */
static void random_faults(const void *arg)
{
	phys_addr_t pages = SMALL / PAGE_SIZE;

	(void)arg;
	host_mute();
	start(SMALL);
	for (u64 n = 1 + tap_below(16); n; n--) {
		phys_addr_t base = BASE + 8 * tap_below((pages - 16) * PAGE_SIZE / 8);
		phys_addr_t size = tap_below(2) ? 8 : 8 * (1 + tap_below(4 * PAGE_SIZE / 8));
		u64 bits = few_bits();

		break_bits(base, size, 8 * (1 + tap_below(600)), bits, few_bits() & ~bits);
	}
	run(tap_below(2) ? "memtest=4" : "memtest=9");
	check_bad_pages(SMALL);
	CHECK_NO_LOG("given up");
}

static void test_random_faults(void)
{
	for (unsigned long n = tap_ops(60); n; n--) {
		tap_random();
		CHECK_EQ(tap_in_child(random_faults, NULL), 0);
	}
}

/*
 * A broken address line: two ranges are the same cells, @arg apart. With one pattern already no two pages that are left
 * share a cell, and no page outside of both is lost.
 */
static void one_broken_line(const void *arg)
{
	phys_addr_t distance = *(const phys_addr_t *)arg;
	phys_addr_t size = min(distance, 3 * PAGE_SIZE), low = BASE + 5 * PAGE_SIZE + (distance < PAGE_SIZE ? 64 : 0);

	host_mute();
	start(SMALL);
	connect(low, low + distance, size);
	run("memtest=1");
	for (phys_addr_t page = BASE; page < BASE + SMALL; page += PAGE_SIZE) {
		bool in_low = page < low + size && low < page + PAGE_SIZE;
		bool in_high = page < low + distance + size && low + distance < page + PAGE_SIZE;

		CHECK(in_low || in_high || !is_bad_ram(page));
	}
	for (phys_addr_t pa = low; pa < low + size; pa += 8)
		CHECK(is_bad_ram(ALIGN_DOWN(pa, PAGE_SIZE)) || is_bad_ram(ALIGN_DOWN(pa + distance, PAGE_SIZE)));
}

static void test_broken_lines(void)
{
	for (phys_addr_t distance = 8; distance < SMALL; distance *= 2)
		CHECK_EQ(tap_in_child(one_broken_line, &distance), 0);
}

/* More bad ranges than there is room for: every bad page is kept from use, some good ones too, and that is said. */
static void test_table_overflow(void)
{
	phys_addr_t reserved = 0;

	start(4 * MIB);
	break_bits(BASE, 3 * MIB, 2 * PAGE_SIZE, 0, 1ULL << 40);
	run("memtest=2");
	for (phys_addr_t page = BASE; page < BASE + 3 * MIB; page += PAGE_SIZE) {
		CHECK(is_bad_ram(page) || !broken[(page - BASE) / PAGE_SIZE]);
		reserved += is_bad_ram(page) ? PAGE_SIZE : 0;
	}
	CHECK(reserved <= 3 * MIB);
	CHECK(!is_bad_ram(BASE + 3 * MIB));
	CHECK_LOG("bad ranges not shown: 40$");
	CHECK_LOG("too many bad ranges to tell apart: up to [0-9]+ good pages between them are given up too");
}

/* memblock's array and the table of claims grow while bad ranges are entered, at the top, where memory is bad. */
static void test_grows_elsewhere(void)
{
	start(4 * MIB);
	for (phys_addr_t i = 0; i < 120; i++)
		CHECK_EQ(memblock_reserve(BASE + 2 * i * PAGE_SIZE, 64), 0);
	break_bits(BASE + 2 * MIB, 128 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 2);
	break_bits(BASE + 3 * MIB, MIB - 2 * PAGE_SIZE, 8, 0, 2);
	run("memtest=2");
	CHECK_LOG("memblock: reserved: array doubled");
	check_bad_pages(4 * MIB);
	CHECK(!is_bad_ram(ALIGN_DOWN(memblock.reserved.place, PAGE_SIZE)));
	CHECK(!is_bad_ram(ALIGN_DOWN(__pa(claim_get(0)), PAGE_SIZE)));
}

/* Whole machines. */

static bool is_broken(unsigned long pfn)
{
	return pfn >= PFN_DOWN(BASE) && pfn - PFN_DOWN(BASE) < MAX_PAGES && broken[pfn - PFN_DOWN(BASE)];
}

/* Every page there is: none of them is broken. */
static void allocate_everything(void)
{
	unsigned long free_pages = nr_free_pages(), pages = 0;
	struct page *page;

	while ((page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 0))) {
		CHECK(!is_broken(page_to_pfn(page)));
		pages++;
	}
	CHECK(pages > free_pages * 9 / 10);
	CHECK(page_alloc_check());
	CHECK(account_print());
}

static void break_machine(void)
{
	host_cpus_start();
	break_bits(BASE + 4 * MIB, 8, 8, 0, 1);
	break_bits(BASE + 8 * MIB - 8, 16, 8, 0, 1);
	break_bits(BASE + 20 * MIB + 512, 2 * MIB, 40 * 1024, 1, 0);
	break_bits(BASE + 30 * MIB, 5 * PAGE_SIZE, 8, 0, ~0ULL);
}

static void boot_broken(int nr_cpus)
{
	static const struct host_bank bank = { BASE, 48 * MIB, -1 };
	static const struct tree_range reserved = { BASE + 16 * MIB + 100, 1000 };
	unsigned long bad = 0;

	host_boot(&(struct host_machine){ .banks = &bank,
					  .nr_banks = 1,
					  .reserved = &reserved,
					  .nr_reserved = 1,
					  .nr_cpus = nr_cpus,
					  .bootargs = "memtest=3",
					  .before_hand_over = break_machine });
	check_bad_pages(48 * MIB);
	for (unsigned long i = 0; i < MAX_PAGES; i++)
		bad += broken[i];
	CHECK_EQ(bad, 1 + 2 + 52 + 5);
	CHECK_LOG("memtest: done in [0-9]+ ms by [0-9]+ of [0-9]+ CPUs: bad ranges: 55, 240 KiB reserved");
	CHECK_LOG("memtest: pattern 3 of 3: random");
	allocate_everything();
	host_cpus_stop();
}

static void test_machine_1(void)
{
	boot_broken(1);
}

static void test_machine_4(void)
{
	boot_broken(4);
}

static void start_cpus(void)
{
	host_cpus_start();
}

static void test_machine_whole(void)
{
	static const struct host_bank banks[] = { { BASE, 24 * MIB, 0 }, { 2 * GIB + 512, 24 * MIB, 1 } };

	host_boot(&(struct host_machine){ .banks = banks,
					  .nr_banks = 2,
					  .nr_cpus = 3,
					  .bootargs = "memtest=2,1",
					  .before_hand_over = start_cpus });
	CHECK_LOG("memtest: [0-9]+ KiB, patterns: 2, seed 0x1$");
	CHECK_LOG("memtest: done in [0-9]+ ms by [1-3] of 3 CPUs: no bad memory");
	allocate_everything();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("every pattern is what it is said to be", test_patterns_defined),
	TAP_CASE("random patterns look random", test_patterns_random),
	TAP_CASE("filling and verifying agree with the definition", test_fill_and_verify),
	TAP_CASE("the table of results against a map of pages", test_table_model),
	TAP_CASE("without the argument nothing is touched", test_not_asked),
	TAP_CASE("arguments that are no number", test_bad_arguments),
	TAP_CASE("arguments of simulated faults", test_fault_arguments),
	TAP_CASE("all whole free pages are tested and nothing else", test_covers_all_free),
	TAP_CASE("banks that end inside pages", test_odd_banks),
	TAP_CASE("a stuck bit costs its page and no other", test_stuck_bits),
	TAP_CASE("random faults cost exactly their pages", test_random_faults),
	TAP_CASE("a broken address line is found with one pattern", test_broken_lines),
	TAP_CASE("more bad ranges than there is room for", test_table_overflow),
	TAP_CASE("tables do not grow into memory found bad", test_grows_elsewhere),
	TAP_CASE("a machine with bad memory and one CPU", test_machine_1),
	TAP_CASE("a machine with bad memory and four CPUs", test_machine_4),
	TAP_CASE("a whole machine with two nodes", test_machine_whole),
};

TAP_MAIN(cases)
