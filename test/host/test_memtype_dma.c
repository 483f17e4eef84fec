// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory types of what bus masters have (dma_machine.h): each pair of requests that are in conflict, in both orders;
 * many buffers; what is held while caches and TLBs are told; masters that end; eight CPUs.
 */
#include <lib/smp.h>
#include <mm/io.h>
#include <mm/memtype.h>
#include <mm/port.h>

#include <asm/cache.h>

#include "../../mm/dma.h"
#include "../io_ways.h"
#include "dma_machine.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define PLAIN_BASE (GIB + 208 * MIB)
#define CPUS	   8
#define MANY	   600

/* Coherent memory of a master. */
struct memory {
	struct device *dev;
	char *cpu;
	dma_addr_t dma;
	phys_addr_t phys;
	size_t size;
};

static bool get(struct memory *m, const char *path, size_t size, gfp_t gfp)
{
	*m = (struct memory){ .dev = dma_master_get(path), .size = size };
	m->cpu = dma_alloc_coherent(m->dev, size, &m->dma, gfp);
	if (m->cpu)
		CHECK(dma_to_phys(m->dev, m->dma, size, &m->phys));
	else
		CHECK_EQ(dma_device_put(m->dev), 0);
	return m->cpu;
}

static void put(struct memory *m)
{
	dma_free_coherent(m->dev, m->size, m->cpu, m->dma);
	CHECK_EQ(dma_device_put(m->dev), 0);
}

/* --- a pool that the linear map has not --- */

/* The master comes first. */
static void try_master_first(const struct io_way *way)
{
	struct memory m;
	void *map;

	CHECK(get(&m, "/free/codec", 5000, GFP_KERNEL));
	CHECK_EQ(m.phys, DARK_BASE);
	CHECK_EQ(memtype_held(), 1);
	CHECK_EQ(memtype_ram_held(), 0);
	host_log_clear();
	map = (way->map)(DARK_BASE + 0x1ff8, 16);
	CHECK_EQ(map != NULL, way->type == MEMTYPE_WC);
	if (map)
		(way->unmap)(map);
	else
		host_check_conflict(way->name, DARK_BASE + 0x1ff8, 16, way->type, "master /free/codec", DARK_BASE,
				    0x2000, MEMTYPE_WC);
	/* The page behind it is free. */
	map = (way->map)(DARK_BASE + 0x2000, 16);
	CHECK(map);
	(way->unmap)(map);
	put(&m);
	CHECK_EQ(memtype_held(), 0);
	map = (way->map)(DARK_BASE, 0x3000);
	CHECK(map);
	(way->unmap)(map);
}

/* The master comes second: it gets nothing, and nothing is left. */
static void try_master_second(const struct io_way *way)
{
	void *map = (way->map)(DARK_BASE + 0x1010, 8);
	bool agree = way->type == MEMTYPE_WC;
	struct memory m;

	CHECK(map);
	host_log_clear();
	CHECK_EQ(get(&m, "/free/codec", 2 * PAGE_SIZE, GFP_KERNEL), agree);
	if (agree) {
		CHECK_EQ(memtype_held(), 2);
		put(&m);
	} else {
		host_check_conflict("master /free/codec", DARK_BASE, 2 * PAGE_SIZE, MEMTYPE_WC, way->name,
				    DARK_BASE + 0x1010, 8, way->type);
		CHECK_LOG(
			"dma: /free/codec: dma_alloc_coherent of 8192 bytes: some of its memory is mapped with another "
			"memory type; it reaches .*, mask 0xffffffff$");
		host_log_clear();
		CHECK(!get(&m, "/free/codec", 2 * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN));
		CHECK_NO_LOG(".");
	}
	CHECK_EQ(memtype_held(), 1);
	CHECK(dma_check() && vmalloc_check());
	/* One page does not touch it. */
	CHECK(get(&m, "/free/codec", 1, GFP_KERNEL));
	put(&m);
	(way->unmap)(map);
	CHECK(get(&m, "/free/codec", 2 * PAGE_SIZE, GFP_KERNEL));
	put(&m);
	CHECK_EQ(memtype_held(), 0);
}

