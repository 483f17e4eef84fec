/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of resources: what physical addresses are, and who has them.
 *
 *	a resource's children lie within it, are in the order of addresses and do not overlap
 *
 * At the root are RAM ("System RAM"), reserved RAM that is not mapped, and devices. A driver claims its registers with
 * request_mem_region() before it maps them; who comes second is refused, with both named. The prompt's `iomem` shows
 * the tree in the format of /proc/iomem.
 *
 * Functions called as in Linux behave as there. Context: thread, after mm_hand_over(), unless one says more. Lock: of
 * rank 5 (mm/internal.h). Cost: O(children on the way). Names are kept, not copied.
 */
#ifndef MM_IOPORT_H
#define MM_IOPORT_H

#include <lib/types.h>

/* What a resource is (Linux's values). BUSY: somebody has it. EXCLUSIVE: nobody else may even look at it. */
#define IORESOURCE_MEM	      0x00000200UL
#define IORESOURCE_SYSRAM     0x01000000UL
#define IORESOURCE_EXCLUSIVE  0x08000000UL
#define IORESOURCE_BUSY	      0x80000000UL
#define IORESOURCE_SYSTEM_RAM (IORESOURCE_MEM | IORESOURCE_SYSRAM)

/* Ours: made by __request_region(), which __release_region() frees. */
#define IORESOURCE_REQUESTED 0x00800000UL

/**
 * struct resource - a range of physical addresses
 * @start, @end: first and last byte
 * @name: whose or what it is
 * @flags: IORESOURCE_...
 * @parent, @sibling, @child: the tree's: what it lies in, the next one there, the first within it
 *
 * All are constant while it is in the tree, but for the last three, which the tree's lock covers. The caller's, until
 * released.
 */
struct resource {
	phys_addr_t start, end;
	const char *name;
	unsigned long flags;
	struct resource *parent, *sibling, *child;
};

/** iomem_resource - the root: all physical addresses */
extern struct resource iomem_resource;

/** resource_size() - its bytes */
static inline phys_addr_t resource_size(const struct resource *res)
{
	return res->end - res->start + 1;
}

/** resource_contains() - whether all of @inner lies in @outer */
static inline bool resource_contains(const struct resource *outer, const struct resource *inner)
{
	return outer->start <= inner->start && inner->end <= outer->end;
}

/** resource_overlaps() - whether they have a byte in common */
static inline bool resource_overlaps(const struct resource *a, const struct resource *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/**
 * request_resource() - put @res among the children of @root
 * @res: range, name and flags; in no tree. What was in it when it was released is in it still, and comes along.
 *
 * Return: 0; -EBUSY, with nothing changed and a line that names both (the first 20 times), when a child overlaps it or
 * it does not lie in @root.
 */
int request_resource(struct resource *root, struct resource *res);

/**
 * request_resource_conflict() - the same, silently. Return: NULL, or what it is in conflict with: a child, or @root.
 */
struct resource *request_resource_conflict(struct resource *root, struct resource *res);

/**
 * insert_resource() - put @res where it belongs below @parent: into the innermost resource that contains it, around
 * those that it contains
 *
 * Return: 0; -EBUSY, with nothing changed and a line that names both, when it overlaps another in part, or contains one
 * and brings some of its own.
 */
int insert_resource(struct resource *parent, struct resource *res);

/** insert_resource_conflict() - the same, silently. Return: NULL, or what it is in conflict with. */
struct resource *insert_resource_conflict(struct resource *parent, struct resource *res);

/**
 * release_resource() - take @res, and with it all that lies in it, out of its tree
 *
 * Return: 0; -EINVAL, after a line, when it is in none.
 */
int release_resource(struct resource *res);

/** remove_resource() - take @res out; what lies in it is its parent's then. Return: as release_resource(). */
int remove_resource(struct resource *res);

/** lookup_resource() - the child of @root that begins at @start; NULL when there is none */
struct resource *lookup_resource(struct resource *root, phys_addr_t start);

/** __request_region() - what the macros below do, with @flags besides IORESOURCE_BUSY */
struct resource *__request_region(struct resource *parent, phys_addr_t start, phys_addr_t n, const char *name,
				  unsigned long flags) __must_check;

/** __release_region() - what release_mem_region() does */
void __release_region(struct resource *parent, phys_addr_t start, phys_addr_t n);

/**
 * request_mem_region() - claim [@start, @start + @n) for @name
 *
 * In the innermost resource that contains it and is not busy. Return: the resource; NULL, after a line that names both
 * parties (the first 20 times), when some of it is busy, or overlaps another resource in part, when @n is 0 or the end
 * beyond the address space, or memory is short.
 */
#define request_mem_region(start, n, name) __request_region(&iomem_resource, (start), (n), (name), 0)

/** request_mem_region_exclusive() - the same, and iomem_is_exclusive() says so */
#define request_mem_region_exclusive(start, n, name) \
	__request_region(&iomem_resource, (start), (n), (name), IORESOURCE_EXCLUSIVE)

/**
 * release_mem_region() - give back what request_mem_region() claimed with the same @start and @n
 *
 * What was never claimed, or not so, or has resources within it, is reported with what lies there (the first 20 times),
 * and nothing changes.
 */
#define release_mem_region(start, n) __release_region(&iomem_resource, (start), (n))

/** iomem_is_exclusive() - whether the page of @addr has a byte of a region that was claimed exclusively */
bool iomem_is_exclusive(phys_addr_t addr);

/* What is copied of a name. */
#define RESOURCE_NAME_MAX 96

/**
 * iomem_next() - the next resource in the order of the listing: a parent before its children
 * @res: a copy of it, its name in @name and its pointers NULL; zeroed before the first call, and left alone between
 * @name: RESOURCE_NAME_MAX bytes
 * @depth: how many others it lies in, the root not counted; -1 before the first call
 *
 * Others may change the tree between two calls. Context: any. Cost: O(resources). Return: false when there is none.
 */
bool iomem_next(struct resource *res, char *name, int *depth);

/** iomem_check() - prove the tree's invariant. Return: true, or false after a line that says what is wrong. */
bool iomem_check(void);

#endif
