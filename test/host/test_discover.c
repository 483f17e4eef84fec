// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery: from a device tree to memblock, claims and log lines.
 *
 * 1. The usual machine has 256 MiB of RAM from RAM_BASE, the image near its start, the tree near its end.
 * 2. Bad input is judged by three things: what memblock holds afterwards (nothing usable is lost), the return value,
 *    and the one line that names the fault and where it is.
 * 3. Damaged trees (cut, flipped) have no expected outcome but one: discovery returns or panics with a line of its own,
 *    and no access leaves the tree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>
#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"
#include "tree.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define RAM_BASE   (1 * GIB)
#define RAM_SIZE   (256 * MIB)
#define RAM_END	   (RAM_BASE + RAM_SIZE)
#define IMAGE_BASE (RAM_BASE + 2 * MIB)
#define IMAGE_SIZE (1 * MIB)
#define TREE_PA	   (RAM_END - 1 * MIB)

static int discover_below(const void *fdt, phys_addr_t phys_limit)
{
	struct boot_info boot = host_boot_info(fdt, TREE_PA, IMAGE_BASE, IMAGE_SIZE);
	int err;

	boot.phys_limit = phys_limit;
	host_boot_cpu(1);
	err = discover_memory(&boot);
	CHECK(memblock_check());
	return err;
}

static int discover(const void *fdt)
{
	return discover_below(fdt, PHYS_ADDR_LIMIT);
}

static void usual_root(void)
{
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
}

static void usual_start(void)
{
	tree_start();
	usual_root();
}

static phys_addr_t nomap_size(void)
{
	struct memblock_region *r;
	phys_addr_t size = 0;

	for_each_mem_region(r)
		if (r->flags & MEMBLOCK_NOMAP)
			size += r->size;
	return size;
}

static bool wholly(bool (*test)(phys_addr_t addr), phys_addr_t base, phys_addr_t size)
{
	for (phys_addr_t pa = base; pa < base + size; pa += 512)
		if (!test(pa))
			return false;
	return test(base + size - 1);
}

static bool all_reserved(phys_addr_t base, phys_addr_t size)
{
	return wholly(memblock_is_reserved, base, size);
}

/* Memory nodes. */

static void test_usual(void)
{
	usual_start();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_EQ(memblock_start_of_DRAM(), RAM_BASE);
	CHECK(all_reserved(IMAGE_BASE, IMAGE_SIZE));
	CHECK(memblock_is_reserved(TREE_PA));
	CHECK(!memblock_is_reserved(IMAGE_BASE - 1) && !memblock_is_reserved(IMAGE_BASE + IMAGE_SIZE));
	CHECK_EQ(strlen(host_log()), 0);
}

/* Every combination that can be read: 1 or 2 cells each. */
static void cells_are_read(int ac, int sc)
{
	tree_start();
	tree_root(ac, sc);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_EQ(memblock_start_of_DRAM(), RAM_BASE);
	CHECK_EQ(strlen(host_log()), 0);
}

static void test_cells_1_1(void)
{
	cells_are_read(1, 1);
}

static void test_cells_1_2(void)
{
	cells_are_read(1, 2);
}

static void test_cells_2_1(void)
{
	cells_are_read(2, 1);
}

static void test_cells_2_2(void)
{
	cells_are_read(2, 2);
}

/* And every one that cannot: refused by name. */
static void cells_are_refused(int ac, int sc)
{
	tree_start();
	tree_root(ac, sc);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
	CHECK_EQ(discover(tree_finish()), (unsigned long long)-ENOENT);
	CHECK_LOG(
		"/memory@40000000: reg ignored: / has #address-cells [0-9]+ and #size-cells [0-9]+, 1 to 3 can be read");
	CHECK_LOG("memory: the tree names none that can be used");
}

static void test_cells_0_2(void)
{
	cells_are_refused(0, 2);
}

static void test_cells_3_2(void)
{
	cells_are_read(3, 2);
}

static void test_cells_2_3(void)
{
	cells_are_read(2, 3);
}

static void test_cells_4_2(void)
{
	cells_are_refused(4, 2);
}

