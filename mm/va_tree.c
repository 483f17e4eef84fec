// SPDX-License-Identifier: BSD-2-Clause
/* The treap of <mm/va_tree.h>. */
#include <mm/va_tree.h>

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

/* Where @node hangs. */
static struct va_extent **link_of(struct va_tree *tree, const struct va_extent *node)
{
	if (!node->parent)
		return &tree->root;
	return node->parent->left == node ? &node->parent->left : &node->parent->right;
}

static void set_parent(struct va_extent *node, struct va_extent *parent)
{
	if (node)
		node->parent = parent;
}

/* @node changes places with its parent; the order of addresses stays. */
static void rotate_up(struct va_tree *tree, struct va_extent *node)
{
	struct va_extent *parent = node->parent;

	*link_of(tree, parent) = node;
	node->parent = parent->parent;
	parent->parent = node;
	if (parent->left == node) {
		parent->left = node->right;
		set_parent(parent->left, parent);
		node->right = parent;
	} else {
		parent->right = node->left;
		set_parent(parent->right, parent);
		node->left = parent;
	}
	update(parent);
	update(node);
}

static void update_upwards(struct va_extent *node)
{
	for (; node; node = node->parent)
		update(node);
}

void va_insert(struct va_tree *tree, struct va_extent *extent)
{
	struct va_extent **link = &tree->root, *parent = NULL;

	while (*link) {
		parent = *link;
		link = extent->start < parent->start ? &parent->left : &parent->right;
	}
	extent->parent = parent;
	extent->left = extent->right = NULL;
	*link = extent;
	update_upwards(extent);
	while (extent->parent && priority(extent) > priority(extent->parent))
		rotate_up(tree, extent);
}

void va_remove(struct va_tree *tree, struct va_extent *extent)
{
	struct va_extent *parent;

	while (extent->left && extent->right)
		rotate_up(tree, priority(extent->left) > priority(extent->right) ? extent->left : extent->right);
	parent = extent->parent;
	*link_of(tree, extent) = extent->left ? extent->left : extent->right;
	set_parent(extent->left ? extent->left : extent->right, parent);
	update_upwards(parent);
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

/*
 * What has an end above @start on the left and does not overlap begins at @end or above; so does all on the right then.
 */
struct va_extent *va_overlap(const struct va_tree *tree, unsigned long start, unsigned long end)
{
	struct va_extent *node = tree->root;

	while (node && (node->start >= end || node->end <= start))
		node = max_of(node->left) > start ? node->left : node->right;
	return node;
}

static struct va_extent *leftmost(struct va_extent *node)
{
	while (node && node->left)
		node = node->left;
	return node;
}

struct va_extent *va_next(const struct va_tree *tree, const struct va_extent *extent)
{
	if (!extent)
		return leftmost(tree->root);
	if (extent->right)
		return leftmost(extent->right);
	while (extent->parent && extent->parent->right == extent)
		extent = extent->parent;
	return extent->parent;
}
