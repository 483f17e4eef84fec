// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table engine against a flat model: an array with what each page is mapped to.
 *
 * The window lies across the border of two entries of level 0, so that tables of every level come and go:
 *
 *	LINEAR_START + 510 GiB       511 GiB          512 GiB          513 GiB          514 GiB
 *	      |  table of level 2 ...   |                |                |                |
 *	      |------- one table of level 1 -------------|------- another one -------------|
 *
 * The machine beneath (pgtable/recorder.c) looks at every store, barrier and invalidation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/pt_hw.h>

#include "host.h"
#include "pgtable/recorder.h"
#include "tap.h"

#define GIB	   (1ULL << 30)
#define BLOCK	   PT_SPAN(2)
#define BASE	   (LINEAR_START + 510 * GIB)
#define PAGES	   (4 * GIB / PAGE_SIZE)
#define LAST	   (BASE + PAGES * PAGE_SIZE)
#define NR_RIGHTS  6
#define FULL_EVERY 16

/* An entry of a page, without its type and PTE_CONT; 0 where nothing is mapped. */
static u64 model[PAGES];

static const struct {
	u64 set, clear;
} rights[NR_RIGHTS] = {
	{ PTE_RDONLY, 0 }, { 0, PTE_RDONLY }, { PTE_PXN, 0 }, { 0, PTE_PXN }, { PTE_VALID, 0 }, { 0, PTE_VALID },
};

static u64 *model_at(u64 va)
{
	return &model[(va - BASE) / PAGE_SIZE];
}

static u64 plain(u64 entry)
{
	return entry & ~(PTE_CONT | (PTE_TYPE_MASK & ~PTE_VALID));
}

static void compare(u64 start, u64 end)
{
	struct pt_unit unit;

	for (u64 va = start; va < end;) {
		pt_query(va, &unit);
		CHECK(va >= unit.va && va - unit.va < unit.size);
		for (u64 entry = plain(unit.entry); va < min(end, unit.va + unit.size); va += PAGE_SIZE)
			if (*model_at(va) != (entry ? entry + (va - unit.va) : 0))
				tap_fail(__FILE__, __LINE__, "%#llx: 0x%llx, and the model has 0x%llx", va, entry,
					 *model_at(va));
	}
}

/* The range, its neighbours, and now and then everything. */
static void compare_after(u64 start, u64 end)
{
	static unsigned int ops;

	if (++ops % FULL_EVERY == 0) {
		compare(BASE, LAST);
		recorder_check_shape();
	} else {
		compare(max(start - BASE, BLOCK) - BLOCK + BASE, min(LAST, end + BLOCK));
	}
}

static u64 first_in(u64 start, u64 end, bool mapped)
{
	while (start < end && !*model_at(start) == mapped)
		start += PAGE_SIZE;
	return start;
}

/* A random multiple of a page, of 64 KiB, of 2 MiB or 32 MiB, rarely of much more than a few. */
static u64 random_size(void)
{
	static const u64 grain[] = { PAGE_SIZE, 16 * PAGE_SIZE, BLOCK, 16 * BLOCK };

	return grain[tap_below(ARRAY_SIZE(grain))] * (1 + tap_below(tap_below(8) ? 6 : 40));
}

static void random_range(u64 *start, u64 *end)
{
	static const u64 grain[] = { PAGE_SIZE, PAGE_SIZE, 16 * PAGE_SIZE, BLOCK, BLOCK, GIB };
	u64 align = grain[tap_below(ARRAY_SIZE(grain))];

	*start = BASE + ALIGN_DOWN(tap_below(PAGES * PAGE_SIZE), align);
	*end = min(LAST, *start + (tap_below(40) ? random_size() : GIB));
}

/* Mostly such that the largest units fit; else only smaller ones do. */
static phys_addr_t random_pa(u64 va)
{
	static const u64 shift[] = { 0, 0, 0, 16 * BLOCK, BLOCK, 16 * PAGE_SIZE, PAGE_SIZE };

	return (va & (512 * GIB - 1)) + shift[tap_below(ARRAY_SIZE(shift))];
}

static const u64 prots[] = { PT_RW, PT_RO, PT_RX, PT_DEVICE };

