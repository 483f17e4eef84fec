/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the image is mapped: a random slot, from /chosen/kaslr-seed (contract: <asm/kaslr.h>).
 *
 * 1. This runs before the MMU is on and before the tree was proved valid, on what may be no tree at all. So it believes
 *    no offset before it has compared it with the tree's size, and looks first whether every page that it is going to
 *    read answers (early_check.S, 3 has what a fault does here). What is wrong with a tree is said later, with the log
 *    (start.c); here it is a tree without a seed.
 * 2. Two properties of /chosen count: kaslr-seed, 8 bytes that the boot loader drew, and bootargs, for the word
 *    nokaslr. The structure block (Devicetree Specification 5.4) is read from its start until /chosen ends.
 * 3. The seed is overwritten with zeros where it stands, nokaslr or not: who sees the tree later, or its dump, learns
 *    nothing of the address, nor of the keys that are made of it. Only kaslr_take_seed() gets it, once.
 * 4. The loader may have left the tree in the cache; with the MMU off memory is read and written past it. So the lines
 *    of what is read are written back and dropped before, and that of the seed again after it was overwritten.
 * 5. Slots: multiples of 2 MiB above KIMAGE_VADDR from which the largest image does not reach the next table of level
 *    2, for there is one for the image: KIMAGE_SLOTS_PER_GIB of 512, in KIMAGE_GIBS GiB; so 510 * 509 = 259,590 slots,
 *    17.9 bits. Product and high word make a slot of 64 bits without a division; no slot is likelier than another by
 *    more than 2^-46 of its share.
 *
 * Cost: 16,000 instructions for QEMU's tree, in which /chosen is last; about 10 for each word of names and properties.
 */
#include <asm/cache.h>
#include <asm/kaslr.h>
#include <asm/layout.h>
#include <asm/sections.h>

#define FDT_MAGIC      0xd00dfeed
#define FDT_SIZE_MAX   0x200000UL
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE   2
#define FDT_PROP       3
#define FDT_NOP	       4

/* Words of the header. */
enum { H_MAGIC, H_TOTALSIZE, H_STRUCT, H_STRINGS, H_RESERVED, H_VERSION, H_LAST, H_CPU, H_STRINGS_SIZE, H_STRUCT_SIZE };
#define HEADER_SIZE    40
#define VERSION_NEEDED 17 /* the first whose header has H_STRUCT_SIZE */

#define SEED_SPREAD 0x9e3779b97f4a7c15ULL /* odd, so no two seeds become one */

u64 boot_kaslr_seed __section(".noinit");
u64 boot_kaslr_state __section(".noinit");

/**
 * struct early_tree - a tree whose blocks lie within it
 * @words: the structure block
 * @nr_words: its words
 * @strings, @strings_size: the strings block
 */
struct early_tree {
	u32 *words;
	u64 nr_words;
	const char *strings;
	u64 strings_size;
};

/**
 * struct chosen - what is found in /chosen
 * @seed: kaslr-seed's two words, NULL when there is none
 * @args: bootargs, NULL when there are none
 * @args_size: its bytes
 */
struct chosen {
	u32 *seed;
	const char *args;
	u64 args_size;
};

static u32 be32(const u32 *word)
{
	return __builtin_bswap32(*(const volatile u32 *)word);
}

/* Whether memory answers at @pa: an exception goes on behind the load. */
static bool answers(u64 pa)
{
	u64 ok = 0, value;

	__asm__ volatile("	adr	%1, 1f\n"
			 "	msr	tpidr_el1, %1\n"
			 "	isb\n"
			 "	ldr	%1, [%2]\n"
			 "	dsb	sy\n"
			 "	mov	%0, #1\n"
			 "1:	msr	tpidr_el1, xzr\n"
			 "	isb\n"
			 : "+r"(ok), "=&r"(value)
			 : "r"(pa)
			 : "x9", "memory");
	return ok;
}

/*
 * Whether [@pa + @start, @pa + @start + @size) is within a tree of @total bytes at @pa, and memory. If it is, no cache
 * holds any of it from here on.
 */
static bool block_answers(u64 pa, u64 start, u64 size, u64 total)
{
	if (start > total || size > total - start || pa > ~0ULL - total)
		return false;
	for (u64 page = (pa + start) & PAGE_MASK; page < pa + start + size; page += PAGE_SIZE)
		if (!answers(page))
			return false;
	dcache_clean_inval_poc(pa + start, pa + start + size);
	return true;
}

