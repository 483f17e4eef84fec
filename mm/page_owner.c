// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page owners: for each block its last allocation and its last free, with time, CPU and backtrace.
 *
 * 1. A block has a record, the first page's. Records lie beside each range of memory, an array that is reserved at boot
 *    and not touched: 160 bytes for a page, 4 % of RAM. The records of a pageblock are cleared when the first of them
 *    is written, and a bit says so; what has no bit was never allocated since boot. A block may lie in two ranges that
 *    touch.
 * 2. A record is written by whoever has the block: between the moment it leaves the allocator and the moment it goes
 *    back. So nothing covers it. Others read it for a report or for the table, and may see a record that is being
 *    written.
 * 3. `page_owner` prints the blocks that are in use now in the format of Linux's /sys/kernel/debug/page_owner. There
 *    are no processes here: the pid is 0, and the name is that of the CPU.
 */
#include "page_owner.h"

#include <errno.h>
#include <lib/bitmap.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/bootargs.h>
#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <stdlib.h>
#include <string.h>

#include "buddy.h"
#include "internal.h"
#include "page_report.h"

#define TRACE_DEPTH 8
#define TRACE_SKIP  1 /* page_owner_note_...() itself */

/**
 * struct owner_event - an allocation or a free
 * @ns: when; 0: there was none
 * @trace: return addresses, innermost first; 0 ends them
 */
struct owner_event {
	u64 ns;
	unsigned long trace[TRACE_DEPTH];
};

/**
 * struct page_record - what is known of a block
 * @gfp, @order: of the last allocation
 * @alloc_cpu, @free_cpu: where it was done
 */
struct page_record {
	struct owner_event alloc;
	struct owner_event free;
	gfp_t gfp;
	u16 alloc_cpu;
	u16 free_cpu;
	u8 order;
};

_Static_assert(sizeof(struct page_record) == 160, "what the theory and the Kconfig help say");

/**
 * struct owner_range - records of a range of memory
 * @start, @end: (b) its page frames
 * @record: (b) one for each
 * @cleared: a bit for each pageblock of the range, from the one of @start on; set under clear_lock
 */
struct owner_range {
	unsigned long start, end;
	struct page_record *record;
	u64 *cleared;
};

bool page_owner_on;

static struct owner_range *ranges; /* (b) sorted; nr_ranges of them */
static int nr_ranges;
static DEFINE_SPINLOCK(clear_lock, LOCK_RANK_PAGE_OWNER);

static unsigned long block_in(const struct owner_range *range, unsigned long pfn)
{
	return (pfn >> PAGEBLOCK_ORDER) - (range->start >> PAGEBLOCK_ORDER);
}

static void init_range(struct owner_range *range, unsigned long start, unsigned long end, int nid)
{
	phys_addr_t size = ALIGN((end - start) * sizeof(struct page_record), PAGE_SIZE);

	range->start = start;
	range->end = end;
	range->cleared = boot_alloc(DIV_ROUND_UP(block_in(range, end - 1) + 1, 64) * sizeof(u64), sizeof(u64), nid,
				    "page owners");
	range->record = __va(boot_phys_alloc(size, PAGE_SIZE, nid, "page owners"));
}

void page_owner_init(const char *args)
{
	unsigned long start, end;
	char value[8];
	int i, nid;

	if (bootarg_value(args, "page_owner", value, sizeof(value)) && !strcmp(value, "off"))
		return;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, &nid)
		nr_ranges++;
	ranges = boot_alloc((phys_addr_t)nr_ranges * sizeof(*ranges), sizeof(u64), NUMA_NO_NODE, "page owners");
	nr_ranges = 0;
	for_each_mem_pfn_range(i, NUMA_NO_NODE, &start, &end, &nid)
		init_range(&ranges[nr_ranges++], start, end, nid);
	page_owner_on = true;
}

static struct owner_range *range_of(unsigned long pfn)
{
	for (int i = 0; i < nr_ranges; i++)
		if (pfn >= ranges[i].start && pfn < ranges[i].end)
			return &ranges[i];
	return NULL;
}

/* The record of @page; NULL when nothing was ever noted in its pageblock. */
static struct page_record *find_record(const struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	struct owner_range *range = range_of(pfn);

	if (!range || !bit_test_acquire(range->cleared, block_in(range, pfn)))
		return NULL;
	return &range->record[pfn - range->start];
}

/* Clear the records of the pageblock of @pfn, as far as it lies in @range. */
static void clear_block(struct owner_range *range, unsigned long pfn)
{
	unsigned long start = max(ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES), range->start);
	unsigned long end = min(ALIGN_DOWN(pfn, PAGEBLOCK_NR_PAGES) + PAGEBLOCK_NR_PAGES, range->end);
	unsigned long flags = spin_lock_irqsave(&clear_lock);

	if (!bit_test(range->cleared, block_in(range, pfn))) {
		memset(&range->record[start - range->start], 0, (end - start) * sizeof(struct page_record));
		bit_set(range->cleared, block_in(range, pfn));
	}
	spin_unlock_irqrestore(&clear_lock, flags);
}

/* The record of @page, which is the caller's. */
static struct page_record *own_record(const struct page *page)
{
	struct page_record *record = find_record(page);

