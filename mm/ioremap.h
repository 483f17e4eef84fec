/* SPDX-License-Identifier: BSD-2-Clause */
/* What ioremap.c, early_ioremap.c and iomem_init.c share. */
#ifndef MM_IOREMAP_H
#define MM_IOREMAP_H

#include <mm/memtype.h>

/**
 * ioremap_refused() - whether @range must not be mapped: no range, out of reach, or RAM of the linear map
 * @range: what is asked for; its name and caller are those that the line says
 *
 * Return: true after a line that says why.
 */
bool ioremap_refused(const struct memtype_range *range);

/** early_ioremap_end() - early mappings are over: name those that were not ended. Context: boot, once. */
void early_ioremap_end(void);

/**
 * iomem_init() - the resource tree: RAM, whose its parts are, and devices that are mapped. Context: boot, after slabs.
 */
void iomem_init(void);

#endif
