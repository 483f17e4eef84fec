// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots: addresses for areas of up to 511 pages.
 *
 * 1. A slot of order n is 1 << n pages of address space, of which the last at least is never mapped. A block is 2 MiB
 *    cut into slots of one order; its table, made with it, has all their entries, so mapping an area is one store for
 *    each page.
 * 2. Each CPU caches free slots of each order. An empty cache takes some from the blocks of the order, lowest first,
 *    under the order's lock; without any there is a new block.
 * 3. A slot that is given back is dirty: some TLB may know its addresses. A CPU collects SLOTS_DIRTY of them, tells all
 *    TLBs once, and then they are free. The slots that fit into its cache stay there, the others go to their blocks.
 * 4. A block all of whose slots are free is given back, table and address space, when its order has others with free
 *    slots. Who looks for a slot that is not his may still be reading there: table and block are retired
 *    (vmap_retire.c).
 * 5. When address space or memory is short, all CPUs give back what they hold (vmap_purge()), and it is tried once
 *    more.
 * 6. A slot is claimed, to be ended, by an exchange of its state that tells no pages any more for what was read and
 *    found right (vmap_slot_claim()). It says pages again only when its next owner says so. Who comes too late may
 *    still try the exchange, in vain, when the slot has another owner: its order, in that word, is READ_CONST().
 *
 * Locks: a CPU's caches are its own, interrupts masked; pools[].lock covers (S). Both are held without any other lock
 * but those of the page tables and of what is retired.
 */
#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <lib/spinlock.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "internal.h"
#include "vmap.h"

#define REFILL_SLOTS 8
#define PURGE_EARLY  (SLOTS_DIRTY / 2) /* an empty cache purges this many rather than take new slots */

static struct slot_pool {
	spinlock_t lock;
	struct list_head blocks; /* (S) with free slots */
} pools[SLOT_ORDER_MAX + 1];

struct vmap_cpu *vmap_cpus;

void vmap_slots_init(void)
{
	for (int order = SLOT_ORDER_MIN; order <= SLOT_ORDER_MAX; order++) {
		spin_lock_init(&pools[order].lock, "vmap slots", LOCK_RANK_VMALLOC);
		INIT_LIST_HEAD(&pools[order].blocks);
	}
	vmap_cpus = alloc_percpu(struct vmap_cpu);
	BUG_ON(!vmap_cpus);
}

/* --- blocks --- */

static void init_block(struct vmap_block *block, unsigned int order, u64 *table)
{
	u32 nr_slots = (u32)VMAP_BLOCK_PAGES >> order;

	block->nr_free = nr_slots;
	bits_set_range(block->free, 0, nr_slots);
	for (u32 i = 0; i < nr_slots; i++)
		block->area[i] = (struct vmap_area){
			.addr = block->extent->start + ((unsigned long)i << (order + PAGE_SHIFT)),
			.pte = table + ((size_t)i << order),
			.order = (u8)order,
		};
	/* Table and extent are known already: who walks either finds no slot until now. */
	__atomic_store_n(&virt_to_page(table)->mapping, block, __ATOMIC_RELEASE);
	__atomic_store_n(&block->nr_slots, nr_slots, __ATOMIC_RELEASE);
}

static struct vmap_block *new_block(unsigned int order)
{
	struct vmap_block *block;
	u64 *table = NULL;

	block = kzalloc(sizeof(*block) + (VMAP_BLOCK_PAGES >> order) * sizeof(block->area[0]),
			GFP_KERNEL | __GFP_NOWARN);
	if (!block)
		return NULL;
	block->extent = vmap_extent_get(VMAP_BLOCK_SIZE, block);
	if (block->extent)
		table = arch_vmap_table_alloc(block->extent->start);
	if (!table) {
		if (block->extent)
			vmap_extent_put(block->extent);
		kfree(block);
		return NULL;
	}
	init_block(block, order, table);
	return block;
}

static void free_block(struct vmap_block *block)
{
	vmap_note_block(block);
	arch_vmap_table_free(block->extent->start);
	vmap_extent_put(block->extent);
	vmap_retire_block(block);
}

/* A slot back to its block. Return: the block when it is empty now and should go, already off its list; else NULL. */
static struct vmap_block *return_slot(struct slot_pool *slots, struct vmap_area *area)
{
	struct vmap_block *block = block_of(area->pte);

	if (!block->nr_free)
		list_add(&block->list, &slots->blocks);
	bit_set(block->free, (unsigned long)(area - block->area));
	block->nr_free++;
	if (block->nr_free < block->nr_slots || slots->blocks.next == slots->blocks.prev)
		return NULL;
	list_del(&block->list);
	return block;
}

