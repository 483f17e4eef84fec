// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery of random trees against a model.
 *
 * 1. The machine is the first UNITS units of 16 KiB of physical memory; banks and reservations are whole units of it,
 *    or lie past phys_limit, or have size zero, and overlap each other as it happens.
 * 2. The model knows of each unit whether it is memory, of which node (the first bank that names it), whether a no-map
 *    node or any other reservation covers it. All of that must be found in memblock, nothing more and nothing less, but
 *    for what memblock and the claims took for themselves: that is marked as metadata and overlaps nothing.
 * 3. Dynamic reservations must lie in free memory, within their alloc-ranges, aligned, and apart from each other.
 */
#include <stdio.h>
#include <string.h>

#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "host.h"
#include "tap.h"
#include "tree.h"

#define UNIT	   (16ULL << 10)
#define UNITS	   4096U
#define LIMIT	   3500U /* phys_limit, in units */
#define IMAGE	   100U	 /* where the image lies: always memory, never anything else */
#define IMAGE_SIZE 20U

struct unit {
	bool memory, reserved, nomap;
	int nid;
};

struct span {
	unsigned int first, nr;
};

static struct unit units[UNITS];

static u64 base_of(struct span span)
{
	return span.first * UNIT;
}

static struct span random_span(void)
{
	unsigned int first = (unsigned int)tap_below(UNITS), most = tap_below(3) ? 10 : 600;

	return (struct span){ first, min((unsigned int)tap_below(most), UNITS - first) };
}

static bool hits_image(struct span span)
{
	return span.first < IMAGE + IMAGE_SIZE && IMAGE < span.first + span.nr;
}

static void bank(struct span span)
{
	int nid = (int)tap_below(4) - 1;

	tree_memory(base_of(span), span.nr * UNIT, nid);
	for (unsigned int u = span.first; u < min(span.first + span.nr, LIMIT); u++)
		if (!units[u].memory)
			units[u] = (struct unit){ .memory = true, .nid = nid };
}

/* None of size zero: to libfdt, and so to everybody, that is the end of the list. */
static void random_memreserves(struct span *spans, int nr)
{
	for (int i = 0; i < nr; i++) {
		do
			spans[i] = random_span();
		while (hits_image(spans[i]) || !spans[i].nr);
		tree_memreserve(base_of(spans[i]), spans[i].nr * UNIT);
	}
}

static void note_reserved(struct span span, bool nomap)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++) {
		units[u].reserved |= !nomap;
		units[u].nomap |= nomap;
	}
}

static void random_static(int index)
{
	bool nomap = !tap_below(3);
	struct tree_range ranges[3];
	int nr = 1 + (int)tap_below(3);
	char name[32];

	for (int i = 0; i < nr; i++) {
		struct span span;

		do
			span = random_span();
		while (hits_image(span));
		ranges[i] = (struct tree_range){ base_of(span), span.nr * UNIT };
		note_reserved(span, nomap);
	}
	snprintf(name, sizeof(name), "static-%d", index);
	tree_open(name);
	tree_reg("reg", ranges, nr);
	if (nomap)
		tree_flag("no-map");
	tree_close();
}

/* Dynamic reservations, for comparing: where each may lie. */
static struct dynamic {
	u64 size, align;
	struct tree_range where;
} dynamics[4];

static void random_dynamic(int index)
{
	struct dynamic *d = &dynamics[index];
	struct span where = random_span();
	char name[32];

	*d = (struct dynamic){ .size = (1 + tap_below(20)) * UNIT,
			       .align = UNIT << tap_below(4),
			       .where = { base_of(where), where.nr * UNIT } };
	snprintf(name, sizeof(name), "dynamic-%d", index);
	tree_open(name);
	tree_size("size", d->size);
	tree_size("alignment", d->align);
	tree_reg("alloc-ranges", &d->where, 1);
	tree_close();
}

