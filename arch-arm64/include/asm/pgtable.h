/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation tables: their format (Arm ARM D8.3, VMSAv8-64, 4 KiB granule, 48 bits), the static ones, and the engine
 * that maps, unmaps, protects and looks up ranges (mm/pt_map.c, mm/pt_change.c, mm/pt_query.c).
 *
 * 1. A table is one page of 512 entries of 8 bytes. Level 0 entries cover 512 GiB each, level 1 1 GiB, level 2 2 MiB,
 *    level 3 a page. Levels 1 and 2 may hold blocks, level 3 holds pages; an entry of 0 maps nothing.
 * 2. An entry that is not 0 but has no PTE_VALID is a mapping that is switched off: it keeps its address and its
 *    rights, and every access faults.
 * 3. Sixteen entries of level 2 or 3 with PTE_CONT, aligned to sixteen in both address spaces, are one unit of 32 MiB
 *    or 64 KiB: they are alike but for their addresses, and change together.
 * 4. PTE_OWN, ignored by hardware, marks an entry that points to a table which the engine frees when it is empty or has
 *    become uniform. Tables of the image, of the boot, and vmalloc's of level 3 have other owners.
 * 5. Of vmalloc's addresses those from VMAP_PHYS_START on are the engine's; below, vmalloc maps and unmaps, and the
 *    engine changes rights.
 */
#ifndef ASM_PGTABLE_H
#define ASM_PGTABLE_H

#include <lib/types.h>

#include <asm/layout.h>
#include <asm/sysreg.h>

#define PT_ENTRIES	512
#define PT_LAST_LEVEL	3
#define PT_SHIFT(level) (PAGE_SHIFT + 9 * (PT_LAST_LEVEL - (level)))
#define PT_SPAN(level)	(1ULL << PT_SHIFT(level))

#define PTE_VALID     (1ULL << 0)
#define PTE_TABLE     (3ULL << 0) /* levels 0 to 2: the next table */
#define PTE_BLOCK     (1ULL << 0) /* levels 1 and 2 */
#define PTE_PAGE      (3ULL << 0) /* level 3 */
#define PTE_TYPE_MASK (3ULL << 0)
#define PTE_MAIR(idx) ((u64)(idx) << 2)
#define PTE_USER      (1ULL << 6)
#define PTE_RDONLY    (1ULL << 7)
#define PTE_SH_INNER  (3ULL << 8)
#define PTE_AF	      (1ULL << 10)
#define PTE_GP	      (1ULL << 50) /* guarded: a branch by register must end at a landing pad (FEAT_BTI) */
#define PTE_CONT      (1ULL << 52) /* one of PT_CONT_ENTRIES that may share a TLB entry */
#define PTE_PXN	      (1ULL << 53)
#define PTE_UXN	      (1ULL << 54)
#define PTE_OWN	      (1ULL << 55) /* levels 0 to 2, for software: a table that the engine frees */
#define PTE_ADDR_MASK 0x0000fffffffff000ULL

#define PT_CONT_ENTRIES	    16
#define PT_CONT_SPAN(level) (PT_CONT_ENTRIES * PT_SPAN(level))

/* What a mapping allows: nothing is both writable and executable, and nothing is for EL0. */
#define PT_NORMAL (PTE_MAIR(MAIR_IDX_NORMAL_WB) | PTE_SH_INNER | PTE_AF | PTE_UXN)
#define PT_RX	  (PT_NORMAL | PTE_RDONLY)
#define PT_RO	  (PT_NORMAL | PTE_RDONLY | PTE_PXN)
#define PT_RW	  (PT_NORMAL | PTE_PXN)
#define PT_DEVICE (PTE_MAIR(MAIR_IDX_DEVICE_nGnRE) | PTE_AF | PTE_UXN | PTE_PXN)

/* The other memory types (MAIR_EL1, <asm/sysreg.h>): readable and writable, not executable. */
#define PT_DEVICE_NP (PTE_MAIR(MAIR_IDX_DEVICE_nGnRnE) | PTE_AF | PTE_UXN | PTE_PXN)
#define PT_RW_NC     (PTE_MAIR(MAIR_IDX_NORMAL_NC) | PTE_SH_INNER | PTE_AF | PTE_UXN | PTE_PXN)
#define PT_RW_WT     (PTE_MAIR(MAIR_IDX_NORMAL_WT) | PTE_SH_INNER | PTE_AF | PTE_UXN | PTE_PXN)

