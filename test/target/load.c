// SPDX-License-Identifier: BSD-2-Clause
/*
 * The concurrent load: every CPU in its thread and in its timer interrupt, on every allocator.
 *
 * 1. A CPU has SLOTS slots. A step takes one at random: an empty one is filled with a random kind of object, a full one
 *    is verified and freed.
 * 2. A slot says what its object is; the object itself is stamped every STRIDE bytes and at its end, with a number made
 *    of the address of the stamp, the CPU that allocated it and that CPU's count of objects. No two owners write the
 *    same stamp, so whoever got the memory too, or part of it, is seen by the one who stamped first.
 * 3. Every eighth step swaps an object with a common mailbox, so that half of what goes through it is freed on another
 *    CPU than it came from.
 * 4. The timer handler of a CPU does the same with slots of its own, GFP_ATOMIC, while its thread is inside the
 *    allocator.
 * 5. Every CACHE_PERIOD steps a thread makes an object cache, fills it, and ends another one, which most often another
 *    CPU made (load_caches.c).
 * 6. All slots and mailboxes full of the largest objects need at most load_bytes(). When several times as much is free
 *    at the start, no allocation may fail.
 */
#include "target.h"

#include <lib/spinlock.h>
#include <mm/dma.h>
#include <mm/memblock.h>
#include <mm/memtype.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmstat.h>
#include <mm/vmalloc.h>

#include <asm/timer.h>

#define SLOTS		 128
#define IRQ_SLOTS	 16
#define MAILBOXES	 64
#define TIMER_NS	 1000000ULL
#define HANDLER_LIMIT_NS 10000000000ULL
#define STRIDE		 64
#define CACHE_OBJECT	 176
#define MAX_ORDER	 5
#define PLENTY		 4 /* times load_bytes() */
#define ROUND		 64
#define CACHE_PERIOD	 2048

enum object_kind { KIND_KMALLOC, KIND_CACHE, KIND_PAGES, NR_KINDS };

/* An object and what it is; mem is NULL where there is none. */
struct object {
	char *mem;
	u32 serial; /* of its CPU and context */
	u32 size : 20;
	u32 kind : 3;
	u32 in_handler : 1;
	u32 cpu : 8;
};

_Static_assert((PAGE_SIZE << MAX_ORDER) < 1U << 20 && CONFIG_NR_CPUS <= 1 << 8, "size and cpu have room for all");

struct mailbox {
	spinlock_t lock;
	struct object obj; /* lock */
};

/* One context of a CPU: its thread, or its handler. */
struct worker {
	struct object *slot;
	u32 nr_slots;
	u32 serial;
	u64 random;
	gfp_t gfp;
	struct load_result sum;
};

struct cpu_load {
	struct object slot[SLOTS];
	struct object irq_slot[IRQ_SLOTS];
	struct worker thread, handler;
};

static struct cpu_load *loads; /* of each CPU, while load_run() runs */
static struct mailbox mailboxes[MAILBOXES];
static struct kmem_cache *load_cache;
static u64 load_end_ns;

/* What @obj's owner writes at @at. */
static u64 stamp_of(const struct object *obj, const u64 *at)
{
	u64 owner = (u64)obj->cpu << 33 | (u64)obj->in_handler << 32 | obj->serial;

	return (uintptr_t)at * 0x9e3779b97f4a7c15ULL + owner * 0xd1342543de82ef95ULL;
}

/* Where @obj is stamped: from NULL to the first place, from each to the next one; NULL after the last. */
static u64 *next_stamp(const struct object *obj, const u64 *at)
{
	u32 last = ALIGN_DOWN((u32)obj->size, 8) - 8, offset = at ? (u32)((const char *)at - obj->mem) : 0;

	if (!at)
		return (u64 *)(void *)obj->mem;
	if (offset == last)
		return NULL;
	return (u64 *)(void *)(obj->mem + min(offset + STRIDE, last));
}

static void stamp(const struct object *obj)
{
	for (u64 *at = next_stamp(obj, NULL); at; at = next_stamp(obj, at))
		*at = stamp_of(obj, at);
}

