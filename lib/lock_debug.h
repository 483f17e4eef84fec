/* SPDX-License-Identifier: BSD-2-Clause */
/* The lock-order check of CONFIG_MM_DEBUG_LOCKS; without it, nothing. */
#ifndef LIB_LOCK_DEBUG_H
#define LIB_LOCK_DEBUG_H

#include <lib/spinlock.h>

#ifdef CONFIG_MM_DEBUG_LOCKS

/** lock_debug_before() - @lock is about to be waited for: panics when the order forbids it or it is held already */
void lock_debug_before(const spinlock_t *lock);

/** lock_debug_taken() - this CPU now holds @lock */
void lock_debug_taken(const spinlock_t *lock);

/** lock_debug_release() - this CPU lets go of @lock: panics when it does not hold it */
void lock_debug_release(const spinlock_t *lock);

#else

static inline void lock_debug_before(const spinlock_t *lock)
{
	(void)lock;
}

static inline void lock_debug_taken(const spinlock_t *lock)
{
	(void)lock;
}

static inline void lock_debug_release(const spinlock_t *lock)
{
	(void)lock;
}

#endif

#endif
