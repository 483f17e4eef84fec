/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on this CPU's copy of a per-CPU variable; included by <mm/percpu.h>. Names as in Linux.
 *
 * 1. @pcp is the variable itself, or *pointer for one of alloc_percpu(). Its type is an integer or pointer of 1, 2, 4
 *    or 8 bytes.
 * 2. this_cpu_...() are single-copy: an interrupt handler of this CPU that does the same to the same variable comes
 *    before or after, never in between, and another CPU that reads (per_cpu_ptr(), READ_ONCE()) sees the value before
 *    or after. None orders anything else.
 * 3. raw_cpu_...() and __this_cpu_...() are plain C, for variables that no handler touches or with interrupts masked.
 * 4. Code does not move to another CPU, so get_cpu_var() and get_cpu_ptr() have nothing to switch off; they are here so
 *    that code written for both says where it counts on that.
 *
 * Cost: 4 or 5 instructions and the base for those that change the variable, 1 to 3 with FEAT_LSE; 1 for read and
 * write.
 */
#ifndef MM_PERCPU_OPS_H
#define MM_PERCPU_OPS_H

#include <lib/types.h>

#include <asm/percpu_ops.h>

/* One of four functions by the size of what @p points to, a constant. */
#define PERCPU_BY_SIZE(p, name, ...)               \
	switch (size) {                            \
	case 1:                                    \
		return name##8((p), __VA_ARGS__);  \
	case 2:                                    \
		return name##16((p), __VA_ARGS__); \
	case 4:                                    \
		return name##32((p), __VA_ARGS__); \
	default:                                   \
		return name##64((p), __VA_ARGS__); \
	}

static __always_inline u64 percpu_fetch_add(void *p, u64 n, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_fetch_add, n)
}

static __always_inline u64 percpu_xchg(void *p, u64 value, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_xchg, value)
}

static __always_inline u64 percpu_cmpxchg(void *p, u64 old, u64 value, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_cmpxchg, old, value)
}

static __always_inline void percpu_add(void *p, u64 n, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_add, n)
}

static __always_inline void percpu_or(void *p, u64 bits, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_or, bits)
}

static __always_inline void percpu_andnot(void *p, u64 bits, size_t size)
{
	PERCPU_BY_SIZE(p, asm_percpu_andnot, bits)
}

/* Where this CPU's copy of @pcp is; not of another size than the four. */
#define PERCPU_WORD(pcp)                                                                                     \
	({                                                                                                   \
		_Static_assert(sizeof(pcp) == 1 || sizeof(pcp) == 2 || sizeof(pcp) == 4 || sizeof(pcp) == 8, \
			       "per-CPU operations are for 1, 2, 4 or 8 bytes");                             \
		this_cpu_ptr(&(pcp));                                                                        \
	})

/** this_cpu_read(), this_cpu_write() - this CPU's copy */
#define this_cpu_read(pcp)	   READ_ONCE(*PERCPU_WORD(pcp))
#define this_cpu_write(pcp, value) WRITE_ONCE(*PERCPU_WORD(pcp), value)

/** this_cpu_add(), _sub(), _inc(), _dec(), _and(), _or() - change it */
#define this_cpu_add(pcp, n)	percpu_add(PERCPU_WORD(pcp), (u64)(n), sizeof(pcp))
#define this_cpu_sub(pcp, n)	percpu_add(PERCPU_WORD(pcp), 0 - (u64)(n), sizeof(pcp))
#define this_cpu_inc(pcp)	this_cpu_add(pcp, 1)
#define this_cpu_dec(pcp)	this_cpu_sub(pcp, 1)
#define this_cpu_and(pcp, bits) percpu_andnot(PERCPU_WORD(pcp), ~(u64)(bits), sizeof(pcp))
#define this_cpu_or(pcp, bits)	percpu_or(PERCPU_WORD(pcp), (u64)(bits), sizeof(pcp))

/** this_cpu_add_return(), ... - change it and return what it is then */
#define this_cpu_add_return(pcp, n)                                                                  \
	({                                                                                           \
		u64 add_n_ = (u64)(n);                                                               \
		(__typeof__(pcp))(percpu_fetch_add(PERCPU_WORD(pcp), add_n_, sizeof(pcp)) + add_n_); \
	})
