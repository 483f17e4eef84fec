/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbols of boot/memstage.lds.S, and where the image was loaded.
 *
 * They are declared hidden so that the compiler takes their address relative to the program counter and not from the
 * global offset table: code that runs with the MMU off then gets physical addresses.
 */
#ifndef ASM_SECTIONS_H
#define ASM_SECTIONS_H

#include <lib/types.h>

#pragma GCC visibility push(hidden)

/* All of these are page aligned except the ends of bss and of relocations. Text starts with the Image header. */
extern char _text[], _etext[];
extern char __guarded_text_start[]; /* up to _etext: text that has landing pads */
extern char __idmap_text_start[];
extern char __rodata_start[], __rodata_end[];
extern char __data_start[], __data_end[];
extern char __bss_start[], __bss_stop[];
extern char __noinit_start[];
extern char _end[];

/**
 * struct elf_rela - a relocation (ELF64, section "Relocation"), to be applied at boot
 * @offset: virtual address, as linked, of what is to be changed
 * @info: kind in the low 32 bits, symbol in the high ones
 * @addend: for R_AARCH64_RELATIVE: the address to be stored there, as linked
 */
struct elf_rela {
	u64 offset;
	u64 info;
	u64 addend;
};

extern const struct elf_rela __rela_start[], __rela_end[];

/** kimage_voffset - virtual minus physical address of the image, modulo 2^64 */
extern u64 kimage_voffset;

/** boot_entry_ticks - CNTVCT_EL0 when the image was entered (to be exact: when it had reached EL1) */
extern u64 boot_entry_ticks;

/** boot_entry_el - the exception level that the image was entered at */
extern u64 boot_entry_el;

/** boot_entry_caches - not 0 when the boot loader left the MMU or the data cache on */
extern u64 boot_entry_caches;

/** boot_bad_relocs - relocations of a kind that the image must not have; not applied */
extern u64 boot_bad_relocs;

/** boot_kaslr_seed - what /chosen/kaslr-seed held, until kaslr_take_seed(): 0 then, and when there was none */
extern u64 boot_kaslr_seed;

/** boot_kaslr_state - what was decided of the image's place (<asm/kaslr.h>) */
extern u64 boot_kaslr_state;

/**
 * relocate_image() - store the addresses that the image holds, for an image that is mapped @slide above its link
 * address
 *
 * May be done again, for another place. Context: the image runs at its physical address. Return: relocations not
 * applied.
 */
u64 relocate_image(u64 slide);

#pragma GCC visibility pop

/** kimage_pa() - physical address of something in the image */
static inline phys_addr_t kimage_pa(const void *symbol)
{
	return (uintptr_t)symbol - kimage_voffset;
}

#endif
