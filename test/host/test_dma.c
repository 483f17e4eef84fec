// SPDX-License-Identifier: BSD-2-Clause
/* Memory of bus masters (dma_machine.h): masters, allocation against a map of pages, buffers, caches, misuse. */
#include <errno.h>
#include <string.h>

#include <mm/memtype.h>
#include <mm/page_exact.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include <asm/cache.h>

#include "../../mm/dma.h"
#include "../../mm/vmap.h"
#include "dma_machine.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define LIVE 96

/* --- masters --- */

static void test_devices(void)
{
	struct device *eth, *again;
	struct dma_window w;
	dma_addr_t dma;
	void *p;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	again = dma_master_get("/soc/eth");
	CHECK(eth == again && !dev_is_dma_coherent(eth) && dma_get_mask(eth) == DMA_BIT_MASK(32));
	CHECK(dma_device_window(eth, 0, &w) && w.bus == SOC_BUS && w.first == GIB && w.last == GIB + SOC_SIZE - 1);
	CHECK(!dma_device_window(eth, 1, &w));
	CHECK(dev_is_dma_coherent(dma_master_get("/soc/usb")) && dev_is_dma_coherent(dma_master_get("/odd/cam")));
	CHECK(!dev_is_dma_coherent(dma_master_get("/odd/spy")));
	CHECK_EQ(phys_to_dma(eth, GIB + 5, 7), SOC_BUS + 5);
	CHECK_EQ(phys_to_dma(eth, GIB + SOC_SIZE - 1, 2), DMA_MAPPING_ERROR);
	CHECK(!dma_device_get("/soc/none"));
	CHECK_LOG("dma: /soc/none: FDT_ERR_NOTFOUND: no master");
	CHECK(!dma_device_get_node(3));
	p = dma_alloc_coherent(eth, 1, &dma, GFP_KERNEL);
	CHECK(p);
	CHECK_EQ(dma_device_put(again), 0);
	CHECK_EQ(dma_device_put(eth), -EBUSY);
	CHECK_LOG("dma: /soc/eth: dma_device_put: it has 1 allocations, 0 pools and 0 mapped buffers: it stays");
	dma_free_coherent(eth, 1, p, dma);
	CHECK_EQ(dma_device_put(eth), 0);
	CHECK(!dma_device_get("/free/bad"));
	CHECK_LOG("dma: /free/bad: its restricted pool /reserved-memory/hidden@4c000000 cannot be used: it is no-map");
	CHECK(dma_master_get("/free/lost"));
}

static void test_masks(void)
{
	struct device *disk, *eth;
	dma_addr_t dma;
	void *p;

	dma_boot(1);
	disk = dma_master_get("/free/disk");
	eth = dma_master_get("/soc/eth");
	CHECK_EQ(dma_set_mask(disk, DMA_BIT_MASK(30)), -EIO);
	CHECK_LOG("dma: /free/disk: dma_set_mask of 0x3fffffff: no RAM would be in reach");
	CHECK_EQ(dma_get_mask(disk), DMA_BIT_MASK(32));
	CHECK_EQ(dma_set_mask_and_coherent(disk, DMA_BIT_MASK(64)), 0);
	CHECK_EQ(disk->zone, ZONE_NORMAL);
	CHECK_EQ(eth->zone, ZONE_DMA);
	CHECK_EQ(dma_master_get("/odd/cam")->zone, -1);
	/* Half a window is left: no zone fits any more, and what comes lies there. */
	CHECK_EQ(dma_set_coherent_mask(eth, SOC_BUS + 32 * MIB - 1), 0);
	CHECK_EQ(eth->zone, -1);
	for (int i = 0; i < 8; i++) {
		p = dma_alloc_coherent(eth, 3 * MIB, &dma, GFP_KERNEL);
		CHECK(!p || (dma >= SOC_BUS && dma + 3 * MIB <= SOC_BUS + 32 * MIB));
		CHECK(p || i == 7);
	}
	CHECK_EQ(dma_set_coherent_mask(eth, SOC_BUS - 1), -EIO);
	/* The other mask: a buffer may end with the last address of it, and no further. */
	CHECK(!dma_mapping_error(eth, dma_map_single(eth, __va(GIB + 40 * MIB), 16, DMA_TO_DEVICE)));
	CHECK_EQ(dma_set_mask(eth, SOC_BUS + 32 * MIB - 1), 0);
	CHECK(dma_mapping_error(eth, dma_map_single(eth, __va(GIB + 40 * MIB), 16, DMA_TO_DEVICE)));
	CHECK(dma_mapping_error(eth, dma_map_single(eth, __va(GIB + 32 * MIB - 16), 17, DMA_TO_DEVICE)));
	CHECK(!dma_mapping_error(eth, dma_map_single(eth, __va(GIB + 32 * MIB - 16), 16, DMA_TO_DEVICE)));
}

