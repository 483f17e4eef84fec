/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: device registers. A "device" is a piece of the memory file that is no RAM. Accesses are atomic, the ordered forms
 * sequentially consistent, so that ThreadSanitizer sees the order that they promise.
 */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <lib/types.h>

#define __iomem

/* clang-format off */
#define DEVICE_ACCESS(size, type)							\
	static inline type read##size##_relaxed(const volatile void *addr)		\
	{										\
		return __atomic_load_n((const volatile type *)addr, __ATOMIC_RELAXED);	\
	}										\
	static inline type read##size(const volatile void *addr)			\
	{										\
		return __atomic_load_n((const volatile type *)addr, __ATOMIC_SEQ_CST);	\
	}										\
	static inline void write##size##_relaxed(type value, volatile void *addr)	\
	{										\
		__atomic_store_n((volatile type *)addr, value, __ATOMIC_RELAXED);	\
	}										\
	static inline void write##size(type value, volatile void *addr)			\
	{										\
		__atomic_store_n((volatile type *)addr, value, __ATOMIC_SEQ_CST);	\
	}
/* clang-format on */

DEVICE_ACCESS(b, u8)
DEVICE_ACCESS(w, u16)
DEVICE_ACCESS(l, u32)
DEVICE_ACCESS(q, u64)
#undef DEVICE_ACCESS

#endif
