// SPDX-License-Identifier: BSD-2-Clause
/* Counters with a part on each CPU: contract and theory in <mm/percpu_counter.h>. */
#include <mm/percpu_counter.h>

#include <errno.h>
#include <lib/smp.h>

#include "internal.h"

s32 percpu_counter_batch = 32;

int percpu_counter_init(struct percpu_counter *counter, s64 amount, gfp_t gfp)
{
	s32 *counters = alloc_percpu_gfp(s32, gfp);

	if (!counters)
		return -ENOMEM;
	spin_lock_init(&counter->lock, "percpu counter", LOCK_RANK_PERCPU_COUNTER);
	counter->count = amount;
	counter->counters = counters;
	return 0;
}

void percpu_counter_destroy(struct percpu_counter *counter)
{
	free_percpu(counter->counters);
	counter->counters = NULL;
}

/* This CPU's part, and @amount, into the count. What a handler adds to the part before the exchange goes along. */
static __noinline void fold(struct percpu_counter *counter, s64 amount)
{
	unsigned long flags = spin_lock_irqsave(&counter->lock);

	amount += this_cpu_xchg(*counter->counters, 0);
	WRITE_ONCE(counter->count, counter->count + amount);
	spin_unlock_irqrestore(&counter->lock, flags);
}

void percpu_counter_add_batch(struct percpu_counter *counter, s64 amount, s32 batch)
{
	s32 part = this_cpu_read(*counter->counters);

	/* Between -@batch and @batch, in one comparison: modulo 2^64 no sum comes out there that is not there. */
	while ((u64)part + (u64)amount + (u64)batch - 1 < 2 * (u64)batch - 1)
		if (this_cpu_try_cmpxchg(*counter->counters, &part, (s32)(part + amount)))
			return;
	fold(counter, amount);
}

void percpu_counter_sync(struct percpu_counter *counter)
{
	fold(counter, 0);
}

void percpu_counter_set(struct percpu_counter *counter, s64 amount)
{
	unsigned long flags = spin_lock_irqsave(&counter->lock);

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		WRITE_ONCE(*per_cpu_ptr(counter->counters, cpu), 0);
	WRITE_ONCE(counter->count, amount);
	spin_unlock_irqrestore(&counter->lock, flags);
}

s64 percpu_counter_sum(struct percpu_counter *counter)
{
	unsigned long flags = spin_lock_irqsave(&counter->lock);
	s64 sum = counter->count;

	for (int cpu = 0; cpu < nr_cpu_ids; cpu++)
		sum += READ_ONCE(*per_cpu_ptr(counter->counters, cpu));
	spin_unlock_irqrestore(&counter->lock, flags);
	return sum;
}

int __percpu_counter_compare(struct percpu_counter *counter, s64 rhs, s32 batch)
{
	s64 value = percpu_counter_read(counter), margin = (s64)batch * nr_cpu_ids;

	if (value - rhs <= margin && rhs - value <= margin)
		value = percpu_counter_sum(counter);
	return (value > rhs) - (value < rhs);
}
