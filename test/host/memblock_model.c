// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plainly right model of memblock, and random operations on both (contract: memblock_model.h).
 *
 * 1. The machine is UNITS units of 1 KiB from physical address 0. The model knows of each unit whether it is memory and
 *    whether it is reserved, with flags and node; what the arrays must hold is read off it: runs of equal units.
 * 2. An operation changes both; then both arrays must equal the model's runs, one by one, and memblock_check() must
 *    agree. Every so often the walks are compared too.
 * 3. An allocation must return the best-placed of all places that the model allows, found by trying every one.
 * 4. Arrays grow into the machine's own memory. The model learns of a new array from its address, after having checked
 *    that the place was free and not part of the operation's own range.
 * 5. When an operation says -ENOMEM, an array must be full without a place to grow to, and nothing may have changed.
 * 6. Every decision is drawn with tap_random(), so whoever links another one (test/fuzz) decides what happens.
 */
#include "memblock_model.h"

#include <errno.h>
#include <string.h>

#include <mm/memblock.h>
#include <mm/numa.h>
#include <mm/port.h>

#include "host.h"
#include "tap.h"

#define UNIT  1024ULL
#define UNITS 4096U
#define NODES 3

struct unit {
	bool present;
	u8 flags;
	signed char nid;
};

struct span {
	unsigned int first, nr;
};

static struct unit memory[UNITS], reserved[UNITS];

/* Models of the operations. */

static struct unit *units_of(const struct memblock_type *type)
{
	return type == &memblock.memory ? memory : reserved;
}

static void model_add(struct unit *units, struct span span, int nid, unsigned int flags)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		if (!units[u].present)
			units[u] = (struct unit){ true, (u8)flags, (signed char)nid };
}

static void model_remove(struct unit *units, struct span span)
{
	memset(units + span.first, 0, span.nr * sizeof(*units));
}

static void model_flag(struct unit *units, struct span span, bool set, unsigned int flag)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		if (units[u].present)
			units[u].flags = (u8)(set ? units[u].flags | flag : units[u].flags & ~flag);
}

static void model_node(struct unit *units, struct span span, int nid)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		if (units[u].present)
			units[u].nid = (signed char)nid;
}

static bool same(const struct unit *a, const struct unit *b)
{
	return a->present == b->present && a->flags == b->flags && a->nid == b->nid;
}

static bool any_present(const struct unit *units, struct span span)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		if (units[u].present)
			return true;
	return false;
}

/* Comparing. */

static void compare_arrays(const struct memblock_type *type)
{
	const struct unit *units = units_of(type);
	unsigned long region = 0;
	phys_addr_t total = 0;

	for (unsigned int first = 0, end; first < UNITS; first = end) {
		for (end = first + 1; end < UNITS && same(&units[first], &units[end]); end++)
			;
		if (!units[first].present)
			continue;

		const struct memblock_region *r = &type->regions[region++];

		if (region > type->cnt || r->base != first * UNIT || r->size != (end - first) * UNIT ||
		    r->flags != units[first].flags || r->nid != units[first].nid)
			tap_fail(__FILE__, __LINE__, "%s[%lu] of %lu is not units %u to %u, flags %#x, nid %d",
				 type->name, region - 1, type->cnt, first, end - 1, units[first].flags,
				 units[first].nid);
		total += r->size;
	}
	CHECK_EQ(type->cnt, region);
	CHECK_EQ(type->total_size, total);
}

/* Whether memory that may be unplugged is passed over. */
static bool movable_node;

static bool usable(unsigned int u, int nid, unsigned int flags)
{
	const struct unit *m = &memory[u];

	if (!m->present || reserved[u].present || (nid != NUMA_NO_NODE && m->nid != nid))
		return false;
	if ((flags & MEMBLOCK_MIRROR) && !(m->flags & MEMBLOCK_MIRROR))
		return false;
	return !(m->flags & (MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED | (movable_node ? MEMBLOCK_HOTPLUG : 0)));
}

/* The free run that begins at or behind @from: units of one memory region, none reserved. */
static struct span free_run(unsigned int from, int nid)
{
	unsigned int end;

	while (from < UNITS && !usable(from, nid, MEMBLOCK_NONE))
		from++;
	for (end = from; end < UNITS && usable(end, nid, MEMBLOCK_NONE) && same(&memory[from], &memory[end]); end++)
		;
	return (struct span){ from, end - from };
}

