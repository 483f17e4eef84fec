// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmalloc(), vmap() and their kin: addresses, pages, and what connects them.
 *
 * 1. An area of up to 511 pages takes a slot (vmap_slot.c); a larger one takes an extent of whole 2 MiB (vmap_extent.c), with
 *    a struct large_area. Either has an unmapped page behind it at the least.
 * 2. Pages are taken in the largest blocks that fit the rest of the size and are at hand (no reclaim, no report for those);
 *    single pages as the caller's flags say. A block is one page to the page allocator, so that it is found again at the
 *    end without a list: an entry names its first page, whose struct page knows the order.
 * 3. vfree() unmaps, frees the pages and gives the address back. A TLB may know the pages until it is told, before the address
 *    is used again: who touches freed memory meets its next owner, as with any other allocator.
 * 4. A large area is unmapped, all TLBs are told, and its tables freed, at once.
 * 5. On failure what was mapped is unmapped and freed, and the address given back.
 * 6. Physical ranges (vmap_phys(), for ioremap.c) are mapped in the same areas; all TLBs are told when such a mapping ends,
 *    because its memory type may change after that. Pages that vmap() maps are looked at for their types (vmap_type.c).
 *
 * 7. Who ends an area claims it first (vmap.h), a slot without a lock, a large area under that of the extents. So of two CPUs that
 *    end one area at the same moment, or one after the other, one does, and the other is refused. What a report says comes
 *    from a copy (vmap_area_at()): what lies there may be another CPU's, and on its way out.
 *
 * Locks: none here. Pages in use are counted by a walk when somebody asks, so that no call pays for it.
 */
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>
#include <stdio.h>

#include "internal.h"
#include "vmap.h"
#include "vmap_type.h"

#define MAX_REPORTS 20

static u32 refusals, bad_frees;	   /* of calls; atomic */
static unsigned long max_nr_pages; /* of an area: all RAM; constant after set-up */

#define BLOCK_ORDER ((unsigned int)(__builtin_ctzl(VMAP_BLOCK_PAGES)))

/* What one call asks for. */
struct request {
	gfp_t gfp;
	int nid;
	u64 prot;
	u8 use;
	bool blocks;
	bool given; /* what is to be mapped is given, in either way */
	union {
		struct page **pages; /* of vmap() */
		phys_addr_t phys;    /* of vmap_phys() */
	};
};

/* --- pages in, pages out: [pte, pte + n), all in one table --- */

/* Near this CPU, from its own cache if that has some. */
static struct page *take_block(const struct request *rq, gfp_t gfp, unsigned int order)
{
	return likely(rq->nid == NUMA_NO_NODE) ? alloc_pages(gfp, order) : alloc_pages_node(rq->nid, gfp, order);
}

