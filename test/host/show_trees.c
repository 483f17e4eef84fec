// SPDX-License-Identifier: BSD-2-Clause
/*
 * What discovery makes of device trees, as text that an independent reader can print too (test/boot/realtrees.t).
 *
 * 1. Standard input has a line for each tree: where the image lies, where the tree lies (hexadecimal), and its file.
 * 2. Each tree is discovered by a process of its own, up to numa_init() and fdt_dma_limit(), with the log kept back.
 * 3. What is printed for it, in this order:
 *	tree FILE
 *	memory BASE-LAST WHO		each bank as it was entered
 *	reserved BASE-LAST WHO		each claim on a range, in the order of discovery; image and tree left out
 *	no-map BASE-LAST WHO
 *	ram BASE-LAST STATE node N	memblock in the end, by address: free, reserved or no-map; neighbours that are
 *					alike are one, and our own allocations count as free
 *	dma LIMIT			0 for none
 *	ended STATUS			the process's exit status: 0 unless it crashed, panicked, or found no memory
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"
#include "treefile.h"

#define IMAGE_SIZE (1ULL << 20)

/* One line of the input. */
struct job {
	phys_addr_t image, tree;
	char file[4096];
};

/* What is printed as one line of the map. */
struct piece {
	phys_addr_t base, end;
	const char *state;
	int nid;
};

static const char *kind_name(enum claim_kind kind)
{
	if (kind == CLAIM_MEMORY)
		return "memory";
	return kind == CLAIM_NOMAP ? "no-map" : "reserved";
}

static bool is_ours(const char *name)
{
	return !strncmp(name, "image ", strlen("image ")) || !strcmp(name, "device tree");
}

static void print_claims(void)
{
	char name[512];

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		claim_name(c, name, sizeof(name));
		if (c->kind != CLAIM_METADATA && !is_ours(name))
			printf("%s 0x%llx-0x%llx %s\n", kind_name(c->kind), c->base, c->base + c->size - 1, name);
	}
}

static void flush_piece(const struct piece *p)
{
	if (p->base < p->end)
		printf("ram 0x%llx-0x%llx %s node %d\n", p->base, p->end - 1, p->state, p->nid);
}

static void add_piece(struct piece *last, phys_addr_t base, phys_addr_t end, const char *state, int nid)
{
	if (base >= end)
		return;
	if (last->end == base && last->state == state && last->nid == nid) {
		last->end = end;
		return;
	}
	flush_piece(last);
	*last = (struct piece){ base, end, state, nid };
}

/* A memory region, cut where reservations begin and end. */
static void add_region(struct piece *last, const struct memblock_region *m)
{
	phys_addr_t at = m->base, end = m->base + m->size;
	const struct memblock_region *r;

	if (m->flags & MEMBLOCK_NOMAP) {
		add_piece(last, at, end, "no-map", m->nid);
		return;
	}
	for_each_reserved_mem_region(r) {
		if (r->base + r->size <= at || r->base >= end || (r->flags & MEMBLOCK_RSRV_KERN))
			continue;
		add_piece(last, at, r->base, "free", m->nid);
		at = max(at, r->base);
		add_piece(last, at, min(end, r->base + r->size), "reserved", m->nid);
		at = min(end, r->base + r->size);
	}
	add_piece(last, at, end, "free", m->nid);
}

static void print_map(void)
{
	struct piece last = { 0, 0, "", 0 };
	const struct memblock_region *m;

	for_each_mem_region(m)
		add_region(&last, m);
	flush_piece(&last);
}

static void show_tree(const void *arg)
{
	const struct job *job = arg;
	const struct boot_info boot = host_boot_info(treefile_load(job->file, NULL), job->tree, job->image, IMAGE_SIZE);

	if (!boot.fdt)
		exit(EXIT_FAILURE);
	host_mute();
	host_boot_cpu(1);
	if (discover_memory(&boot) || !memblock_check())
		exit(EXIT_FAILURE);
	numa_init(boot.fdt);
	print_claims();
	print_map();
	printf("dma 0x%llx\n", fdt_dma_limit(boot.fdt));
}

int main(void)
{
	static struct job job;

	while (scanf("%llx %llx %4095[^\n]", &job.image, &job.tree, job.file) == 3) {
		printf("tree %s\n", job.file);
		printf("ended %d\n", tap_in_child(show_tree, &job));
	}
	return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
