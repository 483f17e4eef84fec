// SPDX-License-Identifier: BSD-2-Clause
/* The tree of resources: against a flat list of ranges, what is refused, what is listed, and eight CPUs at once. */
#include <errno.h>
#include <lib/monitor.h>
#include <lib/smp.h>
#include <mm/ioport.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define CPUS 8

/* Where nothing is of the boot's. */
#define BASE 0x10000000ULL

/*
 * Random ranges against a list of what should be there:
 *
 *	units of BASE:   0 . . . . . . . . . . . . . . 256
 *	windows              [--------------)              not busy: insert_resource(), remove_resource()
 *	regions                 [---) [--)        [---)    busy: request_mem_region(), release_mem_region()
 *
 * A window may be put where it overlaps nothing in part; a region where, besides, it lies in no region and around
 * nothing. A region goes when no window lies in it.
 */

#define UNITS  256
#define RANGES 48

static struct model {
	unsigned int start, end; /* one past the last; 0 when unused */
	bool busy;
	struct resource window;
} model[RANGES];

static bool disjoint(const struct model *a, const struct model *b)
{
	return a->end <= b->start || b->end <= a->start;
}

static bool within(const struct model *inner, const struct model *outer)
{
	return outer->start <= inner->start && inner->end <= outer->end;
}

/* Whether @one may be put in. */
static bool model_allows(const struct model *one)
{
	for (int i = 0; i < RANGES; i++) {
		const struct model *other = &model[i];

		if (other == one || !other->end || disjoint(one, other))
			continue;
		if (one->busy ? other->busy || !within(one, other) : !within(one, other) && !within(other, one))
			return false;
	}
	return true;
}

static void put(struct model *one)
{
	unsigned int length = 1 + (unsigned int)tap_below(tap_below(4) ? 12 : 100);
	bool put_in;

	one->start = (unsigned int)tap_below(UNITS - length);
	one->end = one->start + length;
	one->busy = tap_below(3);
	one->window = (struct resource){ .start = BASE + one->start, .end = BASE + one->end - 1, .name = "window" };
	if (one->busy)
		put_in = request_mem_region(BASE + one->start, length, "region");
	else
		put_in = !insert_resource(&iomem_resource, &one->window);
	CHECK_EQ(put_in, model_allows(one));
	if (!put_in)
		one->end = 0;
}

/* Whether a window lies in the region @one: one of the same range lies around it. */
static bool has_window(const struct model *one)
{
	for (int i = 0; i < RANGES; i++)
		if (model[i].end && !model[i].busy && within(&model[i], one) && !within(one, &model[i]))
			return true;
	return false;
}

static void take(struct model *one)
{
	if (one->busy)
		release_mem_region(BASE + one->start, one->end - one->start);
	else
		CHECK_EQ(remove_resource(&one->window), 0);
	/* A region in which there is something stays. */
	if (!one->busy || !has_window(one))
		one->end = 0;
}

/* Of those that begin at or behind @at, the first, the longest first; each is given once. */
static const struct model *model_next(bool *given)
{
	const struct model *next = NULL;

	for (int i = 0; i < RANGES; i++)
		if (model[i].end && !given[i] &&
		    (!next || model[i].start < next->start ||
		     (model[i].start == next->start && model[i].end > next->end)))
			next = &model[i];
	if (next)
		given[next - model] = true;
	return next;
}

/* The listing has the model's ranges in their order, each as deep as the number of ranges before it that contain it. */
static void compare(void)
{
	struct resource res = { 0 }, above[RANGES];
	bool given[RANGES] = { false };
	char name[RESOURCE_NAME_MAX];
	int depth = -1, expected = 0;

	CHECK(iomem_check());
	while (iomem_next(&res, name, &depth)) {
		const struct model *right;

		if (res.start < BASE || res.start >= BASE + UNITS)
			continue;
		right = model_next(given);
		CHECK(right);
		CHECK_EQ(res.start, BASE + right->start);
		CHECK_EQ(res.end, BASE + right->end - 1);
		while (expected && !resource_contains(&above[expected - 1], &res))
			expected--;
		CHECK_EQ(depth, expected);
		above[expected++] = res;
	}
	CHECK(!model_next(given));
}

