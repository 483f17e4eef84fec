// SPDX-License-Identifier: BSD-2-Clause
/*
 * vmalloc(), vmap() and their kin: addresses, pages, and what connects them.
 *
 * 1. An area of up to 511 pages takes a slot (vmap_slot.c); a larger one takes an extent of whole 2 MiB
 *    (vmap_extent.c), with a struct large_area. Either has an unmapped page behind it at the least.
 * 2. Pages are taken in the largest blocks that fit the rest of the size and are at hand (no reclaim, no report for
 *    those); single pages as the caller's flags say. A block is one page to the page allocator, so that it is found
 *    again at the end without a list: an entry names its first page, whose struct page knows the order. Who asks for a
 *    page of it has it split before (vmap_page.c).
 * 3. vfree() unmaps, frees the pages and gives the address back. A TLB may know the pages until it is told, before the
 *    address is used again: who touches freed memory meets its next owner, as with any other allocator.
 * 4. A large area is unmapped, all TLBs are told, and its tables freed, at once.
 * 5. On failure what was mapped is unmapped and freed, and the address given back.
 * 6. Physical ranges (vmap_phys(), for ioremap.c) are mapped in slots, too; larger ones by the port as a whole, at
 *    addresses of their own (vmap_phys.c). All TLBs are told when such a mapping ends, because its memory type may
 *    change after that. Pages that vmap() maps are looked at for their types (vmap_type.c) and rights (vmap_rights.c).
 * 7. Who ends an area claims it first (vmap.h), a slot without a lock, a large area under that of the extents. So of
 *    two CPUs that end one area at the same moment, or one after the other, one does, and the other is refused. What a
 *    report says comes from a copy (vmap_area_at()): what lies there may be another CPU's, and on its way out.
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
#include "vmap_put.h"
#include "vmap_type.h"

#define MAX_REPORTS 20
#define OTHER_MAX   192

static u32 refusals;		   /* of calls; atomic */
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

