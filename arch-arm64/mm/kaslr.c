/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What early_kaslr.c has left, once there is a log (contract: <asm/kaslr.h>).
 *
 * The offset is in the log on purpose: who may read the log may know it, and without it addresses in a report could not
 * be looked up in System.map. It is the distance between the first byte of the image and the address that it is linked
 * at.
 */
#include <lib/printk.h>

#include <asm/kaslr.h>
#include <asm/layout.h>
#include <asm/sections.h>

u64 kaslr_take_seed(void)
{
	u64 seed = boot_kaslr_seed;

	boot_kaslr_seed = 0;
	return seed;
}

void kaslr_print(void)
{
	u64 slide = (u64)(uintptr_t)_text - KIMAGE_VADDR;

	if (boot_kaslr_state == KASLR_MOVED)
		printk("KASLR: image moved by 0x%llx, to one of %lu slots of 2 MiB (17.9 bits)\n", slide, KIMAGE_SLOTS);
	else if (boot_kaslr_state == KASLR_SWITCHED_OFF)
		printk("KASLR: off (nokaslr): image at its link address\n");
	else
		printk("KASLR: no seed in /chosen/kaslr-seed: image at its link address\n");
}