static void compare_walks(int nid)
{
	static struct span runs[UNITS];
	unsigned int n = 0, seen = 0;
	phys_addr_t start, end;
	struct span run = { 0, 0 };
	int out_nid;
	u64 i;

	while ((run = free_run(run.first + run.nr, nid)).nr)
		runs[n++] = run;
	for_each_free_mem_range(i, nid, MEMBLOCK_NONE, &start, &end, &out_nid) {
		CHECK(seen < n);
		CHECK_EQ(start, runs[seen].first * UNIT);
		CHECK_EQ(end - start, runs[seen].nr * UNIT);
		CHECK_EQ(out_nid, memory[runs[seen++].first].nid);
	}
	CHECK_EQ(seen, n);
	for_each_free_mem_range_reverse(i, nid, MEMBLOCK_NONE, &start, &end, &out_nid) {
		CHECK(seen-- > 0);
		CHECK_EQ(start, runs[seen].first * UNIT);
		CHECK_EQ(end - start, runs[seen].nr * UNIT);
		CHECK_EQ(out_nid, memory[runs[seen].first].nid);
	}
	CHECK_EQ(seen, 0);
}

static void compare_queries(struct span span)
{
	phys_addr_t base = span.first * UNIT + tap_below(UNIT);
	bool one = memory[span.first].present;

	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		one = one && same(&memory[u], &memory[span.first]);
	CHECK_EQ(memblock_is_memory(base), memory[span.first].present);
	CHECK_EQ(memblock_is_reserved(base), reserved[span.first].present);
	CHECK_EQ(memblock_is_map_memory(base),
		 memory[span.first].present && !(memory[span.first].flags & MEMBLOCK_NOMAP));
	CHECK_EQ(memblock_is_region_memory(span.first * UNIT, span.nr * UNIT), one);
	CHECK_EQ(memblock_is_region_reserved(span.first * UNIT, span.nr * UNIT), any_present(reserved, span));
	CHECK_EQ(!!memblock_search(&memblock.memory, base), memory[span.first].present);
}

/* Growth. */

struct array {
	const struct memblock_region *regions;
	unsigned long max;
};

static struct array arrays[2], static_arrays[2];

static void note_arrays(struct array now[2])
{
	now[0] = (struct array){ memblock.reserved.regions, memblock.reserved.max };
	now[1] = (struct array){ memblock.memory.regions, memblock.memory.max };
}

static struct span array_span(const struct array *array)
{
	unsigned int bytes = (unsigned int)ALIGN(array->max * sizeof(*array->regions), PAGE_SIZE);

	return (struct span){ (unsigned int)(__pa(array->regions) / UNIT), bytes / (unsigned int)UNIT };
}

static bool overlap(struct span a, struct span b)
{
	return a.first < b.first + b.nr && b.first < a.first + a.nr;
}

/* An outgrown array is given back, unless that would need a slot that cannot be had. */
static bool was_freed(const struct array *array)
{
	return memblock.reserved.cnt + 2 <= memblock.reserved.max || !memblock_is_reserved(__pa(array->regions));
}

/* Both arrays' new places, if they have any, are free and apart from @op; the model then takes and gives them back. */
static void model_growth(struct span op)
{
	struct array now[2];
	bool grew[2];

	note_arrays(now);
	for (int i = 0; i < 2; i++) {
		grew[i] = now[i].regions != arrays[i].regions;
		if (!grew[i])
			continue;

		struct span place = array_span(&now[i]);

		CHECK(IS_ALIGNED((uintptr_t)now[i].regions, PAGE_SIZE));
		CHECK(!overlap(place, op));
		for (unsigned int u = place.first; u < place.first + place.nr; u++)
			CHECK(usable(u, NUMA_NO_NODE, MEMBLOCK_NONE));
	}
	if (grew[0] && grew[1])
		CHECK(!overlap(array_span(&now[0]), array_span(&now[1])));
	for (int i = 0; i < 2; i++)
		if (grew[i] && arrays[i].regions != static_arrays[i].regions && was_freed(&arrays[i]))
			model_remove(reserved, array_span(&arrays[i]));
	for (int i = 0; i < 2; i++)
		if (grew[i])
			model_add(reserved, array_span(&now[i]), NUMA_NO_NODE, MEMBLOCK_RSRV_KERN);
	memcpy(arrays, now, sizeof(now));
}

