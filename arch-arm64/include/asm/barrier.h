/* SPDX-License-Identifier: BSD-2-Clause */
/* Barriers of the architecture (Arm ARM B2.3). Ordering between CPUs in plain C uses the compiler's atomics instead. */
#ifndef ASM_BARRIER_H
#define ASM_BARRIER_H

/* Context synchronisation: what follows sees the system registers and translations set before. */
#define isb() __asm__ volatile("isb" : : : "memory")

/* Data barriers; @scope is sy, ish, ishst, nsh, nshst, ... */
#define dsb(scope) __asm__ volatile("dsb " #scope : : : "memory")
#define dmb(scope) __asm__ volatile("dmb " #scope : : : "memory")

#endif
