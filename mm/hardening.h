/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardening ladder: what a free checks before it believes its caller, and what is kept to find who was wrong.
 *
 *	none	nothing beyond finding the page: for callers that are proved right elsewhere. kmalloc(64) and kfree()
 *		take 27 instructions, a page pair 31 (cortex-a72, loop included; README.md says how it is measured).
 *	basic	a page that is free, reserved, a slab's or of another order, and an object that is not the cache's, are
 *		reported and left alone; a page that is free is taken out of use when it is freed again, and a free
 *		block whose links were written to. No bytes; kmalloc() and kfree() of any size take 7 instructions more
 *		(34 for a constant one), kmem_cache_alloc() and kmem_cache_free() of any cache 8 (38), a page pair 10
 *		(41). Objects that go to slabs and come back, as of 100,000, cost 5 more beside that, those of a bulk
 *		17 each.
 *	full	basic, and every object cache is guarded: red zones, poison, owners with backtraces, a quarantine,
 *		objects handed out in random order. kmalloc(64) has cells of 384 bytes, and it and kfree() take 2,461
 *		instructions, a page pair 41: <mm/slab_flags.h> has the parts. Pages, kmalloc() of more than 8192 bytes
 *		among them, have no red zones. At every level one cache can be guarded by its flags or by the boot
 *		argument slub_debug=.
 */
#ifndef MM_HARDENING_H
#define MM_HARDENING_H

#ifdef CONFIG_HARDENING_NONE
#define HARDENED 0
#else
#define HARDENED 1
#endif

#ifdef CONFIG_HARDENING_FULL
#define HARDENED_FULL 1
#else
#define HARDENED_FULL 0
#endif

#endif