/* Map the pages [first, first + n) of @large, which lie in one block. */
static bool map_part(struct large_area *large, unsigned long first, unsigned long n, const struct request *rq)
{
	unsigned long va = large->area.addr + (first << PAGE_SHIFT);
	struct page *block = NULL;
	u64 *table;

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

/* The pages that were mapped as one block: one to the page allocator, too, or split (vmap_page.c). */
static void free_block_pages(struct page *page)
{
	for (unsigned long i = 0; i < VMAP_BLOCK_PAGES;) {
		unsigned int order = page_order(page + i);

		__free_pages(page + i, order);
		i += 1UL << order;
	}
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
		free_block_pages(pfn_to_page(PFN_DOWN(block)));
}

/* Unmap the first @mapped pages, tell all TLBs, and free the tables. */
static void unmap_large(const struct large_area *large, unsigned long mapped)
{
	unsigned long addr = large->area.addr;

	for (unsigned long first = 0; first < mapped; first += VMAP_BLOCK_PAGES)
		unmap_part(&large->area, first, min(mapped - first, VMAP_BLOCK_PAGES));
	arch_flush_tlb_kernel(addr, addr + large->extent->len);
	for (unsigned long first = 0; first < mapped; first += VMAP_BLOCK_PAGES)
		arch_vmap_table_free(addr + (first << PAGE_SHIFT));
}

/* The same, and let go of the address. @large is the caller's alone. */
static void end_large(struct large_area *large, unsigned long mapped)
{
	bool unmapped = true;

	if (large->area.caller)
		vmap_note_large(&large->area, mapped);
	if (is_phys(large->area.use))
		unmapped = vmap_phys_unmap(large, mapped);
	else
		unmap_large(large, mapped);
	if (unmapped) {
		vmap_extent_put(large->extent);
		kfree(large);
	}
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

static struct large_area *new_large(u8 use)
{
	struct large_area *large = kzalloc(sizeof(*large), GFP_KERNEL | __GFP_NOWARN);

	if (!large)
		return NULL;
	large->area.use = use;
	vmap_rights_reap();
	vmap_phys_reap();
	vmap_reap_many();
	return large;
}

static struct vmap_area *map_large(unsigned long nr, const struct request *rq)
{
	/* At least two blocks, by which it is told from a block of slots. */
	unsigned long len = max(ALIGN((nr + 1) << PAGE_SHIFT, VMAP_BLOCK_SIZE), 2 * VMAP_BLOCK_SIZE);
	struct large_area *large = new_large(rq->use);

	if (!large)
		return NULL;
	large->extent = extent_or_purge(len, large);
	if (!large->extent) {
		kfree(large);
		return NULL;
	}
	large->area.addr = large->extent->start;
	large->blocks = rq->blocks;
	for (unsigned long first = 0; first < nr; first += VMAP_BLOCK_PAGES) {
		if (map_part(large, first, min(nr - first, VMAP_BLOCK_PAGES), rq))
			continue;
		end_large(large, first);
		return NULL;
	}
	return &large->area;
}

static struct vmap_area *map_large_phys(unsigned long nr, const struct request *rq)
{
	struct large_area *large = new_large(rq->use);

	if (large && !vmap_phys_map(large, rq->phys, nr, rq->prot)) {
		kfree(large);
		return NULL;
	}
	return large ? &large->area : NULL;
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

/*
 * What is held for the memory type of the mapping at @addr, whose area is claimed: so nobody else's mapping begins
 * there.
 */
static __always_inline struct memtype_mapping *held_of(const void *addr, u8 use)
{
	return use == VMAP_VMAP || use == VMAP_RAM ? vmap_type_take(addr) : NULL;
}

/* End a large area. Return: as end_area(). */
static __noinline unsigned long end_other(const char *caller, const void *addr, u8 use, u32 count)
{
	struct vmap_claim claim = { NULL, 0 };
	struct memtype_mapping *held;

	if (is_vmalloc_addr(addr))
		claim = vmap_large_claim((uintptr_t)addr, use, count);
	if (!claim.area) {
		vmap_report_bad(caller, addr, count);
		return 0;
	}
	held = held_of(addr, use);
	end_large(container_of(claim.area, struct large_area, area), claim.nr_pages);
	vmap_type_end(held);
	return claim.nr_pages;
}

/*
 * End a small area for @use that begins at @addr, of @count pages if that is not 0. Return: how many pages it had; 0:
 * there is none.
 */
static __always_inline unsigned long end_small(const void *addr, u8 use, u32 count)
{
	struct vmap_claim claim = { NULL, 0 };
	struct memtype_mapping *held;

	if (likely(is_vmalloc_addr(addr)))
		claim = vmap_slot_claim((uintptr_t)addr, use, count);
	if (unlikely(!claim.area))
		return 0;
	held = held_of(addr, use);
	empty_entries(claim.area->pte, (uintptr_t)addr, claim.nr_pages, use == VMAP_VMALLOC);
	vmap_slot_put(claim.area);
	if (held)
		vmap_type_end(held);
	return claim.nr_pages;
}

/* The same for any area; 0 after a report in @caller's name. */
static __noinline unsigned long end_area(const char *caller, const void *addr, u8 use, u32 count)
{
	unsigned long nr = end_small(addr, use, count);

	return nr ? nr : end_other(caller, addr, use, count);
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

/* The array that VM_MAP_PUT_PAGES gave with its pages, kmalloc()'s or vmalloc()'s. */
static void free_array(const void *array)
{
	if (is_vmalloc_addr(array))
		end_area("vfree", array, VMAP_VMALLOC, 0);
	else
		kfree(array);
}

/* What is no small area as vmalloc() made it. */
static __noinline void vfree_other(const void *addr)
{
	struct vmap_put *put = vmap_put_take(addr);

	if (put) {
		end_area("vfree", addr, VMAP_VMAP, 0);
		free_array(vmap_put_pages(put));
	} else if (vmap_rights_end((uintptr_t)addr)) {
		end_area("vfree", addr, VMAP_VMALLOC, 0);
	}
}

void vfree(const void *addr)
{
	if (addr && unlikely(!end_small(addr, VMAP_VMALLOC, 0)))
		vfree_other(addr);
}

static void refuse_pages(const char *name, unsigned int count, const char *why, const void *caller)
{
	char symbol[ARCH_SYMBOL_MAX];

	if (fetch_add32(&refusals, 1) < MAX_REPORTS)
		printk("%s: %u pages, asked for by %s: %s: nothing mapped\n", name, count,
		       arch_symbol((unsigned long)caller, symbol, sizeof(symbol)), why);
}

/* The first of @pages that is NULL; @count when none is. */
static unsigned int first_missing(struct page **pages, unsigned int count)
{
	unsigned int i = 0;

	while (i < count && pages[i])
		i++;
	return i;
}

/*
 * Whether @count pages that were just mapped at @addr, to be written, are executable elsewhere, after a line that says
 * where.
 */
static bool executable_elsewhere(const void *addr, unsigned int count, const char *name, const void *caller)
{
	unsigned long va = (uintptr_t)addr, other;
	char area[OTHER_MAX] = "its linear address", why[OTHER_MAX + 80];

	if (vmap_rights_allow(va, va + ((unsigned long)count << PAGE_SHIFT), &other))
		return false;
	if (is_vmalloc_addr((const void *)other))
		vmap_describe(other, area, sizeof(area));
	if (other)
		snprintf(why, sizeof(why), "one of them is executable at 0x%lx, %s", other, area);
	else
		snprintf(why, sizeof(why), "with interrupts masked, while there may be executable pages");
	refuse_pages(name, count, why, caller);
	return true;
}

static void *map_pages(struct page **pages, unsigned int count, u64 prot, u8 use, const void *caller)
{
	struct request rq = {
		.gfp = GFP_KERNEL, .nid = NUMA_NO_NODE, .prot = prot, .use = use, .given = true, .pages = pages
	};
	const char *name = use == VMAP_VMAP ? "vmap" : "vm_map_ram";
	struct memtype_mapping *held = NULL;
	void *addr;

	if (count <= max_nr_pages && first_missing(pages, count) < count) {
		refuse_pages(name, count, "one of them is NULL", caller);
		return NULL;
	}
	if (count && count <= max_nr_pages && !vmap_type_hold(pages, count, prot, name, caller, &held))
		return NULL;
	addr = map_area((size_t)count << PAGE_SHIFT, &rq, caller);
	vmap_type_mapped(held, addr);
	if (!addr || !executable_elsewhere(addr, count, name, caller))
		return addr;
	end_area(name, addr, use, 0);
	return NULL;
}

void *vmap(struct page **pages, unsigned int count, unsigned long flags, u64 prot)
{
	struct vmap_put *put = NULL;
	void *addr;

	if (flags & ~(VM_MAP | VM_MAP_PUT_PAGES)) {
		refuse_pages("vmap", count, "its flags are none that there are", __builtin_return_address(0));
		return NULL;
	}
	if (flags & VM_MAP_PUT_PAGES) {
		put = vmap_put_new(pages, count);
		if (!put) {
			refuse_pages("vmap", count, "no memory to note its pages", __builtin_return_address(0));
			return NULL;
		}
	}
	addr = map_pages(pages, count, prot, VMAP_VMAP, __builtin_return_address(0));
	vmap_put_mapped(put, addr);
	return addr;
}

void vunmap(const void *addr)
{
	struct vmap_put *put;

	if (!addr)
		return;
	put = vmap_put_take(addr);
	end_area("vunmap", addr, VMAP_VMAP, 0);
	vmap_put_drop(put);
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
		vmap_report_bad("vm_unmap_ram", addr, 0);
}

void vm_unmap_aliases(void)
{
	vmap_rights_reap();
	vmap_phys_reap();
	vmap_purge();
}

void *vmap_phys(phys_addr_t phys, unsigned long nr, u64 prot, u8 use, const void *caller)
{
	struct request rq = { .gfp = GFP_KERNEL, .prot = prot, .use = use, .given = true, .phys = phys };
	struct vmap_area *area = nr <= SLOT_PAGES_MAX ? map_small((unsigned int)nr, &rq) : map_large_phys(nr, &rq);

	return area ? give_area(area, nr, &rq, caller) : NULL;
}

void vunmap_phys(const char *caller, const void *addr, u8 use)
{
	unsigned long start = (uintptr_t)addr, nr = end_area(caller, addr, use, 0);

	/* Of a large area they were told as it ended. */
	if (nr && nr <= SLOT_PAGES_MAX)
		arch_flush_tlb_kernel(start, start + (nr << PAGE_SHIFT));
}

void vunmap_phys_report(const char *caller, const void *addr)
{
	vmap_report_bad(caller, addr, 0);
}
