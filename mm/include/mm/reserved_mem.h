/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the nodes of /reserved-memory say besides where they are.
 *
 * Source: Devicetree Specification 0.4, 3.5; bindings reserved-memory, shared-dma-pool.
 */
#ifndef MM_RESERVED_MEM_H
#define MM_RESERVED_MEM_H

#include <mm/discover.h>

/**
 * DOC: flags of reserved memory
 *
 * RMEM_NOMAP: never mapped. RMEM_REUSABLE: the page allocator may lend it out until its driver asks for it.
 * RMEM_CMA_DEFAULT: the pool for whoever names none. RMEM_SHARED_POOL, RMEM_RESTRICTED_POOL: its `compatible` is
 * shared-dma-pool, restricted-dma-pool.
 */
#define RMEM_NOMAP	     (1u << 0)
#define RMEM_REUSABLE	     (1u << 1)
#define RMEM_CMA_DEFAULT     (1u << 2)
#define RMEM_SHARED_POOL     (1u << 3)
#define RMEM_RESTRICTED_POOL (1u << 4)

/**
 * struct reserved_mem - one range of a node of /reserved-memory
 * @claim: where it is
 * @compatible: the first string of its `compatible`, NULL without one
 * @flags: RMEM_ flags, contradictions resolved
 */
struct reserved_mem {
	const struct mem_claim *claim;
	const char *compatible;
	u32 flags;
};

/**
 * reserved_mem_next() - the next range that a node of /reserved-memory claimed
 * @i: cursor, 0 to begin with
 *
 * Return: false when there is none. Context: any, after discovery. Cost: O(properties of a node).
 */
bool reserved_mem_next(const void *fdt, unsigned int *i, struct reserved_mem *rmem);

/** reserved_mem_is_cma() - whether the node of /reserved-memory at offset @node is to be a CMA area (<mm/cma.h>) */
bool reserved_mem_is_cma(const void *fdt, int node);

/** reserved_mem_report() - one line for each range that is more than reserved, and for each contradiction; boot only */
void reserved_mem_report(const void *fdt);

#endif
