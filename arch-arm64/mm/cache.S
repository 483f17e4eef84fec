/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache maintenance by address (contract: <asm/cache.h>). x0 is the first byte, x1 one past the last. Clobbers x0 to x3
 * only (the last one x4, too): head.S calls these before there is a stack.
 *
 * 1. CTR_EL0 (Arm ARM D24.2.34) tells the smallest line of any data cache (DminLine, bits 19:16) and of any instruction
 *    cache (IminLine, bits 3:0), each as log2 of its words; and whether fetches of instructions need no cleaning of the
 *    data cache (IDC, bit 28) and no invalidation of the instruction cache (DIC, bit 29).
 * 2. The barrier in front: a store made with the MMU off is to device memory, which no order ties to maintenance of the
 *    same address (Arm ARM, "Ordering and completion of data and instruction cache instructions"); without it the store
 *    could reach memory after the line was dropped, and whoever cached the address in between would keep the old value.
 * 3. A line that an invalidation covers in part has bytes that are not the caller's and may be newer than memory: it is
 *    cleaned, too.
 * 4. An empty range touches no line, wherever it lies: nothing need be mapped there.
 */
#include <asm/linkage.h>

#define CTR_IMINLINE_SHIFT 0
#define CTR_DMINLINE_SHIFT 16
#define CTR_IDC_SHIFT	   28
#define CTR_DIC_SHIFT	   29

/* x2 = bytes of the line in the field of CTR_EL0 at bit \shift, x3 = x2 - 1 */
	.macro	line_size shift
	mrs	x3, ctr_el0
	ubfx	x3, x3, #\shift, #4
	mov	x2, #4
	lsl	x2, x2, x3
	sub	x3, x2, #1
	.endm

/* \op for each line of x2 bytes from x0, which begins one, below x1 */
	.macro	each_line op:vararg
	cmp	x0, x1
	b.hs	.Lend\@
.Lline\@:
	\op, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	.Lline\@
.Lend\@:
	.endm

/* \op for each data cache line that has bytes of [x0, x1) */
	.macro	dcache_by_line op
	dmb	sy
	cmp	x0, x1
	b.hs	.Lempty\@
	line_size CTR_DMINLINE_SHIFT
	bic	x0, x0, x3
	each_line dc \op
.Lempty\@:
	dsb	sy
	.endm

	.section .text.cache, "ax", %progbits

func dcache_clean_poc
	dcache_by_line cvac
	ret
endfunc dcache_clean_poc

func dcache_clean_pou
	dcache_by_line cvau
	ret
endfunc dcache_clean_pou

func dcache_clean_inval_poc
	dcache_by_line civac
	ret
endfunc dcache_clean_inval_poc

func dcache_inval_poc
	dmb	sy
	cmp	x0, x1
	b.hs	3f
	line_size CTR_DMINLINE_SHIFT
	tst	x0, x3
	b.eq	1f
	bic	x0, x0, x3
	dc	civac, x0
	add	x0, x0, x2
1:	tst	x1, x3
	b.eq	2f
	bic	x1, x1, x3
	dc	civac, x1
2:	each_line dc ivac
3:	dsb	sy
	ret
endfunc dcache_inval_poc

func caches_clean_inval_pou
	mrs	x2, ctr_el0
	dsb	ish
	cmp	x0, x1
	b.hs	2f
	tbnz	x2, #CTR_IDC_SHIFT, 1f
	mov	x4, x0
	line_size CTR_DMINLINE_SHIFT
	bic	x0, x0, x3
	each_line dc cvau
	dsb	ish
	mov	x0, x4
1:	mrs	x2, ctr_el0
	tbnz	x2, #CTR_DIC_SHIFT, 2f
	line_size CTR_IMINLINE_SHIFT
	bic	x0, x0, x3
	each_line ic ivau
	dsb	ish
2:	isb
	ret
endfunc caches_clean_inval_pou
