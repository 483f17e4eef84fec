// SPDX-License-Identifier: BSD-2-Clause
/*
 * The physical map with its sources: at boot in the manner of dmesg, at the prompt as `iomem` and `memblock`.
 *
 * 1. The boot log lists the claims in the order they were made: what the tree and the loader said, then what our own boot
 *    allocations took.
 * 2. iomem shows every byte of RAM by address, in the manner of /proc/iomem: each bank, and below it, indented, whose
 *    each part is; what nobody claimed is the page allocator's. Gaps between banks are explained.
 */
#include "internal.h"

#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <stdio.h>

#include "provenance.h"

#define NAME_MAX 128

static const char *const kind_names[] = {
	[CLAIM_MEMORY] = "memory",     [CLAIM_RESERVED] = "reserved", [CLAIM_NOMAP] = "no-map",
	[CLAIM_LEFT_OUT] = "left out", [CLAIM_METADATA] = "metadata", [CLAIM_CMA] = "CMA",
};

static const char *claim_preposition(const struct mem_claim *claim)
{
	if (claim->kind == CLAIM_METADATA)
		return "for";
	return claim->kind == CLAIM_LEFT_OUT ? "by" : "from";
}

static void print_claim(const struct mem_claim *claim)
{
	char name[NAME_MAX], node[16] = "";

	if (claim->nid != NUMA_NO_NODE)
		snprintf(node, sizeof(node), " node %d", claim->nid);
	printk("  %-8s [mem 0x%016llx-0x%016llx]%s %s %s\n", kind_names[claim->kind], claim->base,
	       claim->base + claim->size - 1, node, claim_preposition(claim), claim_name(claim, name, sizeof(name)));
}

void claims_print(bool metadata)
{
	for (unsigned int i = 0; i < claim_count(); i++)
		if ((claim_get(i)->kind == CLAIM_METADATA) == metadata)
			print_claim(claim_get(i));
}

static const char *kind_note(enum claim_kind kind)
{
	if (kind == CLAIM_NOMAP)
		return " (no-map)";
	if (kind == CLAIM_METADATA)
		return " (metadata)";
	return kind == CLAIM_CMA ? " (CMA, the page allocator's)" : "";
}

/* One line of iomem: a run within a bank. */
static void print_run(const struct ram_run *run)
{
	char name[NAME_MAX];

	if (!run->owner) {
		con_printf("  %08llx-%08llx : %s\n", run->base, run->end - 1,
			   PFN_UP(run->base) < PFN_DOWN(run->end) ? "page allocator" : "rest of a page");
		return;
	}
	claim_name(run->owner, name, sizeof(name));
	con_printf("  %08llx-%08llx : %s%s\n", run->base, run->end - 1, name, kind_note(run->owner->kind));
}

/* The line of the RAM that begins with @first: as far as runs of the same bank follow one another. */
static void print_bank(const struct ram_run *first)
{
	struct ram_run run = *first;
	phys_addr_t end = first->end;
	char name[NAME_MAX];

	while (ram_run_next(&run) && run.bank == first->bank && run.base == end)
		end = run.end;
	con_printf("%08llx-%08llx : System RAM (%s)\n", first->base, end - 1,
		   claim_name(first->bank, name, sizeof(name)));
}

static void print_hole(phys_addr_t base, phys_addr_t end)
{
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->kind == CLAIM_LEFT_OUT && c->base < end && base < c->base + c->size) {
			con_printf("%08llx-%08llx : no RAM of ours (left out by %s)\n", base, end - 1, c->name);
			return;
		}
	}
	con_printf("%08llx-%08llx : no RAM (nobody says it is)\n", base, end - 1);
}

/* What was left out above the last RAM. */
static void print_left_out(phys_addr_t end)
{
	for (unsigned int i = 0; i < claim_count(); i++)
		if (claim_get(i)->kind == CLAIM_LEFT_OUT && claim_get(i)->base >= end)
			print_hole(claim_get(i)->base, claim_get(i)->base + claim_get(i)->size);
}

static int show_iomem(int argc, char **argv)
{
	struct ram_run run = { 0 }, last = { 0 };

	(void)argc;
	(void)argv;
	while (ram_run_next(&run)) {
		if (last.bank && run.base != last.end)
			print_hole(last.end, run.base);
		if (run.bank != last.bank || run.base != last.end)
			print_bank(&run);
		print_run(&run);
		last = run;
	}
	print_left_out(last.end);
	return 0;
}
MONITOR_CMD(iomem, "", "physical memory and who claimed it, as /proc/iomem", show_iomem);

static int show_memblock(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	memblock_dump_all();
	return memblock_check() ? 0 : -1;
}
MONITOR_CMD(memblock, "", "memblock's arrays as they were at hand-over", show_memblock);
