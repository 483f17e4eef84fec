/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments: NAME=VALUE words, separated by blanks, from /chosen/bootargs. */
#ifndef MM_BOOTARGS_H
#define MM_BOOTARGS_H

#include <lib/types.h>

/**
 * bootarg_value() - the value of the first NAME=VALUE in @args
 * @value: set to it, cut to @size - 1 bytes
 *
 * Return: where @args goes on behind it, for the next one of that name; NULL when there is none.
 */
const char *bootarg_value(const char *args, const char *name, char *value, size_t size);

/** bootarg_flag() - whether the word @name stands in @args by itself */
bool bootarg_flag(const char *args, const char *name);

/**
 * parse_size() - a number as in C (decimal, 0x, 0), with K, M, G or T behind it for powers of 1024
 * @rest: set to what follows; to @text when there is no number there
 *
 * Return: bytes; a number that does not fit 64 bits is the highest one.
 */
phys_addr_t parse_size(const char *text, const char **rest);

/** bootarg_size() - the size that NAME=SIZE gives; 0 without it, or (after a line) when it is no size */
phys_addr_t bootarg_size(const char *args, const char *name);

#endif
