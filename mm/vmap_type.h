/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory types of vmap() and vm_map_ram(): what vmap_type.c does for vmalloc.c. */
#ifndef MM_VMAP_TYPE_H
#define MM_VMAP_TYPE_H

#include "memtype_mapping.h"

struct page;

/**
 * vmap_type_hold() - before @count pages are mapped: refuse what is in conflict, hold what is to be held
 * @name: who maps them, @caller: for whom
 * @mapping: set to what vmap_type_mapped() takes: what is held, or NULL for nothing
 *
 * Context: thread. Cost: O(count). Return: false, after a line, when @prot is none, a page has another type, or memory
 * is short.
 */
bool vmap_type_hold(struct page **pages, unsigned int count, u64 prot, const char *name, const void *caller,
		    struct memtype_mapping **mapping);

/** vmap_type_mapped() - they are mapped at @va; NULL: they are not. Nothing for a @mapping of NULL. */
void vmap_type_mapped(struct memtype_mapping *mapping, const void *va);

/**
 * vmap_type_take() - what is held for the mapping at @va, which is about to end; NULL when nothing is
 *
 * Context: any; whose the mapping is to end, while nobody else can have the address.
 */
struct memtype_mapping *vmap_type_take(const void *va);

/** vmap_type_end() - @mapping, NULL for none, has been unmapped: tell all TLBs, and drop it. Context: any. */
void vmap_type_end(struct memtype_mapping *mapping);

#endif
