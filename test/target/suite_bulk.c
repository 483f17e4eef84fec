// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many pages at once in the image: alloc_pages_bulk() and release_pages(), alone, and on all CPUs with their timer
 * handlers.
 *
 * Who owns a page has its own number in it, written when it was had and looked for when it is given back: two owners of
 * a page would see each other's.
 */
#include <mm/gfp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include <asm/timer.h>

#include "target.h"

#define BATCH	    128 /* more than release_pages() frees under one mask */
#define IN_HANDLER  24
#define TIMER_NS    200000
#define LOAD_NS	    700000000ULL
#define HANDLERS_NS 10000000000ULL

static u64 *stamp_of(const struct page *page)
{
	return page_address(page);
}

static void case_entries(void)
{
	struct page *pages[BATCH] = { NULL }, *mine = alloc_page(GFP_KERNEL);
	unsigned long before;
	bool single = true;

	if (!ktap_ok(mine != NULL))
		return;
	before = quiet_free_pages();
	for (int i = 0; i < BATCH; i += 5)
		pages[i] = mine;
	ktap_ok(alloc_pages_bulk(GFP_KERNEL, BATCH, pages) == BATCH);
	for (int i = 0; i < BATCH; i++) {
		if (i % 5 == 0)
			get_page(mine);
		single &= i % 5 ? pages[i] != mine && page_ref_count(pages[i]) == 1 : pages[i] == mine;
	}
	ktap_ok(single);
	/* Those that were there have a user more for each entry. */
	release_pages(pages, BATCH);
	ktap_ok(page_ref_count(mine) == 1);
	ktap_ok(quiet_free_pages() == before);
	put_page(mine);
}

static void case_zeroed(void)
{
	struct page *pages[BATCH] = { NULL };
	bool zero = true;

	for (int round = 0; round < 2; round++) {
		ktap_ok(alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, BATCH, pages) == BATCH);
		for (int i = 0; i < BATCH; i++)
			for (size_t word = 0; word < PAGE_SIZE / sizeof(u64); word++) {
				zero &= stamp_of(pages[i])[word] == 0;
				stamp_of(pages[i])[word] = ~0ULL;
			}
		release_pages(pages, BATCH);
		for (int i = 0; i < BATCH; i++)
			pages[i] = NULL;
	}
	ktap_ok(zero);
}

/* Compound blocks by their tails, blocks of other orders, shared pages: all of them go, each as what it is. */
static void case_mixed(void)
{
	unsigned long before = quiet_free_pages();
	struct page *pages[BATCH] = { NULL };
	bool had = true;

	for (unsigned int i = 0; i < BATCH; i++) {
		pages[i] = alloc_pages(i % 3 ? GFP_KERNEL : GFP_KERNEL | __GFP_COMP, i % 5);
		had &= pages[i] != NULL;
		if (pages[i] && i % 3 == 0)
			pages[i] += (1UL << i % 5) - 1;
	}
	if (!ktap_ok(had))
		return;
	for (int i = 0; i < BATCH; i += 7)
		get_page(pages[i]);
	release_pages(pages, BATCH);
	for (int i = 0; i < BATCH; i += 7)
		put_page(pages[i]);
	ktap_ok(quiet_free_pages() == before);
}

/* One CPU's part of the load. Each word has one writer: the CPU's thread, or its handler. */
struct part {
	u64 random;
	u64 batches;
	u64 refused;
	u64 doubled; /* pages that somebody else had too */
	u64 handlers;
	u64 refused_in_handler;
	u64 doubled_in_handler;
};

static struct part parts[CONFIG_NR_CPUS];
static u64 load_end_ns;

static unsigned long take(gfp_t gfp, struct page **pages, unsigned long n, u64 owner)
{
	unsigned long had = alloc_pages_bulk(gfp | __GFP_NOWARN, n, pages);

	for (unsigned long i = 0; i < had; i++)
		*stamp_of(pages[i]) = owner + page_to_pfn(pages[i]);
	return had;
}

/* Return: how many pages had another stamp. */
static u64 give(struct page **pages, unsigned long n, u64 owner)
{
	u64 doubled = 0;

	for (unsigned long i = 0; i < n; i++) {
		doubled += *stamp_of(pages[i]) != owner + page_to_pfn(pages[i]);
		*stamp_of(pages[i]) = 0;
	}
	release_pages(pages, (int)n);
	return doubled;
}

static void on_tick(void)
{
	struct part *part = &parts[smp_processor_id()];
	u64 owner = ((u64)smp_processor_id() + 1) << 40 | 1ULL << 39;
	struct page *pages[IN_HANDLER] = { NULL };
	unsigned long had = take(GFP_ATOMIC, pages, IN_HANDLER, owner);

	part->refused_in_handler += had < IN_HANDLER;
	part->doubled_in_handler += give(pages, had, owner);
	part->handlers++;
}

/* Until the end, and then until the handler has run once: on a busy host a CPU may hardly have run. */
static bool go_on(const struct part *part)
{
	u64 now = arch_clock_ns();

	return now < load_end_ns ||
	       (timer_available() && !READ_ONCE(part->handlers) && now < load_end_ns + HANDLERS_NS);
}

static void load_cpu(void *unused)
{
	struct part *part = &parts[smp_processor_id()];
	u64 owner = ((u64)smp_processor_id() + 1) << 40;

	(void)unused;
	*part = (struct part){ .random = owner | 1 };
	timer_start_periodic(TIMER_NS, on_tick);
	do {
		gfp_t gfp = next_random(&part->random) % 2 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE;
		unsigned long want = 1 + next_random(&part->random) % BATCH, had;
		struct page *pages[BATCH] = { NULL };

		had = take(gfp, pages, want, owner);
		part->refused += had < want;
		part->doubled += give(pages, had, owner);
		part->batches++;
	} while (go_on(part));
	timer_stop();
}

static void case_load(void)
{
	unsigned long before = quiet_free_pages();
	int cpu;

	load_end_ns = arch_clock_ns() + LOAD_NS;
	if (!ktap_ok(on_all_cpus(load_cpu, NULL)))
		return;
	for_each_online_cpu(cpu) {
		ktap_ok(parts[cpu].batches > 0);
		ktap_ok(parts[cpu].handlers > 0 || !timer_available());
		ktap_ok(parts[cpu].doubled == 0 && parts[cpu].doubled_in_handler == 0);
		ktap_ok(parts[cpu].refused == 0 && parts[cpu].refused_in_handler == 0);
	}
	ktap_ok(quiet_free_pages() == before);
}

static const struct ktap_case cases[] = {
	{ "entries that hold a page", case_entries },
	{ "zeroed", case_zeroed },
	{ "blocks of all kinds are released", case_mixed },
	{ "all CPUs and their handlers", case_load },
};
KTAP_SUITE(bulk, cases, memory_check);
