/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants that C, assembly and the linker script share: how to write them, and the page size. */
#ifndef ASM_CONST_H
#define ASM_CONST_H

/* UL(1): an unsigned long in C, a bare number where suffixes are not known. */
#ifdef __ASSEMBLER__
#define UL(x) x
#else
#define UL(x) x##UL
#endif

#define PAGE_SHIFT 12
#define PAGE_SIZE  (UL(1) << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* Whether code signs return addresses and has landing pads (<asm/protect.h>). */
#ifdef CONFIG_BRANCH_PROTECTION
#define BRANCH_PROTECTED 1
#else
#define BRANCH_PROTECTED 0
#endif

#endif
