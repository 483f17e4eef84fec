// SPDX-License-Identifier: BSD-2-Clause
/*
 * The EFI stub's device tree: firmware's, with the load options and the memory map put in.
 *
 * 1. Firmware's tree is not written to: firmware may start another system when this one returns. All goes into a copy,
 *    with room for what is added.
 * 2. Load options are UTF-16, of any alignment, perhaps without a NUL at the end. They become ASCII.
 */
#include "efi.h"

#include <string.h>

#include <libfdt.h>

/* What an FDT needs for a new property or node, names and alignment included, beside its value; how many there are. */
#define ENTRY_ROOM  64
#define NEW_ENTRIES 4

static const efi_guid_t fdt_guid = { 0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 } };

const void *efi_find_tree(const struct efi_system_table *system)
{
	for (u64 i = 0; i < system->nr_tables; i++)
		if (!memcmp(&system->tables[i].vendor_guid, &fdt_guid, sizeof(fdt_guid)))
			return system->tables[i].table;
	return NULL;
}

static u16 unit_at(const struct efi_command_line *line, u32 i)
{
	return (u16)(line->text[2 * i] | line->text[2 * i + 1] << 8);
}

/* Characters before the NUL or the end. */
static u32 line_length(const struct efi_command_line *line)
{
	u32 n = 0;

	while (n < line->bytes / 2 && unit_at(line, n))
		n++;
	return n;
}

bool efi_line_is_text(const struct efi_command_line *line)
{
	for (u32 i = 0; i < line_length(line); i++)
		if (unit_at(line, i) < ' ' || unit_at(line, i) > '~')
			return false;
	return true;
}

static bool line_is(const struct efi_command_line *line, const char *text)
{
	u32 n = line_length(line);

	for (u32 i = 0; i < n; i++)
		if (unit_at(line, i) != (u8)text[i])
			return false;
	return !text[n];
}

u64 efi_tree_room(const void *fdt, const struct efi_command_line *line, u64 map_bytes)
{
	return fdt_totalsize(fdt) + line_length(line) + map_bytes + NEW_ENTRIES * ENTRY_ROOM;
}

/* Return: the node, made when it is not there, or libfdt's error. */
static int chosen_node(void *fdt)
{
	int node = fdt_path_offset(fdt, "/chosen");

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, 0, "chosen") : node;
}

/* The line and, behind a blank, what bootargs were before. */
static int put_line(void *fdt, const struct efi_command_line *line)
{
	int node = chosen_node(fdt), old_bytes = 0, err;
	u32 n = line_length(line);
	const char *old;
	char *args;
	void *place;

	if (node < 0)
		return node;
	old = fdt_getprop(fdt, node, "bootargs", &old_bytes);
	if (!old || old_bytes < 2 || old[old_bytes - 1])
		old_bytes = 0;
	if (!n || (old_bytes && line_is(line, old)))
		return 0;
	/* The property keeps the bytes that it has when it grows, so they only have to be moved. */
	err = fdt_setprop_placeholder(fdt, node, "bootargs", (int)n + 1 + old_bytes, &place);
	if (err)
		return err;
	args = place;
	memmove(args + n + 1, args, (size_t)old_bytes);
	for (u32 i = 0; i < n; i++)
		args[i] = (char)unit_at(line, i);
	args[n] = old_bytes ? ' ' : '\0';
	return 0;
}

int efi_copy_tree(const void *fdt, const struct efi_command_line *line, void *copy, u64 room)
{
	int err = fdt_open_into(fdt, copy, (int)room);

	return err ? err : put_line(copy, line);
}

int efi_put_map(void *copy, const void *map, u64 bytes, u64 desc_size)
{
	int node = chosen_node(copy), err;

	if (node < 0)
		return node;
	err = fdt_setprop_u32(copy, node, EFI_MMAP_STEP_PROP, (u32)desc_size);
	return err ? err : fdt_setprop(copy, node, EFI_MMAP_PROP, map, (int)bytes);
}
