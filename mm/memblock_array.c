// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arrays of memblock: sorted, disjoint regions, and how they grow.
 *
 * 1. regions[0..cnt) are sorted by base and never overlap, so their ends are sorted too: one binary search,
 *    memblock_first_ending_after(), finds where a range begins in an array.
 * 2. Two regions that touch are one when flags and node are equal. A range that is added grows the neighbour that it
 *    touches, if they are alike, instead of becoming a region that is merged: most boot allocations do, and nothing is
 *    moved then. Where flags or nodes change, memblock_merge_regions() looks at the regions that changed.
 * 3. Adding is done in two passes: the gaps that the new range fills are counted, the array is made large enough, then
 *    they are filled. So a range is added whole or, when the array cannot grow, not at all.
 * 4. Growing doubles the array into a page-aligned place from memblock itself, never within the range that is being
 *    added or removed: it is searched above that range first, then below. The static first array is left as it was. A
 *    later array is freed when it is outgrown.
 * 5. To note an array's place takes a slot in `reserved`, to free the outgrown one two more. So `reserved` grows first
 *    when it is short of them, and growing never recurses: the one range to avoid holds for both arrays.
 * 6. While memory outside of a window is being dropped, arrays grow within it only (memblock_confine_arrays()).
 * 7. Removing isolates: regions are cut at both ends of the range, then dropped together.
 */
#include "internal.h"

#include <errno.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/port.h>
#include <string.h>

/* Slots of `reserved` that the growth of another array takes: its new place, and cutting its old one out. */
#define SLOTS_TO_GROW 3

static struct memblock_region memory_init_regions[INIT_MEMBLOCK_MEMORY_REGIONS];
static struct memblock_region reserved_init_regions[INIT_MEMBLOCK_RESERVED_REGIONS];
static struct memblock_region physmem_init_regions[INIT_PHYSMEM_REGIONS];

struct memblock memblock = {
	.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
	.memory = { .max = ARRAY_SIZE(memory_init_regions), .regions = memory_init_regions, .name = "memory" },
	.reserved = { .max = ARRAY_SIZE(reserved_init_regions), .regions = reserved_init_regions, .name = "reserved" },
};

struct memblock_type physmem = {
	.max = ARRAY_SIZE(physmem_init_regions),
	.regions = physmem_init_regions,
	.name = "physmem",
};

static bool can_resize, retired;
static bool confined;
static phys_addr_t arrays_from, arrays_below;

void memblock_allow_resize(void)
{
	can_resize = true;
}

void memblock_confine_arrays(phys_addr_t start, phys_addr_t end)
{
	confined = start || end != PHYS_ADDR_MAX;
	arrays_from = start;
	arrays_below = end;
}

phys_addr_t memblock_cap_size(phys_addr_t base, phys_addr_t size)
{
	return min(size, PHYS_ADDR_MAX - base);
}

unsigned long memblock_first_ending_after(const struct memblock_type *type, phys_addr_t addr)
{
	const struct memblock_region *regions = type->regions;
	unsigned long first = 0, n = type->cnt;

	while (n) {
		unsigned long half = n / 2;
		const struct memblock_region *r = &regions[first + half];
		bool ended = r->base + r->size <= addr;

		first = ended ? first + half + 1 : first;
		n = ended ? n - half - 1 : half;
	}
	return first;
}

static phys_addr_t array_bytes(unsigned long max)
{
	return ALIGN(max * sizeof(struct memblock_region), (phys_addr_t)PAGE_SIZE);
}

/* The static array of @type, NULL when it is a type of somebody else's. */
static struct memblock_region *first_array(const struct memblock_type *type)
{
	if (type == &memblock.memory)
		return memory_init_regions;
	if (type == &memblock.reserved)
		return reserved_init_regions;
	return type == &physmem ? physmem_init_regions : NULL;
}

void memblock_retire_array(struct memblock_type *type)
{
	type->regions = first_array(type);
	type->max = type == &physmem ? INIT_PHYSMEM_REGIONS : INIT_MEMBLOCK_REGIONS;
	type->cnt = 0;
	retired = true;
}

bool memblock_array_grown(const struct memblock_type *type, phys_addr_t *place, phys_addr_t *size)
{
	if (type->regions == first_array(type))
		return false;
	*place = type->place;
	*size = array_bytes(type->max);
	return true;
}

/* A place for @size bytes: within the window when there is one, else above [base, base + len), else below it; or 0. */
static phys_addr_t find_array_place(phys_addr_t size, phys_addr_t base, phys_addr_t len)
{
	phys_addr_t limit = memblock.current_limit, place;

	if (confined)
		return memblock_find_place(size, PAGE_SIZE, arrays_from, min(arrays_below, limit));
	place = memblock_find_place(size, PAGE_SIZE, base + len, limit);
	return place ? place : memblock_find_place(size, PAGE_SIZE, 0, min(base, limit));
}