static void test_pool(void)
{
	unsigned long start;
	struct memory m;

	dma_boot(1);
	/* The region is made for the first who asks, and stays. */
	CHECK(get(&m, "/free/codec", 1, GFP_KERNEL));
	put(&m);
	start = host_quiet_pages();
	for (size_t i = 0; i < ARRAY_SIZE(io_ways); i++) {
		try_master_first(&io_ways[i]);
		try_master_second(&io_ways[i]);
	}
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* --- RAM --- */

static void try_ram(const char *path, const char *owner)
{
	struct memory m;
	struct page *page;
	void *map;

	CHECK(get(&m, path, 3 * PAGE_SIZE, GFP_KERNEL));
	page = pfn_to_page(PFN_DOWN(m.phys) + 1);
	CHECK_EQ(memtype_ram_held(), 1);
	host_log_clear();
	CHECK(!memremap(m.phys - 8, 16, MEMREMAP_WB | MEMREMAP_WT | MEMREMAP_WC));
	host_check_conflict("memremap", m.phys - 8, 16, MEMTYPE_WB, owner, m.phys, 3 * PAGE_SIZE, MEMTYPE_WC);
	CHECK(memremap(m.phys - 8, 8, MEMREMAP_WB) == __va(m.phys - 8));
	CHECK(!vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO));
	host_check_conflict("vmap", m.phys + PAGE_SIZE, PAGE_SIZE, MEMTYPE_WB, owner, m.phys, 3 * PAGE_SIZE,
			    MEMTYPE_WC);
	CHECK(!vmap(&page, 1, VM_MAP, PAGE_KERNEL_WT));
	host_check_conflict("vmap", m.phys + PAGE_SIZE, PAGE_SIZE, MEMTYPE_WT, owner, m.phys, 3 * PAGE_SIZE,
			    MEMTYPE_WC);
	CHECK(!vm_map_ram(&page, 1, -1));
	host_check_conflict("vm_map_ram", m.phys + PAGE_SIZE, PAGE_SIZE, MEMTYPE_WB, owner, m.phys, 3 * PAGE_SIZE,
			    MEMTYPE_WC);
	/* For ioremap() it is RAM, as before. */
	CHECK(!ioremap_wc(m.phys, 8));
	CHECK_LOG("ioremap_wc: .* is RAM of node 0");
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL_NC);
	CHECK(map);
	CHECK_EQ(memtype_held(), 2);
	vunmap(map);
	put(&m);
	CHECK_EQ(memtype_held(), 0);
	CHECK(memremap(m.phys, 3 * PAGE_SIZE, MEMREMAP_WB) == __va(m.phys));
}

static void test_ram(void)
{
	struct memory m;

	dma_boot(1);
	try_ram("/soc/eth", "master /soc/eth");
	try_ram("/free/gpu", "master /free/gpu");
	try_ram("/free/dsp", "master /free/dsp");
	/* What a master that sees caches has is the linear map's. */
	CHECK(get(&m, "/soc/usb", PAGE_SIZE, GFP_KERNEL));
	CHECK_EQ(memtype_held(), 0);
	CHECK(memremap(m.phys, 8, MEMREMAP_WB) == m.cpu);
	put(&m);
	host_check();
}

/* Pages of a master's own region are mapped by somebody else first. */
static void try_region(u64 prot, enum memtype type)
{
	struct page *pages[2] = { pfn_to_page(PFN_DOWN(PLAIN_BASE)), pfn_to_page(PFN_DOWN(PLAIN_BASE) + 1) };
	void *map = vmap(pages, 2, VM_MAP, prot);
	struct memory m;

	CHECK(map);
	host_log_clear();
	CHECK(!get(&m, "/free/dsp", PAGE_SIZE, GFP_KERNEL));
	host_check_conflict("master /free/dsp", PLAIN_BASE, PAGE_SIZE, MEMTYPE_WC, "vmap", PLAIN_BASE, 2 * PAGE_SIZE,
			    type);
	CHECK_EQ(memtype_held(), 1);
	CHECK(dma_check());
	vunmap(map);
	CHECK(get(&m, "/free/dsp", PAGE_SIZE, GFP_KERNEL));
	put(&m);
	CHECK_EQ(memtype_held(), 0);
}

