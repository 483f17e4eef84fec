/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that misuse the allocators, and what must be said about each.
 *
 * 1. A program is NAME.c in this folder: a few lines that do one thing wrong, registered by MISUSE(NAME, ...). Beside
 *    it lies NAME.expected, the whole text that the image prints from the start of the program to its end. For what
 *    differs from run to run its kind stands there, <addr> or <n> for instance; misuse.t, which boots the images and
 *    compares, lists the kinds.
 * 2. The program says which checks it is about: `basic` is what every hardened image does (it runs in the virt image),
 *    `debug` the checks of CONFIG_MM_DEBUG (the debug image), `full` those of guarded object caches (the full image).
 *    Another image refuses to run it.
 * 3. It says how it ends, too. After GOES_ON the caller got its report and the machine goes on: the check functions of
 *    all allocators agree, pages of each order can be had and given back, and they agree again. PANICS ends the run.
 * 4. A program leaves nothing behind but what its report says is lost.
 */
#ifndef MISUSE_H
#define MISUSE_H

#include <lib/types.h>

/* What an image must check for a program to make sense. */
enum misuse_level { MISUSE_basic, MISUSE_debug, MISUSE_full };

/* What follows the report. */
enum misuse_end { MISUSE_GOES_ON, MISUSE_PANICS };

/**
 * struct misuse - a program
 * @name: what `misuse NAME` runs; its file is NAME.c
 * @level: the checks that must find it
 * @end: what they do then
 * @run: does it, in thread context on the boot CPU
 */
struct misuse {
	const char *name;
	enum misuse_level level;
	enum misuse_end end;
	void (*run)(void);
};

/* Registers the function misuse_ID as the program ID; the linker collects them in the section misuse_programs. */
#define MISUSE(id, checks, ending)                                                                          \
	static void misuse_##id(void);                                                                      \
	static const struct misuse misuse_program_##id __used __section("misuse_programs") __aligned(8) = { \
		#id,                                                                                        \
		MISUSE_##checks,                                                                            \
		MISUSE_##ending,                                                                            \
		misuse_##id,                                                                                \
	};                                                                                                  \
	static void misuse_##id(void)

#endif