/* Every allocation fails, then all but the first, and so on, until it goes well; each failure leaves nothing. */
static int with_failures(int (*op)(u64 va, u64 size, u64 a, u64 b), u64 va, u64 size, u64 a, u64 b)
{
	unsigned long before = recorder_pages();
	unsigned int n = tap_below(4) ? ~0U : 0;
	int err;

	for (;; n++) {
		recorder_fail_after(n);
		recorder_begin(va, va + size);
		recorder_reach(va, va + size);
		err = op(va, size, a, b);
		recorder_end();
		recorder_fail_after(~0U);
		if (err != -ENOMEM)
			return err;
		CHECK(n != ~0U);
		CHECK_EQ(recorder_pages(), before);
		compare_after(va, va + size);
	}
}

static int op_map(u64 va, u64 size, u64 pa, u64 prot)
{
	return pt_map_range(va, pa, size, prot);
}

static int op_unmap(u64 va, u64 size, u64 a, u64 b)
{
	(void)a;
	(void)b;
	return pt_unmap_range(va, size);
}

static void try_map(u64 start, u64 end)
{
	u64 pa = random_pa(start), prot = prots[tap_below(ARRAY_SIZE(prots))];
	bool mapped = first_in(start, end, true) < end;
	int err = with_failures(op_map, start, end - start, pa, prot);

	CHECK_EQ(err, mapped ? -EEXIST : 0);
	for (u64 va = start; !err && va < end; va += PAGE_SIZE)
		*model_at(va) = (pa + (va - start)) | prot | PTE_VALID;
}

static void try_unmap(u64 start, u64 end)
{
	bool hole = first_in(start, end, false) < end;
	int err = with_failures(op_unmap, start, end - start, 0, 0);

	CHECK_EQ(err, hole ? -ENOENT : 0);
	for (u64 va = start; !err && va < end; va += PAGE_SIZE)
		*model_at(va) = 0;
}

static void try_protect(u64 start, u64 end)
{
	u64 n = tap_below(NR_RIGHTS);
	bool hole = first_in(start, end, false) < end;
	int err = with_failures(pt_protect_range, start, end - start, rights[n].set, rights[n].clear);

	CHECK_EQ(err, hole ? -ENOENT : 0);
	for (u64 va = start; !err && va < end; va += PAGE_SIZE)
		*model_at(va) = (*model_at(va) & ~rights[n].clear) | rights[n].set;
}

/* Mostly something that can be done. */
static void random_op(void)
{
	u64 start, end, n = tap_below(8);

	random_range(&start, &end);
	if (n < 3) {
		if (tap_below(8)) {
			start = first_in(start, end, false);
			end = first_in(start, end, true);
		}
		if (start < end)
			try_map(start, end);
	} else {
		if (tap_below(8)) {
			start = first_in(start, end, true);
			end = first_in(start, end, false);
		}
		if (start < end)
			(n < 5 ? try_unmap : try_protect)(start, end);
	}
	if (start < end)
		compare_after(start, end);
}

static void test_random(void)
{
	host_boot_cpu(1);
	host_mute();
	for (unsigned long n = tap_ops(1500); n; n--)
		random_op();
	compare(BASE, LAST);
	recorder_check_shape();
	for (u64 start = first_in(BASE, LAST, true); start < LAST; start = first_in(start, LAST, true))
		try_unmap(start, first_in(start, LAST, false));
	CHECK_EQ(recorder_pages(), 0);
	CHECK_EQ(pt_next_mapped(BASE, LAST), LAST);
}

static void map(u64 va, phys_addr_t pa, u64 size)
{
	recorder_begin(va, va + size);
	recorder_reach(va, va + size);
	CHECK_EQ(pt_map_range(va, pa, size, PT_RW), 0);
	recorder_end();
}

static int protect(u64 va, u64 size, u64 set, u64 clear)
{
	int err;

	recorder_begin(va, va + size);
	recorder_reach(va, va + size);
	err = pt_protect_range(va, size, set, clear);
	recorder_end();
	return err;
}

static void check_unit(u64 va, u64 size, int level)
{
	struct pt_unit unit;

	pt_query(va, &unit);
	CHECK_EQ(unit.size, size);
	CHECK_EQ(unit.level, level);
}

/* Each size of unit where it fits:
 *
 *	| pages | 64 KiB groups | 2 MiB | 32 MiB groups |  1 GiB  | 32 MiB groups | 2 MiB | 64 KiB groups | pages |
 */
