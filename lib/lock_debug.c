// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lock-order check.
 *
 * 1. Each CPU has a record of the locks it holds, in the order of taking. Only that CPU touches it, and all locks are
 *    held with interrupts masked, so nothing else is needed.
 * 2. A lock may be waited for only when its rank is above that of the lock taken last. Two locks of one rank are never
 *    held together. A trylock waits for nothing, so it is recorded but not checked.
 * 3. The report names both locks and their ranks. It ends the run: the order is wrong whether or not it deadlocked now.
 */
#include "lock_debug.h"

#include <lib/printk.h>

#include <asm/smp.h>

#define HELD_MAX 8

static struct held_locks {
	u32 nr;
	const spinlock_t *lock[HELD_MAX];
} __aligned(64) held_locks[CONFIG_NR_CPUS];

static struct held_locks *this_held(void)
{
	return &held_locks[smp_processor_id()];
}

void lock_debug_before(const spinlock_t *lock)
{
	const struct held_locks *held = this_held();
	const spinlock_t *last;

	if (!held->nr)
		return;
	last = held->lock[held->nr - 1];
	if (lock->rank <= last->rank)
		panic("lock order: CPU %d waits for %s (rank %u) while it holds %s (rank %u)", smp_processor_id(),
		      lock->name, lock->rank, last->name, last->rank);
}

void lock_debug_taken(const spinlock_t *lock)
{
	struct held_locks *held = this_held();

	if (held->nr == HELD_MAX)
		panic("lock order: CPU %d holds %u locks and takes %s", smp_processor_id(), held->nr, lock->name);
	held->lock[held->nr++] = lock;
}

void lock_debug_release(const spinlock_t *lock)
{
	struct held_locks *held = this_held();
	u32 i = held->nr;

	while (i && held->lock[i - 1] != lock)
		i--;
	if (!i)
		panic("lock order: CPU %d releases %s, which it does not hold", smp_processor_id(), lock->name);
	for (; i < held->nr; i++)
		held->lock[i - 1] = held->lock[i];
	held->nr--;
}
