/* SPDX-License-Identifier: BSD-2-Clause */
/* Host port: the two bases are thread-local variables; a thread is one CPU. */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H

extern __thread void *host_percpu_base, *host_local_base;

static inline void *asm_percpu_base(void)
{
	return host_percpu_base;
}

static inline void asm_set_percpu_base(void *base)
{
	host_percpu_base = base;
}

static inline void *asm_local_base(void)
{
	return host_local_base;
}

static inline void asm_set_local_base(void *base)
{
	host_local_base = base;
}

#endif
