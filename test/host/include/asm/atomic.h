/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: atomics are the compiler's, which ThreadSanitizer understands. */
#ifndef ASM_ATOMIC_H
#define ASM_ATOMIC_H

#include <lib/types.h>

static inline u32 xchg32_acquire(u32 *p, u32 value)
{
	return __atomic_exchange_n(p, value, __ATOMIC_ACQUIRE);
}

static inline u32 claim32_acquire(u32 *p, u32 value)
{
	u32 old = 0;

	__atomic_compare_exchange_n(p, &old, value, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	return old;
}

static inline bool cas32_acq_rel(u32 *p, u32 old, u32 value)
{
	return __atomic_compare_exchange_n(p, &old, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline bool cas64_acquire(u64 *p, u64 old, u64 value)
{
	return __atomic_compare_exchange_n(p, &old, value, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline u32 fetch_add32(u32 *p, u32 n)
{
	return __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline u64 fetch_add64(u64 *p, u64 n)
{
	return __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline u32 dec_return32_acq_rel(u32 *p)
{
	return __atomic_sub_fetch(p, 1, __ATOMIC_ACQ_REL);
}

static inline void or64_release(u64 *p, u64 bits)
{
	__atomic_fetch_or(p, bits, __ATOMIC_RELEASE);
}

static inline void andnot64(u64 *p, u64 bits)
{
	__atomic_fetch_and(p, ~bits, __ATOMIC_RELAXED);
}

static inline void xor64(u64 *p, u64 bits)
{
	__atomic_fetch_xor(p, bits, __ATOMIC_RELAXED);
}

#endif
