/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of the kernel's half of the virtual address space: 48 bits, 4 KiB pages, all through TTBR1_EL1.
 *
 *	0xffff000000000000  linear map   240 TiB  virtual = physical | LINEAR_START
 *	0xfffff00000000000  vmalloc        8 TiB  the last 2 TiB for large physical ranges, from VMAP_PHYS_START on
 *	0xfffff80000000000  vmemmap        4 TiB  one struct page (64 bytes) for each of 2^36 page frames
 *	0xfffffd0000000000  stacks         2 MiB  a slot of 32 KiB per CPU: guard below, stack above
 *	0xffffff8000000000  image        510 GiB  of which it takes 8 MiB at most: text, read-only data, data
 *	0xffffffffe0000000  fixmap        10 MiB  windows with a table each, see below
 *
 * 1. What lies between is never mapped, so each part has unmapped neighbours.
 * 2. A stack slot is aligned to its size and the stack is its upper half, so bit STACK_SHIFT of SP is set on a good
 *    stack and clear in the guard: exception entry tests that one bit.
 * 3. The fixmap's windows have static tables (<asm/pgtable.h>), so they work before there is an allocator.
 * 4. The parts keep to whole entries of the top table (512 GiB) but for the image and the fixmap, which share the last.
 *
 * 5. The image is linked at KIMAGE_VADDR and mapped there or, with CONFIG_RANDOMIZE_BASE, in another slot: a multiple
 *    of 2 MiB in one of KIMAGE_GIBS GiB, so that all of it lies below one table of level 2 wherever it ends. A GiB
 *    stays free in front of the fixmap's.
 *
 * This file is included by C, assembly and the linker script.
 */
#ifndef ASM_LAYOUT_H
#define ASM_LAYOUT_H

#include <asm/const.h>

#define LINEAR_START UL(0xffff000000000000)
#define LINEAR_END   UL(0xfffff00000000000)

#define VMALLOC_START UL(0xfffff00000000000)
#define VMALLOC_END   UL(0xfffff80000000000)

#define VMAP_PHYS_START UL(0xfffff60000000000)

#define VMEMMAP_START UL(0xfffff80000000000)
#define VMEMMAP_END   UL(0xfffffc0000000000)

#define STACK_SHIFT	      14
#define STACK_SIZE	      (UL(1) << STACK_SHIFT)
#define STACK_SLOT_SIZE	      (2 * STACK_SIZE)
#define STACKS_START	      UL(0xfffffd0000000000)
#define STACKS_MAX	      64
#define STACKS_END	      (STACKS_START + STACKS_MAX * STACK_SLOT_SIZE)
#define STACK_SLOT(cpu)	      (STACKS_START + (cpu)*STACK_SLOT_SIZE)
#define STACK_BASE(cpu)	      (STACK_SLOT(cpu) + STACK_SIZE)
#define STACK_TOP(cpu)	      (STACK_SLOT(cpu) + STACK_SLOT_SIZE)
#define STACK_INITIAL_SP(cpu) (STACK_TOP(cpu) - 16) /* STACK_TOP itself has bit STACK_SHIFT clear */

#define KIMAGE_VADDR	UL(0xffffff8000000000)
#define KIMAGE_SIZE_MAX UL(0x800000)

#define KIMAGE_GIB	     UL(0x40000000)
#define KIMAGE_GIBS	     UL(510)
#define KIMAGE_SLOT_SIZE     UL(0x200000)
#define KIMAGE_SLOTS_PER_GIB ((KIMAGE_GIB - KIMAGE_SIZE_MAX) / KIMAGE_SLOT_SIZE + 1)
#define KIMAGE_SLOTS	     (KIMAGE_GIBS * KIMAGE_SLOTS_PER_GIB)
#define KIMAGE_END	     (KIMAGE_VADDR + KIMAGE_GIBS * KIMAGE_GIB)

#define FIXMAP_WINDOW	 UL(0x200000)
#define FIXMAP_START	 UL(0xffffffffe0000000)
#define FIX_FDT_START	 FIXMAP_START /* device tree: two blocks of 2 MiB, read-only */
#define FIX_FDT_SIZE	 (2 * FIXMAP_WINDOW)
#define FIX_SLOT_START	 (FIX_FDT_START + FIX_FDT_SIZE)	    /* single pages */
#define FIX_DEVICE_START (FIX_SLOT_START + FIXMAP_WINDOW)   /* device registers */
#define FIX_BOOT_START	 (FIX_DEVICE_START + FIXMAP_WINDOW) /* arch_boot_va() */
#define FIXMAP_END	 (FIX_BOOT_START + FIXMAP_WINDOW)

/*
 * Single pages: what the early console looks at, one page through which a table of each level is reached, one through
 * which text is changed, one through which tables are while the machine runs.
 */
#define FIX_EARLY_UART	 FIX_SLOT_START
#define FIX_TABLE(level) (FIX_SLOT_START + (1 + (level)) * PAGE_SIZE)
#define FIX_TEXT	 (FIX_SLOT_START + 5 * PAGE_SIZE)
#define FIX_ALIAS	 (FIX_SLOT_START + 6 * PAGE_SIZE)

/* Behind them: early_ioremap(). */
#define EARLY_SLOTS	 7
#define EARLY_SLOT_PAGES 64
#define FIX_EARLY(slot)	 (FIX_SLOT_START + (1 + (slot)) * EARLY_SLOT_PAGES * PAGE_SIZE)

#ifndef __ASSEMBLER__

#define LAYOUT_TOP_ENTRY(va) (((va) >> 39) & 511)

_Static_assert(LINEAR_END <= VMALLOC_START && VMALLOC_END <= VMEMMAP_START && VMEMMAP_END <= STACKS_START &&
		       STACKS_END <= KIMAGE_VADDR && KIMAGE_END <= FIXMAP_START && FIXMAP_START < FIXMAP_END,
	       "the parts of the address space are in order and apart");
_Static_assert(VMEMMAP_END - VMEMMAP_START == (UL(1) << (48 - PAGE_SHIFT)) * 64,
	       "vmemmap has a struct page of 64 bytes for each frame of a 48-bit physical address space");
_Static_assert(STACKS_START % STACK_SLOT_SIZE == 0, "bit STACK_SHIFT tells a stack from its guard");
_Static_assert(CONFIG_NR_CPUS <= STACKS_MAX && STACKS_MAX * STACK_SLOT_SIZE == UL(0x200000),
	       "one table of level 3 maps the stacks of all CPUs");
_Static_assert(KIMAGE_VADDR % KIMAGE_GIB == 0 && KIMAGE_SIZE_MAX % KIMAGE_SLOT_SIZE == 0 &&
		       FIXMAP_START % UL(0x40000000) + (FIXMAP_END - FIXMAP_START) <= UL(0x40000000),
	       "each of image and fixmap lies below one table of level 2");
_Static_assert(LAYOUT_TOP_ENTRY(KIMAGE_VADDR) == LAYOUT_TOP_ENTRY(FIXMAP_END), "image and fixmap share a table");
_Static_assert(KIMAGE_SLOTS == UL(259590), "as documented: 17.9 bits");
_Static_assert(FIXMAP_START / KIMAGE_GIB > KIMAGE_END / KIMAGE_GIB, "a GiB is free in front of the fixmap's");

#endif
#endif
