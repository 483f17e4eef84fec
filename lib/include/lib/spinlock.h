/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket spinlocks with a rank.
 *
 * 1. A lock is two 16-bit counters: `next` is the ticket of the next arrival, `owner` the ticket being served.
 *    Arrivals are served in order, so no CPU starves. 2^16 tickets are enough for 2^16 - 1 waiters; NR_CPUS is 64.
 * 2. Acquiring orders later accesses after it, releasing orders earlier ones before it (C11 acquire and release).
 * 3. Every lock that an interrupt handler may take is taken with interrupts masked: spin_lock_irqsave().
 * 4. Each lock has a rank; a CPU takes locks in strictly rising rank. The ranks are the lock-order table in
 *    mm/internal.h and the few below. With CONFIG_MM_DEBUG_LOCKS the order is checked at each acquisition, and a
 *    lock released by a CPU that does not hold it is reported.
 *
 * Cost uncontended: about ten instructions to take, two to release.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include <lib/types.h>

#include <asm/irqflags.h>

/* Ranks above all of mm's: taken last, anything may be held. */
enum lib_lock_rank {
	LOCK_RANK_LOG = 200,
};

typedef struct spinlock {
	union {
		u32 both;
		struct {
			u16 owner;
			u16 next;
		};
	};
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

/** spin_is_locked() - whether some CPU holds @lock at this moment */
static inline bool spin_is_locked(spinlock_t *lock)
{
	u32 both = READ_ONCE(lock->both);

	return (both & 0xffff) != both >> 16;
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
