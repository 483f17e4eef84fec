/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator of one zone, for page_alloc.c, pcp.c, page_init.c and deferred.c.
 *
 * All of it wants zone->lock held (interrupts masked), but for get_pageblock_migratetype(), which gives a moment's
 * answer without it, and the boot CPU during hand-over, which is alone.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include <mm/gfp.h>
#include <mm/mmzone.h>

/**
 * struct buddy_block - a block that was taken
 * @page: its first page, _refcount 0; NULL: none
 * @order: its order; that in @page's flags is 0
 * @type: the type of its pageblock, which a block that was stolen may not share with the request
 */
struct buddy_block {
	struct page *page;
	unsigned int order;
	enum migratetype type;
};

/**
 * buddy_take() - take the smallest block of at least @order, and no more of it than a block of @most
 *
 * What no free list of @type has comes from a deferred pageblock or from another type, and of that not more than
 * @order. The caller sets the order of what it makes of the block, and page_stack. @type is one of MIGRATE_PCPTYPES;
 * only for MIGRATE_MOVABLE the block may be of a CMA area, and for nobody of the high-atomic reserve.
 */
struct buddy_block buddy_take(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type);

/**
 * buddy_take_from() - buddy_take() from pageblocks of @type and no other, deferred ones too: MIGRATE_HIGHATOMIC,
 * MIGRATE_CMA, ...
 */
struct buddy_block buddy_take_from(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type);

/** buddy_take_whole() - the smallest block of @order to @most that is in a free list of @type, all of it */
struct buddy_block buddy_take_whole(struct zone *zone, unsigned int order, unsigned int most, enum migratetype type);

/**
 * buddy_remove() - take the free block of @order at @page out of its list; the order of all its pages is 0 then
 *
 * Return: false when its links were written to: it is out of use now, and nobody's.
 */
bool buddy_remove(struct zone *zone, struct page *page, unsigned int order);

/** buddy_free() - give a block back; it merges with its buddies as far as they are free */
void buddy_free(struct zone *zone, struct page *page, unsigned int order);

/** buddy_free_range() - give [pfn, pfn + n) back, in the largest aligned blocks. Return: how many. */
unsigned int buddy_free_range(struct zone *zone, unsigned long pfn, unsigned long n);

/* Of mem_section_usage.type: pageblocks in a word, and the bits of one. */
#define TYPES_PER_WORD (64 / PAGEBLOCK_TYPE_BITS)
#define TYPE_MASK      ((1ULL << PAGEBLOCK_TYPE_BITS) - 1)

/* The highest bit of one: the pageblock is isolated, and will again be of the type that the others tell. */
#define TYPE_ISOLATED (1ULL << (PAGEBLOCK_TYPE_BITS - 1))

/**
 * get_pageblock_bits() - what is known of the pageblock of @pfn, which is present: a type, and perhaps TYPE_ISOLATED
 */
static inline u64 get_pageblock_bits(unsigned long pfn)
{
	const struct mem_section_usage *usage = section_usage(pfn_to_section_nr(pfn));
	unsigned long block = pageblock_nr(pfn);

	return READ_ONCE(usage->type[block / TYPES_PER_WORD]) >> block % TYPES_PER_WORD * PAGEBLOCK_TYPE_BITS &
	       TYPE_MASK;
}

/** get_pageblock_migratetype() - the group that the pageblock of @pfn, which is present, belongs to */
static inline enum migratetype get_pageblock_migratetype(unsigned long pfn)
{
	u64 bits = get_pageblock_bits(pfn);

	return bits & TYPE_ISOLATED ? MIGRATE_ISOLATE : (enum migratetype)bits;
}

/** pageblock_old_type() - the same, but what it is underneath when it is isolated */
static inline enum migratetype pageblock_old_type(unsigned long pfn)
{
	return (enum migratetype)(get_pageblock_bits(pfn) & ~TYPE_ISOLATED);
}

/* --- pageblock.c --- */

/** set_pageblock_migratetype() - make it another's, MIGRATE_ISOLATE not among them. Free blocks stay where they are. */
void set_pageblock_migratetype(unsigned long pfn, enum migratetype type);

/** pageblock_shared() - whether zones share the pageblock of @pfn; false where there is none */
bool pageblock_shared(unsigned long pfn);

/**
 * pageblock_in_zone() - whether the pageblock that begins at @pfn, initialised and not shared, was handed over to @zone
 */
bool pageblock_in_zone(const struct zone *zone, unsigned long pfn);

