// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmalloc's address space: which parts of it are free.
 *
 * 1. Trees (va_tree.h) of free extents, one for each of two parts, and one of used extents. Extents are multiples of 2
 *    MiB, so each has page tables of its own, and neighbours in a tree of free ones are merged. The second part, from
 *    VMAP_PHYS_START on, is for large physical ranges (vmap_phys.c), the first for all else.
 * 2. The node of a used extent is that of the free one it was cut from, or a new one: so giving back needs no memory,
 *    and what has merged is freed.
 * 3. First fit by address: what is in use stays low, in few tables. Who needs certain addresses (percpu_chunk.c) takes
 *    them by vmap_extent_get_at(); such an extent has no owner and is no area.
 * 4. An owner goes after its extent was given back. So whoever holds va_lock may look at the owner of a used extent,
 *    and a large area is claimed under it (vmap.h).
 * 5. Nothing is mapped over what is mapped. Entries are written without a look, for what is in a slot, or in an extent
 *    in use, is told by its owner. But an extent that is taken is looked at as a whole: where free addresses map
 *    something all the same, nobody gets them, the mapping stays, and a line names it.
 *
 * va_lock covers the trees.
 */
#include <errno.h>

#include <lib/printk.h>
#include <lib/spinlock.h>
#include <mm/slab.h>

#include "internal.h"
#include "vmap.h"

#define MAX_REPORTS 20

static DEFINE_SPINLOCK(va_lock, LOCK_RANK_VMALLOC);
static u32 refusals;			     /* atomic */
static struct va_tree free_areas, free_phys; /* va_lock */
static struct va_tree used_extents;	     /* va_lock */
static struct va_extent all_areas = { .start = VMALLOC_START, .len = VMAP_PHYS_START - VMALLOC_START };
static struct va_extent all_phys = { .start = VMAP_PHYS_START, .len = VMALLOC_END - VMAP_PHYS_START };

_Static_assert(VMALLOC_START % VMAP_BLOCK_SIZE == 0 && VMAP_PHYS_START % VMAP_BLOCK_SIZE == 0 &&
		       VMALLOC_END % VMAP_BLOCK_SIZE == 0,
	       "extents are whole blocks");

void vmap_extents_init(void)
{
	va_insert(&free_areas, &all_areas);
	va_insert(&free_phys, &all_phys);
}

/* The tree of the part that @addr lies in. */
static struct va_tree *free_at(unsigned long addr)
{
	return addr < VMAP_PHYS_START ? &free_areas : &free_phys;
}

/* Cut @len bytes from @from, the lowest fit, whose rest @rest may become. Return: the node of the part that is cut. */
static struct va_extent *cut(struct va_extent *from, struct va_extent *rest, unsigned long len)
{
	va_remove(&free_areas, from);
	if (from->len > len) {
		rest->start = from->start + len;
		rest->len = from->len - len;
		va_insert(&free_areas, rest);
	}
	from->len = len;
	return from;
}

/* What @extent, which was free, maps: nothing, or there is an owner that nobody knows of, whose mapping stays. */
static bool maps_nothing(const struct va_extent *extent)
{
	unsigned long end = extent->start + extent->len, at = arch_vmap_next(extent->start, end);
	phys_addr_t pa;

	if (at == end)
		return true;
	arch_vmap_lookup(at, &pa);
	if (fetch_add32(&refusals, 1) < MAX_REPORTS)
		printk("vmalloc: 0x%lx is mapped to 0x%llx, in the free addresses 0x%lx-0x%lx, which are wanted: refused\n",
		       at, pa, extent->start, end - 1);
	return false;
}

/* @extent, which was just taken; NULL, and it is free again, when it is not as a free one should be. */
static struct va_extent *checked(struct va_extent *extent)
{
	if (!extent || maps_nothing(extent))
		return extent;
	vmap_extent_put(extent);
	return NULL;
}

struct va_extent *vmap_extent_get(unsigned long len, void *owner)
{
	struct va_extent *rest = kmalloc(sizeof(*rest), GFP_KERNEL | __GFP_NOWARN), *extent;
	unsigned long flags;

	if (!rest)
		return NULL;
	flags = spin_lock_irqsave(&va_lock);
	extent = va_first_fit(&free_areas, len);
	if (extent) {
		bool exact = extent->len == len;

		extent = cut(extent, rest, len);
		extent->owner = owner;
		va_insert(&used_extents, extent);
		if (!exact)
			rest = NULL;
	}
	spin_unlock_irqrestore(&va_lock, flags);
	kfree(rest);
	return checked(extent);
}

