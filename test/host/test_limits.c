// SPDX-License-Identifier: BSD-2-Clause
/*
 * What /chosen, the boot arguments and the properties of /reserved-memory say; how far masters reach; whose each byte
 * is.
 *
 * The usual machine: 256 MiB of RAM from RAM_BASE, the image near its start, the tree near its end.
 */
#include <errno.h>
#include <string.h>

#include <libfdt.h>
#include <mm/bootargs.h>
#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <mm/reserved_mem.h>

#include "../../mm/internal.h"
#include "../../mm/provenance.h"
#include "host.h"
#include "machine.h"
#include "tap.h"
#include "tree.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define RAM_BASE   (1 * GIB)
#define RAM_SIZE   (256 * MIB)
#define RAM_END	   (RAM_BASE + RAM_SIZE)
#define IMAGE_BASE (RAM_BASE + 2 * MIB)
#define IMAGE_SIZE (1 * MIB)
#define TREE_PA	   (RAM_END - 1 * MIB)

static int discover(const void *fdt)
{
	const struct boot_info boot = host_boot_info(fdt, TREE_PA, IMAGE_BASE, IMAGE_SIZE);
	int err;

	host_boot_cpu(1);
	err = discover_memory(&boot);
	CHECK(memblock_check());
	return err;
}

static void start(void)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
}

static const void *tree_with_args(const char *args)
{
	start();
	tree_open("chosen");
	tree_string("bootargs", args);
	tree_close();
	return tree_finish();
}

/* A tree of version 3 whose root has no name: found by the fuzzer, in libfdt's own check. */
static void test_old_version(void)
{
	void *fdt;

	start();
	fdt = tree_finish();
	fdt_set_version(fdt, 3);
	fdt_set_last_comp_version(fdt, 2);
	CHECK_EQ(discover(fdt), -EINVAL);
	CHECK_LOG("not valid as a whole: FDT_ERR_BADVERSION");
}

/* Boot arguments. */

static void test_parse_size(void)
{
	static const struct {
		const char *text;
		phys_addr_t size;
		const char *rest;
	} cases[] = {
		{ "4096", 4096, "" },
		{ "0x10", 16, "" },
		{ "64K@1", 64 << 10, "@1" },
		{ "3m", 3 * MIB, "" },
		{ "2G$", 2 * GIB, "$" },
		{ "1T", 1ULL << 40, "" },
		{ "x", 0, "x" },
		{ "-1", 0, "-1" },
		{ "", 0, "" },
		{ "99999999T", ~0ULL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *rest;

		CHECK_EQ(parse_size(cases[i].text, &rest), cases[i].size);
		CHECK(!strcmp(rest, cases[i].rest));
	}
}

static void test_bootarg_value(void)
{
	static const char args[] = "xmem=1 mem memo=2 mem=3 mem=4";
	char value[8], tiny[2];
	const char *rest = bootarg_value(args, "mem", value, sizeof(value));

	CHECK(rest && !strcmp(value, "3"));
	CHECK(bootarg_value(rest, "mem", value, sizeof(value)) && !strcmp(value, "4"));
	CHECK(!bootarg_value(args, "none", value, sizeof(value)));
	CHECK(bootarg_flag(args, "mem") && !bootarg_flag(args, "memo") && !bootarg_flag("", "mem"));
	CHECK(bootarg_value("mem=12345", "mem", tiny, sizeof(tiny)) && !strcmp(tiny, "1"));
}

static void test_mem(void)
{
	CHECK_EQ(discover(tree_with_args("quiet mem=64M")), 0);
	CHECK_EQ(memblock_phys_mem_size(), 64 * MIB);
	CHECK_EQ(memblock_end_of_DRAM(), RAM_BASE + 64 * MIB);
	CHECK_LOG("memory: mem= leaves out 0xc000000 bytes");
}

/*
 * The image is at 2 MiB, the initrd at 100 MiB and a half page into it: mem= ends inside the image, and both stay.
 *
 *	RAM_BASE   2.5 MiB  3 MiB          100 MiB     101 MiB
 *	   |##########|##image|                |#initrd#|
 */
static void test_mem_keeps(void)
{
	start();
	tree_open("chosen");
	tree_string("bootargs", "mem=2560K");
	tree_u32("linux,initrd-start", (u32)(RAM_BASE + 100 * MIB + PAGE_SIZE / 2));
	tree_u32("linux,initrd-end", (u32)(RAM_BASE + 101 * MIB));
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), 4 * MIB);
	CHECK(memblock_is_region_memory(RAM_BASE, 3 * MIB) && memblock_is_region_memory(RAM_BASE + 100 * MIB, MIB));
	CHECK(memblock_is_region_reserved(RAM_BASE + 100 * MIB + PAGE_SIZE / 2, MIB - PAGE_SIZE / 2));
	CHECK_LOG("memory: mem= keeps .mem 0x0000000040280000-0x00000000402fffff. for the image");
	CHECK_LOG("memory: mem= keeps .mem 0x0000000046400000-0x00000000464fffff. for the initrd");
}

