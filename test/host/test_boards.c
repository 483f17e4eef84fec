// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real boards, booted to the end on the host: the map that is printed explains every byte, and the account balances.
 *
 * 1. Each tree of dts/boards/ has a row here: how much RAM it has, how much of that is not mapped, where the zone DMA
 *    ends. A row for each tree: one that has none fails the last case.
 * 2. Image and tree lie 2 MiB and 64 MiB above the first bank's start, as a loader would put them.
 * 3. The Raspberry Pi 4's trees are our own text; the tree of Debian's kernel package, in which the firmware would fill
 *    in the banks, is booted too, with the banks of ours.
 */
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include <libfdt.h>
#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/mmzone.h>
#include <mm/port.h>

#include "../../mm/provenance.h"
#include "host.h"
#include "machine.h"
#include "tap.h"
#include "treefile.h"

#define PI4_TREE TREEFILE_BOARDS "broadcom/bcm2711-rpi-4-b.dtb"
#define ROOM	 4096
#define KIB	 (1ULL << 10)
#define MIB	 (1ULL << 20)
#define GIB	 (1ULL << 30)

#define IMAGE_OFFSET (2 * MIB)
#define IMAGE_SIZE   MIB
#define TREE_OFFSET  (64 * MIB)

/* The right outcome, in bytes, and a line of the log. */
struct board {
	const char *name;
	u64 start;   /* of the first bank */
	u64 ram;     /* in all banks */
	u64 nomap;   /* of it, not to be mapped */
	u64 dma_end; /* of the zone DMA */
	const char *log;
};

#define PI4_LOG "dma: masters on /soc reach \\[mem 0x0*-0x0*3fffffff\\]"

static const struct board boards[] = {
	{ "cut-ends", GIB + 0x200, 0x207c11f0, 0, 0x707c3000, "\\[mem 0x0*5fffe000-0x0*5fffe0ff\\] from partial page" },
	{ "hikey", 0, 0x3ddfd000, 0, 0x3e000000, "21f00000-0x0*21ffffff\\] from /reserved-memory/ramoops@" },
	{ "imx8mp", GIB, 6 * GIB, 0x3d11000, 4 * GIB, "900000-0x0*96ffff\\] from /reserved-memory/ocram@" },
	{ "ls1046a", 2 * GIB, 8 * GIB - 66 * MIB, 56 * MIB, 4 * GIB - 66 * MIB, "from /reserved-memory/qman-pfdr" },
	{ "msm8916", 2 * GIB, 986 * MIB, 64 * MIB, 2 * GIB + 986 * MIB, "bfffffff\\] from /reserved-memory/ramoops@" },
	{ "mt8365", GIB, 3 * GIB, 12 * MIB + 192 * KIB, 4 * GIB, "43dfffff\\] from /reserved-memory/optee@" },
	{ "rcar-h3", GIB + 128 * MIB, 8 * GIB - 128 * MIB, 48 * MIB, 3 * GIB, "77fffffff\\] from /memory@700000000" },
	{ "rk3588", 2 * MIB, 0x3fe780000, 0, 0xf0000000, "10f0ff\\] from /reserved-memory/shmem@" },
	{ "rpi4-1g", 0, 948 * MIB, 0, 948 * MIB, PI4_LOG },
	{ "rpi4-2g", 0, 1972 * MIB, 0, 948 * MIB, PI4_LOG },
	{ "rpi4-4g", 0, 3956 * MIB, 0, 948 * MIB, PI4_LOG },
	{ "rpi4-8g", 0, 8052 * MIB, 0, 948 * MIB, PI4_LOG },
	{ "rpi4-atf", 0, 3956 * MIB, 512 * KIB, 948 * MIB, "3ef64787\\] from /reserved-memory/nvram@0" },
};

/* Runs cover each bank, and the banks are all there is. */
static void check_map(const struct board *board)
{
	phys_addr_t covered = 0, nomap = 0;
	const struct memblock_region *r;
	struct ram_run run = { 0 };

	while (ram_run_next(&run)) {
		CHECK(memblock_is_region_memory(run.base, run.end - run.base));
		covered += run.end - run.base;
	}
	for_each_mem_region(r)
		nomap += r->flags & MEMBLOCK_NOMAP ? r->size : 0;
	CHECK_EQ(covered, board->ram);
	CHECK_EQ(memblock_phys_mem_size(), board->ram);
	CHECK_EQ(nomap, board->nomap);
	CHECK_EQ(zone_end_pfn(&NODE_DATA(0)->node_zones[ZONE_DMA]), board->dma_end >> PAGE_SHIFT);
	CHECK_LOG(board->log);
}

static void boot_tree(const struct board *board, const void *fdt)
{
	const phys_addr_t start = ALIGN(board->start, PAGE_SIZE);
	const struct boot_info boot = host_boot_info(fdt, start + TREE_OFFSET, start + IMAGE_OFFSET, IMAGE_SIZE);

	host_boot_cpu(4);
	mm_init(&boot, NULL);
	mm_hand_over();
	host_check();
	check_map(board);
}

static void *load_board(const struct board *board)
{
	char name[64];

	snprintf(name, sizeof(name), "boards/%s", board->name);
	return treefile_sample(name);
}

static void boot_board(const void *board)
{
	boot_tree(board, load_board(board));
}

static int memory_node(const void *fdt)
{
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", sizeof("memory"));

	CHECK(node > 0);
	CHECK_EQ(fdt_address_cells(fdt, 0), 2);
	CHECK_EQ(fdt_size_cells(fdt, 0), 1);
	return node;
}

/* The kernel package's tree, with the banks of ours. */
static void boot_package_pi4(const void *board)
{
	const void *ours = load_board(board), *reg;
	char *package, *fdt;
	size_t size = 0;
	int length = 0;

	package = treefile_load(PI4_TREE, &size);
	CHECK(package);
	fdt = malloc(size + ROOM);
	CHECK_EQ(fdt_open_into(package, fdt, (int)size + ROOM), 0);
	reg = fdt_getprop(ours, memory_node(ours), "reg", &length);
	CHECK_EQ(fdt_setprop(fdt, memory_node(fdt), "reg", reg, length), 0);
	boot_tree(board, fdt);
	/* The first page is firmware's. */
	CHECK(memblock_is_reserved(0));
}

/* Boot the boards whose name matches, each in a process of its own. */
static void boot_all(const char *pattern, void (*boot)(const void *board))
{
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(boards); i++) {
		if (fnmatch(pattern, boards[i].name, 0))
			continue;
		printf("board %s\n", boards[i].name);
		fflush(stdout);
		failed += tap_in_child(boot, &boards[i]) != 0;
	}
	CHECK_EQ(failed, 0);
}

static void test_boards(void)
{
	boot_all("*", boot_board);
}

static void test_package_pi4(void)
{
	boot_all("rpi4-[0-9]g", boot_package_pi4);
}

/* No tree without a row. */
static void test_rows(void)
{
	glob_t found;

	CHECK_EQ(glob("dts/boards/*.dts", 0, NULL, &found), 0);
	CHECK_EQ(found.gl_pathc, ARRAY_SIZE(boards));
	globfree(&found);
}

static const struct tap_case cases[] = {
	TAP_CASE("boards of dts/boards", test_boards),
	TAP_CASE("the kernel package's Raspberry Pi 4, with the banks of ours", test_package_pi4),
	TAP_CASE("each tree of dts/boards has a row here", test_rows),
};
TAP_MAIN(cases)
