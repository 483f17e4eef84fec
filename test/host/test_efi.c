// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery from UEFI's memory map (mm/discover_efi.c).
 *
 * 1. The usual machine: the map of this picture, in pages from BASE on, beside a /memory node that must not count.
 *
 *	0       256          1024       1028      1100      1104      1200      1204    4096
 *	| boot  | conventional | runtime | conv.   | NVS     | conv.   | ACPI    | conv.  |
 *	  code    image, tree                                            reclaim
 *
 * 2. A map may be broken in every way a number can: each case says what remains, and which line tells.
 * 3. Random maps, overlaps and all, are compared page by page with a model: an array of pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <mm/discover.h>
#include <mm/efi_map.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"
#include "tree.h"

#define BASE	  (1ULL << 30)
#define PAGES(n)  ((u64)(n)*PAGE_SIZE)
#define PLACE(n)  (BASE + PAGES(n))
#define NR_PAGES  4096
#define IMAGE	  300
#define TREE	  400
#define STEP	  48
#define RUNTIME	  (1ULL << 63)
#define DESCS_MAX 512

#define D(kind, at, nr)                                      \
	{                                                    \
		(kind), 0, PLACE(at), 0, (nr), EFI_MEMORY_WB \
	}

static const struct efi_memory_desc usual[] = {
	D(EFI_BOOT_SERVICES_CODE, 0, 256),     D(EFI_CONVENTIONAL_MEMORY, 256, 768),
	D(EFI_RUNTIME_SERVICES_DATA, 1024, 4), D(EFI_CONVENTIONAL_MEMORY, 1028, 72),
	D(EFI_ACPI_MEMORY_NVS, 1100, 4),       D(EFI_CONVENTIONAL_MEMORY, 1104, 96),
	D(EFI_ACPI_RECLAIM_MEMORY, 1200, 4),   D(EFI_CONVENTIONAL_MEMORY, 1204, NR_PAGES - 1204),
};

static struct boot_info boot = {
	.fdt_pa = PLACE(TREE),
	.image_base = PLACE(IMAGE),
	.image_rodata = PLACE(IMAGE + 8),
	.image_data = PLACE(IMAGE + 12),
	.image_end = PLACE(IMAGE + 16),
	.phys_limit = PHYS_ADDR_LIMIT,
};

/* /chosen with the map: @nr descriptors, @step bytes apart, and @rest bytes more. A step of 0 is not written. */
static void put_map(const struct efi_memory_desc *descs, size_t nr, u32 step, size_t rest)
{
	static u8 bytes[DESCS_MAX * 64];

	memset(bytes, 0xee, sizeof(bytes));
	for (size_t i = 0; i < nr; i++)
		memcpy(bytes + i * step, &descs[i], min(sizeof(*descs), (size_t)step));
	tree_open("chosen");
	tree_bytes(EFI_MMAP_PROP, bytes, nr * step + rest);
	if (step)
		tree_u32(EFI_MMAP_STEP_PROP, step);
	tree_close();
}

static int discover_tree(void)
{
	int err;

	boot.fdt = tree_finish();
	host_boot_cpu(1);
	err = discover_memory(&boot);
	CHECK(memblock_check());
	return err;
}

static int discover(const struct efi_memory_desc *descs, size_t nr)
{
	tree_start();
	tree_root(2, 2);
	put_map(descs, nr, STEP, 0);
	return discover_tree();
}

static bool is_nomap(phys_addr_t pa)
{
	return memblock_is_memory(pa) && !memblock_is_map_memory(pa);
}

/* RAM, mapped, and nobody's. */
static bool is_free(phys_addr_t pa)
{
	return memblock_is_map_memory(pa) && !memblock_is_reserved(pa);
}

/* The name of the first claim of @kind that covers @pa, "" when none does. */
static const char *owner(phys_addr_t pa, enum claim_kind kind)
{
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->kind == kind && pa >= c->base && pa - c->base < c->size)
			return c->name ? c->name : "(a node)";
	}
	return "";
}