static void test_units(void)
{
	u64 start = BASE + GIB - 33 * BLOCK - 17 * PAGE_SIZE, end = BASE + 2 * GIB + 33 * BLOCK + 17 * PAGE_SIZE;

	map(start, start & (512 * GIB - 1), end - start);
	check_unit(start, PAGE_SIZE, 3);
	check_unit(start + PAGE_SIZE, 16 * PAGE_SIZE, 3);
	check_unit(start + 17 * PAGE_SIZE, BLOCK, 2);
	check_unit(start + 17 * PAGE_SIZE + BLOCK, 16 * BLOCK, 2);
	check_unit(BASE + GIB, GIB, 1);
	check_unit(end - PAGE_SIZE, PAGE_SIZE, 3);
	check_unit(end - 2 * PAGE_SIZE, 16 * PAGE_SIZE, 3);
	check_unit(end - 18 * PAGE_SIZE, BLOCK, 2);
	check_unit(end - 18 * PAGE_SIZE - BLOCK, 16 * BLOCK, 2);
	recorder_check_shape();
}

/* A page in the middle of 1 GiB: two tables; and none when it is as before. */
static void test_split_and_merge(void)
{
	u64 page = BASE + GIB + 100 * BLOCK + 200 * PAGE_SIZE;
	unsigned long before;

	map(BASE + GIB, 7 * GIB, GIB);
	before = recorder_pages();
	CHECK_EQ(protect(page, PAGE_SIZE, PTE_RDONLY, 0), 0);
	CHECK_EQ(recorder_pages(), before + 2);
	check_unit(page, PAGE_SIZE, 3);
	check_unit(page - 16 * PAGE_SIZE, 16 * PAGE_SIZE, 3);
	check_unit(page + BLOCK, BLOCK, 2);
	check_unit(page + 16 * BLOCK, 16 * BLOCK, 2);
	recorder_check_shape();
	CHECK_EQ(protect(page, PAGE_SIZE, 0, PTE_RDONLY), 0);
	CHECK_EQ(recorder_pages(), before);
	check_unit(page, GIB, 1);
}

/*
 * Neighbours that are mapped one after the other become one block; nobody has to stand still to change pages' rights.
 */
static void test_merge_of_neighbours(void)
{
	unsigned long lives;

	map(BASE, 3 * GIB, BLOCK - PAGE_SIZE);
	check_unit(BASE + BLOCK - 2 * PAGE_SIZE, PAGE_SIZE, 3);
	lives = recorder_lives();
	CHECK_EQ(protect(BASE + BLOCK - 2 * PAGE_SIZE, PAGE_SIZE, PTE_RDONLY, 0), 0);
	CHECK_EQ(protect(BASE + BLOCK - 2 * PAGE_SIZE, PAGE_SIZE, 0, PTE_RDONLY), 0);
	CHECK_EQ(recorder_lives(), lives);
	map(BASE + BLOCK - PAGE_SIZE, 3 * GIB + BLOCK - PAGE_SIZE, PAGE_SIZE);
	check_unit(BASE, BLOCK, 2);
	CHECK_EQ(recorder_pages(), 2);
}

/* Tables of the boot stay, whatever becomes of what they map. */
static void test_boot_tables(void)
{
	unsigned long before;

	CHECK_EQ(pt_map(BASE, GIB + BLOCK, GIB, PT_RW, recorder_boot_page), 0);
	recorder_end();
	before = recorder_pages();
	CHECK_EQ(protect(BASE + PAGE_SIZE, PAGE_SIZE, 0, PTE_VALID), 0);
	CHECK_EQ(recorder_pages(), before + 1);
	CHECK_EQ(protect(BASE + PAGE_SIZE, PAGE_SIZE, PTE_VALID, 0), 0);
	CHECK_EQ(recorder_pages(), before);
	recorder_begin(BASE, BASE + GIB);
	CHECK_EQ(pt_unmap_range(BASE, GIB), 0);
	recorder_end();
	CHECK_EQ(recorder_pages(), before);
	CHECK_EQ(pt_next_mapped(BASE, LAST), LAST);
}

