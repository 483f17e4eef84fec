/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that are replaced at boot where the CPUs have better ones.
 *
 * 1. Code is built for Armv8.0. ALTERNATIVE() in an asm statement gives a sequence for that, and a second one, not
 *    longer, for CPUs with a feature. The second stands in the section "alternatives", in read-only data, behind a
 *    struct alternative that says where it belongs. It must not depend on where it runs: no branch, no PC-relative
 *    address.
 * 2. alternatives_apply() writes it over the first one. What is left over is branched over from two instructions on,
 *    and one NOP otherwise, so that a replacement executes at most one instruction more than it has.
 * 3. A program that links the core without applying alternatives runs on the first sequences.
 */
#ifndef ASM_ALTERNATIVE_H
#define ASM_ALTERNATIVE_H

#include <lib/types.h>

/**
 * struct alternative - one sequence that can be replaced; the next one follows behind the words
 * @at: where it is, relative to this field
 * @old_words: instructions there
 * @new_words: instructions here, 1 to @old_words
 * @feature: enum cpu_feature that all CPUs need
 * @words: the replacement
 */
struct alternative {
	s32 at;
	u8 old_words;
	u8 new_words;
	u16 feature;
	u32 words[];
};

_Static_assert(sizeof(struct alternative) == 8, "ALTERNATIVE() writes this layout");

/*
 * Within an asm: @new instead of @old when cpu_has(the operand called [feature]). The labels 661 to 664 are taken.
 * @extension is what the assembler has to be told to accept @new.
 */
#define ALTERNATIVE(old, extension, new)                                                              \
	"661:\n\t" old "\n662:\n\t"                                                                   \
	".pushsection alternatives, \"a\"\n\t"                                                        \
	".balign 4\n\t"                                                                               \
	".long 661b - .\n\t"                                                                          \
	".byte (662b - 661b) / 4, (664f - 663f) / 4\n\t"                                              \
	".short %c[feature]\n\t"                                                                      \
	".arch_extension " extension "\n663:\n\t" new "\n664:\n\t.arch_extension no" extension "\n\t" \
						      ".popsection\n\t"

/**
 * alternatives_apply() - replace every sequence whose feature cpu_has()
 *
 * Each entry is checked first; one that does not fit is a panic that names its place. Text is written through another,
 * not executable address, which is unmapped again. Context: once, on the boot CPU, interrupts masked, before
 * arch_linear_map_done() and before another CPU starts. Return: sequences replaced.
 */
unsigned int alternatives_apply(void);

/** alternatives_count() - sequences that can be replaced */
unsigned int alternatives_count(void);

#endif
