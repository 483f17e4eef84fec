/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flattened device tree on the consoles: for people, and byte for byte for tools.
 *
 * Each takes a tree that fdt_check_full() has found right, and only reads it. Context: thread; takes the log lock.
 * Cost: the console's, about 1.4 bytes for each byte of the tree; dt_list() asks libfdt for O(nodes) more.
 */
#ifndef LIB_DT_SHOW_H
#define LIB_DT_SHOW_H

#include <lib/types.h>

/**
 * dt_used_size() - bytes of the tree up to the end of its last block
 *
 * What follows, up to its totalsize, is room to grow.
 */
u32 dt_used_size(const void *fdt);

/** dt_crc32() - CRC-32 (IEEE 802.3, as in zlib and gzip) of @len bytes */
u32 dt_crc32(const void *data, size_t len);

/**
 * dt_dump() - the used part in base64 (RFC 4648), between a BEGIN and an END line
 *
 * The header is as it is in memory: its totalsize counts the room to grow, which is not dumped.
 */
void dt_dump(const void *fdt);

/**
 * dt_list() - the tree below a node in the source format (Devicetree Specification 0.4, chapter 6)
 * @path: the node; "/" for all, with the version tag and the reservations, so that dtc makes the same tree of it
 *
 * Strings are shown as such when all bytes are printable; other values of whole cells as cells, the rest as bytes.
 * Return: 0; -FDT_ERR_NOTFOUND or another error of libfdt's when there is no such node.
 */
int dt_list(const void *fdt, const char *path);

#endif
