/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extents of address space by address: a treap that also knows the longest extent below each node.
 *
 * A treap is a binary search tree by start whose nodes are a heap by a hash of start: its shape is that of a tree built
 * in random order, so all below is O(log n). Extents of one tree do not overlap.
 *
 * Or the extents of a tree are ranges of anything, which may overlap: then each has an @end instead of a @len, and the
 * tree knows the highest end below each node. Ranges that begin at the same address lie in a row: to O(log n) their
 * number is to be added. va_first_fit() is for the one kind, va_overlap() for the other.
 *
 * Not locked: the owner of the tree says which lock covers it. Nothing allocates.
 */
#ifndef MM_VA_TREE_H
#define MM_VA_TREE_H

#include <lib/types.h>

/**
 * struct va_extent - a range of addresses
 * @start: first address
 * @len: bytes
 * @end: one past the last address, in a tree of ranges that may overlap
 * @owner: what the tree's owner keeps for it
 * @max: the tree's own: the highest @len, or @end, among this node and those below
 * @parent, @left, @right: the tree's own
 */
struct va_extent {
	unsigned long start;
	union {
		unsigned long len;
		unsigned long end;
	};
	void *owner;
	unsigned long max;
	struct va_extent *parent, *left, *right;
};

struct va_tree {
	struct va_extent *root;
};

/** va_insert() - put @extent in; it overlaps none that is there, unless the tree's may */
void va_insert(struct va_tree *tree, struct va_extent *extent);

/** va_remove() - take @extent, which is in @tree, out */
void va_remove(struct va_tree *tree, struct va_extent *extent);

/** va_first_fit() - the lowest extent of at least @len bytes; NULL when there is none */
struct va_extent *va_first_fit(const struct va_tree *tree, unsigned long len);

/** va_at_or_below() - the extent with the highest start that is not above @addr; NULL when there is none */
struct va_extent *va_at_or_below(const struct va_tree *tree, unsigned long addr);

/** va_at_or_above() - the extent with the lowest start that is not below @addr; NULL when there is none */
struct va_extent *va_at_or_above(const struct va_tree *tree, unsigned long addr);

/** va_overlap() - a range of a tree of ranges that has part of [@start, @end); NULL when none has */
struct va_extent *va_overlap(const struct va_tree *tree, unsigned long start, unsigned long end);

/** va_next() - the extent of @tree behind @extent, the first one for NULL; NULL when there is none */
struct va_extent *va_next(const struct va_tree *tree, const struct va_extent *extent);

#endif