static bool object_whole(const struct object *obj)
{
	for (const u64 *at = next_stamp(obj, NULL); at; at = next_stamp(obj, at))
		if (*at != stamp_of(obj, at))
			return false;
	return true;
}

static void *raw_alloc(enum object_kind kind, u32 size, gfp_t gfp)
{
	if (kind == KIND_KMALLOC)
		return kmalloc(size, gfp);
	if (kind == KIND_CACHE)
		return kmem_cache_alloc(load_cache, gfp);
	return (void *)__get_free_pages(gfp, (unsigned int)__builtin_ctz(size >> PAGE_SHIFT));
}

static struct object make_object(struct worker *worker)
{
	u64 r = next_random(&worker->random);
	enum object_kind kind = (enum object_kind)(r % NR_KINDS);
	u32 size = kind == KIND_PAGES ? (u32)PAGE_SIZE << (r >> 8) % (MAX_ORDER + 1) : 16 + (u32)((r >> 8) % 1500);
	gfp_t gfp = worker->gfp;
	struct object obj;

	if (kind == KIND_KMALLOC && !((r >> 40) % 16))
		size = 4096 + (u32)((r >> 8) % 12000);
	if (kind == KIND_CACHE)
		size = CACHE_OBJECT;
	if (kind == KIND_PAGES && (r & 1 << 20))
		gfp |= __GFP_MOVABLE;
	obj = (struct object){
		.mem = raw_alloc(kind, size, gfp),
		.serial = worker->serial++,
		.size = size & 0xfffff,
		.kind = kind & 7,
		.in_handler = worker->gfp == GFP_ATOMIC,
		.cpu = (u32)smp_processor_id() & 0xff,
	};
	worker->sum.operations++;
	if (obj.mem)
		stamp(&obj);
	else
		worker->sum.no_memory++;
	return obj;
}

/* Verify and free @obj, and empty its slot. */
static void drop_object(struct object *obj, struct load_result *sum)
{
	char *mem = obj->mem;

	if (!mem)
		return;
	sum->operations++;
	sum->foreign_frees += obj->cpu != (u32)smp_processor_id();
	if (!object_whole(obj))
		sum->corruptions++; /* somebody else has it too, and frees it */
	else if (obj->kind == KIND_KMALLOC)
		kfree(mem);
	else if (obj->kind == KIND_CACHE)
		kmem_cache_free(load_cache, mem);
	else
		free_pages((unsigned long)mem, (unsigned int)__builtin_ctz((u32)obj->size >> PAGE_SHIFT));
	obj->mem = NULL;
}

static void swap_with_mailbox(struct mailbox *box, struct object *obj)
{
	unsigned long flags = spin_lock_irqsave(&box->lock);
	struct object other = box->obj;

	box->obj = *obj;
	*obj = other;
	spin_unlock_irqrestore(&box->lock, flags);
}

static void step(struct worker *worker)
{
	u64 r = next_random(&worker->random);
	struct object *obj = &worker->slot[(r >> 32) % worker->nr_slots];

	if (r % 8 == 0)
		swap_with_mailbox(&mailboxes[(r >> 16) % MAILBOXES], obj);
	if (obj->mem)
		drop_object(obj, &worker->sum);
	else
		*obj = make_object(worker);
}

static void load_interrupt(void)
{
	struct worker *handler = &loads[smp_processor_id()].handler;

	handler->sum.interrupts++;
	for (int i = 0; i < 4; i++)
		step(handler);
}

static void drop_all(struct worker *worker)
{
	for (u32 i = 0; i < worker->nr_slots; i++)
		drop_object(&worker->slot[i], &worker->sum);
}

/*
 * Until the end, and then until the handler has run once: with more CPUs than the host has, a CPU may have begun late.
 * A timer that never comes is no reason to go on for ever.
 */
static bool go_on(const struct worker *handler)
{
	u64 now = arch_clock_ns();

	return now < load_end_ns ||
	       (timer_available() && !READ_ONCE(handler->sum.interrupts) && now < load_end_ns + HANDLER_LIMIT_NS);
}

