// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ticket spinlocks: see <lib/spinlock.h> for the contract; the order check is lib/lock_debug.c or its stub.
 */
#include <lib/spinlock.h>

#include <asm/processor.h>

#include "lock_debug.h"

_Static_assert(offsetof(spinlock_t, next) == 2 && offsetof(spinlock_t, owner) == 0, "trylock sets both halves at once");

#define TICKET_INC 0x10000u

void spin_lock(spinlock_t *lock)
{
	lock_debug_before(lock);
	u16 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		cpu_relax();
	lock_debug_taken(lock);
}

bool spin_trylock(spinlock_t *lock)
{
	u32 seen = READ_ONCE(lock->both);

	if ((seen & 0xffff) != seen >> 16)
		return false;
	if (!__atomic_compare_exchange_n(&lock->both, &seen, seen + TICKET_INC, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	lock_debug_taken(lock);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	lock_debug_release(lock);
	__atomic_store_n(&lock->owner, (u16)(READ_ONCE(lock->owner) + 1), __ATOMIC_RELEASE);
}
