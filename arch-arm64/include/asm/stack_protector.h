/* SPDX-License-Identifier: BSD-2-Clause */
/* What the compiler's stack protector wants of us: a canary, and what to do when it was overwritten. */
#ifndef ASM_STACK_PROTECTOR_H
#define ASM_STACK_PROTECTOR_H

#include <lib/types.h>

/*
 * Set once, by start_memstage(), before any function that returns has read it. Its lowest byte is 0: it ends strings.
 */
extern u64 __stack_chk_guard;

/** __stack_chk_fail() - called by the compiler's epilogue; panics with the function's address. */
_Noreturn void __stack_chk_fail(void);

#endif