/* Three cells hold 96 bits: an address or size above 64 is past every limit. */
static void test_cells_above_64(void)
{
	static const u32 cells[] = { 1, 0, RAM_BASE, 0, 0, RAM_SIZE, 0, 0, RAM_BASE, 1, 0, RAM_SIZE };

	tree_start();
	tree_root(3, 3);
	tree_open("memory@0");
	tree_string("device_type", "memory");
	tree_cells("reg", cells, ARRAY_SIZE(cells));
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_start_of_DRAM(), RAM_BASE);
	CHECK_EQ(memblock_end_of_DRAM(), PHYS_ADDR_LIMIT);
	CHECK_LOG("memory: /memory@0: .* lies past the physical address limit .*: left out");
	CHECK_LOG("device tree: /memory@0: .* passes the end of the address space");
}

static void test_cells_0_0(void)
{
	cells_are_refused(0, 0);
}

static void test_cells_3_3(void)
{
	cells_are_read(3, 3);
}

static void test_cells_2_0(void)
{
	cells_are_refused(2, 0);
}

static void test_reg_length(void)
{
	static const u32 cells[] = { 0, RAM_BASE, 0, RAM_SIZE, 0 };

	tree_start();
	tree_root(2, 2);
	tree_open("memory@0");
	tree_string("device_type", "memory");
	tree_cells("reg", cells, ARRAY_SIZE(cells));
	tree_close();
	CHECK_EQ(discover(tree_finish()), (unsigned long long)-ENOENT);
	CHECK_LOG("/memory@0: reg has 20 bytes, no multiple of 16: ignored");
}

static const struct tree_range banks[] = {
	{ 4 * GIB, 64 * MIB },
	{ RAM_BASE, RAM_SIZE },
	{ 2 * GIB, 1 * MIB },
	{ 2 * GIB + MIB, 1 * MIB },
};

/* Four banks of one node, in no order, two of which touch; and one of another node before it. */
static void test_banks(void)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(8 * GIB, GIB, -1);
	tree_open("memory@100000000");
	tree_string("device_type", "memory");
	tree_reg("reg", banks, ARRAY_SIZE(banks));
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock.memory.cnt, 4);
	CHECK_EQ(memblock_phys_mem_size(), GIB + RAM_SIZE + 66 * MIB);
	CHECK_EQ(memblock_start_of_DRAM(), RAM_BASE);
	CHECK_EQ(memblock_end_of_DRAM(), 9 * GIB);
	CHECK(!tap_logged("memory: "));
}

