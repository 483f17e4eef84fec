/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the image is mapped, when that is not the same on each boot (CONFIG_RANDOMIZE_BASE).
 *
 * The slot comes from /chosen/kaslr-seed, as boot/early_kaslr.c describes; the boot argument nokaslr keeps the image
 * where it is linked. Physically it stays where the loader put it.
 */
#ifndef ASM_KASLR_H
#define ASM_KASLR_H

#include <lib/types.h>

/* What was decided. */
enum { KASLR_NO_SEED, KASLR_SWITCHED_OFF, KASLR_MOVED };

#ifdef CONFIG_RANDOMIZE_BASE

/**
 * early_image_slide() - how far above KIMAGE_VADDR the image is to be mapped
 * @fdt_pa: what the loader has passed in x0; less than a page's size stands for CONFIG_FDT_ADDR
 *
 * The seed in the tree is overwritten. Context: boot CPU, before the MMU is on, early_check()'s vectors in place,
 * .noinit in memory. Return: a multiple of 2 MiB; 0 without a seed, or by nokaslr.
 */
u64 early_image_slide(u64 fdt_pa);

/** kaslr_take_seed() - the seed, which nobody gets after; 0 when there was none. Context: boot CPU. */
u64 kaslr_take_seed(void);

/** kaslr_print() - one line: how far the image was moved, or why it was not */
void kaslr_print(void);

#else

static inline u64 early_image_slide(u64 fdt_pa)
{
	(void)fdt_pa;
	return 0;
}

static inline u64 kaslr_take_seed(void)
{
	return 0;
}

static inline void kaslr_print(void)
{
}

#endif
#endif