/** pte_mair() - the memory type of an entry that maps something, one of MAIR_IDX_... */
#define pte_mair(entry) ((unsigned int)((entry) >> 2) & 7)

#define IMAGE_L3_ENTRIES (KIMAGE_SIZE_MAX / PAGE_SIZE)

/**
 * struct boot_tables - the tables that exist before there is an allocator; they stay in use for ever
 * @pgd: level 0 of TTBR1_EL1
 * @high_l1: level 1 of the last 512 GiB: image and fixmap
 * @image_l2: level 2 of the image
 * @image_l3: level 3 of the image: KIMAGE_SIZE_MAX / 2 MiB tables, one after the other
 * @stacks_l1: level 1 of the stacks
 * @stacks_l2: level 2 of the stacks
 * @stacks_l3: level 3 of the stacks, of all STACKS_MAX CPUs
 * @fix_l2: level 2 of the fixmap; its first two entries are the window on the device tree
 * @fix_slot: level 3 of FIX_SLOT_START
 * @fix_device: level 3 of FIX_DEVICE_START
 * @fix_boot: level 3 of FIX_BOOT_START
 */
struct boot_tables {
	u64 pgd[PT_ENTRIES];
	u64 high_l1[PT_ENTRIES];
	u64 image_l2[PT_ENTRIES];
	u64 image_l3[IMAGE_L3_ENTRIES];
	u64 stacks_l1[PT_ENTRIES];
	u64 stacks_l2[PT_ENTRIES];
	u64 stacks_l3[PT_ENTRIES];
	u64 fix_l2[PT_ENTRIES];
	u64 fix_slot[PT_ENTRIES];
	u64 fix_device[PT_ENTRIES];
	u64 fix_boot[PT_ENTRIES];
} __aligned(PAGE_SIZE);

_Static_assert(offsetof(struct boot_tables, pgd) == 0, "head.S takes the address of boot_tables for TTBR1_EL1");
_Static_assert(sizeof(struct boot_tables) % PAGE_SIZE == 0, "tables are whole pages");

#pragma GCC visibility push(hidden)
extern struct boot_tables boot_tables;
#pragma GCC visibility pop

/* Whoever changes tables at run time holds it, the tables of vmalloc's level 3 aside. */
extern struct mutex pt_mutex;

/** pt_index() - which entry of a table of @level maps @va */
static inline unsigned int pt_index(u64 va, int level)
{
	return (va >> PT_SHIFT(level)) & (PT_ENTRIES - 1);
}

/** pt_is_table() - whether an entry of @level points to a table */
static inline bool pt_is_table(u64 entry, int level)
{
	return level < PT_LAST_LEVEL && (entry & PTE_TYPE_MASK) == PTE_TABLE;
}

/** pt_table() - address of the table of @level at physical address @pa; valid until the next call with this level */
u64 *pt_table(phys_addr_t pa, int level);

/**
 * struct pt_walk - a walk over all entries that are not 0, in the order of addresses, tables before what they hold
 * @va: first address that the current entry maps; after pt_walk_refresh(), what is left of it
 * @size: bytes from @va on
 * @entry: the current entry
 * @level: its level
 * @table: the walk's own: the tables on the way down
 * @base: the walk's own: first address of each
 * @next: the walk's own: entry to look at next in each
 * @depth: the walk's own: the lowest of them, -1 when done
 */
struct pt_walk {
	u64 va;
	u64 size;
	u64 entry;
	int level;
	const u64 *table[PT_LAST_LEVEL + 1];
	u64 base[PT_LAST_LEVEL + 1];
	unsigned int next[PT_LAST_LEVEL + 1];
	int depth;
};

/** pt_walk_start() - begin a walk. Context: after arch_linear_map_done(), while nobody frees tables. */
void pt_walk_start(struct pt_walk *walk);

/** pt_walk_next() - go to the next entry. Return: false when there is none. */
bool pt_walk_next(struct pt_walk *walk);

/** pt_walk_skip() - do not look into the table that the current entry points to */
static inline void pt_walk_skip(struct pt_walk *walk)
{
	walk->depth = walk->level;
}