static _Noreturn void panic_full(const struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	panic("memblock: %s: %lu of %lu regions in use, cannot grow for [mem 0x%016llx-0x%016llx]: resizing not allowed yet",
	      type->name, type->cnt, type->max, base, base + size - 1);
}

/*
 * Double @type's array. [base, base + size) is the range that is being added or removed. `reserved` has room for the
 * place. Return: 0, -ENOMEM without a place; without permission a panic, for a boot that cannot record its memory must
 * not go on.
 */
static int double_array(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t new_size = array_bytes(2 * type->max), place, old_place = 0, old_size = 0;
	struct memblock_region *new;
	bool had_grown;

	if (!can_resize)
		panic_full(type, base, size);
	place = find_array_place(new_size, base, size);
	new = place ? arch_boot_va(place, new_size) : NULL;
	if (!new)
		return -ENOMEM;

	memcpy(new, type->regions, type->cnt * sizeof(*new));
	memset(new + type->cnt, 0, new_size - type->cnt * sizeof(*new));
	had_grown = memblock_array_grown(type, &old_place, &old_size);
	type->regions = new;
	type->place = place;
	type->max *= 2;
	printk("memblock: %s: array doubled to %lu regions at [mem 0x%016llx-0x%016llx]\n", type->name, type->max,
	       place, place + new_size - 1);
	/* There is room in `reserved`: neither of the two can fail. */
	memblock_reserve_kern(place, new_size);
	if (had_grown)
		memblock_phys_free(old_place, old_size);
	return 0;
}

/* Make room for one region more in @type: by the doubling of `reserved` first, if that could not take note of it. */
static int grow(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	struct memblock_type *reserved = &memblock.reserved;

	if (type != reserved && can_resize && reserved->cnt + SLOTS_TO_GROW > reserved->max) {
		int err = double_array(reserved, base, size);

		if (err)
			return err;
	}
	return double_array(type, base, size);
}

/* Open a slot at @i and fill it. There is room. */
static void insert_region(struct memblock_type *type, unsigned long i, const struct memblock_region *new)
{
	memmove(&type->regions[i + 1], &type->regions[i], (type->cnt - i) * sizeof(*new));
	type->regions[i] = *new;
	type->cnt++;
	type->total_size += new->size;
}

/* Close slots [first, last). The sum is the caller's. */
static void close_slots(struct memblock_type *type, unsigned long first, unsigned long last)
{
	memmove(&type->regions[first], &type->regions[last], (type->cnt - last) * sizeof(type->regions[0]));
	type->cnt -= last - first;
	memset(&type->regions[type->cnt], 0, (last - first) * sizeof(type->regions[0]));
}

void memblock_remove_regions(struct memblock_type *type, unsigned long first, unsigned long last)
{
	if (first >= last)
		return;
	for (unsigned long i = first; i < last; i++)
		type->total_size -= type->regions[i].size;
	close_slots(type, first, last);
}

static bool mergeable(const struct memblock_region *a, const struct memblock_region *b)
{
	return a->base + a->size == b->base && a->flags == b->flags && a->nid == b->nid;
}

void memblock_merge_regions(struct memblock_type *type, unsigned long first, unsigned long last)
{
	unsigned long i = first ? first - 1 : 0;

	last = min(last, type->cnt ? type->cnt - 1 : 0);
	while (i < last) {
		struct memblock_region *this = &type->regions[i];

		if (!mergeable(this, this + 1)) {
			i++;
			continue;
		}
		this->size += this[1].size;
		close_slots(type, i + 1, i + 2);
		last--;
	}
}

/*
 * The next gap of [*pos, end) that no region of @type covers; @i is the first region that may lie in it. *pos moves
 * behind the gap and behind the region that ended it. Return: the gap's size, 0 when there is none left.
 */
static phys_addr_t next_gap(const struct memblock_type *type, unsigned long *i, phys_addr_t *pos, phys_addr_t end,
			    phys_addr_t *gap)
{
	while (*pos < end) {
		const struct memblock_region *r = &type->regions[*i];
		phys_addr_t start = *pos;

		*gap = start;
		if (*i >= type->cnt || r->base >= end) {
			*pos = end;
			return end - start;
		}
		*pos = r->base + r->size;
		if (r->base > start)
			return r->base - start;
		++*i;
	}
	return 0;
}

/* How many gaps of [base, end) there are, when @i is the first region that may lie in it. */
static unsigned long count_gaps(const struct memblock_type *type, unsigned long i, phys_addr_t base, phys_addr_t end)
{
	unsigned long gaps = 0;
	phys_addr_t gap;

	while (next_gap(type, &i, &base, end, &gap)) {
		gaps++;
		i++;
	}
	return gaps;
}

