/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmalloc: memory that is contiguous in addresses and not in RAM, and mappings of given pages.
 *
 * Common contract: addresses lie in [VMALLOC_START, VMALLOC_END), begin on a page, and are writable and not executable.
 * An unmapped page follows each area, and one precedes it: what runs over the end faults. Sizes are bytes, rounded up
 * to pages. Context: allocation and mapping in a thread; vfree(), vunmap() and vm_unmap_ram() anywhere. vmap() and
 * vm_map_ram() of what can be written may take a mutex once rights of pages were changed (<mm/set_memory.h>), and are
 * refused then with interrupts masked. Locks: of ranks 10, 12 and 13 (mm/internal.h); none of them is held when a page
 * is allocated.
 *
 * Failure: NULL, after a line that says why (the first 20 times) unless __GFP_NOWARN, and nothing is left behind: not
 * for a size of 0, one larger than all RAM, memory or address space that is short.
 *
 * Cost: a hit of this CPU's areas touches no shared line: about 400 instructions for an area of one page and its end.
 * What was freed is unmapped at once, but its address is given again only after the TLBs were told: once for many
 * areas.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include <mm/gfp.h>

#include <asm/vmap.h>

/** vmalloc() - @size bytes of any pages */
void *vmalloc(size_t size) __must_check;

/** vzalloc() - vmalloc(), zeroed */
void *vzalloc(size_t size) __must_check;

/** vmalloc_node() - vmalloc() near node @nid (NUMA_NO_NODE: this CPU's) */
void *vmalloc_node(size_t size, int nid) __must_check;

/** vzalloc_node() - vmalloc_node(), zeroed */
void *vzalloc_node(size_t size, int nid) __must_check;

/** __vmalloc() - vmalloc() of pages as @gfp says */
void *__vmalloc(size_t size, gfp_t gfp) __must_check;

/**
 * vmalloc_huge() - __vmalloc() that maps by blocks of 2 MiB where the size holds whole ones and pages of order 9 are at
 * hand
 *
 * The address is a multiple of 2 MiB when @size is at least that.
 */
void *vmalloc_huge(size_t size, gfp_t gfp) __must_check;

/**
 * vfree() - give back what a function above returned; NULL does nothing
 *
 * Anything else, an area of vmap(), one that is free already, or an address inside one, is reported with the area that
 * it lies in, or that ended there lately, the first 20 times, and nothing happens. That goes for CPUs that free one
 * area at the same moment, too: one does.
 */
void vfree(const void *addr);

/**
 * vmalloc_bad_frees() - how many calls of vfree(), vunmap(), vm_unmap_ram() and iounmap() were refused, reported or not
 */
u32 vmalloc_bad_frees(void);

/* Flags of vmap(), with Linux's values. */
#define VM_MAP		 0x4UL	 /* says what vmap() does */
#define VM_MAP_PUT_PAGES 0x200UL /* a reference to each page, and the array, become the mapping's */

/**
 * vmap() - map @count pages in their order
 * @pages: of which none is NULL
 * @flags: VM_MAP, with VM_MAP_PUT_PAGES or without
 * @prot: PAGE_KERNEL or PAGE_KERNEL_RO; or, of another memory type, PAGE_KERNEL_NC, PAGE_KERNEL_WT, PAGE_DEVICE or
 * PAGE_DEVICE_NP
 *
 * The pages stay the caller's: vunmap() does not free them. With VM_MAP_PUT_PAGES, when it succeeds, one reference to
 * each page and @pages itself, of kmalloc() or vmalloc(), are the mapping's, which vfree() ends, in any context: it
 * gives up the references and frees @pages. vunmap() of such a mapping only unmaps: references and @pages are the
 * caller's again. Of RAM the linear map keeps its mapping, which is cacheable: who maps it with another type cleans it
 * from the caches before (dcache_clean_inval_poc()) and uses it through one of the two mappings at a time. A page that
 * is mapped with another type than @prot's already, for a bus master, by vmap(), ioremap() or memremap(), is refused,
 * and both are named (<mm/memtype.h>); until vunmap() those are refused in turn. The linear map, and a write-back
 * vmap() of the page allocator's pages, are in nobody's way. Refused, too: a @prot that is none of these, other flags,
 * a page that is NULL, and, if it could be written, one that is executable at another address (<mm/set_memory.h>).
 */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, u64 prot) __must_check;

/** vunmap() - end a mapping of vmap(); NULL does nothing; what is none is reported as by vfree() */
void vunmap(const void *addr);

/** vm_map_ram() - vmap() of pages, PAGE_KERNEL, for a short time. @nid: where its bookkeeping shall lie, a hint. */
void *vm_map_ram(struct page **pages, unsigned int count, int nid) __must_check;

/** vm_unmap_ram() - end a mapping of vm_map_ram() of @count pages */
void vm_unmap_ram(const void *addr, unsigned int count);

/**
 * vm_unmap_aliases() - on return no TLB knows any address that was unmapped before. Context: where
 * arch_cross_call_ok().
 */
void vm_unmap_aliases(void);

/** is_vmalloc_addr() - whether @addr lies in the part of the address space that is vmalloc's */
static inline bool is_vmalloc_addr(const void *addr)
{
	return (uintptr_t)addr >= VMALLOC_START && (uintptr_t)addr < VMALLOC_END;
}

/**
 * vmalloc_to_page() - the page that is mapped at @addr; NULL when none is
 *
 * As with Linux a page of vmalloc() has a user of its own: get_page() holds it, and no other, past vfree(). Context:
 * any; who has the area, which nobody frees meanwhile. Cost: O(1); the first call for pages that were allocated as one
 * block splits them, O(pages).
 */
struct page *vmalloc_to_page(const void *addr);

/** vmalloc_to_pfn() - page_to_pfn(vmalloc_to_page()) of an address that is mapped */
unsigned long vmalloc_to_pfn(const void *addr);

/** vmalloc_nr_pages() - pages in areas of vmalloc(), a moment's figure */
unsigned long vmalloc_nr_pages(void);

/** vmalloc_init() - Context: boot only, after kmem_cache_init(). */
void vmalloc_init(void);

/**
 * vmalloc_check() - prove that address space is whole: free extents and used ones cover it and do not overlap, every
 * slot of a block is free, cached or used, and in used extents what is free maps nothing
 *
 * Context: thread, while nobody allocates or frees. Return: true, or false after a line that says what is wrong.
 */
bool vmalloc_check(void);

#endif
