/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardening ladder: what a free checks before it believes its caller.
 *
 *	none	nothing beyond finding the page: for callers that are proved right elsewhere
 *	basic	a page that is free, reserved, a slab's or of another order, and an object that is not the cache's, are
 *		reported and left alone; free blocks whose links were written to end the run
 */
#ifndef MM_HARDENING_H
#define MM_HARDENING_H

#ifdef CONFIG_HARDENING_NONE
#define HARDENED 0
#else
#define HARDENED 1
#endif

#endif