/* --- allocation, against a map of who has which page --- */

static u8 owner_of[RAM_SIZE / PAGE_SIZE];

static struct buffer {
	struct device *dev;
	char *cpu;
	dma_addr_t dma;
	size_t size;
} buffers[LIVE];

static phys_addr_t phys_of(const struct buffer *b)
{
	phys_addr_t pa;

	CHECK(dma_to_phys(b->dev, b->dma, b->size, &pa));
	return pa;
}

static void mark(const struct buffer *b, u8 was, u8 is)
{
	unsigned long first = PFN_DOWN(phys_of(b) - GIB);

	for (unsigned long i = first; i < first + DIV_ROUND_UP(b->size, PAGE_SIZE); i++) {
		CHECK_EQ(owner_of[i], was);
		owner_of[i] = is;
	}
}

static u64 stamp_of(const struct buffer *b, size_t at)
{
	return b->dma * 0x9e3779b97f4a7c15ULL + at;
}

static void check_new(const struct buffer *b)
{
	phys_addr_t pa = phys_of(b);
	size_t align = PAGE_SIZE << get_order(b->size);

	CHECK(IS_ALIGNED(pa, align) && IS_ALIGNED(b->dma, align));
	CHECK(IS_ALIGNED((uintptr_t)b->cpu, min(align, VMAP_BLOCK_SIZE)));
	for (size_t i = 0; i < ALIGN(b->size, PAGE_SIZE); i += 8)
		CHECK_EQ(*(u64 *)(void *)(b->cpu + i), 0);
	CHECK_EQ(is_vmalloc_addr(b->cpu), !b->dev->coherent || (b->dev->region && !b->dev->region->mapped));
	if (is_vmalloc_addr(b->cpu))
		CHECK_EQ(PFN_PHYS(vmalloc_to_pfn(b->cpu + b->size - 1)), ALIGN_DOWN(pa + b->size - 1, PAGE_SIZE));
	else
		CHECK_EQ(__pa(b->cpu), pa);
}

static void make(struct buffer *b, struct device *dev, size_t size)
{
	*b = (struct buffer){ .dev = dev, .size = size };
	b->cpu = dma_alloc_coherent(dev, size, &b->dma, GFP_KERNEL | __GFP_NOWARN);
	if (!b->cpu)
		return;
	mark(b, 0, 1);
	check_new(b);
	for (size_t i = 0; i + 8 <= b->size; i += 1024)
		*(u64 *)(void *)(b->cpu + i) = stamp_of(b, i);
}

static void end(struct buffer *b)
{
	for (size_t i = 0; i + 8 <= b->size; i += 1024)
		CHECK_EQ(*(u64 *)(void *)(b->cpu + i), stamp_of(b, i));
	mark(b, 1, 0);
	dma_free_coherent(b->dev, b->size, b->cpu, b->dma);
	b->cpu = NULL;
}

static size_t random_size(void)
{
	switch (tap_below(8)) {
	case 0:
		return 1 + tap_below(6 * MIB);
	case 1:
	case 2:
		return 1 + tap_below(200 << 10);
	default:
		return 1 + tap_below(3 * PAGE_SIZE);
	}
}

static const char *const all_masters[] = { "/soc/eth",	"/soc/usb",    "/odd/cam",  "/odd/spy",	  "/free/disk",
					   "/free/gpu", "/free/codec", "/free/isp", "/free/gpu2", "/free/dsp" };

