/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the table engine asks of the machine: stores to entries, barriers, TLB maintenance, pages for tables, and a
 * moment in which nobody else runs. The host's tests have another one, which records and judges every step
 * (test/host/pgtable).
 *
 * An entry that was valid and is to become another valid one, in more than its rights, goes through 0
 * (break-before-make, Arm ARM D8.16.1): pt_write(0), pt_written(), pt_invalidate(), pt_invalidated(), and only then
 * pt_write(new).
 */
#ifndef ASM_PT_HW_H
#define ASM_PT_HW_H

#include <lib/types.h>

#include <asm/barrier.h>
#include <asm/pgtable.h>

/** pt_write() - store an entry, as a whole */
static __always_inline void pt_write(u64 *slot, u64 entry)
{
	WRITE_ONCE(*slot, entry);
}

/** pt_written() - every table walk from now on sees what was stored, on any CPU */
static __always_inline void pt_written(void)
{
	dsb(ishst);
	isb();
}

/** pt_invalidate() - begin to drop what any TLB holds for @va, page, block or way to them; after pt_written() */
static __always_inline void pt_invalidate(u64 va)
{
	__asm__ volatile("tlbi vae1is, %0" : : "r"((va << 8) >> (8 + PAGE_SHIFT)) : "memory");
}

/** pt_invalidate_all() - the same for all addresses */
static __always_inline void pt_invalidate_all(void)
{
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
}

/** pt_invalidated() - wait until all that was begun is done, on every CPU */
static __always_inline void pt_invalidated(void)
{
	dsb(ish);
	isb();
}

/** pt_page_new() - a page for a table, any contents, without a word; 0 when there is none */
phys_addr_t pt_page_new(void);

/** pt_page_new_thread() - the same, not from what is kept for urgent requests. Context: where arch_cross_call_ok(). */
phys_addr_t pt_page_new_thread(void);

/** pt_page_free() - give it back; no TLB knows it any more */
void pt_page_free(phys_addr_t pa);

/**
 * pt_page_retire() - the same of a table of vmalloc's addresses, all entries 0: who walks there without a lock may be
 * reading it
 */
void pt_page_retire(phys_addr_t pa);

/**
 * pt_live_begin() - from here to pt_live_end() every other CPU stands still, and nothing is reached by the linear map
 * @slot: the entries of this table are to change
 *
 * Return: the address to write them by. Context: pt_mutex held, where arch_cross_call_ok().
 */
u64 *pt_live_begin(u64 *slot);

/** pt_live_end() - all go on */
void pt_live_end(void);

#endif
