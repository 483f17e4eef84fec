// SPDX-License-Identifier: BSD-2-Clause
/*
 * Struct pages that are written when they are first needed, or ahead of need by idle CPUs.
 *
 * 1. A deferred pageblock is free as a whole and on no free list; its struct pages are rubbish. A zone that runs out of
 *    free blocks takes one: its struct pages are written, under the zone's lock, and it enters the free lists as one
 *    block of MAX_PAGE_ORDER, with the migratetype of whoever asked. That is 3.3 instructions for each of 1,024 pages,
 *    the dearest thing that an allocation may have to do.
 * 2. So idle CPUs keep a stock: deferred pageblocks whose struct pages are written already. They are still deferred,
 *    for every bitmap, counter and walker; taking one is cheap. The stock is 1/64 of the zone and at most
 *    DEFERRED_STOCK blocks. It begins empty: nothing is written before somebody allocates.
 * 3. Whoever takes a block and leaves less than half of the stock sets `wanted` and wakes an idle CPU, one near the
 *    zone. An idle CPU writes one block at a time until the stock is whole: it claims the block (`writing`) under the
 *    lock, writes without the lock, and takes the lock again to put it into the stock. Interrupts stay masked for that
 *    time: whoever needs that very block, the zone's last, can wait for `written` with the lock held.
 * 4. A CPU writes for zones of its own node; for a node that no CPU is near to, any CPU does.
 * 5. memmap_ahead=0 among the boot arguments switches 2 to 4 off: each count of instructions is then the allocation's
 *    own.
 *
 * A pageblock's bits are covered by the lock of the zone it is in. Zones of different locks may share a word of a
 * bitmap, so words are changed with atomics. Lock letters as in mmzone.h.
 */
#include "deferred.h"

#include <lib/bitmap.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/bootargs.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "buddy.h"
#include "internal.h"

/* The stock is this part of a zone. */
#define STOCK_SHARE 64

#define BLOCK_MEMMAP (PAGEBLOCK_NR_PAGES * sizeof(struct page))

_Static_assert(sizeof(struct page) == 64 && offsetof(struct page, flags) == 0,
	       "a struct page is a unit of fill_lines()");

static u64 written_blocks;	  /* (a) */
static u64 helpers[MAX_NUMNODES]; /* (b) by node: the CPUs that write for its zones */
static bool ahead = true;	  /* (b) */

void memmap_note_written(void)
{
	fetch_add64(&written_blocks, 1);
}

u64 memmap_touched_bytes(void)
{
	return __atomic_load_n(&written_blocks, __ATOMIC_RELAXED) * BLOCK_MEMMAP;
}

/* The first deferred pageblock at or above @pfn and below @end; @end when there is none. */
static unsigned long find_deferred(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
		unsigned long block = pageblock_nr(pfn);
		u64 word = usage ? READ_ONCE(usage->deferred[block / 64]) >> (block % 64) : 0;

		if (word)
			return pfn + ((unsigned long)__builtin_ctzll(word) << PAGEBLOCK_ORDER);
		/* Nothing more in this word; without a usage map, in this section. */
		pfn = ALIGN_DOWN(pfn, (usage ? 64 : PAGEBLOCKS_PER_SECTION) * PAGEBLOCK_NR_PAGES) +
		      (usage ? 64 : PAGEBLOCKS_PER_SECTION) * PAGEBLOCK_NR_PAGES;
	}
	return end;
}

bool deferred_in_zone(const struct zone *zone, unsigned long pfn)
{
	return usage_of(pfn)->deferred_nid[pageblock_nr(pfn)] == zone->node->node_id;
}

bool pageblock_deferred(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));

	return usage && bit_test(usage->deferred, pageblock_nr(pfn));
}

/*
 * @zone's first deferred pageblock from *@pfn on, of a CMA area or of none; there is one. *@pfn becomes the one behind
 * it.
 */
static unsigned long find_next(const struct zone *zone, unsigned long *pfn, bool cma)
{
	unsigned long end = zone_end_pfn(zone), found = find_deferred(*pfn, end);

	while (found < end &&
	       (!deferred_in_zone(zone, found) || (get_pageblock_migratetype(found) == MIGRATE_CMA) != cma))
		found = find_deferred(found + PAGEBLOCK_NR_PAGES, end);
	BUG_ON(found >= end);
	*pfn = found + PAGEBLOCK_NR_PAGES;
	return found;
}