/* Seldom: no part of what tells the TLBs. */
static __noinline void put_to_block(struct vmap_area *area)
{
	struct slot_pool *slots = &pools[READ_CONST(area->order)];
	unsigned long flags = spin_lock_irqsave(&slots->lock);
	struct vmap_block *empty = return_slot(slots, area);

	spin_unlock_irqrestore(&slots->lock, flags);
	if (empty)
		free_block(empty);
}

/* --- this CPU's caches; interrupts are masked --- */

/* Tell all TLBs of what is dirty; then it is free. */
static void purge_cpu(struct vmap_cpu *cpu)
{
	unsigned long first = ~0UL, end = 0;

	for (u32 i = 0; i < cpu->nr_dirty; i++) {
		const struct vmap_area *area = cpu->dirty[i];

		first = min(first, area->addr);
		end = max(end, area->addr + (PAGE_SIZE << READ_CONST(area->order)));
	}
	if (end)
		arch_flush_tlb_kernel(first, end);
	while (cpu->nr_dirty) {
		struct vmap_area *area = cpu->dirty[--cpu->nr_dirty];
		unsigned int order = READ_CONST(area->order);

		if (cpu->nr_free[order] < SLOTS_CACHED)
			cpu->free[order][cpu->nr_free[order]++] = area;
		else
			put_to_block(area);
	}
}

static void take_slots(struct vmap_cpu *cpu, unsigned int order, struct vmap_block *block)
{
	while (block->nr_free && cpu->nr_free[order] < REFILL_SLOTS) {
		unsigned long slot = bits_next_set(block->free, 0, block->nr_slots);

		bit_clear(block->free, slot);
		block->nr_free--;
		cpu->free[order][cpu->nr_free[order]++] = &block->area[slot];
	}
	if (!block->nr_free)
		list_del(&block->list);
}

/* Fill the cache from the blocks there are. */
static void refill(struct vmap_cpu *cpu, unsigned int order)
{
	struct slot_pool *c = &pools[order];

	if (cpu->nr_dirty >= PURGE_EARLY)
		purge_cpu(cpu);
	if (cpu->nr_free[order])
		return;
	spin_lock(&c->lock);
	while (!list_empty(&c->blocks) && cpu->nr_free[order] < REFILL_SLOTS)
		take_slots(cpu, order, list_first_entry(&c->blocks, struct vmap_block, list));
	spin_unlock(&c->lock);
}

/* --- for vmalloc.c --- */

static struct vmap_area *pop_or_refill(unsigned int order)
{
	unsigned long flags = local_irq_save();
	struct vmap_cpu *cpu = this_cpu_ptr(vmap_cpus);
	struct vmap_area *area = NULL;

	if (unlikely(!cpu->nr_free[order]))
		refill(cpu, order);
	if (likely(cpu->nr_free[order]))
		area = cpu->free[order][--cpu->nr_free[order]];
	local_irq_restore(flags);
	return area;
}

/* With a block more. */
static bool add_block(unsigned int order)
{
	struct slot_pool *c = &pools[order];
	struct vmap_block *block;
	unsigned long flags;

	vmap_rights_reap();
	vmap_phys_reap();
	vmap_reap_many();
	block = new_block(order);
	if (!block)
		return false;
	flags = spin_lock_irqsave(&c->lock);
	list_add(&block->list, &c->blocks);
	spin_unlock_irqrestore(&c->lock, flags);
	return true;
}

struct vmap_area *vmap_slot_get(unsigned int nr_pages)
{
	unsigned int order = 32 - (unsigned int)__builtin_clz(nr_pages);
	struct vmap_area *area = pop_or_refill(order);

	while (unlikely(!area)) {
		if (!add_block(order)) {
			if (arch_cross_call_ok())
				vmap_purge();
			if (!add_block(order))
				return pop_or_refill(order);
		}
		area = pop_or_refill(order);
	}
	return area;
}

/* The same when there is no room for another: interrupts are masked, to be restored to @flags. */
static __noinline void purge_and_put(struct vmap_cpu *cpu, struct vmap_area *area, unsigned long flags)
{
	purge_cpu(cpu);
	cpu->dirty[cpu->nr_dirty++] = area;
	local_irq_restore(flags);
	vmap_reap_many();
}

void vmap_slot_put(struct vmap_area *area)
{
	unsigned long flags = local_irq_save();
	struct vmap_cpu *cpu = this_cpu_ptr(vmap_cpus);

	if (unlikely(cpu->nr_dirty == SLOTS_DIRTY)) {
		purge_and_put(cpu, area, flags);
		return;
	}
	cpu->dirty[cpu->nr_dirty++] = area;
	local_irq_restore(flags);
}

static unsigned long slot_number(const struct vmap_block *block, unsigned long addr)
{
	return (addr & (VMAP_BLOCK_SIZE - 1)) >> (PAGE_SHIFT + READ_ONCE(block->area[0].order));
}