static void test_not_memory(void)
{
	usual_start();
	tree_open("memory@80000000");
	tree_reg("reg", &(struct tree_range){ 2 * GIB, GIB }, 1);
	tree_close();
	tree_open("memory-controller@90000000");
	tree_string("device_type", "memory-controller");
	tree_reg("reg", &(struct tree_range){ 0x90000000, GIB }, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
}

static void test_status(void)
{
	usual_start();
	tree_open("memory@80000000");
	tree_string("device_type", "memory");
	tree_string("status", "disabled");
	tree_reg("reg", &(struct tree_range){ 2 * GIB, GIB }, 1);
	tree_close();
	tree_open("memory@c0000000");
	tree_string("device_type", "memory");
	tree_string("status", "okay");
	tree_reg("reg", &(struct tree_range){ 3 * GIB, GIB }, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE + GIB);
	CHECK_LOG("/memory@80000000: not enabled");
}

static void test_size_zero(void)
{
	usual_start();
	tree_memory(2 * GIB, 0, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_LOG("/memory@80000000: bank at 0x80000000 has size 0: skipped");
}

/*
 *	1G            1G+256M
 *	[==== first ====]
 *	         [==== second ====]
 */
static void test_overlap(void)
{
	usual_start();
	tree_memory(RAM_BASE + RAM_SIZE / 2, RAM_SIZE, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE * 3 / 2);
	CHECK_EQ(memblock.memory.cnt, 1);
	CHECK_LOG("/memory@48000000: .*0x0*48000000-0x0*57ffffff\\] overlaps .*0x0*40000000-0x0*4fffffff\\] of "
		  "/memory@40000000: merged");
}

static void test_overflow(void)
{
	usual_start();
	tree_memory(~0ULL - MIB + 1, GIB, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_LOG(
		"/memory@fffffffffff00000: 0xfffffffffff00000 \\+ 0x40000000 passes the end of the address space: cut");
	CHECK_LOG("/memory@fffffffffff00000: .*lies past the physical address limit 0x4000000000: left out");
}

static void test_past_limit(void)
{
	usual_start();
	tree_memory(PHYS_ADDR_LIMIT, GIB, -1);
	tree_memory(PHYS_ADDR_LIMIT - GIB, 3 * GIB, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE + GIB);
	CHECK_EQ(memblock_end_of_DRAM(), PHYS_ADDR_LIMIT);
	CHECK_LOG("/memory@4000000000: .*lies past the physical address limit 0x4000000000: left out");
	CHECK_LOG("/memory@3fc0000000: .*passes the physical address limit 0x4000000000: cut there");
}

static void test_all_past_limit(void)
{
	usual_start();
	CHECK_EQ(discover_below(tree_finish(), RAM_BASE), (unsigned long long)-ENOENT);
	CHECK_LOG("left out");
	CHECK_LOG("memory: the tree names none");
}

static void test_no_memory(void)
{
	tree_start();
	tree_root(2, 2);
	CHECK_EQ(discover(tree_finish()), (unsigned long long)-ENOENT);
	CHECK_LOG("memory: the tree names none that can be used");
}

static void test_nodes(void)
{
	static const int want[] = { 0, 1, NUMA_NO_NODE, NUMA_NO_NODE };
	struct memblock_region *r;
	int i = 0;

	tree_start();
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, 0);
	tree_memory(2 * GIB, GIB, 1);
	tree_memory(4 * GIB, GIB, -1);
	tree_memory(6 * GIB, GIB, MAX_NUMNODES);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock.memory.cnt, 4);
	for_each_mem_region(r)
		CHECK_EQ(r->nid, want[i++]);
	CHECK_LOG("/memory@180000000: numa-node-id [0-9]+ is not below [0-9]+: ignored");
}

/* Reservations with an address. */

static void test_memreserve(void)
{
	tree_start();
	tree_memreserve(RAM_BASE + 16 * MIB, MIB);
	tree_memreserve(RAM_BASE + 20 * MIB + 5, 10);
	tree_memreserve(IMAGE_BASE + 4 * KIB, IMAGE_SIZE);
	usual_root();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(all_reserved(RAM_BASE + 16 * MIB, MIB));
	CHECK(!memblock_is_reserved(RAM_BASE + 16 * MIB - 1) && !memblock_is_reserved(RAM_BASE + 17 * MIB));
	CHECK(!memblock_is_reserved(RAM_BASE + 20 * MIB + 4) && memblock_is_reserved(RAM_BASE + 20 * MIB + 5));
	CHECK(memblock_is_reserved(RAM_BASE + 20 * MIB + 14) && !memblock_is_reserved(RAM_BASE + 20 * MIB + 15));
	CHECK(all_reserved(IMAGE_BASE, IMAGE_SIZE + 4 * KIB));
	CHECK_LOG(
		"reserved: /memreserve/ 2 .*0x0*40201000-0x0*40300fff\\] overlaps image text .*0x0*40200000-0x0*4027ffff\\]");
}

/* A reservation is never lost, wherever it lies. */
static const struct mem_claim *claim_of(const char *name)
{
	char buf[128];

	for (unsigned int i = 0; i < claim_count(); i++)
		if (!strcmp(claim_name(claim_get(i), buf, sizeof(buf)), name))
			return claim_get(i);
	return NULL;
}

/* The page at address 0 is kept: by us where nobody else does; one byte of it is enough. Elsewhere RAM has none. */
static void test_first_page(void)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(0, RAM_END, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(all_reserved(0, PAGE_SIZE) && !memblock_is_reserved(PAGE_SIZE));
	CHECK(claim_of("first page"));
}

static void test_first_page_reserved(void)
{
	tree_start();
	tree_memreserve(0xd8, 8);
	tree_root(2, 2);
	tree_memory(0, RAM_END, -1);
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(memblock_is_reserved(0xd8) && !memblock_is_reserved(0));
	CHECK(!claim_of("first page"));
	CHECK_EQ(strlen(host_log()), 0);
}

static void test_first_page_elsewhere(void)
{
	usual_start();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(!memblock_is_reserved(0) && !claim_of("first page"));
}

static void test_memreserve_outside(void)
{
	tree_start();
	tree_memreserve(0x1000, 0x1000);
	tree_memreserve(~0ULL - MIB + 1, 2 * MIB);
	tree_memreserve(RAM_END - 4 * KIB, 8 * KIB);
	usual_root();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_LOG("reserved: /memreserve/ 0 .*0x0*1000-0x0*1fff\\] lies outside RAM");
	CHECK_LOG("/memreserve/ 1: 0xfffffffffff00000 \\+ 0x200000 passes the end of the address space: cut");
	CHECK_LOG(
		"reserved: /memreserve/ 2 .*0x0*4ffff000-0x0*50000fff\\] lies partly outside RAM: kept, it takes 0x1000 bytes");
	CHECK(memblock_is_reserved(RAM_END - 4 * KIB));
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
}

static void open_reserved_memory(void)
{
	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_flag("ranges");
}

static void reserved_node(const char *name, u64 base, u64 size, bool nomap)
{
	tree_open(name);
	tree_reg("reg", &(struct tree_range){ base, size }, 1);
	if (nomap)
		tree_flag("no-map");
	tree_close();
}

static void test_static_nodes(void)
{
	static const struct tree_range two[] = { { RAM_BASE + 16 * MIB, MIB }, { RAM_BASE + 32 * MIB, MIB } };

	usual_start();
	open_reserved_memory();
	tree_open("dsp");
	tree_reg("reg", two, 2);
	tree_close();
	reserved_node("secure@44000000", RAM_BASE + 64 * MIB, 2 * MIB, true);
	tree_open("off@48000000");
	tree_reg("reg", &(struct tree_range){ RAM_BASE + 128 * MIB, MIB }, 1);
	tree_string("status", "disabled");
	tree_close();
	reserved_node("nothing@49000000", RAM_BASE + 144 * MIB, 0, false);
	reserved_node("outside@10000000", 0x10000000, MIB, true);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(all_reserved(two[0].base, MIB) && all_reserved(two[1].base, MIB));
	CHECK(!memblock_is_reserved(RAM_BASE + 128 * MIB));
	CHECK(!memblock_is_map_memory(RAM_BASE + 64 * MIB) && memblock_is_memory(RAM_BASE + 64 * MIB));
	CHECK_EQ(nomap_size(), 2 * MIB);
	CHECK_LOG("reserved: /reserved-memory/nothing@49000000 at 0x49000000 has size 0: skipped");
	CHECK_LOG("reserved: /reserved-memory/outside@10000000 .*lies outside RAM");
}

static void test_two_owners(void)
{
	usual_start();
	open_reserved_memory();
	reserved_node("a@44000000", RAM_BASE + 64 * MIB, 2 * MIB, false);
	reserved_node("b@44100000", RAM_BASE + 65 * MIB, 2 * MIB, false);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(all_reserved(RAM_BASE + 64 * MIB, 3 * MIB));
	CHECK_LOG(
		"reserved: /reserved-memory/b@44100000 .*0x0*44100000-0x0*442fffff\\] overlaps /reserved-memory/a@44000000 "
		".*0x0*44000000-0x0*441fffff\\]: both kept");
}

static void test_reserved_cells(void)
{
	usual_start();
	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 0);
	reserved_node("odd@44000000", RAM_BASE + 64 * MIB, 2 * MIB, false);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_LOG(
		"/reserved-memory/odd@44000000: reg ignored: /reserved-memory has #address-cells 2 and #size-cells 0");
}

