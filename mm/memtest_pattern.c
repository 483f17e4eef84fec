// SPDX-License-Identifier: BSD-2-Clause
/*
 * The memory test's patterns: what is written where, and the two loops that touch every word.
 *
 * 1. Pattern 2g + 1 is the complement of pattern 2g: a pair shows every bit as 0 and as 1, so each pair alone finds
 *    every bit that is stuck.
 * 2. The order finds most with few. Pair 0 is a word's own address: no two words are equal, so wires of the address bus
 *    that are stuck or shorted show as words that took another's place. Pair 1 is random: neighbouring bits and words
 *    differ in all ways. Pair 2 is all zeros and all ones: cells that lose their charge. From pair 3 on a single one
 *    (in the complement, a single zero) walks from bit to bit with the address, alternating with new random numbers;
 *    each walk begins a bit further, so after 64 of them every bit of every word was once alone. That is all there is:
 *    2 * (3 + 2 * 64) = 262 patterns.
 * 3. A word's value depends on its physical address only, so any CPU can write or check any part, in any order.
 * 4. One 64-byte block at a time, in registers: a rule makes the next word from the one before in one to four
 *    instructions. Differences of a block are ORed; only a block with a difference is looked at word by word, with the
 *    values as they were read: a cell that is wrong once in a while may be right the second time.
 * 5. The rule is a constant in each of the loops, which the compiler makes from one inline function.
 */
#include "memtest.h"

#include <lib/printk.h>
#include <mm/memtest.h>

#define WORD  sizeof(u64)
#define BLOCK 8 /* words in a block */

/* Where pair 3 begins, and how many walks there are. */
#define FIRST_MIXED 3
#define WALKS	    64

_Static_assert(MEMTEST_MAX_PATTERNS == 2 * (FIRST_MIXED + 2 * WALKS), "as derived above");

/* 2^64 divided by the golden ratio, made odd: its multiples are spread evenly. */
#define GOLDEN	   0x9e3779b97f4a7c15ULL
#define MULTIPLIER 0xd6e8feb86659fd93ULL

static u64 rotate(u64 x, unsigned int by)
{
	return x << (by % 64) | x >> (-by % 64);
}

static u64 hash(u64 x)
{
	x ^= x >> 32;
	x *= MULTIPLIER;
	return x ^ x >> 32;
}

struct memtest_pattern memtest_pattern(unsigned int number, u64 seed)
{
	static const char *const names[][2] = {
		{ "own address", "own address, inverted" },
		{ "random", "random, inverted" },
		{ "zeros", "ones" },
		{ "walking ones", "walking zeros" },
	};
	unsigned int pair = number / 2, mixed = pair - FIRST_MIXED;
	unsigned int name = pair < FIRST_MIXED ? pair : mixed % 2 ? 1 : 3;
	u64 invert = number % 2 ? ~0ULL : 0;
	struct memtest_pattern p = { .number = number, .name = names[name][number % 2], .start = invert };

	BUG_ON(number >= MEMTEST_MAX_PATTERNS);
	if (name == 0) {
		/* ~(x + 8) is ~x - 8. */
		p.step = invert ? -(u64)WORD : WORD;
	} else if (name == 1) {
		p.kind = PATTERN_RANDOM;
		p.start = hash(seed + pair);
		p.step = invert;
	} else if (name == 3) {
		p.kind = PATTERN_WALK;
		p.start = rotate(1, mixed / 2) ^ invert;
	}
	return p;
}

/* The state of the rule at the word of @pa; next_word() makes the words from it, one after the other. */
static u64 state_at(const struct memtest_pattern *p, phys_addr_t pa)
{
	u64 word = pa / WORD;

	if (p->kind == PATTERN_LINEAR)
		return p->start + word * p->step;
	if (p->kind == PATTERN_WALK)
		return rotate(p->start, word % 64);
	return p->start + word * GOLDEN;
}

static __always_inline u64 next_word(enum pattern_kind kind, u64 *state, u64 step)
{
	u64 word = *state;

	if (kind == PATTERN_LINEAR) {
		*state += step;
		return word;
	}
	if (kind == PATTERN_WALK) {
		*state = rotate(word, 1);
		return word;
	}
	*state += GOLDEN;
	word ^= word >> 32;
	return (word * MULTIPLIER) ^ step;
}

u64 memtest_word(const struct memtest_pattern *pattern, phys_addr_t pa)
{
	u64 state = state_at(pattern, pa);

	return next_word(pattern->kind, &state, pattern->step);
}

static __always_inline void fill(enum pattern_kind kind, u64 *words, const u64 *end, u64 state, u64 step)
{
	for (; words < end; words += BLOCK) {
		words[0] = next_word(kind, &state, step);
		words[1] = next_word(kind, &state, step);
		words[2] = next_word(kind, &state, step);
		words[3] = next_word(kind, &state, step);
		words[4] = next_word(kind, &state, step);
		words[5] = next_word(kind, &state, step);
		words[6] = next_word(kind, &state, step);
		words[7] = next_word(kind, &state, step);
	}
}

void memtest_fill(const struct memtest_pattern *p, u64 *words, size_t size)
{
	const u64 *end = words + size / WORD;
	u64 state = state_at(p, __pa(words));

	if (p->kind == PATTERN_LINEAR)
		fill(PATTERN_LINEAR, words, end, state, p->step);
	else if (p->kind == PATTERN_WALK)
		fill(PATTERN_WALK, words, end, state, p->step);
	else
		fill(PATTERN_RANDOM, words, end, state, p->step);
}

/* A block that was read as @seen is not as written. */
static __noinline void note_block(const struct memtest_pattern *p, phys_addr_t pa, const u64 *seen,
				  struct bad_table *bad)
{
	for (int i = 0; i < BLOCK; i++, pa += WORD) {
		u64 expected = memtest_word(p, pa);

		if (seen[i] != expected)
			bad_word(bad, pa, p->number, expected, seen[i]);
	}
}

static __always_inline void verify(enum pattern_kind kind, const struct memtest_pattern *p, const u64 *words,
				   const u64 *end, struct bad_table *bad)
{
	u64 state = state_at(p, __pa(words)), step = p->step;

	for (; words < end; words += BLOCK) {
		u64 w0 = words[0], w1 = words[1], w2 = words[2], w3 = words[3];
		u64 w4 = words[4], w5 = words[5], w6 = words[6], w7 = words[7];
		u64 wrong = w0 ^ next_word(kind, &state, step);

		wrong |= w1 ^ next_word(kind, &state, step);
		wrong |= w2 ^ next_word(kind, &state, step);
		wrong |= w3 ^ next_word(kind, &state, step);
		wrong |= w4 ^ next_word(kind, &state, step);
		wrong |= w5 ^ next_word(kind, &state, step);
		wrong |= w6 ^ next_word(kind, &state, step);
		wrong |= w7 ^ next_word(kind, &state, step);
		if (unlikely(wrong)) {
			const u64 seen[BLOCK] = { w0, w1, w2, w3, w4, w5, w6, w7 };

			note_block(p, __pa(words), seen, bad);
		}
	}
}

void memtest_verify(const struct memtest_pattern *p, const u64 *words, size_t size, struct bad_table *bad)
{
	const u64 *end = words + size / WORD;

	if (p->kind == PATTERN_LINEAR)
		verify(PATTERN_LINEAR, p, words, end, bad);
	else if (p->kind == PATTERN_WALK)
		verify(PATTERN_WALK, p, words, end, bad);
	else
		verify(PATTERN_RANDOM, p, words, end, bad);
}