static void load_cpu(void *arg)
{
	struct cpu_load *load = &loads[smp_processor_id()];
	u64 seed = *(const u64 *)arg + (u64)smp_processor_id() * 0x9e3779b97f4a7c15ULL;

	load->thread = (struct worker){ load->slot, SLOTS, 0, seed | 1, GFP_KERNEL, { 0 } };
	load->handler = (struct worker){ load->irq_slot, IRQ_SLOTS, 0, ~seed | 1, GFP_ATOMIC, { 0 } };
	timer_start_periodic(TIMER_NS, load_interrupt);
	for (u32 round = 0; !round || go_on(&load->handler); round++) {
		if (round % (CACHE_PERIOD / ROUND) == 0)
			load_caches_step(next_random(&load->thread.random), &load->thread.sum);
		for (int i = 0; i < ROUND; i++)
			step(&load->thread);
	}
	timer_stop();
	drop_all(&load->thread);
	drop_all(&load->handler);
}

static void add_result(struct load_result *to, const struct load_result *from)
{
	to->operations += from->operations;
	to->interrupts += from->interrupts;
	to->foreign_frees += from->foreign_frees;
	to->no_memory += from->no_memory;
	to->corruptions += from->corruptions;
	to->caches += from->caches;
}

/* What all slots and mailboxes hold at the most. */
static unsigned long load_bytes(void)
{
	return ((unsigned long)num_online_cpus() * (SLOTS + IRQ_SLOTS) + MAILBOXES) * (PAGE_SIZE << MAX_ORDER);
}

static void sum_up(struct load_result *result)
{
	int cpu;

	for (int i = 0; i < MAILBOXES; i++)
		drop_object(&mailboxes[i].obj, result);
	load_caches_end(result);
	for_each_online_cpu(cpu) {
		add_result(result, &loads[cpu].thread.sum);
		add_result(result, &loads[cpu].handler.sum);
	}
}

bool load_run(u64 ns, u64 seed, struct load_result *result)
{
	bool plenty = nr_free_pages() > PFN_UP(load_bytes()) * PLENTY, ok;

	*result = (struct load_result){ 0 };
	loads = kcalloc((size_t)nr_cpu_ids, sizeof(*loads), GFP_KERNEL);
	if (!ktap_ok(loads != NULL))
		return false;
	load_cache = kmem_cache_create("load", CACHE_OBJECT, 0, SLAB_HWCACHE_ALIGN, NULL);
	if (!ktap_ok(load_cache != NULL)) {
		kfree(loads);
		return false;
	}
	for (int i = 0; i < MAILBOXES; i++)
		spin_lock_init(&mailboxes[i].lock, "mailbox", 1);
	load_end_ns = arch_clock_ns() + ns;
	ok = on_all_cpus(load_cpu, &seed);
	sum_up(result);
	kfree(loads);
	ok = ktap_ok(kmem_cache_destroy(load_cache) == 0) && ok;
	ok = ktap_ok(result->operations > 0) && ok;
	ok = ktap_ok(result->caches >= (u64)num_online_cpus() || !plenty) && ok;
	ok = ktap_ok(result->corruptions == 0) && ok;
	return ktap_ok(result->no_memory == 0 || !plenty) && ok;
}

bool on_all_cpus(smp_fn_t fn, void *arg)
{
	bool ok = true;
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			ok = ktap_ok(smp_work_start(cpu, fn, arg) == 0) && ok;
	fn(arg);
	for_each_online_cpu(cpu)
		if (cpu != smp_processor_id())
			smp_work_wait(cpu);
	return ok;
}

bool memory_check(void)
{
	return memblock_check() && page_alloc_check() && zone_events_check() && kmem_cache_check() && percpu_check() &&
	       vmalloc_check() && memtype_check() && dma_check();
}

bool only_devices_held(void)
{
	const struct memtype_range *device = NULL;
	unsigned long nr = 0;

	while ((device = memtype_next_device(device)))
		nr++;
	return memtype_held() == nr;
}

unsigned long quiet_free_pages(void)
{
	percpu_trim();
	vm_unmap_aliases();
	kmem_cache_shrink_all();
	drain_all_pages();
	return nr_free_pages();
}