static void test_initrd(void)
{
	usual_start();
	tree_open("chosen");
	tree_u32("linux,initrd-start", RAM_BASE + 100 * MIB);
	tree_u32("linux,initrd-end", RAM_BASE + 101 * MIB);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(all_reserved(RAM_BASE + 100 * MIB, MIB));
}

static void test_unreadable_chosen(void)
{
	static const u32 three[] = { 0, 0, 0 };

	usual_start();
	tree_open("chosen");
	tree_u32("linux,initrd-start", RAM_BASE + 100 * MIB);
	tree_cells("linux,initrd-end", three, ARRAY_SIZE(three));
	tree_cells("linux,elfcorehdr", three, ARRAY_SIZE(three));
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(!all_reserved(RAM_BASE + 100 * MIB, MIB));
	CHECK_LOG("/chosen: linux,initrd-start and linux,initrd-end are not one or two cells each: ignored");
	CHECK_LOG("/chosen: linux,elfcorehdr has 12 bytes, no multiple of 16: ignored");
}

static void test_initrd_half(void)
{
	usual_start();
	tree_open("chosen");
	tree_u32("linux,initrd-start", RAM_BASE + 100 * MIB);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_LOG("/chosen: linux,initrd-start and linux,initrd-end are not one or two cells each: ignored");
}

