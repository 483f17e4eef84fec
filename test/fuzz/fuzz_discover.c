// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fuzz discovery: the input is a flattened device tree.
 *
 * 1. As the port's contract has it (struct boot_info), the magic is right and the size in the header is that of the
 *    buffer: both are set here. The buffer ends where the input ends, so that a read behind it is seen.
 * 2. Any tree may be refused, with a line that says why. A tree may also end the run by one of the panics in
 *    `panics`: a table is full and there is no memory for a larger one. Anything else that panics is a fault.
 * 3. Of a tree that was accepted, memblock's invariants must hold, nothing may lie past phys_limit, and every byte that
 *    is reserved must be claimed by somebody, unless a line says that the table of claims is full.
 * 4. Half of the mutations are libFuzzer's own, of bytes. The others keep the tree a tree, so that what lies behind the
 *    validation is reached at all: one property's value is mutated, a property is taken away, or a property is copied
 *    to another node, which may be a new one.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>
#include <mm/discover.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "../host/host.h"
#include "../host/machine.h"
#include "reset.h"

#define RAM_BASE   (1ULL << 30)
#define IMAGE_BASE (RAM_BASE + (2ULL << 20))
#define IMAGE_SIZE (1ULL << 20)
#define TREE_PA	   (RAM_BASE + (8ULL << 20))
#define MAX_TREE   (16U << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);

static const char *const panics[] = {
	"panic: reserved: ",
	"panic: numa: ",
	"panic: memory: ",
};

static _Noreturn void fault(const char *what)
{
	printf("%s\n%s\n", host_log(), what);
	fflush(stdout);
	abort();
}

static bool claimed(phys_addr_t base, phys_addr_t end)
{
	for (bool more = true; base < end && more;) {
		more = false;
		for (unsigned int i = 0; i < claim_count(); i++) {
			const struct mem_claim *c = claim_get(i);

			if (c->kind == CLAIM_MEMORY || c->base > base || base - c->base >= c->size)
				continue;
			base = c->base + c->size;
			more = true;
		}
	}
	return base >= end;
}

static void check_outcome(void)
{
	bool all_listed = !strstr(host_log(), " is not listed");
	struct memblock_region *r;

	if (!memblock_check())
		fault("memblock_check() failed");
	for_each_mem_region(r)
		if (r->nid == NUMA_NO_NODE || r->base + r->size > PHYS_ADDR_LIMIT)
			fault("memory without a node, or past phys_limit");
	for_each_reserved_mem_region(r)
		if (all_listed && !(r->flags & MEMBLOCK_RSRV_KERN) && !claimed(r->base, r->base + r->size))
			fault("a range is reserved that nobody claims");
}

static void discover(const void *fdt)
{
	const struct boot_info boot = host_boot_info(fdt, TREE_PA, IMAGE_BASE, IMAGE_SIZE);

	if (discover_memory(&boot)) {
		if (!*host_log())
			fault("refused without a word");
		return;
	}
	numa_init(fdt);
	fdt_dma_limit(fdt);
	fdt_bootargs(fdt);
	check_outcome();
}

static bool may_panic(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(panics); i++)
		if (strstr(host_log(), panics[i]))
			return true;
	return false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_boot();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	void *fdt;

	if (size < sizeof(struct fdt_header) || size > MAX_TREE)
		return 0;
	fdt = malloc(size);
	memcpy(fdt, data, size);
	fdt_set_magic(fdt, FDT_MAGIC);
	fdt_set_totalsize(fdt, (u32)size);
	host_unmap_all();
	if (!machine_try(discover, fdt) && !may_panic())
		fault("a panic that no tree may cause");
	free(fdt);
	return 0;
}

/* Mutations that keep the tree a tree. */

#define PROP_VALUE_MAX 256
#define PROP_NAME_MAX  32

/* A property, taken out of the tree: offsets and pointers move with every change. */
struct property {
	int node, len;
	char name[PROP_NAME_MAX];
	u8 value[PROP_VALUE_MAX];
};

static int count_nodes(const void *fdt)
{
	int nr = 0;

	for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
		nr++;
	return nr;
}

static int nth_node(const void *fdt, unsigned int n)
{
	int node = 0;

	for (n %= (unsigned int)count_nodes(fdt); n; n--)
		node = fdt_next_node(fdt, node, NULL);
	return node;
}

/* One of a node's properties. Return: whether it has any, and one that is no giant. */
static bool take_property(const void *fdt, int node, unsigned int n, struct property *taken)
{
	unsigned int nr = 0;
	const char *name;
	const void *value;
	int prop;

	fdt_for_each_property_offset(prop, fdt, node) nr++;
	if (!nr)
		return false;
	prop = fdt_first_property_offset(fdt, node);
	for (n %= nr; n; n--)
		prop = fdt_next_property_offset(fdt, prop);
	value = fdt_getprop_by_offset(fdt, prop, &name, &taken->len);
	if (!value || taken->len > PROP_VALUE_MAX || strlen(name) >= PROP_NAME_MAX)
		return false;
	taken->node = node;
	memcpy(taken->name, name, strlen(name) + 1);
	memcpy(taken->value, value, (size_t)taken->len);
	return true;
}

/* @seed decides what becomes of @p. No room for it is no error: the tree stays as it is then. */
static void change_tree(void *fdt, struct property *p, unsigned int seed)
{
	char name[PROP_NAME_MAX];
	int node;

	if (seed % 16 == 0) {
		fdt_delprop(fdt, p->node, p->name);
	} else if (seed % 4 == 0) {
		node = nth_node(fdt, seed >> 16);
		snprintf(name, sizeof(name), "n@%x", seed);
		if (seed & 16)
			node = fdt_add_subnode(fdt, node, name);
		if (node >= 0)
			fdt_setprop(fdt, node, p->name, p->value, p->len);
	} else {
		p->len = (int)LLVMFuzzerMutate(p->value, (size_t)p->len, PROP_VALUE_MAX);
		fdt_setprop(fdt, p->node, p->name, p->value, p->len);
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	static char room[MAX_TREE];
	struct property p;

	if (seed % 2 || size < sizeof(struct fdt_header) || max_size > sizeof(room) || fdt_check_full(data, size) ||
	    fdt_open_into(data, room, (int)max_size) || !take_property(room, nth_node(room, seed >> 1), seed >> 12, &p))
		return LLVMFuzzerMutate(data, size, max_size);
	change_tree(room, &p, seed / 2 * 2654435761U >> 3);
	fdt_pack(room);
	memcpy(data, room, fdt_totalsize(room));
	return fdt_totalsize(room);
}
