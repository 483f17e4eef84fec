/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic read-modify-write. Group 8 of the port contract (<mm/port.h>).
 *
 * 1. Each is a loop of load and store exclusive, which every CPU has, and is replaced by an instruction of FEAT_LSE at
 *    boot when all CPUs have that (<asm/alternative.h>). Both forms may meet on one variable (Arm ARM, B2.9).
 * 2. Cost in instructions, uncontended, exclusive / LSE: xchg32_acquire 3 / 2, claim32_acquire 4 / 3, cas32_acq_rel and
 *    cas64_acquire 5 / 3, fetch_add 4 / 3, dec_return32_acq_rel 4 / 4, or64_release, andnot64 and xor64 4 / 2.
 * 3. A constant to add is an immediate of the exclusive form; LSE wants it in a register, and has the room to load it.
 */
#ifndef ASM_ATOMIC_H
#define ASM_ATOMIC_H

#include <lib/types.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>

static __always_inline u32 xchg32_acquire(u32 *p, u32 value)
{
	u32 old, failed;

	__asm__ volatile(ALTERNATIVE("1:	ldaxr	%w[old], [%[addr]]\n"
				     "	stxr	%w[failed], %w[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse", "swpa	%w[value], %w[old], [%[addr]]")
			 : [old] "=&r"(old), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [value] "r"(value), [feature] "i"(CPU_LSE)
			 : "memory");
	return old;
}

static __always_inline u32 claim32_acquire(u32 *p, u32 value)
{
	u32 old, failed;

	__asm__ volatile(ALTERNATIVE("1:	ldaxr	%w[old], [%[addr]]\n"
				     "	cbnz	%w[old], 2f\n"
				     "	stxr	%w[failed], %w[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b\n"
				     "2:",
				     "lse",
				     "mov	%w[old], wzr\n"
				     "	casa	%w[old], %w[value], [%[addr]]")
			 : [old] "=&r"(old), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [value] "r"(value), [feature] "i"(CPU_LSE)
			 : "memory");
	return old;
}

static __always_inline bool cas32_acq_rel(u32 *p, u32 old, u32 value)
{
	u32 found, failed;

	__asm__ volatile(ALTERNATIVE("1:	ldaxr	%w[found], [%[addr]]\n"
				     "	cmp	%w[found], %w[old]\n"
				     "	b.ne	2f\n"
				     "	stlxr	%w[failed], %w[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b\n"
				     "2:",
				     "lse",
				     "mov	%w[found], %w[old]\n"
				     "	casal	%w[found], %w[value], [%[addr]]")
			 : [found] "=&r"(found), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [old] "Ir"(old), [value] "rZ"(value), [feature] "i"(CPU_LSE)
			 : "memory", "cc");
	return found == old;
}

static __always_inline bool cas64_acquire(u64 *p, u64 old, u64 value)
{
	u64 found;
	u32 failed;

	__asm__ volatile(ALTERNATIVE("1:	ldaxr	%[found], [%[addr]]\n"
				     "	cmp	%[found], %[old]\n"
				     "	b.ne	2f\n"
				     "	stxr	%w[failed], %[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b\n"
				     "2:",
				     "lse",
				     "mov	%[found], %[old]\n"
				     "	casa	%[found], %[value], [%[addr]]")
			 : [found] "=&r"(found), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [old] "r"(old), [value] "rZ"(value), [feature] "i"(CPU_LSE)
			 : "memory", "cc");
	return found == old;
}

static __always_inline u32 fetch_add32(u32 *p, u32 n)
{
	u32 old, sum, failed;

	__asm__ volatile(ALTERNATIVE("1:	ldxr	%w[old], [%[addr]]\n"
				     "	add	%w[sum], %w[old], %w[n]\n"
				     "	stxr	%w[failed], %w[sum], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse",
				     "mov	%w[sum], %w[n]\n"
				     "	ldadd	%w[sum], %w[old], [%[addr]]")
			 : [old] "=&r"(old), [sum] "=&r"(sum), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [n] "Ir"(n), [feature] "i"(CPU_LSE));
	return old;
}

static __always_inline u64 fetch_add64(u64 *p, u64 n)
{
	u64 old, sum;
	u32 failed;

	__asm__ volatile(ALTERNATIVE("1:	ldxr	%[old], [%[addr]]\n"
				     "	add	%[sum], %[old], %[n]\n"
				     "	stxr	%w[failed], %[sum], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse",
				     "mov	%[sum], %[n]\n"
				     "	ldadd	%[sum], %[old], [%[addr]]")
			 : [old] "=&r"(old), [sum] "=&r"(sum), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [n] "Ir"(n), [feature] "i"(CPU_LSE));
	return old;
}

static __always_inline u32 dec_return32_acq_rel(u32 *p)
{
	u32 result, failed;

	__asm__ volatile(ALTERNATIVE("1:	ldaxr	%w[result], [%[addr]]\n"
				     "	sub	%w[result], %w[result], #1\n"
				     "	stlxr	%w[failed], %w[result], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse",
				     "mov	%w[failed], #-1\n"
				     "	ldaddal	%w[failed], %w[result], [%[addr]]\n"
				     "	sub	%w[result], %w[result], #1")
			 : [result] "=&r"(result), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [feature] "i"(CPU_LSE)
			 : "memory");
	return result;
}

static __always_inline void or64_release(u64 *p, u64 bits)
{
	u64 value;
	u32 failed;

	__asm__ volatile(ALTERNATIVE("1:	ldxr	%[value], [%[addr]]\n"
				     "	orr	%[value], %[value], %[bits]\n"
				     "	stlxr	%w[failed], %[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse", "stsetl	%[bits], [%[addr]]")
			 : [value] "=&r"(value), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [bits] "r"(bits), [feature] "i"(CPU_LSE)
			 : "memory");
}

static __always_inline void andnot64(u64 *p, u64 bits)
{
	u64 value;
	u32 failed;

	__asm__ volatile(ALTERNATIVE("1:	ldxr	%[value], [%[addr]]\n"
				     "	bic	%[value], %[value], %[bits]\n"
				     "	stxr	%w[failed], %[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse", "stclr	%[bits], [%[addr]]")
			 : [value] "=&r"(value), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [bits] "r"(bits), [feature] "i"(CPU_LSE));
}

static __always_inline void xor64(u64 *p, u64 bits)
{
	u64 value;
	u32 failed;

	__asm__ volatile(ALTERNATIVE("1:	ldxr	%[value], [%[addr]]\n"
				     "	eor	%[value], %[value], %[bits]\n"
				     "	stxr	%w[failed], %[value], [%[addr]]\n"
				     "	cbnz	%w[failed], 1b",
				     "lse", "steor	%[bits], [%[addr]]")
			 : [value] "=&r"(value), [failed] "=&r"(failed), "+m"(*p)
			 : [addr] "r"(p), [bits] "r"(bits), [feature] "i"(CPU_LSE));
}

#endif