/* The @i-th of many reservations by nodes: from the top of RAM down, the place of the tree left out. */
static u64 high_place(u64 i)
{
	return RAM_END - (i + (i < 15 ? 1 : 2)) * 64 * KIB;
}

/*
 * 500 reservations. The array grows while the first half of them are read; what is read later lies at the top of RAM,
 * where a larger array would go by itself: it must settle on none of them.
 */
static void test_500_reservations(void)
{
	phys_addr_t arrays, extra;

	tree_start();
	for (u64 i = 0; i < 250; i++)
		tree_memreserve(RAM_BASE + 4 * MIB + i * 64 * KIB, 60 * KIB);
	usual_root();
	open_reserved_memory();
	for (u64 i = 0; i < 250; i++) {
		char name[32];

		snprintf(name, sizeof(name), "r@%llx", high_place(i));
		reserved_node(name, high_place(i), 60 * KIB, false);
	}
	tree_close();

	void *fdt = tree_finish();

	CHECK(fdt_totalsize(fdt) < 60 * KIB);
	CHECK_EQ(discover(fdt), 0);
	for (u64 i = 0; i < 250; i++) {
		CHECK(all_reserved(RAM_BASE + 4 * MIB + i * 64 * KIB, 60 * KIB));
		CHECK(all_reserved(high_place(i), 60 * KIB));
	}
	CHECK_NO_LOG("overlaps");
	arrays = ALIGN(memblock.reserved.max * sizeof(struct memblock_region), PAGE_SIZE);
	extra = memblock_reserved_size() - 500 * 60 * KIB - IMAGE_SIZE - fdt_totalsize(fdt);
	CHECK(extra >= arrays && extra < arrays + MIB);
	CHECK(claim_count() >= 500 + 5);
}

/* Dynamic reservations. */

static void dynamic_node(const char *name, u64 size, u64 align, const struct tree_range *where, bool nomap)
{
	tree_open(name);
	tree_size("size", size);
	if (align)
		tree_size("alignment", align);
	if (where)
		tree_reg("alloc-ranges", where, 1);
	if (nomap)
		tree_flag("no-map");
	tree_close();
}

