// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tree of resources (contract: <mm/ioport.h>).
 *
 * 1. Children of one resource are a list by address. The tree is wide and flat: banks of RAM and devices at the root,
 *    claims of boot time in a bank; a search looks at the siblings on its way down, and nothing recurses.
 * 2. What is put in either fits between two siblings (request), or is put lower, or around some (insert); what overlaps
 *    another in part is refused, with nothing changed. What was released keeps its children and brings them along when
 *    it is put in again; it is not put around others then.
 * 3. A region that was requested is busy, and its memory is the tree's: __release_region() frees it. All other
 *    resources are their caller's.
 * 4. A conflict is copied under the lock and told without it.
 *
 * iomem_lock covers all links. Nothing is allocated or freed under it.
 */
#include <errno.h>
#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/ioport.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <stdio.h>

#include "internal.h"

#define MAX_REPORTS 20

struct resource iomem_resource = { .end = ~(phys_addr_t)0, .name = "physical addresses", .flags = IORESOURCE_MEM };

static DEFINE_SPINLOCK(iomem_lock, LOCK_RANK_IOMEM);
static u32 refusals, bad_releases; /* reported; atomic */

/* What is told of a resource after the lock was let go. */
struct told {
	phys_addr_t start, end;
	unsigned long flags;
	char name[RESOURCE_NAME_MAX];
};

static void tell(struct told *told, const struct resource *res)
{
	told->start = res->start;
	told->end = res->end;
	told->flags = res->flags;
	snprintf(told->name, sizeof(told->name), "%s", res->name ? res->name : "<BAD>");
}

/* --- links; under the lock --- */

/* Where a resource that begins at @start belongs among the children of @parent. */
static struct resource **find_place(struct resource *parent, phys_addr_t start)
{
	struct resource **at = &parent->child;

	while (*at && (*at)->end < start)
		at = &(*at)->sibling;
	return at;
}

static struct resource *put_child(struct resource *root, struct resource *res)
{
	struct resource **at;

	if (res->end < res->start || !resource_contains(root, res))
		return root;
	at = find_place(root, res->start);
	if (*at && (*at)->start <= res->end)
		return *at;
	res->sibling = *at;
	res->parent = root;
	*at = res;
	return NULL;
}

/* The innermost resource at or below @parent that contains @res, and is not the very same range. */
static struct resource *innermost(struct resource *parent, const struct resource *res)
{
	struct resource *child = *find_place(parent, res->start);

	while (child && resource_contains(child, res) && !resource_contains(res, child)) {
		parent = child;
		child = *find_place(parent, res->start);
	}
	return parent;
}

/*
 * Put @res around the children of @parent that it overlaps. Return: NULL, or the one that sticks out, cannot join those
 * that @res brings, or is @res.
 */
static struct resource *put_around(struct resource *parent, struct resource *res)
{
	struct resource **first = find_place(parent, res->start), *last = NULL, *child;

	for (child = *first; child && child->start <= res->end; child = child->sibling) {
		if (child == res || res->child || !resource_contains(res, child))
			return child;
		last = child;
	}
	if (!last)
		return put_child(parent, res);
	res->parent = parent;
	res->child = *first;
	res->sibling = last->sibling;
	last->sibling = NULL;
	*first = res;
	for (child = res->child; child; child = child->sibling)
		child->parent = res;
	return NULL;
}

/* The link to @res; NULL when it is in no tree. */
static struct resource **find_link(struct resource *res)
{
	struct resource **at = res->parent ? &res->parent->child : NULL;

	while (at && *at && *at != res)
		at = &(*at)->sibling;
	return at && *at ? at : NULL;
}

/* --- requests --- */

static void report_conflict(const char *name, const struct resource *res, const struct told *other, const void *caller)
{
	char asker[ARCH_SYMBOL_MAX];

	if (fetch_add32(&refusals, 1) >= MAX_REPORTS)
		return;
	printk("%s: [mem 0x%016llx-0x%016llx] for %s, asked for by %s: in conflict with [mem 0x%016llx-0x%016llx] of %s%s%s: "
	       "refused\n",
	       name, res->start, res->end, res->name ? res->name : "<BAD>",
	       arch_symbol((unsigned long)caller, asker, sizeof(asker)), other->start, other->end, other->name,
	       other->flags & IORESOURCE_BUSY ? ", busy" : "",
	       other->flags & IORESOURCE_EXCLUSIVE ? ", exclusive" : "");
}