static void test_random(void)
{
	host_boot_simple(32 * MIB, 1);
	host_mute();
	for (unsigned long n = tap_ops(20000); n; n--) {
		struct model *one = &model[tap_below(RANGES)];

		if (one->end)
			take(one);
		else
			put(one);
		if (n % 16 == 0)
			compare();
	}
	for (int busy = 0; busy < 2; busy++)
		for (int i = 0; i < RANGES; i++)
			if (model[i].end && model[i].busy == busy)
				take(&model[i]);
	compare();
	for (int i = 0; i < RANGES; i++)
		CHECK(!model[i].end);
	host_check();
}

static void test_regions(void)
{
	struct resource *res;

	host_boot_simple(32 * MIB, 1);
	res = request_mem_region(BASE, 0x1000, "first");
	CHECK(res);
	CHECK_EQ(resource_size(res), 0x1000);
	CHECK(res->flags & IORESOURCE_BUSY);
	CHECK(!request_mem_region(BASE + 0xfff, 1, "second"));
	CHECK_LOG(
		"request_region: \\[mem 0x0000000010000fff-0x0000000010000fff\\] for second, asked for by .*: in conflict with "
		"\\[mem 0x0000000010000000-0x0000000010000fff\\] of first, busy: refused");
	CHECK(!request_mem_region(BASE - 8, 0x2000, "around"));
	CHECK(request_mem_region_exclusive(BASE + 0x1800, 8, "next"));
	CHECK(iomem_is_exclusive(BASE + 0x1000) && iomem_is_exclusive(BASE + 0x1fff));
	CHECK(!iomem_is_exclusive(BASE + 0x2000) && !iomem_is_exclusive(BASE));
	CHECK(!request_mem_region(BASE + 0x1800, 8, "again"));
	CHECK_LOG("of next, busy, exclusive: refused");
	CHECK(lookup_resource(&iomem_resource, BASE) == res && !lookup_resource(&iomem_resource, BASE + 1));
	release_mem_region(BASE, 0x1000);
	release_mem_region(BASE + 0x1800, 8);
	CHECK(!iomem_is_exclusive(BASE + 0x1800));
	CHECK(request_mem_region(BASE - 8, 0x2000, "around"));
	release_mem_region(BASE - 8, 0x2000);
	CHECK(!request_mem_region(0x40800000, 0x1000, "RAM"));
	CHECK_LOG("for RAM, .* in conflict with \\[mem 0x0000000040000000-0x0000000041ffffff\\] of System RAM, busy");
}

static void test_bad_regions(void)
{
	host_boot_simple(32 * MIB, 1);
	CHECK(!request_mem_region(BASE, 0, "nothing"));
	CHECK_LOG("request_region: 0x0 bytes at 0x0000000010000000 for nothing, asked for by .*: it is empty: refused");
	CHECK(!request_mem_region(BASE, 0 - BASE + 1, "too long"));
	CHECK_LOG("for too long, .*: it ends beyond the address space: refused");
	CHECK(request_mem_region(1ULL << 63, 1ULL << 63, NULL));
	CHECK(!request_mem_region(~0ULL, 1, "last"));
	CHECK_LOG("for last, .* of <BAD>, busy: refused");
	release_mem_region(1ULL << 63, 1ULL << 63);
	CHECK(request_mem_region(~0ULL, 1, "last"));
	release_mem_region(~0ULL, 1);
}