/*
 * Cut [@start, @start + @len) out of @from; what of @spare has become a node is NULL then. Return: the node of that
 * part.
 */
static struct va_extent *cut_at(struct va_extent *from, unsigned long start, unsigned long len,
				struct va_extent *spare[2])
{
	unsigned long end = from->start + from->len;
	struct va_tree *free = free_at(start);
	struct va_extent *node = from;

	va_remove(free, from);
	if (start > from->start) {
		node = spare[0];
		spare[0] = NULL;
		from->len = start - from->start;
		va_insert(free, from);
	}
	if (end > start + len) {
		spare[1]->start = start + len;
		spare[1]->len = end - start - len;
		va_insert(free, spare[1]);
		spare[1] = NULL;
	}
	node->start = start;
	node->len = len;
	return node;
}

/* The same, in use by @owner now. Context: va_lock. */
static struct va_extent *use_at(struct va_extent *from, unsigned long start, unsigned long len, void *owner,
				struct va_extent *spare[2])
{
	struct va_extent *extent = cut_at(from, start, len, spare);

	extent->owner = owner;
	va_insert(&used_extents, extent);
	return extent;
}

static bool get_spare(struct va_extent *spare[2])
{
	for (int i = 0; i < 2; i++)
		spare[i] = kmalloc(sizeof(*spare[i]), GFP_KERNEL | __GFP_NOWARN);
	return spare[0] && spare[1];
}

static void put_spare(struct va_extent *spare[2])
{
	kfree(spare[0]);
	kfree(spare[1]);
}

int vmap_extent_get_at(unsigned long start, unsigned long len, struct va_extent **extent)
{
	struct va_extent *spare[2], *from;
	int err = get_spare(spare) ? -EBUSY : -ENOMEM;
	unsigned long flags;

	flags = spin_lock_irqsave(&va_lock);
	from = va_at_or_below(&free_areas, start);
	if (err == -EBUSY && from && start + len - from->start <= from->len) {
		*extent = use_at(from, start, len, NULL, spare);
		err = 0;
	}
	spin_unlock_irqrestore(&va_lock, flags);
	put_spare(spare);
	if (!err && !checked(*extent))
		err = -EBUSY;
	return err;
}

struct va_extent *vmap_extent_get_phys(unsigned long len, unsigned long align, unsigned long like,
				       struct large_area *large)
{
	struct va_extent *spare[2], *extent = NULL, *from;
	bool enough = get_spare(spare);
	unsigned long flags;

	flags = spin_lock_irqsave(&va_lock);
	/* Wherever it begins, there is a place in it. */
	from = va_first_fit(&free_phys, len + align - VMAP_BLOCK_SIZE);
	if (enough && from)
		extent = use_at(from, from->start + ((like - from->start) & (align - 1)), len, large, spare);
	spin_unlock_irqrestore(&va_lock, flags);
	put_spare(spare);
	return checked(extent);
}

/* Join @extent with @next, which begins where it ends. Return: the node that is not needed any more. */
static struct va_extent *merge(struct va_extent *extent, struct va_extent *next)
{
	va_remove(free_at(extent->start), next);
	extent->len += next->len;
	return next;
}

/* The first nodes are static: they are never given to kfree(). */
static void free_node(struct va_extent *node)
{
	if (node != &all_areas && node != &all_phys)
		kfree(node);
}

void vmap_extent_put(struct va_extent *extent)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	struct va_tree *free = free_at(extent->start);
	struct va_extent *below = va_at_or_below(free, extent->start), *gone[2] = { NULL, NULL };
	struct va_extent *above = va_at_or_above(free, extent->start);

	va_remove(&used_extents, extent);
	if (above && extent->start + extent->len == above->start)
		gone[0] = merge(extent, above);
	if (below && below->start + below->len == extent->start) {
		va_remove(free, below);
		below->len += extent->len;
		gone[1] = extent;
		extent = below;
	}
	va_insert(free, extent);
	spin_unlock_irqrestore(&va_lock, flags);
	free_node(gone[0]);
	free_node(gone[1]);
}

bool vmap_extent_next(unsigned long addr, struct va_extent *copy)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_above(&used_extents, addr);

	if (extent)
		*copy = *extent;
	spin_unlock_irqrestore(&va_lock, flags);
	return extent;
}

bool vmap_extent_at(unsigned long addr, struct va_extent *copy)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_below(&used_extents, addr);
	bool inside = extent && addr - extent->start < extent->len;

	if (inside)
		*copy = *extent;
	spin_unlock_irqrestore(&va_lock, flags);
	return inside;
}