static void test_refused(void)
{
	host_boot_cpu(1);
	host_mute();
	map(BASE, 7 * GIB, BLOCK);
	recorder_begin(BASE - BLOCK, BASE);
	CHECK_EQ(pt_map_range(BASE - BLOCK, 0, 2 * BLOCK, PT_RW), -EEXIST);
	CHECK_LOG("0xffff007f80000000 is mapped to 0x1c0000000 \\(level 2\\), and to be mapped to 0x200000");
	CHECK_EQ(pt_next_mapped(BASE - BLOCK, BASE), BASE);
	CHECK_EQ(pt_unmap_range(BASE + PAGE_SIZE, BLOCK), -ENOENT);
	CHECK_LOG(
		"unmap 0xffff007f80001000-0xffff007f80200fff: 0xffff007f80200000-0xffff007f80200fff is not mapped: nothing changed");
	CHECK_EQ(pt_protect_range(BASE - PAGE_SIZE, BLOCK, PTE_RDONLY, 0), -ENOENT);
	CHECK_LOG(
		"protect 0xffff007f7ffff000-0xffff007f801fefff: 0xffff007f7ffff000-0xffff007f7fffffff is not mapped: nothing");
	CHECK_EQ(pt_unmap_range(BASE, 0), -EINVAL);
	CHECK_LOG("unmap 0xffff007f80000000, 0x0 bytes: nothing: nothing changed");
	CHECK_EQ(pt_unmap_range(BASE + 1, PAGE_SIZE), -EINVAL);
	CHECK_LOG("unmap 0xffff007f80000001, 0x1000 bytes: no whole pages");
	CHECK_EQ(pt_protect_range(BASE, 1ULL << 63, PTE_RDONLY, 0), -EINVAL);
	CHECK_LOG(
		"protect 0xffff007f80000000, 0x8000000000000000 bytes: not all of it addresses that the engine changes");
	CHECK_EQ(pt_map_range(PAGE_SIZE, 0, PAGE_SIZE, PT_RW), -EINVAL);
	CHECK_EQ(pt_map_range(BASE + BLOCK, 5, PAGE_SIZE, PT_RW), -EINVAL);
	CHECK_LOG("to 0x5, which is no page: nothing changed");
	CHECK_EQ(pt_map_range(VMAP_PHYS_START - BLOCK, 0, 2 * BLOCK, PT_RW), -EINVAL);
	CHECK_LOG(
		"map 0xfffff5ffffe00000-0xfffff600001fffff: vmalloc has 0xfffff00000000000-0xfffff5ffffffffff, and it alone");
	CHECK_EQ(pt_unmap_range(VMALLOC_START, PAGE_SIZE), -EINVAL);
	CHECK_LOG("unmap 0xfffff00000000000-0xfffff00000000fff: vmalloc has 0xfffff00000000000-");
	CHECK_EQ(pt_unmap_range(VMALLOC_START - PAGE_SIZE, PAGE_SIZE), -ENOENT);
	CHECK_EQ(pt_unmap_range(VMAP_PHYS_START, PAGE_SIZE), -ENOENT);
	CHECK_EQ(pt_unmap_range(VMALLOC_END, PAGE_SIZE), -ENOENT);
	recorder_end();
	check_unit(BASE, BLOCK, 2);
	check_unit(BASE + BLOCK, BLOCK, 2);
	CHECK_EQ(recorder_pages(), 2);
}

/* A page and a block where groups are to be: each stays as it is, and nothing is mapped beside it. */
static void test_taken_group(void)
{
	u64 page = BASE + 25 * PAGE_SIZE, block = BASE + GIB + 25 * BLOCK;

	host_boot_cpu(1);
	host_mute();
	map(page, 7 * GIB, PAGE_SIZE);
	map(block, 9 * GIB, BLOCK);
	recorder_begin(BASE, BASE + 16 * PAGE_SIZE);
	CHECK_EQ(pt_map_range(BASE, 3 * GIB, 48 * PAGE_SIZE, PT_RW), -EEXIST);
	CHECK_LOG("0xffff007f80019000 is mapped to 0x1c0000000 \\(level 3\\), and to be mapped to 0xc0019000");
	recorder_begin(BASE + GIB, BASE + GIB + 16 * BLOCK);
	CHECK_EQ(pt_map_range(BASE + GIB, 4 * GIB, 48 * BLOCK, PT_RW), -EEXIST);
	CHECK_LOG("0xffff007fc3200000 is mapped to 0x240000000 \\(level 2\\), and to be mapped to 0x103200000");
	recorder_end();
	recorder_check_shape();
	CHECK_EQ(pt_next_mapped(BASE, LAST), page);
	CHECK_EQ(pt_next_mapped(page + PAGE_SIZE, LAST), block);
	CHECK_EQ(pt_next_mapped(block + BLOCK, LAST), LAST);
	check_unit(page, PAGE_SIZE, 3);
	check_unit(block, BLOCK, 2);
}

