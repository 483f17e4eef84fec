// SPDX-License-Identifier: BSD-2-Clause
/* Device trees made by tests. */
#include "tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREE_MAX (1 << 20)

static char tree[TREE_MAX];
static int address_cells, size_cells;

static void must(int err)
{
	if (!err)
		return;
	printf("test tree: %s\n", fdt_strerror(err));
	abort();
}

void tree_start(void)
{
	must(fdt_create(tree, TREE_MAX));
	address_cells = 2;
	size_cells = 2;
}

void tree_memreserve(u64 base, u64 size)
{
	must(fdt_add_reservemap_entry(tree, base, size));
}

void tree_root(int ac, int sc)
{
	must(fdt_finish_reservemap(tree));
	must(fdt_begin_node(tree, ""));
	tree_u32("#address-cells", (u32)ac);
	tree_u32("#size-cells", (u32)sc);
	tree_cells_are(ac, sc);
}

void tree_cells_are(int ac, int sc)
{
	address_cells = ac;
	size_cells = sc;
}

void tree_open(const char *name)
{
	must(fdt_begin_node(tree, name));
}

void tree_close(void)
{
	must(fdt_end_node(tree));
}

void tree_flag(const char *name)
{
	must(fdt_property(tree, name, NULL, 0));
}

void tree_string(const char *name, const char *value)
{
	must(fdt_property_string(tree, name, value));
}

void tree_u32(const char *name, u32 value)
{
	must(fdt_property_u32(tree, name, value));
}

void tree_cells(const char *name, const u32 *cells, int nr)
{
	fdt32_t *out;

	must(fdt_property_placeholder(tree, name, nr * (int)sizeof(*out), (void **)&out));
	for (int i = 0; i < nr; i++)
		out[i] = cpu_to_fdt32(cells[i]);
}

void tree_bytes(const char *name, const void *bytes, size_t nr)
{
	must(fdt_property(tree, name, bytes, (int)nr));
}

/* The low @cells cells of @value. Return: behind them. */
static u32 *put_cells(u32 *out, u64 value, int cells)
{
	for (int i = cells - 1; i >= 0; i--)
		*out++ = i > 1 ? 0 : (u32)(value >> 32 * i);
	return out;
}

void tree_size(const char *name, u64 value)
{
	u32 cells[4];

	put_cells(cells, value, size_cells);
	tree_cells(name, cells, size_cells);
}

void tree_reg(const char *name, const struct tree_range *ranges, int nr)
{
	u32 *cells = malloc((size_t)nr * 8 * sizeof(*cells)), *end = cells;

	for (int i = 0; i < nr; i++) {
		end = put_cells(end, ranges[i].base, address_cells);
		end = put_cells(end, ranges[i].size, size_cells);
	}
	tree_cells(name, cells, (int)(end - cells));
	free(cells);
}

void tree_memory(u64 base, u64 size, int nid)
{
	char name[32];

	snprintf(name, sizeof(name), "memory@%llx", base);
	tree_open(name);
	tree_string("device_type", "memory");
	tree_reg("reg", &(struct tree_range){ base, size }, 1);
	if (nid >= 0)
		tree_u32("numa-node-id", (u32)nid);
	tree_close();
}

void *tree_finish(void)
{
	void *copy;

	tree_close();
	must(fdt_finish(tree));
	copy = malloc(fdt_totalsize(tree));
	return memcpy(copy, tree, fdt_totalsize(tree));
}
