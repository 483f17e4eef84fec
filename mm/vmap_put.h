/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that vmap() was given for good (VM_MAP_PUT_PAGES): what vmap_put.c does for vmalloc.c. */
#ifndef MM_VMAP_PUT_H
#define MM_VMAP_PUT_H

#include <lib/types.h>

struct page;
struct vmap_put;

/**
 * vmap_put_new() - a note of @count @pages and their array, before they are mapped; NULL: no memory. Context: thread.
 */
struct vmap_put *vmap_put_new(struct page **pages, unsigned int count);

/** vmap_put_mapped() - they are mapped at @va, and vmap()'s from now on; NULL: they are not, and stay the caller's */
void vmap_put_mapped(struct vmap_put *put, const void *va);

/**
 * vmap_put_take() - the note of the mapping at @va, the caller's now, who ends it; NULL when there is none. Context:
 * any.
 */
struct vmap_put *vmap_put_take(const void *va);

/**
 * vmap_put_pages() - the mapping of @put is gone: give up a reference to each page. Return: the array, to be freed.
 * Context: any.
 */
void *vmap_put_pages(struct vmap_put *put);

/**
 * vmap_put_drop() - the mapping of @put is gone: references and array are the caller's. Nothing for NULL. Context: any.
 */
void vmap_put_drop(struct vmap_put *put);

#endif
