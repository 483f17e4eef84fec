// SPDX-License-Identifier: BSD-2-Clause
/*
 * gfp flags by name. One name stands for the caller's kind, GFP_KERNEL, GFP_ATOMIC or GFP_NOWAIT, and the other bits
 * follow by their own, so that what is printed is what one would write.
 */
#include <stdio.h>

#include <mm/gfp_types.h>

static const struct {
	gfp_t bit;
	const char *name;
} bits[] = {
	{ __GFP_DMA, "__GFP_DMA" },
	{ __GFP_DMA32, "__GFP_DMA32" },
	{ __GFP_HIGHMEM, "__GFP_HIGHMEM" },
	{ __GFP_MOVABLE, "__GFP_MOVABLE" },
	{ __GFP_RECLAIMABLE, "__GFP_RECLAIMABLE" },
	{ __GFP_HIGH, "__GFP_HIGH" },
	{ __GFP_NORETRY, "__GFP_NORETRY" },
	{ __GFP_NOFAIL, "__GFP_NOFAIL" },
	{ __GFP_NOWARN, "__GFP_NOWARN" },
	{ __GFP_THISNODE, "__GFP_THISNODE" },
	{ __GFP_ZERO, "__GFP_ZERO" },
	{ __GFP_COMP, "__GFP_COMP" },
};

_Static_assert(ARRAY_SIZE(bits) + 1 == GFP_BITS, "every bit has a name, __GFP_DIRECT_RECLAIM that of GFP_KERNEL");

/* Of the caller's kind, which bits its name stands for; 0 when it has none. */
static gfp_t kind_bits(gfp_t gfp, const char **name)
{
	static const struct {
		gfp_t bits;
		const char *name;
	} kinds[] = {
		{ GFP_KERNEL, "GFP_KERNEL" },
		{ GFP_ATOMIC, "GFP_ATOMIC" },
		{ GFP_NOWAIT, "GFP_NOWAIT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		*name = kinds[i].name;
		if (gfp & kinds[i].bits)
			return kinds[i].bits;
	}
	*name = "";
	return 0;
}

const char *gfp_names(gfp_t gfp, char *buf, size_t size)
{
	const char *name, *separator;
	gfp_t left = gfp & ~kind_bits(gfp, &name);
	size_t len = (size_t)snprintf(buf, size, "%s", name);

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(left & bits[i].bit))
			continue;
		separator = len ? "|" : "";
		len += (size_t)snprintf(buf + len, size - len, "%s%s", separator, bits[i].name);
		left &= ~bits[i].bit;
	}
	if (left || !len)
		snprintf(buf + len, size - len, "%s0x%x", len ? "|" : "", left);
	return buf;
}
