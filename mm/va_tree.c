// SPDX-License-Identifier: BSD-2-Clause
/* The treap of <mm/va_tree.h>. */
#include "va_tree.h"

static u64 priority(const struct va_extent *extent)
{
	u64 x = extent->start * 0x9e3779b97f4a7c15ULL;

	return x ^ x >> 29;
}

static unsigned long max_of(const struct va_extent *node)
{
	return node ? node->max : 0;
}

static void update(struct va_extent *node)
{
	unsigned long below = max(max_of(node->left), max_of(node->right));

	node->max = max(node->len, below);
}

/* Cut @node into what begins below @addr and the rest. */
static void split(struct va_extent *node, unsigned long addr, struct va_extent **low, struct va_extent **high)
{
	if (!node) {
		*low = *high = NULL;
	} else if (node->start < addr) {
		split(node->right, addr, &node->right, high);
		*low = node;
		update(node);
	} else {
		split(node->left, addr, low, &node->left);
		*high = node;
		update(node);
	}
}

/* All of @low begins below all of @high. */
static struct va_extent *join(struct va_extent *low, struct va_extent *high)
{
	if (!low || !high)
		return low ? low : high;
	if (priority(low) > priority(high)) {
		low->right = join(low->right, high);
		update(low);
		return low;
	}
	high->left = join(low, high->left);
	update(high);
	return high;
}

static struct va_extent *insert_below(struct va_extent *node, struct va_extent *extent)
{
	if (!node || priority(extent) > priority(node)) {
		split(node, extent->start, &extent->left, &extent->right);
		update(extent);
		return extent;
	}
	if (extent->start < node->start)
		node->left = insert_below(node->left, extent);
	else
		node->right = insert_below(node->right, extent);
	update(node);
	return node;
}

static struct va_extent *remove_below(struct va_extent *node, struct va_extent *extent)
{
	if (node == extent)
		return join(node->left, node->right);
	if (extent->start < node->start)
		node->left = remove_below(node->left, extent);
	else
		node->right = remove_below(node->right, extent);
	update(node);
	return node;
}

void va_insert(struct va_tree *tree, struct va_extent *extent)
{
	tree->root = insert_below(tree->root, extent);
}

void va_remove(struct va_tree *tree, struct va_extent *extent)
{
	tree->root = remove_below(tree->root, extent);
}

struct va_extent *va_first_fit(const struct va_tree *tree, unsigned long len)
{
	struct va_extent *node = tree->root;

	if (max_of(node) < len)
		return NULL;
	for (;;) {
		if (max_of(node->left) >= len)
			node = node->left;
		else if (node->len >= len)
			return node;
		else
			node = node->right;
	}
}

struct va_extent *va_at_or_below(const struct va_tree *tree, unsigned long addr)
{
	struct va_extent *best = NULL;

	for (struct va_extent *node = tree->root; node;) {
		if (node->start > addr) {
			node = node->left;
			continue;
		}
		best = node;
		node = node->right;
	}
	return best;
}

struct va_extent *va_at_or_above(const struct va_tree *tree, unsigned long addr)
{
	struct va_extent *best = NULL;

	for (struct va_extent *node = tree->root; node;) {
		if (node->start < addr) {
			node = node->right;
			continue;
		}
		best = node;
		node = node->left;
	}
	return best;
}
