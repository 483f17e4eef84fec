/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct page: 64 bytes for each page frame, in the virtual array `vmemmap` indexed by PFN.
 *
 * A page frame is in one of these states, told by flags, _refcount and the section's bitmaps:
 *
 *	not present	section or pageblock bit clear: no struct page behind it; pfn_valid() is false
 *	not initialised	present, but its pageblock's memmap was never written, or only ahead of need: nobody may rely on
 *			what is there (either free and deferred, or wholly reserved); page_initialised() is false
 *	reserved	PG_reserved: memblock kept it, or it is a hole inside a present pageblock
 *	free		PG_buddy on the first page of a block: lru and order are the zone's, _refcount 0
 *	cached		_refcount 0, no PG_buddy: on a CPU's page stack with its order, or inside a block
 *	allocated	_refcount > 0 on the first page of a block of 1 << order pages
 *	slab		allocated, and PG_slab: the slab fields are SLUB's
 *	compound	allocated with __GFP_COMP: PG_head on the first page, compound_head on each other
 *	bad		PG_hwpoison: no block's, order 0 and _refcount 0 for ever
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

/* Below the flags, the order of the block: so order and flags compare as one number, page_state(). */
#define PAGE_ORDER_BITS 4
#define PAGE_ORDER_MASK (BIT(PAGE_ORDER_BITS) - 1)

enum pageflag {
	PG_reserved = PAGE_ORDER_BITS, /* (i) not the page allocator's */
	PG_buddy,		       /* (Z) first page of a free block, which has no other flag */
	PG_slab,		       /* (P) belongs to a slab; on every page of it */
	PG_kmalloc,		       /* (P) first page of a kmalloc() too large for a slab */
	PG_head,		       /* (P) first page of a compound block */
	PG_hwpoison,		       /* (Z) bad: taken out of use for ever (<mm/page_offline.h>) */
	NR_PAGEFLAGS,
};

/**
 * struct page - one page frame, by who uses it now: the page allocator, SLUB, or whoever allocated it
 * @flags: (i) section, node and zone in the top 26 bits; from bit 4 up the PG_ bits with the letters above; in bits 0
 *         to 3 (Z or P) the order of the block whose first page this is
 * @lru: (Z) free block: its place in the free list; (P) allocated: its user's
 * @mapping: (P) allocated: what the page belongs to, its user's
 * @index: (P) allocated: its place there, its user's
 * @slab_list: (S) first page of a slab: its place in the node's list
 * @slab_cache: (P) every page of a slab: its cache
 * @freelist: (S) first page of a slab: its first free object, NULL when full
 * @compound_head: (P) page of a compound block but the first: address of the first page, bit 0 set
 * @private: (P) allocated: its user's; (Z) first page of a free block: which of its links are wrong, while its list is
 *           mended; bad: the next bad page
 * @object_factor: (P) page of a slab: what a checked free multiplies an address with (<mm/object_check.h>)
 * @object_stack: (P) page of a slab: offset of the per-CPU stack that takes its objects, in units of OBJECT_STACK_UNIT
 *                bytes; 0, and on any other page: none
 * @inuse: (S) first page of a slab: objects taken from it, those on a CPU's stack included
 * @_mapcount: (P) allocated: how often page tables of its user map it; its user's
 * @page_type: (P) allocated and never mapped: of what kind it is; its user's
 * @on_list: (S) first page of a slab: whether it is in the node's partial list
 * @head_offset: (P) pages of a slab: pages back to the first one
 * @object_key: (P) page of a slab: what a checked free adds to the product
 * @_refcount: users; 0 when free or cached. Atomic.
 * @page_stack: (Z) offset of the per-CPU stack that takes this block when it is freed, and which anybody may read; 0:
 *              none, the slow path. Written when the block leaves the free lists.
 *
 * A struct page that is zero but for the top bits of flags is an ordinary page that nobody uses.
 */
struct page {
	unsigned long flags;
	union {
		struct list_head lru;
		struct list_head slab_list;
		unsigned long compound_head;
	};
	union {
		void *mapping;
		struct kmem_cache *slab_cache;
	};
	union {
		unsigned long index;
		void *freelist;
	};
	union {
		unsigned long private;
		u64 object_factor;
	};
	u16 object_stack;
	u16 inuse;
	union {
		s32 _mapcount;
		u32 page_type;
		struct {
			u8 on_list;
			u8 head_offset;
			u16 object_key;
		};
	};
	s32 _refcount;
	u32 page_stack;
};

/* So the heads of all stacks lie within 512 KiB of the per-CPU base. */
#define OBJECT_STACK_UNIT 8UL

