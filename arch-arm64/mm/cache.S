/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data cache maintenance by address (contract: <asm/cache.h>). CTR_EL0.DminLine, bits 19:16, is log2 of the words in
 * the smallest line of any data cache. Clobbers x0 to x3 only: head.S calls these before there is a stack.
 *
 * The barrier in front: a store made with the MMU off is to device memory, which no order ties to maintenance of the
 * same address (Arm ARM, "Ordering and completion of data and instruction cache instructions"); without it the store
 * could reach memory after the line was dropped, and whoever cached that address in between would keep the old value.
 */
#include <asm/linkage.h>

	.macro	dcache_by_line op
	dmb	sy
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4
	mov	x2, #4
	lsl	x2, x2, x3
	add	x1, x0, x1
	sub	x3, x2, #1
	bic	x0, x0, x3
	cmp	x0, x1
	b.hs	2f
1:	dc	\op, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
2:	dsb	sy
	ret
	.endm

	.section .text.cache, "ax", %progbits

func dcache_clean_poc
	dcache_by_line cvac
endfunc dcache_clean_poc

func dcache_inval_poc
	dcache_by_line ivac
endfunc dcache_inval_poc

func dcache_clean_inval_poc
	dcache_by_line civac
endfunc dcache_clean_inval_poc