typedef struct resource *(*put_fn)(struct resource *root, struct resource *res);

static struct resource *put_inside(struct resource *root, struct resource *res)
{
	if (res->end < res->start || !resource_contains(root, res))
		return root;
	return put_around(innermost(root, res), res);
}

static struct resource *put(put_fn fn, struct resource *root, struct resource *res, struct told *told)
{
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	struct resource *conflict;

	conflict = fn(root, res);
	if (conflict)
		tell(told, conflict);
	spin_unlock_irqrestore(&iomem_lock, flags);
	return conflict;
}

struct resource *request_resource_conflict(struct resource *root, struct resource *res)
{
	struct told told;

	return put(put_child, root, res, &told);
}

int request_resource(struct resource *root, struct resource *res)
{
	struct told told;

	if (!put(put_child, root, res, &told))
		return 0;
	report_conflict("request_resource", res, &told, __builtin_return_address(0));
	return -EBUSY;
}

struct resource *insert_resource_conflict(struct resource *parent, struct resource *res)
{
	struct told told;

	return put(put_inside, parent, res, &told);
}

int insert_resource(struct resource *parent, struct resource *res)
{
	struct told told;

	if (!put(put_inside, parent, res, &told))
		return 0;
	report_conflict("insert_resource", res, &told, __builtin_return_address(0));
	return -EBUSY;
}

/* --- releases --- */

static bool may_report_release(void)
{
	return fetch_add32(&bad_releases, 1) < MAX_REPORTS;
}

/* Take @res out. Its children stay with it, or are its parent's. Return: whether it was in a tree. */
static bool take_out(struct resource *res, bool keep_children)
{
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	struct resource **link = find_link(res), *child;
	bool found = link;

	if (found && !keep_children && res->child) {
		*link = res->child;
		for (child = res->child; child; child = child->sibling) {
			child->parent = res->parent;
			link = &child->sibling;
		}
		res->child = NULL;
	}
	if (found) {
		*link = res->sibling;
		res->parent = res->sibling = NULL;
	}
	spin_unlock_irqrestore(&iomem_lock, flags);
	if (!found && may_report_release()) {
		printk("iomem: [mem 0x%016llx-0x%016llx] of %s is in no tree: nothing done\n", res->start, res->end,
		       res->name ? res->name : "<BAD>");
		arch_dump_stack();
	}
	return found;
}

int release_resource(struct resource *res)
{
	return take_out(res, true) ? 0 : -EINVAL;
}

int remove_resource(struct resource *res)
{
	return take_out(res, false) ? 0 : -EINVAL;
}

struct resource *lookup_resource(struct resource *root, phys_addr_t start)
{
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	struct resource *res = *find_place(root, start);

	spin_unlock_irqrestore(&iomem_lock, flags);
	return res && res->start == start ? res : NULL;
}

/* --- regions --- */

/* put_child() in the innermost resource that is not busy. */
static struct resource *put_region(struct resource *root, struct resource *res)
{
	struct resource *conflict = put_child(root, res);

	while (conflict && conflict != root && !(conflict->flags & IORESOURCE_BUSY)) {
		root = conflict;
		conflict = put_child(root, res);
	}
	return conflict;
}

static bool region_fault(phys_addr_t start, phys_addr_t n, const char *name, const void *caller)
{
	char asker[ARCH_SYMBOL_MAX];

	if (n && start + n - 1 >= start)
		return false;
	if (fetch_add32(&refusals, 1) < MAX_REPORTS)
		printk("request_region: 0x%llx bytes at 0x%016llx for %s, asked for by %s: %s: refused\n", n, start,
		       name ? name : "<BAD>", arch_symbol((unsigned long)caller, asker, sizeof(asker)),
		       n ? "it ends beyond the address space" : "it is empty");
	return true;
}

struct resource *__request_region(struct resource *parent, phys_addr_t start, phys_addr_t n, const char *name,
				  unsigned long flags)
{
	const void *caller = __builtin_return_address(0);
	struct resource *res;
	struct told told;

	if (region_fault(start, n, name, caller))
		return NULL;
	res = kzalloc(sizeof(*res), GFP_KERNEL);
	if (!res)
		return NULL;
	res->start = start;
	res->end = start + n - 1;
	res->name = name;
	res->flags = IORESOURCE_MEM | IORESOURCE_BUSY | IORESOURCE_REQUESTED | flags;
	if (!put(put_region, parent, res, &told))
		return res;
	report_conflict("request_region", res, &told, caller);
	kfree(res);
	return NULL;
}