_Static_assert(sizeof(struct page) == 64, "struct page is one cache line");
_Static_assert(offsetof(struct page, flags) == 0, "flags first");
_Static_assert(offsetof(struct page, lru) == 8 && offsetof(struct page, slab_list) == 8 &&
		       offsetof(struct page, compound_head) == 8,
	       "a tail's bit 0 would be in the list's first pointer, which is even");
_Static_assert(offsetof(struct page, mapping) == 24 && offsetof(struct page, slab_cache) == 24, "second user word");
_Static_assert(offsetof(struct page, index) == 32 && offsetof(struct page, freelist) == 32, "third user word");
_Static_assert(offsetof(struct page, private) == 40 && offsetof(struct page, object_factor) == 40,
	       "fourth user word, or factor");
_Static_assert(
	offsetof(struct page, object_stack) == 48 && offsetof(struct page, inuse) == 50 &&
		offsetof(struct page, on_list) == 52 && offsetof(struct page, head_offset) == 53 &&
		offsetof(struct page, object_key) == 54,
	"what a checked free of an object looks at is one load: the factor, and a word with the stack and, on top, the key");
_Static_assert(offsetof(struct page, _mapcount) == 52 && offsetof(struct page, page_type) == 52, "map count or type");
_Static_assert(offsetof(struct page, _refcount) == 56 && offsetof(struct page, page_stack) == 60,
	       "users, and page stack");

#define SECTIONS_SHIFT	 (MAX_PHYSMEM_BITS - 30)
#define ZONES_SHIFT	 2
#define SECTION_ID_SHIFT (64 - SECTIONS_SHIFT)
#define NODE_ID_SHIFT	 (SECTION_ID_SHIFT - CONFIG_NODES_SHIFT)
#define ZONE_ID_SHIFT	 (NODE_ID_SHIFT - ZONES_SHIFT)
#define NODE_ID_MASK	 (BIT(CONFIG_NODES_SHIFT) - 1)
#define ZONE_ID_MASK	 (BIT(ZONES_SHIFT) - 1)

#define PAGE_STATE_MASK (BIT(ZONE_ID_SHIFT) - 1)

_Static_assert(ZONE_ID_SHIFT >= NR_PAGEFLAGS, "order, flags and identity share one word");

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

/** page_state() - the PG_ bits and the block's order, of one moment: BIT(PG_...) | order */
static inline unsigned long page_state(const struct page *page)
{
	return READ_ONCE(page->flags) & PAGE_STATE_MASK;
}

/**
 * page_order() - order of the block whose first page @page is, free, cached or allocated; 0 on the block's other pages
 */
static inline unsigned int page_order(const struct page *page)
{
	return READ_ONCE(page->flags) & PAGE_ORDER_MASK;
}

static inline void set_page_order(struct page *page, unsigned int order)
{
	WRITE_ONCE(page->flags, (page->flags & ~PAGE_ORDER_MASK) | order);
}

static inline int page_ref_count(const struct page *page)
{
	return READ_ONCE(page->_refcount);
}

/*
 * Compound blocks, of __GFP_COMP: every page but the first points to the first, so that any of them stands for the
 * whole block. Context: whoever holds a reference.
 */
static inline bool PageHead(const struct page *page)
{
	return page_test(page, PG_head);
}

static inline bool PageTail(const struct page *page)
{
	return READ_ONCE(page->compound_head) & 1;
}

static inline bool PageCompound(const struct page *page)
{
	return PageHead(page) || PageTail(page);
}

/** compound_head() - first page of the compound block that @page is part of; @page itself when it is of none */
static inline struct page *compound_head(const struct page *page)
{
	unsigned long head = READ_ONCE(page->compound_head);

	return (struct page *)(head & 1 ? head - 1 : (unsigned long)page);
}

/** compound_order() - order of the compound block whose first page is @page; 0 for any other page */
static inline unsigned int compound_order(const struct page *page)
{
	return PageHead(page) ? page_order(page) : 0;
}

/** virt_to_head_page() - compound_head() of the page that holds the linear-map address @addr */
static inline struct page *virt_to_head_page(const void *addr)
{
	return compound_head(virt_to_page(addr));
}

/** get_page() - one more user of an allocated page; of a compound block, by any of its pages */
static inline void get_page(struct page *page)
{
	fetch_add32((u32 *)&compound_head(page)->_refcount, 1);
}

/**
 * put_page() - one user less; the last one frees the block that begins here, or the compound block that this is part of
 */
void put_page(struct page *page);

/**
 * release_pages() - put_page() for each of @nr pages at @pages; a page may be there once for each reference that is
 * given up
 *
 * Context: any. Interrupts are masked for 64 pages at a time. Cost: 14 instructions for a page where put_page() takes
 * 18.
 */
void release_pages(struct page **pages, int nr);

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
