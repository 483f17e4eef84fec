// SPDX-License-Identifier: BSD-2-Clause
/* Device-tree helpers for drivers: numbers, registers as the CPU sees them, status, the console's node. */
#include <lib/dt.h>

#include <libfdt.h>
#include <string.h>

#include "tap.h"
#include "tree.h"

/* reg pairs of a device on a bus that the root maps at 0xfe000000, which bus sees its devices at 0x7e000000. */
static const u32 ranges[] = { 0x7e000000, 0, 0xfe000000, 0x01000000, 0x40000000, 0, 0xff800000, 0x00800000 };
static const u32 inner_ranges[] = { 0x100, 0x7e215000, 0x1000 };
static const u32 device_reg[] = { 0x7e201000, 0x200, 0x40000100, 0x10 };
static const u32 outside_reg[] = { 0x7efff000, 0x2000 };

static void *soc_tree(void)
{
	tree_start();
	tree_root(2, 1);
	tree_open("aliases");
	tree_string("serial0", "/soc/uart@7e201000");
	tree_close();
	tree_open("chosen");
	tree_string("stdout-path", "serial0:115200n8");
	tree_close();
	tree_open("soc");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("ranges", ranges, ARRAY_SIZE(ranges));
	tree_open("uart@7e201000");
	tree_string("compatible", "arm,pl011");
	tree_string("status", "okay");
	tree_cells("reg", device_reg, ARRAY_SIZE(device_reg));
	tree_close();
	tree_open("outside@7efff000");
	tree_string("status", "disabled");
	tree_cells("reg", outside_reg, ARRAY_SIZE(outside_reg));
	tree_close();
	tree_open("inner");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("ranges", inner_ranges, ARRAY_SIZE(inner_ranges));
	tree_open("deep@140");
	tree_cells("reg", (const u32[]){ 0x140, 0x40 }, 2);
	tree_close();
	tree_close();
	tree_close();
	tree_open("dark");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_open("hidden@0");
	tree_cells("reg", (const u32[]){ 0, 4 }, 2);
	tree_close();
	tree_close();
	tree_open("wrong@0");
	tree_cells("reg", (const u32[]){ 1, 2 }, 2);
	tree_cells("two", (const u32[]){ 1, 2 }, 2);
	tree_u32("one", 77);
	tree_close();
	tree_open("end@0");
	tree_cells("reg", (const u32[]){ 0xffffffff, 0xfffff000, 0x1000, 0xffffffff, 0xfffff000, 0x1001 }, 6);
	tree_close();
	return tree_finish();
}

static int reg_of(const void *fdt, const char *path, unsigned int index, u64 *addr, u64 *size)
{
	int node = fdt_path_offset(fdt, path);

	CHECK(node >= 0);
	return dt_reg(fdt, node, index, addr, size);
}

static void test_reg(void)
{
	const void *fdt = soc_tree();
	u64 addr, size;

	CHECK_EQ(reg_of(fdt, "/soc/uart@7e201000", 0, &addr, &size), 0);
	CHECK_EQ(addr, 0xfe201000);
	CHECK_EQ(size, 0x200);
	CHECK_EQ(reg_of(fdt, "/soc/uart@7e201000", 1, &addr, &size), 0);
	CHECK_EQ(addr, 0xff800100);
	CHECK_EQ(reg_of(fdt, "/soc/inner/deep@140", 0, &addr, &size), 0);
	CHECK_EQ(addr, 0xfe215040);
	CHECK_EQ(reg_of(fdt, "/soc/uart@7e201000", 2, &addr, &size), -FDT_ERR_NOTFOUND);
	CHECK_EQ(reg_of(fdt, "/soc/outside@7efff000", 0, &addr, &size), -FDT_ERR_NOTFOUND);
	CHECK_EQ(reg_of(fdt, "/dark/hidden@0", 0, &addr, &size), -FDT_ERR_NOTFOUND);
	CHECK_EQ(reg_of(fdt, "/chosen", 0, &addr, &size), -FDT_ERR_NOTFOUND);
	CHECK_EQ(reg_of(fdt, "/wrong@0", 0, &addr, &size), -FDT_ERR_BADVALUE);
}

