/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must be right before anything is written: checked, and said, with the MMU off.
 *
 * 1. The image lies at a multiple of 4 KiB, for adrp needs that; the CPU has 4 KiB pages; the tree does not overlap the
 *    image, for early tables, stack and bss would be written over it; the end of the image, which no loader has
 *    written to, is RAM. All other faults wait until the log works (start.c).
 * 2. early_check writes no memory and uses no stack. Until the first check is done, addresses are found by adr alone,
 *    which works in an image at any place; strings and code here are near each other.
 * 3. An access that may fault names, in TPIDR_EL1 (which nobody uses yet), where to go on. Any other exception is said
 *    and ends the run. VBAR_EL1 must be a multiple of 2 KiB, which an image that is not aligned has nowhere: so from
 *    early_vectors on each of 512 words is the same branch, and VBAR_EL1 is chosen so that the only entry that can be
 *    used (synchronous, on SP_EL1, at 0x200; all else is masked) is one of them. cpu_setup() sets the real vectors.
 * 4. Lines go where uart/early.c would show the log: to the first PL011 that is where the configuration says, or to a
 *    BCM2711's mini UART; looked at only when there is something to say, and written to only when a PL011 tells that
 *    this is the place. None: nothing is said.
 * 5. The end is as arch_exit(1)'s: semihosting, then sleep. The tree, which knows PSCI's conduit, is not read here.
 *
 * Registers: x0 to x9 are scratch, x22 to x28 as named below, x19 to x21 and x29 are head.S's. Cost: 400 instructions.
 */
#include <asm/linkage.h>
#include <asm/pl011.h>
#include <asm/sysreg.h>

#define VECTOR_SYNC_SPX 0x200
#define VECTORS_ALIGN	2048

/* As uart/pl011.c has it: so many looks at a full FIFO, then the byte is dropped. */
#define WAIT_POLLS 1000000

/* A BCM2711's UARTs, as uart/early.c takes them: a mini UART is known by not being at the start of a page. */
#define BCM2711_PL011	   0x201000
#define BCM2711_AUX	   0x215000
#define AUX_ENABLES	   0x04
#define MU_OFFSET	   0x40
#define MU_IO		   0x00
#define MU_LSR		   0x14
#define MU_LSR_READY_SHIFT 5

#define FDT_MAGIC    0xd00dfeed
#define FDT_SIZE_MAX 0x200000

/* Semihosting (cpu/exit.c, 1). */
#define SYS_EXIT_EXTENDED	     0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

#define start	x22 /* of the image */
#define end	x23 /* one past its last byte */
#define uart	x24 /* registers of the UART in use; 0 for none */
#define hex_pos x25
#define hex_val x26
#define link2	x27 /* return address of a function that calls puts or put_hex */
#define link	x28 /* of early_check and early_check_ram */

	.section .text.boot, "ax", %progbits

/* Until guard_end an exception goes on at \label. Clobbers x9. */
	.macro	guard label
	adr	x9, \label
	msr	tpidr_el1, x9
	isb
	.endm

	.macro	guard_end
	dsb	sy
	msr	tpidr_el1, xzr
	isb
	.endm

/* A piece of a line. */
	.macro	say text
	adr	x0, .Ltext\@
	bl	puts
	.subsection 1
.Ltext\@:
	.asciz	"\text"
	.subsection 0
	.endm

	.macro	say_hex reg
	mov	x0, \reg
	bl	put_hex
	.endm

/* "[mem 0x...-0x...]" */
	.macro	say_image
	say	"[mem "
	say_hex	start
	say	"-"
	sub	x1, end, #1
	say_hex	x1
	say	"]"
	.endm

/* The first piece of a line. What follows is said only where it is heard. */
	.macro	say_first text
	bl	find_uart
	say	"panic: \text"
	.endm

/* The last piece. */
	.macro	say_last text
	say	"\text"
	b	stop
	.endm

	.balign	4
early_vectors:
	.rept	VECTORS_ALIGN / 4
	b	on_exception
	.endr

local_func on_exception
	mrs	x9, tpidr_el1
	cbz	x9, 1f
	msr	elr_el1, x9
	msr	tpidr_el1, xzr
	eret
1:	mrs	x6, esr_el1 /* find_uart may cause exceptions of its own */
	mrs	x7, elr_el1
	mrs	x8, far_el1
	say_first "an exception before the MMU is on: esr "
	say_hex	x6
	say	", pc "
	say_hex	x7
	say	", far "
	say_hex	x8
	say_last " (physical addresses)"
endfunc on_exception

local_func stop
	say	"\r\n"
	guard	1f
	mov	w0, #SYS_EXIT_EXTENDED
	adr	x1, exit_block
	hlt	#0xf000
1:	wfi
	b	1b
	.balign	8
exit_block:
	.quad	ADP_STOPPED_APPLICATION_EXIT, 1
endfunc stop

/* uart = x0 when a PL011 is there, else 0. */
local_func test_uart
	mov	uart, x0
	cbz	uart, 3f
	guard	2f
	mov	x1, #UART_ID
	mov	x2, #0
1:	ldr	w3, [uart, x1]
	dsb	sy
	and	x3, x3, #0xff
	orr	x2, x3, x2, ror #8
	add	x1, x1, #4
	tbz	x1, #12, 1b
	guard_end
	ror	x2, x2, #8
	mov64	x3, UART_ID_MASK
	and	x2, x2, x3
	mov64	x3, UART_ID_PL011
	cmp	x2, x3
	b.eq	3f
2:	mov	uart, #0
3:	ret
endfunc test_uart