static void test_random(void)
{
	struct device *devs[ARRAY_SIZE(all_masters)];
	unsigned long start, served = 0, n = tap_ops(3000);

	dma_boot(2);
	for (size_t i = 0; i < ARRAY_SIZE(all_masters); i++)
		devs[i] = dma_master_get(all_masters[i]);
	start = host_quiet_pages();
	for (unsigned long i = 0; i < n; i++) {
		struct buffer *b = &buffers[tap_below(LIVE)];

		if (b->cpu) {
			end(b);
			continue;
		}
		make(b, devs[tap_below(ARRAY_SIZE(devs))], random_size());
		served += b->cpu != NULL;
		if (i % 256 == 0)
			CHECK(dma_check() && vmalloc_check());
	}
	CHECK(served > n / 4);
	CHECK(dma_check());
	CHECK_EQ(show_dma(1, NULL), 0);
	for (int i = 0; i < LIVE; i++)
		if (buffers[i].cpu)
			end(&buffers[i]);
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

static bool within(const struct buffer *b, u64 base, u64 size)
{
	phys_addr_t pa = phys_of(b);

	return pa >= base && pa + b->size <= base + size;
}

/* Each master's memory comes from where the tree says. */
static void test_sources(void)
{
	static const struct {
		const char *path;
		u64 base, size;
	} where[] = {
		{ "/soc/eth", GIB, SOC_SIZE },	       { "/odd/cam", ODD_BASE, ODD_SIZE },
		{ "/free/gpu", POOL_BASE, POOL_SIZE }, { "/free/codec", DARK_BASE, DARK_SIZE },
		{ "/free/isp", CMA_BASE, CMA_SIZE },   { "/free/dsp", GIB + 208 * MIB, MIB },
	};
	struct buffer b;

	dma_boot(1);
	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		make(&b, dma_master_get(where[i].path), 5000);
		CHECK(b.cpu && within(&b, where[i].base, where[i].size));
		end(&b);
	}
	/* What the area does not have any more, RAM has. */
	make(&buffers[0], dma_master_get("/free/isp"), CMA_SIZE);
	make(&buffers[1], dma_master_get("/free/isp"), PAGE_SIZE);
	CHECK(buffers[0].cpu && within(&buffers[0], CMA_BASE, CMA_SIZE));
	CHECK(buffers[1].cpu && !within(&buffers[1], CMA_BASE, CMA_SIZE));
	end(&buffers[0]);
	end(&buffers[1]);
	CHECK(dma_master_get("/free/lost")->region == NULL);
	host_check();
}

/* What of a region is in the second of two windows. */
static void test_second_window(void)
{
	struct device *codec;
	struct buffer b;

	dma_boot(1);
	codec = dma_master_get("/free/codec");
	codec->nr_windows = 2;
	codec->windows[0] = (struct dma_window){ .bus = 0, .first = GIB, .last = GIB + MIB - 1 };
	codec->windows[1] =
		(struct dma_window){ .bus = 16 * MIB, .first = DARK_BASE + MIB, .last = DARK_BASE + 2 * MIB - 1 };
	CHECK_EQ(dma_region_largest(codec, codec->coherent_mask), MIB >> PAGE_SHIFT);
	make(&b, codec, 5000);
	CHECK(b.cpu && b.dma == 16 * MIB && phys_of(&b) == DARK_BASE + MIB);
	end(&b);
	CHECK(!dma_alloc_coherent(codec, MIB + 1, &b.dma, GFP_KERNEL));
	host_check();
}

/* All of a reach, a page at a time; then nothing, with a line; then all of it again. */
static void exhaust(const char *path, size_t size, unsigned long at_least, const char *regex)
{
	struct device *dev = dma_master_get(path);
	unsigned long n[2] = { 0, 0 };
	struct list {
		struct list *next;
		dma_addr_t dma;
	} * list, *p;

	for (int round = 0; round < 2; round++) {
		host_log_clear();
		for (list = NULL;; list = p, n[round]++) {
			dma_addr_t dma;

			p = dma_alloc_coherent(dev, size, &dma, GFP_KERNEL);
			if (!p)
				break;
			p->next = list;
			p->dma = dma;
		}
		CHECK_LOG(regex);
		CHECK(!dma_alloc_coherent(dev, size, &(dma_addr_t){ 0 }, GFP_KERNEL | __GFP_NOWARN));
		while ((p = list)) {
			list = p->next;
			dma_free_coherent(dev, size, p, p->dma);
		}
	}
	CHECK(n[0] >= at_least && n[1] == n[0]);
}

