// SPDX-License-Identifier: BSD-2-Clause
/*
 * The concurrent load: every CPU in its thread and in its timer interrupt, on every allocator.
 *
 * 1. A CPU has SLOTS slots. A step takes one at random: an empty one is filled with a random kind of object, a full one
 *    is verified and freed. An object carries its own description in its first and last bytes, so corruption by
 *    whoever got it too is seen when it is freed.
 * 2. Every eighth step swaps an object with the common mailbox, so that half of what goes through it is freed on
 *    another CPU than it came from.
 * 3. The timer handler of a CPU does the same with slots of its own, GFP_ATOMIC, while its thread is inside the
 *    allocator.
 */
#include "target.h"

#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <string.h>

#include <asm/timer.h>

#define SLOTS	  128
#define IRQ_SLOTS 16
#define MAILBOXES 64
#define TIMER_NS  1000000ULL

/* The first bytes of every object; its last byte repeats the low byte of the magic. */
struct object {
	u64 magic; /* made of address, size and seed: no two objects share it */
	u32 size;
	u16 kind;
	u16 cpu;
};

enum object_kind { KIND_KMALLOC, KIND_CACHE, KIND_PAGES, NR_KINDS };

struct cpu_load {
	struct object *slot[SLOTS];
	struct object *irq_slot[IRQ_SLOTS];
	u64 random, irq_random;
	struct load_result sum, irq_sum;
} __aligned(64);

static struct cpu_load loads[CONFIG_NR_CPUS];
static struct object *mailbox[MAILBOXES]; /* atomic */
static struct kmem_cache *load_cache;
static u64 load_end_ns;

#define CACHE_OBJECT 176

static u64 magic_of(const struct object *obj)
{
	return ((uintptr_t)obj * 0x9e3779b97f4a7c15ULL) ^ obj->size ^ (u64)obj->kind << 56;
}

static struct object *raw_alloc(enum object_kind kind, u32 size, gfp_t gfp)
{
	if (kind == KIND_KMALLOC)
		return kmalloc(size, gfp);
	if (kind == KIND_CACHE)
		return kmem_cache_alloc(load_cache, gfp);
	return (struct object *)__get_free_pages(gfp, (unsigned int)__builtin_ctz(size >> PAGE_SHIFT));
}

static struct object *make_object(u64 *random, gfp_t gfp, struct load_result *sum)
{
	u64 r = next_random(random);
	enum object_kind kind = (enum object_kind)(r % NR_KINDS);
	u32 size = kind == KIND_PAGES ? (u32)PAGE_SIZE << (r >> 8) % 6 : 16 + (u32)((r >> 8) % 1500);
	struct object *obj;

	if (kind == KIND_KMALLOC && !((r >> 40) % 16))
		size = 4096 + (u32)((r >> 8) % 12000);
	if (kind == KIND_CACHE)
		size = CACHE_OBJECT;
	if (kind == KIND_PAGES && (r & 1 << 20))
		gfp |= __GFP_MOVABLE;
	obj = raw_alloc(kind, size, gfp);
	sum->operations++;
	if (!obj) {
		sum->no_memory++;
		return NULL;
	}
	*obj = (struct object){ 0, size, (u16)kind, (u16)smp_processor_id() };
	obj->magic = magic_of(obj);
	((u8 *)obj)[size - 1] = (u8)(size > sizeof(*obj) ? obj->magic : ((u8 *)obj)[size - 1]);
	return obj;
}

static bool object_whole(const struct object *obj)
{
	if (obj->magic != magic_of(obj) || obj->kind >= NR_KINDS)
		return false;
	return obj->size <= sizeof(*obj) || ((const u8 *)obj)[obj->size - 1] == (u8)obj->magic;
}

