/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas of vmalloc's address space, for vmalloc.c, vmap_*.c, show_vmalloc.c and set_memory.c.
 *
 *	[VMALLOC_START, VMALLOC_END) = free extents + used extents, multiples of 2 MiB
 *	from VMAP_PHYS_START on = large areas of physical ranges, and no others (vmap_phys.c)
 *	used extent = a block of equal slots, or one large area, or without an owner: units of chunks (percpu_chunk.c)
 *	slots of a block = free in the block + cached by CPUs + dirty + used
 *
 * Who ends an area claims it first: its nr_pages become 0 in one step, for one caller only. From then on it is his as a
 * new one is its maker's, and neither it nor its block or tables go before he gives it back.
 */
#ifndef MM_VMAP_H
#define MM_VMAP_H

#include <lib/list.h>
#include <mm/va_tree.h>
#include <mm/vmalloc.h>

#include <asm/set_memory.h>

#define VMAP_BLOCK_PAGES (VMAP_BLOCK_SIZE >> PAGE_SHIFT)

/* A slot of order n has 1 << n pages, the unmapped one at its end included. */
#define SLOT_ORDER_MIN 1
#define SLOT_ORDER_MAX 9
#define SLOT_PAGES_MAX ((1U << SLOT_ORDER_MAX) - 1)
#define SLOTS_MAX      (VMAP_BLOCK_PAGES >> SLOT_ORDER_MIN)

_Static_assert(1UL << SLOT_ORDER_MAX == VMAP_BLOCK_PAGES, "the largest slot is a whole block");

/*
 * What an area is for; from VMAP_IOREMAP on, a physical range. VMAP_CHANGED and VMAP_ENDED are vmalloc()'s, too: one
 * whose pages have other rights than vmalloc() gave them, and one of these that a handler freed, and that a thread ends
 * (vmap_rights.c).
 */
enum vmap_use {
	VMAP_FREE,
	VMAP_VMALLOC,
	VMAP_CHANGED,
	VMAP_ENDED,
	VMAP_VMAP,
	VMAP_RAM,
	VMAP_IOREMAP,
	VMAP_DMA,
};

/* Whether an area of @use has pages that are freed with it. */
static inline bool vmap_owns_pages(u8 use)
{
	return use == VMAP_VMALLOC || use == VMAP_CHANGED || use == VMAP_ENDED;
}

/**
 * struct vmap_area - a range of pages that is mapped, or could be
 * @addr: (c) its first address
 * @pte: (c) its first entry; NULL of a large area, which may be mapped by blocks
 * @caller: (o) who asked for it
 * @nr_pages: (o) pages mapped; 0 when it is free, or claimed by who ends it
 * @use: (o) enum vmap_use
 * @order: (c) of its slot; 0 of a large area
 * @state: (o) the three in one word, by which a slot is claimed
 *
 * Letters: (c) constant; (o) its owner: who was given the area, or the CPU that caches it, or the block's lock.
 */
struct vmap_area {
	unsigned long addr;
	u64 *pte;
	const void *caller;
	union {
		struct {
			u32 nr_pages;
			u8 use;
			u8 order;
		};
		u64 state;
	};
};

_Static_assert(sizeof(struct vmap_area) == 32, "a slot is found by a shift");

/**
 * struct vmap_block - 2 MiB of address space, cut into slots, with a table of their own
 * @extent: (V) in the tree of used extents
 * @list: (S) in its order's list while it has free slots
 * @nr_free: (S) slots free in it
 * @nr_slots: (c) 0 until the slots are written
 * @free: (S) a bit for each free slot
 * @area: (c) its slots
 */
struct vmap_block {
	struct va_extent *extent;
	struct list_head list;
	u32 nr_free;
	u32 nr_slots;
	u64 free[SLOTS_MAX / 64];
	struct vmap_area area[];
};

/**
 * struct large_area - an area that is an extent of its own
 * @area: its pte is NULL
 * @extent: (c) its address space
 * @list: (L) of a physical range: in the list of those that wait (vmap_phys.c)
 * @offset: (c) of its first address in the extent, bytes
 * @blocks: (c) it is mapped by blocks of 2 MiB where there are any
 */