static void test_exhaustion(void)
{
	unsigned long start;

	dma_boot(1);
	host_mute();
	for (size_t i = 0; i < ARRAY_SIZE(all_masters); i++)
		dma_master_get(all_masters[i]);
	start = host_quiet_pages();
	exhaust("/odd/cam", PAGE_SIZE, ODD_SIZE / PAGE_SIZE,
		"dma: /odd/cam: dma_alloc_coherent of 4096 bytes: no memory in reach; it reaches bus 0x0-0x7fffff = .mem "
		"0x46400000-0x46bfffff., mask 0xffffffff; of RAM the largest free block in reach has 0 bytes");
	exhaust("/odd/spy", 64 << 10, ODD_SIZE / (64 << 10), "largest free block in reach has 0 bytes");
	exhaust("/free/gpu", 3 * PAGE_SIZE, POOL_SIZE / (4 * PAGE_SIZE),
		"of its pool /reserved-memory/locked@48000000 the largest free block in reach has 4096 bytes");
	exhaust("/free/codec", DARK_SIZE, 1, "its pool /reserved-memory/dark@49000000 the largest .* has 0 bytes");
	exhaust("/soc/eth", MIB, 8, "dma: /soc/eth: dma_alloc_coherent of 1048576 bytes: no memory in reach");
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* --- what is refused --- */

static void test_refused(void)
{
	struct device *eth, *usb, *cam;
	dma_addr_t dma, other;
	char *p, *q;
	unsigned long start;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	usb = dma_master_get("/soc/usb");
	cam = dma_master_get("/odd/cam");
	start = host_quiet_pages();
	CHECK(!dma_alloc_coherent(eth, 0, &dma, GFP_KERNEL));
	CHECK_LOG(
		"dma: /soc/eth: dma_alloc_coherent of 0 bytes: nothing to allocate; it reaches bus 0xc0000000-0xc3ffffff");
	CHECK(!dma_alloc_coherent(eth, 1UL << 63, &dma, GFP_KERNEL));
	CHECK(!dma_alloc_coherent(eth, ~0UL, &dma, GFP_KERNEL));
	CHECK(!dma_alloc_coherent(eth, SOC_SIZE + 1, &dma, GFP_KERNEL));
	CHECK_LOG("dma: /soc/eth: dma_alloc_coherent of 67108865 bytes: no memory in reach");
	CHECK(!dma_alloc_coherent(cam, ODD_SIZE + 1, &dma, GFP_KERNEL));
	CHECK_LOG("of RAM the largest free block in reach has 8388608 bytes");
	p = dma_alloc_coherent(eth, 3 * PAGE_SIZE, &dma, GFP_KERNEL);
	q = dma_alloc_coherent(usb, PAGE_SIZE, &other, GFP_KERNEL);
	CHECK(p && q);
	dma_free_coherent(eth, 2 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/eth: dma_free_coherent of 8192 bytes at .* has another size: 12288 bytes at .* that /soc/eth has, asked");
	dma_free_coherent(usb, 3 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/usb: dma_free_coherent of .* is another master's: 12288 bytes at .* that /soc/eth has, asked for by");
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma + PAGE_SIZE);
	CHECK_LOG("has another bus address: 12288 bytes");
	dma_free_coherent(eth, 3 * PAGE_SIZE, p + PAGE_SIZE, dma + PAGE_SIZE);
	CHECK_LOG("lies inside 12288 bytes at");
	dma_free_coherent(eth, PAGE_SIZE, &start, dma);
	CHECK_LOG("no master has memory there: nothing done");
	CHECK(dma_check());
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma);
	dma_free_coherent(eth, 3 * PAGE_SIZE, p, dma);
	CHECK_LOG(
		"dma: /soc/eth: dma_free_coherent of 12288 bytes at .*: freed before, as 12288 bytes of /soc/eth, by .*: nothing done");
	dma_free_coherent(usb, PAGE_SIZE, q, other);
	dma_free_coherent(usb, PAGE_SIZE, NULL, other);
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* The largest free block is told where it explains something; else no lock is taken to find it. */
static void test_cheap_reports(void)
{
	struct device *usb, *gpu;
	unsigned long flags;
	dma_addr_t dma;

	dma_boot(1);
	usb = dma_master_get("/soc/usb");
	gpu = dma_master_get("/free/gpu");
	flags = spin_lock_irqsave(&gpu->region->lock);
	CHECK(!dma_alloc_coherent(gpu, 0, &dma, GFP_ATOMIC));
	spin_unlock_irqrestore(&gpu->region->lock, flags);
	CHECK_LOG(
		"dma: /free/gpu: dma_alloc_coherent of 0 bytes: nothing to allocate; it reaches .*, mask 0xffffffff$");
	for (int i = 1; i < DMA_MAX_REPORTS; i++)
		CHECK(!dma_alloc_coherent(usb, 1UL << 60, &dma, GFP_ATOMIC));
	CHECK_LOG("no memory in reach; it reaches .*; of RAM the largest free block in reach has [1-9]");
	host_log_clear();
	CHECK(!dma_alloc_coherent(usb, 1UL << 60, &dma, GFP_ATOMIC));
	CHECK(!strstr(host_log(), "dma_alloc_coherent"));
	host_check();
}

/* A master's own region has pages, and there is no memory for the note of who has them. */
static void test_no_memory(void)
{
	void **chain = NULL, **object, *p;
	struct device *codec;
	dma_addr_t dma;
	LIST_HEAD(taken);

	dma_boot(1);
	codec = dma_master_get("/free/codec");
	take_blocks(NUMA_NO_NODE, GFP_ATOMIC, 0, &taken);
	for (size_t size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 2)
		while ((object = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN))) {
			*object = chain;
			chain = object;
		}
	host_log_clear();
	CHECK(!dma_alloc_coherent(codec, PAGE_SIZE, &dma, GFP_KERNEL));
	CHECK_LOG("dma: /free/codec: dma_alloc_coherent of 4096 bytes: no memory for its record; ");
	CHECK_EQ(codec->region->used, 0);
	while (chain) {
		object = chain;
		chain = *object;
		kfree(object);
	}
	give_blocks(&taken);
	p = dma_alloc_coherent(codec, PAGE_SIZE, &dma, GFP_KERNEL);
	CHECK(p);
	dma_free_coherent(codec, PAGE_SIZE, p, dma);
	CHECK(dma_check());
	host_check();
}

/* Pages are there, and no addresses to map them at: the pages go back. */
static void test_no_addresses(void)
{
	struct device *eth, *usb;
	unsigned long start;
	dma_addr_t dma;
	void *p;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	usb = dma_master_get("/soc/usb");
	start = host_quiet_pages();
	host_take_addresses();
	CHECK(!dma_alloc_coherent(eth, 3 * PAGE_SIZE, &dma, GFP_KERNEL));
	CHECK_LOG(
		"dma: /soc/eth: dma_alloc_coherent of 12288 bytes: no address space, or no memory, to map it; it reaches");
	CHECK(!dma_alloc_coherent(eth, 5 * MIB, &dma, GFP_KERNEL | __GFP_NOWARN));
	p = dma_alloc_coherent(usb, 3 * PAGE_SIZE, &dma, GFP_KERNEL);
	CHECK(p);
	dma_free_coherent(usb, 3 * PAGE_SIZE, p, dma);
	CHECK_EQ(memtype_held(), 0);
	host_put_addresses();
	CHECK(dma_check() && vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* In a handler a master that sees caches is served, another one is not. */
static void in_handler(void *arg)
{
	void **p = arg;
	dma_addr_t dma;

	p[0] = dma_alloc_coherent(p[2], PAGE_SIZE, &dma, GFP_ATOMIC);
	CHECK(p[0]);
	CHECK(!dma_alloc_coherent(p[3], PAGE_SIZE, &(dma_addr_t){ 0 }, GFP_ATOMIC));
	dma_free_coherent(p[2], PAGE_SIZE, p[0], dma);
	dma_free_coherent(p[3], PAGE_SIZE, p[1], phys_to_dma(p[3], PFN_PHYS(vmalloc_to_pfn(p[1])), PAGE_SIZE));
}

/* Memory that the linear map has not, of more pages than a slot has: a mutex is taken to map it. */
static void test_handler_hidden(void)
{
	size_t most = SLOT_PAGES_MAX * PAGE_SIZE;
	struct device *codec;
	unsigned long flags;
	dma_addr_t dma;
	void *p;

	dma_boot(1);
	codec = dma_master_get("/free/codec");
	flags = local_irq_save();
	host_log_clear();
	CHECK(!dma_alloc_coherent(codec, most + 1, &dma, GFP_ATOMIC | __GFP_NOWARN));
	CHECK_EQ(host_log()[0], 0);
	CHECK(!dma_alloc_coherent(codec, most + 1, &dma, GFP_ATOMIC));
	CHECK_LOG("dma: /free/codec: dma_alloc_coherent of 2093057 bytes: more than 511 pages of a no-map region");
	CHECK(!strstr(host_log(), "vmalloc:"));
	CHECK_EQ(codec->region->used, 0);
	p = dma_alloc_coherent(codec, most, &dma, GFP_ATOMIC);
	CHECK(p);
	dma_free_coherent(codec, most, p, dma);
	local_irq_restore(flags);
	p = dma_alloc_coherent(codec, most + 1, &dma, GFP_KERNEL);
	CHECK(p);
	dma_free_coherent(codec, most + 1, p, dma);
	CHECK(dma_check());
	host_check();
}

static void test_handler(void)
{
	dma_addr_t dma;
	void *p[4];

	dma_boot(2);
	p[2] = dma_master_get("/soc/usb");
	p[3] = dma_master_get("/soc/eth");
	p[1] = dma_alloc_coherent(p[3], PAGE_SIZE, &dma, GFP_KERNEL);
	CHECK(p[1]);
	host_cpus_start();
	host_interrupt(1, in_handler, p);
	CHECK_LOG("a master that does not see caches gets memory in a thread only");
	CHECK(dma_check());
	host_cpus_stop();
	host_check();
}

/* --- caches --- */

static struct {
	enum host_cache_op op;
	unsigned long start, end;
} seen[8];
static int nr_seen;

static void note_cache(enum host_cache_op op, unsigned long start, unsigned long last)
{
	CHECK(nr_seen < (int)ARRAY_SIZE(seen));
	seen[nr_seen].op = op;
	seen[nr_seen].start = start;
	seen[nr_seen++].end = last;
}

static void expect_cache(enum host_cache_op op, const void *va, size_t size)
{
	CHECK_EQ(nr_seen, 1);
	CHECK_EQ(seen[0].op, op);
	CHECK_EQ(seen[0].start, (uintptr_t)va);
	CHECK_EQ(seen[0].end, (uintptr_t)va + size);
	nr_seen = 0;
}

static void test_caches(void)
{
	struct device *eth, *usb;
	dma_addr_t dma;
	char *page;
	void *p;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	usb = dma_master_get("/soc/usb");
	page = (char *)__get_free_page(GFP_DMA);
	CHECK(page);
	host_cache_watch(note_cache);
	p = dma_alloc_coherent(eth, 5000, &dma, GFP_KERNEL);
	expect_cache(HOST_CACHE_CLEAN_INVAL, __va(dma - SOC_BUS + GIB), 2 * PAGE_SIZE);
	/* Through either mapping it is the same memory. */
	*(u64 *)p = 0x1234;
	CHECK_EQ(*(u64 *)__va(dma - SOC_BUS + GIB), 0x1234);
	dma_free_coherent(eth, 5000, p, dma);
	dma = dma_map_single(eth, page + 64, 100, DMA_TO_DEVICE);
	CHECK_EQ(dma, SOC_BUS + __pa(page) + 64 - GIB);
	expect_cache(HOST_CACHE_CLEAN, page + 64, 100);
	dma_sync_single_for_cpu(eth, dma, 100, DMA_TO_DEVICE);
	dma_unmap_single(eth, dma, 100, DMA_TO_DEVICE);
	CHECK_EQ(nr_seen, 0);
	dma = dma_map_page(eth, virt_to_page(page), 128, 256, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_CLEAN, page + 128, 256);
	dma_sync_single_for_cpu(eth, dma + 64, 64, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_INVAL, page + 192, 64);
	dma_sync_single_for_device(eth, dma + 64, 64, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_CLEAN, page + 192, 64);
	dma_unmap_page(eth, dma, 256, DMA_FROM_DEVICE);
	expect_cache(HOST_CACHE_INVAL, page + 128, 256);
	dma = dma_map_single(usb, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	dma_sync_single_for_cpu(usb, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	dma_unmap_single(usb, dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	p = dma_alloc_coherent(usb, PAGE_SIZE, &dma, GFP_KERNEL);
	dma_free_coherent(usb, PAGE_SIZE, p, dma);
	CHECK_EQ(nr_seen, 0);
	free_page((unsigned long)page);
	host_check();
}

/* --- buffers that are mapped --- */

static void test_map_refused(void)
{
	struct device *eth, *disk;
	char *high = NULL, *area;
	dma_addr_t dma;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	disk = dma_master_get("/free/disk");
	high = (char *)__get_free_page(GFP_KERNEL);
	area = vmalloc(PAGE_SIZE);
	CHECK(high && area && __pa(high) >= GIB + SOC_SIZE);
	dma = dma_map_single(eth, high, 16, DMA_TO_DEVICE);
	CHECK_EQ(dma, DMA_MAPPING_ERROR);
	CHECK_EQ(dma_mapping_error(eth, dma), -ENOMEM);
	CHECK_LOG(
		"dma: /soc/eth: a buffer of 16 bytes at .* .mem 0x.*: it is beyond the master's reach: it reaches bus 0xc0000000");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, area, 16, DMA_TO_DEVICE)));
	CHECK_LOG("it is not RAM of the linear map");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, &dma, 16, DMA_TO_DEVICE)));
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 0, DMA_TO_DEVICE)));
	CHECK_LOG("it has no bytes");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 1, DMA_NONE)));
	CHECK_LOG("there is no such direction");
	CHECK(dma_mapping_error(disk, dma_map_single(disk, high, 1UL << 60, DMA_TO_DEVICE)));
	dma = dma_map_single(disk, high, 16, DMA_TO_DEVICE);
	CHECK(!dma_mapping_error(disk, dma) && dma == __pa(high));
	dma_unmap_single(disk, dma, 16, DMA_TO_DEVICE);
	dma_unmap_single(disk, dma, 16, DMA_TO_DEVICE);
	CHECK_LOG(
		"dma: /free/disk: dma_unmap_single of 16 bytes at bus 0x.*: none of its buffers is mapped: nothing done");
	dma_sync_single_for_cpu(eth, 0x1000, 16, DMA_FROM_DEVICE);
	CHECK_LOG(
		"dma: /soc/eth: dma_sync_single_for_cpu of 16 bytes at bus 0x1000, direction 2: no buffer of it can be there");
	dma_sync_single_for_device(disk, 0x1000, 16, DMA_FROM_DEVICE);
	dma_unmap_single(disk, 0x1000, 16, DMA_FROM_DEVICE);
	vfree(area);
	free_page((unsigned long)high);
	host_check();
}

