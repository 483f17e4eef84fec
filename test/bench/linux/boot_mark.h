/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Marks in Linux's boot: a name, and the counter's value when boot came by. build.py writes the calls into the kernel's
 * source; mmbench.c keeps the marks and prints them.
 */
#ifndef _LINUX_BOOT_MARK_H
#define _LINUX_BOOT_MARK_H

#include <linux/types.h>

/**
 * boot_mark() - on the boot CPU: note that boot has come to @name, a literal; what is too much for the table is dropped
 */
void boot_mark(const char *name);

/** mmbench_early() - measure memblock if that was asked for, while it is the allocator */
void mmbench_early(void);

#endif
