/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is made of kmalloc() and kfree(): arrays, copies, strings, other sizes. <mm/slab.h> includes this.
 *
 * Common contract: that of <mm/slab.h>. What returns memory returns NULL when there is none, with nothing changed, and
 * kfree() takes it. Cost: that of kmalloc(), and O(bytes copied or cleared).
 */
#ifndef MM_SLAB_UTIL_H
#define MM_SLAB_UTIL_H

#include <mm/slab.h>

/** kmalloc_array() - @n objects of @size bytes; NULL when the product overflows */
static inline void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc(bytes, gfp);
}

/** kcalloc() - kmalloc_array(), zeroed */
static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

/** kzalloc_node() - kmalloc_node(), zeroed */
static inline void *kzalloc_node(size_t size, gfp_t gfp, int nid)
{
	return kmalloc_node(size, gfp | __GFP_ZERO, nid);
}

/**
 * krealloc() - resize: in place when @size fits behind @p, wherever that is; otherwise the contents move
 * @p: what kmalloc() returned, NULL or ZERO_SIZE_PTR, which are nothing yet
 * @size: bytes; 0 frees @p and gives ZERO_SIZE_PTR
 *
 * With __GFP_ZERO the bytes past the old size are zero, provided that @p was allocated, and resized each time since,
 * with __GFP_ZERO: the allocator does not know how many bytes were asked for, so it keeps all that ksize() tells zero
 * past @size. Without, bytes past the old size are anything. (Of an object of a guarded cache the old size is known,
 * and the red zone begins at the new one.) What is no object in use is reported and left alone, as by kfree().
 * Return: where the contents are now; NULL on failure, and then @p is still valid.
 */
void *krealloc(const void *p, size_t size, gfp_t gfp) __must_check;

/** krealloc_array() - krealloc() to @n objects of @size bytes; NULL when the product overflows, and @p stays */
static inline void *krealloc_array(const void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : krealloc(p, bytes, gfp);
}

/**
 * kfree_sensitive() - kfree() after all bytes that ksize() tells were cleared, which no compiler leaves out; or
 * poisoned over
 */
void kfree_sensitive(const void *p);

/** kmalloc_size_roundup() - what ksize() of a kmalloc() of @size would tell; @size itself above KMALLOC_MAX_SIZE */
size_t kmalloc_size_roundup(size_t size);

/** kstrdup() - a copy of the string @text; NULL of NULL */
char *kstrdup(const char *text, gfp_t gfp) __must_check;

/** kstrndup() - a copy of at most @max characters of @text, and a NUL behind them; NULL of NULL */
char *kstrndup(const char *text, size_t max, gfp_t gfp) __must_check;

/** kmemdup() - a copy of the @size bytes at @src */
void *kmemdup(const void *src, size_t size, gfp_t gfp) __must_check;

/** kmemdup_nul() - a copy of the @size bytes at @src, and a NUL behind them; NULL of NULL */
char *kmemdup_nul(const char *src, size_t size, gfp_t gfp) __must_check;

#endif