/**
 * pt_walk_refresh() - begun again after pt_hold_tables(): the tables of the walk may have gone meanwhile
 *
 * Return: true when a table that the walk was in has become a block: the walk stands at what it has not seen of it.
 */
bool pt_walk_refresh(struct pt_walk *walk);

/**
 * pt_hold_tables() - keep every table where it is, and what points to it, until pt_release_tables()
 *
 * What is mapped within vmalloc's tables still changes. Context: any CPU; masks interrupts and takes the lock of the
 * tables, of rank LOCK_RANK_VMAP_TABLES. Return: for pt_release_tables().
 */
unsigned long pt_hold_tables(void);

/** pt_release_tables() - the end of pt_hold_tables(), whose result is @flags */
void pt_release_tables(unsigned long flags);

/**
 * struct pt_leaf - an entry that maps a block or a page, or the rest of a block whose begin was seen as smaller leaves
 * @va: first address
 * @size: bytes from @va on, up to the end of the block or page
 * @entry: it
 * @level: its level, 1 to 3; 0 against the rules
 * @whole_group: of an entry with PTE_CONT: all sixteen were alike in this moment, but for their addresses, and those
 * aligned as one unit
 */
struct pt_leaf {
	u64 va;
	u64 size;
	u64 entry;
	int level;
	bool whole_group;
};

/**
 * pt_visit() - call @fn for each block and page that is mapped, in the order of addresses
 * @fn: may print, and take as long as it likes: no lock is held
 * @arg: passed on
 *
 * Other CPUs may map and unmap meanwhile: what is mapped from beginning to end is seen once. Context: thread, after
 * arch_linear_map_done(); masks interrupts for some ten thousand instructions at a time at most. Cost: O(tables).
 */
void pt_visit(void (*fn)(const struct pt_leaf *leaf, void *arg), void *arg);

/**
 * pt_count_tables() - table pages that are reachable, those inside the image included
 * @accounted: set to arch_table_pages() of the same moment
 *
 * Context: any CPU; interrupts are masked all the time. Cost: O(tables of level 0 to 2).
 */
unsigned long pt_count_tables(unsigned long *accounted);

/** typedef pt_alloc_fn - one page for a table, any contents: its physical address, 0 when there is none */
typedef phys_addr_t (*pt_alloc_fn)(void);

/**
 * pt_map() - map a range at boot, in the largest units that fit
 * @va: page aligned
 * @pa: page aligned
 * @size: bytes, page aligned
 * @prot: PT_RX, PT_RO, PT_RW or PT_DEVICE
 * @alloc: where missing tables come from; they stay for ever
 *
 * On return the mapping works on every CPU. Context: boot CPU, before it starts the others; no lock.
 * Cost: O(entries written + tables passed); about seven instructions per entry and sixty per table.
 * Return: 0; -EEXIST, after a line that names both, when something is mapped in the range; -ENOMEM when @alloc had no
 * page. Then what was mapped before stays mapped: the caller panics.
 */
int pt_map(u64 va, phys_addr_t pa, u64 size, u64 prot, pt_alloc_fn alloc);

/*
 * The engine at run time. Common to the next four functions: ranges are page aligned, not empty, and end below the last
 * 512 GiB of addresses. The caller holds pt_mutex. Each range has one owner, who calls; whoever uses neighbours goes on
 * undisturbed. Context: where arch_cross_call_ok(), for other CPUs may be stopped for a moment. On an error nothing has
 * changed, and a line names the range and what stands in the way.
 */

/**
 * pt_map_range() - pt_map() with tables of the page allocator
 *
 * Not in vmalloc's addresses below VMAP_PHYS_START. Cost: about seven instructions per entry. Return: 0, -EEXIST,
 * -ENOMEM or -EINVAL.
 */
int pt_map_range(u64 va, phys_addr_t pa, u64 size, u64 prot);

/**
 * pt_unmap_range() - unmap, and free the tables that are empty then
 *
 * Where pt_map_range() maps. On return no CPU uses the old translations. Return: 0; -EINVAL; -ENOENT when not all of
 * the range is mapped; -ENOMEM when a block had to be split and there is no page for a table.
 */
int pt_unmap_range(u64 va, u64 size);

/** pt_tidy_range() - free the tables of a range that maps nothing */
void pt_tidy_range(u64 va, u64 size);