static void test_bad_releases(void)
{
	struct resource inner = { .start = BASE + 16, .end = BASE + 31, .name = "inner" };
	struct resource *res;

	host_boot_simple(32 * MIB, 1);
	release_mem_region(BASE, 0x1000);
	CHECK_LOG(
		"release_region: \\[mem 0x0000000010000000-0x0000000010000fff\\] was not requested: nothing is there: nothing done");
	res = request_mem_region(BASE, 0x1000, "mine");
	CHECK(res);
	release_mem_region(BASE, 0x800);
	CHECK_LOG("release_region: \\[mem 0x0000000010000000-0x00000000100007ff\\] was not requested so: "
		  "\\[mem 0x0000000010000000-0x0000000010000fff\\] of mine, requested, is there: nothing done");
	release_mem_region(BASE + 8, 0x1000 - 8);
	CHECK_EQ(request_resource(res, &inner), 0);
	release_mem_region(BASE, 0x1000);
	CHECK_LOG(
		"was not requested so: \\[mem 0x0000000010000010-0x000000001000001f\\] of inner|of mine, requested, is there");
	CHECK_EQ(release_resource(&inner), 0);
	release_mem_region(BASE, 0x1000);
	host_log_clear();
	release_mem_region(BASE, 0x1000);
	CHECK_LOG("release_region: .* was not requested: nothing is there");
	/* What was there from the start is nobody's to release. */
	release_mem_region(0x40000000, 32 * MIB);
	CHECK_LOG("was not requested so: \\[mem 0x0000000040000000-0x0000000041ffffff\\] of System RAM is there");
	CHECK_EQ(release_resource(&inner), (unsigned long long)-EINVAL);
	CHECK_LOG("iomem: \\[mem 0x0000000010000010-0x000000001000001f\\] of inner is in no tree: nothing done");
	CHECK_EQ(remove_resource(&inner), (unsigned long long)-EINVAL);
	CHECK(iomem_check());
	host_check();
}

static void test_trees(void)
{
	struct resource bus = { .start = BASE, .end = BASE + 0xffff, .name = "bus" };
	struct resource low = { .start = BASE + 0x100, .end = BASE + 0x1ff, .name = "low" };
	struct resource high = { .start = BASE + 0x300, .end = BASE + 0x3ff, .name = "high" };
	struct resource across = { .start = BASE + 0x180, .end = BASE + 0x2ff, .name = "across" };
	struct resource both = { .start = BASE + 0x100, .end = BASE + 0x3ff, .name = "both" };
	struct resource wrong = { .start = 2, .end = 1, .name = "wrong" };

	host_boot_simple(32 * MIB, 1);
	CHECK_EQ(request_resource(&iomem_resource, &bus), 0);
	CHECK_EQ(request_resource(&bus, &high), 0);
	CHECK_EQ(request_resource(&bus, &low), 0);
	CHECK(bus.child == &low && low.sibling == &high && high.parent == &bus);
	/* Again: refused, and nothing has changed. */
	CHECK_EQ(request_resource(&bus, &low), (unsigned long long)-EBUSY);
	CHECK_EQ(insert_resource(&bus, &low), (unsigned long long)-EBUSY);
	CHECK_EQ(insert_resource(&iomem_resource, &low), (unsigned long long)-EBUSY);
	CHECK(bus.child == &low && low.sibling == &high && low.parent == &bus && !low.child && iomem_check());
	CHECK(request_resource_conflict(&bus, &across) == &low);
	CHECK_EQ(request_resource(&bus, &across), (unsigned long long)-EBUSY);
	CHECK_LOG("request_resource: .* for across, .* in conflict with .* of low: refused");
	CHECK(request_resource_conflict(&low, &across) == &low);
	CHECK(request_resource_conflict(&iomem_resource, &wrong) == &iomem_resource);
	CHECK_EQ(insert_resource(&iomem_resource, &across), (unsigned long long)-EBUSY);
	CHECK_LOG("insert_resource: .* for across, .* in conflict with .* of low: refused");
	CHECK(!insert_resource_conflict(&iomem_resource, &both));
	CHECK(bus.child == &both && both.child == &low && low.sibling == &high && !high.sibling && low.parent == &both);
	CHECK(iomem_check());
	CHECK_EQ(remove_resource(&both), 0);
	CHECK(bus.child == &low && high.parent == &bus && !both.parent);
	CHECK_EQ(release_resource(&bus), 0);
	CHECK(!lookup_resource(&iomem_resource, BASE) && bus.child == &low);
	/* Its children come and go with it; two families cannot be mixed. */
	CHECK_EQ(request_resource(&iomem_resource, &bus), 0);
	CHECK(bus.child == &low && low.parent == &bus && iomem_check());
	CHECK_EQ(release_resource(&bus), 0);
	CHECK_EQ(request_resource(&iomem_resource, &both), 0);
	CHECK(insert_resource_conflict(&iomem_resource, &bus) == &both);
	CHECK(bus.child == &low && !bus.parent && both.parent == &iomem_resource && iomem_check());
	CHECK_EQ(release_resource(&both), 0);
	CHECK_EQ(insert_resource(&iomem_resource, &bus), 0);
	CHECK(bus.child == &low && low.sibling == &high && iomem_check());
	CHECK_EQ(release_resource(&bus), 0);
}