struct large_area {
	struct vmap_area area;
	struct va_extent *extent;
	struct list_head list;
	u32 offset;
	bool blocks;
};

/* The areas that one CPU holds back, interrupts masked. */
#define SLOTS_CACHED 64
#define SLOTS_DIRTY  64

/**
 * struct vmap_cpu - one CPU's areas
 * @nr_free: cached by order
 * @free: whose TLB entries are gone
 * @nr_dirty: freed since
 * @dirty: whose addresses some TLB may still know
 */
struct vmap_cpu {
	u32 nr_free[SLOT_ORDER_MAX + 1];
	struct vmap_area *free[SLOT_ORDER_MAX + 1][SLOTS_CACHED];
	u32 nr_dirty;
	struct vmap_area *dirty[SLOTS_DIRTY];
};

extern struct vmap_cpu *vmap_cpus; /* a per-CPU cookie */

/* The page of a block's table says which block it is, once its slots are written; NULL: none. */
static inline struct vmap_block *block_of(const u64 *pte)
{
	return __atomic_load_n(&virt_to_page(pte)->mapping, __ATOMIC_ACQUIRE);
}

/**
 * struct vmap_claim - an area that is the claimer's now, to end it
 * @area: NULL when there was nothing to claim
 * @nr_pages: that it has
 */
struct vmap_claim {
	struct vmap_area *area;
	unsigned long nr_pages;
};

/** vmap_block_next() - copy the first slot of @block in use at or above @addr. Return: false when there is none. */
bool vmap_block_next(const struct vmap_block *block, unsigned long addr, struct vmap_area *copy);

/**
 * vmap_block_at() - copy the slot of @block that @addr lies in. Context: @block cannot go. Return: false when it has
 * none yet.
 */
bool vmap_block_at(const struct vmap_block *block, unsigned long addr, struct vmap_area *copy);

/** vmap_block_mark() - vmap_area_mark() of a slot of @block. Context: @block cannot go. */
bool vmap_block_mark(struct vmap_block *block, unsigned long addr, u8 from, u8 to);

/** vmap_slots_init() - no block yet. Context: boot, after kmem_cache_init(). */
void vmap_slots_init(void);

/** vmap_slot_get() - a slot for @nr_pages, at most SLOT_PAGES_MAX; NULL when address space or memory is short */
struct vmap_area *vmap_slot_get(unsigned int nr_pages);

/**
 * vmap_slot_put() - give a slot back that maps nothing any more; no CPU gets it before TLBs were told. Context: any.
 */
void vmap_slot_put(struct vmap_area *area);

/**
 * vmap_slot_claim() - claim the slot in use that begins at @addr, one of vmalloc's addresses, whosever it is
 * @use: what it must be for
 * @count: how many pages it must have; 0 for any number
 *
 * Of several who claim one, one gets it. Context: any. Cost: about 40 instructions, no lock.
 */
struct vmap_claim vmap_slot_claim(unsigned long addr, u8 use, u32 count);

/**
 * vmap_purge() - every CPU's cached and dirty slots back to their blocks, empty blocks back, and what was retired freed
 *
 * Context: where arch_cross_call_ok().
 */
void vmap_purge(void);

/** vmap_retire_init() - nothing is retired yet. Context: boot. */
void vmap_retire_init(void);

/**
 * vmap_retire_table() - free a table that is linked nowhere any more, and that no TLB knows, when no walk can be in it
 *
 * For the port. What it holds may not lead anywhere. Context: any; takes a lock of rank LOCK_RANK_VMAP_RETIRED.
 */
void vmap_retire_table(struct page *table);

/** vmap_retire_block() - the same for a block, whose table is retired and whose address space is given back */
void vmap_retire_block(struct vmap_block *block);

/** vmap_retired_tables() - how many wait; they are allocated pages */
unsigned long vmap_retired_tables(void);

/** vmap_retired_whole() - whether they are as many as are counted, and lead nowhere */
bool vmap_retired_whole(void);