#define STATE(nr, used_for, slot_order) ((nr) | (u64)(used_for) << 32 | (u64)(slot_order) << 40)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && VMAP_FREE == 0 &&
		       offsetof(struct vmap_area, nr_pages) == offsetof(struct vmap_area, state) &&
		       offsetof(struct vmap_area, use) == offsetof(struct vmap_area, state) + 4 &&
		       offsetof(struct vmap_area, order) == offsetof(struct vmap_area, state) + 5,
	       "STATE()");

/*
 * Return: how many pages the area has; 0 when it is not in use, not for @use, not of @count pages, or another's by now.
 */
static __always_inline u32 claim_state(struct vmap_area *area, u8 use, u32 count)
{
	u64 state = READ_ONCE(area->state);
	u32 nr = (u32)state;

	if (!nr || (u8)(state >> 32) != use || (count && nr != count))
		return 0;
	return cas64_acquire(&area->state, state, state & STATE(0, 0, 0xff)) ? nr : 0;
}

struct vmap_claim vmap_slot_claim(unsigned long addr, u8 use, u32 count)
{
	struct vmap_claim claim = { NULL, 0 };
	unsigned long flags = local_irq_save();
	const u64 *table = arch_vmap_table(addr);
	struct vmap_block *block = table ? block_of(table) : NULL;

	if (likely(block)) {
		struct vmap_area *area = &block->area[slot_number(block, addr)];

		if (likely(area->addr == addr))
			claim.nr_pages = claim_state(area, use, count);
		if (likely(claim.nr_pages))
			claim.area = area;
	}
	local_irq_restore(flags);
	return claim;
}

static void copy_slot(const struct vmap_area *area, struct vmap_area *copy)
{
	*copy = (struct vmap_area){
		.addr = area->addr,
		.pte = area->pte,
		.caller = READ_ONCE(area->caller),
		.state = READ_ONCE(area->state),
	};
}

bool vmap_block_at(const struct vmap_block *block, unsigned long addr, struct vmap_area *copy)
{
	if (!__atomic_load_n(&block->nr_slots, __ATOMIC_ACQUIRE))
		return false;
	copy_slot(&block->area[slot_number(block, addr)], copy);
	return true;
}

bool vmap_block_mark(struct vmap_block *block, unsigned long addr, u8 from, u8 to)
{
	struct vmap_area *area;
	u64 state;

	if (!__atomic_load_n(&block->nr_slots, __ATOMIC_ACQUIRE))
		return false;
	area = &block->area[slot_number(block, addr)];
	state = READ_ONCE(area->state);
	return area->addr == addr && (u32)state && (u8)(state >> 32) == from &&
	       cas64_acquire(&area->state, state, (state & ~STATE(0, 0xff, 0)) | STATE(0, to, 0));
}

bool vmap_block_next(const struct vmap_block *block, unsigned long addr, struct vmap_area *copy)
{
	u32 nr_slots = __atomic_load_n(&block->nr_slots, __ATOMIC_ACQUIRE);

	for (u32 i = 0; i < nr_slots; i++) {
		const struct vmap_area *area = &block->area[i];

		if (area->addr < addr || !READ_ONCE(area->nr_pages))
			continue;
		copy_slot(area, copy);
		/* Its end may have come between the two looks. */
		if (copy->nr_pages && copy->use != VMAP_FREE)
			return true;
	}
	return false;
}

/* Nothing stays with this CPU. */
static void give_all_back(void *unused)
{
	unsigned long flags = local_irq_save();
	struct vmap_cpu *cpu = this_cpu_ptr(vmap_cpus);

	(void)unused;
	purge_cpu(cpu);
	for (int order = SLOT_ORDER_MIN; order <= SLOT_ORDER_MAX; order++)
		while (cpu->nr_free[order])
			put_to_block(cpu->free[order][--cpu->nr_free[order]]);
	local_irq_restore(flags);
}

/* A block that is empty, off its list; NULL when there is none. */
static struct vmap_block *take_empty(struct slot_pool *slots)
{
	unsigned long flags = spin_lock_irqsave(&slots->lock);
	struct vmap_block *block, *empty = NULL;

	list_for_each_entry(block, &slots->blocks, list)
		if (block->nr_free == block->nr_slots)
			empty = block;
	if (empty)
		list_del(&empty->list);
	spin_unlock_irqrestore(&slots->lock, flags);
	return empty;
}

void vmap_purge(void)
{
	on_each_cpu(give_all_back, NULL);
	for (int order = SLOT_ORDER_MIN; order <= SLOT_ORDER_MAX; order++) {
		struct vmap_block *empty;

		while ((empty = take_empty(&pools[order])))
			free_block(empty);
	}
	vmap_reap();
}