static void test_dynamic(void)
{
	static const struct tree_range low = { RAM_BASE, 32 * MIB }, nowhere = { 0, 0 };
	const struct mem_claim *cma, *pool, *secure;

	usual_start();
	open_reserved_memory();
	dynamic_node("cma", 16 * MIB, 4 * MIB, NULL, false);
	dynamic_node("pool", MIB, 64 * KIB, &low, false);
	dynamic_node("secure", MIB, 0, &low, true);
	dynamic_node("large", GIB, 0, NULL, false);
	dynamic_node("nowhere", MIB, 0, &nowhere, false);
	dynamic_node("odd", MIB, 3 * KIB, NULL, false);
	dynamic_node("empty", 0, 0, NULL, false);
	/* A node with an address comes first, wherever it stands. */
	reserved_node("static@41f00000", RAM_BASE + 31 * MIB, MIB, false);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);

	cma = claim_of("/reserved-memory/cma");
	CHECK(cma && cma->size == 16 * MIB && IS_ALIGNED(cma->base, 4 * MIB) && all_reserved(cma->base, cma->size));
	pool = claim_of("/reserved-memory/pool");
	CHECK(pool && pool->size == MIB && pool->base == RAM_BASE + 30 * MIB);
	secure = claim_of("/reserved-memory/secure");
	CHECK(secure && secure->kind == CLAIM_NOMAP && secure->base + secure->size <= low.base + low.size);
	CHECK(!memblock_is_map_memory(secure->base) && nomap_size() == MIB);
	CHECK_LOG("reserved: /reserved-memory/large: no free 0x40000000 bytes");
	CHECK_LOG("reserved: /reserved-memory/nowhere: no free 0x100000 bytes");
	CHECK_LOG("reserved: /reserved-memory/odd: alignment 0xc00 is no power of two");
	CHECK_LOG("reserved: /reserved-memory/empty has neither a usable reg nor a usable size");
	CHECK(!claim_of("/reserved-memory/large") && !claim_of("/reserved-memory/nowhere"));
	CHECK(claim_of("/reserved-memory/odd"));
}

/* Three cells of size, as 0.4 allows: 1 MiB, and 2^64 bytes, which are nowhere. */
static void test_dynamic_three_cells(void)
{
	static const u32 mib[] = { 0, 0, MIB }, huge[] = { 1, 0, 0 };

	usual_start();
	tree_open("reserved-memory");
	tree_u32("#address-cells", 3);
	tree_u32("#size-cells", 3);
	tree_flag("ranges");
	tree_open("small");
	tree_cells("size", mib, ARRAY_SIZE(mib));
	tree_cells("alignment", mib, ARRAY_SIZE(mib));
	tree_close();
	tree_open("huge");
	tree_cells("size", huge, ARRAY_SIZE(huge));
	tree_close();
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(claim_of("/reserved-memory/small") && claim_of("/reserved-memory/small")->size == MIB);
	CHECK(IS_ALIGNED(claim_of("/reserved-memory/small")->base, MIB));
	CHECK_LOG("reserved: /reserved-memory/huge: no free 0xfffffffffffff000 bytes");
}

/* No exception for what lies in it: the image and half of the tree are reserved, and not mapped. */
static void test_nomap_over_image_and_tree(void)
{
	usual_start();
	open_reserved_memory();
	reserved_node("image@40200000", IMAGE_BASE, IMAGE_SIZE, true);
	reserved_node("tree@4ff00000", TREE_PA, 4 * KIB, true);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(nomap_size(), IMAGE_SIZE + 4 * KIB);
	CHECK(all_reserved(IMAGE_BASE, IMAGE_SIZE));
	CHECK_LOG("reserved: /reserved-memory/image@40200000 .* overlaps image text");
	CHECK_LOG("overlaps device tree");
}

/* The rest: bootargs, claims, DMA reach. */

static void test_claims(void)
{
	static const char *const want[] = {
		"/memory@40000000", "image text",     "image rodata", "image data",
		"device tree",	    "/memreserve/ 0", "initrd",
	};
	char name[128];

	tree_start();
	tree_memreserve(RAM_BASE + 16 * MIB, MIB);
	usual_root();
	tree_open("chosen");
	tree_u32("linux,initrd-start", RAM_BASE + 100 * MIB);
	tree_u32("linux,initrd-end", RAM_BASE + 101 * MIB);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(claim_count(), ARRAY_SIZE(want));
	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++)
		CHECK(!strcmp(claim_name(claim_get(i), name, sizeof(name)), want[i]));
	CHECK_EQ(claim_get(0)->kind, CLAIM_MEMORY);
	CHECK_EQ(claim_get(0)->size, RAM_SIZE);
	CHECK_EQ(claim_get(3)->base, IMAGE_BASE + IMAGE_SIZE * 3 / 4);
}