/*
 * Neighbours that have tables of their own, which may go at any moment (recorder_reach()):
 *
 *	| a page | another's page |	the border is one of 2 MiB, then one of 1 GiB, then one of 512 GiB
 */
static void test_neighbours(void)
{
	static const u64 borders[] = { BASE + 7 * BLOCK, BASE + GIB, BASE + 2 * GIB };

	for (size_t i = 0; i < ARRAY_SIZE(borders); i++) {
		u64 end = borders[i], page = end - PAGE_SIZE;

		map(page, GIB, PAGE_SIZE);
		map(end, 3 * GIB, PAGE_SIZE);
		CHECK_EQ(protect(page, PAGE_SIZE, PTE_RDONLY, 0), 0);
		CHECK_EQ(protect(end, PAGE_SIZE, PTE_RDONLY, 0), 0);
	}
}

static u64 *vmalloc_table(u64 va, int level)
{
	unsigned long flags = pt_hold_tables();
	u64 *table = pt_find_table(va, level, pt_page_new);

	pt_release_tables(flags);
	CHECK(table);
	return table;
}

/* Sixteen blocks, and a table of pages that lie behind one another, as vmalloc maps them. */
static void map_as_vmalloc(u64 pages, u64 blocks)
{
	u64 *table;

	recorder_begin(pages, blocks + 16 * BLOCK);
	table = vmalloc_table(pages, PT_LAST_LEVEL);
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		pt_write(&table[i], (GIB + i * PAGE_SIZE) | PT_RW | PTE_PAGE);
	table = vmalloc_table(blocks, 2);
	for (unsigned int i = 0; i < PT_CONT_ENTRIES; i++)
		pt_write(&table[pt_index(blocks, 2) + i], (2 * GIB + i * BLOCK) | PT_RW | PTE_BLOCK);
	pt_written();
	recorder_end();
}

/*
 * In vmalloc's addresses its tables stay, and get no groups: it clears single entries. What the engine has split it
 * merges.
 */
static void test_vmalloc(void)
{
	u64 pages = VMALLOC_START, blocks = VMALLOC_START + 16 * BLOCK, page = blocks + 5 * BLOCK + PAGE_SIZE;
	unsigned long before;

	map_as_vmalloc(pages, blocks);
	before = recorder_pages();
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_EQ(protect(pages + 5 * PAGE_SIZE, PAGE_SIZE, i ? 0 : PTE_RDONLY, i ? PTE_RDONLY : 0), 0);
		CHECK_EQ(protect(blocks + 3 * BLOCK, BLOCK, i ? 0 : PTE_RDONLY, i ? PTE_RDONLY : 0), 0);
		CHECK_EQ(protect(page, PAGE_SIZE, i ? 0 : PTE_RDONLY, i ? PTE_RDONLY : 0), 0);
		CHECK_EQ(recorder_pages(), before + (i ? 0 : 1));
	}
	CHECK_EQ(protect(pages, BLOCK, PTE_RDONLY, 0), 0);
	for (u64 va = pages; va < pages + BLOCK; va += PAGE_SIZE)
		check_unit(va, PAGE_SIZE, 3);
	for (u64 va = blocks; va < blocks + 16 * BLOCK; va += BLOCK)
		check_unit(va, BLOCK, 2);
}

/*
 * Large physical ranges in vmalloc's addresses: blocks and groups are split and merged, and what is taken out is
 * retired.
 *
 *	VMAP_PHYS_START + 511 GiB - 2 MiB - a page | page | 2 MiB | 1 GiB | 2 MiB | page |	over a border of level 0
 */