/** vmap_reap() - free what is retired, after a cross call to every CPU. Context: where arch_cross_call_ok(). */
void vmap_reap(void);

/** vmap_reap_many() - vmap_reap(), if it is worth a cross call, and this may make one. Context: any, no lock held. */
void vmap_reap_many(void);

/**
 * vmap_extent_get() - @len bytes of address space, a multiple of 2 MiB, for @owner
 *
 * Context: thread. Return: NULL when there is none; and, after a line, when something is mapped in what should be free.
 */
struct va_extent *vmap_extent_get(unsigned long len, void *owner);

/**
 * vmap_extent_get_phys() - @len bytes of address space from VMAP_PHYS_START on, a multiple of 2 MiB, for @large
 * @align: a power of two, 2 MiB at the least
 * @like: a multiple of 2 MiB; modulo @align the first address is like it
 *
 * Context: thread. Return: as vmap_extent_get().
 */
struct va_extent *vmap_extent_get_phys(unsigned long len, unsigned long align, unsigned long like,
				       struct large_area *large);

/**
 * vmap_extent_get_at() - the @len bytes of address space at @start, multiples of 2 MiB, for nobody that this header
 * knows
 *
 * Below VMAP_PHYS_START.
 * Context: thread. Return: 0 and *@extent; -EBUSY when not all of it is free, or something is mapped there, -ENOMEM;
 * then nothing has changed.
 */
int vmap_extent_get_at(unsigned long start, unsigned long len, struct va_extent **extent);

/** vmap_extent_put() - give it back; TLBs were told. Context: any. */
void vmap_extent_put(struct va_extent *extent);

/**
 * vmap_extent_next() - copy the used extent with the lowest start at or above @addr. Return: false when there is none.
 *
 * Its owner may be on its way out: look at it only while nobody allocates or frees.
 */
bool vmap_extent_next(unsigned long addr, struct va_extent *copy);

/** vmap_extent_at() - copy the used extent that @addr lies in. Return: false when there is none. */
bool vmap_extent_at(unsigned long addr, struct va_extent *copy);

/**
 * vmap_area_next() - copy the area in use with the lowest address at or above @addr
 *
 * Context: any; others may allocate and free meanwhile. Return: false when there is none.
 */
bool vmap_area_next(unsigned long addr, struct vmap_area *copy);

/**
 * vmap_area_at() - copy the area that @addr lies in, used, or a free slot, whose nr_pages is 0
 *
 * Context: any; others may allocate and free meanwhile, and the copy stays what it is. Return: false when there is
 * none.
 */
bool vmap_area_at(unsigned long addr, struct vmap_area *copy);

/** vmap_large_claim() - vmap_slot_claim() of a large area */
struct vmap_claim vmap_large_claim(unsigned long addr, u8 use, u32 count);

/**
 * vmap_area_mark() - the area in use for @from that begins at @addr is for @to now. Return: false when there is none.
 * Context: any.
 */
bool vmap_area_mark(unsigned long addr, u8 from, u8 to);

/** vmap_extents_whole() - whether free and used extents cover the address space */
bool vmap_extents_whole(void);

/** vmap_extents_init() - all of the address space is free. Context: boot. */
void vmap_extents_init(void);

/** vmap_page_at() - what is mapped at @addr, which need not have a struct page; NULL when nothing is. Context: any. */
struct page *vmap_page_at(unsigned long addr);

/** vmap_note_large() - @area, of @nr_pages, ends: what vmap_report_bad() says of its addresses. Context: any. */
void vmap_note_large(const struct vmap_area *area, unsigned long nr_pages);

/** vmap_note_block() - the same for all slots of @block that were ever used */
void vmap_note_block(const struct vmap_block *block);

/**
 * vmap_report_bad() - say in @caller's name what lies at @addr, which is not what it wanted to end there, and count it
 * @count: pages that it said; 0 when it said nothing of that
 */
void vmap_report_bad(const char *caller, const void *addr, u32 count);

/** vmap_describe() - whose the area at @addr is, in words */
void vmap_describe(unsigned long addr, char *buf, size_t size);

