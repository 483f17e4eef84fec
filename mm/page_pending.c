// SPDX-License-Identifier: BSD-2-Clause
/*
 * Notes of pages that are to be taken out of use as soon as they are free.
 *
 * 1. A note is a run of page frames of one zone. zone->bad_pending links the zone's notes, zone->nr_bad_pending counts
 *    their pages that are not out yet. A page is in one note at the most, and is out when it has PG_hwpoison: it is
 *    never anything else again, so a note needs no more than a count of those left, and goes when that is 0.
 * 2. Notes lie outside of struct pages, which belong to the pages' users. The first BAD_NOTES are static: for a free
 *    that is reported, which may come from a handler, where nothing can be allocated. Who may allocate adds a page of
 *    them when there are none (bad_notes_add()). Notes that are done with are used again; a page of them stays.
 *
 * Zones share the notes that nobody uses, under notes_lock. All else is under zone->lock. Cost: O(notes of the zone).
 */
#include <lib/bitmap.h>

#include "internal.h"
#include "page_offline.h"

/**
 * struct bad_note - pages to be taken out
 * @next: (Z) the zone's next note; of those not in use, (n) the next one
 * @pfn: (Z) the first page frame
 * @nr: (Z) how many
 * @left: (Z) how many of them are not out
 *
 * Lock letters: (Z) zone->lock; (n) notes_lock.
 */
struct bad_note {
	struct bad_note *next;
	unsigned long pfn;
	u32 nr;
	u32 left;
};

static DEFINE_SPINLOCK(notes_lock, LOCK_RANK_BAD_NOTES);
static struct bad_note reserve[BAD_NOTES]; /* (n) until they are handed out */
static unsigned int reserve_used;	   /* (n) */
static struct bad_note *unused;		   /* (n) */

static struct bad_note *get_note(void)
{
	struct bad_note *note;

	spin_lock(&notes_lock);
	note = unused;
	if (note)
		unused = note->next;
	else if (reserve_used < BAD_NOTES)
		note = &reserve[reserve_used++];
	spin_unlock(&notes_lock);
	return note;
}

static void put_notes(struct bad_note *note, unsigned long n)
{
	spin_lock(&notes_lock);
	for (; n; n--, note++) {
		note->next = unused;
		unused = note;
	}
	spin_unlock(&notes_lock);
}

void bad_notes_add(void *page)
{
	unsigned long flags = local_irq_save();

	put_notes(page, PAGE_SIZE / sizeof(struct bad_note));
	local_irq_restore(flags);
}

/* The page frame is in @note, and not out. */
static bool notes_page(const struct bad_note *note, unsigned long pfn)
{
	return pfn - note->pfn < note->nr && !page_test(pfn_to_page(pfn), PG_hwpoison);
}

/* Whether the page frame is to be taken out, and is not yet. */
static bool bad_page_pending(const struct zone *zone, unsigned long pfn)
{
	for (const struct bad_note *note = zone->bad_pending; note; note = note->next)
		if (notes_page(note, pfn))
			return true;
	return false;
}

bool bad_pages_within(const struct zone *zone, unsigned long start, unsigned long end)
{
	for (const struct bad_note *note = zone->bad_pending; note; note = note->next)
		if (note->pfn < end && start < note->pfn + note->nr)
			return true;
	return false;
}

static bool add_note(struct zone *zone, unsigned long pfn, unsigned long n)
{
	struct bad_note *note = get_note();

	if (!note)
		return false;
	*note = (struct bad_note){ .next = zone->bad_pending, .pfn = pfn, .nr = (u32)n, .left = (u32)n };
	zone->bad_pending = note;
	ADD_ONCE(zone->nr_bad_pending, n);
	return true;
}

static bool out_or_pending(const struct zone *zone, unsigned long pfn)
{
	return page_test(pfn_to_page(pfn), PG_hwpoison) || bad_page_pending(zone, pfn);
}

unsigned long note_bad_pages(struct zone *zone, unsigned long start, unsigned long end)
{
	while (start < end) {
		unsigned long n = 0;

		while (start + n < end && !out_or_pending(zone, start + n))
			n++;
		if (n && !add_note(zone, start, n))
			return start;
		start += n + 1;
	}
	return end;
}

bool take_bad_page(struct zone *zone, unsigned long pfn)
{
	for (struct bad_note **link = &zone->bad_pending; *link; link = &(*link)->next) {
		struct bad_note *note = *link;

		if (!notes_page(note, pfn))
			continue;
		ADD_ONCE(zone->nr_bad_pending, -1UL);
		if (!--note->left) {
			*link = note->next;
			put_notes(note, 1);
		}
		return true;
	}
	return false;
}