/* Put @new into the gap before region @i. Return: the index behind the region that ends the gap. */
static unsigned long fill_gap(struct memblock_type *type, unsigned long i, const struct memblock_region *new)
{
	struct memblock_region *next = &type->regions[i], *prev = next - 1;
	bool joins_next = i < type->cnt && mergeable(new, next);

	if (i && mergeable(prev, new)) {
		type->total_size += new->size;
		prev->size += new->size;
		if (!joins_next)
			return i + 1;
		prev->size += next->size;
		close_slots(type, i, i + 1);
		return i;
	}
	if (joins_next) {
		type->total_size += new->size;
		next->size += new->size;
		next->base = new->base;
		return i + 1;
	}
	insert_region(type, i, new);
	return i + 2;
}

/* Fill the gaps of a range that may overlap others, all of them or none. */
static int add_overlapping(struct memblock_type *type, phys_addr_t base, phys_addr_t end, int nid, unsigned int flags)
{
	unsigned long i = memblock_first_ending_after(type, base);
	phys_addr_t pos = base, gap, len;

	while (type->cnt + count_gaps(type, i, base, end) > type->max) {
		int err = grow(type, base, end - base);

		if (err)
			return err;
		i = memblock_first_ending_after(type, base);
	}
	while ((len = next_gap(type, &i, &pos, end, &gap)))
		i = fill_gap(type, i, &(struct memblock_region){ gap, len, (enum memblock_flags)flags, nid });
	return 0;
}

/* memblock_first_ending_after(), the last region looked at first: top-down allocations go in front of it. */
static unsigned long find_slot(const struct memblock_type *type, phys_addr_t addr)
{
	const struct memblock_region *r = type->regions + type->cnt;

	if (type->cnt < 2 || r[-2].base + r[-2].size > addr)
		return memblock_first_ending_after(type, addr);
	return type->cnt - (r[-1].base + r[-1].size > addr);
}

int memblock_add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid, unsigned int flags)
{
	unsigned long i = find_slot(type, base);
	bool alone;

	size = memblock_cap_size(base, size);
	if (!size)
		return 0;
	alone = i == type->cnt || type->regions[i].base >= base + size;
	if (unlikely(!alone || type->cnt == type->max))
		return add_overlapping(type, base, base + size, nid, flags);
	/* What nearly every call is. */
	fill_gap(type, i, &(struct memblock_region){ base, size, (enum memblock_flags)flags, nid });
	return 0;
}

/* Cut region @i at @at, which lies inside it. There is room. */
static void split_region(struct memblock_type *type, unsigned long i, phys_addr_t at)
{
	struct memblock_region *r = &type->regions[i];
	struct memblock_region upper = *r;

	upper.base = at;
	upper.size = r->base + r->size - at;
	r->size -= upper.size;
	type->total_size -= upper.size;
	insert_region(type, i + 1, &upper);
}

int memblock_isolate_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, unsigned long *first,
			   unsigned long *last)
{
	phys_addr_t end = base + memblock_cap_size(base, size);
	unsigned long i;

	*first = *last = 0;
	if (base == end)
		return 0;
	while (type->cnt + 2 > type->max) {
		int err = grow(type, base, end - base);

		if (err)
			return err;
	}
	i = memblock_first_ending_after(type, base);
	if (i < type->cnt && type->regions[i].base < base)
		split_region(type, i++, base);
	*first = i;
	for (; i < type->cnt && type->regions[i].base < end; i++)
		if (type->regions[i].base + type->regions[i].size > end)
			split_region(type, i, end);
	*last = i;
	return 0;
}

int memblock_remove_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	unsigned long first, last;
	int err = memblock_isolate_range(type, base, size, &first, &last);

	if (!err)
		memblock_remove_regions(type, first, last);
	return err;
}

/* Whether region @i of @type breaks an invariant, and which. */
static const char *region_fault(const struct memblock_type *type, unsigned long i)
{
	const struct memblock_region *r = &type->regions[i];

	if (!r->size)
		return "is empty";
	if (r->base + r->size < r->base)
		return "passes the end of the address space";
	if (i && r[-1].base + r[-1].size > r->base)
		return "overlaps the one before it";
	if (i && mergeable(r - 1, r))
		return "should be one with the one before it";
	return NULL;
}

static bool check_type(const struct memblock_type *type)
{
	phys_addr_t total = 0;

	for (unsigned long i = 0; i < type->cnt; i++) {
		const char *fault = region_fault(type, i);

		if (fault) {
			printk("memblock: %s[%lu] of %lu, 0x%llx + 0x%llx, %s\n", type->name, i, type->cnt,
			       type->regions[i].base, type->regions[i].size, fault);
			return false;
		}
		total += type->regions[i].size;
	}
	if (total != type->total_size || type->cnt > type->max)
		printk("memblock: %s: regions sum to 0x%llx, total_size 0x%llx; %lu of %lu in use\n", type->name, total,
		       type->total_size, type->cnt, type->max);
	return total == type->total_size && type->cnt <= type->max;
}

bool memblock_check(void)
{
	return retired || (check_type(&memblock.memory) && check_type(&memblock.reserved) && check_type(&physmem));
}
