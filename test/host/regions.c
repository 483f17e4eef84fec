// SPDX-License-Identifier: BSD-2-Clause
/* What memblock's arrays hold. */
#include "regions.h"

#include "tap.h"

void check_regions(const char *file, int line, const struct memblock_type *type, const struct memblock_region *want,
		   unsigned long n)
{
	phys_addr_t total = 0;

	if (!memblock_check())
		tap_fail(file, line, "memblock_check() failed");
	for (unsigned long i = 0; i < n && i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i], *w = &want[i];

		if (r->base != w->base || r->size != w->size || r->flags != w->flags || r->nid != w->nid)
			tap_fail(file, line,
				 "%s[%lu] is %#llx + %#llx flags %#x nid %d, not %#llx + %#llx flags %#x nid %d",
				 type->name, i, r->base, r->size, (unsigned int)r->flags, r->nid, w->base, w->size,
				 (unsigned int)w->flags, w->nid);
		total += r->size;
	}
	if (type->cnt != n || type->total_size != total)
		tap_fail(file, line, "%s has %lu regions of %#llx bytes, not %lu of %#llx", type->name, type->cnt,
			 type->total_size, n, total);
}
