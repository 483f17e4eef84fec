// SPDX-License-Identifier: BSD-2-Clause
/*
 * Notes of mappings, by their address (contract: vmap_notes.h).
 *
 * The address may be another mapping's as soon as it is unmapped. Nobody finds the first one there any more then, for
 * its note was taken before. So of two that end one mapping at once one gets the note.
 */
#include "vmap_notes.h"

void vmap_note_add(struct vmap_notes *notes, struct va_extent *note, const void *va, size_t bytes)
{
	unsigned long flags;

	note->start = (uintptr_t)va;
	note->len = bytes;
	flags = spin_lock_irqsave(&notes->lock);
	va_insert(&notes->tree, note);
	ADD_ONCE(notes->nr, 1);
	spin_unlock_irqrestore(&notes->lock, flags);
}

struct va_extent *vmap_note_take(struct vmap_notes *notes, const void *va)
{
	struct va_extent *note;
	unsigned long flags;

	if (!READ_ONCE(notes->nr))
		return NULL;
	flags = spin_lock_irqsave(&notes->lock);
	note = va_at_or_below(&notes->tree, (uintptr_t)va);
	if (note && note->start != (uintptr_t)va)
		note = NULL;
	if (note) {
		va_remove(&notes->tree, note);
		ADD_ONCE(notes->nr, -1UL);
	}
	spin_unlock_irqrestore(&notes->lock, flags);
	return note;
}