static void check_usual(void)
{
	CHECK_EQ(memblock_phys_mem_size(), PAGES(NR_PAGES));
	CHECK_EQ(memblock_start_of_DRAM(), BASE);
	CHECK(is_free(BASE) && is_free(PLACE(256)) && is_free(PLACE(1204)));
	CHECK(memblock_is_reserved(PLACE(1024)) && memblock_is_reserved(PLACE(1028) - 1));
	CHECK(memblock_is_map_memory(PLACE(1024)) && is_free(PLACE(1024) - 1) && is_free(PLACE(1028)));
	CHECK(is_nomap(PLACE(1100)) && is_nomap(PLACE(1104) - 1) && is_free(PLACE(1100) - 1) && is_free(PLACE(1104)));
	CHECK(memblock_is_reserved(PLACE(1200)) && memblock_is_map_memory(PLACE(1200)));
}

static void test_usual(void)
{
	CHECK_EQ(discover(usual, ARRAY_SIZE(usual)), 0);
	check_usual();
	CHECK(!strcmp(owner(BASE, CLAIM_MEMORY), "UEFI boot services code"));
	CHECK(!strcmp(owner(PLACE(256), CLAIM_MEMORY), "UEFI conventional memory"));
	CHECK(!strcmp(owner(PLACE(1024), CLAIM_RESERVED), "UEFI runtime services data"));
	CHECK(!strcmp(owner(PLACE(1100), CLAIM_NOMAP), "UEFI ACPI NVS"));
	CHECK(!strcmp(owner(PLACE(1200), CLAIM_RESERVED), "UEFI ACPI reclaim memory"));
	CHECK(!strcmp(owner(PLACE(IMAGE), CLAIM_RESERVED), "image text"));
	CHECK(!strcmp(owner(PLACE(TREE), CLAIM_RESERVED), "device tree"));
	CHECK_LOG("memory: 8 descriptors of UEFI's map say what is RAM; /memory nodes only");
	CHECK_NO_LOG("overlap|outside|missing|ignored|not used");
}

static void test_unsorted(void)
{
	struct efi_memory_desc back[ARRAY_SIZE(usual)];

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		back[i] = usual[ARRAY_SIZE(usual) - 1 - i];
	CHECK_EQ(discover(back, ARRAY_SIZE(back)), 0);
	check_usual();
	CHECK_NO_LOG("overlap|outside");
}

/* Each type's fate, with and without EFI_MEMORY_WB, one page each; one type more than there are. */
static void test_types(void)
{
	static const char fates[] = "nffffrrfnrn--nnnn"; /* no-map, free, reserved, - no RAM */
	struct efi_memory_desc descs[2 * sizeof(fates)];
	u32 nr = 0;

	_Static_assert(sizeof(fates) == NR_EFI_MEMORY_TYPES + 2, "a letter for each type and one unknown");
	descs[nr++] = (struct efi_memory_desc)D(EFI_CONVENTIONAL_MEMORY, 256, 256);
	for (u32 type = 0; type <= NR_EFI_MEMORY_TYPES; type++) {
		descs[nr] = (struct efi_memory_desc)D(type, 1000 + type, 1);
		descs[nr++].attribute |= RUNTIME | 7;
		descs[nr] = (struct efi_memory_desc)D(type, 2000 + type, 1);
		descs[nr++].attribute = RUNTIME | 7;
	}
	CHECK_EQ(discover(descs, nr), 0);
	for (u32 type = 0; type <= NR_EFI_MEMORY_TYPES; type++) {
		phys_addr_t pa = PLACE(1000 + type);

		CHECK_EQ(memblock_is_memory(pa), fates[type] != '-');
		CHECK_EQ(is_nomap(pa), fates[type] == 'n');
		CHECK_EQ(memblock_is_reserved(pa), fates[type] == 'r');
		CHECK_EQ(is_free(pa), fates[type] == 'f');
		CHECK(!memblock_is_memory(pa + PAGES(1000)) && !memblock_is_reserved(pa + PAGES(1000)));
	}
	CHECK(!strcmp(owner(PLACE(1000 + NR_EFI_MEMORY_TYPES), CLAIM_NOMAP), "UEFI memory of unknown type"));
}