local_func find_uart
	mov	link2, x30
	mov64	x0, CONFIG_EARLY_UART_ADDR
	bl	test_uart
	cbnz	uart, 1f
	mov64	x0, CONFIG_EARLY_BCM2711_ADDR
	cbz	x0, 1f
	add	x0, x0, #BCM2711_PL011
	bl	test_uart
	cbz	uart, 1f
	add	x0, uart, #BCM2711_AUX - BCM2711_PL011
	ldr	w1, [x0, #AUX_ENABLES]
	tbz	w1, #0, 1f
	add	uart, x0, #MU_OFFSET
1:	br	link2
endfunc find_uart

/* w1 is sent, once there is room. Clobbers x2, x3. */
local_func putc
	mov64	x2, WAIT_POLLS
	tst	uart, #0xfff
	b.ne	3f
1:	ldr	w3, [uart, #UART_FR]
	tbz	w3, #UART_FR_TXFF_SHIFT, 2f
	subs	x2, x2, #1
	b.ne	1b
	ret
2:	str	w1, [uart, #UART_DR]
	ret
3:	ldr	w3, [uart, #MU_LSR]
	tbnz	w3, #MU_LSR_READY_SHIFT, 4f
	subs	x2, x2, #1
	b.ne	3b
	ret
4:	str	w1, [uart, #MU_IO]
	ret
endfunc putc

/* The string at x0. */
local_func puts
	mov	link2, x30
	cbz	uart, 2f
1:	ldrb	w1, [x0], #1
	cbz	w1, 2f
	bl	putc
	b	1b
2:	br	link2
endfunc puts

/* x0 as "0x1f": no zeros in front. */
local_func put_hex
	mov	link2, x30
	cbz	uart, 3f
	mov	hex_val, x0
	mov	w1, #'0'
	bl	putc
	mov	w1, #'x'
	bl	putc
	orr	x1, hex_val, #1
	clz	x1, x1
	and	x1, x1, #~3
	mov	hex_pos, #60
	sub	hex_pos, hex_pos, x1
1:	lsr	x1, hex_val, hex_pos
	and	x1, x1, #0xf
	add	x2, x1, #'a' - 10
	add	x3, x1, #'0'
	cmp	x1, #10
	csel	x1, x2, x3, hs
	bl	putc
	subs	hex_pos, hex_pos, #4
	b.pl	1b
3:	br	link2
endfunc put_hex

/* At x0 there may be a tree that ends in the image: x0 = its size; 0 when there is none, or none that is used. */
local_func tree_size
	mov	x3, x0
	mov	x0, #0
	tst	x3, #7
	b.ne	1f
	guard	1f
	ldp	w1, w2, [x3]
	guard_end
	rev	w1, w1
	rev	w2, w2
	mov64	x4, FDT_MAGIC
	cmp	x1, x4
	b.ne	1f
	mov64	x4, FDT_SIZE_MAX
	cmp	x2, x4
	csel	x0, x2, xzr, ls
1:	ret
endfunc tree_size

/* x0 = the physical address of the device tree. Returns when the image can go on. Clobbers x0 to x9, x22 to x28. */
func early_check
	mov	link, x30
	mov	x5, x0
	adr	start, image_header
	adr	x0, early_vectors + VECTORS_ALIGN - 4 - VECTOR_SYNC_SPX
	bic	x0, x0, #(VECTORS_ALIGN - 1)
	msr	tpidr_el1, xzr
	msr	vbar_el1, x0
	isb
	tst	start, #(PAGE_SIZE - 1)
	b.ne	.Lunaligned
early_read_mmfr0: /* the test for CPUs that QEMU does not have replaces this instruction */
	mrs	x1, id_aa64mmfr0_el1
	sbfx	x2, x1, #ID_AA64MMFR0_TGRAN4_SHIFT, #ID_FIELD_WIDTH
	tbnz	x2, #63, .Lno_granule
	adr_of	end, _end
	cmp	x5, end
	b.hs	1f
	subs	x6, start, x5
	b.ls	.Loverlap
	mov64	x7, FDT_SIZE_MAX
	cmp	x6, x7
	b.hs	1f
	mov	x0, x5
	bl	tree_size
	cmp	x0, x6
	b.hi	.Loverlap
1:	br	link

.Lunaligned:
	say_first "image at "
	say_hex	start
	say_last ": not a multiple of 4096 bytes; a loader puts it at a multiple of 2 MiB"
.Lno_granule:
	mov	x8, x1
	say_first "this CPU has no pages of 4 KiB, which memstage needs: ID_AA64MMFR0_EL1 is "
	say_hex	x8
	say_last ""
.Loverlap:
	say_first "device tree at "
	say_hex	x5
	say	": overlaps the image, "
	say_image
	say_last ", which would write over it"
endfunc early_check

/* Is there RAM where early tables and stack go? Their contents are lost. Clobbers x0 to x9, x22 to x28. */
func early_check_ram
	mov	link, x30
	adr	start, image_header
	adr_of	end, _end
	adr_of	x4, __noinit_start
1:	guard	.Lno_ram
	mvn	x1, x4
	str	x1, [x4]
	dsb	sy
	ldr	x2, [x4]
	guard_end
	cmp	x1, x2
	b.ne	.Lno_ram
	add	x4, x4, #PAGE_SIZE
	cmp	x4, end
	b.lo	1b
	br	link

.Lno_ram:
	say_first "image "
	say_image
	say	": no RAM at "
	say_hex	x4
	say_last ", where it is to write"
endfunc early_check_ram
