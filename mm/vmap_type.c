// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory types of vmap() and vm_map_ram() (contract: vmap_type.h).
 *
 * 1. What the page allocator has is in the linear map, write-back. A mapping of it with that type is refused while
 *    somebody has the page with another one, and is not held: it agrees with the linear map, which is always there.
 * 2. Any other mapping is held (<mm/memtype.h>): of another type, or of pages that the page allocator has not, for
 *    those may be outside of the linear map. There is a range for each run of pages that lie behind one another.
 * 3. As long as nobody holds RAM, which is nearly always, the first kind costs a look at each page.
 *
 *	pages:	|17|18|19|42|43|18|	ranges: [17, 20) [42, 44) [18, 19)
 *
 * Locks: none here. On failure nothing is held.
 */
#include <lib/printk.h>
#include <mm/mmzone.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "internal.h"
#include "vmap_type.h"

#define MAX_REPORTS 20

static DEFINE_VMAP_NOTES(mappings);
static u32 refusals; /* reported; atomic */

/* What is to be mapped. */
struct wish {
	struct page **pages;
	unsigned int count;
	const char *name;
	const void *caller;
	enum memtype type;
};

static bool refuse(const struct wish *wish, const char *why)
{
	char caller[ARCH_SYMBOL_MAX];

	if (fetch_add32(&refusals, 1) < MAX_REPORTS)
		printk("%s: %u pages from [mem 0x%016llx] on, asked for by %s: %s: refused\n", wish->name, wish->count,
		       page_to_phys(wish->pages[0]), arch_symbol((unsigned long)wish->caller, caller, sizeof(caller)),
		       why);
	return false;
}

static bool allocators(const struct page *page)
{
	return page_initialised(page_to_pfn(page)) && !page_test(page, PG_reserved);
}

static bool all_allocators(const struct wish *wish)
{
	for (unsigned int i = 0; i < wish->count; i++)
		if (!allocators(wish->pages[i]))
			return false;
	return true;
}

/* The run of pages from wish->pages[*@at] on; *@at is behind it then. */
static struct memtype_range next_run(const struct wish *wish, unsigned int *at)
{
	struct page **first = &wish->pages[*at];
	unsigned int nr = 1;

	while (*at + nr < wish->count && first[nr] == *first + nr)
		nr++;
	*at += nr;
	return (struct memtype_range){
		.base = page_to_phys(*first),
		.size = (phys_addr_t)nr << PAGE_SHIFT,
		.name = wish->name,
		.caller = wish->caller,
		.type = (u8)wish->type,
		.ram = true,
	};
}

/* Whether nobody has one of the pages with another type. */
static bool none_in_conflict(const struct wish *wish)
{
	for (unsigned int at = 0; at < wish->count;) {
		struct memtype_range run = next_run(wish, &at);

		if (memtype_refused(&run, false))
			return false;
	}
	return true;
}

static bool hold(const struct wish *wish, struct memtype_mapping **mapping)
{
	unsigned int nr = 0;

	for (unsigned int at = 0; at < wish->count; nr++)
		next_run(wish, &at);
	*mapping = memtype_mapping_new(nr);
	if (!*mapping)
		return refuse(wish, "no memory to note its memory type");
	(*mapping)->at.len = (unsigned long)wish->count << PAGE_SHIFT;
	nr = 0;
	for (unsigned int at = 0; at < wish->count;)
		(*mapping)->ranges[nr++] = next_run(wish, &at);
	if (memtype_mapping_hold(*mapping, false))
		return true;
	*mapping = NULL;
	return false;
}

bool vmap_type_hold(struct page **pages, unsigned int count, u64 prot, const char *name, const void *caller,
		    struct memtype_mapping **mapping)
{
	struct wish wish = { pages, count, name, caller, memtype_of(prot) };

	*mapping = NULL;
	if (wish.type == NR_MEMTYPES)
		return refuse(&wish, "its protection is none that there is");
	if (wish.type != MEMTYPE_WB || !all_allocators(&wish))
		return hold(&wish, mapping);
	return !memtype_ram_held() || none_in_conflict(&wish);
}

void vmap_type_mapped(struct memtype_mapping *mapping, const void *va)
{
	if (!mapping)
		return;
	if (va)
		vmap_note_add(&mappings, &mapping->at, va, mapping->at.len);
	else
		memtype_mapping_end(mapping);
}

struct memtype_mapping *vmap_type_take(const void *va)
{
	return memtype_mapping_of(vmap_note_take(&mappings, va));
}

void vmap_type_end(struct memtype_mapping *mapping)
{
	if (!mapping)
		return;
	arch_flush_tlb_kernel(mapping->at.start, mapping->at.start + mapping->at.len);
	memtype_mapping_end(mapping);
}
