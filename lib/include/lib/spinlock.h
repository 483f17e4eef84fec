/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks with a rank.
 *
 * 1. A lock is one word, 0 or 1. Whoever changes it from 0 to 1 has it; who waits reads it until it is 0 before trying
 *    again, so that waiting writes nothing. There is no order among those who wait: in a guest a queue would hand the
 *    lock to a CPU that its host does not run at the moment, and all others behind it would wait for that host. What
 *    is done under a lock is short, and the per-CPU caches in front keep contention low.
 * 2. Acquiring orders later accesses after it, releasing orders earlier ones before it (C11 acquire and release).
 * 3. Every lock that an interrupt handler may take is taken with interrupts masked: spin_lock_irqsave().
 * 4. Each lock has a rank; a CPU takes locks in strictly rising rank. The ranks are the lock-order table in
 *    mm/internal.h and the few below. With CONFIG_MM_DEBUG_LOCKS the order is checked at each acquisition, and a
 *    lock released by a CPU that does not hold it is reported.
 *
 * Cost uncontended: about six instructions to take, one to release, and the calls.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include <lib/types.h>

#include <asm/atomic.h>
#include <asm/irqflags.h>

/* Ranks above all of mm's: taken last, anything may be held. */
enum lib_lock_rank {
	LOCK_RANK_LOG = 200,
};

typedef struct spinlock {
	u32 locked;
	u16 rank;
	const char *name;
} spinlock_t;

#define SPINLOCK_INIT(lock_name, lock_rank)              \
	{                                                \
		.rank = (lock_rank), .name = (lock_name) \
	}
#define DEFINE_SPINLOCK(var, lock_rank) spinlock_t var = SPINLOCK_INIT(#var, lock_rank)

static inline void spin_lock_init(spinlock_t *lock, const char *name, u16 rank)
{
	*lock = (spinlock_t)SPINLOCK_INIT(name, rank);
}

/** spin_lock() - wait for @lock and take it. The caller has masked interrupts if a handler takes it too. */
void spin_lock(spinlock_t *lock);

/** spin_trylock() - take @lock if it is free now. Return: whether it was taken. */
bool spin_trylock(spinlock_t *lock);

/** spin_unlock() - let go of @lock */
void spin_unlock(spinlock_t *lock);

/*
 * spin_trylock() and spin_unlock() without a call where the order of locks is not checked: for the few paths that count
 * instructions.
 */
#ifdef CONFIG_MM_DEBUG_LOCKS
#define spin_trylock_inline spin_trylock
#define spin_unlock_inline  spin_unlock
#else
static __always_inline bool spin_trylock_inline(spinlock_t *lock)
{
	return !xchg32_acquire(&lock->locked, 1);
}

static __always_inline void spin_unlock_inline(spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}
#endif

/** spin_is_locked() - whether some CPU holds @lock at this moment */
static inline bool spin_is_locked(spinlock_t *lock)
{
	return READ_ONCE(lock->locked);
}

/** spin_lock_irqsave() - mask interrupts, then take @lock. Return: the flags for spin_unlock_irqrestore(). */
static inline unsigned long spin_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = local_irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

#endif