/* va_lock is held, so @large cannot go. */
static void copy_large(const struct va_extent *extent, const struct large_area *large, struct vmap_area *copy)
{
	*copy = (struct vmap_area){
		.addr = extent->start + large->offset,
		.caller = READ_ONCE(large->area.caller),
		.nr_pages = READ_ONCE(large->area.nr_pages),
		.use = READ_ONCE(large->area.use),
	};
}

/* The areas of @extent at or above @addr: one of them into *@copy. va_lock is held, so the owner cannot go. */
static bool area_in(const struct va_extent *extent, unsigned long addr, struct vmap_area *copy)
{
	if (!extent->owner)
		return false;
	if (extent_is_block(extent))
		return vmap_block_next(extent->owner, addr, copy);
	copy_large(extent, extent->owner, copy);
	return copy->addr >= addr && copy->nr_pages;
}

bool vmap_area_next(unsigned long addr, struct vmap_area *copy)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_below(&used_extents, addr);
	bool found = false;

	if (!extent || addr - extent->start >= extent->len)
		extent = va_at_or_above(&used_extents, addr);
	while (extent && !found) {
		found = area_in(extent, addr, copy);
		extent = va_at_or_above(&used_extents, extent->start + extent->len);
	}
	spin_unlock_irqrestore(&va_lock, flags);
	return found;
}

bool vmap_area_at(unsigned long addr, struct vmap_area *copy)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_below(&used_extents, addr);
	bool found = extent && extent->owner && addr - extent->start < extent->len;

	if (found && extent_is_block(extent))
		found = vmap_block_at(extent->owner, addr, copy);
	else if (found)
		copy_large(extent, extent->owner, copy);
	spin_unlock_irqrestore(&va_lock, flags);
	return found;
}

/* Whether @extent is in use for a large area that begins at @addr. va_lock is held. */
static bool large_begins(const struct va_extent *extent, unsigned long addr)
{
	const struct large_area *large;

	if (!extent || !extent->owner || extent_is_block(extent))
		return false;
	large = extent->owner;
	return extent->start + large->offset == addr;
}

/* va_lock is held. */
static struct vmap_claim claim_large(struct large_area *large, u8 use, u32 count)
{
	u32 nr = READ_ONCE(large->area.nr_pages);

	if (!nr || (count && nr != count) || READ_ONCE(large->area.use) != use)
		return (struct vmap_claim){ NULL, 0 };
	WRITE_ONCE(large->area.nr_pages, 0);
	return (struct vmap_claim){ &large->area, nr };
}

struct vmap_claim vmap_large_claim(unsigned long addr, u8 use, u32 count)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_below(&used_extents, addr);
	struct vmap_claim claim = { NULL, 0 };

	if (large_begins(extent, addr))
		claim = claim_large(extent->owner, use, count);
	spin_unlock_irqrestore(&va_lock, flags);
	return claim;
}

/* va_lock is held. */
static bool mark_large(struct large_area *large, u8 from, u8 to)
{
	if (!READ_ONCE(large->area.nr_pages) || READ_ONCE(large->area.use) != from)
		return false;
	WRITE_ONCE(large->area.use, to);
	return true;
}

bool vmap_area_mark(unsigned long addr, u8 from, u8 to)
{
	unsigned long flags = spin_lock_irqsave(&va_lock);
	const struct va_extent *extent = va_at_or_below(&used_extents, addr);
	bool marked = extent && extent->owner && addr - extent->start < extent->len;

	if (marked && extent_is_block(extent))
		marked = vmap_block_mark(extent->owner, addr, from, to);
	else if (marked)
		marked = large_begins(extent, addr) && mark_large(extent->owner, from, to);
	spin_unlock_irqrestore(&va_lock, flags);
	return marked;
}

bool vmap_extents_whole(void)
{
	unsigned long flags = spin_lock_irqsave(&va_lock), at = VMALLOC_START;
	bool was_free = false, whole_cover = true;

	while (whole_cover && at < VMALLOC_END) {
		const struct va_extent *unused = va_at_or_above(free_at(at), at);
		const struct va_extent *used = va_at_or_above(&used_extents, at);
		bool is_free = unused && unused->start == at;

		/* One of them begins here, not both; and two free ones of one part would have merged. */
		was_free &= at != VMAP_PHYS_START;
		whole_cover = is_free != (used && used->start == at) && !(is_free && was_free);
		if (whole_cover)
			at += is_free ? unused->len : used->len;
		was_free = is_free;
	}
	spin_unlock_irqrestore(&va_lock, flags);
	return whole_cover && at == VMALLOC_END;
}
