/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device trees made by tests, over libfdt's sequential-write functions. One tree at a time; an error of libfdt ends the
 * run. /memreserve/ entries come first, before the root is opened.
 */
#ifndef TEST_HOST_TREE_H
#define TEST_HOST_TREE_H

#include <lib/types.h>

struct tree_range {
	u64 base, size;
};

/** tree_start() - begin a new tree, without a root yet */
void tree_start(void);

/** tree_memreserve() - one entry of the memory reservation block */
void tree_memreserve(u64 base, u64 size);

/** tree_root() - open the root, with #address-cells @ac and #size-cells @sc, which tree_reg() uses from now on */
void tree_root(int ac, int sc);

/** tree_cells_are() - within the open node tree_reg() and tree_size() use these cells; nothing is written */
void tree_cells_are(int ac, int sc);

/** tree_open() - open a subnode of the open node */
void tree_open(const char *name);

/** tree_close() - close the open node */
void tree_close(void);

void tree_flag(const char *name);
void tree_string(const char *name, const char *value);
void tree_u32(const char *name, u32 value);

/** tree_cells() - a property of any 32-bit cells */
void tree_cells(const char *name, const u32 *cells, int nr);

/** tree_bytes() - a property of any bytes */
void tree_bytes(const char *name, const void *bytes, size_t nr);

/** tree_size() - a property of one number, in #size-cells */
void tree_size(const char *name, u64 value);

/** tree_reg() - a property of @nr (address, size) pairs */
void tree_reg(const char *name, const struct tree_range *ranges, int nr);

/** tree_memory() - a whole memory node of one bank; @nid -1 for no numa-node-id */
void tree_memory(u64 base, u64 size, int nid);

/**
 * tree_finish() - close the root and end the tree
 *
 * Return: the tree, in memory of its own that ends where the tree ends, so that a sanitizer sees who reads past it.
 */
void *tree_finish(void);

#endif
