// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real boards, booted to the end on the host: the map that is printed explains every byte, and the account balances.
 *
 * The Raspberry Pi 4's tree is the one of Debian's kernel package, with the banks that its firmware fills in for the
 * boards of 1, 2, 4 and 8 GiB: all but VideoCore's share of the first GiB, and what lies above it.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libfdt.h>
#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/mmzone.h>
#include <mm/port.h>

#include "../../mm/provenance.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define PI4_TREE "build/deps/usr/lib/linux-image-*/broadcom/bcm2711-rpi-4-b.dtb"
#define ROOM	 4096
#define MIB	 (1ULL << 20)
#define GIB	 (1ULL << 30)

#define IMAGE_BASE 0x200000ULL
#define IMAGE_SIZE MIB
#define TREE_PA	   0x8000000ULL

struct bank {
	u64 base, size;
};

/* The tree as the package has it, with room to edit. */
static void *load_pi4(void)
{
	struct stat info;
	glob_t found;
	char *bytes, *fdt;
	int fd;

	if (glob(PI4_TREE, 0, NULL, &found))
		tap_fail(__FILE__, __LINE__, "there is no %s", PI4_TREE);
	fd = open(found.gl_pathv[0], O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &info));
	bytes = malloc((size_t)info.st_size);
	fdt = malloc((size_t)info.st_size + ROOM);
	CHECK_EQ(read(fd, bytes, (size_t)info.st_size), info.st_size);
	CHECK_EQ(fdt_open_into(bytes, fdt, (int)info.st_size + ROOM), 0);
	close(fd);
	globfree(&found);
	free(bytes);
	return fdt;
}

/* As the firmware does: two address cells, one size cell, so what lies above 4 GiB comes in pieces below 4 GiB. */
static void fill_banks(void *fdt, const struct bank *banks, int nr)
{
	fdt32_t reg[8 * 3];
	int node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", sizeof("memory"));

	CHECK(node > 0);
	CHECK_EQ(fdt_address_cells(fdt, 0), 2);
	CHECK_EQ(fdt_size_cells(fdt, 0), 1);
	for (int i = 0; i < nr; i++) {
		reg[3 * i] = cpu_to_fdt32((u32)(banks[i].base >> 32));
		reg[3 * i + 1] = cpu_to_fdt32((u32)banks[i].base);
		reg[3 * i + 2] = cpu_to_fdt32((u32)banks[i].size);
	}
	CHECK_EQ(fdt_setprop(fdt, node, "reg", reg, 3 * nr * (int)sizeof(*reg)), 0);
	CHECK_EQ(fdt_add_mem_rsv(fdt, 0, 0x1000), 0);
}

/* Runs follow one another within each bank, and the banks are all there is. */
static void check_map(const struct bank *banks, int nr)
{
	struct ram_run run = { 0 };
	phys_addr_t total = 0, mapped = 0;

	for (int i = 0; i < nr; i++)
		total += banks[i].size;
	while (ram_run_next(&run)) {
		CHECK(memblock_is_region_memory(run.base, run.end - run.base));
		mapped += run.end - run.base;
	}
	CHECK_EQ(mapped, total);
	CHECK_EQ(memblock_phys_mem_size(), total);
}

static void boot_pi4(const struct bank *banks, int nr)
{
	void *fdt = load_pi4();
	const struct boot_info boot = host_boot_info(fdt, TREE_PA, IMAGE_BASE, IMAGE_SIZE);

	fill_banks(fdt, banks, nr);
	host_boot_cpu(4);
	mm_init(&boot, NULL);
	mm_hand_over();
	host_check();
	check_map(banks, nr);
	/* The first page is firmware's, and masters of 30 bits make a DMA zone. */
	CHECK(memblock_is_reserved(0));
	CHECK_EQ(zone_end_pfn(&NODE_DATA(0)->node_zones[ZONE_DMA]), min(banks[0].size, GIB) >> PAGE_SHIFT);
	CHECK_LOG("dma: masters on /soc reach \\[mem 0x0*-0x0*3fffffff\\]");
}

static void test_pi4_1g(void)
{
	static const struct bank banks[] = { { 0, 0x3b400000 } };

	boot_pi4(banks, ARRAY_SIZE(banks));
}

static void test_pi4_2g(void)
{
	static const struct bank banks[] = { { 0, 0x3b400000 }, { GIB, GIB } };

	boot_pi4(banks, ARRAY_SIZE(banks));
}

static void test_pi4_4g(void)
{
	static const struct bank banks[] = { { 0, 0x3b400000 }, { GIB, 3 * GIB - 64 * MIB } };

	boot_pi4(banks, ARRAY_SIZE(banks));
}

static void test_pi4_8g(void)
{
	static const struct bank banks[] = {
		{ 0, 0x3b400000 },
		{ GIB, 3 * GIB - 64 * MIB },
		{ 4 * GIB, 2 * GIB },
		{ 6 * GIB, 2 * GIB },
	};

	boot_pi4(banks, ARRAY_SIZE(banks));
}

static const struct tap_case cases[] = {
	TAP_CASE("Raspberry Pi 4 of 1 GiB", test_pi4_1g),
	TAP_CASE("Raspberry Pi 4 of 2 GiB", test_pi4_2g),
	TAP_CASE("Raspberry Pi 4 of 4 GiB", test_pi4_4g),
	TAP_CASE("Raspberry Pi 4 of 8 GiB", test_pi4_8g),
};
TAP_MAIN(cases)
