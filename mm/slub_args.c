// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the boot arguments say about object caches.
 *
 * 1. slub_debug=BLOCK[;BLOCK...], a block being LETTERS[,NAME...], as <mm/slab_flags.h> has it. A block without names
 *    is for all caches. The text is kept and read anew for each cache that is made: there are few, and it is short.
 * 2. Letters: F, Z, P, U, T as in Linux, Q for the quarantine, - for nothing. A (failing allocations on purpose) and O
 *    (leave caches alone whose slabs would grow) are not done here, and said so.
 * 3. Of several blocks that name a cache the last one counts; one that names it counts more than one for all.
 * 4. Without the argument it is the level that decides: full guards all, the others none.
 */
#include "slub_args.h"

#include <lib/printk.h>
#include <mm/bootargs.h>
#include <mm/slab_flags.h>
#include <string.h>

#include "hardening.h"

static char debug_text[128]; /* written once at boot */
static bool debug_given, no_merging;

static unsigned int flag_of(char letter)
{
	static const char letters[] = "FZPUTQ";
	static const u16 flags[] = { SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_POISON,
				     SLAB_STORE_USER,	      SLAB_TRACE,    SLAB_QUARANTINE };
	const char *found = strchr(letters, letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);

	return found ? flags[found - letters] : 0;
}

static void complain_of_letters(void)
{
	bool names = false;

	for (const char *p = debug_text; *p; p++) {
		if (*p == ',' || *p == ';')
			names = *p == ',' || (names && *p != ';');
		else if (!names && *p != '-' && !flag_of(*p))
			printk("slub_debug: %c is not known: ignored\n", *p);
	}
}

void slub_setup_args(const char *args)
{
	debug_text[0] = '\0';
	no_merging = bootarg_flag(args, "slab_nomerge");
	if (!bootarg_value(args, "slub_debug", debug_text, sizeof(debug_text))) {
		debug_given = bootarg_flag(args, "slub_debug");
		return;
	}
	debug_given = true;
	if (strlen(debug_text) == sizeof(debug_text) - 1)
		printk("slub_debug: cut to %zu characters\n", sizeof(debug_text) - 1);
	complain_of_letters();
}

/* What the letters from @p to @end mean; none of them is all. */
static unsigned int flags_of(const char *p, const char *end)
{
	unsigned int flags = 0;

	if (p == end)
		return SLAB_GUARDS_FULL;
	for (; p < end; p++)
		flags |= flag_of(*p);
	return flags;
}

/* Whether the entry of @len characters names @name; a * at its end stands for any rest. */
static bool matches(const char *entry, size_t len, const char *name)
{
	if (len && entry[len - 1] == '*')
		return !strncmp(entry, name, len - 1);
	return len == strlen(name) && !strncmp(entry, name, len);
}

/* Whether a block's list of names, from @p to @end, has @name in it. */
static bool listed(const char *p, const char *end, const char *name)
{
	while (p < end) {
		size_t len;

		p++;
		len = min(strcspn(p, ",;"), (size_t)(end - p));
		if (matches(p, len, name))
			return true;
		p += len;
	}
	return false;
}

unsigned int slub_guards(const char *name)
{
	unsigned int for_all = 0, for_name = 0;
	bool named = false;

	if (!debug_given)
		return HARDENED_FULL ? SLAB_GUARDS_FULL : 0;
	for (const char *p = debug_text;; p++) {
		const char *end = p + strcspn(p, ";"), *names = p + strcspn(p, ",;");

		if (names == end) {
			for_all = flags_of(p, names);
		} else if (listed(names, end, name)) {
			for_name = flags_of(p, names);
			named = true;
		}
		p = end;
		if (!*p)
			break;
	}
	return named ? for_name : for_all;
}

bool slub_merging(void)
{
	return !no_merging;
}