/* The longest run, from a page's beginning on, of free units of one region outside of @op; no more than @enough. */
static unsigned int longest_place(struct span op, unsigned int enough)
{
	unsigned int longest = 0, run = 0;

	for (unsigned int at = PAGE_SIZE / UNIT; at < UNITS && longest < enough; at++) {
		bool free = usable(at, NUMA_NO_NODE, MEMBLOCK_NONE) && !overlap((struct span){ at, 1 }, op);

		if (free && run && same(&memory[at], &memory[at - 1]))
			run++;
		else
			run = free && at % (PAGE_SIZE / UNIT) == 0;
		longest = max(longest, run);
	}
	return longest;
}

/* Whether some array is full, and nowhere outside of @op is a place for one twice as large. */
static bool arrays_are_stuck(struct span op)
{
	const struct memblock_type *const types[] = { &memblock.reserved, &memblock.memory };

	for (int i = 0; i < 2; i++) {
		struct array larger = { NULL, 2 * types[i]->max };
		unsigned int nr = array_span(&larger).nr;
		/*
		 * An operation needs two slots to cut at its ends, or one for every other unit that it fills; growth
		 * three.
		 */
		bool full = types[i]->cnt + max(3U, op.nr / 2 + 1) > types[i]->max;

		if (full && longest_place(op, nr) < nr)
			return true;
	}
	return false;
}

/* Whether the operation on @op went through, arrays grown or not. */
static bool done(int err, struct span op)
{
	model_growth(op);
	if (err) {
		CHECK_EQ(err, -ENOMEM);
		CHECK(arrays_are_stuck(op));
	}
	return !err;
}

/* The arrays themselves must stay reserved memory, or the next growth would free somebody else's. */
static bool hits_arrays(struct span span)
{
	for (int i = 0; i < 2; i++)
		if (arrays[i].regions != static_arrays[i].regions && overlap(span, array_span(&arrays[i])))
			return true;
	return false;
}

/* Operations. */

static struct span random_span(void)
{
	unsigned int first = (unsigned int)tap_below(UNITS), most = tap_below(4) ? 6 : tap_below(8) ? 64 : UNITS;
	unsigned int nr = 1 + (unsigned int)tap_below(most);

	return (struct span){ first, min(nr, UNITS - first) };
}

static int random_node(void)
{
	return (int)tap_below(NODES + 1) - 1;
}

static const unsigned int memory_flags[] = { MEMBLOCK_HOTPLUG, MEMBLOCK_MIRROR, MEMBLOCK_NOMAP,
					     MEMBLOCK_DRIVER_MANAGED };

static void op_add(struct span span)
{
	unsigned int flags = tap_below(4) ? MEMBLOCK_NONE : memory_flags[tap_below(4)];
	int nid = random_node();

	if (done(memblock_add_node(span.first * UNIT, span.nr * UNIT, nid, (enum memblock_flags)flags), span))
		model_add(memory, span, nid, flags);
}

static void op_reserve(struct span span)
{
	phys_addr_t base = span.first * UNIT, size = span.nr * UNIT;
	bool kern = tap_below(2);

	if (done(kern ? memblock_reserve_kern(base, size) : memblock_reserve(base, size), span))
		model_add(reserved, span, NUMA_NO_NODE, kern ? MEMBLOCK_RSRV_KERN : MEMBLOCK_NONE);
}

static void op_remove(struct span span)
{
	if (!hits_arrays(span) && done(memblock_remove(span.first * UNIT, span.nr * UNIT), span))
		model_remove(memory, span);
}

static void op_free(struct span span)
{
	if (!hits_arrays(span) && done(memblock_phys_free(span.first * UNIT, span.nr * UNIT), span))
		model_remove(reserved, span);
}

static void op_flag(struct span span)
{
	static int (*const mark[])(phys_addr_t base, phys_addr_t size) = {
		memblock_mark_hotplug, memblock_clear_hotplug, memblock_mark_mirror,
		memblock_mark_nomap,   memblock_clear_nomap,
	};
	static const unsigned int flag[] = {
		MEMBLOCK_HOTPLUG, MEMBLOCK_HOTPLUG, MEMBLOCK_MIRROR, MEMBLOCK_NOMAP, MEMBLOCK_NOMAP,
	};
	u64 which = tap_below(ARRAY_SIZE(mark));
	bool set = mark[which] != memblock_clear_hotplug && mark[which] != memblock_clear_nomap;

	if (done(mark[which](span.first * UNIT, span.nr * UNIT), span))
		model_flag(memory, span, set, flag[which]);
}