static void test_bootargs(void)
{
	host_boot_cpu(1);
	usual_start();
	CHECK(!strcmp(fdt_bootargs(tree_finish()), ""));
	usual_start();
	tree_open("chosen");
	tree_string("bootargs", "memstage.run=test quiet");
	tree_close();
	CHECK(!strcmp(fdt_bootargs(tree_finish()), "memstage.run=test quiet"));
}

/* A Raspberry Pi 4's: the soc's masters reach the first GiB, the PCIe's three. */
static void test_dma_limit(void)
{
	static const u32 soc[] = { 0xc0000000, 0, 0, 0x40000000 };
	static const u32 pcie[] = { 0x02000000, 0, 0, 0, 0, 0, 0xc0000000 };

	host_boot_cpu(1);
	usual_start();
	CHECK_EQ(fdt_dma_limit(tree_finish()), 0);
	tree_start();
	tree_root(2, 1);
	tree_open("soc");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", soc, ARRAY_SIZE(soc));
	tree_close();
	tree_open("pcie");
	tree_u32("#address-cells", 3);
	tree_u32("#size-cells", 2);
	tree_cells("dma-ranges", pcie, ARRAY_SIZE(pcie));
	tree_close();
	tree_open("flat");
	tree_flag("dma-ranges");
	tree_close();
	CHECK_EQ(fdt_dma_limit(tree_finish()), GIB);
}

/* Damaged trees. */

/* Something of everything, so that damage has much to hit. */
static void *rich_tree(void)
{
	static const u32 matrix[] = { 0, 0, 10, 0, 1, 20, 1, 1, 10 };
	static const u32 soc[] = { 0xc0000000, 0, 0, 0x40000000 };
	static const struct tree_range low = { RAM_BASE, 32 * MIB };

	tree_start();
	tree_memreserve(RAM_BASE + 16 * MIB, MIB);
	tree_memreserve(RAM_BASE + 48 * MIB, MIB);
	tree_root(2, 2);
	tree_open("chosen");
	tree_string("bootargs", "quiet");
	tree_u32("linux,initrd-start", RAM_BASE + 100 * MIB);
	tree_u32("linux,initrd-end", RAM_BASE + 101 * MIB);
	tree_close();
	tree_memory(RAM_BASE, RAM_SIZE, 0);
	tree_memory(2 * GIB, RAM_SIZE, 1);
	open_reserved_memory();
	reserved_node("a@44000000", RAM_BASE + 64 * MIB, 2 * MIB, false);
	reserved_node("b@48000000", RAM_BASE + 128 * MIB, 2 * MIB, true);
	dynamic_node("cma", 16 * MIB, 4 * MIB, &low, false);
	tree_close();
	tree_open("distance-map");
	tree_string("compatible", "numa-distance-map-v1");
	tree_cells("distance-matrix", matrix, ARRAY_SIZE(matrix));
	tree_close();
	tree_open("soc");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", soc, ARRAY_SIZE(soc));
	tree_close();
	return tree_finish();
}

/*
 * Discovery of a tree that may be damaged. As on the machine, the port has seen a right magic and a plausible size: the
 * header's total size is that of the buffer.
 */
static void discover_damaged(const void *fdt)
{
	host_mute();
	if (!discover(fdt)) {
		numa_init(fdt);
		fdt_dma_limit(fdt);
		fdt_bootargs(fdt);
	}
	CHECK(memblock_check());
}

/* It may panic, with a line of its own; it may not crash or hang. */
static void survive(const void *fdt)
{
	int status = tap_in_child(discover_damaged, fdt);

	CHECK(status == 0 || status == TAP_PANICKED);
}

static void test_truncated(void)
{
	unsigned char *whole = rich_tree();
	u32 size = fdt_totalsize(whole);

	for (u32 cut = sizeof(struct fdt_header); cut < size; cut += 64) {
		for (int how = 0; how < 3; how++) {
			/* The header knows of the cut; it does not, and zeroes follow; or rubbish does. */
			u32 room = how ? size : cut;
			unsigned char *fdt = malloc(room);

			memset(fdt, how == 2 ? 0xa5 : 0, room);
			memcpy(fdt, whole, cut);
			fdt_set_totalsize(fdt, room);
			survive(fdt);
			free(fdt);
		}
	}
}

