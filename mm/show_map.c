// SPDX-License-Identifier: BSD-2-Clause
/*
 * The physical map with its sources: at boot in the manner of dmesg, at the prompt as `iomem` and `memblock`.
 *
 * 1. The boot log lists the claims in the order they were made: what the tree and the loader said, then what our own boot
 *    allocations took.
 * 2. iomem lists them by address, memory first and what lies in it indented below, as /proc/iomem does.
 */
#include "internal.h"

#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/numa.h>

#define NAME_MAX 128

static const char *const kind_names[] = {
	[CLAIM_MEMORY] = "memory",
	[CLAIM_RESERVED] = "reserved",
	[CLAIM_NOMAP] = "no-map",
	[CLAIM_METADATA] = "metadata",
};

static void print_claim(const struct mem_claim *claim)
{
	char name[NAME_MAX];

	printk("  %-8s [mem 0x%016llx-0x%016llx]", kind_names[claim->kind], claim->base, claim->base + claim->size - 1);
	if (claim->nid != NUMA_NO_NODE)
		printk(" node %d", claim->nid);
	printk(" %s %s\n", claim->kind == CLAIM_METADATA ? "for" : "from", claim_name(claim, name, sizeof(name)));
}

void claims_print(bool metadata)
{
	for (unsigned int i = 0; i < claim_count(); i++)
		if ((claim_get(i)->kind == CLAIM_METADATA) == metadata)
			print_claim(claim_get(i));
}

/* Lowest base first; of equal ones memory before what lies in it, then the order of recording. */
static bool before(const struct mem_claim *a, const struct mem_claim *b)
{
	if (a->base != b->base)
		return a->base < b->base;
	if ((a->kind == CLAIM_MEMORY) != (b->kind == CLAIM_MEMORY))
		return a->kind == CLAIM_MEMORY;
	return a < b;
}

/* The first claim behind @last in address order, NULL at the end. O(claims): the table itself stays as it was written. */
static const struct mem_claim *next_claim(const struct mem_claim *last)
{
	const struct mem_claim *best = NULL;

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if ((!last || before(last, c)) && (!best || before(c, best)))
			best = c;
	}
	return best;
}

static int show_iomem(int argc, char **argv)
{
	char name[NAME_MAX];

	(void)argc;
	(void)argv;
	for (const struct mem_claim *c = next_claim(NULL); c; c = next_claim(c)) {
		claim_name(c, name, sizeof(name));
		if (c->kind == CLAIM_MEMORY)
			con_printf("%08llx-%08llx : System RAM (%s)\n", c->base, c->base + c->size - 1, name);
		else
			con_printf("  %08llx-%08llx : %s%s%s\n", c->base, c->base + c->size - 1, name,
				   c->kind == CLAIM_NOMAP ? " (no-map)" : "",
				   c->kind == CLAIM_METADATA ? " (metadata)" : "");
	}
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