/* The initrd may lie below the image, or over it, and its end may be that of the address space. */
static void test_mem_keeps_order(void)
{
	start();
	tree_open("chosen");
	tree_string("bootargs", "mem=1M");
	tree_u32("linux,initrd-start", (u32)(RAM_BASE + MIB));
	tree_u32("linux,initrd-end", (u32)(RAM_BASE + 5 * MIB / 2));
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), 3 * MIB);
	CHECK_LOG("memory: mem= keeps .mem 0x0000000040100000-0x000000004027ffff. for the initrd");
	CHECK_LOG("memory: mem= keeps .mem 0x0000000040280000-0x00000000402fffff. for the image");
}

static void test_mem_keeps_no_nonsense(void)
{
	static const u32 start_cells[] = { 0xffffffff, 0xfffff000 }, end_cells[] = { 0xffffffff, 0xffffffff };

	start();
	tree_open("chosen");
	tree_string("bootargs", "mem=1M");
	tree_cells("linux,initrd-start", start_cells, 2);
	tree_cells("linux,initrd-end", end_cells, 2);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), 2 * MIB);
	CHECK(!strstr(host_log(), "for the initrd"));
}

/* An array that grew while banks were read, in memory that mem= then leaves out, is nobody's: the boot goes on. */
static void test_mem_array(void)
{
	tree_start();
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
	for (u64 i = 1; i <= 6; i++)
		tree_memory(RAM_BASE + i * GIB, 32 * MIB, -1);
	tree_open("chosen");
	tree_string("bootargs", "mem=256M");
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(physmem.cnt == 7 && physmem.place > RAM_END);
	claims_add_arrays();
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
}

