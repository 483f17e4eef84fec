/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device registers.
 *
 * 1. One access is one load or store of its size: assembly, so that the compiler neither splits nor merges it and, in
 *    a virtual machine, the instruction has the plain form that a hypervisor can decode from the syndrome.
 * 2. Accesses to one device keep their order (device memory without reordering, nR). They are not ordered with normal
 *    memory: who hands data to a device or another CPU through a register write uses a barrier, as irq/gicv2.c does.
 */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <lib/types.h>

static __always_inline u32 mmio_read32(const volatile void *addr)
{
	u32 value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static __always_inline void mmio_write32(volatile void *addr, u32 value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static __always_inline u64 mmio_read64(const volatile void *addr)
{
	u64 value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static __always_inline void mmio_write64(volatile void *addr, u64 value)
{
	__asm__ volatile("str %0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static __always_inline void mmio_write8(volatile void *addr, u8 value)
{
	__asm__ volatile("strb %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

#endif