static void test_special_purpose(void)
{
	struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000), D(EFI_CONVENTIONAL_MEMORY, 1000, 8) };

	descs[1].attribute |= EFI_MEMORY_SP;
	CHECK_EQ(discover(descs, 2), 0);
	CHECK(memblock_is_map_memory(PLACE(1000)) && memblock_is_reserved(PLACE(1000)) && is_free(PLACE(1000) - 1));
	CHECK(!strcmp(owner(PLACE(1000), CLAIM_RESERVED), "UEFI special purpose memory"));
}

/* The tree has less here, more there, and nodes; the border between nodes lies within a descriptor. */
static void test_tree_beside(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000) };
	const struct memblock_region *r;

	tree_start();
	tree_root(2, 2);
	put_map(descs, ARRAY_SIZE(descs), STEP, 0);
	tree_memory(PLACE(0), PAGES(500), 1);
	tree_memory(PLACE(500), PAGES(100), 0);
	tree_memory(PLACE(900), PAGES(600), 2);
	tree_open("memory@off");
	tree_string("device_type", "memory");
	tree_string("status", "disabled");
	tree_reg("reg", &(struct tree_range){ PLACE(700), PAGES(100) }, 1);
	tree_u32("numa-node-id", 3);
	tree_close();
	CHECK_EQ(discover_tree(), 0);
	CHECK_EQ(memblock_phys_mem_size(), PAGES(1000));
	CHECK_EQ(memblock_search(&memblock.memory, PLACE(0))->nid, 1);
	CHECK_EQ(memblock_search(&memblock.memory, PLACE(500) - 1)->nid, 1);
	CHECK_EQ(memblock_search(&memblock.memory, PLACE(500))->nid, 0);
	r = memblock_search(&memblock.memory, PLACE(600));
	CHECK(r && r->nid == NUMA_NO_NODE && r->base == PLACE(600) && r->size == PAGES(300));
	CHECK_EQ(memblock_search(&memblock.memory, PLACE(999))->nid, 2);
	CHECK_LOG("memory: /memory@40384000: 0x1f4000 bytes of .* are not in UEFI's map: not used");
	CHECK_NO_LOG("/memory@40000000:|/memory@off:|/memory@401f4000:");
}

/* Firmware has put into its map what the tree keeps: no line. Two of the tree's that overlap in there have theirs. */
static void test_kept_by_both(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000),
							D(EFI_RESERVED_MEMORY, 1000, 16),
							D(EFI_RUNTIME_SERVICES_DATA, 1016, 16) };

	tree_start();
	tree_memreserve(PLACE(1000), PAGES(16));
	tree_memreserve(PLACE(1020), PAGES(2));
	tree_memreserve(PLACE(1021), PAGES(1));
	tree_memreserve(PLACE(1030), PAGES(4));
	tree_root(2, 2);
	put_map(descs, ARRAY_SIZE(descs), STEP, 0);
	CHECK_EQ(discover_tree(), 0);
	CHECK(is_nomap(PLACE(1000)) && is_nomap(PLACE(1016) - 1));
	CHECK_NO_LOG("/memreserve/ 0.* overlaps|/memreserve/ 1 .* overlaps");
	CHECK_LOG("/memreserve/ 2 .* overlaps /memreserve/ 1 ");
	CHECK_LOG("/memreserve/ 3 .* overlaps UEFI runtime services data ");
}

static void test_hotpluggable(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000) };

	tree_start();
	tree_root(2, 2);
	put_map(descs, ARRAY_SIZE(descs), STEP, 0);
	tree_open("memory@1");
	tree_string("device_type", "memory");
	tree_flag("hotpluggable");
	tree_reg("reg", &(struct tree_range){ PLACE(600), PAGES(400) }, 1);
	tree_close();
	CHECK_EQ(discover_tree(), 0);
	CHECK(memblock_is_hotpluggable(memblock_search(&memblock.memory, PLACE(600))));
	CHECK(!memblock_is_hotpluggable(memblock_search(&memblock.memory, PLACE(600) - 1)));
}

/* Without a map nothing of all this is said, and /memory counts. */
static void test_no_map(void)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(BASE, PAGES(NR_PAGES), -1);
	CHECK_EQ(discover_tree(), 0);
	CHECK_EQ(memblock_phys_mem_size(), PAGES(NR_PAGES));
	CHECK_NO_LOG("UEFI");
}

