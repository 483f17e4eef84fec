/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot on bootmem's bitmaps, from memblock and back to it; see boot_allocator.h for who calls what, and bootmem_boot.c.
 */
#ifndef MM_BOOTMEM_BOOT_H
#define MM_BOOTMEM_BOOT_H

#include <lib/types.h>

/**
 * bootmem_open() - a bitmap for each node with memory, in which is free what is free in memblock
 *
 * Context: nodes are known, the linear map is up. Panics, naming node and range, when there is no place for a bitmap.
 */
void bootmem_open(void);

/** bootmem_place() - memory from the bitmaps while they are open, from memblock else; as it is. Return: 0 for none. */
phys_addr_t bootmem_place(phys_addr_t size, phys_addr_t align, int nid);

/**
 * bootmem_close() - tell memblock's reserved array what the bitmaps gave: the metadata that is claimed. May be
 * repeated.
 */
void bootmem_close(void);

/** bootmem_hand_over() - count what is kept, free_all_bootmem(). Context: closed. Return: pages handed over. */
unsigned long bootmem_hand_over(void);

#endif
