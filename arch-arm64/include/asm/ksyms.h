/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's own symbol table, made from the first link's `nm` and put into the second (scripts/, Makefile).
 *
 * ksyms_offset[] rises; entry i is the function that begins at _text + ksyms_offset[i], and its name is the string at
 * ksyms_names + ksyms_name_off[i]. In the first link the table is empty (ksyms_count 0).
 */
#ifndef ASM_KSYMS_H
#define ASM_KSYMS_H

#include <lib/types.h>

extern const u32 ksyms_count;
extern const u32 ksyms_offset[];
extern const u32 ksyms_name_off[];
extern const char ksyms_names[];

/**
 * ksym_lookup() - the function that an address lies in
 * @addr: virtual address
 * @offset: set to @addr minus the function's start
 *
 * Context: any. Cost: O(log symbols). Return: the name, or NULL when @addr is outside the image's text.
 */
const char *ksym_lookup(u64 addr, u64 *offset);

/** KSYM_MAX - room for "name+0xoffset", the longest names cut */
#define KSYM_MAX 96

/** ksym_format() - write "name+0x1c", or the bare address, into @buf of @size bytes. Return: @buf. */
const char *ksym_format(u64 addr, char *buf, size_t size);

#endif
