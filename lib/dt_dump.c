// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device tree byte for byte (contract: <lib/dt_show.h>).
 *
 * 1. Base64 turns three bytes into four characters of six bits each; the last group is filled up with '='. A line has
 *    LINE_BYTES bytes, 76 characters, as MIME has them, so `base64 -d` reads what lies between the two marks.
 * 2. The blocks of a tree lie behind its header, in any order: what is used ends with the last of them. The reservation
 *    block tells no size; it ends with an entry of two zeroes, which libfdt counted when it checked the tree.
 */
#include <lib/dt_show.h>

#include <lib/printk.h>
#include <libfdt.h>

/* The first version that tells the structure block's size; of an older one nothing is known to be room. */
#define SIZED_VERSION 17

#define LINE_BYTES    57
#define LINE_CHARS    (LINE_BYTES / 3 * 4)
#define CRC_POLYNOM   0xedb88320U /* bits reversed: the lowest comes first */
#define BITS_PER_CHAR 6

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

_Static_assert(LINE_BYTES % 3 == 0, "only the last line is filled up");

u32 dt_used_size(const void *fdt)
{
	u32 rsv = fdt_off_mem_rsvmap(fdt) + (u32)(fdt_num_mem_rsv(fdt) + 1) * (u32)sizeof(struct fdt_reserve_entry);
	u32 strings = fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt);
	u32 structs = fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt);

	if (fdt_version(fdt) < SIZED_VERSION)
		return fdt_totalsize(fdt);
	rsv = max(rsv, strings);
	return max(rsv, structs);
}

u32 dt_crc32(const void *data, size_t len)
{
	const u8 *byte = data;
	u32 crc = ~0U;

	while (len--) {
		crc ^= *byte++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? CRC_POLYNOM : 0);
	}
	return ~crc;
}

/* Up to three bytes as four characters. */
static void encode_group(const u8 *bytes, size_t len, char *out)
{
	u32 bits = 0;

	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < len ? bytes[i] : 0);
	for (size_t i = 0; i < 4; i++)
		out[i] = i <= len ? alphabet[bits >> (3 - i) * BITS_PER_CHAR & 0x3f] : '=';
}

static void dump_line(const u8 *bytes, size_t len)
{
	char line[LINE_CHARS + 1];
	size_t chars = 0;

	for (size_t at = 0; at < len; at += 3, chars += 4)
		encode_group(bytes + at, min(len - at, (size_t)3), line + chars);
	line[chars++] = '\n';
	con_write(line, chars);
}

void dt_dump(const void *fdt)
{
	const u8 *bytes = fdt;
	size_t len = dt_used_size(fdt);

	con_printf("-----BEGIN DEVICE TREE-----\n");
	for (size_t at = 0; at < len; at += LINE_BYTES)
		dump_line(bytes + at, min(len - at, (size_t)LINE_BYTES));
	con_printf("-----END DEVICE TREE-----\n");
}
