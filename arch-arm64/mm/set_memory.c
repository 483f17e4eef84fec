/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights of mapped memory, as bits of table entries (contract: <asm/set_memory.h>).
 *
 * 1. Tables of the linear map are split and merged for whoever owns a page in the same block: who looks holds them.
 * 2. The image's text and constants have a second address in the linear map, read-only: it stays so, or what is
 *    executed could be written after all. The first one is no linear address and never gets here. Pages of vmalloc()
 *    have a second address, too: that both agree is seen to by who calls (mm/vmap_rights.c).
 * 3. Whether something would be writable and executable is asked under pt_mutex, which all changes of rights take: what
 *    was seen stays true until it is changed. Of pages that are switched off, too: their rights come back with them.
 */
#include <errno.h>

#include <lib/mutex.h>

#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/set_memory.h>

#include "../../mm/vmap.h"

static const struct {
	u64 set, clear;
} changes[] = {
	[RIGHTS_RO] = { PTE_RDONLY, 0 }, [RIGHTS_RW] = { 0, PTE_RDONLY },   [RIGHTS_NX] = { PTE_PXN, 0 },
	[RIGHTS_X] = { 0, PTE_PXN },	 [RIGHTS_VALID] = { PTE_VALID, 0 }, [RIGHTS_INVALID] = { 0, PTE_VALID },
};

void arch_query_mapping(unsigned long va, struct arch_mapping *mapping)
{
	unsigned long flags = pt_hold_tables();
	struct pt_unit unit;

	pt_query(va, &unit);
	pt_release_tables(flags);
	*mapping = (struct arch_mapping){ .start = unit.va, .end = unit.va + unit.size, .mapped = unit.entry };
	if (!unit.entry)
		return;
	mapping->valid = unit.entry & PTE_VALID;
	mapping->writable = !(unit.entry & PTE_RDONLY);
	mapping->executable = !(unit.entry & PTE_PXN);
}

static bool is_image(unsigned long va, unsigned long size)
{
	unsigned long text = (unsigned long)__va(kimage_pa(_text)), end = (unsigned long)__va(kimage_pa(__rodata_end));

	return va < end && text < va + size;
}

int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights)
{
	int err;

	if (is_image(va, size))
		return -EPERM;
	mutex_lock(&pt_mutex);
	err = set_memory_check(va, va + size, rights);
	if (!err)
		err = pt_protect_range(va, size, changes[rights].set, changes[rights].clear);
	mutex_unlock(&pt_mutex);
	return err;
}
