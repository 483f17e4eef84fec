// SPDX-License-Identifier: BSD-2-Clause
/*
 * What SLUB does to many objects of a slab at once (mm/slub_runs.h), beside what is obviously right, one object after
 * the other.
 *
 *	slabs		|    other    |    slab     |    other    |	SLAB bytes each
 *	run_link()	  an object of `other`, or NULL, ends each run of objects of `slab`
 */
#include <string.h>

#include "../../mm/slub_runs.h"
#include "tap.h"

#define SLAB	 4096UL
#define MAX_RUN	 80U
#define SMALLEST 16U
#define OBJECTS	 (SLAB / SMALLEST)

static char slabs[3 * SLAB] __aligned(SLAB);
static char *const base = slabs + SLAB;

static void test_fill(void)
{
	void *objs[MAX_RUN + 1];

	for (u32 n = 1; n <= MAX_RUN; n++) {
		size_t size = SMALLEST + 8 * tap_below(16);

		memset(objs, 0, sizeof(objs));
		run_fill(objs, n, base + (n - 1) * size, size);
		for (u32 i = 0; i < n; i++)
			CHECK_EQ((uintptr_t)objs[i], (uintptr_t)base + (n - 1 - i) * size);
		CHECK(!objs[n]);
	}
}

/* One address that is not in the slab, whichever it is and wherever it stands, is seen. */
static void test_in_slab(void)
{
	char *const others[] = { base - 1, base + SLAB, base - SLAB, slabs + 2 * SLAB + 8, NULL };
	void *objs[MAX_RUN];

	for (u32 n = 1; n <= MAX_RUN; n++) {
		for (u32 i = 0; i < n; i++)
			objs[i] = base + tap_below(SLAB);
		CHECK(run_in_slab(objs, n, (uintptr_t)base, -SLAB));
		for (u32 i = 0; i < n; i++) {
			void *was = objs[i];

			for (size_t j = 0; j < ARRAY_SIZE(others); j++) {
				objs[i] = others[j];
				CHECK(!run_in_slab(objs, n, (uintptr_t)base, -SLAB));
			}
			objs[i] = was;
		}
	}
}

/* Of objects of a power of two it is seen as well when one address lies between two of them. */
static void test_begin_in_slab(void)
{
	void *objs[MAX_RUN];

	for (u32 n = 1; n <= MAX_RUN; n++) {
		const size_t size = 8UL << tap_below(9);
		const u64 same = -SLAB | (size - 1);

		for (u32 i = 0; i < n; i++)
			objs[i] = base + tap_below(SLAB / size) * size;
		CHECK(run_in_slab(objs, n, (uintptr_t)base, same));
		for (u32 i = 0; i < n; i++) {
			char *was = objs[i];

			objs[i] = was + 1 + tap_below(size - 1);
			CHECK(!run_in_slab(objs, n, (uintptr_t)base, same));
			objs[i] = was;
		}
	}
}

/* A slab from which all objects are taken, and how many of them came back. */
struct model {
	struct page slab;
	u32 size, offset, objects;
	bool listed[OBJECTS];
};

static void *object(const struct model *m, u32 i)
{
	return base + (size_t)i * m->size;
}

static void check_list(const struct model *m)
{
	u32 n = 0, size = max(m->size, 1U);

	for (char *obj = m->slab.freelist; obj; obj = *(void **)(void *)(obj + m->offset), n++) {
		size_t at = (size_t)(obj - base);

		CHECK(at < SLAB && at % size == 0 && m->listed[at / size]);
		CHECK(n < m->objects);
	}
	CHECK_EQ(n, m->objects - m->slab.inuse);
}

/* @run objects of @order from @done on, then what ends the run; and that nothing but links is written. */
static void come_back(struct model *m, const u32 *order, u32 done, u32 run, u32 more)
{
	void *objs[OBJECTS + MAX_RUN + 1];
	u32 n = 0, linked, link_bytes = sizeof(void *);

	for (; n < run; n++) {
		objs[n] = object(m, order[done + n]);
		m->listed[order[done + n]] = true;
		memset(objs[n], 0x5a, m->size);
	}
	for (; n < run + more; n++)
		objs[n] = n % 2 ? slabs : slabs + 2 * SLAB;
	objs[n] = NULL;

	linked = run_link(&m->slab, m->offset, (uintptr_t)base, -SLAB, objs, n);
	CHECK_EQ(linked, run);
	m->slab.inuse = (u16)(m->slab.inuse - linked);
	for (u32 i = 0; i < run; i++)
		for (u32 byte = 0; byte < m->size; byte++)
			CHECK(byte - m->offset < link_bytes || ((char *)objs[i])[byte] == 0x5a);
	if (m->slab.inuse)
		check_list(m);
}

static void shuffle(u32 *order, u32 n)
{
	for (u32 i = n; i > 1; i--) {
		u32 j = (u32)tap_below(i), was = order[j];

		order[j] = order[i - 1];
		order[i - 1] = was;
	}
}

