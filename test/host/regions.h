/* SPDX-License-Identifier: BSD-2-Clause */
/* What memblock's arrays hold, stated in a test as a list of regions. */
#ifndef TEST_HOST_REGIONS_H
#define TEST_HOST_REGIONS_H

#include <mm/memblock.h>
#include <mm/numa.h>

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TOP (~(phys_addr_t)0)

/* A region; one of no flags and no node; one of memblock's own. */
#define R(b, s, f, n)                                              \
	{                                                          \
		.base = (b), .size = (s), .flags = (f), .nid = (n) \
	}
#define M(b, s) R(b, s, MEMBLOCK_NONE, NUMA_NO_NODE)
#define K(b, s) R(b, s, MEMBLOCK_RSRV_KERN, NUMA_NO_NODE)

/**
 * check_regions() - @type holds exactly the @n regions of @want, and memblock_check() agrees
 * @file, @line: where it is called
 */
void check_regions(const char *file, int line, const struct memblock_type *type, const struct memblock_region *want,
		   unsigned long n);

#define CHECK_REGIONS(type, ...)                                                             \
	do {                                                                                 \
		const struct memblock_region want_[] = { __VA_ARGS__ };                      \
		check_regions(__FILE__, __LINE__, &memblock.type, want_, ARRAY_SIZE(want_)); \
	} while (0)

#endif
