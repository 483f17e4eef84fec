/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed-width types and the few macros every file uses.
 *
 * u64 is `unsigned long long` on every port, so that "%llx" prints it everywhere.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

/** typedef phys_addr_t - a physical address or a size of physical memory, in bytes */
typedef u64 phys_addr_t;

_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "memstage is written for LP64");
_Static_assert(sizeof(u64) == 8 && sizeof(u32) == 4 && sizeof(u16) == 2, "fixed-width types");

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)	      (1UL << (n))

/* @a is a power of two; the result has the type of @x. */
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN(x, a)	 ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define min(a, b)                                  \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define max(a, b)                                  \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* C libraries have some of these names too, for the same things. */
#undef __noinline
#undef __always_inline
#undef __aligned
#undef __section
#undef __used
#undef __malloc_like

#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))
#define __noinline	     __attribute__((noinline))
#define __no_sanitize_thread __attribute__((noinline, no_sanitize("thread"))) /* reads what others write, and says so */
#define __always_inline	     inline __attribute__((always_inline))
#define __aligned(n)	     __attribute__((aligned(n)))
#define __section(name)	     __attribute__((section(name)))
#define __used		     __attribute__((used))
#define __maybe_unused	     __attribute__((unused))
#define __must_check	     __attribute__((warn_unused_result))
#define __malloc_like	     __attribute__((malloc))

/*
 * Read or write a shared variable exactly once, without ordering. ThreadSanitizer has to be told that these do not
 * race; else they are volatile accesses, for gcc does not fold an offset into the address of an atomic one.
 *
 * READ_CONST() reads what never changes, but is part of a word that others exchange atomically: nothing more than a
 * read, of which ThreadSanitizer has to be told, for it takes an exchange that fails for a store, too.
 */
#ifdef __SANITIZE_THREAD__
#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define READ_CONST(x)	 READ_ONCE(x)
#else
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) ((void)(*(volatile __typeof__(x) *)&(x) = (v)))
#define READ_CONST(x)	 (x)
#endif

/* Add to a variable that has one writer at a time, while others may read it with READ_ONCE(). */
#define ADD_ONCE(x, n) WRITE_ONCE(x, (x) + (n))

#endif