/* Maps that are broken. */

static void steps_are(u32 step, size_t rest, int err)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(BASE, PAGES(NR_PAGES), -1);
	put_map(usual, step ? ARRAY_SIZE(usual) : 0, step, rest);
	CHECK_EQ(discover_tree(), err);
}

static void test_step_40(void)
{
	steps_are(40, 0, 0);
	check_usual();
}

static void test_step_odd(void)
{
	steps_are(57, 0, 0);
	check_usual();
}

static void test_step_small(void)
{
	steps_are(39, 0, -EINVAL);
	CHECK_LOG(
		"memory: /chosen/memstage,uefi-mmap: descriptors of 39 bytes, less than 40: UEFI's map cannot be read");
	CHECK_EQ(memblock_phys_mem_size(), 0);
}

static void test_step_missing(void)
{
	steps_are(0, 400, -EINVAL);
	CHECK_LOG("descriptors of 0 bytes, less than 40: UEFI's map cannot be read");
	CHECK_EQ(memblock_phys_mem_size(), 0);
}

static void test_length(void)
{
	steps_are(STEP, STEP - 1, 0);
	check_usual();
	CHECK_LOG("memory: /chosen/memstage,uefi-mmap: 47 bytes behind descriptor 8 are no whole one: ignored");
}

static void test_empty(void)
{
	CHECK_EQ(discover(usual, 0), -EINVAL);
	CHECK_LOG("memory: UEFI's map has no RAM");
}

static void test_only_io(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_MEMORY_MAPPED_IO, 0, 1000) };

	CHECK_EQ(discover(descs, 1), -EINVAL);
	CHECK_LOG("memory: UEFI's map has no RAM");
}

static void test_size_0(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000),
							D(EFI_CONVENTIONAL_MEMORY, 2000, 0),
							D(EFI_RUNTIME_SERVICES_CODE, 500, 0) };

	CHECK_EQ(discover(descs, ARRAY_SIZE(descs)), 0);
	CHECK_EQ(memblock_phys_mem_size(), PAGES(1000));
	CHECK(is_free(PLACE(500)));
	CHECK_LOG("memory: UEFI conventional memory: bank at 0x407d0000 has size 0: skipped");
	CHECK_LOG("memory: UEFI runtime services code: bank at 0x401f4000 has size 0: skipped");
	CHECK_NO_LOG("reserved: UEFI");
}

static void test_overlap(void)
{
	static const struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000),
							D(EFI_BOOT_SERVICES_DATA, 900, 200),
							D(EFI_RUNTIME_SERVICES_CODE, 990, 20),
							D(EFI_MEMORY_MAPPED_IO, 600, 10) };

	CHECK_EQ(discover(descs, ARRAY_SIZE(descs)), 0);
	CHECK_EQ(memblock_phys_mem_size(), PAGES(1100));
	CHECK_LOG("memory: UEFI boot services data: .* overlaps .* of UEFI conventional memory: merged");
	CHECK(memblock_is_reserved(PLACE(990)) && memblock_is_reserved(PLACE(1009)) && is_free(PLACE(1010)));
	CHECK(is_nomap(PLACE(600)) && is_nomap(PLACE(609)) && is_free(PLACE(610)) && is_free(PLACE(599)));
	CHECK(!strcmp(owner(PLACE(600), CLAIM_NOMAP), "UEFI memory mapped I/O"));
}

static void test_overflow(void)
{
	struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000), D(EFI_CONVENTIONAL_MEMORY, 0, 0),
					   D(EFI_CONVENTIONAL_MEMORY, 0, 0), D(EFI_RUNTIME_SERVICES_CODE, 0, 0) };

	descs[1].physical_start = ~0ULL - 0xfff;
	descs[1].nr_pages = 2;
	descs[2].physical_start = PLACE(2000);
	descs[2].nr_pages = ~0ULL;
	descs[3].physical_start = PHYS_ADDR_LIMIT - PAGE_SIZE;
	descs[3].nr_pages = 1ULL << 52;
	CHECK_EQ(discover(descs, ARRAY_SIZE(descs)), 0);
	CHECK_LOG("UEFI conventional memory: 0xfffffffffffff000 \\+ 0x2000 passes the end of the address space");
	CHECK_LOG("UEFI conventional memory: .* passes the physical address limit");
	CHECK(memblock_is_memory(PLACE(2000)) && !memblock_is_memory(PLACE(1999)));
	CHECK_EQ(memblock_end_of_DRAM(), PHYS_ADDR_LIMIT);
	CHECK(memblock_is_reserved(PHYS_ADDR_LIMIT - 1) && is_free(PHYS_ADDR_LIMIT - PAGE_SIZE - 1));
}