/** vmap_holds() - whether [@addr, @last] lies within the pages of one area in use that maps RAM */
bool vmap_holds(unsigned long addr, unsigned long last);

/**
 * vmap_phys() - map @nr pages of physical addresses, of any kind
 * @phys: page aligned
 * @use: VMAP_IOREMAP or VMAP_DMA
 * @prot: PAGE_KERNEL, PAGE_DEVICE or another of <asm/vmap.h>
 *
 * More than 511 pages are mapped in the largest units that @phys and its end allow (vmap_phys.c). Context: where
 * arch_cross_call_ok().
 * Return: its address; NULL, with nothing left behind, when memory or address space is short.
 */
void *vmap_phys(phys_addr_t phys, unsigned long nr, u64 prot, u8 use, const void *caller);

/**
 * vunmap_phys() - end a mapping of vmap_phys() for @use; no TLB knows it any more. What is none is reported in
 * @caller's name.
 *
 * Context: any. Its tables and addresses may have to wait for a thread: vmap_phys_reap().
 */
void vunmap_phys(const char *caller, const void *addr, u8 use);

/**
 * vmap_phys_map() - find addresses for @nr pages from @phys on, more than a slot has, and map them. Return: false,
 * nothing left.
 */
bool vmap_phys_map(struct large_area *large, phys_addr_t phys, unsigned long nr, u64 prot);

/**
 * vmap_phys_unmap() - unmap it. Return: whether @large and its extent are the caller's to free; else vmap_phys_reap()
 * does.
 */
bool vmap_phys_unmap(struct large_area *large, unsigned long nr);

/**
 * vmap_phys_reap() - free what handlers have left of mappings, if this may take a mutex. Context: any, no lock held.
 */
void vmap_phys_reap(void);

/** vunmap_phys_report() - say in @caller's name what lies at @addr, which it took for a mapping of ioremap() */
void vunmap_phys_report(const char *caller, const void *addr);

/**
 * set_memory_check() - whether [@va, @end) may be changed: the port asks in arch_change_rights(), under the lock of all
 * changes
 *
 * Return: 0; -ENOENT when not all of it is mapped; -EACCES when something would be writable and executable at one
 * address.
 */
int set_memory_check(unsigned long va, unsigned long end, enum arch_rights rights);

/**
 * vmap_change_rights() - arch_change_rights() of linear addresses, or of addresses in one area, and of the other
 * address of their pages
 *
 * @other: set to that other address, or 0, when the result is -ETXTBSY
 *
 * Contract: <mm/set_memory.h>. Context: where arch_cross_call_ok(). Return: as arch_change_rights(); -ETXTBSY when a
 * page would be executable at one address and writable at another.
 */
int vmap_change_rights(unsigned long va, unsigned long size, enum arch_rights rights, unsigned long *other);

/**
 * vmap_rights_allow() - vmap() has mapped [@va, @end), which nobody knows yet: whether what can be written there is
 * executable nowhere
 * @other: set to the address where it is; 0 when that cannot be said, for there are such pages and this may take no
 * mutex
 *
 * Context: any, no lock held. Cost: some ten instructions as long as nobody has changed rights; else O(pages), and
 * while any area's are changed O(runs of pages that lie behind one another x areas).
 */
bool vmap_rights_allow(unsigned long va, unsigned long end, unsigned long *other);

/**
 * vmap_rights_end() - before vfree() ends the area at @addr: its pages get the rights back that they had
 *
 * Context: any. Return: false when it may not be ended now: a thread will (vmap_rights_reap()).
 */
bool vmap_rights_end(unsigned long addr);

/**
 * vmap_rights_reap() - end the areas that vfree() could not, if this may make cross calls. Context: any, no lock held.
 */
void vmap_rights_reap(void);

/** show_vmalloc_areas() - what `vmallocinfo` prints */
void show_vmalloc_areas(void);

/* Whether the extent's owner is a block: a large area is larger. */
static inline bool extent_is_block(const struct va_extent *extent)
{
	return extent->len == VMAP_BLOCK_SIZE;
}

#endif
