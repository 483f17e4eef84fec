// SPDX-License-Identifier: BSD-2-Clause
/*
 * Claims: who said what about which range of physical memory.
 *
 * 1. memblock knows what is reserved; this table knows by whom and why. It is written in the order of discovery, then
 *    of boot allocation, and only read after hand-over.
 * 2. The names are not stored: a claim by the tree keeps its node's offset, and the path is asked of the tree when it
 *    is printed; the tree stays reserved and mapped.
 * 3. The first FIRST_CLAIMS fit into a static table; when full it doubles, in memory from memblock, and that memory is
 *    claimed too. An outgrown table stays where it is: together they are less than the last one.
 * 4. boot_phys_alloc() and boot_phys_try_exact() are the ways in which mm takes memory before hand-over: they allocate,
 *    from whichever allocator boot_allocator.h has, and they claim.
 */
#include "internal.h"

#include <lib/printk.h>
#include <libfdt.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>
#include <stdio.h>
#include <string.h>

#include "boot_allocator.h"

#define FIRST_CLAIMS 64

struct claim_entry {
	struct mem_claim claim;
	phys_addr_t owned; /* the account's */
};

static struct claim_entry first_claims[FIRST_CLAIMS];
static struct claim_entry *claims = first_claims;
static unsigned int nr_claims, max_claims = FIRST_CLAIMS;
static const void *claim_fdt;

void claims_set_fdt(const void *fdt)
{
	claim_fdt = fdt;
}

const void *claims_fdt(void)
{
	return claim_fdt;
}

/* Claims are of one kind of our own and lie behind one another: page tables, say, taken one at a time. */
static bool extends_last(const struct mem_claim *claim)
{
	const struct mem_claim *last = &claims[nr_claims - 1].claim;

	return nr_claims && claim->kind == CLAIM_METADATA && last->kind == CLAIM_METADATA &&
	       last->name == claim->name && last->nid == claim->nid &&
	       (claim->base + claim->size == last->base || last->base + last->size == claim->base);
}

static bool grow(void)
{
	phys_addr_t size = ALIGN(2UL * max_claims * sizeof(*claims), PAGE_SIZE);
	phys_addr_t place = boot_alloc_place(size, PAGE_SIZE, NUMA_NO_NODE);
	struct claim_entry *larger = place ? arch_boot_va(place, size) : NULL;

	if (!larger)
		return false;
	memcpy(larger, claims, nr_claims * sizeof(*claims));
	claims = larger;
	max_claims = (unsigned int)(size / sizeof(*claims));
	claims[nr_claims++].claim = (struct mem_claim){ place, size, CLAIM_METADATA, -1, NUMA_NO_NODE, "claims", -1 };
	return true;
}

void claim_add(const struct mem_claim *claim)
{
	char name[128];

	if (extends_last(claim)) {
		claims[nr_claims - 1].claim.base = min(claims[nr_claims - 1].claim.base, claim->base);
		claims[nr_claims - 1].claim.size += claim->size;
		return;
	}
	if (nr_claims == max_claims && !grow()) {
		printk("claims: %u of %u in use, no memory to grow: [mem 0x%016llx-0x%016llx] of %s is not listed\n",
		       nr_claims, max_claims, claim->base, claim->base + claim->size - 1,
		       claim_name(claim, name, sizeof(name)));
		return;
	}
	claims[nr_claims++].claim = *claim;
}

phys_addr_t claim_metadata_bytes(const char *name)
{
	phys_addr_t bytes = 0;

	for (unsigned int i = 0; i < nr_claims; i++)
		if (claims[i].claim.kind == CLAIM_METADATA && !strcmp(claims[i].claim.name, name))
			bytes += claims[i].claim.size;
	return bytes;
}

unsigned int claim_count(void)
{
	return nr_claims;
}

const struct mem_claim *claim_get(unsigned int i)
{
	return &claims[i].claim;
}

const struct mem_claim *claim_next(unsigned int *i, phys_addr_t base, phys_addr_t size, unsigned int kinds)
{
	while (*i < nr_claims) {
		const struct mem_claim *c = &claims[(*i)++].claim;

		if ((kinds & CLAIM_BIT(c->kind)) && c->base < base + size && base < c->base + c->size)
			return c;
	}
	return NULL;
}

