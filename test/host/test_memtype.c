// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory types: ranges that overlap against a flat list, and what vmap() maps against linear map, memremap() and
 * vmap(). Those of bus masters are in test_memtype_dma.c, of ioremap() alone in test_ioremap.c.
 */
#include <mm/io.h>
#include <mm/memtype.h>
#include <mm/port.h>
#include <mm/va_tree.h>
#include <mm/vmalloc.h>
#include <string.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB   (1ULL << 20)
#define UNITS 128
#define LIVE  60

/*
 * Ranges of a tree, which may overlap, against a list:
 *
 *	units:  0 . . . . . . . . . . . . . 128
 *	           [-----)    [---------)
 *	             [-)        [-)
 *	           [--)               wanted: [---)
 */

static struct va_extent extents[LIVE];

static bool listed(unsigned long start, unsigned long end)
{
	for (int i = 0; i < LIVE; i++)
		if (extents[i].end && extents[i].start < end && start < extents[i].end)
			return true;
	return false;
}

static void check_tree(const struct va_tree *tree, unsigned int nr)
{
	const struct va_extent *at = NULL, *before = NULL;

	for (unsigned long start = 0; start < UNITS; start++)
		for (unsigned long end = start + 1; end <= min(start + 5, (unsigned long)UNITS); end++) {
			const struct va_extent *found = va_overlap(tree, start, end);

			CHECK_EQ(found != NULL, listed(start, end));
			CHECK(!found || (found->start < end && start < found->end));
		}
	while ((at = va_next(tree, at))) {
		CHECK(!before || before->start <= at->start);
		before = at;
		nr--;
	}
	CHECK_EQ(nr, 0);
}

static void test_tree(void)
{
	struct va_tree tree = { NULL };
	unsigned int nr = 0;

	host_boot_cpu(1);
	for (unsigned long n = tap_ops(3000); n; n--) {
		struct va_extent *one = &extents[tap_below(LIVE)];

		if (one->end) {
			va_remove(&tree, one);
			one->end = 0;
			nr--;
		} else {
			one->start = tap_below(UNITS - 16);
			one->end = one->start + 1 + tap_below(tap_below(4) ? 4 : 16);
			va_insert(&tree, one);
			nr++;
		}
		check_tree(&tree, nr);
	}
}

/* Ranges held, of all types: against a list that is walked. A range may grow at its end. */

static struct memtype_range ranges[LIVE];

static bool list_allows(const struct memtype_range *range, u64 size)
{
	for (int i = 0; i < LIVE; i++)
		if (ranges[i].size && ranges[i].type != range->type &&
		    PFN_DOWN(ranges[i].base) <= PFN_DOWN(range->base + size - 1) &&
		    PFN_DOWN(range->base) <= PFN_DOWN(ranges[i].base + ranges[i].size - 1))
			return false;
	return true;
}

static void hold_one(struct memtype_range *range)
{
	struct memtype_range wanted = {
		.base = tap_below(UNITS * PAGE_SIZE),
		.size = 1 + tap_below(6 * PAGE_SIZE),
		.name = "test",
		.type = (u8)tap_below(NR_MEMTYPES),
		.ram = tap_below(2),
	};
	bool allowed = list_allows(&wanted, wanted.size);

	CHECK_EQ(memtype_refused(&wanted, true), !allowed);
	*range = wanted;
	CHECK_EQ(memtype_hold(range, true), allowed);
	if (!allowed)
		range->size = 0;
}

static void change_one(struct memtype_range *range)
{
	u64 more = 1 + tap_below(2 * PAGE_SIZE), size = range->size;
	bool allowed = list_allows(range, size + more);

	CHECK_EQ(memtype_extend(range, more), allowed);
	CHECK_EQ(range->size, allowed ? size + more : size);
}

static void check_counts(void)
{
	unsigned long nr = 0, ram = 0;

	for (int i = 0; i < LIVE; i++) {
		nr += ranges[i].size != 0;
		ram += ranges[i].size && ranges[i].ram;
	}
	CHECK_EQ(memtype_held(), nr);
	CHECK_EQ(memtype_ram_held(), ram);
	CHECK(memtype_check());
}

