// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records of what masters have: coherent memory, and buffers that lie in a restricted pool.
 *
 * 1. One tree over all masters, by the address that CPUs use: of the linear map, or of vmalloc's space. So a record is
 *    found whosever it is, and who frees another master's memory can be told whose it is.
 * 2. A record that was taken out is not known any more; the last few that were are kept in a ring, to tell who freed
 *    first when somebody frees twice.
 * 3. A master's counts are those of its records. dma_check() proves it.
 *
 * dma_live_lock covers the tree, the ring and the counts. Cost: O(log records).
 */
#include <string.h>

#include <libfdt.h>
#include <mm/slab.h>

#include "dma.h"
#include "internal.h"

#define FREED_KEPT 32

/* What was freed lately: where, how much, whose, and by whom. */
struct freed {
	unsigned long cpu;
	size_t size;
	int node;
	const void *by;
};

DEFINE_SPINLOCK(dma_live_lock, LOCK_RANK_DMA_LIVE);
static struct va_tree live;
static struct freed freed[FREED_KEPT];
static unsigned int freed_next;

static struct dma_record *record_at(unsigned long cpu)
{
	struct va_extent *at = va_at_or_below(&live, cpu);

	return at && cpu - at->start < at->len ? container_of(at, struct dma_record, at) : NULL;
}

void dma_live_add(struct dma_record *rec, void *cpu)
{
	unsigned long flags;

	rec->at.start = (uintptr_t)cpu;
	rec->at.len = rec->nr_pages << PAGE_SHIFT;
	flags = spin_lock_irqsave(&dma_live_lock);
	va_insert(&live, &rec->at);
	ADD_ONCE(rec->dev->nr_live, 1);
	ADD_ONCE(rec->dev->live_pages, rec->nr_pages);
	spin_unlock_irqrestore(&dma_live_lock, flags);
}

static void remember(const struct dma_record *rec, const void *by)
{
	freed[freed_next] = (struct freed){ rec->at.start, rec->size, rec->dev->node, by };
	freed_next = (freed_next + 1) % FREED_KEPT;
}

/* The last time that what began at @cpu was freed. Return: false when it is not known. */
static bool freed_before(unsigned long cpu, struct freed *found)
{
	for (unsigned int i = 1; i <= FREED_KEPT; i++) {
		const struct freed *one = &freed[(freed_next + FREED_KEPT - i) % FREED_KEPT];

		if (one->cpu != cpu || !one->by)
			continue;
		*found = *one;
		return true;
	}
	return false;
}

/* What is at @cpu when it is not what a caller takes it for. */
struct mistake {
	bool is_live, was_freed;
	struct dma_record rec;
	struct freed freed;
	char owner[DMA_NAME_MAX];
};

/* What a caller says of the memory that it gives back. */
struct claimed {
	const struct device *dev;
	unsigned long cpu;
	size_t size;
	dma_addr_t dma;
	bool copy;
};

/* Why @rec, in which the address lies, is not the one meant; NULL when it is. */
static const char *record_fault(const struct dma_record *rec, const struct claimed *c)
{
	if (rec->at.start != c->cpu)
		return "lies inside";
	if (!!rec->original != c->copy)
		return c->copy ? "is no mapped buffer but" : "is a mapped buffer, not coherent memory:";
	if (rec->dev != c->dev)
		return "is another master's:";
	if (rec->size != c->size)
		return "has another size:";
	return rec->dma != c->dma ? "has another bus address:" : NULL;
}

static void report_mistake(const struct claimed *c, const char *why, const struct mistake *m)
{
	const char *what = c->copy ? "dma_unmap_single" : "dma_free_coherent";
	char symbol[ARCH_SYMBOL_MAX], owner[DMA_NAME_MAX];

	if (m->is_live)
		dma_report(
			"%s: %s of %zu bytes at 0x%lx (bus 0x%llx) %s %zu bytes at 0x%lx (bus 0x%llx) that %s has, asked for by %s: nothing done",
			c->dev->name, what, c->size, c->cpu, c->dma, why, m->rec.size, m->rec.at.start, m->rec.dma,
			m->owner, arch_symbol((unsigned long)m->rec.caller, symbol, sizeof(symbol)));
	else if (m->was_freed)
		dma_report(
			"%s: %s of %zu bytes at 0x%lx (bus 0x%llx): freed before, as %zu bytes of %s, by %s: nothing done",
			c->dev->name, what, c->size, c->cpu, c->dma, m->freed.size,
			fdt_get_path(claims_fdt(), m->freed.node, owner, sizeof(owner)) ? "a master" : owner,
			arch_symbol((unsigned long)m->freed.by, symbol, sizeof(symbol)));
	else
		dma_report("%s: %s of %zu bytes at 0x%lx (bus 0x%llx): no master has memory there: nothing done",
			   c->dev->name, what, c->size, c->cpu, c->dma);
}

