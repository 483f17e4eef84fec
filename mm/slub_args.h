/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot arguments of SLUB: slub_debug= and slab_nomerge, whose meaning is in <mm/slab_flags.h> and mm/slub_args.c.
 */
#ifndef MM_SLUB_ARGS_H
#define MM_SLUB_ARGS_H

#include <lib/types.h>

/** slub_setup_args() - take what @args says, with a line for each letter that means nothing. Context: boot, once. */
void slub_setup_args(const char *args);

/** slub_guards() - the flags of SLAB_GUARDS that the level or the boot arguments want for a cache of this @name */
unsigned int slub_guards(const char *name);

/** slub_merging() - whether like caches may share their slabs: not with slab_nomerge */
bool slub_merging(void);

#endif