static void test_ranges(void)
{
	host_boot_cpu(1);
	for (unsigned long n = tap_ops(20000); n; n--) {
		struct memtype_range *range = &ranges[tap_below(LIVE)];

		if (!range->size) {
			hold_one(range);
		} else if (tap_below(2)) {
			change_one(range);
		} else {
			memtype_drop(range);
			range->size = 0;
		}
		if (n % 16 == 0)
			check_counts();
	}
	check_counts();
}

/* The check finds what it is there for: a range whose type was changed behind its back. */
static void test_check(void)
{
	struct memtype_range one = { .base = 0, .size = 8, .name = "one", .type = MEMTYPE_WC }, two = one;

	host_boot_cpu(1);
	CHECK(memtype_hold(&one, false) && memtype_hold(&two, false) && memtype_check());
	two.type = MEMTYPE_WT;
	CHECK(!memtype_check());
	CHECK_LOG("memtype check: .*, and one has a page of another type");
	two.type = MEMTYPE_WC;
	two.ram = true;
	CHECK(!memtype_check());
	CHECK_LOG("memtype check: 2 ranges of 2, 1 of RAM of 0$");
}

/* --- vmap() --- */

/* With what each maps, and the words for it. */
static const struct prot {
	u64 prot;
	enum memtype type;
	const char *words;
} prots[] = {
	{ PAGE_KERNEL, MEMTYPE_WB, "write-back" },	 { PAGE_KERNEL_RO, MEMTYPE_WB, "write-back" },
	{ PAGE_KERNEL_NC, MEMTYPE_WC, "not cacheable" }, { PAGE_KERNEL_WT, MEMTYPE_WT, "write-through" },
	{ PAGE_DEVICE, MEMTYPE_DEVICE, "device nGnRE" }, { PAGE_DEVICE_NP, MEMTYPE_DEVICE_NP, "device nGnRnE" },
};

/* Two mappings of a page, the second of which shares the first one's last page. */
static void try_pair(struct page *page, const struct prot *first, const struct prot *second)
{
	struct page *one[3] = { page, page + 1, page + 2 }, *other[2] = { page + 2, page + 3 };
	bool agree = first->type == MEMTYPE_WB || first->type == second->type;
	phys_addr_t phys = page_to_phys(page);
	void *a = vmap(one, 3, VM_MAP, first->prot), *b;

	CHECK(a);
	CHECK_EQ(memtype_held(), first->type != MEMTYPE_WB);
	host_log_clear();
	b = vmap(other, 2, VM_MAP, second->prot);
	CHECK_EQ(b != NULL, agree);
	if (agree)
		CHECK_NO_LOG(".");
	else
		host_check_conflict("vmap", phys + 2 * PAGE_SIZE, 2 * PAGE_SIZE, second->type, "vmap", phys,
				    3 * PAGE_SIZE, first->type);
	vunmap(b);
	CHECK_EQ(memtype_held(), first->type != MEMTYPE_WB);
	vunmap(a);
	CHECK_EQ(memtype_held(), 0);
	/* It is over: the page may be mapped in either way. */
	b = vmap(other, 2, VM_MAP, second->prot);
	CHECK(b);
	vunmap(b);
}

/*
 * All pairs of types in both orders: of two that do not agree the later one is refused. Write-back is the linear map's.
 */
static void test_vmap_pairs(void)
{
	struct page *page;
	unsigned long start;

	host_boot_simple(32 * MIB, 1);
	start = host_quiet_pages();
	page = alloc_pages(GFP_KERNEL, 2);
	CHECK(page);
	/* Twenty do not agree: as many as are told. */
	for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
		CHECK(!strcmp(memtype_name(prots[i].type), prots[i].words));
		for (size_t j = 0; j < ARRAY_SIZE(prots); j++)
			try_pair(page, &prots[i], &prots[j]);
	}
	__free_pages(page, 2);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

