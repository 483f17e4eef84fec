/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters that many CPUs change often and that are read seldom.
 *
 *	value = count + the parts of all CPUs;  |part| < batch for every batch that it was changed with
 *
 * 1. A change goes to this CPU's part, which no other CPU writes; a part that would reach the batch goes into @count,
 *    under the lock. So the value is off from @count by less than batch for each CPU.
 * 2. percpu_counter_read() is @count, in one load. percpu_counter_sum() adds the parts and is exact when nobody changes
 *    the counter meanwhile; otherwise it is a value that the counter had, give or take what was changed during the
 *    call.
 * 3. percpu_counter_set() is for when nobody else changes the counter.
 *
 * Functions named as in Linux do what those do. Context: any, handlers too, unless said.
 */
#ifndef MM_PERCPU_COUNTER_H
#define MM_PERCPU_COUNTER_H

#include <lib/spinlock.h>
#include <mm/gfp_types.h>
#include <mm/percpu.h>

/**
 * struct percpu_counter - one counter
 * @lock: for @count, with the parts that go into it
 * @count: (l) what has left the CPUs' parts; read at any time
 * @counters: (c) the parts, per CPU, by this_cpu operations of their CPU; NULL when it is not initialised
 *
 * Letters: (l) @lock, (c) constant between init and destroy.
 */
struct percpu_counter {
	spinlock_t lock;
	s64 count;
	s32 *counters;
};

/* What parts stay below by default: twice the CPUs, at least 32. Constant after setup_per_cpu_areas(). */
extern s32 percpu_counter_batch;

/**
 * percpu_counter_init() - a counter of value @amount. Context: as alloc_percpu_gfp(@gfp). Return: 0, or -ENOMEM and
 * nothing done.
 */
int percpu_counter_init(struct percpu_counter *counter, s64 amount, gfp_t gfp) __must_check;

/**
 * percpu_counter_destroy() - nobody uses @counter any more; one that is not initialised, or destroyed already, is left
 * alone
 */
void percpu_counter_destroy(struct percpu_counter *counter);

/** percpu_counter_initialized() - whether it can be used */
static inline bool percpu_counter_initialized(const struct percpu_counter *counter)
{
	return counter->counters;
}

/**
 * percpu_counter_add_batch() - add @amount; the part stays below @batch, at least 1. Cost: about 40 instructions, the
 * lock once in a batch.
 */
void percpu_counter_add_batch(struct percpu_counter *counter, s64 amount, s32 batch);

/** percpu_counter_set() - it is @amount now. Context: nobody changes it meanwhile. */
void percpu_counter_set(struct percpu_counter *counter, s64 amount);

/** percpu_counter_sync() - move this CPU's part into @count */
void percpu_counter_sync(struct percpu_counter *counter);

/** percpu_counter_sum() - the value. Cost: O(CPUs), and the lock. */
s64 percpu_counter_sum(struct percpu_counter *counter);

/**
 * percpu_counter_compare() - the value less @rhs, as -1, 0 or 1; of @count alone when that is far enough from @rhs for
 * @batch to make no difference
 */
int __percpu_counter_compare(struct percpu_counter *counter, s64 rhs, s32 batch);

static inline int percpu_counter_compare(struct percpu_counter *counter, s64 rhs)
{
	return __percpu_counter_compare(counter, rhs, percpu_counter_batch);
}

/** percpu_counter_add(), _sub(), _inc(), _dec() - with the default batch */
static inline void percpu_counter_add(struct percpu_counter *counter, s64 amount)
{
	percpu_counter_add_batch(counter, amount, percpu_counter_batch);
}

static inline void percpu_counter_sub(struct percpu_counter *counter, s64 amount)
{
	percpu_counter_add(counter, -amount);
}

static inline void percpu_counter_inc(struct percpu_counter *counter)
{
	percpu_counter_add(counter, 1);
}

static inline void percpu_counter_dec(struct percpu_counter *counter)
{
	percpu_counter_add(counter, -1);
}

/** percpu_counter_read() - the value, off by less than batch for each CPU. Cost: a load. */
static inline s64 percpu_counter_read(struct percpu_counter *counter)
{
	return READ_ONCE(counter->count);
}

/** percpu_counter_read_positive() - the same, 0 when that is negative, as it may be of a value that never is */
static inline s64 percpu_counter_read_positive(struct percpu_counter *counter)
{
	s64 count = percpu_counter_read(counter);

	return count > 0 ? count : 0;
}

/** percpu_counter_sum_positive() - percpu_counter_sum(), 0 when that is negative */
static inline s64 percpu_counter_sum_positive(struct percpu_counter *counter)
{
	s64 sum = percpu_counter_sum(counter);

	return sum > 0 ? sum : 0;
}

#endif