static void op_noinit(struct span span)
{
	if (done(memblock_reserved_mark_noinit(span.first * UNIT, span.nr * UNIT), span))
		model_flag(reserved, span, true, MEMBLOCK_RSRV_NOINIT);
}

static void op_node(struct span span)
{
	struct memblock_type *type = tap_below(4) ? &memblock.memory : &memblock.reserved;
	int nid = random_node();

	if (done(memblock_set_node(span.first * UNIT, span.nr * UNIT, type, nid), span))
		model_node(units_of(type), span, nid);
}

/* A request, in units. */
struct request {
	unsigned int size, align, start, end;
	int nid;
};

static bool fits(const struct request *rq, unsigned int at, int nid, unsigned int flags)
{
	if (at < rq->start || at % rq->align || at < PAGE_SIZE / UNIT || at + rq->size > rq->end)
		return false;
	for (unsigned int u = at; u < at + rq->size; u++)
		if (!usable(u, nid, flags) || !same(&memory[u], &memory[at]))
			return false;
	return true;
}

/* The first (bottom-up) or last place of all, 0 when there is none. */
static unsigned int best_place(const struct request *rq, int nid, unsigned int flags)
{
	for (unsigned int i = 0; i < UNITS; i++) {
		unsigned int at = memblock.bottom_up ? i : UNITS - 1 - i;

		if (fits(rq, at, nid, flags))
			return at;
	}
	return 0;
}

static bool any_mirror(void)
{
	for (unsigned int u = 0; u < UNITS; u++)
		if (memory[u].present && (memory[u].flags & MEMBLOCK_MIRROR))
			return true;
	return false;
}

/* Where a request is placed, 0 for nowhere; *served is the node that the reservation names. */
static unsigned int model_alloc(const struct request *rq, bool exact, int *served)
{
	for (unsigned int flags = any_mirror() ? MEMBLOCK_MIRROR : 0;; flags = 0) {
		unsigned int at = best_place(rq, rq->nid, flags);

		*served = rq->nid;
		if (!at && !exact) {
			at = best_place(rq, NUMA_NO_NODE, flags);
			*served = NUMA_NO_NODE;
		}
		if (at || !flags)
			return at;
	}
}

static struct request random_request(void)
{
	struct request rq = {
		.size = 1 + (unsigned int)tap_below(tap_below(8) ? 8 : 200),
		.align = 1U << tap_below(7),
		.start = tap_below(2) ? 0 : (unsigned int)tap_below(UNITS),
		.end = tap_below(2) ? UNITS : (unsigned int)tap_below(UNITS) + 1,
		.nid = random_node(),
	};

	return rq;
}

static void op_alloc(struct span unused)
{
	struct request rq = random_request();
	bool exact = tap_below(2);
	int served;
	unsigned int want = model_alloc(&rq, exact, &served);
	phys_addr_t size = rq.size * UNIT, align = rq.align * UNIT, min_addr = rq.start * UNIT,
		    max_addr = rq.end * UNIT;
	void *got;

	(void)unused;
	if (!want && rq.start) {
		rq.start = 0;
		want = model_alloc(&rq, exact, &served);
	}
	if (exact)
		got = memblock_alloc_exact_nid_raw(size, align, min_addr, max_addr, rq.nid);
	else
		got = memblock_alloc_try_nid_raw(size, align, min_addr, max_addr, rq.nid);
	if (got)
		CHECK_EQ(__pa(got), want * UNIT);
	if (done(got || !want ? 0 : -ENOMEM, (struct span){ want, want ? rq.size : 0 }) && want)
		model_add(reserved, (struct span){ want, rq.size }, served, MEMBLOCK_RSRV_KERN);
}

static void op_find(struct span unused)
{
	struct request rq = random_request();
	int served;

	(void)unused;
	rq.nid = NUMA_NO_NODE;
	CHECK_EQ(memblock_find_in_range(rq.start * UNIT, rq.end * UNIT, rq.size * UNIT, rq.align * UNIT),
		 model_alloc(&rq, true, &served) * UNIT);
}

static void op_direction(struct span unused)
{
	(void)unused;
	memblock_set_bottom_up(tap_below(2));
}

static void op_trim(struct span unused)
{
	unsigned int align = 1U << tap_below(3);

	(void)unused;
	memblock_trim_memory(align * UNIT);
	for (unsigned int first = 0, end; first < UNITS; first = end) {
		struct unit was = memory[first];

		for (end = first + 1; end < UNITS && same(&was, &memory[end]); end++)
			;
		for (unsigned int u = first; u < end; u++)
			if (u < ALIGN(first, align) || u >= ALIGN_DOWN(end, align))
				memory[u] = (struct unit){ 0 };
	}
}

