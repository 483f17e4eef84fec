// SPDX-License-Identifier: BSD-2-Clause
/*
 * The EFI stub: from a UEFI application to a machine without firmware, as any other loader leaves it.
 *
 * 1. Firmware enters efi_main() with MMU and caches on, memory mapped where it lies, floating point on. The image lies
 *    on any page, and nobody has relocated it: that is done first, for this place, because libfdt reads addresses that
 *    are stored in the image; early_init() does it again. bss is clear, for the PE header counts it in.
 * 2. In order: the tree is found; the command line is taken from the load options; one block of pages is allocated for
 *    a copy of the tree and for the memory map; the map is read, put into the tree, and boot services are ended with
 *    the map's key. Any event in between may change the map: then the key is stale, ExitBootServices() says so, and the
 *    map is read again (UEFI Specification, 7.4.6: only memory services may be called by then).
 * 3. Until ExitBootServices() succeeds nothing is changed that firmware would miss: what was allocated is freed, and it
 *    gets an error status. What cannot go on is said on its console: in vain perhaps when that is the map's key,
 *    for firmware may have shut down in part by then (7.4.6 again).
 * 4. The block is loader data, so free RAM to memstage but for the tree, which it reserves as it does any tree.
 * 5. From primary_entry on nobody knows of UEFI but discovery (mm/discover_efi.c), which finds the map in the tree.
 *
 * Source: UEFI Specification 2.10, 2.3.6, 4.6, 7.2.3, 7.4.6, 9.1.
 */
#include "efi.h"

#include <libfdt.h>

#include <asm/cache.h>
#include <asm/layout.h>
#include <asm/sections.h>

/* Descriptors that the map may grow by between its first reading, or an allocation, and the last. */
#define MAP_SLACK 64

/* How often the key may be stale. */
#define EXIT_TRIES 16

/* Characters of a message put out at once. */
#define SAY_MAX 64

/* The way in of all other loaders, head.S. x0 is the physical address of the tree. */
_Noreturn void primary_entry(u64 fdt_pa);

efi_status_t efi_main(void *handle, struct efi_system_table *system);

static const efi_guid_t loaded_image_guid = {
	0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};

/**
 * struct efi_block - the pages of the tree's copy and, behind it, of the map
 * @base, @pages: where, and how many
 * @tree_room, @map_room: bytes of each
 */
struct efi_block {
	u64 base, pages;
	u64 tree_room, map_room;
};

/* ASCII on firmware's console. */
static void say(struct efi_system_table *system, const char *text)
{
	u16 part[SAY_MAX + 1];

	while (*text && system->console_out) {
		u32 n = 0;

		while (n < SAY_MAX && *text)
			part[n++] = (u8)*text++;
		part[n] = 0;
		system->console_out->output_string(system->console_out, part);
	}
}

static void say_hex(struct efi_system_table *system, u64 value)
{
	char text[sizeof("0x0123456789abcdef")] = "0x";

	for (int i = 0; i < 16; i++)
		text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	say(system, text);
}

/* A line that ends the attempt. Return: @status, for firmware. */
static efi_status_t refuse(struct efi_system_table *system, const char *why, efi_status_t status)
{
	say(system, "memstage: not started: ");
	say(system, why);
	say(system, " (status ");
	say_hex(system, status);
	say(system, ")\r\n");
	return status;
}

/* What is wrong with the tree or the place of the image, NULL when nothing is. */
static const char *start_fault(const void *fdt)
{
	if (!fdt)
		return "firmware gives no device tree in its configuration table, only ACPI perhaps";
	if (fdt_check_header(fdt))
		return "firmware's device tree has a header that is not valid";
	return (uintptr_t)_text % PAGE_SIZE ? "the image does not lie on a page" : NULL;
}

/* Empty when there are no load options, or none that are text: that is said. */
static struct efi_command_line command_line(void *handle, struct efi_system_table *system)
{
	struct efi_command_line line = { NULL, 0 };
	void *interface = NULL;
	const struct efi_loaded_image *image;

	if (system->boot_services->handle_protocol(handle, &loaded_image_guid, &interface) || !interface)
		return line;
	image = interface;
	if (!image->load_options)
		return line;
	line = (struct efi_command_line){ image->load_options, image->load_options_size };
	if (efi_line_is_text(&line))
		return line;
	say(system, "memstage: the load options are not printable ASCII: ignored\r\n");
	return (struct efi_command_line){ NULL, 0 };
}

static efi_status_t allocate(struct efi_boot_services *services, const void *fdt, const struct efi_command_line *line,
			     struct efi_block *block)
{
	u64 bytes = 0, key, desc_size = 0;
	efi_status_t status;
	u32 version;

	status = services->get_memory_map(&bytes, NULL, &key, &desc_size, &version);
	if (status != EFI_BUFFER_TOO_SMALL)
		return status ? status : EFI_LOAD_ERROR;
	block->map_room = bytes + MAP_SLACK * desc_size;
	block->tree_room = ALIGN(efi_tree_room(fdt, line, block->map_room), sizeof(u64));
	block->pages = DIV_ROUND_UP(block->tree_room + block->map_room, 1ULL << EFI_PAGE_SHIFT);
	return services->allocate_pages(EFI_ALLOCATE_ANY_PAGES, EFI_LOADER_DATA, block->pages, &block->base);
}

/* End boot services, with the map of that moment in the tree. */
static efi_status_t leave_firmware(struct efi_boot_services *services, void *handle, const struct efi_block *block)
{
	void *fdt = (void *)(uintptr_t)block->base, *map = (void *)(uintptr_t)(block->base + block->tree_room);
	efi_status_t status = EFI_LOAD_ERROR;

	for (int i = 0; i < EXIT_TRIES; i++) {
		u64 bytes = block->map_room, key, desc_size;
		u32 version;

		status = services->get_memory_map(&bytes, map, &key, &desc_size, &version);
		if (status)
			break;
		if (efi_put_map(fdt, map, bytes, desc_size))
			return EFI_LOAD_ERROR;
		status = services->exit_boot_services(handle, key);
		if (status != EFI_INVALID_PARAMETER)
			break;
	}
	return status;
}

/**
 * efi_main() - firmware's way in
 * @handle: the image's
 *
 * Return: to firmware, an error status, when memstage cannot be started; else never.
 */
efi_status_t efi_main(void *handle, struct efi_system_table *system)
{
	struct efi_boot_services *services = system->boot_services;
	struct efi_command_line line;
	struct efi_block block;
	const void *firmware_fdt;
	efi_status_t status;
	const char *fault;
	void *fdt;

	relocate_image((uintptr_t)_text - KIMAGE_VADDR);
	firmware_fdt = efi_find_tree(system);
	fault = start_fault(firmware_fdt);
	if (fault)
		return refuse(system, fault, EFI_UNSUPPORTED);
	line = command_line(handle, system);
	status = allocate(services, firmware_fdt, &line, &block);
	if (status)
		return refuse(system, "no memory for a copy of the device tree", status);
	fdt = (void *)(uintptr_t)block.base;
	status = EFI_LOAD_ERROR;
	if (efi_copy_tree(firmware_fdt, &line, fdt, block.tree_room)) {
		fault = "firmware's device tree cannot be copied and added to";
	} else {
		fault = "boot services could not be ended";
		status = leave_firmware(services, handle, &block);
	}
	if (status) {
		services->free_pages(block.base, block.pages);
		return refuse(system, fault, status);
	}
	fdt_pack(fdt);
	dcache_clean_poc((uintptr_t)fdt, (uintptr_t)fdt + fdt_totalsize(fdt));
	primary_entry(block.base);
}
