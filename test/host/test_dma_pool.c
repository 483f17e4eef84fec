// SPDX-License-Identifier: BSD-2-Clause
/* Pools of blocks for bus masters (dma_machine.h): blocks against a list, misuse; and all CPUs at once. */
#include <errno.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/page_exact.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#include <asm/processor.h>

#include "../../mm/dma.h"
#include "dma_machine.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define CPUS 4

/* --- pools of blocks --- */

static void test_pool_refused(void)
{
	struct device *eth;
	struct dma_pool *pool;
	dma_addr_t dma, second;
	char *p, *q;

	dma_boot(1);
	eth = dma_master_get("/soc/eth");
	CHECK(!dma_pool_create("none", eth, 0, 0, 0));
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_create none, blocks of 0 bytes, .*: the size is 0, or more than 2 GiB: no pool");
	CHECK(!dma_pool_create("odd", eth, 8, 24, 0));
	CHECK_LOG("the alignment is no power of two");
	CHECK(!dma_pool_create("odd", eth, 8, 8, 24));
	CHECK_LOG("the boundary is no power of two");
	CHECK(!dma_pool_create("odd", eth, 96, 8, 64));
	CHECK_LOG("the boundary is less than a block");
	pool = dma_pool_create("ring", eth, 96, 32, 1024);
	CHECK(pool);
	p = dma_pool_zalloc(pool, GFP_KERNEL, &dma);
	q = dma_pool_alloc(pool, GFP_KERNEL, &second);
	CHECK(p && q && !p[0] && !p[95]);
	dma_pool_free(pool, p + 32, dma + 32);
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_free of .* to pool ring, blocks of 96 bytes, created by .*: no block begins there: nothing");
	dma_pool_free(pool, p, second);
	CHECK_LOG("its bus address is another one");
	dma_pool_free(pool, &dma, dma);
	CHECK_LOG("it lies in none of the pool's chunks");
	dma_pool_free(pool, p, dma);
	dma_pool_free(pool, p, dma);
	CHECK_LOG("the block is free already");
	CHECK_EQ(dma_device_put(eth), -EBUSY);
	dma_pool_destroy(pool);
	CHECK_LOG(
		"dma: /soc/eth: dma_pool_destroy: 1 blocks of pool ring, of 96 bytes, created by .*, are still allocated: the pool stays");
	CHECK_LOG("  block of ring at 0x.* \\(bus 0xc.*\\)");
	CHECK_EQ(show_dma(1, NULL), 0);
	CHECK_LOG("pool ring of /soc/eth: blocks of 96 bytes, boundary 1024: 1 used of 40, 4096 bytes");
	dma_pool_free(pool, q, second);
	dma_pool_destroy(pool);
	dma_pool_destroy(NULL);
	CHECK(dma_check());
	host_check();
}

struct block {
	char *cpu;
	dma_addr_t dma;
};

static void check_block(const struct block *b, const struct block *others, int nr, size_t size, size_t align,
			size_t boundary)
{
	CHECK(IS_ALIGNED(b->dma, align) && IS_ALIGNED((uintptr_t)b->cpu, align));
	CHECK(!boundary || b->dma / boundary == (b->dma + size - 1) / boundary);
	for (int i = 0; i < nr; i++)
		CHECK(&others[i] == b || !others[i].cpu || others[i].dma + size <= b->dma ||
		      b->dma + size <= others[i].dma);
}

