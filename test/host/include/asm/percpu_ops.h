/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: a simulated handler runs beside the thread that it interrupts, so these are atomic. Group 2 of
 * <mm/port.h>.
 */
#ifndef ASM_PERCPU_OPS_H
#define ASM_PERCPU_OPS_H

#include <lib/types.h>

/* clang-format off */
#define PERCPU_OPERATIONS(bits)                                                                               \
	static __always_inline void asm_percpu_add##bits(u##bits *p, u64 n)                                   \
	{                                                                                                     \
		__atomic_fetch_add(p, (u##bits)n, __ATOMIC_RELAXED);                                          \
	}                                                                                                     \
	static __always_inline void asm_percpu_or##bits(u##bits *p, u64 n)                                    \
	{                                                                                                     \
		__atomic_fetch_or(p, (u##bits)n, __ATOMIC_RELAXED);                                           \
	}                                                                                                     \
	static __always_inline void asm_percpu_andnot##bits(u##bits *p, u64 n)                                \
	{                                                                                                     \
		__atomic_fetch_and(p, (u##bits)~n, __ATOMIC_RELAXED);                                         \
	}                                                                                                     \
	static __always_inline u64 asm_percpu_fetch_add##bits(u##bits *p, u64 n)                              \
	{                                                                                                     \
		return __atomic_fetch_add(p, (u##bits)n, __ATOMIC_RELAXED);                                   \
	}                                                                                                     \
	static __always_inline u64 asm_percpu_xchg##bits(u##bits *p, u64 value)                               \
	{                                                                                                     \
		return __atomic_exchange_n(p, (u##bits)value, __ATOMIC_RELAXED);                              \
	}                                                                                                     \
	static __always_inline u64 asm_percpu_cmpxchg##bits(u##bits *p, u64 old, u64 value)                   \
	{                                                                                                     \
		u##bits found = (u##bits)old;                                                                 \
                                                                                                              \
		__atomic_compare_exchange_n(p, &found, (u##bits)value, false, __ATOMIC_RELAXED,               \
					    __ATOMIC_RELAXED);                                                \
		return found;                                                                                 \
	}
/* clang-format on */

PERCPU_OPERATIONS(8)
PERCPU_OPERATIONS(16)
PERCPU_OPERATIONS(32)
PERCPU_OPERATIONS(64)

#undef PERCPU_OPERATIONS

#endif
