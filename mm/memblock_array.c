// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arrays of memblock: sorted, disjoint regions, and how they grow.
 *
 * 1. regions[0..cnt) are sorted by base and never overlap, so their ends are sorted too: one binary search,
 *    memblock_first_ending_after(), finds where a range begins in an array.
 * 2. Two regions that touch are merged when flags and node are equal. An insertion can only create such pairs among
 *    the regions it added and their two neighbours, so only those are looked at.
 * 3. Adding is done in two passes: the gaps that the new range fills are counted, the array is made large enough, then
 *    they are inserted. So a range is added whole or, when the array cannot grow, not at all.
 * 4. Growing takes a page-aligned place from memblock itself, never within the range being added: it is searched above
 *    that range first, then below.
 *    It is reserved after the switch to the new array, where there is room. The static first array is left as it was.
 *    A later array is freed when it is outgrown.
 * 5. Removing isolates: regions are cut at both ends of the range, then dropped whole.
 */
#include "internal.h"

#include <errno.h>
#include <lib/printk.h>
#include <mm/memblock.h>
#include <mm/port.h>
#include <string.h>

static struct memblock_region memory_init_regions[INIT_MEMBLOCK_MEMORY_REGIONS];
static struct memblock_region reserved_init_regions[INIT_MEMBLOCK_RESERVED_REGIONS];

struct memblock memblock = {
	.current_limit = MEMBLOCK_ALLOC_ANYWHERE,
	.memory = { .max = ARRAY_SIZE(memory_init_regions), .regions = memory_init_regions, .name = "memory" },
	.reserved = { .max = ARRAY_SIZE(reserved_init_regions), .regions = reserved_init_regions, .name = "reserved" },
};

static bool can_resize;

void memblock_allow_resize(void)
{
	can_resize = true;
}

phys_addr_t memblock_cap_size(phys_addr_t base, phys_addr_t size)
{
	return min(size, ~(phys_addr_t)0 - base);
}

unsigned long memblock_first_ending_after(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long low = 0, high = type->cnt;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (type->regions[mid].base + type->regions[mid].size <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A place for @size bytes above [base, base + len), else below it, else 0. */
static phys_addr_t find_array_place(phys_addr_t size, phys_addr_t base, phys_addr_t len)
{
	phys_addr_t place = memblock_find_free(size, PAGE_SIZE, base + len, 0, NUMA_NO_NODE, MEMBLOCK_NONE);

	return place ? place : memblock_find_free(size, PAGE_SIZE, 0, base, NUMA_NO_NODE, MEMBLOCK_NONE);
}

static _Noreturn void panic_full(const struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	panic("memblock: %s: %lu of %lu regions in use, cannot grow for [mem 0x%016llx-0x%016llx]: %s", type->name,
	      type->cnt, type->max, base, base + size - 1, can_resize ? "no free memory" : "resizing not allowed yet");
}

/*
 * Double @type's array. [base, base + size) is the range being added, which is not in any array yet. Without a place
 * or without permission: -ENOMEM and a panic respectively, for a boot that cannot record its memory must not go on.
 */
static int double_array(struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	const struct memblock_type old = *type;
	phys_addr_t old_size = ALIGN(old.max * sizeof(*old.regions), (phys_addr_t)PAGE_SIZE);
	phys_addr_t new_size = ALIGN(2 * old.max * sizeof(*old.regions), (phys_addr_t)PAGE_SIZE);
	struct memblock_region *new;
	phys_addr_t place;
	int err;

	if (!can_resize)
		panic_full(type, base, size);
	place = find_array_place(new_size, base, size);
	if (!place)
		return -ENOMEM;
	new = arch_boot_va(place, new_size);
	if (!new)
		return -ENOMEM;

	memcpy(new, old.regions, old.cnt * sizeof(*new));
	memset(new + old.cnt, 0, new_size - old.cnt * sizeof(*new));
	type->regions = new;
	type->place = place;
	type->max = new_size / sizeof(*new);
	/* Before anything else is placed or freed: that may double the other array. */
	err = memblock_reserve_kern(place, new_size);
	if (err) {
		*type = old;
		return err;
	}
	printk("memblock: %s: array doubled to %lu regions at [mem 0x%016llx-0x%016llx]\n", type->name, type->max,
	       place, place + new_size - 1);
	if (old.place)
		memblock_phys_free(old.place, old_size);
	return 0;
}

/* Open a slot at @i and fill it. There is room. */
static void insert_region(struct memblock_type *type, unsigned long i, const struct memblock_region *new)
{
	memmove(&type->regions[i + 1], &type->regions[i], (type->cnt - i) * sizeof(*new));
	type->regions[i] = *new;
	type->cnt++;
	type->total_size += new->size;
}

void memblock_remove_region(struct memblock_type *type, unsigned long i)
{
	type->total_size -= type->regions[i].size;
	type->cnt--;
	memmove(&type->regions[i], &type->regions[i + 1], (type->cnt - i) * sizeof(type->regions[0]));
	type->regions[type->cnt] = (struct memblock_region){ 0 };
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
		phys_addr_t grown = this[1].size;

		if (!mergeable(this, this + 1)) {
			i++;
			continue;
		}
		memblock_remove_region(type, i + 1);
		this->size += grown;
		type->total_size += grown;
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

static unsigned long count_gaps(const struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	unsigned long i = memblock_first_ending_after(type, base), gaps = 0;
	phys_addr_t gap;

	while (next_gap(type, &i, &base, end, &gap)) {
		gaps++;
		i++;
	}
	return gaps;
}

int memblock_add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t size, int nid, unsigned int flags)
{
	phys_addr_t end = base + memblock_cap_size(base, size), pos = base, gap, len;
	unsigned long first, i;

	if (base == end)
		return 0;
	while (type->cnt + count_gaps(type, base, end) > type->max) {
		int err = double_array(type, base, end - base);

		if (err)
			return err;
	}
	first = i = memblock_first_ending_after(type, base);
	while ((len = next_gap(type, &i, &pos, end, &gap))) {
		insert_region(type, i, &(struct memblock_region){ gap, len, (enum memblock_flags)flags, nid });
		i += 2;
	}
	memblock_merge_regions(type, first, i);
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
		int err = double_array(type, base, end - base);

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

	if (err)
		return err;
	while (last-- > first)
		memblock_remove_region(type, last);
	return 0;
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
	return check_type(&memblock.memory) && check_type(&memblock.reserved);
}