/**
 * pt_protect_range() - set and clear attribute bits
 * @set, @clear: of PTE_RDONLY, PTE_PXN and PTE_VALID
 *
 * Blocks that reach over an end of the range are split; what has become uniform is merged. On return no CPU uses the
 * old rights. Return: as pt_unmap_range(), of -ENOMEM without a line: the caller knows whose the range is.
 */
int pt_protect_range(u64 va, u64 size, u64 set, u64 clear);

/**
 * pt_clear_range() - unmap all of what one pt_map_range() mapped, and leave the tables, for pt_tidy_range()
 *
 * On return no CPU uses the old translations. Context: any, without pt_mutex: no unit reaches over an end, for its
 * neighbours map nothing.
 */
void pt_clear_range(u64 va, u64 size);

/**
 * struct pt_unit - what the tables say of an address: a page, a block, a group of them with PTE_CONT, or a gap
 * @va: first address
 * @size: bytes; of a gap, those that the entry of 0 stands for
 * @slot: its entry, the first of a group
 * @entry: what it holds; 0 of a gap
 * @level: its level
 */
struct pt_unit {
	u64 va;
	u64 size;
	u64 *slot;
	u64 entry;
	int level;
};

/** pt_query() - look up @va. Context: nobody frees the tables that map it. Cost: four loads. */
void pt_query(u64 va, struct pt_unit *unit);

/**
 * pt_next_mapped() - the lowest address from @va on, below @end, whose entry is not 0; @end when there is none.
 * Context: any.
 */
u64 pt_next_mapped(u64 va, u64 end);

/** pt_entry_pa() - what @entry, not 0, maps its first byte to */
static inline phys_addr_t pt_entry_pa(u64 entry)
{
	return entry & PTE_ADDR_MASK;
}

/** pt_leaf_pa() - what @leaf maps its first byte to, which need not be that of its block */
static inline phys_addr_t pt_leaf_pa(const struct pt_leaf *leaf)
{
	return pt_entry_pa(leaf->entry) + (leaf->va & (PT_SPAN(leaf->level) - 1));
}

/**
 * pt_slot() - the entry of @level for @va; NULL, and *@next the first address behind the gap or block, when there is no
 * table
 */
u64 *pt_slot(u64 va, int level, u64 *next);

/**
 * pt_find_table() - the table of @level that maps @va, made with its parents if need be
 *
 * A table of level 3 belongs to the caller, who frees it; those above get PTE_OWN. Return: NULL when @alloc has no
 * page: what was made on the way is empty then (pt_unlink_empty()); and, after a line, when a block is mapped at @va.
 * Context: tables are held.
 */
u64 *pt_find_table(u64 va, int level, pt_alloc_fn alloc);

/**
 * pt_unlink_empty() - take out tables with PTE_OWN on the way to @va that are empty, lowest first
 * @empty: set to their addresses
 *
 * The caller invalidates @va in all TLBs and then frees them. Context: tables are held. Return: how many.
 */
unsigned int pt_unlink_empty(u64 va, phys_addr_t empty[PT_LAST_LEVEL]);

/** pt_count() - @n tables more are linked; they are held, or other CPUs are stopped, or there are none yet */
void pt_count(long n);

/** pt_boot_alloc() - a pt_alloc_fn that takes from memblock, before hand-over */
phys_addr_t pt_boot_alloc(void);

/** pt_use_linear_map() - tables are reached through the linear map from now on */
void pt_use_linear_map(void);

/** pt_linear_ready() - whether they are */
bool pt_linear_ready(void);

/** fixmap_table() - map the table page at @pa where tables of @level are reached before the linear map is there */
u64 *fixmap_table(phys_addr_t pa, int level);

/** fixmap_release_tables() - unmap what fixmap_table() mapped */
void fixmap_release_tables(void);

/** fixmap_alias() - show the page at @pa a second time, for pt_live.c: writable, not executable. Context: pt_mutex. */
u64 *fixmap_alias(phys_addr_t pa);

/** fixmap_release_alias() - unmap it, on all CPUs */
void fixmap_release_alias(void);

/** fixmap_text() - map the page of the image's text at @pa a second time, writable and not executable. Boot CPU. */
u32 *fixmap_text(phys_addr_t pa);

/** fixmap_release_text() - unmap it */
void fixmap_release_text(void);

#endif