struct dma_record *dma_live_take(struct device *dev, void *cpu, size_t size, dma_addr_t dma, bool copy,
				 const void *caller)
{
	const struct claimed claimed = { dev, (uintptr_t)cpu, size, dma, copy };
	struct mistake m = { 0 };
	unsigned long flags = spin_lock_irqsave(&dma_live_lock);
	struct dma_record *rec = record_at((uintptr_t)cpu);
	const char *why = rec ? record_fault(rec, &claimed) : "is not";

	if (!why) {
		va_remove(&live, &rec->at);
		ADD_ONCE(rec->dev->nr_live, -1UL);
		ADD_ONCE(rec->dev->live_pages, -rec->nr_pages);
		remember(rec, caller);
	} else if (rec) {
		m.is_live = true;
		m.rec = *rec;
		memcpy(m.owner, rec->dev->name, sizeof(m.owner));
	} else {
		m.was_freed = freed_before((uintptr_t)cpu, &m.freed);
	}
	spin_unlock_irqrestore(&dma_live_lock, flags);
	if (!why)
		return rec;
	report_mistake(&claimed, why, &m);
	return NULL;
}

unsigned long dma_live_count(const struct device *dev)
{
	unsigned long flags = spin_lock_irqsave(&dma_live_lock), nr = dev->nr_live;

	spin_unlock_irqrestore(&dma_live_lock, flags);
	return nr;
}

bool dma_live_find(const void *cpu, struct dma_record *copy)
{
	unsigned long flags = spin_lock_irqsave(&dma_live_lock);
	const struct dma_record *rec = record_at((uintptr_t)cpu);

	if (rec)
		*copy = *rec;
	spin_unlock_irqrestore(&dma_live_lock, flags);
	return rec;
}

bool dma_live_next(unsigned long cpu, struct dma_record *copy)
{
	unsigned long flags = spin_lock_irqsave(&dma_live_lock);
	struct va_extent *at = va_at_or_above(&live, cpu);

	if (at)
		*copy = *container_of(at, struct dma_record, at);
	spin_unlock_irqrestore(&dma_live_lock, flags);
	return at;
}

/* The sums of @dev's records. */
static void sum_records(const struct device *dev, unsigned long *records, unsigned long *pages,
			unsigned long *in_region)
{
	struct dma_record rec = { .at.start = 0 };

	*records = *pages = 0;
	while (dma_live_next(rec.at.start + 1, &rec)) {
		if (rec.source == DMA_REGION && rec.region == dev->region)
			*in_region += rec.nr_pages;
		if (rec.dev != dev)
			continue;
		++*records;
		*pages += rec.nr_pages;
	}
}

static bool device_whole(const struct device *dev)
{
	unsigned long records, pages, in_region = 0;

	sum_records(dev, &records, &pages, &in_region);
	if (records != READ_ONCE(dev->nr_live) || pages != READ_ONCE(dev->live_pages)) {
		printk("dma check: %s: %lu records of %lu pages, counted %lu of %lu\n", dev->name, records, pages,
		       READ_ONCE(dev->nr_live), READ_ONCE(dev->live_pages));
		return false;
	}
	if (dev->region && READ_ONCE(dev->region->used) != in_region) {
		printk("dma check: %s: %lu of its pages are used, masters have %lu\n", dev->region->name,
		       READ_ONCE(dev->region->used), in_region);
		return false;
	}
	return true;
}

bool dma_check(void)
{
	const struct device *dev;
	bool whole = true;

	mutex_lock(&dma_mutex);
	list_for_each_entry(dev, &dma_devices, list)
		whole = whole && device_whole(dev);
	mutex_unlock(&dma_mutex);
	return whole;
}