static void test_unaligned(void)
{
	struct efi_memory_desc descs[] = { D(EFI_CONVENTIONAL_MEMORY, 0, 1000) };

	descs[0].physical_start += 0x123;
	CHECK_EQ(discover(descs, 1), 0);
	CHECK(memblock_is_reserved(BASE + 0x123) && is_free(PLACE(1)));
	CHECK(memblock_is_reserved(PLACE(1000) + 0x122) && !memblock_is_memory(PLACE(1000) + 0x123));
}

/* So many that the arrays and the claims outgrow their first place: they settle in memory that is nobody's. */
static void test_many(void)
{
	static struct efi_memory_desc descs[DESCS_MAX];

	for (u32 i = 0; i < DESCS_MAX; i += 2) {
		descs[i] = (struct efi_memory_desc)D(EFI_CONVENTIONAL_MEMORY, 16 * i, 24);
		descs[i + 1] = (struct efi_memory_desc)D(EFI_RUNTIME_SERVICES_DATA, 16 * i + 24, 8);
	}
	CHECK_EQ(discover(descs, DESCS_MAX), 0);
	for (u32 page = 0; page < 16 * DESCS_MAX; page++) {
		const struct memblock_region *r = memblock_search(&memblock.reserved, PLACE(page));

		CHECK(page % 32 < 24 || (r && !(r->flags & MEMBLOCK_RSRV_KERN)));
	}
	CHECK(claim_count() > DESCS_MAX + DESCS_MAX / 2);
}

/* Random maps against an array of pages. */

struct page_model {
	bool ram, reserved, nomap, io;
};

static struct page_model model[NR_PAGES];

static void note(const struct efi_memory_desc *desc)
{
	u64 first = (desc->physical_start - BASE) >> EFI_PAGE_SHIFT;

	for (u64 i = first; i < first + desc->nr_pages; i++) {
		bool io = !(desc->attribute & EFI_MEMORY_WB) || desc->type == EFI_MEMORY_MAPPED_IO ||
			  desc->type == EFI_MEMORY_MAPPED_IO_PORT;
		bool firmware = desc->type == EFI_RUNTIME_SERVICES_CODE || desc->type == EFI_RUNTIME_SERVICES_DATA ||
				desc->type == EFI_ACPI_RECLAIM_MEMORY;
		bool ours = desc->type == EFI_CONVENTIONAL_MEMORY ||
			    (desc->type >= EFI_LOADER_CODE && desc->type <= EFI_BOOT_SERVICES_DATA);

		model[i].ram |= !io;
		model[i].io |= io;
		model[i].reserved |= !io && (firmware || (ours && (desc->attribute & EFI_MEMORY_SP)));
		model[i].nomap |= !io && !firmware && !ours;
	}
}

static void random_desc(struct efi_memory_desc *desc)
{
	u64 first = IMAGE + 200 + tap_below(NR_PAGES - IMAGE - 200);

	*desc = (struct efi_memory_desc)D((u32)tap_below(NR_EFI_MEMORY_TYPES + 2), first,
					  1 + tap_below(min(tap_below(4) ? 40ULL : 800ULL, NR_PAGES - first)));
	if (!tap_below(2))
		desc->type = EFI_CONVENTIONAL_MEMORY;
	if (!tap_below(6))
		desc->attribute = 1;
	if (!tap_below(8))
		desc->attribute |= EFI_MEMORY_SP;
}

