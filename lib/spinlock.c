// SPDX-License-Identifier: BSD-2-Clause
/* Spinlocks: contract and theory in <lib/spinlock.h>; the order check is lock_debug.c. */
#include <lib/spinlock.h>

#include <asm/atomic.h>
#include <asm/processor.h>

#include "lock_debug.h"

void spin_lock(spinlock_t *lock)
{
	lock_debug_before(lock);
	while (xchg32_acquire(&lock->locked, 1))
		while (READ_ONCE(lock->locked))
			cpu_relax();
	lock_debug_taken(lock);
}

bool spin_trylock(spinlock_t *lock)
{
	if (READ_ONCE(lock->locked) || xchg32_acquire(&lock->locked, 1))
		return false;
	lock_debug_taken(lock);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	lock_debug_release(lock);
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}
