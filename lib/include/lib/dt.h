/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What drivers ask of a device tree, over libfdt: numbers, registers as the CPU sees them, the console.
 *
 * Nodes are libfdt's structure offsets; errors are libfdt's (negative, fdt_strerror() names them). Nothing is trusted:
 * lengths, cell counts and sums are checked, and a tree that is wrong gives an error, never an access outside it.
 * Context: any; reads the tree only. Cost: O(tree) for what needs a node's parent.
 * Source: Devicetree Specification 0.4, sections 2.3 (standard properties), 3.6 (/chosen).
 */
#ifndef LIB_DT_H
#define LIB_DT_H

#include <lib/types.h>

/**
 * dt_u32() - a property that is one cell
 * @value: set when the property is there; else untouched
 *
 * Return: 0; -FDT_ERR_NOTFOUND without it; -FDT_ERR_BADVALUE when it is not four bytes long.
 */
int dt_u32(const void *fdt, int node, const char *name, u32 *value);

/**
 * dt_cells() - a number of @cells cells, big-endian
 * @prop: where it is in the tree
 * @cells: 0 (reads as 0), 1 or 2
 */
u64 dt_cells(const void *prop, int cells);

/**
 * dt_reg() - a node's register range as the CPU addresses it
 * @index: which pair of `reg`
 * @addr: physical address, translated through the `ranges` of all ancestors
 * @size: bytes; 0 when the bus has no sizes
 *
 * Return: 0; -FDT_ERR_NOTFOUND when there is no such pair, or an ancestor's bus is not visible to the CPU or does not
 * map the whole range; -FDT_ERR_BADNCELLS for addresses or sizes of more than two cells; -FDT_ERR_BADVALUE for
 * properties of a wrong length and ranges that wrap around.
 */
int dt_reg(const void *fdt, int node, unsigned int index, u64 *addr, u64 *size);

/**
 * dt_reg_why() - dt_reg(), with what is wrong in words
 * @why: set when the return is not 0; names the node, or the bus above it that does not translate the address
 * @len: its bytes
 */
int dt_reg_why(const void *fdt, int node, unsigned int index, u64 *addr, u64 *size, char *why, size_t len);

/** dt_enabled() - whether a node's status lets it be used: absent, "okay" or "ok" */
bool dt_enabled(const void *fdt, int node);

/** dt_compatible() - which of @compatible (ended by NULL) the node is. Return: the string, NULL when none. */
const char *dt_compatible(const void *fdt, int node, const char *const *compatible);

/**
 * dt_chosen() - the node /chosen; dt_reserved_memory() - the node /reserved-memory
 *
 * What libfdt finds is remembered, for they are asked for time and again, and a search goes through all nodes of the
 * root. It is believed while the tree lies at the same place, with the same sizes, and has a node of that name there;
 * that there is none, without a look. So a tree that is edited in place has to change one of its sizes. Context: boot
 * CPU. Return: its offset, or a negative error of libfdt's.
 */
int dt_chosen(const void *fdt);
int dt_reserved_memory(const void *fdt);

/**
 * dt_stdout() - the node that /chosen/stdout-path (or linux,stdout-path of old trees) names
 *
 * The value is a path or an alias, ended by ':' where options follow ("serial0:115200n8"). Return: the node, or
 * -FDT_ERR_NOTFOUND when nothing is chosen, or what libfdt makes of the path.
 */
int dt_stdout(const void *fdt);

#endif