/**
 * zone_of_pageblock() - the zone whose alone the pageblock that begins at @pfn is, initialised now; NULL when there is
 * none
 *
 * Takes each zone's lock. See isolate.c.
 */
struct zone *zone_of_pageblock(unsigned long pfn);

/**
 * convert_pageblock() - make @type, not MIGRATE_ISOLATE, the type of the pageblock that begins at @pfn
 *
 * It is initialised, @zone's alone and not isolated. Its free blocks move to that type's lists, and the counters with
 * them; what is allocated or cached of it follows when it is freed. Cost: O(blocks in it).
 */
void convert_pageblock(struct zone *zone, unsigned long pfn, enum migratetype type);

/**
 * isolate_pageblock(), unisolate_pageblock() - the pageblock that begins at @pfn gives nothing any more, or again
 *
 * It is initialised and @zone's alone. A block of it that is freed from now on by the slow path stays in it; what CPUs
 * have cached, or are about to cache, is the caller's to drain. When it is unisolated it has its old type.
 */
void isolate_pageblock(struct zone *zone, unsigned long pfn);
void unisolate_pageblock(struct zone *zone, unsigned long pfn);

/**
 * steal_block() - choose a free block of at least @order of another type, for a request of @type that found none of its
 * own
 *
 * Its pageblock has become @type's if that was thought best. The block is in the free lists still. Return: NULL when no
 * type that may lend has one.
 */
struct page *steal_block(struct zone *zone, unsigned int order, enum migratetype type);

/**
 * reserve_highatomic() - keep the pageblock of @page, just allocated, for urgent requests, if there may be one more
 *
 * Takes the zone's lock. See pageblock.c.
 */
void reserve_highatomic(struct page *page);

/**
 * unreserve_highatomic() - give a pageblock that was so kept, and has free pages, to requests of @type
 *
 * Takes the zones' locks. Return: whether a zone of @list up to @highest had one.
 */
bool unreserve_highatomic(struct zone **list, enum zone_type highest, enum migratetype type);

/** pcp_type() - which of a CPU's caches takes blocks of a pageblock of @type; MIGRATE_PCPTYPES: none may */
static inline enum migratetype pcp_type(enum migratetype type)
{
	if (likely(type < MIGRATE_PCPTYPES))
		return type;
	return type == MIGRATE_CMA ? MIGRATE_MOVABLE : MIGRATE_PCPTYPES;
}

/** migratetype_name() - "Unmovable", ..., as in Linux's tables */
const char *migratetype_name(enum migratetype type);

/* Count @n pages more, or with -@n fewer, as free pages of @type. */
static inline void count_special(struct zone *zone, enum migratetype type, unsigned long n)
{
	if (unlikely(type >= MIGRATE_PCPTYPES))
		ADD_ONCE(zone->nr_free_special[type - MIGRATE_PCPTYPES], n);
}

/**
 * zone_take_deferred() - write the struct pages of a deferred pageblock and free it as a block of @type
 *
 * For MIGRATE_CMA it is one of a CMA area, for another type one of none. Return: false when the zone has none. Cost:
 * O(PAGEBLOCK_NR_PAGES) stores, unless an idle CPU has done that. See deferred.c.
 */
bool zone_take_deferred(struct zone *zone, enum migratetype type);

/**
 * zone_init_deferred() - the same of the pageblock that begins at @pfn, if it is deferred: as MIGRATE_CMA or
 * MIGRATE_MOVABLE
 */
void zone_init_deferred(struct zone *zone, unsigned long pfn);

/** deferred_in_zone() - whether the deferred pageblock at @pfn, in @zone's span, is @zone's. See deferred.c. */
bool deferred_in_zone(const struct zone *zone, unsigned long pfn);

/**
 * pageblock_deferred() - whether the pageblock of @pfn is wholly free and not initialised; false where there is none
 */
bool pageblock_deferred(unsigned long pfn);

/** page_in_zone() - whether @page, of a pageblock that is initialised, is @zone's */
static inline bool page_in_zone(const struct zone *zone, const struct page *page)
{
	return page_to_nid(page) == zone->node->node_id && page_zonenum(page) == (int)zone->idx;
}

/* The migratetypes that every request may have blocks of, as BIT()s. */
#define ORDINARY_TYPES ((u32)BIT(MIGRATE_PCPTYPES) - 1)

/**
 * zone_has_block() - whether a block of at least @order of one of @types, BIT()s, is free; a moment's answer without
 * the lock
 */
bool zone_has_block(const struct zone *zone, unsigned int order, u32 types);

#endif