static void *random_tree(void)
{
	struct span reserves[40];
	int nr_reserves = (int)tap_below(ARRAY_SIZE(reserves)), nr_static = (int)tap_below(tap_below(4) ? 10 : 120);

	tree_start();
	random_memreserves(reserves, nr_reserves);
	tree_root(1 + (int)tap_below(2), 1 + (int)tap_below(2));
	bank((struct span){ IMAGE, IMAGE_SIZE });
	for (u64 n = 2 + tap_below(12); n; n--)
		bank(random_span());
	for (int i = 0; i < nr_reserves; i++)
		note_reserved(reserves[i], false);
	note_reserved((struct span){ IMAGE, IMAGE_SIZE }, false);
	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_cells_are(2, 2);
	for (int i = 0; i < nr_static; i++)
		random_static(i);
	for (int i = 0; i < (int)ARRAY_SIZE(dynamics); i++)
		random_dynamic(i);
	tree_close();
	return tree_finish();
}

/* memblock's word on one unit; all of a unit is alike, but for metadata, which is page by page. */
static void compare_unit(unsigned int u)
{
	const struct memblock_region *m = memblock_search(&memblock.memory, u * UNIT);
	bool memory = m, nomap = m && (m->flags & MEMBLOCK_NOMAP);

	if (memory != units[u].memory || (memory && m->nid != units[u].nid))
		tap_fail(__FILE__, __LINE__, "unit %u is memory: %d, node %d; should be %d, %d", u, memory,
			 m ? m->nid : 0, units[u].memory, units[u].nid);
	if (memory && nomap != units[u].nomap)
		tap_fail(__FILE__, __LINE__, "unit %u is nomap: %d", u, nomap);
	for (u64 pa = u * UNIT; pa < (u + 1) * UNIT; pa += PAGE_SIZE) {
		const struct memblock_region *r = memblock_search(&memblock.reserved, pa);
		/* The page at address 0 is kept from all. */
		bool reserved = units[u].reserved || (!pa && units[u].memory && !units[u].nomap);

		if (reserved && !r)
			tap_fail(__FILE__, __LINE__, "0x%llx should be reserved", pa);
		if (!reserved && r && !(r->flags & MEMBLOCK_RSRV_KERN))
			tap_fail(__FILE__, __LINE__, "0x%llx is reserved, by nobody", pa);
		if (r && (r->flags & MEMBLOCK_RSRV_KERN) && (reserved || units[u].nomap || !memory))
			tap_fail(__FILE__, __LINE__, "0x%llx holds metadata, and is no free memory", pa);
	}
}

/* A placed dynamic node becomes part of the model. */
static void compare_dynamic(const struct mem_claim *claim, const struct dynamic *d)
{
	struct span span = { (unsigned int)(claim->base / UNIT), (unsigned int)(d->size / UNIT) };

	CHECK_EQ(claim->size, d->size);
	CHECK(IS_ALIGNED(claim->base, d->align));
	CHECK(claim->base >= d->where.base && claim->base + claim->size <= d->where.base + d->where.size);
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		CHECK(units[u].memory && !units[u].reserved && !units[u].nomap);
	note_reserved(span, false);
}

static void one_tree(const void *unused)
{
	const struct boot_info boot = {
		.fdt = random_tree(),
		.fdt_pa = IMAGE * UNIT + 12 * UNIT,
		.image_base = IMAGE * UNIT,
		.image_rodata = (IMAGE + 4) * UNIT,
		.image_data = (IMAGE + 8) * UNIT,
		.image_end = (IMAGE + IMAGE_SIZE) * UNIT,
		.phys_limit = LIMIT * UNIT,
	};
	char name[128];
	int index;

	(void)unused;
	host_mute();
	host_boot_cpu(1);
	CHECK_EQ(discover_memory(&boot), 0);
	CHECK(memblock_check());
	for (unsigned int i = 0; i < claim_count(); i++)
		if (sscanf(claim_name(claim_get(i), name, sizeof(name)), "/reserved-memory/dynamic-%d", &index) == 1)
			compare_dynamic(claim_get(i), &dynamics[index]);
	for (unsigned int u = 0; u < UNITS; u++)
		compare_unit(u);
}

/* Each tree in a process of its own; its random numbers go on from where the case's are. */
static void test_random_trees(void)
{
	for (unsigned long n = tap_ops(300); n; n--) {
		tap_random_stream((unsigned int)n);
		CHECK_EQ(tap_in_child(one_tree, NULL), 0);
	}
}

static const struct tap_case cases[] = {
	TAP_CASE("random trees", test_random_trees),
};
TAP_MAIN(cases)