static void test_region(void)
{
	dma_boot(1);
	try_region(PAGE_KERNEL_WT, MEMTYPE_WT);
	try_region(PAGE_DEVICE, MEMTYPE_DEVICE);
	try_region(PAGE_KERNEL, MEMTYPE_WB);
	host_check();
}

/* --- many at once --- */

static struct memory many[MANY];

static void test_many(void)
{
	static const char *const paths[] = { "/soc/eth", "/free/codec", "/odd/spy" };
	unsigned long start, refused = 0;

	dma_boot(1);
	host_mute();
	CHECK(get(&many[0], "/free/codec", 1, GFP_KERNEL));
	put(&many[0]);
	start = host_quiet_pages();
	for (int i = 0; i < MANY; i++)
		CHECK(get(&many[i], paths[i % 3], 1 + tap_below(2 * PAGE_SIZE), GFP_KERNEL));
	CHECK_EQ(memtype_held(), MANY);
	CHECK_EQ(memtype_ram_held(), MANY / 3 * 2);
	CHECK(memtype_check() && dma_check());
	for (int i = 0; i < MANY; i++)
		refused += !memremap(many[i].phys + tap_below(many[i].size), 1, MEMREMAP_WB);
	CHECK_EQ(refused, MANY);
	for (int i = 0; i < MANY; i++) {
		put(&many[(i * 7) % MANY]);
		if (i % 64 == 0)
			CHECK(memtype_check());
	}
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* --- held before caches are cleaned, and until TLBs were told --- */

static unsigned long cleans, flushes;

static void note_clean(enum host_cache_op op, unsigned long start, unsigned long end)
{
	(void)op;
	(void)start;
	(void)end;
	CHECK_EQ(memtype_held(), 1);
	cleans++;
}

static void note_flush(unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	CHECK_EQ(memtype_held(), 1);
	flushes++;
}

static void test_order(void)
{
	struct memory m;

	dma_boot(1);
	host_cache_watch(note_clean);
	CHECK(get(&m, "/soc/eth", PAGE_SIZE, GFP_KERNEL));
	CHECK(cleans);
	host_tlb_watch(note_flush);
	put(&m);
	CHECK(flushes);
	/* Of what the linear map has not no cache has a line. */
	cleans = 0;
	CHECK(get(&m, "/free/codec", PAGE_SIZE, GFP_KERNEL));
	put(&m);
	CHECK_EQ(cleans, 0);
	CHECK_EQ(memtype_held(), 0);
	host_cache_watch(NULL);
	host_tlb_watch(NULL);
	host_check();
}

/* --- who is named may have ended --- */

static struct memory last;

/* Its mapping is on its way out: the master is ended, and who is refused still learns of it. */
static void end_master(unsigned long start, unsigned long end)
{
	unsigned long at = (uintptr_t)last.cpu;

	if (irqs_disabled() || !last.dev || at < start || at >= end)
		return;
	CHECK_EQ(dma_device_put(last.dev), 0);
	last.dev = NULL;
	CHECK(!memremap(DARK_BASE, 8, MEMREMAP_WT));
	host_check_conflict("memremap", DARK_BASE, 8, MEMTYPE_WT, "master /free/codec", DARK_BASE, PAGE_SIZE,
			    MEMTYPE_WC);
}

static void test_named_late(void)
{
	void *map;

	dma_boot(1);
	host_tlb_watch(end_master);
	CHECK(get(&last, "/free/codec", PAGE_SIZE, GFP_KERNEL));
	dma_free_coherent(last.dev, last.size, last.cpu, last.dma);
	CHECK(!last.dev);
	map = memremap(DARK_BASE, 8, MEMREMAP_WT);
	CHECK(map);
	memunmap(map);
	CHECK_EQ(memtype_held(), 0);
	host_check();
}

/* --- eight CPUs: at no moment are there two types for one page --- */

#define PAGES 96

static u32 users[PAGES][NR_MEMTYPES]; /* atomic */

static void count(phys_addr_t phys, u64 size, enum memtype type, u32 by)
{
	for (u64 page = (phys - DARK_BASE) / PAGE_SIZE; page < DIV_ROUND_UP(phys - DARK_BASE + size, PAGE_SIZE);
	     page++) {
		CHECK(page < PAGES);
		__atomic_fetch_add(&users[page][type], by, __ATOMIC_SEQ_CST);
		for (int other = 0; by == 1 && other < NR_MEMTYPES; other++)
			CHECK(other == (int)type || !__atomic_load_n(&users[page][other], __ATOMIC_SEQ_CST));
	}
}

static struct device *codec, *eth;
static u32 served, mapped; /* atomic */

static void use_pool(void)
{
	size_t size = 1 + tap_below(3 * PAGE_SIZE);
	dma_addr_t dma;
	void *cpu = dma_alloc_coherent(codec, size, &dma, GFP_KERNEL | __GFP_NOWARN);

	if (!cpu)
		return;
	count(dma, size, MEMTYPE_WC, 1);
	fetch_add32(&served, 1);
	count(dma, size, MEMTYPE_WC, -1U);
	dma_free_coherent(codec, size, cpu, dma);
}

static void use_ram(void)
{
	size_t size = 1 + tap_below(3 * PAGE_SIZE);
	dma_addr_t dma;
	phys_addr_t phys;
	void *cpu = dma_alloc_coherent(eth, size, &dma, GFP_KERNEL | __GFP_NOWARN);
	struct page *page;

	CHECK(cpu && dma_to_phys(eth, dma, size, &phys));
	page = pfn_to_page(PFN_DOWN(phys));
	CHECK(!memremap(phys, size, MEMREMAP_WB));
	CHECK(!vmap(&page, 1, VM_MAP, PAGE_KERNEL));
	dma_free_coherent(eth, size, cpu, dma);
}

static void use_vmap(void)
{
	static const u64 others[] = { PAGE_KERNEL_NC, PAGE_KERNEL_WT, PAGE_DEVICE, PAGE_KERNEL };
	struct page *pages[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };
	u64 prot = others[tap_below(ARRAY_SIZE(others))];
	void *map;

	CHECK(pages[0] && pages[1]);
	map = vmap(pages, 2, VM_MAP, prot);
	CHECK(map);
	CHECK_EQ(memremap(page_to_phys(pages[1]), 1, MEMREMAP_WB) != NULL, prot == PAGE_KERNEL);
	vunmap(map);
	CHECK(memremap(page_to_phys(pages[1]), 1, MEMREMAP_WB));
	__free_page(pages[0]);
	__free_page(pages[1]);
}

static void remap(void)
{
	const struct io_way *way = &io_ways[tap_below(ARRAY_SIZE(io_ways))];
	phys_addr_t phys = DARK_BASE + tap_below(16 * PAGE_SIZE);
	size_t size = 1 + tap_below(2 * PAGE_SIZE);
	void *map = (way->map)(phys, size);

	if (!map)
		return;
	count(phys, size, way->type, 1);
	fetch_add32(&mapped, 1);
	count(phys, size, way->type, -1U);
	(way->unmap)(map);
}

static void load(void *arg)
{
	static void (*const steps[])(void) = { use_pool, use_pool, use_ram, use_vmap, remap };

	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--)
		(steps[tap_below(ARRAY_SIZE(steps))])();
}

static void test_threads(void)
{
	unsigned long n = tap_ops(1500), start;

	dma_boot(CPUS);
	host_mute();
	codec = dma_master_get("/free/codec");
	eth = dma_master_get("/soc/eth");
	start = host_quiet_pages();
	host_cpus_start();
	host_on_all_cpus(load, &n);
	CHECK(served > n / 4 && mapped > n / 4);
	CHECK(dma_check() && vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("a pool that is not mapped: each other request, in both orders", test_pool),
	TAP_CASE("RAM of a master that does not see caches", test_ram),
	TAP_CASE("a region that somebody else has mapped", test_region),
	TAP_CASE("600 buffers at once", test_many),
	TAP_CASE("held before caches are cleaned, and until TLBs were told", test_order),
	TAP_CASE("a master that ends is named still", test_named_late),
	TAP_CASE("8 CPUs", test_threads),
};
TAP_MAIN(cases)