static void compare_page(u32 i)
{
	const struct memblock_region *r = memblock_search(&memblock.reserved, PLACE(i));
	bool nomap = model[i].nomap || model[i].io, ours = r && (r->flags & MEMBLOCK_RSRV_KERN);

	if (memblock_is_memory(PLACE(i)) != model[i].ram)
		tap_fail(__FILE__, __LINE__, "page %u: memory should be %d", i, model[i].ram);
	if (model[i].ram && is_nomap(PLACE(i)) != nomap)
		tap_fail(__FILE__, __LINE__, "page %u: no-map should be %d", i, nomap);
	if (model[i].ram && model[i].reserved && (!r || ours))
		tap_fail(__FILE__, __LINE__, "page %u should be reserved", i);
	if (!model[i].reserved && r && !ours)
		tap_fail(__FILE__, __LINE__, "page %u is reserved, by nobody", i);
	if (ours && (!model[i].ram || nomap))
		tap_fail(__FILE__, __LINE__, "page %u holds metadata, and is no free memory", i);
}

static void one_map(const void *unused)
{
	static struct efi_memory_desc descs[DESCS_MAX];
	u32 nr = 1 + (u32)tap_below(tap_below(3) ? 40 : DESCS_MAX - 1);

	(void)unused;
	host_mute();
	descs[0] = (struct efi_memory_desc)D(EFI_CONVENTIONAL_MEMORY, 0, IMAGE + 200);
	for (u32 i = 0; i < nr; i++) {
		if (i)
			random_desc(&descs[i]);
		note(&descs[i]);
	}
	CHECK_EQ(discover(descs, nr), 0);
	for (u32 i = IMAGE; i < TREE + 16; i++)
		model[i].reserved |= i < IMAGE + 16 || i == TREE || memblock_is_reserved(PLACE(i));
	for (u32 i = 0; i < NR_PAGES; i++)
		compare_page(i);
}

static void test_random_maps(void)
{
	for (unsigned long n = tap_ops(300); n; n--) {
		tap_random_stream((unsigned int)n);
		CHECK_EQ(tap_in_child(one_map, NULL), 0);
	}
}

/* The whole journey: every allocator agrees, and the account names firmware's share by type. */
static void test_account(void)
{
	tree_start();
	tree_root(2, 2);
	put_map(usual, ARRAY_SIZE(usual), STEP, 0);
	boot.fdt = tree_finish();
	host_boot_cpu(2);
	mm_init(&boot, NULL);
	mm_hand_over();
	host_check();
	CHECK_LOG("account: +16384 bytes reserved: UEFI runtime services data");
	CHECK_LOG("account: +16384 bytes reserved: UEFI ACPI NVS");
	CHECK_LOG("account: discovered 16777216 bytes = .*: balanced");
}

static const struct tap_case cases[] = {
	TAP_CASE("the map says what is RAM and what of it is kept", test_usual),
	TAP_CASE("in any order", test_unsorted),
	TAP_CASE("each type has its fate; what is not write-back is no RAM", test_types),
	TAP_CASE("special purpose memory is reserved", test_special_purpose),
	TAP_CASE("the tree gives nodes, not RAM", test_tree_beside),
	TAP_CASE("the tree says what is hotpluggable", test_hotpluggable),
	TAP_CASE("what map and tree both keep is no overlap", test_kept_by_both),
	TAP_CASE("without a map /memory counts", test_no_map),
	TAP_CASE("descriptors of 40 bytes", test_step_40),
	TAP_CASE("descriptors of 57 bytes", test_step_odd),
	TAP_CASE("descriptors of 39 bytes are refused", test_step_small),
	TAP_CASE("no size of descriptors is refused", test_step_missing),
	TAP_CASE("a length that is no multiple loses the rest only", test_length),
	TAP_CASE("an empty map is no memory", test_empty),
	TAP_CASE("a map of I/O is no memory", test_only_io),
	TAP_CASE("descriptors of no pages are skipped", test_size_0),
	TAP_CASE("overlaps: RAM is merged, what is kept is kept", test_overlap),
	TAP_CASE("ranges that wrap or pass the limit are cut", test_overflow),
	TAP_CASE("a start that is no page", test_unaligned),
	TAP_CASE("many descriptors", test_many),
	TAP_CASE("random maps are as the model has them", test_random_maps),
	TAP_CASE("the account balances", test_account),
};
TAP_MAIN(cases)