static void op_movable(struct span unused)
{
	(void)unused;
	movable_node = tap_below(2);
	memblock_set_movable_node(movable_node);
}

/* Whether both arrays, if they are short of slots, could grow outside of @op. */
static bool may_cut(struct span op)
{
	struct array larger[2] = { { NULL, 2 * memblock.reserved.max }, { NULL, 2 * memblock.memory.max } };
	unsigned int nr = array_span(&larger[0]).nr + array_span(&larger[1]).nr;

	if (memblock.reserved.cnt + 5 <= memblock.reserved.max && memblock.memory.cnt + 2 <= memblock.memory.max)
		return true;
	return longest_place(op, nr) >= nr;
}

static void model_drop(struct span span, bool keep_nomap)
{
	for (unsigned int u = span.first; u < span.first + span.nr; u++)
		if (!keep_nomap || !(memory[u].flags & MEMBLOCK_NOMAP))
			memory[u] = (struct unit){ 0 };
	model_remove(reserved, span);
}

static void op_limit(struct span span)
{
	unsigned int left = UNITS - min(span.nr, UNITS / 8), end = 0;
	phys_addr_t limit = left * UNIT;
	bool keep_nomap = tap_below(2);

	for (; end < UNITS && left; end++)
		left -= memory[end].present;

	struct span above = { end, UNITS - end };

	if (left || hits_arrays(above) || !may_cut(above))
		return;
	if (keep_nomap)
		memblock_mem_limit_remove_map(limit);
	else
		memblock_enforce_memory_limit(limit);
	model_growth(above);
	model_drop(above, keep_nomap);
}

static void op_cap(struct span span)
{
	struct span below = { 0, span.first / 16 }, above = { UNITS - span.nr / 8, span.nr / 8 };

	if (hits_arrays(below) || hits_arrays(above) || !memblock.memory.total_size)
		return;
	/* One range to avoid is all that the model of growth knows of: no growth at all then. */
	if (memblock.reserved.cnt + 5 > memblock.reserved.max || memblock.memory.cnt + 2 > memblock.memory.max)
		return;
	memblock_cap_memory_range(below.nr * UNIT, (above.first - below.nr) * UNIT);
	model_drop(below, true);
	model_drop(above, true);
}

static const struct {
	void (*run)(struct span span);
	unsigned int weight;
} ops[] = {
	{ op_add, 20 },	  { op_reserve, 20 }, { op_remove, 8 }, { op_free, 16 },     { op_flag, 8 },
	{ op_noinit, 3 }, { op_node, 4 },     { op_alloc, 16 }, { op_direction, 2 }, { op_find, 4 },
	{ op_limit, 1 },  { op_trim, 1 },     { op_cap, 1 },	{ op_movable, 2 },
};

static unsigned int random_op(void)
{
	unsigned int total = 0, op = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	for (u64 pick = tap_below(total); pick >= ops[op].weight; op++)
		pick -= ops[op].weight;
	return op;
}

void memblock_model_start(void)
{
	memset(memory, 0, sizeof(memory));
	memset(reserved, 0, sizeof(reserved));
	movable_node = false;
	memblock_set_movable_node(false);
	memblock_allow_resize();
	if (!host_is_mapped(0))
		host_map_ram(0, UNITS * UNIT);
	arch_linear_map_done();
	note_arrays(arrays);
	note_arrays(static_arrays);
}

void memblock_model_fragment(void)
{
	CHECK_EQ(memblock_add(0, UNITS * UNIT), 0);
	model_add(memory, (struct span){ 0, UNITS }, NUMA_NO_NODE, MEMBLOCK_NONE);
	for (unsigned int u = 1; u < UNITS / 2; u += 3)
		op_reserve((struct span){ u, 1 });
	CHECK(memblock.reserved.max > 512);
	for (unsigned int u = 0; u < UNITS / 2; u += 4)
		op_node((struct span){ u, 2 });
}

void memblock_model_step(void)
{
	ops[random_op()].run(random_span());
	CHECK(memblock_check());
	compare_arrays(&memblock.memory);
	compare_arrays(&memblock.reserved);
	if (!tap_below(16)) {
		compare_queries(random_span());
		compare_walks(random_node());
	}
}
