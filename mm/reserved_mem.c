// SPDX-License-Identifier: BSD-2-Clause
/*
 * The properties of /reserved-memory nodes.
 *
 * 1. Nothing is stored: a claim knows its node, and the node its properties.
 * 2. no-map and reusable exclude each other, and no-map holds: memory that may not be mapped cannot be lent out.
 * 3. linux,cma-default means something only on a reusable shared-dma-pool; the first in the tree has it.
 * 4. A `compatible` that is neither pool is kept by name, for the driver that knows it.
 */
#include <mm/reserved_mem.h>

#include <lib/printk.h>
#include <libfdt.h>

#define DEFAULT_POOL (RMEM_SHARED_POOL | RMEM_REUSABLE | RMEM_CMA_DEFAULT)

static bool has(const void *fdt, int node, const char *name)
{
	return fdt_getprop(fdt, node, name, NULL);
}

/* What the node says, contradictions included. */
static u32 raw_flags(const void *fdt, int node)
{
	u32 flags = 0;

	flags |= has(fdt, node, "no-map") ? RMEM_NOMAP : 0;
	flags |= has(fdt, node, "reusable") ? RMEM_REUSABLE : 0;
	flags |= has(fdt, node, "linux,cma-default") ? RMEM_CMA_DEFAULT : 0;
	flags |= !fdt_node_check_compatible(fdt, node, "shared-dma-pool") ? RMEM_SHARED_POOL : 0;
	flags |= !fdt_node_check_compatible(fdt, node, "restricted-dma-pool") ? RMEM_RESTRICTED_POOL : 0;
	return flags;
}

static u32 resolve(u32 flags)
{
	if (flags & RMEM_NOMAP)
		flags &= ~RMEM_REUSABLE;
	if ((flags & DEFAULT_POOL) != DEFAULT_POOL)
		flags &= ~RMEM_CMA_DEFAULT;
	return flags;
}

bool reserved_mem_is_cma(const void *fdt, int node)
{
	u32 need = RMEM_SHARED_POOL | RMEM_REUSABLE;

	return (resolve(raw_flags(fdt, node)) & need) == need;
}

/* Nothing else that is reserved or no-map has a node. */
static bool is_rmem(const struct mem_claim *claim)
{
	return claim->node >= 0 &&
	       (claim->kind == CLAIM_RESERVED || claim->kind == CLAIM_NOMAP || claim->kind == CLAIM_CMA);
}

/* Whether a pool before claim @end is the default one. */
static bool default_before(const void *fdt, unsigned int end)
{
	for (unsigned int i = 0; i < end; i++) {
		const struct mem_claim *c = claim_get(i);

		if (is_rmem(c) && (resolve(raw_flags(fdt, c->node)) & RMEM_CMA_DEFAULT))
			return true;
	}
	return false;
}

static u32 final_flags(const void *fdt, unsigned int i)
{
	u32 flags = resolve(raw_flags(fdt, claim_get(i)->node));

	if ((flags & RMEM_CMA_DEFAULT) && default_before(fdt, i))
		flags &= ~RMEM_CMA_DEFAULT;
	return flags;
}

bool reserved_mem_next(const void *fdt, unsigned int *i, struct reserved_mem *rmem)
{
	while (*i < claim_count() && !is_rmem(claim_get(*i)))
		++*i;
	if (*i == claim_count())
		return false;
	rmem->claim = claim_get(*i);
	rmem->compatible = fdt_stringlist_get(fdt, rmem->claim->node, "compatible", 0, NULL);
	rmem->flags = final_flags(fdt, *i);
	++*i;
	return true;
}

static void report_contradictions(const char *name, u32 raw, u32 flags)
{
	if ((raw ^ flags) & RMEM_REUSABLE)
		printk("reserved: %s: no-map and reusable exclude each other: no-map holds\n", name);
	if (!((raw ^ flags) & RMEM_CMA_DEFAULT))
		return;
	if (resolve(raw) & RMEM_CMA_DEFAULT)
		printk("reserved: %s: linux,cma-default: an earlier pool is the default already: ignored\n", name);
	else
		printk("reserved: %s: linux,cma-default is for a reusable shared-dma-pool: ignored\n", name);
}

void reserved_mem_report(const void *fdt)
{
	struct reserved_mem rmem;
	char name[128];

	for (unsigned int i = 0; reserved_mem_next(fdt, &i, &rmem);) {
		claim_name(rmem.claim, name, sizeof(name));
		report_contradictions(name, raw_flags(fdt, rmem.claim->node), rmem.flags);
		if (!rmem.compatible && !(rmem.flags & RMEM_REUSABLE))
			continue;
		printk("reserved: %s: %s%s%s%s\n", name, rmem.compatible ? rmem.compatible : "no compatible",
		       rmem.flags & RMEM_NOMAP ? ", no-map" : "", rmem.flags & RMEM_REUSABLE ? ", reusable" : "",
		       rmem.flags & RMEM_CMA_DEFAULT ? ", default pool" : "");
	}
}