/* No-map memory has struct pages and no linear map: no cache line of it is touched, whatever lies around it. */
static void test_map_hidden(void)
{
	static const struct {
		u64 base, size;
		bool ram;
	} buffers_at[] = {
		{ DARK_BASE, 16, false },
		{ DARK_BASE + DARK_SIZE - 1, 1, false },
		{ DARK_BASE - PAGE_SIZE, DARK_SIZE + 2 * PAGE_SIZE, false },
		{ DARK_BASE - PAGE_SIZE, PAGE_SIZE + 1, false },
		{ DARK_BASE + DARK_SIZE - 1, 2, false },
		{ DARK_BASE - PAGE_SIZE, PAGE_SIZE, true },
		{ DARK_BASE + DARK_SIZE, 16, true },
		{ GIB + 208 * MIB - 8, 16, true },
		{ GIB + RAM_SIZE - 8, 16, false },
		{ GIB + 16 * MIB, ~0UL, false },
		{ GIB + 16 * MIB, -(GIB + 15 * MIB), false },
	};
	struct device *dsp;

	dma_boot(1);
	dsp = dma_master_get("/free/dsp");
	CHECK(pfn_valid(PFN_DOWN(DARK_BASE)) && !dev_is_dma_coherent(dsp));
	host_cache_watch(note_cache);
	for (size_t i = 0; i < ARRAY_SIZE(buffers_at); i++) {
		void *va = __va(buffers_at[i].base);
		size_t size = buffers_at[i].size;
		dma_addr_t dma = dma_map_single(dsp, va, size, DMA_FROM_DEVICE);

		CHECK_EQ(!dma_mapping_error(dsp, dma), buffers_at[i].ram);
		CHECK_EQ(nr_seen, buffers_at[i].ram);
		dma_sync_single_for_cpu(dsp, buffers_at[i].base, size, DMA_FROM_DEVICE);
		dma_sync_single_for_device(dsp, buffers_at[i].base, size, DMA_FROM_DEVICE);
		dma_unmap_single(dsp, buffers_at[i].base, size, DMA_FROM_DEVICE);
		CHECK_EQ(nr_seen, 4 * buffers_at[i].ram);
		nr_seen = 0;
	}
	CHECK_LOG(
		"dma: /free/dsp: a buffer of 16 bytes at .* .mem 0x49000000-0x4900000f.: it is not RAM of the linear map");
	CHECK_LOG("dma: /free/dsp: dma_unmap_single of 16 bytes at bus 0x49000000, .*: no buffer of it can be there");
	CHECK_EQ(dsp->nr_mapped, 0);
	host_check();
}

