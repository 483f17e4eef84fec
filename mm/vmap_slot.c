// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots: addresses for areas of up to 511 pages.
 *
 * 1. A slot of class n is 1 << n pages of address space, of which the last at least is never mapped. A block is 2 MiB cut
 *    into slots of one class; its table, made with it, has all their entries, so mapping an area is one store for each page.
 * 2. Each CPU caches free slots of each class. An empty cache takes some from the blocks of the class, lowest first, under the
 *    class's lock; without any there is a new block.
 * 3. A slot that is given back is dirty: some TLB may know its addresses. A CPU collects SLOTS_DIRTY of them, tells all TLBs
 *    once, and then they are free. The slots that fit into its cache stay there, the others go to their blocks.
 * 4. A block all of whose slots are free is given back, table and address space, when its class has others with free slots.
 * 5. When address space or memory is short, all CPUs give back what they hold (vmap_purge()), and it is tried once more.
 *
 * Locks: a CPU's caches are its own, interrupts masked; classes[].lock covers (S). Both are held without any other lock but
 * those of the page tables.
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

static struct slot_class {
	spinlock_t lock;
	struct list_head blocks; /* (S) with free slots */
} classes[SLOT_CLASS_MAX + 1];

struct vmap_cpu *vmap_cpus;

void vmap_slots_init(void)
{
	for (int class = SLOT_CLASS_MIN; class <= SLOT_CLASS_MAX; class ++) {
		spin_lock_init(&classes[class].lock, "vmap class", LOCK_RANK_VMALLOC);
		INIT_LIST_HEAD(&classes[class].blocks);
	}
	vmap_cpus = alloc_percpu(struct vmap_cpu);
	BUG_ON(!vmap_cpus);
}

/* --- blocks --- */

static void init_block(struct vmap_block *block, unsigned int class, u64 *table)
{
	block->nr_slots = block->nr_free = (u32)VMAP_BLOCK_PAGES >> class;
	bits_set_range(block->free, 0, block->nr_slots);
	for (u32 i = 0; i < block->nr_slots; i++)
		block->area[i] = (struct vmap_area){
			.addr = block->extent->start + ((unsigned long)i << (class + PAGE_SHIFT)),
			.pte = table + ((size_t)i << class),
			.class = (u8) class,
		};
	virt_to_page(table)->mapping = block;
}

static struct vmap_block *new_block(unsigned int class)
{
	struct vmap_block *block;
	u64 *table = NULL;

	block = kzalloc(sizeof(*block) + (VMAP_BLOCK_PAGES >> class) * sizeof(block->area[0]), GFP_KERNEL);
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
	init_block(block, class, table);
	return block;
}

static void free_block(struct vmap_block *block)
{
	virt_to_page(block->area[0].pte)->mapping = NULL;
	arch_vmap_table_free(block->extent->start);
	vmap_extent_put(block->extent);
	kfree(block);
}

/* A slot back to its block. Return: the block when it is empty now and should go, already off its list; else NULL. */
static struct vmap_block *return_slot(struct slot_class *class, struct vmap_area *area)
{
	struct vmap_block *block = block_of(area->pte);

	if (!block->nr_free)
		list_add(&block->list, &class->blocks);
	bit_set(block->free, (unsigned long)(area - block->area));
	block->nr_free++;
	if (block->nr_free < block->nr_slots || class->blocks.next == class->blocks.prev)
		return NULL;
	list_del(&block->list);
	return block;
}

static void put_to_block(struct vmap_area *area)
{
	struct slot_class *class = &classes[area->class];
	unsigned long flags = spin_lock_irqsave(&class->lock);
	struct vmap_block *empty = return_slot(class, area);

	spin_unlock_irqrestore(&class->lock, flags);
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
		end = max(end, area->addr + (PAGE_SIZE << area->class));
	}
	if (end)
		arch_flush_tlb_kernel(first, end);
	while (cpu->nr_dirty) {
		struct vmap_area *area = cpu->dirty[--cpu->nr_dirty];

		if (cpu->nr_free[area->class] < SLOTS_CACHED)
			cpu->free[area->class][cpu->nr_free[area->class]++] = area;
		else
			put_to_block(area);
	}
}

