/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiler's stack protector: contract in <asm/stack_protector.h>. */
#include <asm/stack_protector.h>

#include <lib/printk.h>

u64 __stack_chk_guard;

_Noreturn void __stack_chk_fail(void)
{
	panic("stack smashed: a function that returns to %p found its canary overwritten", __builtin_return_address(0));
}
