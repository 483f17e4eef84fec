/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Discovery: what the device tree says of memory, entered into memblock, and who claimed which range.
 *
 * Bad input never stops discovery unless no memory is left: the offending entry is left out or clipped, and one line
 * says what was wrong, where in the tree, and what was done.
 *
 * Source: Devicetree Specification 0.4, sections 3.4 (/memory), 3.5 (/reserved-memory), 5.3 (memory reservation block);
 * 2.3.5 (#address-cells and #size-cells), 2.3.9 (dma-ranges).
 */
#ifndef MM_DISCOVER_H
#define MM_DISCOVER_H

#include <lib/types.h>

/**
 * struct boot_info - what the port knows when it calls mm_init()
 * @fdt: the device tree, mapped; already known to have a right magic and a plausible size
 * @fdt_pa: where it lies
 * @image_base: (page aligned) where the image lies
 * @image_rodata: end of its text, start of its read-only data
 * @image_data: end of its read-only data, start of its data
 * @image_end: its end, bss included
 * @phys_limit: one past the last physical address that this CPU and the linear map can reach
 */
struct boot_info {
	const void *fdt;
	phys_addr_t fdt_pa;
	phys_addr_t image_base;
	phys_addr_t image_rodata;
	phys_addr_t image_data;
	phys_addr_t image_end;
	phys_addr_t phys_limit;
};

/**
 * fdt_fault() - prove a tree as a whole before anything in it is believed; asked again of the same tree, it knows
 *
 * Context: boot only; the tree does not change from here on. Cost: O(size of the tree), once.
 * Return: NULL, or what is wrong with it.
 */
const char *fdt_fault(const void *fdt);

/**
 * discover_memory() - enter all that the tree says of memory into memblock
 *
 * In order: memory banks (clipped to phys_limit, overlaps merged), the limits of linux,usable-memory-range, mem= and
 * memmap=, then the image, the tree, /memreserve/,
 * /reserved-memory (no-map ranges leave the mapped memory; dynamic `size` nodes are placed), the initrd, the crash
 * kernel's header (linux,elfcorehdr), memmap=SIZE$ADDRESS. Every range is
 * recorded as a claim. Context: boot only.
 * Return: 0; -EINVAL (with a line) when the tree is not valid as a whole; -ENOENT (with a line) when it has no usable
 * memory.
 */
int discover_memory(const struct boot_info *boot);

/**
 * fdt_dma_limit() - how far the most limited bus master reaches
 *
 * Return: one past the highest CPU address that every bus with dma-ranges reaches; 0 when no bus limits its masters.
 */
phys_addr_t fdt_dma_limit(const void *fdt);

/**
 * fdt_dma_each() - every enabled bus whose dma-ranges limit its masters
 * @fn: gets the bus's node and the last CPU address that they reach
 *
 * Cost: O(size of the tree).
 */
void fdt_dma_each(const void *fdt, void (*fn)(const void *fdt, int node, phys_addr_t last, void *arg), void *arg);

/**
 * fdt_dma_reach() - how far the bus master @node reaches
 *
 * The dma-ranges of the nearest bus above it decide, translated through those further up. Cost: O(size of the tree).
 * Return: one past the last CPU address; 0 when nothing limits it.
 */
phys_addr_t fdt_dma_reach(const void *fdt, int node);

/**
 * struct dma_window - addresses of a bus that are addresses of memory
 * @bus: the first, as a master on the bus sees it
 * @first: the same, as the CPU sees it
 * @last: the last, as the CPU sees it
 */
struct dma_window {
	u64 bus;
	phys_addr_t first, last;
};

/**
 * fdt_dma_windows() - what the bus master @node reaches, through the dma-ranges of all buses above it
 * @windows: filled in the order of the tree; they do not overlap on the bus
 * @max_windows: room; what there is more has a line, and is not used
 *
 * A master that no bus translates has one window, of all addresses. Cost: O(size of the tree).
 * Return: how many, 0 when the buses pass nothing; -EINVAL when some dma-ranges above it cannot be read; -E2BIG when it
 * lies below more than 31 buses.
 */
int fdt_dma_windows(const void *fdt, int node, struct dma_window *windows, int max_windows);

/** fdt_bootargs() - /chosen/bootargs, or "" */
const char *fdt_bootargs(const void *fdt);

/** enum claim_kind - why a range is listed */
enum claim_kind {
	CLAIM_MEMORY,	/* the tree says it is RAM */
	CLAIM_RESERVED, /* somebody before us uses it */
	CLAIM_NOMAP,	/* the same, and it must not be mapped */
	CLAIM_LEFT_OUT, /* memory that /chosen or the boot arguments keep us from */
	CLAIM_METADATA, /* taken by our own boot allocations */
	CLAIM_CMA,	/* a CMA area: reserved until hand-over, the page allocator's since */
};

/**
 * struct mem_claim - a range of physical memory and who claimed it
 * @base: first byte
 * @size: bytes
 * @kind: why
 * @node: offset of the tree's node that claims it, -1 when none does
 * @nid: (memory, metadata) its node
 * @name: who, when it is no node of the tree; used together with @index when that is >= 0
 * @index: which of several, -1 when there is one
 */
struct mem_claim {
	phys_addr_t base;
	phys_addr_t size;
	enum claim_kind kind;
	int node;
	int nid;
	const char *name;
	int index;
};

/** claim_add() - record a claim. Context: boot only. When the table cannot grow, a line says so and it is dropped. */
void claim_add(const struct mem_claim *claim);

/** claim_count(), claim_get() - the claims, in the order of recording */
unsigned int claim_count(void);
const struct mem_claim *claim_get(unsigned int i);

/** claim_metadata_bytes() - what our own boot allocations of kind @name took. Cost: O(claims). */
phys_addr_t claim_metadata_bytes(const char *name);

/** claim_name() - who made @claim, in words: a tree path, "/memreserve/ 3", "image text", ... Return: @buf. */
const char *claim_name(const struct mem_claim *claim, char *buf, size_t size);

/**
 * boot_phys_alloc() - memory for our own structures, from the boot allocator, listed as metadata of kind @what
 * @nid: node, or NUMA_NO_NODE
 *
 * Return: its physical address; panics with size, node and largest free range when there is none.
 */
phys_addr_t boot_phys_alloc(phys_addr_t size, phys_addr_t align, int nid, const char *what);

/** boot_phys_try_exact() - boot_phys_alloc() from @nid and no other node; 0 when it has no such piece */
phys_addr_t boot_phys_try_exact(phys_addr_t size, phys_addr_t align, int nid, const char *what);

/** boot_alloc() - boot_phys_alloc(), mapped and zeroed */
void *boot_alloc(phys_addr_t size, phys_addr_t align, int nid, const char *what);

#endif
