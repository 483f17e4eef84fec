/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing instructions at boot (contract and theory: <asm/alternative.h>).
 *
 * 1. Text is never writable: each page of it that is to be changed is shown at FIX_TEXT, writable and not executable.
 *    The page is taken away before the first replacement runs.
 * 2. All entries are checked before the first one is applied: nothing is half done.
 * 3. A word written through the alias is cleaned to the point of coherency, past the point of unification, and then
 *    instruction caches are emptied and the pipeline is synchronised, once. No other CPU runs, so that nobody can be
 *    in the middle of a sequence; each that starts later empties its own cache before its MMU is on.
 * 4. What runs between is free of alternatives: this file and the fixmap use no atomics.
 */
#include <asm/alternative.h>

#include <lib/printk.h>

#include <asm/barrier.h>
#include <asm/cache.h>
#include <asm/cpufeature.h>
#include <asm/page.h>
#include <asm/pgtable.h>
#include <asm/sections.h>

#define INSN_NOP       0xd503201fU
#define INSN_B	       0x14000000U /* B: the offset in words is in bits 25:0 */
#define MAX_WORDS      16
#define FOR_EACH_ENTRY for (const struct alternative *alt = first_entry(); alt != last_entry(); alt = next_entry(alt))

extern const char __start_alternatives[], __stop_alternatives[];

static const struct alternative *first_entry(void)
{
	return (const struct alternative *)(const void *)__start_alternatives;
}

static const struct alternative *last_entry(void)
{
	return (const struct alternative *)(const void *)__stop_alternatives;
}

static const struct alternative *next_entry(const struct alternative *alt)
{
	return (const struct alternative *)(const void *)(alt->words + alt->new_words);
}

static u64 place_of(const struct alternative *alt)
{
	return (u64)(uintptr_t)&alt->at + (u64)(s64)alt->at;
}

static bool fits(const struct alternative *alt)
{
	u64 at = place_of(alt);

	return alt->new_words && alt->new_words <= alt->old_words && alt->old_words <= MAX_WORDS && at % 4 == 0 &&
	       at >= (uintptr_t)_text && at + alt->old_words * 4ULL <= (uintptr_t)_etext && alt->feature < CPU_FEATURES;
}

static void check_entries(void)
{
	FOR_EACH_ENTRY
	{
		if ((uintptr_t)alt + sizeof(*alt) > (uintptr_t)last_entry() || next_entry(alt) > last_entry() ||
		    !fits(alt))
			panic("alternatives: %u instructions for feature %u do not fit over the %u at 0x%llx",
			      alt->new_words, alt->feature, alt->old_words, place_of(alt));
	}
}

/* Instruction @i of the sequence of @alt->old_words that @alt is to become. */
static u32 new_word(const struct alternative *alt, unsigned int i)
{
	unsigned int left = alt->old_words - alt->new_words;

	if (i < alt->new_words)
		return alt->words[i];
	return i == alt->new_words && left > 1 ? INSN_B | left : INSN_NOP;
}

static void write_text(u64 va, u32 word)
{
	u64 page = ALIGN_DOWN(va, PAGE_SIZE);
	u32 *alias = fixmap_text(kimage_pa((const void *)(uintptr_t)page)) + (va - page) / sizeof(u32);

	*(volatile u32 *)alias = word;
	dcache_clean_poc((uintptr_t)alias, (uintptr_t)(alias + 1));
}

unsigned int alternatives_apply(void)
{
	unsigned int applied = 0;

	check_entries();
	FOR_EACH_ENTRY
	{
		if (!cpu_has((enum cpu_feature)alt->feature))
			continue;
		for (unsigned int i = 0; i < alt->old_words; i++)
			write_text(place_of(alt) + i * 4ULL, new_word(alt, i));
		applied++;
	}
	fixmap_release_text();
	__asm__ volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
	return applied;
}

unsigned int alternatives_count(void)
{
	unsigned int count = 0;

	FOR_EACH_ENTRY
	count++;
	return count;
}
