/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bitmaps of 64-bit words. Single bits change atomically, so that neighbours in a word may have different locks.
 * Ranges do not: their caller has the whole map to itself.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

#include <asm/atomic.h>

static inline bool bit_test(const u64 *map, unsigned long bit)
{
	return READ_ONCE(map[bit / 64]) >> (bit % 64) & 1;
}

/** bit_set() - orders what was written before it for whoever sees the bit set with bit_test_acquire() */
static inline void bit_set(u64 *map, unsigned long bit)
{
	or64_release(&map[bit / 64], 1ULL << (bit % 64));
}

static inline bool bit_test_acquire(const u64 *map, unsigned long bit)
{
	return __atomic_load_n(&map[bit / 64], __ATOMIC_ACQUIRE) >> (bit % 64) & 1;
}

static inline void bit_clear(u64 *map, unsigned long bit)
{
	andnot64(&map[bit / 64], 1ULL << (bit % 64));
}

/* Bits [bit, bit + n) of one word, n + bit <= 64. */
static inline u64 bits_mask(unsigned long bit, unsigned long n)
{
	return (n == 64 ? ~0ULL : (1ULL << n) - 1) << bit;
}

/** bits_set_range() - set bits [first, first + n). Cost: O(words). */
static inline void bits_set_range(u64 *map, unsigned long first, unsigned long n)
{
	u64 *word = &map[first / 64];
	unsigned long head = min(n, 64 - first % 64);

	if (!n)
		return;
	*word++ |= bits_mask(first % 64, head);
	for (n -= head; n >= 64; n -= 64)
		*word++ = ~0ULL;
	if (n)
		*word |= bits_mask(0, n);
}

/** bits_clear_range() - clear bits [first, first + n). Cost: O(words). */
static inline void bits_clear_range(u64 *map, unsigned long first, unsigned long n)
{
	u64 *word = &map[first / 64];
	unsigned long head = min(n, 64 - first % 64);

	if (!n)
		return;
	*word++ &= ~bits_mask(first % 64, head);
	for (n -= head; n >= 64; n -= 64)
		*word++ = 0;
	if (n)
		*word &= ~bits_mask(0, n);
}

/* Whether each of eight words is @fill. */
static inline bool words_are(const u64 *word, u64 fill)
{
	u64 low = (word[0] ^ fill) | (word[1] ^ fill) | (word[2] ^ fill) | (word[3] ^ fill);

	return !(low | (word[4] ^ fill) | (word[5] ^ fill) | (word[6] ^ fill) | (word[7] ^ fill));
}

/* The first bit of [bit, end) that is not as in @fill, all ones or all zeros; words that are alike go by in eights. */
static inline unsigned long bits_find(const u64 *map, unsigned long bit, unsigned long end, u64 fill)
{
	const u64 *word = &map[bit / 64], *last = &map[DIV_ROUND_UP(end, 64)];
	u64 bits;

	if (bit >= end)
		return end;
	bits = (*word ^ fill) & (~0ULL << (bit % 64));
	while (!bits) {
		word++;
		while (last - word >= 8 && words_are(word, fill))
			word += 8;
		if (word == last)
			return end;
		bits = *word ^ fill;
	}
	return min((unsigned long)(word - map) * 64 + (unsigned long)__builtin_ctzll(bits), end);
}

/** bits_next_set() - the first bit of [bit, end) that is set, @end when none is. Cost: O(words). */
static inline unsigned long bits_next_set(const u64 *map, unsigned long bit, unsigned long end)
{
	return bits_find(map, bit, end, 0);
}

/** bits_next_clear() - the first bit of [bit, end) that is clear, @end when none is. Cost: O(words). */
static inline unsigned long bits_next_clear(const u64 *map, unsigned long bit, unsigned long end)
{
	return bits_find(map, bit, end, ~0ULL);
}

#endif
