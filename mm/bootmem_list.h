/* SPDX-License-Identifier: BSD-2-Clause */
/* What bootmem's files share: the bitmaps in the order of addresses. */
#ifndef MM_BOOTMEM_LIST_H
#define MM_BOOTMEM_LIST_H

#include <mm/bootmem.h>

/* struct bootmem_data by rising node_min_pfn. */
extern struct list_head bdata_list;

#endif