static void test_mem_bad(void)
{
	CHECK_EQ(discover(tree_with_args("mem=lots")), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_LOG("bootargs: mem=lots is no size: ignored");
}

static void test_mem_larger(void)
{
	CHECK_EQ(discover(tree_with_args("mem=8G")), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE);
	CHECK_EQ(strlen(host_log()), 0);
}

/*
 *	    RAM_BASE                RAM_END       2 GiB
 *	       |#########################|           |====|
 *	           $$$$                               added
 */
static void test_memmap(void)
{
	CHECK_EQ(discover(tree_with_args("memmap=1M$0x44000000,16M@0x80000000 memmap=64K$0x45000000 memmap=5Q")), 0);
	CHECK_EQ(memblock_phys_mem_size(), RAM_SIZE + 16 * MIB);
	CHECK(memblock_is_memory(2 * GIB) && memblock_is_memory(2 * GIB + 16 * MIB - 1));
	CHECK(memblock_is_reserved(0x44000000) && memblock_is_reserved(0x440fffff) &&
	      !memblock_is_reserved(0x44100000));
	CHECK(memblock_is_reserved(0x4500ffff) && !memblock_is_reserved(0x45010000));
	CHECK_LOG("bootargs: memmap=5Q is neither");
}

/* /chosen. */

static void test_usable_range(void)
{
	static const struct tree_range usable[] = { { RAM_BASE + 128 * MIB, 16 * MIB }, { RAM_BASE, 32 * MIB } };

	start();
	tree_open("chosen");
	tree_reg("linux,usable-memory-range", usable, 2);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_EQ(memblock_phys_mem_size(), 48 * MIB);
	CHECK(memblock_is_memory(RAM_BASE + 32 * MIB - 1) && !memblock_is_memory(RAM_BASE + 32 * MIB));
	CHECK(!memblock_is_memory(RAM_BASE + 128 * MIB - 1) && memblock_is_memory(RAM_BASE + 128 * MIB));
	CHECK_LOG("memory: linux,usable-memory-range leaves out");
}

/* Arrays that grow while banks are read keep inside it: the rest is another kernel's. */
static void test_usable_array(void)
{
	static const struct tree_range usable[] = { { RAM_BASE + 32 * MIB, 64 * MIB } };

	tree_start();
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
	for (u64 i = 1; i <= 6; i++)
		tree_memory(RAM_BASE + i * GIB, 32 * MIB, -1);
	tree_open("chosen");
	tree_reg("linux,usable-memory-range", usable, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(physmem.place >= usable[0].base && physmem.place < usable[0].base + usable[0].size);
}

static void test_usable_nothing(void)
{
	static const struct tree_range usable[] = { { 5 * GIB, 16 * MIB } };

	start();
	tree_open("chosen");
	tree_reg("linux,usable-memory-range", usable, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), -ENOENT);
	CHECK_LOG("memory: the limits of /chosen and of the boot arguments leave none");
}

static void test_elfcorehdr(void)
{
	static const struct tree_range header[] = { { RAM_BASE + 64 * MIB, 8192 } };

	start();
	tree_open("chosen");
	tree_reg("linux,elfcorehdr", header, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(memblock_is_reserved(RAM_BASE + 64 * MIB) && memblock_is_reserved(RAM_BASE + 64 * MIB + 8191));
}

static void test_hotpluggable(void)
{
	static const struct tree_range bank[] = { { 2 * GIB, 64 * MIB } };

	start();
	tree_open("chosen");
	tree_string("bootargs", "movable_node");
	tree_close();
	tree_open("memory@80000000");
	tree_string("device_type", "memory");
	tree_flag("hotpluggable");
	tree_reg("reg", bank, 1);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(memblock_search(&memblock.memory, 2 * GIB)->flags & MEMBLOCK_HOTPLUG);
	CHECK(!(memblock_search(&memblock.memory, RAM_BASE)->flags & MEMBLOCK_HOTPLUG));
	CHECK(memblock_phys_alloc(PAGE_SIZE, PAGE_SIZE) < RAM_END);
}

/* /reserved-memory. */

static void open_reserved(void)
{
	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_flag("ranges");
}

static void rmem(const char *name, u64 base, const char *compatible, const char *const *flags)
{
	const struct tree_range range = { base, MIB };

	tree_open(name);
	tree_reg("reg", &range, 1);
	if (compatible)
		tree_string("compatible", compatible);
	for (; *flags; flags++)
		tree_flag(*flags);
	tree_close();
}

static void test_reserved_properties(void)
{
	static const char *const none[] = { NULL }, *const cma[] = { "reusable", "linux,cma-default", NULL };
	static const char *const both[] = { "reusable", "no-map", NULL }, *const lost[] = { "linux,cma-default", NULL };
	struct reserved_mem r;
	unsigned int i = 0;
	const void *fdt;

	start();
	open_reserved();
	rmem("a", RAM_BASE + 16 * MIB, "shared-dma-pool", cma);
	rmem("b", RAM_BASE + 32 * MIB, "shared-dma-pool", cma);
	rmem("c", RAM_BASE + 48 * MIB, "restricted-dma-pool", none);
	rmem("d", RAM_BASE + 64 * MIB, "acme,frames", lost);
	rmem("e", RAM_BASE + 80 * MIB, NULL, both);
	tree_close();
	fdt = tree_finish();
	CHECK_EQ(discover(fdt), 0);
	reserved_mem_report(fdt);

	CHECK(reserved_mem_next(fdt, &i, &r));
	CHECK_EQ(r.flags, RMEM_SHARED_POOL | RMEM_REUSABLE | RMEM_CMA_DEFAULT);
	CHECK(reserved_mem_next(fdt, &i, &r));
	CHECK_EQ(r.flags, RMEM_SHARED_POOL | RMEM_REUSABLE);
	CHECK(reserved_mem_next(fdt, &i, &r));
	CHECK_EQ(r.flags, RMEM_RESTRICTED_POOL);
	CHECK(reserved_mem_next(fdt, &i, &r));
	CHECK_EQ(r.flags, 0);
	CHECK(!strcmp(r.compatible, "acme,frames"));
	CHECK(reserved_mem_next(fdt, &i, &r));
	CHECK_EQ(r.flags, RMEM_NOMAP);
	CHECK(!reserved_mem_next(fdt, &i, &r));

	CHECK_LOG("reserved: /reserved-memory/a: shared-dma-pool, reusable, default pool");
	CHECK_LOG("reserved: /reserved-memory/b: linux,cma-default: an earlier pool is the default already");
	CHECK_LOG("reserved: /reserved-memory/d: linux,cma-default is for a reusable shared-dma-pool");
	CHECK_LOG("reserved: /reserved-memory/e: no-map and reusable exclude each other: no-map holds");
}

static void test_unaligned(void)
{
	const struct tree_range range = { RAM_BASE + 16 * MIB + 16, 4096 };

	start();
	open_reserved();
	tree_open("odd");
	tree_reg("reg", &range, 1);
	tree_close();
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK(memblock_is_reserved(range.base) && !memblock_is_reserved(range.base - 1));
	CHECK_LOG("reserved: /reserved-memory/odd .* is not whole pages");
}

/* Overlaps are said whatever the kinds, once. */
static void test_nomap_overlap(void)
{
	static const char *const nomap[] = { "no-map", NULL }, *const none[] = { NULL };

	start();
	open_reserved();
	rmem("firmware", RAM_BASE + 16 * MIB, NULL, nomap);
	rmem("log", RAM_BASE + 16 * MIB + 512 * 1024, NULL, none);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);
	CHECK_LOG("reserved: /reserved-memory/log .* overlaps /reserved-memory/firmware .*: both kept");
}

/* DMA reach. */

static void bus(const char *name, u64 child, u64 parent, u64 size)
{
	const u32 cells[] = { (u32)(child >> 32), (u32)child,	     (u32)(parent >> 32),
			      (u32)parent,	  (u32)(size >> 32), (u32)size };

	tree_open(name);
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_cells("dma-ranges", cells, 6);
}

static int node_of(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	CHECK(node >= 0);
	return node;
}

/*
 *	/soc			reaches 1 GiB from 0
 *	/soc/inner		its 0 is /soc's 512 MiB, and 128 MiB long
 *	/free			limits nobody
 */
static void test_dma_reach(void)
{
	const void *fdt;

	start();
	bus("soc", 0, 0, GIB);
	bus("inner", 0, 512 * MIB, 128 * MIB);
	tree_open("dma");
	tree_close();
	tree_close();
	tree_open("usb");
	tree_close();
	tree_close();
	tree_open("free");
	tree_open("gpu");
	tree_close();
	tree_close();
	fdt = tree_finish();

	CHECK_EQ(fdt_dma_reach(fdt, node_of(fdt, "/soc/usb")), GIB);
	CHECK_EQ(fdt_dma_reach(fdt, node_of(fdt, "/soc/inner/dma")), 640 * MIB);
	CHECK_EQ(fdt_dma_reach(fdt, node_of(fdt, "/free/gpu")), 0);
	CHECK_EQ(fdt_dma_limit(fdt), 640 * MIB);
}

/* What an inner bus passes, its parent may clip: 0 to 1.5 GiB, of which 0 to 1 GiB goes on. */
static void test_dma_clipped(void)
{
	static const u32 outer[] = { 0, 0, 0, 0, 0, (u32)GIB, 0, 2u << 30, 0, 2u << 30, 0, (u32)GIB };

	start();
	tree_open("outer");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_cells("dma-ranges", outer, ARRAY_SIZE(outer));
	bus("inner", 0, 0, GIB + GIB / 2);
	tree_close();
	tree_close();
	CHECK_EQ(fdt_dma_limit(tree_finish()), GIB);
}

static void test_dma_disabled(void)
{
	start();
	bus("off", 0, 0, 16 * MIB);
	tree_string("status", "disabled");
	bus("below", 0, 0, MIB);
	tree_close();
	tree_close();
	bus("on", 0, 0, GIB);
	tree_close();
	CHECK_EQ(fdt_dma_limit(tree_finish()), GIB);
}

/* Two ways up each of 30 buses: more than anybody can look at. */
static void test_dma_hostile(void)
{
	static const u32 twice[] = { 0, 0, 0, 0, 0, (u32)GIB, 0, 0, 0, 0, 0, (u32)GIB };

	start();
	for (int i = 0; i < 30; i++) {
		tree_open("bus");
		tree_u32("#address-cells", 2);
		tree_u32("#size-cells", 2);
		tree_cells("dma-ranges", twice, ARRAY_SIZE(twice));
	}
	for (int i = 0; i < 30; i++)
		tree_close();
	host_boot_cpu(1);
	CHECK_EQ(fdt_dma_limit(tree_finish()), GIB);
	CHECK_LOG("dma: more than 4096 ways through dma-ranges of nested buses");
}

static void test_dma_whole(void)
{
	start();
	bus("soc", 0, 0, ~0ULL);
	tree_close();
	bus("top", 0, 1ULL << 63, 1ULL << 63);
	tree_close();
	CHECK_EQ(fdt_dma_limit(tree_finish()), ~0ULL);
}

/* Whose each byte is. */

static const struct mem_claim *owner_of(phys_addr_t pa)
{
	struct ram_run run = { 0 };

	while (ram_run_next(&run))
		if (pa >= run.base && pa < run.end)
			return run.owner;
	tap_fail(__FILE__, __LINE__, "0x%llx is in no run", pa);
}

/*
 *	claims	|--- image ---|        |--- a ---|
 *				   |--- b ---|	a came first
 */
static void test_provenance(void)
{
	static const char *const none[] = { NULL };
	const phys_addr_t a = RAM_BASE + 32 * MIB, b = a + 512 * 1024;
	struct ram_run run = { 0 };
	phys_addr_t last = RAM_BASE;
	struct ram_sums sums;
	char name[64];

	start();
	open_reserved();
	rmem("a", a, NULL, none);
	rmem("b", b, NULL, none);
	tree_close();
	CHECK_EQ(discover(tree_finish()), 0);

	while (ram_run_next(&run)) {
		CHECK_EQ(run.base, last);
		last = run.end;
	}
	CHECK_EQ(last, RAM_END);
	CHECK(!owner_of(RAM_BASE));
	CHECK(!strcmp(claim_name(owner_of(IMAGE_BASE), name, sizeof(name)), "image text"));
	CHECK(!strcmp(claim_name(owner_of(b), name, sizeof(name)), "/reserved-memory/a"));
	CHECK(!strcmp(claim_name(owner_of(a + MIB), name, sizeof(name)), "/reserved-memory/b"));
	CHECK(!owner_of(b + MIB));

	ram_sum(&sums);
	CHECK_EQ(sums.discovered, RAM_SIZE);
	CHECK_EQ(sums.reserved + sums.unclaimed, RAM_SIZE);
	CHECK_EQ(sums.reserved, memblock_reserved_size());
	CHECK_EQ(sums.metadata, 0);
	CHECK(sums.whole_pages <= sums.unclaimed && sums.unclaimed - sums.whole_pages < 2 * PAGE_SIZE);
}

static const struct tap_case cases[] = {
	TAP_CASE("old versions are refused", test_old_version),
	TAP_CASE("sizes are read", test_parse_size),
	TAP_CASE("arguments are found by whole names", test_bootarg_value),
	TAP_CASE("mem= leaves the rest out", test_mem),
	TAP_CASE("mem= keeps image and initrd", test_mem_keeps),
	TAP_CASE("mem= keeps an initrd below the image", test_mem_keeps_order),
	TAP_CASE("mem= keeps nothing for an initrd at the end of the address space", test_mem_keeps_no_nonsense),
	TAP_CASE("mem= may leave out what an array grew into", test_mem_array),
	TAP_CASE("mem= that is no size is named", test_mem_bad),
	TAP_CASE("mem= above what there is changes nothing", test_mem_larger),
	TAP_CASE("memmap= adds and reserves", test_memmap),
	TAP_CASE("linux,usable-memory-range, in any order", test_usable_range),
	TAP_CASE("arrays grow inside the usable range", test_usable_array),
	TAP_CASE("a usable range without RAM leaves nothing, and says so", test_usable_nothing),
	TAP_CASE("linux,elfcorehdr is reserved", test_elfcorehdr),
	TAP_CASE("hotpluggable memory is marked", test_hotpluggable),
	TAP_CASE("reserved memory keeps its properties", test_reserved_properties),
	TAP_CASE("a range that is not whole pages is said", test_unaligned),
	TAP_CASE("an overlap with no-map is said", test_nomap_overlap),
	TAP_CASE("dma-ranges are translated up the buses", test_dma_reach),
	TAP_CASE("a bus clips what a bus below it passes", test_dma_clipped),
	TAP_CASE("a disabled bus limits nobody", test_dma_disabled),
	TAP_CASE("buses without end are given up on", test_dma_hostile),
	TAP_CASE("a range up to the last address limits nobody", test_dma_whole),
	TAP_CASE("every byte has one owner or none", test_provenance),
};
TAP_MAIN(cases)
