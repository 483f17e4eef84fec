/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-modify-write of this CPU's variables. Group 2 of the port contract (<mm/port.h>).
 *
 * 1. Each is a loop of load and store exclusive: an exception return clears the monitor, so a store fails when a
 *    handler came in between, and it begins anew. Where all CPUs have FEAT_LSE it is one instruction, as in
 *    <asm/atomic.h>.
 * 2. Restartable sequences (<asm/percpu_stack.h>) would be one instruction shorter; but they must lie in functions of
 *    their own, and a call costs more.
 * 3. A value of less than 32 bits is cut to its width where it is compared; elsewhere store and LSE form take only its
 *    low bits.
 *
 * Cost in instructions, exclusive / LSE: add, or, andnot 4 / 2 (1 and a branch or NOP over the rest), fetch_add 4 / 3,
 * xchg 3 / 2, cmpxchg 5 / 3.
 */
#ifndef ASM_PERCPU_OPS_H
#define ASM_PERCPU_OPS_H

#include <lib/types.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>

/* @name(p, n): *p = *p @op n. @w: registers of that width; @sfx: what loads and stores of it are called. */
#define PERCPU_CHANGE(name, op, lse, bits, w, sfx)                                                      \
	static __always_inline void asm_percpu_##name##bits(u##bits *p, u64 n)                          \
	{                                                                                               \
		u64 value;                                                                              \
		u32 failed;                                                                             \
                                                                                                        \
		__asm__ volatile(ALTERNATIVE("1:	ldxr" sfx "	%" w "[value], [%[addr]]\n"     \
					     "	" op "	%" w "[value], %" w "[value], %" w "[n]\n"      \
					     "	stxr" sfx "	%w[failed], %" w "[value], [%[addr]]\n" \
					     "	cbnz	%w[failed], 1b",                                \
					     "lse", lse sfx "	%" w "[n], [%[addr]]")                  \
				 : [value] "=&r"(value), [failed] "=&r"(failed), "+m"(*p)               \
				 : [addr] "r"(p), [n] "r"(n), [feature] "i"(CPU_LSE));                  \
	}

#define PERCPU_FETCH_ADD(bits, w, sfx)                                                                      \
	static __always_inline u64 asm_percpu_fetch_add##bits(u##bits *p, u64 n)                            \
	{                                                                                                   \
		u64 old, sum;                                                                               \
		u32 failed;                                                                                 \
                                                                                                            \
		__asm__ volatile(ALTERNATIVE("1:	ldxr" sfx "	%" w "[old], [%[addr]]\n"           \
					     "	add	%" w "[sum], %" w "[old], %" w "[n]\n"              \
					     "	stxr" sfx "	%w[failed], %" w "[sum], [%[addr]]\n"       \
					     "	cbnz	%w[failed], 1b",                                    \
					     "lse", "ldadd" sfx "	%" w "[n], %" w "[old], [%[addr]]") \
				 : [old] "=&r"(old), [sum] "=&r"(sum), [failed] "=&r"(failed), "+m"(*p)     \
				 : [addr] "r"(p), [n] "r"(n), [feature] "i"(CPU_LSE));                      \
		return old;                                                                                 \
	}

#define PERCPU_XCHG(bits, w, sfx)                                                                       \
	static __always_inline u64 asm_percpu_xchg##bits(u##bits *p, u64 value)                         \
	{                                                                                               \
		u64 old;                                                                                \
		u32 failed;                                                                             \
                                                                                                        \
		__asm__ volatile(ALTERNATIVE("1:	ldxr" sfx "	%" w "[old], [%[addr]]\n"       \
					     "	stxr" sfx "	%w[failed], %" w "[value], [%[addr]]\n" \
					     "	cbnz	%w[failed], 1b",                                \
					     "lse", "swp" sfx "	%" w "[value], %" w "[old], [%[addr]]") \
				 : [old] "=&r"(old), [failed] "=&r"(failed), "+m"(*p)                   \
				 : [addr] "r"(p), [value] "r"(value), [feature] "i"(CPU_LSE));          \
		return old;                                                                             \
	}

#define PERCPU_CMPXCHG(bits, w, sfx)                                                                              \
	static __always_inline u64 asm_percpu_cmpxchg##bits(u##bits *p, u64 old, u64 value)                       \
	{                                                                                                         \
		u64 found;                                                                                        \
		u32 failed;                                                                                       \
                                                                                                                  \
		__asm__ volatile(                                                                                 \
			ALTERNATIVE("1:	ldxr" sfx "	%" w "[found], [%[addr]]\n"                               \
				    "	cmp	%" w "[found], %" w "[old]\n"                                     \
				    "	b.ne	2f\n"                                                                  \
				    "	stxr" sfx "	%w[failed], %" w "[value], [%[addr]]\n"                   \
				    "	cbnz	%w[failed], 1b\n"                                                      \
				    "2:",                                                                         \
				    "lse",                                                                        \
				    "mov	%" w "[found], %" w "[old]\n"                                     \
				    "	cas" sfx "	%" w "[found], %" w "[value], [%[addr]]")                 \
			: [found] "=&r"(found), [failed] "=&r"(failed), "+m"(*p)                                  \
			: [addr] "r"(p), [old] "r"((u64)(u##bits)old), [value] "r"(value), [feature] "i"(CPU_LSE) \
			: "cc");                                                                                  \
		return found;                                                                                     \
	}

#define PERCPU_OPERATIONS(bits, w, sfx)                     \
	PERCPU_CHANGE(add, "add", "stadd", bits, w, sfx)    \
	PERCPU_CHANGE(or, "orr", "stset", bits, w, sfx)     \
	PERCPU_CHANGE(andnot, "bic", "stclr", bits, w, sfx) \
	PERCPU_FETCH_ADD(bits, w, sfx)                      \
	PERCPU_XCHG(bits, w, sfx)                           \
	PERCPU_CMPXCHG(bits, w, sfx)

PERCPU_OPERATIONS(8, "w", "b")
PERCPU_OPERATIONS(16, "w", "h")
PERCPU_OPERATIONS(32, "w", "")
PERCPU_OPERATIONS(64, "x", "")

#undef PERCPU_OPERATIONS
#undef PERCPU_CMPXCHG
#undef PERCPU_XCHG
#undef PERCPU_FETCH_ADD
#undef PERCPU_CHANGE

#endif