/* The next deferred pageblock of @zone that nobody has begun to write; there is one. From now on the caller has. */
static unsigned long next_deferred(struct zone *zone)
{
	return find_next(zone, &zone->deferred_pfn, false);
}

/* The struct pages of deferred pageblock @pfn, as those of a free block's are before it has an order. */
static void write_block(const struct zone *zone, unsigned long pfn)
{
	write_pages(pfn, PAGEBLOCK_NR_PAGES, page_identity(zone, pfn));
	memmap_note_written();
}

/* Deferred pageblocks that nobody has begun to write. */
static unsigned long nr_unwritten(const struct zone *zone)
{
	const struct deferred_stock *stock = &zone->stock;

	return zone->nr_deferred / PAGEBLOCK_NR_PAGES - stock->nr - (stock->writing != NO_BLOCK);
}

/* The block that another CPU is writing, when it has. Interrupts are masked there, so that is soon. */
static unsigned long wait_for_writer(struct deferred_stock *stock)
{
	unsigned long pfn = stock->writing;

	while (!__atomic_load_n(&stock->written, __ATOMIC_ACQUIRE))
		cpu_relax();
	stock->writing = NO_BLOCK;
	return pfn;
}

/* One of @zone's deferred pageblocks, with its struct pages written; there is one. */
static unsigned long take_block(struct zone *zone)
{
	unsigned long pfn;

	/* The one written last may still be in a cache. */
	if (zone->stock.nr)
		return zone->stock.pfn[--zone->stock.nr];
	if (!nr_unwritten(zone))
		return wait_for_writer(&zone->stock);
	pfn = next_deferred(zone);
	write_block(zone, pfn);
	return pfn;
}

/* Have the stock filled up when it is less than half of what it should be. */
static void want_stock(struct zone *zone)
{
	struct deferred_stock *stock = &zone->stock;

	if (2 * stock->nr >= stock->goal || !nr_unwritten(zone))
		return;
	__atomic_store_n(&stock->wanted, 1, __ATOMIC_SEQ_CST);
	smp_wake_idle(helpers[zone->node->node_id]);
}

/*
 * A deferred pageblock whose struct pages are written becomes a block of @type in the free lists. *@deferred counts it.
 */
static void enter_lists(struct zone *zone, unsigned long pfn, enum migratetype type, unsigned long *deferred)
{
	struct mem_section_usage *usage = usage_of(pfn);

	bit_clear(usage->deferred, pageblock_nr(pfn));
	bit_set(usage->initialised, pageblock_nr(pfn));
	set_pageblock_migratetype(pfn, type);
	ADD_ONCE(*deferred, -PAGEBLOCK_NR_PAGES);
	ADD_ONCE(zone->nr_free, -PAGEBLOCK_NR_PAGES);
	buddy_free_range(zone, pfn, PAGEBLOCK_NR_PAGES);
	want_stock(zone);
}

/* The deferred pageblock at @pfn, of a CMA area: nobody writes those ahead. */
static void enter_cma(struct zone *zone, unsigned long pfn)
{
	write_block(zone, pfn);
	enter_lists(zone, pfn, MIGRATE_CMA, &zone->nr_deferred_cma);
}

bool zone_take_deferred(struct zone *zone, enum migratetype type)
{
	if (!(type == MIGRATE_CMA ? zone->nr_deferred_cma : zone->nr_deferred))
		return false;
	if (type == MIGRATE_CMA)
		enter_cma(zone, find_next(zone, &zone->deferred_cma_pfn, true));
	else
		enter_lists(zone, take_block(zone), type, &zone->nr_deferred);
	return true;
}

/* Have the struct pages of @zone's deferred pageblock @pfn written; it is in the stock no more. */
static void take_this_block(struct zone *zone, unsigned long pfn)
{
	struct deferred_stock *stock = &zone->stock;

	for (u32 i = 0; i < stock->nr; i++) {
		if (stock->pfn[i] == pfn) {
			stock->pfn[i] = stock->pfn[--stock->nr];
			return;
		}
	}
	if (stock->writing == pfn)
		wait_for_writer(stock);
	else
		write_block(zone, pfn);
}