/* Opens a bus whose own cells are @ac and @sc; @ranges NULL for none, @nr 0 for an empty property. */
static void open_bus(const char *name, int ac, int sc, const u32 *cells, int nr)
{
	tree_open(name);
	tree_u32("#address-cells", (u32)ac);
	tree_u32("#size-cells", (u32)sc);
	if (cells)
		tree_cells("ranges", cells, nr);
}

/* A device on the open bus, with this reg and no more; closes the bus too. */
static void device(const char *name, const u32 *reg, int nr)
{
	tree_open(name);
	tree_cells("reg", reg, nr);
	tree_close();
	tree_close();
}

/*
 *	/two	2 cells of address and size over a root of 2 and 1: a device above 4 GiB, another behind a second entry
 *	/same	empty ranges: addresses go through; /same/far maps to it what a 32-bit bus sees at 0x1000
 *	/split	two entries that touch: a device across the border is in neither
 *	/twice	two entries that hold the same device: the first counts
 *	/torn	ranges that are no whole entry
 *	/wide	ranges whose target wraps the address space
 *	/pci	three cells of address
 *	/none	no ranges, below an empty one
 */
static void *odd_buses(void)
{
	static const u32 empty[1];

	tree_start();
	tree_root(2, 1);
	open_bus("two", 2, 2, (const u32[]){ 0, 0, 1, 0, 0, 0x1000, 2, 0, 8, 0x4000, 1, 0 }, 12);
	tree_open("behind");
	tree_cells("reg", (const u32[]){ 2, 0x10000, 0, 0x20 }, 4);
	tree_close();
	device("above", (const u32[]){ 0, 0xff0, 0, 0x10 }, 4);
	open_bus("same", 2, 1, empty, 0);
	open_bus("far", 1, 1, (const u32[]){ 0x1000, 5, 0x6000, 0x100 }, 4);
	device("dev", (const u32[]){ 0x1080, 0x80 }, 2);
	open_bus("blind", 1, 1, NULL, 0);
	device("dev", (const u32[]){ 0x1080, 0x80 }, 2);
	tree_close();
	open_bus("split", 1, 1, (const u32[]){ 0, 0, 0x1000, 0x100, 0x100, 0, 0x1100, 0x100 }, 8);
	device("across", (const u32[]){ 0xf0, 0x20 }, 2);
	open_bus("twice", 1, 1, (const u32[]){ 0, 0, 0x1000, 0x100, 0, 0, 0x9000, 0x1000 }, 8);
	device("dev", (const u32[]){ 0x20, 0x20 }, 2);
	open_bus("torn", 1, 1, (const u32[]){ 0, 0, 0x1000 }, 3);
	device("dev", (const u32[]){ 0x20, 0x20 }, 2);
	open_bus("wide", 1, 1, (const u32[]){ 0, 0xffffffff, 0xffffff00, 0x1000 }, 4);
	device("dev", (const u32[]){ 0xf0, 0x20 }, 2);
	open_bus("pci", 3, 2, (const u32[]){ 0x2000000, 0, 0, 0, 0x1000, 0, 0x100 }, 7);
	device("dev", (const u32[]){ 0x2000000, 0, 0, 0, 0x20 }, 5);
	return tree_finish();
}

static void check_bus(const void *fdt, const char *path, u64 want)
{
	u64 addr = 0, size;

	CHECK_EQ(reg_of(fdt, path, 0, &addr, &size), 0);
	CHECK_EQ(addr, want);
}

static void check_blind(const void *fdt, const char *path, unsigned int index, int want, const char *words)
{
	char why[192];
	u64 addr, size;

	CHECK_EQ(dt_reg_why(fdt, fdt_path_offset(fdt, path), index, &addr, &size, why, sizeof(why)), want);
	CHECK(strcmp(why, words) == 0);
	CHECK_EQ(reg_of(fdt, path, index, &addr, &size), want);
}

