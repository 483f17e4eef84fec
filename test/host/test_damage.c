// SPDX-License-Identifier: BSD-2-Clause
/*
 * Damaged and wrong trees: real boards' and those of dts/.
 *
 * 1. A damaged tree has no right outcome but one of these: it is refused, and a line says so; it is accepted, and what
 *    is left in it is used; it ends the run by a panic that has a line. No access leaves it, and nothing takes for
 *    ever.
 * 2. A tree that is not valid as a whole is refused before any state has changed, so these are tried one after the
 *    other in one process; any other gets a process of its own.
 * 3. Trees that are wrong on purpose (dts/bad-*.dts) have an outcome, which is checked.
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
#include "treefile.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define RAM_BASE (2 * GIB)
#define RAM_SIZE (2 * GIB)
#define ROOM	 1024 /* bytes for a bank to be filled in */

/* A board's tree, with a bank where its boot loader would fill one in. */
static char *load_board(const char *name)
{
	char path[512], *bytes, *fdt;
	fdt32_t reg[4] = { 0, cpu_to_fdt32(RAM_BASE), 0, cpu_to_fdt32(RAM_SIZE) };
	size_t size;
	int node, ac, sc;

	snprintf(path, sizeof(path), TREEFILE_BOARDS "%s.dtb", name);
	bytes = treefile_load(path, &size);
	CHECK(bytes);
	fdt = malloc(size + ROOM);
	CHECK_EQ(fdt_open_into(bytes, fdt, (int)(size + ROOM)), 0);
	node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", sizeof("memory"));
	if (node < 0) {
		node = fdt_add_subnode(fdt, 0, "memory");
		CHECK_EQ(fdt_setprop_string(fdt, node, "device_type", "memory"), 0);
	}
	ac = fdt_address_cells(fdt, 0);
	sc = fdt_size_cells(fdt, 0);
	memmove(&reg[2], &reg[4 - sc], (size_t)sc * sizeof(*reg));
	CHECK_EQ(fdt_setprop(fdt, node, "reg", &reg[2 - ac], (ac + sc) * (int)sizeof(*reg)), 0);
	CHECK_EQ(fdt_pack(fdt), 0);
	free(bytes);
	return fdt;
}

static int discover(const void *fdt)
{
	const struct boot_info boot = host_boot_info(fdt, RAM_BASE + 8 * MIB, RAM_BASE + 2 * MIB, 3 * MIB);

	return discover_memory(&boot);
}

static void discover_whole(const void *fdt)
{
	if (discover(fdt)) {
		CHECK_LOG("memory: .* none");
		return;
	}
	numa_init(fdt);
	fdt_dma_limit(fdt);
	fdt_bootargs(fdt);
	CHECK(memblock_check());
}

/* Context: after host_boot_cpu(). */
static void survive(const void *fdt)
{
	int status = tap_in_child(discover_whole, fdt);

	if (status && status != TAP_PANICKED)
		tap_fail(__FILE__, __LINE__, "discovery ended with status %d", status);
}

/* Context: after host_boot_cpu(). */
static void refuse(const void *fdt)
{
	host_log_clear();
	CHECK_EQ(discover(fdt), (unsigned long long)-EINVAL);
	CHECK_LOG("device tree: [0-9]+ bytes, not valid as a whole: FDT_ERR_");
}

/* A copy of its own size, so that what reads past it is seen; then the damage has been done to it. */
static void try_copy(const char *fdt, u32 size, void (*damage)(char *copy, u32 size, u64 how), u64 how)
{
	char *copy = malloc(size);

	memcpy(copy, fdt, size);
	damage(copy, size, how);
	fdt_set_totalsize(copy, size);
	if (fdt_check_full(copy, size))
		refuse(copy);
	else
		survive(copy);
	free(copy);
}

/* Zeroes or rubbish from byte @how on. */
static void wipe(char *copy, u32 size, u64 how)
{
	memset(copy + how, how / 64 % 2 ? 0xa5 : 0, size - how);
}

static void leave_alone(char *copy, u32 size, u64 how)
{
	(void)copy;
	(void)size;
	(void)how;
}

static void flip(char *copy, u32 size, u64 how)
{
	u8 *bytes = (u8 *)copy;

	while (how--)
		bytes[8 + tap_below(size - 8)] ^= (u8)(1U << tap_below(8));
}