static void pool_at_random(struct device *dev)
{
	size_t align = 1UL << tap_below(8), size = 1 + tap_below(tap_below(4) ? 300 : 9000);
	size_t boundary = tap_below(2) ? 0 : (PAGE_SIZE << get_order(ALIGN(size, align))) >> tap_below(3);
	struct block blocks[64] = { { NULL, 0 } };
	struct dma_pool *pool;

	if (boundary && boundary < ALIGN(size, align))
		boundary = 0;
	pool = dma_pool_create("random", dev, size, align, boundary);
	CHECK(pool);
	for (unsigned long n = 300; n; n--) {
		struct block *b = &blocks[tap_below(ARRAY_SIZE(blocks))];

		if (b->cpu) {
			CHECK(b->cpu[0] == (char)(b - blocks) && b->cpu[size - 1] == (char)(b - blocks));
			dma_pool_free(pool, b->cpu, b->dma);
			b->cpu = NULL;
			continue;
		}
		b->cpu = dma_pool_alloc(pool, GFP_KERNEL, &b->dma);
		CHECK(b->cpu);
		check_block(b, blocks, ARRAY_SIZE(blocks), size, align, boundary);
		memset(b->cpu, (int)(b - blocks), size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (blocks[i].cpu)
			dma_pool_free(pool, blocks[i].cpu, blocks[i].dma);
	dma_pool_destroy(pool);
}

static void test_pools(void)
{
	struct device *devs[3];
	unsigned long start;

	dma_boot(1);
	devs[0] = dma_master_get("/soc/eth");
	devs[1] = dma_master_get("/soc/usb");
	devs[2] = dma_master_get("/free/codec");
	start = host_quiet_pages();
	for (unsigned long n = tap_ops(120); n; n--)
		pool_at_random(devs[n % 3]);
	CHECK(dma_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

/* --- all CPUs at once, and handlers --- */

struct buffer {
	struct device *dev;
	char *cpu;
	dma_addr_t dma;
	size_t size;
};

static u64 stamp_of(const struct buffer *b)
{
	return b->dma * 0x9e3779b97f4a7c15ULL + b->size;
}

static struct device *shared[4];
static struct dma_pool *shared_pool;

static void free_one(void *arg)
{
	struct buffer *b = arg;

	dma_free_coherent(b->dev, b->size, b->cpu, b->dma);
}

static void use_blocks(void)
{
	struct block blocks[8];

	for (int i = 0; i < 8; i++) {
		blocks[i].cpu = dma_pool_alloc(shared_pool, GFP_KERNEL, &blocks[i].dma);
		CHECK(blocks[i].cpu);
		memset(blocks[i].cpu, smp_processor_id(), 200);
	}
	for (int i = 0; i < 8; i++) {
		CHECK(blocks[i].cpu[199] == smp_processor_id());
		dma_pool_free(shared_pool, blocks[i].cpu, blocks[i].dma);
	}
}

static void use_mapping(struct device *dev)
{
	char *buffer = kmalloc(300, GFP_DMA);
	dma_addr_t dma;

	CHECK(buffer);
	memset(buffer, smp_processor_id(), 300);
	dma = dma_map_single(dev, buffer, 300, DMA_BIDIRECTIONAL);
	CHECK(!dma_mapping_error(dev, dma));
	dma_sync_single_for_device(dev, dma, 300, DMA_BIDIRECTIONAL);
	dma_unmap_single(dev, dma, 300, DMA_BIDIRECTIONAL);
	CHECK(buffer[299] == smp_processor_id());
	kfree(buffer);
}

static void load(void *arg)
{
	struct buffer mine[8] = { { NULL, NULL, 0, 0 } };

	tap_random_stream((unsigned int)smp_processor_id() + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		struct buffer *b = &mine[tap_below(ARRAY_SIZE(mine))];

		use_mapping(shared[tap_below(3)]);
		use_blocks();
		if (b->cpu) {
			CHECK_EQ(*(u64 *)(void *)b->cpu, stamp_of(b));
			if (n % 8)
				free_one(b);
			else
				host_interrupt((int)tap_below(CPUS), free_one, b);
			b->cpu = NULL;
			continue;
		}
		b->dev = shared[tap_below(4)];
		b->size = 8 + tap_below(60000);
		b->cpu = dma_alloc_coherent(b->dev, b->size, &b->dma, GFP_KERNEL | __GFP_NOWARN);
		if (b->cpu)
			*(u64 *)(void *)b->cpu = stamp_of(b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		if (mine[i].cpu)
			free_one(&mine[i]);
}

static void test_threads(void)
{
	unsigned long n = tap_ops(400), start;

	dma_boot(CPUS);
	shared[0] = dma_master_get("/soc/eth");
	shared[1] = dma_master_get("/soc/usb");
	shared[2] = dma_master_get("/free/gpu");
	shared[3] = dma_master_get("/odd/spy");
	/* A cache of memory of a zone is made when it is asked for, and stays. */
	kfree(kmalloc(300, GFP_DMA));
	start = host_quiet_pages();
	shared_pool = dma_pool_create("shared", shared[0], 200, 64, 0);
	CHECK(shared_pool);
	host_cpus_start();
	host_on_all_cpus(load, &n);
	dma_pool_destroy(shared_pool);
	CHECK(dma_check() && vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

/* --- a master that another CPU ends --- */

static struct {
	struct device *dev;
	char *cpu;
	dma_addr_t dma;
	bool mapped;
} last;

static void end_last(void *arg)
{
	(void)arg;
	if (last.mapped)
		dma_unmap_single(last.dev, last.dma, 300, DMA_FROM_DEVICE);
	else
		dma_free_coherent(last.dev, 300, last.cpu, last.dma);
}

/* As soon as a master has no memory any more it may be ended, though the CPU that gave it back is on its way out. */
static void test_put_meanwhile(void)
{
	static const char *const paths[] = { "/free/gpu", "/free/codec", "/soc/eth" };
	char *buffer;

	dma_boot(2);
	buffer = kmalloc(300, GFP_DMA);
	CHECK(buffer);
	host_cpus_start();
	host_mute();
	for (unsigned long n = tap_ops(300); n; n--) {
		last.dev = dma_master_get(paths[n % 3]);
		last.mapped = n % 3 != 1 && n % 2;
		if (last.mapped)
			last.dma = dma_map_single(last.dev, buffer, 300, DMA_FROM_DEVICE);
		else
			last.cpu = dma_alloc_coherent(last.dev, 300, &last.dma, GFP_KERNEL);
		CHECK(last.mapped ? !dma_mapping_error(last.dev, last.dma) : !!last.cpu);
		CHECK_EQ(smp_work_start(1, end_last, NULL), 0);
		while (dma_device_put(last.dev))
			cpu_relax();
		/* Its memory is used again. */
		CHECK_EQ(dma_device_put(dma_master_get("/free/disk")), 0);
		smp_work_wait(1);
	}
	kfree(buffer);
	CHECK(dma_check());
	host_cpus_stop();
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("wrong uses of a pool", test_pool_refused),
	TAP_CASE("pools at random", test_pools),
	TAP_CASE("4 CPUs and interrupts", test_threads),
	TAP_CASE("a master ends as its memory does", test_put_meanwhile),
};
TAP_MAIN(cases)
