/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept for some mappings in vmalloc's addresses, found by where the mapping begins: an area itself has no room
 * for more. For ioremap.c and vmap_type.c (memory types that are held) and vmap_put.c (pages that were given for good).
 *
 * Lock letters: (N) vmap_notes.lock.
 */
#ifndef MM_VMAP_NOTES_H
#define MM_VMAP_NOTES_H

#include <lib/spinlock.h>
#include <mm/va_tree.h>

#include "internal.h"

/**
 * struct vmap_notes - notes of one kind
 * @tree: (N) by address; each extent is part of its note
 * @nr: (N) how many; read at any time
 */
struct vmap_notes {
	spinlock_t lock;
	struct va_tree tree;
	unsigned long nr;
};

#define DEFINE_VMAP_NOTES(var) struct vmap_notes var = { .lock = SPINLOCK_INIT(#var, LOCK_RANK_VMALLOC) }

/**
 * vmap_note_add() - @note is of the mapping of @bytes at @va, page aligned, from now on. Context: any. Cost: O(log
 * notes).
 */
void vmap_note_add(struct vmap_notes *notes, struct va_extent *note, const void *va, size_t bytes);

/**
 * vmap_note_take() - the note of the mapping that begins at @va, which is about to end: nobody else finds it any more
 *
 * Context: any. Cost: O(log notes); no lock where there are none. Return: NULL when there is none.
 */
struct va_extent *vmap_note_take(struct vmap_notes *notes, const void *va);

#endif