/* At every 64th byte: the header knows of it, or it does not and zeroes or rubbish follow. */
static void cut(const char *fdt)
{
	u32 size = fdt_totalsize(fdt);

	host_boot_cpu(1);
	host_mute();
	for (u32 at = sizeof(struct fdt_header); at < size; at += 64) {
		if (at / 64 % 3)
			try_copy(fdt, size, wipe, at);
		else
			try_copy(fdt, at, leave_alone, 0);
	}
}

static void flips(const char *fdt)
{
	host_boot_cpu(1);
	host_mute();
	for (unsigned long n = tap_ops(120); n; n--)
		try_copy(fdt, fdt_totalsize(fdt), flip, 1 + tap_below(16));
}

#define BOARD_CASES(id, name)             \
	static void test_cut_##id(void)   \
	{                                 \
		cut(load_board(name));    \
	}                                 \
	static void test_flips_##id(void) \
	{                                 \
		flips(load_board(name));  \
	}

BOARD_CASES(rpi4, "broadcom/bcm2711-rpi-4-b")
BOARD_CASES(imx8, "freescale/imx8mq-evk")
BOARD_CASES(db845, "qcom/sdm845-db845c")
BOARD_CASES(rk3399, "rockchip/rk3399-rockpro64")

static void test_cut_virt(void)
{
	cut(treefile_sample("virt"));
}

static void test_flips_virt(void)
{
	flips(treefile_sample("virt"));
}

static void test_cut_reserved(void)
{
	cut(treefile_sample("reserved"));
}

static void test_flips_reserved(void)
{
	flips(treefile_sample("reserved"));
}

/* The header. Every field takes every value that is likely to hurt; the size of the whole is the port's concern. */

static void set_field(char *copy, u32 size, u64 how)
{
	const u32 values[] = { 0, 1, 3, 16, 18, size - 1, size, size + 1, 0x7fffffff, 0x80000000, 0xffffffff };
	fdt32_t value = cpu_to_fdt32(values[how % ARRAY_SIZE(values)]);

	memcpy(copy + how / ARRAY_SIZE(values) * sizeof(value), &value, sizeof(value));
}

static void test_header(void)
{
	const char *fdt = treefile_sample("virt");

	host_boot_cpu(1);
	host_mute();
	for (u64 how = 0; how < sizeof(struct fdt_header) / sizeof(fdt32_t) * 11; how++)
		try_copy(fdt, fdt_totalsize(fdt), set_field, how);
}

static void test_magic(void)
{
	char *fdt = treefile_sample("virt");

	host_boot_cpu(1);
	fdt_set_magic(fdt, 0xedfe0dd0);
	CHECK_EQ(discover(fdt), (unsigned long long)-EINVAL);
	CHECK_LOG("not valid as a whole: FDT_ERR_BADMAGIC");
}

static void version_is_refused(u32 version, u32 last_compatible)
{
	char *fdt = treefile_sample("virt");

	host_boot_cpu(1);
	fdt_set_version(fdt, version);
	fdt_set_last_comp_version(fdt, last_compatible);
	CHECK_EQ(discover(fdt), (unsigned long long)-EINVAL);
	CHECK_LOG("not valid as a whole: FDT_ERR_BADVERSION");
}

static void test_version_old(void)
{
	version_is_refused(1, 1);
}

static void test_version_new(void)
{
	version_is_refused(99, 18);
}

/* Trees that are wrong on purpose. */

static phys_addr_t memory_of(const char *sample)
{
	char *fdt = treefile_sample(sample);

	host_boot_cpu(1);
	CHECK_EQ(discover(fdt), 0);
	numa_init(fdt);
	fdt_dma_limit(fdt);
	CHECK(memblock_check());
	return memblock_phys_mem_size();
}

static void test_bad_cells(void)
{
	CHECK_EQ(memory_of("bad-cells"), GIB);
	CHECK_LOG("/memory@90000000: reg has 8 bytes, no multiple of 12");
	CHECK_LOG("/reserved-memory/odd@50000000: .*#address-cells");
	CHECK_LOG("reserved: /reserved-memory/sized ");
}

