// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes of a guarded object: layout, red zones, poison, owners.
 *
 * 1. Layout of a cell, and the values of its bytes: <mm/slab_flags.h>, point 4. An object keeps the alignment that its
 *    cache promises, so the left red zone is as long as the alignment when that is more than 8.
 * 2. The right red zone fills the object's last word, or is a word of its own when the object ends with one: 1 to 8
 *    bytes. Around an allocated object it begins before that, where the bytes end that kmalloc() was asked for; those
 *    between are zero instead of red when the caller of an inline kzalloc() clears them.
 * 3. State and link lie outside the object. So a user who writes after the free cannot reach the free list but by
 *    writing through the red zone, and an object with a constructor keeps what the constructor made.
 * 4. Nothing here locks: guard->lock is held. Cost: O(bytes of the cell).
 */
#include "slub_guard.h"

#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <string.h>

u32 guard_layout(struct kmem_cache *cache)
{
	struct slab_guard *guard = cache->guard;
	bool zones = cache->flags & SLAB_RED_ZONE;
	u32 end = ALIGN(cache->object_size, (u32)sizeof(void *));

	guard->left = zones ? ALIGN(RED_BYTES, cache->align) : 0;
	if (zones && end == cache->object_size)
		end += RED_BYTES;
	guard->state = end;
	end += sizeof(struct object_state);
	guard->track = cache->flags & SLAB_STORE_USER ? end : 0;
	if (guard->track)
		end += 2 * sizeof(struct object_track);
	guard->poisoned = (cache->flags & SLAB_POISON) && !cache->ctor && !(cache->flags & SLAB_TYPESAFE_BY_RCU);
	return ALIGN(guard->left + end, cache->align);
}

bool guard_begins_object(const struct kmem_cache *cache, const struct page *slab, const void *obj)
{
	size_t offset = (uintptr_t)obj - (uintptr_t)page_address(slab) - cache->guard->left;

	/* One below the first object has wrapped around and is too large. */
	return offset % cache->size == 0 && offset / cache->size < cache->objects;
}

static u8 red_byte(u64 state)
{
	return state == OBJECT_TAKEN ? RED_TAKEN : RED_FREE;
}

void guard_set_state(struct kmem_cache *cache, void *obj, u64 state)
{
	struct slab_guard *guard = cache->guard;
	struct object_state *meta = object_state(cache, obj);

	if (state == OBJECT_TAKEN) {
		meta->asked = cache->object_size;
		meta->asked_not = ~meta->asked;
	}
	if (cache->flags & SLAB_RED_ZONE) {
		memset((char *)obj - guard->left, red_byte(state), guard->left);
		memset((char *)obj + cache->object_size, red_byte(state), guard->state - cache->object_size);
	}
	if (guard->poisoned && state != OBJECT_TAKEN) {
		memset(obj, POISON_FREE, cache->object_size - 1);
		((u8 *)obj)[cache->object_size - 1] = POISON_END;
	}
	meta->state = state;
}

void guard_note_owner(const struct kmem_cache *cache, const void *obj, bool freed)
{
	struct object_track *track = object_tracks(cache, obj);

	if (!track)
		return;
	track += freed;
	track->when = arch_clock_ns();
	track->cpu = (u32)smp_processor_id();
	track->nr = stack_trace_save(track->address, TRACK_DEPTH, 1);
}

/* Whether the @n bytes at @start are all @byte; eight at a time. */
static bool all_are(const u8 *start, size_t n, u8 byte)
{
	u64 pattern = byte * 0x0101010101010101ULL, word;

	for (; n >= sizeof(word); n -= sizeof(word), start += sizeof(word)) {
		memcpy(&word, start, sizeof(word));
		if (word != pattern)
			return false;
	}
	while (n && *start == byte) {
		start++;
		n--;
	}
	return !n;
}

/* Whether any of the @n bytes at @start is not @expected; then which is the first, and how many there are. */
static bool differ(const u8 *start, size_t n, u8 expected, struct object_damage *damage)
{
	if (likely(all_are(start, n, expected)))
		return false;
	damage->bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (start[i] == expected)
			continue;
		if (!damage->bytes++)
			damage->at = start + i;
	}
	damage->expected = expected;
	return true;
}

bool guard_damaged_zone(const struct kmem_cache *cache, const void *obj, struct object_damage *damage)
{
	const struct slab_guard *guard = cache->guard;
	const struct object_state *meta = object_state(cache, obj);
	u32 extent = object_extent(cache, obj), end = cache->object_size;
	u8 red = red_byte(meta->state);
	const u8 *bytes = obj;

	if (!(cache->flags & SLAB_RED_ZONE))
		return false;
	damage->part = "left red zone";
	if (differ(bytes - guard->left, guard->left, red, damage))
		return true;
	damage->part = "right red zone";
	if (extent < end && (meta->asked & ASKED_ZEROED)) {
		if (differ(bytes + extent, end - extent, 0, damage))
			return true;
		extent = end;
	}
	return differ(bytes + extent, guard->state - extent, red, damage);
}

bool guard_damaged_poison(const struct kmem_cache *cache, const void *obj, struct object_damage *damage)
{
	if (!cache->guard->poisoned)
		return false;
	damage->part = "poison";
	return differ(obj, cache->object_size - 1, POISON_FREE, damage) ||
	       differ((const u8 *)obj + cache->object_size - 1, 1, POISON_END, damage);
}