/* A block of up to 1 << *order pages; *order is what was had. */
static struct page *take_pages(const struct request *rq, unsigned int *order)
{
	gfp_t easy = (rq->gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN;

	for (; *order; --*order) {
		struct page *page = take_block(rq, easy, *order);

		if (page)
			return page;
	}
	return take_block(rq, rq->gfp, 0);
}

/* Unmap and, if they are the area's own, free @n pages. */
static void empty_entries(u64 *pte, unsigned long va, unsigned long n, bool own)
{
	for (unsigned long i = 0; own && i < n;) {
		struct page *page = pfn_to_page(PFN_DOWN(arch_pte_phys(READ_ONCE(pte[i]))));
		unsigned int order = page_order(page);

		arch_clear_ptes(pte + i, va + (i << PAGE_SHIFT), 1UL << order);
		__free_pages(page, order);
		i += 1UL << order;
	}
	if (!own)
		arch_clear_ptes(pte, va, n);
}

/* Allocate and map @n pages. Return: whether all could be had; if not, none is left. */
static bool fill_entries(u64 *pte, unsigned long va, unsigned long n, const struct request *rq)
{
	unsigned long done = 0;

	while (done < n) {
		unsigned int order = min(63 - (unsigned int)__builtin_clzl(n - done), BLOCK_ORDER);
		struct page *page = take_pages(rq, &order);

		if (!page) {
			empty_entries(pte, va, done, true);
			return false;
		}
		arch_set_ptes(pte + done, va + (done << PAGE_SHIFT), page_to_phys(page), 1UL << order, rq->prot);
		done += 1UL << order;
	}
	return true;
}

/* Whether an area of @use maps a physical range. */
static bool is_phys(u8 use)
{
	return use >= VMAP_IOREMAP;
}

static void map_given(u64 *pte, unsigned long va, unsigned long n, const struct request *rq, unsigned long first)
{
	if (is_phys(rq->use)) {
		arch_set_ptes(pte, va, rq->phys + PFN_PHYS(first), n, rq->prot);
		return;
	}
	for (unsigned long i = 0; i < n; i++)
		arch_set_ptes(pte + i, va + (i << PAGE_SHIFT), page_to_phys(rq->pages[first + i]), 1, rq->prot);
}

/* --- small areas --- */

/* On the way of each pair of vmalloc() and vfree(): no call. */
static __always_inline struct vmap_area *map_small(unsigned int nr, const struct request *rq)
{
	struct vmap_area *area = vmap_slot_get(nr);

	if (!area)
		return NULL;
	if (rq->given) {
		map_given(area->pte, area->addr, nr, rq, 0);
	} else if (!fill_entries(area->pte, area->addr, nr, rq)) {
		vmap_slot_put(area);
		return NULL;
	}
	return area;
}

/* --- large areas, a block of 2 MiB at a time --- */

/* Map the block of 2 MiB at @va of a given physical range. Return: whether it could be mapped as one. */
static bool map_phys_block(const struct request *rq, unsigned long va, unsigned long first, unsigned long n)
{
	phys_addr_t phys = rq->phys + PFN_PHYS(first);

	return is_phys(rq->use) && n == VMAP_BLOCK_PAGES && IS_ALIGNED(phys, VMAP_BLOCK_SIZE) &&
	       !arch_vmap_block(va, phys, rq->prot);
}

/* Map the pages [first, first + n) of @large, which lie in one block. */
static bool map_part(struct large_area *large, unsigned long first, unsigned long n, const struct request *rq)
{
	unsigned long va = large->area.addr + (first << PAGE_SHIFT);
	struct page *block = NULL;
	u64 *table;

	if (map_phys_block(rq, va, first, n))
		return true;
	if (large->blocks && n == VMAP_BLOCK_PAGES)
		block = alloc_pages_node(rq->nid, (rq->gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN,
					 BLOCK_ORDER);
	if (block) {
		if (!arch_vmap_block(va, page_to_phys(block), rq->prot))
			return true;
		__free_pages(block, BLOCK_ORDER);
		return false;
	}
	table = arch_vmap_table_alloc(va);
	if (!table)
		return false;
	if (rq->given)
		map_given(table, va, n, rq, first);
	else if (!fill_entries(table, va, n, rq)) {
		arch_vmap_table_free(va);
		return false;
	}
	return true;
}

static void unmap_part(const struct vmap_area *area, unsigned long first, unsigned long n)
{
	unsigned long va = area->addr + (first << PAGE_SHIFT);
	u64 *table = arch_vmap_table(va);
	bool own = area->use == VMAP_VMALLOC;
	phys_addr_t block;

	if (table) {
		empty_entries(table, va, n, own);
		return;
	}
	block = arch_vunmap_block(va);
	if (own)
		__free_pages(pfn_to_page(PFN_DOWN(block)), BLOCK_ORDER);
}

/* Unmap the first @mapped pages, tell all TLBs, and let go of the address. @large is the caller's alone. */
static void end_large(struct large_area *large, unsigned long mapped)
{
	unsigned long addr = large->area.addr;

	for (unsigned long first = 0; first < mapped; first += VMAP_BLOCK_PAGES)
		unmap_part(&large->area, first, min(mapped - first, VMAP_BLOCK_PAGES));
	arch_flush_tlb_kernel(addr, addr + large->extent->len);
	for (unsigned long first = 0; first < mapped; first += VMAP_BLOCK_PAGES)
		arch_vmap_table_free(addr + (first << PAGE_SHIFT));
	vmap_extent_put(large->extent);
	kfree(large);
	vmap_reap_many();
}

static struct va_extent *extent_or_purge(unsigned long len, void *owner)
{
	struct va_extent *extent = vmap_extent_get(len, owner);

	if (!extent && arch_cross_call_ok()) {
		vmap_purge();
		extent = vmap_extent_get(len, owner);
	}
	return extent;
}

static struct vmap_area *map_large(unsigned long nr, const struct request *rq)
{
	struct large_area *large = kzalloc(sizeof(*large), GFP_KERNEL | __GFP_NOWARN);
	/* At least two blocks, by which it is told from a block of slots. */
	unsigned long len = max(ALIGN((nr + 1) << PAGE_SHIFT, VMAP_BLOCK_SIZE), 2 * VMAP_BLOCK_SIZE);

	if (!large)
		return NULL;
	vmap_reap_many();
	large->extent = extent_or_purge(len, large);
	if (!large->extent) {
		kfree(large);
		return NULL;
	}
	large->area.addr = large->extent->start;
	WRITE_ONCE(large->area.use, rq->use);
	large->blocks = rq->blocks;
	for (unsigned long first = 0; first < nr; first += VMAP_BLOCK_PAGES) {
		if (map_part(large, first, min(nr - first, VMAP_BLOCK_PAGES), rq))
			continue;
		end_large(large, first);
		return NULL;
	}
	return &large->area;
}

/* --- any area --- */

static void report_refusal(size_t size, const struct request *rq, const char *why)
{
	if ((rq->gfp & __GFP_NOWARN) || fetch_add32(&refusals, 1) >= MAX_REPORTS)
		return;
	printk("vmalloc: %zu bytes, CPU %d: %s\n", size, smp_processor_id(), why);
	arch_dump_stack();
}

/* @area is mapped, and its asker's from now on. */
static __always_inline void *give_area(struct vmap_area *area, unsigned long nr, const struct request *rq,
				       const void *caller)
{
	arch_vmap_publish();
	WRITE_ONCE(area->use, rq->use);
	WRITE_ONCE(area->caller, caller);
	WRITE_ONCE(area->nr_pages, (u32)nr);
	return (void *)area->addr;
}

static void *map_area(size_t size, const struct request *rq, const void *caller)
{
	unsigned long nr = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct vmap_area *area;

	if (unlikely(!nr || nr > max_nr_pages)) {
		report_refusal(size, rq, nr ? "more than all RAM" : "nothing to map");
		return NULL;
	}
	area = nr <= SLOT_PAGES_MAX ? map_small((unsigned int)nr, rq) : map_large(nr, rq);
	if (unlikely(!area)) {
		report_refusal(size, rq, "no memory, or no address space");
		return NULL;
	}
	return give_area(area, nr, rq, caller);
}

static const char *const use_names[] = {
	[VMAP_FREE] = "free",	       [VMAP_VMALLOC] = "vmalloc()'s", [VMAP_VMAP] = "vmap()'s",
	[VMAP_RAM] = "vm_map_ram()'s", [VMAP_IOREMAP] = "ioremap()'s", [VMAP_DMA] = "dma_alloc_coherent()'s",
};

static unsigned long last_byte(const struct vmap_area *area)
{
	return area->addr + ((unsigned long)area->nr_pages << PAGE_SHIFT) - 1;
}

void vmap_describe(unsigned long addr, char *buf, size_t size)
{
	char caller[ARCH_SYMBOL_MAX];
	struct vmap_area area;

	if (!vmap_area_at(addr, &area) || !area.nr_pages)
		snprintf(buf, size, "no area");
	else
		snprintf(buf, size, "the area 0x%lx-0x%lx, %s, asked for by %s", area.addr, last_byte(&area),
			 use_names[area.use], arch_symbol((unsigned long)area.caller, caller, sizeof(caller)));
}

bool vmap_holds(unsigned long addr, unsigned long last)
{
	struct vmap_area area;

	return vmap_area_at(addr, &area) &&
	       (area.use == VMAP_VMALLOC || area.use == VMAP_VMAP || area.use == VMAP_RAM) && last >= addr &&
	       last - area.addr < (unsigned long)area.nr_pages << PAGE_SHIFT;
}

static void report_bad(const char *caller, const void *addr)
{
	char owner[ARCH_SYMBOL_MAX];
	struct vmap_area area;

	if (fetch_add32(&bad_frees, 1) >= MAX_REPORTS)
		return;
	if (!is_vmalloc_addr(addr) || !vmap_area_at((uintptr_t)addr, &area) || !area.caller)
		printk("%s: %p lies in no area: nothing done\n", caller, addr);
	else if (!area.nr_pages)
		printk("%s: %p: the area there is free, last asked for by %s: nothing done\n", caller, addr,
		       arch_symbol((unsigned long)area.caller, owner, sizeof(owner)));
	else
		printk("%s: %p lies in the area 0x%lx-0x%lx, %s, asked for by %s: nothing done\n", caller, addr,
		       area.addr, last_byte(&area), use_names[area.use],
		       arch_symbol((unsigned long)area.caller, owner, sizeof(owner)));
	arch_dump_stack();
}

/* What is held for the memory type of the mapping at @addr, whose area is claimed: so nobody else's mapping begins there. */
static __always_inline struct memtype_mapping *held_of(const void *addr, u8 use)
{
	return use == VMAP_VMAP || use == VMAP_RAM ? vmap_type_take(addr) : NULL;
}

/* The same, for a large area or nobody's address. */
static __noinline unsigned long end_other(const char *caller, const void *addr, u8 use, u32 count)
{
	struct vmap_claim claim = { NULL, 0 };
	struct memtype_mapping *held;

	if (is_vmalloc_addr(addr))
		claim = vmap_large_claim((uintptr_t)addr, use, count);
	if (!claim.area) {
		report_bad(caller, addr);
		return 0;
	}
	held = held_of(addr, use);
	end_large(container_of(claim.area, struct large_area, area), claim.nr_pages);
	vmap_type_end(held);
	return claim.nr_pages;
}

/*
 * End the area for @use that begins at @addr, of @count pages if that is not 0. Return: how many pages it had; 0, after a report in
 * @caller's name, when there is none.
 */
static __always_inline unsigned long end_area(const char *caller, const void *addr, u8 use, u32 count)
{
	struct vmap_claim claim = { NULL, 0 };
	struct memtype_mapping *held;

	if (likely(is_vmalloc_addr(addr)))
		claim = vmap_slot_claim((uintptr_t)addr, use, count);
	if (unlikely(!claim.area))
		return end_other(caller, addr, use, count);
	held = held_of(addr, use);
	empty_entries(claim.area->pte, (uintptr_t)addr, claim.nr_pages, use == VMAP_VMALLOC);
	vmap_slot_put(claim.area);
	if (held)
		vmap_type_end(held);
	return claim.nr_pages;
}

u32 vmalloc_bad_frees(void)
{
	return READ_ONCE(bad_frees);
}

void vmalloc_init(void)
{
	vmap_retire_init();
	vmap_extents_init();
	vmap_slots_init();
	max_nr_pages = totalram_pages();
}

/* --- the interface --- */

#define VMALLOC_REQUEST(flags)                                                                              \
	{                                                                                                   \
		.gfp = (flags) & ~__GFP_COMP, .nid = NUMA_NO_NODE, .prot = PAGE_KERNEL, .use = VMAP_VMALLOC \
	}

void *vmalloc(size_t size)
{
	static const struct request any = VMALLOC_REQUEST(GFP_KERNEL);

	return map_area(size, &any, __builtin_return_address(0));
}

void *vzalloc(size_t size)
{
	static const struct request zeroed = VMALLOC_REQUEST(GFP_KERNEL | __GFP_ZERO);

	return map_area(size, &zeroed, __builtin_return_address(0));
}

void *vmalloc_node(size_t size, int nid)
{
	struct request rq = VMALLOC_REQUEST(GFP_KERNEL);

	rq.nid = nid;
	return map_area(size, &rq, __builtin_return_address(0));
}

void *vzalloc_node(size_t size, int nid)
{
	struct request rq = VMALLOC_REQUEST(GFP_KERNEL | __GFP_ZERO);

	rq.nid = nid;
	return map_area(size, &rq, __builtin_return_address(0));
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	return map_area(size, &(struct request)VMALLOC_REQUEST(gfp), __builtin_return_address(0));
}

void *vmalloc_huge(size_t size, gfp_t gfp)
{
	struct request rq = VMALLOC_REQUEST(gfp);

	rq.blocks = true;
	return map_area(size, &rq, __builtin_return_address(0));
}

void vfree(const void *addr)
{
	if (addr)
		end_area("vfree", addr, VMAP_VMALLOC, 0);
}

static void *map_pages(struct page **pages, unsigned int count, u64 prot, u8 use, const void *caller)
{
	struct request rq = {
		.gfp = GFP_KERNEL, .nid = NUMA_NO_NODE, .prot = prot, .use = use, .given = true, .pages = pages
	};
	const char *name = use == VMAP_VMAP ? "vmap" : "vm_map_ram";
	struct memtype_mapping *held = NULL;
	void *addr;

	if (count && count <= max_nr_pages && !vmap_type_hold(pages, count, prot, name, caller, &held))
		return NULL;
	addr = map_area((size_t)count << PAGE_SHIFT, &rq, caller);
	vmap_type_mapped(held, addr);
	return addr;
}

void *vmap(struct page **pages, unsigned int count, u64 prot)
{
	return map_pages(pages, count, prot, VMAP_VMAP, __builtin_return_address(0));
}

void vunmap(const void *addr)
{
	if (addr)
		end_area("vunmap", addr, VMAP_VMAP, 0);
}

void *vm_map_ram(struct page **pages, unsigned int count, int nid)
{
	(void)nid;
	return map_pages(pages, count, PAGE_KERNEL, VMAP_RAM, __builtin_return_address(0));
}

void vm_unmap_ram(const void *addr, unsigned int count)
{
	if (count)
		end_area("vm_unmap_ram", addr, VMAP_RAM, count);
	else
		report_bad("vm_unmap_ram", addr);
}

void vm_unmap_aliases(void)
{
	vmap_purge();
}

void *vmap_phys(phys_addr_t phys, unsigned long nr, u64 prot, u8 use, const void *caller)
{
	struct request rq = { .gfp = GFP_KERNEL, .prot = prot, .use = use, .given = true, .phys = phys };
	struct vmap_area *area = NULL;

	if (nr <= SLOT_PAGES_MAX)
		area = map_small((unsigned int)nr, &rq);
	else if (nr < PFN_DOWN(VMALLOC_END - VMALLOC_START))
		area = map_large(nr, &rq);
	return area ? give_area(area, nr, &rq, caller) : NULL;
}

void vunmap_phys(const char *caller, const void *addr, u8 use)
{
	unsigned long start = (uintptr_t)addr, nr = end_area(caller, addr, use, 0);

	if (nr)
		arch_flush_tlb_kernel(start, start + (nr << PAGE_SHIFT));
}

void vunmap_phys_report(const char *caller, const void *addr)
{
	report_bad(caller, addr);
}

struct page *vmalloc_to_page(const void *addr)
{
	phys_addr_t pa;

	if (!is_vmalloc_addr(addr) || !arch_vmap_lookup((uintptr_t)addr, &pa))
		return NULL;
	return pfn_to_page(PFN_DOWN(pa));
}

unsigned long vmalloc_to_pfn(const void *addr)
{
	return page_to_pfn(vmalloc_to_page(addr));
}

unsigned long vmalloc_nr_pages(void)
{
	struct vmap_area area = { .addr = 0 };
	unsigned long pages = 0;

	while (vmap_area_next(area.addr + PAGE_SIZE, &area))
		pages += area.use == VMAP_VMALLOC ? area.nr_pages : 0;
	return pages;
}