static void test_phys(void)
{
	u64 gib = VMAP_PHYS_START + 511 * GIB, start = gib - BLOCK - PAGE_SIZE, end = gib + GIB + BLOCK + PAGE_SIZE;
	u64 page = gib + 100 * BLOCK + 7 * PAGE_SIZE;

	for (unsigned int masked = 0; masked < 2; masked++) {
		unsigned long before;

		map(start, 7 * GIB + (start - gib), end - start);
		before = recorder_pages();
		check_unit(start, PAGE_SIZE, 3);
		check_unit(gib - BLOCK, BLOCK, 2);
		check_unit(gib, GIB, 1);
		check_unit(end - PAGE_SIZE, PAGE_SIZE, 3);
		CHECK_EQ(protect(page, PAGE_SIZE, PTE_RDONLY, 0), 0);
		check_unit(page, PAGE_SIZE, 3);
		check_unit(gib, 16 * BLOCK, 2);
		CHECK_EQ(recorder_pages(), before + 2);
		if (!masked) {
			CHECK_EQ(protect(page, PAGE_SIZE, 0, PTE_RDONLY), 0);
			check_unit(gib, GIB, 1);
			CHECK_EQ(recorder_pages(), before);
		}
		recorder_check_shape();
		recorder_begin(start, end);
		recorder_reach(start, end);
		if (masked) {
			before = recorder_pages();
			pt_clear_range(start, end - start);
			CHECK_EQ(pt_next_mapped(start, end), end);
			CHECK_EQ(recorder_pages(), before);
			pt_tidy_range(start, end - start);
		} else {
			CHECK_EQ(pt_unmap_range(start, end - start), 0);
		}
		recorder_end();
		CHECK_EQ(recorder_pages(), 0);
	}
}

/* What is switched on again was in no TLB: there is nothing to invalidate, and a barrier all the same. */
static void test_switched_on(void)
{
	map(BASE, GIB, PAGE_SIZE);
	CHECK_EQ(protect(BASE, PAGE_SIZE, 0, PTE_VALID), 0);
	CHECK_EQ(protect(BASE, PAGE_SIZE, PTE_VALID, 0), 0);
	check_unit(BASE, PAGE_SIZE, 3);
}

/**
 * struct visit - where a walk is
 * @at: it has seen everything below
 * @page: its rights are put back, so that its block is merged, when the walk has got to @merge_at
 */
struct visit {
	u64 at;
	u64 page;
	u64 merge_at;
};

/* Each address once, in their order, with what it is mapped to. */
static void see(const struct pt_leaf *leaf, void *arg)
{
	struct visit *visit = arg;

	CHECK_EQ(leaf->va, visit->at);
	CHECK_EQ(pt_leaf_pa(leaf), leaf->va - BASE);
	CHECK(leaf->whole_group == !!(leaf->entry & PTE_CONT));
	visit->at += leaf->size;
	if (leaf->va <= visit->merge_at && visit->at > visit->merge_at)
		CHECK_EQ(protect(visit->page, PAGE_SIZE, 0, PTE_RDONLY), 0);
}

/* A table, or two, that the walk is in become a block between two batches. */
static void test_visit_of_merged(void)
{
	static const u64 merge_at[] = { 0,	   PAGE_SIZE,	40 * PAGE_SIZE, 511 * PAGE_SIZE, BLOCK,
					3 * BLOCK, 100 * BLOCK, GIB - BLOCK,	GIB - PAGE_SIZE };
	static const u64 pages[] = { 300 * PAGE_SIZE, 100 * BLOCK + 3 * PAGE_SIZE, GIB - PAGE_SIZE };

	map(BASE, 0, GIB + BLOCK);
	for (size_t i = 0; i < ARRAY_SIZE(merge_at) * ARRAY_SIZE(pages); i++) {
		struct visit visit = { BASE, BASE + pages[i % ARRAY_SIZE(pages)],
				       BASE + merge_at[i / ARRAY_SIZE(pages)] };

		CHECK_EQ(protect(visit.page, PAGE_SIZE, PTE_RDONLY, 0), 0);
		pt_visit(see, &visit);
		CHECK_EQ(visit.at, BASE + GIB + BLOCK);
		check_unit(BASE, GIB, 1);
	}
}

static const struct tap_case cases[] = {
	TAP_CASE("random map, protect, unmap and allocation failures agree with a flat model", test_random),
	TAP_CASE("each size of unit where it fits", test_units),
	TAP_CASE("a page of 1 GiB is split off and merged again", test_split_and_merge),
	TAP_CASE("neighbours merge", test_merge_of_neighbours),
	TAP_CASE("tables of the boot stay", test_boot_tables),
	TAP_CASE("a group is written as a whole or not at all", test_taken_group),
	TAP_CASE("neighbours' tables are not looked at", test_neighbours),
	TAP_CASE("vmalloc's tables keep their form", test_vmalloc),
	TAP_CASE("large physical ranges of vmalloc's addresses", test_phys),
	TAP_CASE("what is switched on is seen", test_switched_on),
	TAP_CASE("a walk sees the rest of a block that is merged meanwhile", test_visit_of_merged),
	TAP_CASE("what is refused, and what is said", test_refused),
};
TAP_MAIN(cases)