	if (record)
		return record;
	clear_block(range_of(page_to_pfn(page)), page_to_pfn(page));
	return find_record(page);
}

static __always_inline void note_event(struct owner_event *event)
{
	unsigned int n = stack_trace_save(event->trace, TRACE_DEPTH, TRACE_SKIP);

	if (n < TRACE_DEPTH)
		event->trace[n] = 0;
	event->ns = arch_clock_ns();
}

__noinline void page_owner_note_alloc(const struct page *page, unsigned int order, gfp_t gfp)
{
	struct page_record *record = own_record(page);

	record->order = (u8)order;
	record->gfp = gfp;
	record->alloc_cpu = (u16)this_cpu()->cpu;
	note_event(&record->alloc);
}

__noinline void page_owner_note_free(const struct page *page)
{
	struct page_record *record = own_record(page);

	record->free_cpu = (u16)this_cpu()->cpu;
	note_event(&record->free);
}

/* Neighbours may be of two ranges: a buddy block grows across regions of memory that touch. */
void page_owner_split(const struct page *page, unsigned int order)
{
	struct page_record whole;

	if (!page_owner_active())
		return;
	whole = *own_record(page);
	whole.order = 0;
	for (unsigned long i = 0; i < 1UL << order; i++)
		*own_record(page + i) = whole;
}

static void log_trace(const struct owner_event *event)
{
	char name[ARCH_SYMBOL_MAX];

	for (int i = 0; i < TRACE_DEPTH && event->trace[i]; i++)
		printk("    %s\n", arch_symbol(event->trace[i], name, sizeof(name)));
}

void page_owner_dump(const struct page *page)
{
	const struct page_record *record = find_record(page);
	char names[GFP_NAMES_MAX];

	if (!page_owner_active())
		return;
	if (!record || !record->alloc.ns) {
		printk("  page: never allocated since hand-over\n");
		return;
	}
	printk("  page: last allocated on CPU %u via order %u, gfp 0x%x (%s), ts %llu ns:\n", record->alloc_cpu,
	       record->order, record->gfp, gfp_names(record->gfp, names, sizeof(names)), record->alloc.ns);
	log_trace(&record->alloc);
	if (!record->free.ns) {
		printk("  page: never freed since then\n");
		return;
	}
	printk("  page: last freed on CPU %u, ts %llu ns:\n", record->free_cpu, record->free.ns);
	log_trace(&record->free);
}

static void show_block(const struct page *page)
{
	const struct page_record *record = find_record(page);
	unsigned long pfn = page_to_pfn(page);
	char names[GFP_NAMES_MAX], symbol[ARCH_SYMBOL_MAX];

	if (!record || !record->alloc.ns)
		return;
	con_printf("Page allocated via order %u, mask 0x%x(%s), pid 0, tgid 0 (cpu/%u), ts %llu ns\n", record->order,
		   record->gfp, gfp_names(record->gfp, names, sizeof(names)), record->alloc_cpu, record->alloc.ns);
	con_printf("PFN 0x%lx type %s Block %lu type %s Flags 0x%lx\n", pfn,
		   migratetype_name(gfp_migratetype(record->gfp)), pfn >> PAGEBLOCK_ORDER,
		   migratetype_name(get_pageblock_migratetype(pfn)), page_state(page) & ~PAGE_ORDER_MASK);
	for (int i = 0; i < TRACE_DEPTH && record->alloc.trace[i]; i++)
		con_printf(" %s\n", arch_symbol(record->alloc.trace[i], symbol, sizeof(symbol)));
	con_printf("\n");
}

/* The blocks in use of a pageblock whose struct pages are written. */
static void show_pageblock(unsigned long pfn)
{
	unsigned long end = pfn + PAGEBLOCK_NR_PAGES;

	while (pfn < end) {
		const struct page *page = pfn_to_page(pfn);
		bool reserved = page_test(page, PG_reserved);

		if (!reserved && page_ref_count(page) > 0)
			show_block(page);
		pfn += reserved ? 1 : 1UL << page_order(page);
	}
}

static void show_all(void)
{
	for (int i = 0; i < nr_ranges; i++) {
		unsigned long pfn = ALIGN_DOWN(ranges[i].start, PAGEBLOCK_NR_PAGES);

		for (; pfn < ranges[i].end; pfn += PAGEBLOCK_NR_PAGES)
			if (page_initialised(pfn))
				show_pageblock(pfn);
	}
}

static int cmd_page_owner(int argc, char **argv)
{
	char *end = NULL;
	unsigned long pfn = argc == 2 ? strtoul(argv[1], &end, 0) : 0;

	if (!page_owner_active()) {
		con_printf("page_owner: page_owner=off was a boot argument\n");
		return -EOPNOTSUPP;
	}
	if (argc > 2 || (end && *end)) {
		con_printf("usage: page_owner [PFN]\n");
		return -EINVAL;
	}
	if (argc == 2)
		dump_page(pfn_to_page(pfn));
	else
		show_all();
	return 0;
}
MONITOR_CMD(page_owner, "[PFN]", "who allocated the pages in use, or the story of one", cmd_page_owner);