/* Return: whether a tree lies at @pa of which all is there that is going to be read. */
static bool find_tree(u64 pa, struct early_tree *tree)
{
	u32 *header = (u32 *)(uintptr_t)pa;
	u64 total, start, size;

	if (pa % sizeof(u64) || !block_answers(pa, 0, HEADER_SIZE, FDT_SIZE_MAX))
		return false;
	total = be32(&header[H_TOTALSIZE]);
	if (be32(&header[H_MAGIC]) != FDT_MAGIC || be32(&header[H_VERSION]) < VERSION_NEEDED || total > FDT_SIZE_MAX)
		return false;
	start = be32(&header[H_STRUCT]);
	size = be32(&header[H_STRUCT_SIZE]);
	tree->strings = (const char *)header + be32(&header[H_STRINGS]);
	tree->strings_size = be32(&header[H_STRINGS_SIZE]);
	tree->words = header + start / sizeof(u32);
	tree->nr_words = size / sizeof(u32);
	return start % sizeof(u32) == 0 && block_answers(pa, start, size, total) &&
	       block_answers(pa, be32(&header[H_STRINGS]), tree->strings_size, total);
}

/* Whether the text at @text, of which @room bytes can be read, is @word and then ends. */
static bool text_is(const char *text, u64 room, const char *word)
{
	for (u64 i = 0; i < room; i++) {
		if (text[i] != word[i])
			return false;
		if (!word[i])
			return true;
	}
	return false;
}

/* The property whose length and name are the words @prop, its value behind them. */
static void read_property(const struct early_tree *tree, u32 *prop, struct chosen *chosen)
{
	u64 size = be32(&prop[0]), name = be32(&prop[1]);
	u64 room = name < tree->strings_size ? tree->strings_size - name : 0;

	if (text_is(tree->strings + name, room, "kaslr-seed") && size == sizeof(u64)) {
		chosen->seed = prop + 2;
	} else if (text_is(tree->strings + name, room, "bootargs")) {
		chosen->args = (const char *)(prop + 2);
		chosen->args_size = size;
	}
}

/* Words that a node's name takes, from word @at on. */
static u64 name_words(const struct early_tree *tree, u64 at)
{
	const char *name = (const char *)(tree->words + at);
	u64 room = (tree->nr_words - at) * sizeof(u32), length = 0;

	while (length < room && name[length])
		length++;
	return length / sizeof(u32) + 1;
}

/* Walk to the end of /chosen, or as far as the tree makes sense. */
static void find_chosen(const struct early_tree *tree, struct chosen *chosen)
{
	u64 at = 0, depth = 0;
	bool inside = false;

	while (at < tree->nr_words) {
		u32 token = be32(&tree->words[at++]);

		if (token == FDT_BEGIN_NODE) {
			u64 room = (tree->nr_words - at) * sizeof(u32);

			if (depth++ == 1)
				inside = text_is((const char *)(tree->words + at), room, "chosen");
			at += name_words(tree, at);
		} else if (token == FDT_PROP && tree->nr_words - at >= 2) {
			u32 *prop = &tree->words[at];
			u64 words = DIV_ROUND_UP((u64)be32(prop), sizeof(u32));

			if (words > tree->nr_words - at - 2)
				return;
			if (inside && depth == 2)
				read_property(tree, prop, chosen);
			at += 2 + words;
		} else if (token == FDT_END_NODE && depth) {
			if (inside && depth == 2)
				return;
			depth--;
		} else if (token != FDT_NOP) {
			return;
		}
	}
}

/* Whether @word is among the words of the boot arguments. */
static bool has_word(const char *args, u64 size, const char *word)
{
	u64 at = 0;

	while (at < size && args[at]) {
		u64 i = 0;

		while (at + i < size && word[i] && args[at + i] == word[i])
			i++;
		if (!word[i] && (at + i == size || !args[at + i] || args[at + i] == ' '))
			return true;
		while (at < size && args[at] && args[at] != ' ')
			at++;
		while (at < size && args[at] == ' ')
			at++;
	}
	return false;
}

static u64 take_seed(u32 *words)
{
	u64 seed = (u64)be32(&words[0]) << 32 | be32(&words[1]);

	*(volatile u32 *)&words[0] = 0;
	*(volatile u32 *)&words[1] = 0;
	dcache_clean_inval_poc((uintptr_t)words, (uintptr_t)&words[2]);
	return seed;
}

u64 early_image_slide(u64 fdt_pa)
{
	u64 pa = fdt_pa >= PAGE_SIZE ? fdt_pa : CONFIG_FDT_ADDR, slot;
	struct chosen chosen = { .seed = NULL };
	struct early_tree tree;

	boot_kaslr_seed = 0;
	if (pa && find_tree(pa, &tree))
		find_chosen(&tree, &chosen);
	if (chosen.seed)
		boot_kaslr_seed = take_seed(chosen.seed);
	if (chosen.args && has_word(chosen.args, chosen.args_size, "nokaslr")) {
		boot_kaslr_state = KASLR_SWITCHED_OFF;
		return 0;
	}
	boot_kaslr_state = boot_kaslr_seed ? KASLR_MOVED : KASLR_NO_SEED;
	if (!boot_kaslr_seed)
		return 0;
	slot = (u64)((unsigned __int128)(boot_kaslr_seed * SEED_SPREAD) * KIMAGE_SLOTS >> 64);
	return slot / KIMAGE_SLOTS_PER_GIB * KIMAGE_GIB + slot % KIMAGE_SLOTS_PER_GIB * KIMAGE_SLOT_SIZE;
}
