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
	TAP_CASE("reg at the end of the address space", test_reg_at_the_end),
	TAP_CASE("numbers", test_numbers),
	TAP_CASE("status, compatible, stdout-path", test_nodes),
	TAP_CASE("no stdout-path", test_stdout),
};
TAP_MAIN(cases)