/* The region of just this range; else NULL, and *@near is the innermost resource at its start, when there is any. */
static struct resource **find_region(struct resource *parent, const struct resource *range, struct resource **near)
{
	struct resource **at = find_place(parent, range->start);

	*near = NULL;
	while (*at && (*at)->start <= range->start) {
		*near = *at;
		if ((*at)->start == range->start && (*at)->end == range->end && ((*at)->flags & IORESOURCE_REQUESTED))
			return (*at)->child ? NULL : at;
		at = find_place(*at, range->start);
	}
	return NULL;
}

static void report_release(const struct resource *range, const struct told *near)
{
	if (!may_report_release())
		return;
	if (near->name[0])
		printk("release_region: [mem 0x%016llx-0x%016llx] was not requested so: [mem 0x%016llx-0x%016llx] of %s%s is there: "
		       "nothing done\n",
		       range->start, range->end, near->start, near->end, near->name,
		       near->flags & IORESOURCE_REQUESTED ? ", requested," : "");
	else
		printk("release_region: [mem 0x%016llx-0x%016llx] was not requested: nothing is there: nothing done\n",
		       range->start, range->end);
	arch_dump_stack();
}

void __release_region(struct resource *parent, phys_addr_t start, phys_addr_t n)
{
	const struct resource range = { .start = start, .end = start + n - 1 };
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	struct resource *near, **link = find_region(parent, &range, &near), *res = NULL;
	struct told told = { .start = 0 };

	if (link) {
		res = *link;
		*link = res->sibling;
	} else if (near) {
		tell(&told, near);
	}
	spin_unlock_irqrestore(&iomem_lock, flags);
	if (!res)
		report_release(&range, &told);
	kfree(res);
}

/* --- walks --- */

/* The next resource behind @res, all that it contains included. */
static struct resource *preorder(struct resource *res)
{
	if (res->child)
		return res->child;
	while (!res->sibling && res->parent)
		res = res->parent;
	return res->sibling;
}

bool iomem_is_exclusive(phys_addr_t addr)
{
	const struct resource page = { .start = ALIGN_DOWN(addr, PAGE_SIZE), .end = addr | (PAGE_SIZE - 1) };
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	bool exclusive = false;

	for (struct resource *res = iomem_resource.child; res; res = preorder(res))
		exclusive |= resource_overlaps(res, &page) && (res->flags & IORESOURCE_BUSY) &&
			     (res->flags & IORESOURCE_EXCLUSIVE);
	spin_unlock_irqrestore(&iomem_lock, flags);
	return exclusive;
}

static int depth_of(const struct resource *res)
{
	int depth = -1;

	for (res = res->parent; res; res = res->parent)
		depth++;
	return depth;
}

bool iomem_next(struct resource *copy, char *name, int *depth)
{
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	struct resource *res = iomem_resource.child;

	/* In this order starts never fall, and depth tells those of one start apart. */
	while (res && *depth >= 0 &&
	       (res->start < copy->start || (res->start == copy->start && depth_of(res) <= *depth)))
		res = preorder(res);
	if (res) {
		*copy = (struct resource){ .start = res->start, .end = res->end, .name = name, .flags = res->flags };
		*depth = depth_of(res);
		snprintf(name, RESOURCE_NAME_MAX, "%s", res->name ? res->name : "<BAD>");
	}
	spin_unlock_irqrestore(&iomem_lock, flags);
	return res;
}

static bool fits(const struct resource *res)
{
	return res->start <= res->end && resource_contains(res->parent, res) &&
	       (!res->sibling || (res->sibling->parent == res->parent && res->end < res->sibling->start)) &&
	       (!res->child || res->child->parent == res);
}

bool iomem_check(void)
{
	unsigned long flags = spin_lock_irqsave(&iomem_lock);
	const struct resource *bad = NULL;
	struct told told;

	for (struct resource *res = iomem_resource.child; res && !bad; res = preorder(res))
		bad = fits(res) ? NULL : res;
	if (bad)
		tell(&told, bad);
	spin_unlock_irqrestore(&iomem_lock, flags);
	if (bad)
		printk("iomem check: [mem 0x%016llx-0x%016llx] of %s overlaps a neighbour or leaves its parent\n",
		       told.start, told.end, told.name);
	return !bad;
}