static void drop_object(struct object *obj, struct load_result *sum)
{
	enum object_kind kind = (enum object_kind)obj->kind;
	u32 size = obj->size;

	sum->operations++;
	if (!object_whole(obj)) {
		/* It cannot be freed: nobody knows what it is. */
		sum->corruptions++;
		return;
	}
	sum->foreign_frees += obj->cpu != smp_processor_id();
	obj->magic = 0;
	if (kind == KIND_KMALLOC)
		kfree(obj);
	else if (kind == KIND_CACHE)
		kmem_cache_free(load_cache, obj);
	else
		free_pages((unsigned long)obj, (unsigned int)__builtin_ctz(size >> PAGE_SHIFT));
}

static void step(struct object **slots, u32 nr, u64 *random, gfp_t gfp, struct load_result *sum)
{
	u64 r = next_random(random);
	struct object **slot = &slots[(r >> 32) % nr];

	if (r % 8 == 0)
		*slot = __atomic_exchange_n(&mailbox[(r >> 16) % MAILBOXES], *slot, __ATOMIC_ACQ_REL);
	if (*slot) {
		drop_object(*slot, sum);
		*slot = NULL;
	} else {
		*slot = make_object(random, gfp, sum);
	}
}

static void load_interrupt(void)
{
	struct cpu_load *load = &loads[smp_processor_id()];

	load->irq_sum.interrupts++;
	for (int i = 0; i < 4; i++)
		step(load->irq_slot, IRQ_SLOTS, &load->irq_random, GFP_ATOMIC, &load->irq_sum);
}

static void drop_all(struct object **slots, u32 nr, struct load_result *sum)
{
	for (u32 i = 0; i < nr; i++) {
		struct object *obj = __atomic_exchange_n(&slots[i], NULL, __ATOMIC_ACQ_REL);

		if (obj)
			drop_object(obj, sum);
	}
}

static void load_cpu(void *arg)
{
	struct cpu_load *load = &loads[smp_processor_id()];
	u64 seed = *(const u64 *)arg + (u64)smp_processor_id() * 0x9e3779b97f4a7c15ULL;

	memset(load, 0, sizeof(*load));
	load->random = seed | 1;
	load->irq_random = ~seed | 1;
	timer_start_periodic(TIMER_NS, load_interrupt);
	do {
		for (int i = 0; i < 64; i++)
			step(load->slot, SLOTS, &load->random, GFP_KERNEL, &load->sum);
	} while (arch_clock_ns() < load_end_ns);
	timer_stop();
	drop_all(load->slot, SLOTS, &load->sum);
	drop_all(load->irq_slot, IRQ_SLOTS, &load->sum);
}

static void add_result(struct load_result *to, const struct load_result *from)
{
	to->operations += from->operations;
	to->interrupts += from->interrupts;
	to->foreign_frees += from->foreign_frees;
	to->no_memory += from->no_memory;
	to->corruptions += from->corruptions;
}

void load_run(u64 ns, u64 seed, struct load_result *result)
{
	int cpu;

	*result = (struct load_result){ 0 };
	load_cache = kmem_cache_create("load", CACHE_OBJECT, 0, SLAB_HWCACHE_ALIGN, NULL);
	if (!ktap_ok(load_cache != NULL))
		return;
	load_end_ns = arch_clock_ns() + ns;
	on_all_cpus(load_cpu, &seed);
	drop_all(mailbox, MAILBOXES, result);
	for_each_online_cpu(cpu) {
		add_result(result, &loads[cpu].sum);
		add_result(result, &loads[cpu].irq_sum);
	}
	ktap_ok(kmem_cache_destroy(load_cache) == 0);
}

void on_all_cpus(smp_fn_t fn, void *arg)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			ktap_ok(smp_work_start(cpu, fn, arg) == 0);
	fn(arg);
	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			smp_work_wait(cpu);
}

bool memory_check(void)
{
	return page_alloc_check() && kmem_cache_check();
}

unsigned long quiet_free_pages(void)
{
	kmem_cache_shrink_all();
	drain_all_pages();
	return nr_free_pages();
}
