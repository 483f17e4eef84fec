/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutexes: for what takes long, cross calls included, in thread context only.
 *
 * 1. Nothing sleeps here: who waits spins with interrupts unmasked, so it answers cross calls, and the holder may make
 *    them. That is what a spinlock, held with interrupts masked, does not allow.
 * 2. So a mutex is taken with interrupts unmasked, outside of interrupt handlers, and with no spinlock held: it stands
 *    in front of the whole lock order. Anything else panics, whether or not somebody holds the mutex at the moment.
 * 3. A CPU has one thread, so the holder is a CPU. One that takes a mutex twice, or lets go of one that it does not
 *    hold, panics.
 */
#ifndef LIB_MUTEX_H
#define LIB_MUTEX_H

#include <lib/types.h>

/**
 * struct mutex - one mutex
 * @holder: 0 when free, else the number of the CPU that holds it, plus 1. Atomic.
 * @name: for reports
 */
struct mutex {
	u32 holder;
	const char *name;
};

#define DEFINE_MUTEX(var) struct mutex var = { .name = #var }

/** mutex_lock() - wait for @mutex and take it. Context: where arch_cross_call_ok(). */
void mutex_lock(struct mutex *mutex);

/** mutex_unlock() - let go of @mutex */
void mutex_unlock(struct mutex *mutex);

#endif