static void take_slots(struct vmap_cpu *cpu, unsigned int class, struct vmap_block *block)
{
	while (block->nr_free && cpu->nr_free[class] < REFILL_SLOTS) {
		unsigned long slot = bits_next_set(block->free, 0, block->nr_slots);

		bit_clear(block->free, slot);
		block->nr_free--;
		cpu->free[class][cpu->nr_free[class]++] = &block->area[slot];
	}
	if (!block->nr_free)
		list_del(&block->list);
}

/* Fill the cache from the blocks there are. */
static void refill(struct vmap_cpu *cpu, unsigned int class)
{
	struct slot_class *c = &classes[class];

	if (cpu->nr_dirty >= PURGE_EARLY)
		purge_cpu(cpu);
	if (cpu->nr_free[class])
		return;
	spin_lock(&c->lock);
	while (!list_empty(&c->blocks) && cpu->nr_free[class] < REFILL_SLOTS)
		take_slots(cpu, class, list_first_entry(&c->blocks, struct vmap_block, list));
	spin_unlock(&c->lock);
}

/* --- for vmalloc.c --- */

static struct vmap_area *pop_or_refill(unsigned int class)
{
	unsigned long flags = local_irq_save();
	struct vmap_cpu *cpu = this_cpu_ptr(vmap_cpus);
	struct vmap_area *area = NULL;

	if (unlikely(!cpu->nr_free[class]))
		refill(cpu, class);
	if (likely(cpu->nr_free[class]))
		area = cpu->free[class][--cpu->nr_free[class]];
	local_irq_restore(flags);
	return area;
}

/* With a block more. */
static bool add_block(unsigned int class)
{
	struct slot_class *c = &classes[class];
	struct vmap_block *block = new_block(class);
	unsigned long flags;

	if (!block)
		return false;
	flags = spin_lock_irqsave(&c->lock);
	list_add(&block->list, &c->blocks);
	spin_unlock_irqrestore(&c->lock, flags);
	return true;
}

struct vmap_area *vmap_slot_get(unsigned int nr_pages)
{
	unsigned int class = 32 - (unsigned int)__builtin_clz(nr_pages);
	struct vmap_area *area = pop_or_refill(class);

	while (unlikely(!area)) {
		if (!add_block(class)) {
			if (arch_cross_call_ok())
				vmap_purge();
			if (!add_block(class))
				return pop_or_refill(class);
		}
		area = pop_or_refill(class);
	}
	return area;
}

void vmap_slot_put(struct vmap_area *area)
{
	unsigned long flags = local_irq_save();
	struct vmap_cpu *cpu = this_cpu_ptr(vmap_cpus);

	if (unlikely(cpu->nr_dirty == SLOTS_DIRTY))
		purge_cpu(cpu);
	cpu->dirty[cpu->nr_dirty++] = area;
	local_irq_restore(flags);
}

struct vmap_area *vmap_slot_find(unsigned long addr)
{
	const u64 *table = arch_vmap_table(addr);
	struct vmap_block *block = table ? block_of(table) : NULL;

	if (!block)
		return NULL;
	return &block->area[(addr & (VMAP_BLOCK_SIZE - 1)) >> (PAGE_SHIFT + block->area[0].class)];
}

bool vmap_block_next(const struct vmap_block *block, unsigned long addr, struct vmap_area *copy)
{
	for (u32 i = 0; i < block->nr_slots; i++) {
		const struct vmap_area *area = &block->area[i];

		if (area->addr < addr || !READ_ONCE(area->nr_pages))
			continue;
		*copy = *area;
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
	for (int class = SLOT_CLASS_MIN; class <= SLOT_CLASS_MAX; class ++)
		while (cpu->nr_free[class])
			put_to_block(cpu->free[class][--cpu->nr_free[class]]);
	local_irq_restore(flags);
}

void vmap_purge(void)
{
	on_each_cpu(give_all_back, NULL);
}