static void test_odd_buses(void)
{
	const void *fdt = odd_buses();

	check_bus(fdt, "/two/above", 0x100000ff0);
	check_bus(fdt, "/two/behind", 0x800014000);
	check_bus(fdt, "/same/far/dev", 0x500006080);
	check_bus(fdt, "/twice/dev", 0x1020);
	check_blind(fdt, "/two/above", 1, -FDT_ERR_NOTFOUND, "/two/above has no range 1 in reg");
	check_blind(fdt, "/same/blind/dev", 0, -FDT_ERR_NOTFOUND,
		    "/same/blind has no ranges: the CPU does not reach what is on it");
	check_blind(fdt, "/split/across", 0, -FDT_ERR_NOTFOUND, "no entry in ranges of /split holds 0xf0 + 0x20");
	check_blind(fdt, "/torn/dev", 0, -FDT_ERR_BADVALUE, "ranges of /torn: FDT_ERR_BADVALUE");
	check_blind(fdt, "/wide/dev", 0, -FDT_ERR_BADVALUE, "ranges of /wide: FDT_ERR_BADVALUE");
	check_blind(fdt, "/pci/dev", 0, -FDT_ERR_BADNCELLS, "reg of /pci/dev: FDT_ERR_BADNCELLS");
}

/* The last page of the address space is a range; one byte more wraps. */
static void test_reg_at_the_end(void)
{
	const void *fdt = soc_tree();
	u64 addr, size;

	CHECK_EQ(reg_of(fdt, "/end@0", 0, &addr, &size), 0);
	CHECK_EQ(addr, 0xfffffffffffff000);
	CHECK_EQ(reg_of(fdt, "/end@0", 1, &addr, &size), -FDT_ERR_BADVALUE);
}

static void test_numbers(void)
{
	static const u8 bytes[] = { 0, 0, 0, 1, 0x80, 0, 0, 2 };
	const void *fdt = soc_tree();
	int node = fdt_path_offset(fdt, "/wrong@0");
	u32 value = 5;

	CHECK_EQ(dt_cells(bytes, 0), 0);
	CHECK_EQ(dt_cells(bytes, 1), 1);
	CHECK_EQ(dt_cells(bytes, 2), 0x180000002);
	CHECK_EQ(dt_u32(fdt, node, "two", &value), -FDT_ERR_BADVALUE);
	CHECK_EQ(dt_u32(fdt, node, "none", &value), -FDT_ERR_NOTFOUND);
	CHECK_EQ(value, 5);
	CHECK_EQ(dt_u32(fdt, node, "one", &value), 0);
	CHECK_EQ(value, 77);
}

static void test_nodes(void)
{
	static const char *const wanted[] = { "ns16550a", "arm,pl011", NULL }, *const unwanted[] = { "ns16550a", NULL };
	const void *fdt = soc_tree();
	int uart = fdt_path_offset(fdt, "/soc/uart@7e201000");

	CHECK_EQ(dt_stdout(fdt), uart);
	CHECK(dt_enabled(fdt, uart));
	CHECK(dt_enabled(fdt, fdt_path_offset(fdt, "/soc")));
	CHECK(!dt_enabled(fdt, fdt_path_offset(fdt, "/soc/outside@7efff000")));
	CHECK(dt_compatible(fdt, uart, wanted) == wanted[1]);
	CHECK(!dt_compatible(fdt, uart, unwanted));
}

static void stdout_of(const char *path, int want)
{
	tree_start();
	tree_root(2, 1);
	tree_open("chosen");
	if (path)
		tree_string("stdout-path", path);
	tree_close();
	CHECK_EQ(dt_stdout(tree_finish()), want);
}

static void test_stdout(void)
{
	stdout_of(NULL, -FDT_ERR_NOTFOUND);
	stdout_of("/nowhere", -FDT_ERR_NOTFOUND);
	stdout_of("", -FDT_ERR_BADPATH);
	tree_start();
	tree_root(2, 1);
	CHECK_EQ(dt_stdout(tree_finish()), -FDT_ERR_NOTFOUND);
}

static const struct tap_case cases[] = {
	TAP_CASE("reg, translated through ranges", test_reg),
	TAP_CASE("reg on odd buses: by address, or the bus by name", test_odd_buses),
	TAP_CASE("reg at the end of the address space", test_reg_at_the_end),
	TAP_CASE("numbers", test_numbers),
	TAP_CASE("status, compatible, stdout-path", test_nodes),
	TAP_CASE("no stdout-path", test_stdout),
};
TAP_MAIN(cases)