static void test_vmap_others(void)
{
	struct page *page, *apart[4];
	phys_addr_t phys;
	u8 *nc, *linear;

	host_boot_simple(32 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 3);
	CHECK(page);
	phys = page_to_phys(page);
	apart[0] = page + 4;
	apart[1] = page + 5;
	apart[2] = page;
	apart[3] = page + 1;
	/* A linear address that somebody has stands in nobody's way. */
	linear = memremap(phys, 8 * PAGE_SIZE, MEMREMAP_WB);
	CHECK(linear == page_address(page));
	nc = vmap(apart, 4, VM_MAP, PAGE_KERNEL_NC);
	CHECK(nc);
	CHECK_EQ(memtype_held(), 2);
	CHECK_EQ(memtype_ram_held(), 2);
	CHECK(!memremap(phys + 3 * PAGE_SIZE, PAGE_SIZE + 8, MEMREMAP_WB));
	host_check_conflict("memremap", phys + 3 * PAGE_SIZE, PAGE_SIZE + 8, MEMTYPE_WB, "vmap", phys + 4 * PAGE_SIZE,
			    2 * PAGE_SIZE, MEMTYPE_WC);
	CHECK(!memremap(phys + PAGE_SIZE, 1, MEMREMAP_WB | MEMREMAP_WC));
	host_check_conflict("memremap", phys + PAGE_SIZE, 1, MEMTYPE_WB, "vmap", phys, 2 * PAGE_SIZE, MEMTYPE_WC);
	CHECK(memremap(phys + 2 * PAGE_SIZE, 2 * PAGE_SIZE, MEMREMAP_WB) == page_address(page + 2));
	CHECK(!vm_map_ram(apart + 1, 1, -1));
	host_check_conflict("vm_map_ram", phys + 5 * PAGE_SIZE, PAGE_SIZE, MEMTYPE_WB, "vmap", phys + 4 * PAGE_SIZE,
			    2 * PAGE_SIZE, MEMTYPE_WC);
	/* A wrong end ends nothing. */
	vunmap(nc + PAGE_SIZE);
	vm_unmap_ram(nc, 4);
	vfree(nc);
	iounmap(nc);
	CHECK_EQ(memtype_held(), 2);
	vunmap(nc);
	vunmap(nc);
	CHECK_EQ(memtype_held(), 0);
	linear = vm_map_ram(apart + 1, 1, -1);
	CHECK(linear && memremap(phys + PAGE_SIZE, 1, MEMREMAP_WB));
	vm_unmap_ram(linear, 1);
	__free_pages(page, 3);
	CHECK(vmalloc_check());
	host_check();
}

/* No-map memory has struct pages and no linear map: there write-back is a type like any other. */
static void test_vmap_nomap(void)
{
	static const struct host_bank bank = { 0x40000000, 32 * MIB, -1 };
	struct page *pages[2];
	void *map, *memory;

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .add_nodes = host_add_firmware });
	pages[0] = pfn_to_page(PFN_DOWN(0x41000000));
	pages[1] = pages[0] + 1;
	map = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
	CHECK(map);
	CHECK_EQ(memtype_held(), 1);
	CHECK(!memremap(0x41001ff0, 8, MEMREMAP_WC));
	host_check_conflict("memremap", 0x41001ff0, 8, MEMTYPE_WC, "vmap", 0x41000000, 0x2000, MEMTYPE_WB);
	CHECK(!ioremap(0x41000000, 8));
	memory = memremap(0x41000000, 0x2000, MEMREMAP_WB);
	CHECK(memory);
	vunmap(map);
	CHECK(!vmap(pages, 2, VM_MAP, PAGE_KERNEL_WT));
	host_check_conflict("vmap", 0x41000000, 0x2000, MEMTYPE_WT, "memremap", 0x41000000, 0x2000, MEMTYPE_WB);
	memunmap(memory);
	map = vm_map_ram(pages, 2, -1);
	CHECK(map && !ioremap_wc(0x41001000, 1));
	vm_unmap_ram(map, 2);
	iounmap(ioremap_wc(0x41001000, 1));
	CHECK_EQ(memtype_held(), 0);
	host_check();
}