/* A status without its end still counts as what it says (libfdt); a device_type does not. */
static void test_bad_strings(void)
{
	CHECK_EQ(memory_of("bad-strings"), 512 * MIB);
	CHECK(memblock_is_memory(0x40000000) && memblock_is_memory(0x80000000));
	CHECK_EQ(strlen(fdt_bootargs(treefile_sample("bad-strings"))), 0);
}

static void test_bad_references(void)
{
	CHECK_EQ(memory_of("bad-references"), 256 * MIB);
}

static void test_bad_ranges(void)
{
	host_boot_cpu(1);
	survive(treefile_sample("bad-ranges"));
}

static void root_cells_are_refused(u32 cells)
{
	tree_start();
	tree_root(2, 2);
	tree_u32("#address-cells", cells);
	tree_memory(RAM_BASE, RAM_SIZE, -1);

	void *fdt = tree_finish();

	/* The first of two properties of one name counts: take it away. */
	CHECK_EQ(fdt_nop_property(fdt, 0, "#address-cells"), 0);
	host_boot_cpu(1);
	CHECK_EQ(discover(fdt), (unsigned long long)-ENOENT);
	CHECK_LOG("/memory@80000000: .*#address-cells");
}

static void test_cells_4(void)
{
	root_cells_are_refused(4);
}

static void test_cells_5(void)
{
	root_cells_are_refused(5);
}

static void test_cells_minus_1(void)
{
	root_cells_are_refused(0xffffffff);
}

/* Buses within buses, far deeper than anything is followed; memory stands behind them. */
static void test_deep(void)
{
	static const u32 entry[] = { 0, 0, 0x40000000 };

	tree_start();
	tree_root(1, 1);
	for (int depth = 0; depth < 500; depth++) {
		tree_open("bus");
		tree_u32("#address-cells", 1);
		tree_u32("#size-cells", 1);
		tree_cells("dma-ranges", entry, ARRAY_SIZE(entry));
	}
	for (int depth = 0; depth < 500; depth++)
		tree_close();
	tree_memory(RAM_BASE, 64 * MIB, -1);

	void *fdt = tree_finish();

	host_boot_cpu(1);
	CHECK_EQ(discover(fdt), 0);
	CHECK_EQ(memblock_phys_mem_size(), 64 * MIB);
	CHECK_EQ(fdt_dma_limit(fdt), GIB);
}

static const struct tap_case cases[] = {
	TAP_CASE("virt, cut at every 64th byte", test_cut_virt),
	TAP_CASE("virt, bits flipped", test_flips_virt),
	TAP_CASE("reservations of every kind, cut at every 64th byte", test_cut_reserved),
	TAP_CASE("reservations of every kind, bits flipped", test_flips_reserved),
	TAP_CASE("Raspberry Pi 4, cut at every 64th byte", test_cut_rpi4),
	TAP_CASE("Raspberry Pi 4, bits flipped", test_flips_rpi4),
	TAP_CASE("i.MX8MQ EVK, cut at every 64th byte", test_cut_imx8),
	TAP_CASE("i.MX8MQ EVK, bits flipped", test_flips_imx8),
	TAP_CASE("DB845c, cut at every 64th byte", test_cut_db845),
	TAP_CASE("DB845c, bits flipped", test_flips_db845),
	TAP_CASE("RockPro64, cut at every 64th byte", test_cut_rk3399),
	TAP_CASE("RockPro64, bits flipped", test_flips_rk3399),
	TAP_CASE("header fields with odd values", test_header),
	TAP_CASE("a magic of the other byte order", test_magic),
	TAP_CASE("a version before all", test_version_old),
	TAP_CASE("a version that is not compatible any more", test_version_new),
	TAP_CASE("cell counts that nobody can mean", test_bad_cells),
	TAP_CASE("strings without an end", test_bad_strings),
	TAP_CASE("references in a circle and to nobody", test_bad_references),
	TAP_CASE("ranges that wrap, overlap, are empty or nowhere", test_bad_ranges),
	TAP_CASE("4 address cells of the root are refused", test_cells_4),
	TAP_CASE("5 address cells of the root are refused", test_cells_5),
	TAP_CASE("2^32 - 1 address cells of the root are refused", test_cells_minus_1),
	TAP_CASE("500 buses within each other", test_deep),
};
TAP_MAIN(cases)
