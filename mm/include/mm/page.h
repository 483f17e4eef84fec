/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct page: 64 bytes for each page frame, in the virtual array `vmemmap` indexed by PFN.
 *
 * A page frame is in one of these states, told by flags, _refcount and the section's bitmaps:
 *
 *	not present	section or pageblock bit clear: no struct page behind it; pfn_valid() is false
 *	not initialised	present, but its pageblock's memmap was never written: every field is rubbish
 *			(either free and deferred, or wholly reserved); page_initialised() is false
 *	reserved	PG_reserved: memblock kept it, or it is a hole inside a present pageblock
 *	free		PG_buddy on the first page of a block: lru and order are the zone's, _refcount 0
 *	cached		_refcount 0, no PG_buddy: on a CPU's page stack, or inside a free or cached block
 *	allocated	_refcount > 0 on the first page of a block of 1 << order pages
 *	slab		allocated, and PG_slab: the slab fields are SLUB's
 *
 * Lock letters: (Z) the zone's lock; (P) whoever owns the page: the CPU whose stack it is on, or its user;
 * (S) the slab's node lock; (i) written once when the pageblock is initialised.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include <lib/list.h>
#include <lib/types.h>

#include <asm/atomic.h>
#include <asm/page.h>

struct kmem_cache;

enum pageflag {
	PG_reserved, /* (i) not the page allocator's */
	PG_buddy,    /* (Z) first page of a free block */
	PG_slab,     /* (P) belongs to a slab; on every page of it */
	PG_kmalloc,  /* (P) first page of a kmalloc() too large for a slab */
	NR_PAGEFLAGS,
};

/**
 * struct page - one page frame
 * @flags: (i) zone, node and section in the top 26 bits; below them, the PG_ bits with the letters above
 * @lru: (Z) free block: its place in the free list
 * @slab_list: (S) first page of a slab: its place in the node's partial list
 * @slab_cache: (P) every page of a slab: its cache
 * @freelist: (S) first page of a slab: its first free object, NULL when full
 * @inuse: (S) first page of a slab: objects taken from it, those on a CPU's stack included
 * @objects: (P) first page of a slab: objects it holds
 * @head_offset: (P) pages of a slab: pages back to the first one
 * @on_list: (S) first page of a slab: whether it is in the node's partial list
 * @_refcount: users; 0 when free or cached. Atomic.
 * @order: (Z or P) of the block whose first page this is
 * @spare: nothing yet; keeps the descriptor one cache line
 */
struct page {
	unsigned long flags;
	union {
		struct list_head lru;
		struct list_head slab_list;
	};
	struct kmem_cache *slab_cache;
	void *freelist;
	struct {
		u16 inuse;
		u16 objects;
		u16 head_offset;
		u16 on_list;
	};
	s32 _refcount;
	u8 order;
	u8 spare[11];
};

_Static_assert(sizeof(struct page) == 64, "struct page is one cache line");

#define SECTIONS_SHIFT	 (MAX_PHYSMEM_BITS - 30)
#define ZONES_SHIFT	 2
#define SECTION_ID_SHIFT (64 - SECTIONS_SHIFT)
#define NODE_ID_SHIFT	 (SECTION_ID_SHIFT - CONFIG_NODES_SHIFT)
#define ZONE_ID_SHIFT	 (NODE_ID_SHIFT - ZONES_SHIFT)
#define NODE_ID_MASK	 (BIT(CONFIG_NODES_SHIFT) - 1)
#define ZONE_ID_MASK	 (BIT(ZONES_SHIFT) - 1)

_Static_assert(ZONE_ID_SHIFT >= NR_PAGEFLAGS, "flags and identity share one word");

/* The memmap: struct page of PFN n is vmemmap[n]. Only present pageblocks have storage behind them. */
#define vmemmap ((struct page *)VMEMMAP_START)

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return vmemmap + pfn;
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - vmemmap);
}

#define PFN_DOWN(pa)  ((unsigned long)((pa) >> PAGE_SHIFT))
#define PFN_UP(pa)    ((unsigned long)(((pa) + PAGE_SIZE - 1) >> PAGE_SHIFT))
#define PFN_PHYS(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)

/** page_to_phys() - the physical address of the page's first byte */
static inline phys_addr_t page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

/** page_address() - the page's address in the linear map */
static inline void *page_address(const struct page *page)
{
	return __va(page_to_phys(page));
}

/** virt_to_page() - the page that holds the linear-map address @addr; garbage for any other kind of address */
static inline struct page *virt_to_page(const void *addr)
{
	return pfn_to_page(PFN_DOWN(__pa(addr)));
}

/*
 * Flags have one writer at a time, by their letters; but whoever holds the zone's lock looks at its pages' flags at any
 * time, to find a buddy. So each access is one load or store.
 */
static inline int page_to_nid(const struct page *page)
{
	return (int)(READ_ONCE(page->flags) >> NODE_ID_SHIFT & NODE_ID_MASK);
}

static inline int page_zonenum(const struct page *page)
{
	return (int)(READ_ONCE(page->flags) >> ZONE_ID_SHIFT & ZONE_ID_MASK);
}

static inline bool page_test(const struct page *page, enum pageflag flag)
{
	return READ_ONCE(page->flags) & BIT(flag);
}

static inline void page_set(struct page *page, enum pageflag flag)
{
	WRITE_ONCE(page->flags, page->flags | BIT(flag));
}

static inline void page_clear(struct page *page, enum pageflag flag)
{
	WRITE_ONCE(page->flags, page->flags & ~BIT(flag));
}

static inline int page_ref_count(const struct page *page)
{
	return READ_ONCE(page->_refcount);
}

/** get_page() - one more user of an allocated page */
static inline void get_page(struct page *page)
{
	fetch_add32((u32 *)&page->_refcount, 1);
}

/** put_page() - one user less; the last one frees the block that begins here */
void put_page(struct page *page);

/**
 * pfn_valid() - whether PFN @pfn has a struct page. Context: any, after sparse_init(). Cost: two loads and a bit test.
 */
bool pfn_valid(unsigned long pfn);

/**
 * page_initialised() - whether the struct page of @pfn has been written yet; false where there is none (pfn_valid())
 *
 * Context: any, after sparse_init(). Stable under the zone's lock.
 */
bool page_initialised(unsigned long pfn);

#endif