/* What cannot be leaves nothing: a protection that is none, no memory for the note, no addresses. */
static void test_vmap_refused(void)
{
	struct page *page, *pages[600];
	LIST_HEAD(all);

	host_boot_simple(32 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	CHECK(!vmap(&page, 1, VM_MAP, PAGE_KERNEL_WT | PAGE_KERNEL_RO));
	CHECK_LOG(
		"\\] vmap: 1 pages from \\[mem 0x[0-9a-f]{16}\\] on, asked for by [^ ]+: its protection is none that there is: refused$");
	CHECK(!vmap(&page, 0, VM_MAP, PAGE_KERNEL_NC));
	CHECK(!vmap(&page, ~0U, VM_MAP, PAGE_KERNEL_NC));
	CHECK_LOG("more than all RAM");
	host_take_addresses();
	CHECK(!vmap(&page, 1, VM_MAP, PAGE_KERNEL_NC));
	CHECK_LOG("no memory, or no address space");
	CHECK_EQ(memtype_held(), 0);
	host_put_addresses();
	/* Each page a run of its own, and no memory for so many. */
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = page;
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &all);
	host_log_clear();
	CHECK(!vmap(pages, ARRAY_SIZE(pages), VM_MAP, PAGE_KERNEL_NC));
	CHECK_LOG("\\] vmap: 600 pages .*: no memory to note its memory type: refused$");
	CHECK_EQ(memtype_held(), 0);
	give_blocks(&all);
	CHECK(vmalloc_check());
	__free_page(pages[0]);
	host_check();
}

/* One of many runs is in conflict: those before it are let go of. */
static void test_vmap_half(void)
{
	struct page *page, *pages[8];
	void *map;

	host_boot_simple(32 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 4);
	CHECK(page);
	for (int i = 0; i < 8; i++)
		pages[i] = page + 2 * i;
	map = vmap(&pages[6], 1, VM_MAP, PAGE_KERNEL_WT);
	CHECK(map);
	CHECK(!vmap(pages, 8, VM_MAP, PAGE_KERNEL_NC));
	CHECK_EQ(memtype_held(), 1);
	vunmap(map);
	map = vmap(pages, 8, VM_MAP, PAGE_KERNEL_NC);
	CHECK(map);
	CHECK_EQ(memtype_held(), 8);
	vunmap(map);
	CHECK_EQ(memtype_held(), 0);
	__free_pages(page, 4);
	host_check();
}

/* TLBs are told of the whole mapping while it is held still. */

static struct {
	unsigned long start, end, held;
} told;

static void note_flush(unsigned long start, unsigned long end)
{
	if (told.start < start || told.end > end)
		return;
	told.start = 0;
	told.held = memtype_held();
}

static void try_end(void *map, unsigned long nr, void (*unmap)(void *map))
{
	CHECK(map);
	told.start = (uintptr_t)map;
	told.end = told.start + nr * PAGE_SIZE;
	told.held = 0;
	host_tlb_watch(note_flush);
	unmap(map);
	host_tlb_watch(NULL);
	CHECK_EQ(told.held, 1);
	CHECK_EQ(memtype_held(), 0);
}

static void end_vmap(void *map)
{
	vunmap(map);
}

static void end_ioremap(void *map)
{
	iounmap(map);
}

static void test_told(void)
{
	struct page *page, *pages[512];

	host_boot_simple(32 * MIB, 1);
	page = alloc_pages(GFP_KERNEL, 9);
	CHECK(page);
	for (int i = 0; i < 512; i++)
		pages[i] = page + i;
	try_end(vmap(pages, 3, VM_MAP, PAGE_KERNEL_NC), 3, end_vmap);
	try_end(vmap(pages, 512, VM_MAP, PAGE_KERNEL_WT), 512, end_vmap);
	try_end(ioremap(0x10000000, 3 * PAGE_SIZE), 3, end_ioremap);
	__free_pages(page, 9);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("a tree of ranges that overlap", test_tree),
	TAP_CASE("ranges of all types at random", test_ranges),
	TAP_CASE("the check finds a page with two types", test_check),
	TAP_CASE("vmap(): all pairs of types, in both orders", test_vmap_pairs),
	TAP_CASE("vmap() against the linear map, memremap() and vm_map_ram()", test_vmap_others),
	TAP_CASE("vmap() of memory that the linear map has not", test_vmap_nomap),
	TAP_CASE("vmap() that cannot be leaves nothing", test_vmap_refused),
	TAP_CASE("vmap() of many runs, one of them in conflict", test_vmap_half),
	TAP_CASE("TLBs are told before a page may have another type", test_told),
};
TAP_MAIN(cases)
