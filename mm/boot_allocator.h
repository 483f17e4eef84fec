/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which allocator gives boot its memory: memblock, or with CONFIG_BOOTMEM the bitmaps of bootmem_boot.c.
 *
 * Either way memblock is what discovery fills, what serves until the nodes are known, and what can be asked where
 * memory is and what is reserved, before boot_alloc_open() and after boot_alloc_close(). All of it: the boot CPU alone.
 */
#ifndef MM_BOOT_ALLOCATOR_H
#define MM_BOOT_ALLOCATOR_H

#include <lib/types.h>

#include <mm/memblock.h>

#include "internal.h"

#ifdef CONFIG_BOOTMEM

#include "bootmem_boot.h"

/** boot_alloc_open() - nodes are known and the linear map is up */
static inline void boot_alloc_open(void)
{
	bootmem_open();
}

/** boot_alloc_close() - what was given is in memblock's reserved array again; further places come from memblock */
static inline void boot_alloc_close(void)
{
	bootmem_close();
}

/** boot_alloc_place() - memory as it is, @nid or any other node; 0 when there is none */
static inline phys_addr_t boot_alloc_place(phys_addr_t size, phys_addr_t align, int nid)
{
	return bootmem_place(size, align, nid);
}

/** boot_alloc_exact() - the same, of @nid or none; bootmem cannot be asked for that: 0 */
static inline phys_addr_t boot_alloc_exact(phys_addr_t size, phys_addr_t align, int nid)
{
	(void)size;
	(void)align;
	(void)nid;
	return 0;
}

/** boot_free_all() - hand all that is free to the page allocator. Return: pages. */
static inline unsigned long boot_free_all(void)
{
	return bootmem_hand_over();
}

#else

static inline void boot_alloc_open(void)
{
}

static inline void boot_alloc_close(void)
{
}

static inline phys_addr_t boot_alloc_place(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_phys_alloc_try_nid(size, align, nid);
}

static inline phys_addr_t boot_alloc_exact(phys_addr_t size, phys_addr_t align, int nid)
{
	return memblock_alloc_range_nid(size, align, MEMBLOCK_LOW_LIMIT, MEMBLOCK_ALLOC_ACCESSIBLE, nid, true);
}

static inline unsigned long boot_free_all(void)
{
	return memblock_free_all();
}

#endif

#endif
