/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device-tree helpers for drivers (contract: <lib/dt.h>).
 *
 * 1. A `reg` pair is in the address space of the node's parent bus: (#address-cells + #size-cells) cells of the parent.
 * 2. `ranges` of a bus is a list of triples (child address, parent address, length): child address and length in the
 *    bus's own cells, parent address in its parent's. Empty, the two spaces are one; absent, the CPU cannot reach it.
 *    Translation goes up bus by bus until the root, whose address space is the CPU's.
 *    The first entry that holds the whole of a device decides.
 * 3. Where a translation ends is remembered: dt_reg_why() names the bus and the address on it.
 * 4. All arithmetic is in 64 bits. A range [addr, addr + size) that wraps is refused; addr + size == 2^64 does not
 *    wrap.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <lib/dt.h>

#define CELL_BYTES sizeof(fdt32_t)
#define PATH_BYTES 128

/* The cells of addresses and sizes on a bus, checked to be ones that fit 64 bits. */
static int bus_cells(const void *fdt, int bus, int *address_cells, int *size_cells)
{
	*address_cells = fdt_address_cells(fdt, bus);
	*size_cells = fdt_size_cells(fdt, bus);
	if (*address_cells < 1 || *address_cells > 2 || *size_cells < 0 || *size_cells > 2)
		return -FDT_ERR_BADNCELLS;
	return 0;
}

static bool wraps(u64 addr, u64 size)
{
	return size && addr + (size - 1) < addr;
}

/* Whether [addr, addr + size) lies within [base, base + length); an empty range counts as one byte. */
static bool within(u64 addr, u64 size, u64 base, u64 length)
{
	u64 last = addr + (size ? size - 1 : 0);

	return length && addr >= base && last - base <= length - 1;
}

u64 dt_cells(const void *prop, int cells)
{
	const fdt32_t *cell = prop;
	u64 value = 0;

	for (int i = 0; i < cells; i++)
		value = value << 32 | fdt32_ld(cell + i);
	return value;
}

int dt_u32(const void *fdt, int node, const char *name, u32 *value)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, name, &len);

	if (!prop)
		return len;
	if (len != CELL_BYTES)
		return -FDT_ERR_BADVALUE;
	*value = (u32)dt_cells(prop, 1);
	return 0;
}

/* Take @addr from @bus's address space to that of its parent, @parent. */
static int translate_up(const void *fdt, int bus, int parent, u64 *addr, u64 size)
{
	int child_cells, size_cells, parent_cells, parent_size_cells, len, err;
	const char *ranges = fdt_getprop(fdt, bus, "ranges", &len);
	int entry;

	if (!ranges || len == 0)
		return ranges ? 0 : len;
	err = bus_cells(fdt, bus, &child_cells, &size_cells);
	if (!err)
		err = bus_cells(fdt, parent, &parent_cells, &parent_size_cells);
	if (err)
		return err;
	entry = (child_cells + parent_cells + size_cells) * (int)CELL_BYTES;
	if (len % entry)
		return -FDT_ERR_BADVALUE;
	for (; len > 0; len -= entry, ranges += entry) {
		const fdt32_t *cells = (const fdt32_t *)(const void *)ranges;
		u64 child = dt_cells(cells, child_cells);
		u64 target = dt_cells(cells + child_cells, parent_cells);
		u64 length = dt_cells(cells + child_cells + parent_cells, size_cells);

		if (!within(*addr, size, child, length))
			continue;
		*addr = target + (*addr - child);
		return wraps(*addr, size) ? -FDT_ERR_BADVALUE : 0;
	}
	return -FDT_ERR_NOTFOUND;
}

/* The pair @index of @node's reg, in the address space of @bus, its parent. */
static int read_reg(const void *fdt, int node, int bus, unsigned int index, u64 *addr, u64 *size)
{
	int address_cells, size_cells, len, err;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
	unsigned int pair;

	if (!reg)
		return len;
	err = bus_cells(fdt, bus, &address_cells, &size_cells);
	if (err)
		return err;
	pair = (unsigned int)(address_cells + size_cells);
	if ((unsigned int)len % (pair * CELL_BYTES))
		return -FDT_ERR_BADVALUE;
	if (index >= (unsigned int)len / (pair * CELL_BYTES))
		return -FDT_ERR_NOTFOUND;
	*addr = dt_cells(reg + (size_t)index * pair, address_cells);
	*size = dt_cells(reg + (size_t)index * pair + address_cells, size_cells);
	return wraps(*addr, *size) ? -FDT_ERR_BADVALUE : 0;
}

