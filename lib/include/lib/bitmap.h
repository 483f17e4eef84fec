/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps of 64-bit words. Single bits change atomically, so that neighbours in a word may have different locks.
 * Ranges do not: their caller has the whole map to itself.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

static inline bool bit_test(const u64 *map, unsigned long bit)
{
	return READ_ONCE(map[bit / 64]) >> (bit % 64) & 1;
}

/** bit_set() - orders what was written before it for whoever sees the bit set with bit_test_acquire() */
static inline void bit_set(u64 *map, unsigned long bit)
{
	__atomic_fetch_or(&map[bit / 64], 1ULL << (bit % 64), __ATOMIC_RELEASE);
}

static inline bool bit_test_acquire(const u64 *map, unsigned long bit)
{
	return __atomic_load_n(&map[bit / 64], __ATOMIC_ACQUIRE) >> (bit % 64) & 1;
}

static inline void bit_clear(u64 *map, unsigned long bit)
{
	__atomic_fetch_and(&map[bit / 64], ~(1ULL << (bit % 64)), __ATOMIC_RELAXED);
}

/* Bits [bit, bit + n) of one word, n + bit <= 64. */
static inline u64 bits_mask(unsigned long bit, unsigned long n)
{
	return (n == 64 ? ~0ULL : (1ULL << n) - 1) << bit;
}

/** bits_set_range() - set bits [first, first + n). Cost: O(words). */
static inline void bits_set_range(u64 *map, unsigned long first, unsigned long n)
{
	while (n) {
		unsigned long bit = first % 64, part = min(n, 64 - bit);

		map[first / 64] |= bits_mask(bit, part);
		first += part;
		n -= part;
	}
}

/** bits_clear_range() - clear bits [first, first + n). Cost: O(words). */
static inline void bits_clear_range(u64 *map, unsigned long first, unsigned long n)
{
	while (n) {
		unsigned long bit = first % 64, part = min(n, 64 - bit);

		map[first / 64] &= ~bits_mask(bit, part);
		first += part;
		n -= part;
	}
}

#endif
