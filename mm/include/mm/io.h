/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of physical addresses: device registers and memory that is not the allocator's. Accessors are in <asm/io.h>.
 *
 *	function		memory type (Arm)		for
 *	ioremap()		device, nGnRE			registers
 *	ioremap_np()		device, nGnRnE			registers whose writes must not be posted
 *	ioremap_wc()		normal, not cacheable		frame buffers: writes may be gathered and reordered
 *	memremap(MEMREMAP_WB)	normal, write-back		memory; RAM of the linear map: its linear address
 *	memremap(MEMREMAP_WT)	normal, write-through		memory that a device reads
 *	memremap(MEMREMAP_WC)	normal, not cacheable		memory that is shared with a device
 *
 * Common contract: @phys and @size in bytes, of any alignment; whole pages are mapped, and what is returned corresponds
 * to @phys. Mappings are readable, writable and not executable, and work on all CPUs. Refused, with a line that names
 * the range, the caller and whom it is in conflict with (the first 20 times each), and NULL:
 *	- a size of 0; an end beyond the address space or the CPU's physical addresses;
 *	- RAM that the linear map has, for all but MEMREMAP_WB: the line says whose it is;
 *	- a page that is mapped with another memory type already (<mm/memtype.h>), by one of these, for a bus master or
 *	  by vmap(); with the same type is allowed;
 *	- when memory or address space is short.
 * Context: thread, after mm_hand_over() (before: early_ioremap()); for more than 511 pages with interrupts unmasked, or
 * it is refused. Cost: O(pages, or blocks of 2 MiB, + log mappings there are).
 */
#ifndef MM_IO_H
#define MM_IO_H

#include <lib/types.h>

#include <mm/vmalloc.h>

#include <asm/io.h>

/** ioremap() - map registers, as device nGnRE: neither gathered nor reordered, writes may be acknowledged early */
void __iomem *ioremap(phys_addr_t phys, size_t size) __must_check;

/** ioremap_np() - map registers, as device nGnRnE: a write has arrived at the device when it is complete */
void __iomem *ioremap_np(phys_addr_t phys, size_t size) __must_check;

/** ioremap_wc() - map memory of a device, not cacheable, with writes that may be combined */
void __iomem *ioremap_wc(phys_addr_t phys, size_t size) __must_check;

/**
 * iounmap() - end a mapping of the functions above
 * @addr: what one of them returned, or another address in its first page; NULL does nothing
 *
 * On return no TLB of any CPU knows it. What is no such mapping, one that has ended already, or an address further
 * inside of one is reported with what lies there, the first 20 times, and nothing happens. Context: thread.
 */
void iounmap(const volatile void __iomem *addr);

/** is_ioremap_addr() - whether @addr lies where ioremap()'s mappings do */
static inline bool is_ioremap_addr(const void *addr)
{
	return is_vmalloc_addr(addr);
}

#define MEMREMAP_WB BIT(0)
#define MEMREMAP_WT BIT(1)
#define MEMREMAP_WC BIT(2)

/**
 * memremap() - map memory without side effects
 * @flags: types that the caller can use; they are tried in the order WB, WT, WC
 *
 * MEMREMAP_WB of a range that is all RAM of the linear map is its linear address, whoever owns it; but not while its
 * owner has some of it mapped with another type, as coherent memory of a bus master that does not see caches is. RAM is
 * refused for the other types, and so is a range that is RAM in part.
 */
void *memremap(phys_addr_t phys, size_t size, unsigned long flags) __must_check;

/**
 * memunmap() - end what memremap() returned; a linear address and NULL need nothing. What is wrong is reported as by
 * iounmap().
 */
void memunmap(const void *addr);

/**
 * early_ioremap() - ioremap() before hand-over, through the fixmap
 *
 * There are EARLY_SLOTS mappings of EARLY_SLOT_PAGES pages each at most. For a look at registers: one that is not ended
 * by the time that mm_hand_over() returns is named in the log as a leak, and stays. Context: the boot CPU, before
 * hand-over is done. Return: NULL after a line, for the reasons above, when all slots are in use, and later than that.
 */
void __iomem *early_ioremap(phys_addr_t phys, size_t size) __must_check;

/**
 * early_iounmap() - end it. @addr and @size: as returned and asked for; else a line says what is there, and nothing
 * happens.
 */
void early_iounmap(const volatile void __iomem *addr, size_t size);

#endif