const struct mem_claim *claim_find(phys_addr_t base, phys_addr_t size, unsigned int kinds)
{
	unsigned int first = 0;

	return claim_next(&first, base, size, kinds);
}

void claim_lend(phys_addr_t base, phys_addr_t size)
{
	for (unsigned int i = 0; i < nr_claims; i++) {
		struct mem_claim *c = &claims[i].claim;

		if (c->kind == CLAIM_RESERVED && c->base == base && c->size == size)
			c->kind = CLAIM_CMA;
	}
}

void claim_own(const struct mem_claim *claim, phys_addr_t bytes)
{
	container_of(claim, struct claim_entry, claim)->owned = bytes;
}

phys_addr_t claim_owned(const struct mem_claim *claim)
{
	return container_of(claim, struct claim_entry, claim)->owned;
}

const char *claim_name(const struct mem_claim *claim, char *buf, size_t size)
{
	if (claim->node >= 0) {
		if (fdt_get_path(claim_fdt, claim->node, buf, (int)size) < 0)
			snprintf(buf, size, "tree node at offset %d", claim->node);
	} else if (claim->index >= 0) {
		snprintf(buf, size, "%s %d", claim->name, claim->index);
	} else {
		snprintf(buf, size, "%s", claim->name);
	}
	return buf;
}

static phys_addr_t largest_free_range(void)
{
	phys_addr_t start, end, largest = 0;
	u64 i;

	for_each_free_mem_range(i, NUMA_NO_NODE, MEMBLOCK_NONE, &start, &end, NULL)
		largest = max(largest, end - start);
	return largest;
}

static _Noreturn void panic_out_of_memory(phys_addr_t size, phys_addr_t align, int nid, const char *what)
{
	/* From here on memblock's numbers are those of whoever allocated. */
	boot_alloc_close();
	panic("out of memory at boot: %llu bytes aligned to %llu for %s (node %d): largest free range %llu bytes, "
	      "%llu of %llu bytes reserved",
	      size, align, what, nid, largest_free_range(), memblock_reserved_size(), memblock_phys_mem_size());
}

phys_addr_t boot_phys_alloc(phys_addr_t size, phys_addr_t align, int nid, const char *what)
{
	phys_addr_t place = boot_alloc_place(size, align, nid);

	if (!place)
		panic_out_of_memory(size, align, nid, what);
	/* The node that served need not be the one that was asked. */
	nid = memblock_search(&memblock.memory, place)->nid;
	claim_add(&(struct mem_claim){ place, size, CLAIM_METADATA, -1, nid, what, -1 });
	return place;
}

phys_addr_t boot_phys_try_exact(phys_addr_t size, phys_addr_t align, int nid, const char *what)
{
	phys_addr_t place = boot_alloc_exact(size, align, nid);

	if (place)
		claim_add(&(struct mem_claim){ place, size, CLAIM_METADATA, -1, nid, what, -1 });
	return place;
}

/* An array that lies in memory which was left out since takes nothing of what remains. */
static void claim_array(const struct memblock_type *type, const char *what)
{
	phys_addr_t size = ALIGN(type->max * sizeof(*type->regions), PAGE_SIZE);
	const struct memblock_region *home = type->place ? memblock_search(&memblock.memory, type->place) : NULL;

	if (home)
		claim_add(&(struct mem_claim){ type->place, size, CLAIM_METADATA, -1, home->nid, what, -1 });
}

void claims_add_arrays(void)
{
	claim_array(&memblock.memory, "memblock memory array");
	claim_array(&memblock.reserved, "memblock reserved array");
	claim_array(&physmem, "memblock physmem array");
}

void *boot_alloc(phys_addr_t size, phys_addr_t align, int nid, const char *what)
{
	phys_addr_t place = boot_phys_alloc(size, align, nid, what);
	void *va = arch_boot_va(place, size);

	if (!va)
		panic("no virtual space at boot for %llu bytes of %s", size, what);
	return memset(va, 0, size);
}
