/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: device registers. A "device" is a piece of the memory file that is no RAM. Accesses are atomic, the
 * ordered forms sequentially consistent, so that ThreadSanitizer sees the order that they promise.
 */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <lib/types.h>

#define __iomem

#define readb_relaxed(addr) __atomic_load_n((const volatile u8 *)(addr), __ATOMIC_RELAXED)
#define readw_relaxed(addr) __atomic_load_n((const volatile u16 *)(addr), __ATOMIC_RELAXED)
#define readl_relaxed(addr) __atomic_load_n((const volatile u32 *)(addr), __ATOMIC_RELAXED)
#define readq_relaxed(addr) __atomic_load_n((const volatile u64 *)(addr), __ATOMIC_RELAXED)

#define writeb_relaxed(value, addr) __atomic_store_n((volatile u8 *)(addr), (value), __ATOMIC_RELAXED)
#define writew_relaxed(value, addr) __atomic_store_n((volatile u16 *)(addr), (value), __ATOMIC_RELAXED)
#define writel_relaxed(value, addr) __atomic_store_n((volatile u32 *)(addr), (value), __ATOMIC_RELAXED)
#define writeq_relaxed(value, addr) __atomic_store_n((volatile u64 *)(addr), (value), __ATOMIC_RELAXED)

#define readb(addr) __atomic_load_n((const volatile u8 *)(addr), __ATOMIC_SEQ_CST)
#define readw(addr) __atomic_load_n((const volatile u16 *)(addr), __ATOMIC_SEQ_CST)
#define readl(addr) __atomic_load_n((const volatile u32 *)(addr), __ATOMIC_SEQ_CST)
#define readq(addr) __atomic_load_n((const volatile u64 *)(addr), __ATOMIC_SEQ_CST)

#define writeb(value, addr) __atomic_store_n((volatile u8 *)(addr), (value), __ATOMIC_SEQ_CST)
#define writew(value, addr) __atomic_store_n((volatile u16 *)(addr), (value), __ATOMIC_SEQ_CST)
#define writel(value, addr) __atomic_store_n((volatile u32 *)(addr), (value), __ATOMIC_SEQ_CST)
#define writeq(value, addr) __atomic_store_n((volatile u64 *)(addr), (value), __ATOMIC_SEQ_CST)

#endif