void zone_init_deferred(struct zone *zone, unsigned long pfn)
{
	if (!pageblock_deferred(pfn) || !deferred_in_zone(zone, pfn))
		return;
	if (get_pageblock_migratetype(pfn) == MIGRATE_CMA) {
		enter_cma(zone, pfn);
		return;
	}
	take_this_block(zone, pfn);
	enter_lists(zone, pfn, MIGRATE_MOVABLE, &zone->nr_deferred);
}

/* --- Ahead of need --- */

/* Under the lock. Return: the block to write now, NO_BLOCK when there is nothing to do. */
static unsigned long claim_block(struct zone *zone)
{
	struct deferred_stock *stock = &zone->stock;

	if (stock->writing != NO_BLOCK)
		return NO_BLOCK;
	if (stock->nr >= stock->goal || !nr_unwritten(zone)) {
		__atomic_store_n(&stock->wanted, 0, __ATOMIC_RELAXED);
		return NO_BLOCK;
	}
	__atomic_store_n(&stock->written, 0, __ATOMIC_RELAXED);
	stock->writing = next_deferred(zone);
	return stock->writing;
}

/* Write one block ahead for @zone. Return: whether there was one to write. */
static bool write_ahead(struct zone *zone)
{
	struct deferred_stock *stock = &zone->stock;
	unsigned long flags = spin_lock_irqsave(&zone->lock), pfn = claim_block(zone);

	if (pfn != NO_BLOCK) {
		spin_unlock(&zone->lock);
		write_block(zone, pfn);
		__atomic_store_n(&stock->written, 1, __ATOMIC_RELEASE);
		spin_lock(&zone->lock);
		/* Unless somebody waited for it and has it. */
		if (stock->writing == pfn) {
			stock->pfn[stock->nr++] = pfn;
			stock->writing = NO_BLOCK;
		}
	}
	spin_unlock_irqrestore(&zone->lock, flags);
	return pfn != NO_BLOCK;
}

/* What an idle CPU does: a block of the nearest zone that wants one. */
static bool idle_write(void)
{
	const struct mm_cpu *cpu = this_cpu();

	for (struct zone **list = node_data[node_for_alloc[cpu->nid]]->zonelist; *list; list++) {
		struct zone *zone = *list;

		if (__atomic_load_n(&zone->stock.wanted, __ATOMIC_SEQ_CST) &&
		    (helpers[zone->node->node_id] >> cpu->cpu & 1) && write_ahead(zone))
			return true;
	}
	return false;
}

/* The CPUs whose nearest memory is @nid's; all, when there is none. */
static u64 cpus_near(int nid)
{
	u64 cpus = 0;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++) {
		const struct mm_cpu *head = percpu_base(cpu);

		if (node_for_alloc[head->nid] == nid)
			cpus |= 1ULL << cpu;
	}
	return cpus ? cpus : ~0ULL;
}

void deferred_setup(const char *args)
{
	char value[8];

	if (!bootarg_value(args, "memmap_ahead", value, sizeof(value)))
		return;
	if ((value[0] != '0' && value[0] != '1') || value[1])
		printk("memmap: memmap_ahead=%s is neither 0 nor 1: idle CPUs write ahead\n", value);
	else
		ahead = value[0] == '1';
}

void deferred_init(void)
{
	struct zone *zone;
	pg_data_t *pgdat;
	int i, nid;

	printk("memmap: %lluK reserved, %lluK written; the rest when it is needed%s\n", memmap_reserved_bytes() >> 10,
	       memmap_touched_bytes() >> 10, ahead ? ", or by idle CPUs" : "");
	if (!ahead)
		return;
	for_each_online_pgdat(nid, pgdat)
		helpers[nid] = cpus_near(nid);
	for_each_populated_zone(i, zone)
		zone->stock.goal = (u32)min(zone->managed_pages / STOCK_SHARE >> PAGEBLOCK_ORDER, DEFERRED_STOCK);
	smp_set_idle_task(idle_write);
}
