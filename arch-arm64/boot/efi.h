/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few UEFI structures that the EFI stub uses, and what its files share.
 *
 * Firmware's functions follow the procedure call standard of the architecture, so they are plain C functions. A pointer
 * that is not used is an array of void *, so that what follows has its place; the places are asserted.
 *
 * Source: UEFI Specification 2.10, 2.3.6 (AArch64), 4.3, 4.4, 4.6 (tables), 7.2 (memory), 9.1 (loaded image), 12.4
 * (text output), appendix D (status codes).
 */
#ifndef BOOT_EFI_H
#define BOOT_EFI_H

#include <lib/types.h>

#include <mm/efi_map.h>

typedef u64 efi_status_t;

#define EFI_ERROR(n)	      (1ULL << 63 | (n))
#define EFI_LOAD_ERROR	      EFI_ERROR(1)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_UNSUPPORTED	      EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL  EFI_ERROR(5)

#define EFI_ALLOCATE_ANY_PAGES 0

typedef struct {
	u32 a;
	u16 b, c;
	u8 d[8];
} efi_guid_t;

struct efi_table_header {
	u64 signature;
	u32 revision, header_size, crc32, reserved;
};

struct efi_text_output {
	void *reset;
	efi_status_t (*output_string)(struct efi_text_output *self, const u16 *text);
};

struct efi_loaded_image {
	u32 revision;
	void *before_options[5];
	u32 load_options_size; /* bytes */
	const void *load_options;
};

struct efi_boot_services {
	struct efi_table_header header;
	void *task_priority[2];
	efi_status_t (*allocate_pages)(u32 how, u32 type, u64 pages, u64 *address);
	efi_status_t (*free_pages)(u64 address, u64 pages);
	efi_status_t (*get_memory_map)(u64 *bytes, void *map, u64 *key, u64 *desc_size, u32 *desc_version);
	void *pools_events_protocols[11];
	efi_status_t (*handle_protocol)(void *handle, const efi_guid_t *protocol, void **interface);
	void *protocols_images[9];
	efi_status_t (*exit_boot_services)(void *image, u64 map_key);
};

struct efi_configuration_table {
	efi_guid_t vendor_guid;
	const void *table;
};

struct efi_system_table {
	struct efi_table_header header;
	const u16 *vendor;
	u32 revision;
	void *console_in[3];
	struct efi_text_output *console_out;
	void *standard_error[2];
	void *runtime_services;
	struct efi_boot_services *boot_services;
	u64 nr_tables;
	const struct efi_configuration_table *tables;
};

_Static_assert(offsetof(struct efi_loaded_image, load_options) == 0x38, "loaded image protocol");
_Static_assert(offsetof(struct efi_boot_services, allocate_pages) == 0x28, "boot services: memory");
_Static_assert(offsetof(struct efi_boot_services, handle_protocol) == 0x98, "boot services: protocols");
_Static_assert(offsetof(struct efi_boot_services, exit_boot_services) == 0xe8, "boot services: images");
_Static_assert(offsetof(struct efi_system_table, console_out) == 0x40, "system table: console");
_Static_assert(offsetof(struct efi_system_table, tables) == 0x70, "system table: tables");

/* --- efi_tree.c: the tree that memstage gets --- */

/** struct efi_command_line - the load options: @bytes of UTF-16 without an end mark of their own */
struct efi_command_line {
	const u8 *text;
	u32 bytes;
};

/**
 * efi_find_tree() - the device tree in the configuration table
 *
 * Return: NULL when there is none.
 */
const void *efi_find_tree(const struct efi_system_table *system);

/** efi_tree_room() - bytes that a copy of @fdt needs, with @line and a memory map of at most @map_bytes put in */
u64 efi_tree_room(const void *fdt, const struct efi_command_line *line, u64 map_bytes);

/**
 * efi_line_is_text() - whether load options are a command line: printable ASCII, as far as their first NUL
 *
 * Other options are somebody's data: a boot manager may pass what it keeps for itself.
 */
bool efi_line_is_text(const struct efi_command_line *line);

/**
 * efi_copy_tree() - @fdt into @copy of @room bytes, with @line in front of /chosen/bootargs
 *
 * In front, because of an argument given twice the first one counts: who started the image has the last word. Options
 * that are the bootargs already are not put there again. Return: 0, or libfdt's error.
 */
int efi_copy_tree(const void *fdt, const struct efi_command_line *line, void *copy, u64 room);

/**
 * efi_put_map() - the memory map into /chosen of @copy, in the place of an earlier one
 *
 * Return: 0, or libfdt's error.
 */
int efi_put_map(void *copy, const void *map, u64 bytes, u64 desc_size);

#endif
