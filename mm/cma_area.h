/* SPDX-License-Identifier: BSD-2-Clause */
/* What a CMA area is: for cma.c and show_cma.c. */
#ifndef MM_CMA_AREA_H
#define MM_CMA_AREA_H

#include <lib/spinlock.h>
#include <mm/cma.h>
#include <mm/mmzone.h>

#define MAX_CMA_AREAS 32

/**
 * struct cma - one area
 * @name: (b) its node's name, in the tree, or "cma="
 * @node: (b) offset of that node, -1 without one
 * @zone: (b) where it lies
 * @base_pfn: (b) its first page frame, a pageblock's
 * @count: (b) its pages, whole pageblocks
 * @is_default: (b) for who names no area
 * @lock: covers what is marked (C)
 * @bitmap: (C) a bit for each page that is allocated, or just being allocated or released
 * @used: (C) bits that are set
 * @nr_allocs: (a) cma_alloc() calls that were served
 * @nr_failures: (a) those that were not
 */
struct cma {
	const char *name;
	int node;
	struct zone *zone;
	unsigned long base_pfn;
	unsigned long count;
	bool is_default;

	spinlock_t lock;
	u64 *bitmap;
	unsigned long used;
	u64 nr_allocs;
	u64 nr_failures;
};

/* (b) The areas, in the order of the tree. */
extern struct cma cma_areas[MAX_CMA_AREAS];
extern int nr_cma_areas;

#endif
