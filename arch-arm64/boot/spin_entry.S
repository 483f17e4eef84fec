/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in of CPUs that bring no argument: those of a spin table.
 *
 * 1. They come with the MMU off, at EL1, EL2 or EL3, alone or all at once, for several may wait for one word of memory.
 *    So each looks for the record of its MPIDR and, while there is none, waits here for the next event: the boot CPU
 *    sends one when it has written a record and cleaned it to memory (cpu/smp.c). No stack and no other memory is used.
 * 2. A record holds the MPIDR's affinity fields with SECONDARY_BOOT_VALID, a bit that no affinity has; it is written
 *    last. MPIDR_EL1 is what the core is, at any level that it is read at.
 */
#include <asm/linkage.h>
#include <asm/smp.h>

	.section .text.boot, "ax", %progbits

func spin_table_entry
	msr	daifset, #0xf
	mrs	x1, mpidr_el1
	mov64	x2, MPIDR_AFFINITY
	and	x1, x1, x2
	orr	x1, x1, #SECONDARY_BOOT_VALID
1:	adr_of	x0, secondary_boot
	mov	w3, #CONFIG_NR_CPUS
2:	ldr	x2, [x0, #SECONDARY_BOOT_MPIDR]
	cmp	x2, x1
	b.eq	3f
	add	x0, x0, #SECONDARY_BOOT_SIZE
	subs	w3, w3, #1
	b.ne	2b
	wfe
	b	1b
3:	b	secondary_entry
endfunc spin_table_entry
