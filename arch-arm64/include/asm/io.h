/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device registers.
 *
 * 1. One access is one load or store of its size: assembly, so that the compiler neither splits nor merges it and, in
 *    a virtual machine, the instruction has the plain form that a hypervisor can decode from the syndrome.
 * 2. Accesses to one device keep their order (device memory without reordering, nR). The mmio_...() and ..._relaxed()
 *    forms are not ordered with normal memory: who hands data to a device or another CPU through a register write uses
 *    a barrier, as irq/gicv2.c does.
 * 3. readb() to writeq() are, as on Linux: what was written to memory before a write is seen by the device, and by
 *    whoever the device tells, before the write is (DMB OSHST in front); what is read from memory after a read, and a
 *    delay after it, comes after the read has its value (DMB OSHLD behind, and a branch that depends on the value).
 * 4. They are for what ioremap() and its kin map (<mm/io.h>). Values are little-endian, as the CPU is. Context: any.
 */
#ifndef ASM_IO_H
#define ASM_IO_H

#include <lib/types.h>

#include <asm/barrier.h>

/* Marks addresses of device memory; for readers, the compiler does not look. */
#define __iomem

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

static __always_inline void mmio_write16(volatile void *addr, u16 value)
{
	__asm__ volatile("strh %w0, [%1]" : : "r"(value), "r"(addr) : "memory");
}

static __always_inline u8 mmio_read8(const volatile void *addr)
{
	u32 value;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return (u8)value;
}

static __always_inline u16 mmio_read16(const volatile void *addr)
{
	u32 value;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return (u16)value;
}

/* Nothing that follows is done, not even an instruction that reads a counter, before @value has come. */
static __always_inline void mmio_read_done(u64 value)
{
	u64 zero;

	dmb(oshld);
	__asm__ volatile("eor	%0, %1, %1\n\t"
			 "cbnz	%0, ."
			 : "=r"(zero)
			 : "r"(value)
			 : "memory");
}

#define readb_relaxed(addr)	    mmio_read8(addr)
#define readw_relaxed(addr)	    mmio_read16(addr)
#define readl_relaxed(addr)	    mmio_read32(addr)
#define readq_relaxed(addr)	    mmio_read64(addr)
#define writeb_relaxed(value, addr) mmio_write8((addr), (value))
#define writew_relaxed(value, addr) mmio_write16((addr), (value))
#define writel_relaxed(value, addr) mmio_write32((addr), (value))
#define writeq_relaxed(value, addr) mmio_write64((addr), (value))

/* clang-format off */
#define ORDERED_ACCESS(size, type)							\
	static __always_inline type read##size(const volatile void __iomem *addr)	\
	{										\
		type value = read##size##_relaxed(addr);				\
											\
		mmio_read_done(value);							\
		return value;								\
	}										\
	static __always_inline void write##size(type value, volatile void __iomem *addr) \
	{										\
		dmb(oshst);								\
		write##size##_relaxed(value, addr);					\
	}
/* clang-format on */

ORDERED_ACCESS(b, u8)
ORDERED_ACCESS(w, u16)
ORDERED_ACCESS(l, u32)
ORDERED_ACCESS(q, u64)
#undef ORDERED_ACCESS

#endif