/* What the master sees of a buffer of the restricted pool. */
static char *device_view(const struct device *dev, dma_addr_t dma)
{
	phys_addr_t pa;

	CHECK(dma_to_phys(dev, dma, 1, &pa) && pa >= POOL_BASE && pa < POOL_BASE + POOL_SIZE);
	return __va(pa);
}

static void test_bounce(void)
{
	struct device *gpu;
	char *buffer, *copy;
	dma_addr_t dma, second;
	unsigned long start;

	dma_boot(1);
	gpu = dma_master_get("/free/gpu");
	start = host_quiet_pages();
	/* What others left in the pool is not for this master. */
	memset(__va(POOL_BASE), 'p', POOL_SIZE);
	buffer = kmalloc(6000, GFP_KERNEL);
	CHECK(buffer);
	memset(buffer, 'a', 6000);
	dma = dma_map_single(gpu, buffer, 6000, DMA_BIDIRECTIONAL);
	CHECK(!dma_mapping_error(gpu, dma));
	copy = device_view(gpu, dma);
	CHECK(copy[0] == 'a' && copy[5999] == 'a' && !copy[6000] && !copy[2 * PAGE_SIZE - 1]);
	copy[10] = 'd';
	buffer[20] = 'c';
	dma_sync_single_for_cpu(gpu, dma + 8, 8, DMA_BIDIRECTIONAL);
	CHECK(buffer[10] == 'd' && buffer[20] == 'c');
	dma_sync_single_for_device(gpu, dma + 16, 8, DMA_BIDIRECTIONAL);
	CHECK(copy[20] == 'c');
	copy[5999] = 'z';
	dma_sync_single_for_cpu(gpu, dma + 5000, 2000, DMA_BIDIRECTIONAL);
	CHECK_LOG(
		"dma: /free/gpu: dma_sync_single_for_cpu of 2000 bytes at bus 0x.*: no buffer of it is mapped there in its pool");
	dma_unmap_single(gpu, dma, 5999, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma: /free/gpu: dma_unmap_single of 5999 bytes at .* has another size: 6000 bytes");
	dma_free_coherent(gpu, 6000, copy, dma);
	CHECK_LOG("is a mapped buffer, not coherent memory: 6000 bytes");
	CHECK_EQ(dma_device_put(gpu), -EBUSY);
	CHECK(buffer[5999] == 'a');
	dma_unmap_single(gpu, dma, 6000, DMA_BIDIRECTIONAL);
	CHECK(buffer[5999] == 'z');
	dma_unmap_single(gpu, dma, 6000, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma_unmap_single of 6000 bytes at .*: freed before, as 6000 bytes of /free/gpu");
	/* Outside of the pool. */
	dma_unmap_single(gpu, POOL_BASE - 100, 100, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma_unmap_single of 100 bytes at bus 0x47ffff9c, .*: no buffer of it can be there");
	dma_sync_single_for_cpu(gpu, POOL_BASE + POOL_SIZE - 1, 2, DMA_BIDIRECTIONAL);
	CHECK_LOG("dma_sync_single_for_cpu of 2 bytes at bus 0x483fffff, .*: no buffer of it can be there");
	/* What the master is only to read does not come back. */
	dma = dma_map_single(gpu, buffer, 100, DMA_TO_DEVICE);
	second = dma_map_single(gpu, buffer, 100, DMA_FROM_DEVICE);
	CHECK(dma != second);
	memset(device_view(gpu, dma), 'x', 100);
	dma_unmap_single(gpu, dma, 100, DMA_TO_DEVICE);
	CHECK(buffer[0] == 'a');
	memset(device_view(gpu, second), 'y', 50);
	dma_unmap_single(gpu, second, 100, DMA_FROM_DEVICE);
	CHECK(buffer[0] == 'y' && buffer[49] == 'y' && buffer[50] == 'a');
	kfree(buffer);
	buffer = (char *)__get_free_pages(GFP_KERNEL, 10);
	dma = dma_map_single(gpu, buffer, POOL_SIZE, DMA_TO_DEVICE);
	CHECK(!dma_mapping_error(gpu, dma));
	CHECK(dma_mapping_error(gpu, dma_map_single(gpu, buffer, 1, DMA_TO_DEVICE)));
	CHECK_LOG(
		"does not fit into its pool /reserved-memory/locked@48000000: 1024 of 1024 pages used, the largest free block has 0 bytes");
	dma_unmap_single(gpu, dma, POOL_SIZE, DMA_TO_DEVICE);
	free_pages((unsigned long)buffer, 10);
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("masters", test_devices),
	TAP_CASE("masks", test_masks),
	TAP_CASE("where memory comes from", test_sources),
	TAP_CASE("a region in the second of two windows", test_second_window),
	TAP_CASE("memory at random", test_random),
	TAP_CASE("all memory in reach, twice", test_exhaustion),
	TAP_CASE("what cannot be is refused, and nothing is left", test_refused),
	TAP_CASE("reports that cost nothing", test_cheap_reports),
	TAP_CASE("no memory for a note", test_no_memory),
	TAP_CASE("no addresses to map at", test_no_addresses),
	TAP_CASE("in a handler", test_handler),
	TAP_CASE("hidden memory with interrupts masked", test_handler_hidden),
	TAP_CASE("caches of masters that do not see them", test_caches),
	TAP_CASE("buffers that cannot be mapped", test_map_refused),
	TAP_CASE("buffers of memory that is not mapped", test_map_hidden),
	TAP_CASE("buffers of a master with a restricted pool", test_bounce),
};
TAP_MAIN(cases)