#define this_cpu_sub_return(pcp, n) this_cpu_add_return(pcp, 0 - (u64)(n))
#define this_cpu_inc_return(pcp)    this_cpu_add_return(pcp, 1)
#define this_cpu_dec_return(pcp)    this_cpu_sub_return(pcp, 1)

/** this_cpu_xchg() - write it and return what it was */
#define this_cpu_xchg(pcp, value) ({ (__typeof__(pcp))percpu_xchg(PERCPU_WORD(pcp), (u64)(value), sizeof(pcp)); })

/** this_cpu_cmpxchg() - write @value if it is @old. Return: what it was. */
#define this_cpu_cmpxchg(pcp, old, value) \
	({ (__typeof__(pcp))percpu_cmpxchg(PERCPU_WORD(pcp), (u64)(old), (u64)(value), sizeof(pcp)); })

/**
 * this_cpu_try_cmpxchg() - write @value if it is *@oldp; else *@oldp becomes what it is. Return: whether it was
 * written.
 */
#define this_cpu_try_cmpxchg(pcp, oldp, value)                            \
	({                                                                \
		__typeof__(pcp) *try_old_ = (oldp), try_was_ = *try_old_; \
		*try_old_ = this_cpu_cmpxchg(pcp, try_was_, value);       \
		*try_old_ == try_was_;                                    \
	})

/** raw_cpu_ptr(), raw_cpu_read(), ... - the same in plain C */
#define raw_cpu_ptr(ptr)	   this_cpu_ptr(ptr)
#define raw_cpu_read(pcp)	   (*raw_cpu_ptr(&(pcp)))
#define raw_cpu_write(pcp, value)  ((void)(*raw_cpu_ptr(&(pcp)) = (value)))
#define raw_cpu_add(pcp, n)	   ((void)(*raw_cpu_ptr(&(pcp)) += (n)))
#define raw_cpu_sub(pcp, n)	   ((void)(*raw_cpu_ptr(&(pcp)) -= (n)))
#define raw_cpu_inc(pcp)	   raw_cpu_add(pcp, 1)
#define raw_cpu_dec(pcp)	   raw_cpu_sub(pcp, 1)
#define raw_cpu_and(pcp, bits)	   ((void)(*raw_cpu_ptr(&(pcp)) &= (bits)))
#define raw_cpu_or(pcp, bits)	   ((void)(*raw_cpu_ptr(&(pcp)) |= (bits)))
#define raw_cpu_add_return(pcp, n) (*raw_cpu_ptr(&(pcp)) += (n))
#define raw_cpu_xchg(pcp, value)                                 \
	({                                                       \
		__typeof__(pcp) *xchg_at_ = raw_cpu_ptr(&(pcp)); \
		__typeof__(pcp) xchg_was_ = *xchg_at_;           \
		*xchg_at_ = (value);                             \
		xchg_was_;                                       \
	})
#define raw_cpu_cmpxchg(pcp, old, value)                        \
	({                                                      \
		__typeof__(pcp) *cas_at_ = raw_cpu_ptr(&(pcp)); \
		__typeof__(pcp) cas_was_ = *cas_at_;            \
		if (cas_was_ == (old))                          \
			*cas_at_ = (value);                     \
		cas_was_;                                       \
	})

#define __this_cpu_read(pcp)	     raw_cpu_read(pcp)
#define __this_cpu_write(pcp, value) raw_cpu_write(pcp, value)
#define __this_cpu_add(pcp, n)	     raw_cpu_add(pcp, n)
#define __this_cpu_sub(pcp, n)	     raw_cpu_sub(pcp, n)
#define __this_cpu_inc(pcp)	     raw_cpu_inc(pcp)
#define __this_cpu_dec(pcp)	     raw_cpu_dec(pcp)

/** per_cpu() - @cpu's copy of the variable @pcp, to read or write */
#define per_cpu(pcp, cpu) (*per_cpu_ptr(&(pcp), cpu))

/**
 * get_cpu_var(), get_cpu_ptr() - this CPU's copy, and its address; put_cpu_var(), put_cpu_ptr() - it is no longer used
 */
#define get_cpu_var(pcp) (*this_cpu_ptr(&(pcp)))
#define put_cpu_var(pcp) ((void)&(pcp))
#define get_cpu_ptr(ptr) this_cpu_ptr(ptr)
#define put_cpu_ptr(ptr) ((void)(ptr))

#endif
