// SPDX-License-Identifier: BSD-2-Clause
/*
 * What SLUB says about objects that are not as they should be (contract: slub_report.h).
 *
 * 1. A report is several printk() calls, so two CPUs' reports may mix by whole lines; each line stands by itself.
 * 2. BURST reports are printed in INTERVAL_NS. One counter holds what was printed in the interval that began at
 *    `since`, another what was not; both are atomic, and a race for a new interval costs a report more at most.
 * 3. Bytes are shown for a window of 64 around the first wrong byte, or else the object's beginning: in lines that end
 *    at multiples of 16 from the object, and where a part of the cell ends. The window never leaves the object's cell.
 */
#include "slub_report.h"

#include <limits.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <stdio.h>

#define BURST	    10
#define INTERVAL_NS 5000000000ULL
#define LINE	    16
#define WINDOW	    64

static u64 since;
static u32 printed, suppressed;

static const char *name_of(const struct kmem_cache *cache)
{
	return cache ? cache->name : "kfree";
}

/* Whether one more report may be printed now. */
static bool report_allowed(void)
{
	u64 now = arch_clock_ns();
	u32 missed;

	if (now - READ_ONCE(since) >= INTERVAL_NS) {
		WRITE_ONCE(since, now);
		WRITE_ONCE(printed, 0);
	}
	if (fetch_add32(&printed, 1) >= BURST) {
		fetch_add32(&suppressed, 1);
		return false;
	}
	missed = xchg32_acquire(&suppressed, 0);
	if (missed)
		printk("slub: %u reports were not printed\n", missed);
	return true;
}

/* How many bytes of @obj are its user's, as far as is known. */
static u32 extent_of(const struct kmem_cache *cache, const void *obj)
{
	return cache->guard && (cache->flags & SLAB_RED_ZONE) ? object_extent(cache, obj) : cache->object_size;
}

/* A stretch of an object's cell that is one thing: its name, and where it ends, in bytes from the object. */
struct cell_part {
	const char *name;
	long end;
};

/* Which part the byte at @offset from an object of @cache, whose user has @extent bytes, belongs to. */
static struct cell_part part_at(const struct kmem_cache *cache, u32 extent, long offset)
{
	const struct slab_guard *guard = cache->guard;

	if (offset < 0)
		return (struct cell_part){ "left red zone", 0 };
	if (offset < (long)extent || !guard)
		return (struct cell_part){ "object", extent };
	if (offset < (long)guard->state)
		return (struct cell_part){ "right red zone", guard->state };
	return (struct cell_part){ "state", (long)(guard->state + sizeof(struct object_state)) };
}

/* Whoever has the object may write to it meanwhile. */
static void show_line(const u8 *obj, long from, long end, const char *part)
{
	char hex[3 * LINE + 1];
	int len = 0;

	for (long i = from; i < end; i++)
		len += snprintf(hex + len, sizeof(hex) - (size_t)len, " %02x", READ_ONCE(obj[i]));
	printk("  %p:%s  %s%+ld\n", (const void *)(obj + from), hex, part, from);
}

/* The bytes around @at, which lies in @obj's cell. */
static void show_bytes(const struct kmem_cache *cache, const u8 *obj, const u8 *at)
{
	long left = cache->guard ? cache->guard->left : 0, from = max(ALIGN_DOWN(at - obj, (long)LINE) - LINE, -left);
	u32 extent = extent_of(cache, obj);
	long stop = min(from + WINDOW, part_at(cache, extent, LONG_MAX).end);

	while (from < stop) {
		struct cell_part part = part_at(cache, extent, from);
		long line = ALIGN_DOWN(from, (long)LINE) + LINE, end = min(line, part.end);

		end = min(end, stop);
		show_line(obj, from, end, part.name);
		from = end;
	}
}

static void show_track(const struct object_track *track, u64 now, const char *what)
{
	char name[ARCH_SYMBOL_MAX];

	if (!track->nr || track->nr > TRACK_DEPTH)
		return;
	printk("  %s %llu us ago on CPU %u by:\n", what, (now - track->when) / 1000, track->cpu);
	for (u32 i = 0; i < track->nr; i++)
		printk("    [%016lx] %s\n", track->address[i], arch_symbol(track->address[i], name, sizeof(name)));
}

static void show_owners(const struct kmem_cache *cache, const void *obj)
{
	const struct object_track *tracks = cache->guard ? object_tracks(cache, obj) : NULL;

	u64 now = arch_clock_ns();

	if (!tracks)
		return;
	show_track(&tracks[0], now, "allocated");
	show_track(&tracks[1], now, "freed");
}

void slub_show_object(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	u32 extent = extent_of(cache, obj);
	char size[32];

	snprintf(size, sizeof(size), extent == cache->object_size ? "%u bytes" : "%u bytes of %u", extent,
		 cache->object_size);
	printk("  object %p of %s, %s, at offset 0x%lx of the slab at pfn 0x%lx: %u objects, %u in use, node %d\n", obj,
	       cache->name, size, (uintptr_t)obj - (uintptr_t)page_address(slab), page_to_pfn(slab), cache->objects,
	       slab->inuse, page_to_nid(slab));
	show_owners(cache, obj);
}

/* The object of @slab whose cell @p lies in; NULL when it lies before the first or behind the last one. */
static const void *object_around(const struct kmem_cache *cache, const struct page *slab, const void *p)
{
	const char *first = slab_first(cache, slab);
	size_t i = (size_t)((const char *)p - first) / cache->size;

	if (i >= cache->objects)
		return NULL;
	return first + i * cache->size + (cache->guard ? cache->guard->left : 0);
}

/* What @p, an address in @slab, is or lies in, with the bytes around @at. */
static void show_place(const struct page *slab, const void *p, const u8 *at)
{
	const struct kmem_cache *cache = slab->slab_cache;
	const void *obj = object_around(cache, slab, p);

	if (!obj) {
		printk("  address %p, %s object of the slab at pfn 0x%lx of %s\n", p,
		       (const char *)p < slab_first(cache, slab) ? "before the first" : "behind the last",
		       page_to_pfn(slab), cache->name);
		return;
	}
	if (obj != p)
		printk("  address %p, %+ld bytes from the beginning of:\n", p,
		       (long)((const char *)p - (const char *)obj));
	slub_show_object(cache, slab, obj);
	show_bytes(cache, obj, at);
}

bool slub_report(const struct kmem_cache *cache, const struct page *slab, const void *obj, const char *what,
		 const struct object_damage *damage)
{
	if (!report_allowed())
		return false;
	printk("slub: BUG in %s: %s\n", name_of(cache), what);
	if (damage)
		printk("  %s: %p has 0x%02x instead of 0x%02x, wrong bytes: %zu\n", damage->part,
		       (const void *)damage->at, *damage->at, damage->expected, damage->bytes);
	if (slab)
		show_place(slab, obj, damage ? damage->at : obj);
	else
		printk("  address %p\n", obj);
	arch_dump_stack();
	return true;
}

void slub_report_use(const struct kmem_cache *cache, const struct page *slab, const void *obj, const char *verb,
		     const char *fault)
{
	char what[96], done[24];

	snprintf(what, sizeof(what), "what was to be %s %s", verb, fault);
	snprintf(done, sizeof(done), "not %s", verb);
	if (slub_report(cache, slab, obj, what, NULL))
		slub_fixed(cache, done);
}

void slub_fixed(const struct kmem_cache *cache, const char *what)
{
	printk("slub: %s: %s\n", name_of(cache), what);
}