static void empty_slab(bool in_order)
{
	struct model m = { .size = SMALLEST + 8 * (u32)tap_below(31) };
	u32 order[OBJECTS], run;

	m.objects = (u32)(SLAB / m.size);
	m.offset = 8 * (u32)tap_below(m.size / 8);
	m.slab.inuse = (u16)m.objects;
	for (u32 i = 0; i < m.objects; i++)
		order[i] = i;
	if (!in_order)
		shuffle(order, m.objects);
	for (u32 done = 0; done < m.objects; done += run) {
		/* All of the rest every other time. */
		run = m.objects - done;
		if (tap_below(2))
			run = 1 + (u32)tap_below(run);
		come_back(&m, order, done, run, (u32)tap_below(MAX_RUN));
	}
	CHECK_EQ(m.slab.inuse, 0);
}

static void test_link(void)
{
	for (int i = 0; i < 2000; i++)
		empty_slab(i % 2);
}

/*
 * As many objects as the slab misses, but not all of them the slab's: whether the list is made does not hang on a few
 * of them.
 */
static void test_not_whole(void)
{
	void *objs[MAX_RUN + 1];

	for (u32 taken = 2; taken <= MAX_RUN; taken++) {
		for (u32 wrong = 1; wrong < taken; wrong++) {
			struct page slab = { .inuse = (u16)taken };

			for (u32 i = 0; i < taken; i++)
				objs[i] = base + (size_t)i * SMALLEST;
			objs[taken] = NULL;
			objs[wrong] = slabs;
			CHECK_EQ(run_link(&slab, 0, (uintptr_t)base, -SLAB, objs, taken), wrong);
			CHECK(slab.freelist == objs[wrong - 1]);
		}
	}
}

/* The @n objects in @slab's list are those of @objs, the last of them first, by the links that @format says. */
static void check_coded(const struct page *slab, struct run_format format, void *const *objs, u32 n)
{
	u32 nr = slab->freelist ? (u32)((char *)slab->freelist - base) + 1 : 0;

	while (n-- > 0) {
		CHECK_EQ(nr, (u32)((char *)objs[n] - base) + 1);
		nr = *(u32 *)(void *)((char *)objs[n] + format.link.offset + sizeof(u32)) ^ format.link.key;
	}
	CHECK_EQ(nr, 0);
}

/* All objects of a slab in two runs; the second ends at the end, or where an address is none of an object. */
static void link_coded(struct run_format format, u32 size, bool told, struct page *slab)
{
	const u32 n = (u32)(SLAB / size), half = (u32)tap_below(n);
	const u32 odd = half + (u32)tap_below(n - half);
	void *objs[OBJECTS * 2 + 1], *was;
	u32 order[OBJECTS * 2];

	for (u32 i = 0; i < n; i++)
		order[i] = i;
	shuffle(order, n);
	for (u32 i = 0; i < n; i++)
		objs[i] = base + SLAB - (size_t)(order[i] + 1) * size;
	objs[n] = NULL;
	was = objs[half];
	objs[half] = slabs;
	slab->freelist = NULL;
	CHECK_EQ(run_link_checked(slab, format, told, (uintptr_t)base, objs), half);
	check_coded(slab, format, objs, half);
	objs[half] = was;
	was = objs[odd];
	objs[odd] = (char *)was + 8 * tap_below(size / 8) + 4;
	memset(objs[odd], 0x5a, 8);
	CHECK_EQ(run_link_checked(slab, format, told, (uintptr_t)base, objs + half), odd - half);
	check_coded(slab, format, objs, odd);
	CHECK_EQ(((u32 *)objs[odd])[1], 0x5a5a5a5a);
	objs[odd] = was;
	CHECK_EQ(run_link_checked(slab, format, told, (uintptr_t)base, objs + odd), n - odd);
	check_coded(slab, format, objs, n);
}

static void test_link_checked(void)
{
	static const u32 sizes[] = { 8, 16, 64, 512, 24, 56, 96, 192, 1360 };
	u32 told = 0, multiplied = 0;

	for (u32 i = 0; i < 2000; i++) {
		const u32 size = sizes[i % ARRAY_SIZE(sizes)], id = (u32)tap_below(0x10000);
		const bool power = !(size & (size - 1));
		const u64 first = asm_object_product(base + SLAB % size, 1);
		struct page slab = { .object_factor = object_factor(first, object_step(size), id) };
		struct run_format format = { .link = { 0, (u32)tap_random() },
					     .slab = -SLAB,
					     .same = power ? -SLAB | (size - 1) : -SLAB,
					     .id = id,
					     .told = power };

		told += power;
		multiplied += !power && slab.object_factor;
		if (power || slab.object_factor)
			link_coded(format, size, power, &slab);
	}
	CHECK(told > 500 && multiplied > 500);
}

static const struct tap_case cases[] = {
	TAP_CASE("addresses of a new slab's objects", test_fill),
	TAP_CASE("whether objects lie in a slab", test_in_slab),
	TAP_CASE("whether objects of a power of two begin in a slab", test_begin_in_slab),
	TAP_CASE("a slab gets its objects back, in runs", test_link),
	TAP_CASE("a slab gets back what begins an object, in runs", test_link_checked),
	TAP_CASE("a run that only looks like all that a slab misses", test_not_whole),
};

TAP_MAIN(cases)