/* dt_reg(), which leaves in @at where it ended: the node itself, or the bus that does not translate *@addr. */
static int read_translated(const void *fdt, int node, unsigned int index, u64 *addr, u64 *size, int *at)
{
	int bus = fdt_parent_offset(fdt, node);
	int err = bus < 0 ? bus : read_reg(fdt, node, bus, index, addr, size);

	*at = node;
	while (!err && bus > 0) {
		int parent = fdt_parent_offset(fdt, bus);

		*at = bus;
		err = parent < 0 ? parent : translate_up(fdt, bus, parent, addr, *size);
		bus = parent;
	}
	return err;
}

int dt_reg(const void *fdt, int node, unsigned int index, u64 *addr, u64 *size)
{
	int at;

	return read_translated(fdt, node, index, addr, size, &at);
}

int dt_reg_why(const void *fdt, int node, unsigned int index, u64 *addr, u64 *size, char *why, size_t len)
{
	char path[PATH_BYTES];
	int at, err = read_translated(fdt, node, index, addr, size, &at);

	if (!err)
		return 0;
	if (fdt_get_path(fdt, at, path, sizeof(path)))
		snprintf(path, sizeof(path), "the node at offset %d", at);
	if (at == node && err == -FDT_ERR_NOTFOUND)
		snprintf(why, len, "%s has no range %u in reg", path, index);
	else if (at == node)
		snprintf(why, len, "reg of %s: %s", path, fdt_strerror(err));
	else if (!fdt_getprop(fdt, at, "ranges", NULL))
		snprintf(why, len, "%s has no ranges: the CPU does not reach what is on it", path);
	else if (err == -FDT_ERR_NOTFOUND)
		snprintf(why, len, "no entry in ranges of %s holds 0x%llx + 0x%llx", path, *addr, *size);
	else
		snprintf(why, len, "ranges of %s: %s", path, fdt_strerror(err));
	return err;
}

bool dt_enabled(const void *fdt, int node)
{
	int len;
	const char *status = fdt_getprop(fdt, node, "status", &len);

	return !status || fdt_stringlist_contains(status, len, "okay") || fdt_stringlist_contains(status, len, "ok");
}

const char *dt_compatible(const void *fdt, int node, const char *const *compatible)
{
	for (; *compatible; compatible++)
		if (fdt_node_check_compatible(fdt, node, *compatible) == 0)
			return *compatible;
	return NULL;
}

/* A child of the root that was looked for: @offset, or the error, in a tree at @fdt with these sizes. */
struct known_node {
	const char *name;
	const void *fdt;
	u32 size, struct_size;
	int offset;
};

static bool still_known(const struct known_node *known, const void *fdt)
{
	const char *name;

	if (!known->fdt || known->fdt != fdt || known->size != fdt_totalsize(fdt) ||
	    known->struct_size != fdt_size_dt_struct(fdt))
		return false;
	if (known->offset < 0)
		return true;
	name = fdt_get_name(fdt, known->offset, NULL);
	return name && !strcmp(name, known->name);
}

static int find_known(struct known_node *known, const void *fdt)
{
	if (!still_known(known, fdt)) {
		known->offset = fdt_subnode_offset(fdt, 0, known->name);
		known->fdt = fdt;
		known->size = fdt_totalsize(fdt);
		known->struct_size = fdt_size_dt_struct(fdt);
	}
	return known->offset;
}

int dt_chosen(const void *fdt)
{
	static struct known_node chosen = { .name = "chosen" };

	return find_known(&chosen, fdt);
}

int dt_reserved_memory(const void *fdt)
{
	static struct known_node reserved_memory = { .name = "reserved-memory" };

	return find_known(&reserved_memory, fdt);
}

int dt_stdout(const void *fdt)
{
	int chosen = dt_chosen(fdt), len;
	const char *path;

	if (chosen < 0)
		return chosen;
	path = fdt_getprop(fdt, chosen, "stdout-path", &len);
	if (!path)
		path = fdt_getprop(fdt, chosen, "linux,stdout-path", &len);
	if (!path || len <= 0)
		return -FDT_ERR_NOTFOUND;
	len = (int)strnlen(path, (size_t)len);
	for (int i = 0; i < len; i++)
		if (path[i] == ':')
			len = i;
	return fdt_path_offset_namelen(fdt, path, len);
}