/* The prompt's listing: as /proc/iomem, RAM with whose its parts are, no-map ranges apart. */
static void test_listing(void)
{
	static const struct host_bank banks[] = { { 0x40000000, 32 * MIB, 0 }, { 0x80000000, 16 * MIB, 0 } };
	char command[] = "iomem";

	host_boot(&(struct host_machine){ .banks = banks, .nr_banks = 2, .add_nodes = host_add_firmware });
	CHECK(request_mem_region(0x9000000, 0x1000, "uart"));
	CHECK(request_mem_region(0x800000000ULL, 8, "beyond"));
	host_log_clear();
	CHECK_EQ(monitor_exec(command), 0);
	CHECK_LOG("^09000000-09000fff : uart$");
	CHECK_LOG("^40000000-40ffffff : System RAM$");
	CHECK_LOG("^  [0-9a-f]{8}-[0-9a-f]{8} : image text$");
	CHECK_LOG("^  [0-9a-f]{8}-[0-9a-f]{8} : device tree$");
	CHECK_LOG("^41000000-4100ffff : /reserved-memory/firmware@41000000 \\(no-map\\)$");
	CHECK_LOG("^41010000-41ffffff : System RAM$");
	CHECK_LOG("^80000000-80ffffff : System RAM$");
	CHECK_LOG("^800000000-800000007 : beyond$");
	/* What must not be mapped by us may be claimed by its driver. */
	CHECK(request_mem_region(0x41000000, 0x1000, "mailbox"));
	CHECK_EQ(monitor_exec(command), 0);
	CHECK_LOG("^  41000000-41000fff : mailbox$");
}

/* Each CPU requests random regions; who got one is its only owner. */

#define CELLS 64

static u32 owner[CELLS]; /* atomic */

static void load(void *arg)
{
	u32 me = (u32)smp_processor_id() + 1;

	tap_random_stream(me);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		unsigned int first = (unsigned int)tap_below(CELLS), nr = 1 + (unsigned int)tap_below(4);
		struct resource res = { 0 };
		char name[RESOURCE_NAME_MAX];
		int depth = -1;

		nr = min(nr, CELLS - first);
		if (!request_mem_region(BASE + first, nr, "cells"))
			continue;
		for (unsigned int i = first; i < first + nr; i++)
			CHECK_EQ(__atomic_exchange_n(&owner[i], me, __ATOMIC_RELAXED), 0);
		if (n % 32 == 0)
			while (iomem_next(&res, name, &depth))
				CHECK(depth >= 0 && res.start <= res.end);
		for (unsigned int i = first; i < first + nr; i++)
			CHECK_EQ(__atomic_exchange_n(&owner[i], 0, __ATOMIC_RELAXED), me);
		release_mem_region(BASE + first, nr);
	}
}

static void test_threads(void)
{
	unsigned long n = tap_ops(3000);

	host_boot_simple(64 * MIB, CPUS);
	host_mute();
	host_cpus_start();
	host_on_all_cpus(load, &n);
	CHECK(iomem_check());
	CHECK(!lookup_resource(&iomem_resource, BASE));
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("windows and regions at random", test_random),
	TAP_CASE("who comes second is refused, and both are named", test_regions),
	TAP_CASE("regions that are none", test_bad_regions),
	TAP_CASE("wrong releases are reported, with what is there", test_bad_releases),
	TAP_CASE("resources within and around others", test_trees),
	TAP_CASE("the listing", test_listing),
	TAP_CASE("8 CPUs", test_threads),
};
TAP_MAIN(cases)