static void test_truncated_says_so(void)
{
	unsigned char *fdt = rich_tree();

	memset(fdt + fdt_totalsize(fdt) / 2, 0, fdt_totalsize(fdt) / 2);
	CHECK_EQ(discover(fdt), (unsigned long long)-EINVAL);
	CHECK_LOG("device tree: [0-9]+ bytes, not valid as a whole: FDT_ERR_");
}

static void test_flips(void)
{
	const unsigned char *whole = rich_tree();
	u32 size = fdt_totalsize(whole);
	unsigned long n = tap_ops(400);

	while (n--) {
		unsigned char *fdt = malloc(size);

		memcpy(fdt, whole, size);
		for (u64 flips = 1 + tap_below(4); flips; flips--)
			fdt[8 + tap_below(size - 8)] ^= (unsigned char)(1 + tap_below(255));
		survive(fdt);
		free(fdt);
	}
}

static const struct tap_case cases[] = {
	TAP_CASE("the usual machine, in silence", test_usual),
	TAP_CASE("1 address cell, 1 size cell", test_cells_1_1),
	TAP_CASE("1 address cell, 2 size cells", test_cells_1_2),
	TAP_CASE("2 address cells, 1 size cell", test_cells_2_1),
	TAP_CASE("2 address cells, 2 size cells", test_cells_2_2),
	TAP_CASE("0 address cells are refused", test_cells_0_2),
	TAP_CASE("3 address cells", test_cells_3_2),
	TAP_CASE("3 size cells", test_cells_2_3),
	TAP_CASE("4 address cells are refused", test_cells_4_2),
	TAP_CASE("numbers of more than 64 bits", test_cells_above_64),
	TAP_CASE("0 and 0 cells are refused", test_cells_0_0),
	TAP_CASE("3 and 3 cells", test_cells_3_3),
	TAP_CASE("0 size cells are refused", test_cells_2_0),
	TAP_CASE("a reg of odd length", test_reg_length),
	TAP_CASE("several banks in no order", test_banks),
	TAP_CASE("what is no memory node", test_not_memory),
	TAP_CASE("status", test_status),
	TAP_CASE("a bank of size zero", test_size_zero),
	TAP_CASE("overlapping banks", test_overlap),
	TAP_CASE("a bank that passes the end of the address space", test_overflow),
	TAP_CASE("banks past the physical address limit", test_past_limit),
	TAP_CASE("no bank below the physical address limit", test_all_past_limit),
	TAP_CASE("no /memory", test_no_memory),
	TAP_CASE("node ids", test_nodes),
	TAP_CASE("/memreserve/", test_memreserve),
	TAP_CASE("RAM at 0: its first page is kept", test_first_page),
	TAP_CASE("RAM at 0: a byte reserved keeps its first page", test_first_page_reserved),
	TAP_CASE("RAM elsewhere: nothing is kept at 0", test_first_page_elsewhere),
	TAP_CASE("/memreserve/ outside RAM", test_memreserve_outside),
	TAP_CASE("/reserved-memory with addresses", test_static_nodes),
	TAP_CASE("two owners of one range", test_two_owners),
	TAP_CASE("cells of /reserved-memory", test_reserved_cells),
	TAP_CASE("initrd", test_initrd),
	TAP_CASE("initrd and elfcorehdr that cannot be read", test_unreadable_chosen),
	TAP_CASE("initrd of which one end is missing", test_initrd_half),
	TAP_CASE("500 reservations", test_500_reservations),
	TAP_CASE("/reserved-memory to be placed", test_dynamic),
	TAP_CASE("sizes of three cells", test_dynamic_three_cells),
	TAP_CASE("no-map over image and tree", test_nomap_over_image_and_tree),
	TAP_CASE("claims, their order and names", test_claims),
	TAP_CASE("bootargs", test_bootargs),
	TAP_CASE("reach of bus masters", test_dma_limit),
	TAP_CASE("a tree cut at every 64th byte", test_truncated),
	TAP_CASE("a cut tree is told", test_truncated_says_so),
	TAP_CASE("flipped bytes", test_flips),
};
TAP_MAIN(cases)
