/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UEFI's memory map, as the port's EFI stub hands it to discovery: in the device tree, for which it makes room anyway.
 *
 * /chosen/memstage,uefi-mmap is the array of descriptors as GetMemoryMap() left it, in the CPU's byte order, and
 * /chosen/memstage,uefi-mmap-desc-size (one cell) the bytes from one to the next, which may be more than
 * sizeof(struct efi_memory_desc). A property, and no pointer to a map elsewhere: it is bounded, reserved and mapped
 * with the tree, and a test writes one like any other.
 *
 * Source: UEFI Specification 2.10, 7.2.3 (GetMemoryMap), table 7.10 (memory types after ExitBootServices).
 */
#ifndef MM_EFI_MAP_H
#define MM_EFI_MAP_H

#include <lib/types.h>

#define EFI_MMAP_PROP	   "memstage,uefi-mmap"
#define EFI_MMAP_STEP_PROP "memstage,uefi-mmap-desc-size"

/* Pages of the map have this size, whatever ours have. */
#define EFI_PAGE_SHIFT 12

enum efi_memory_type {
	EFI_RESERVED_MEMORY,
	EFI_LOADER_CODE,
	EFI_LOADER_DATA,
	EFI_BOOT_SERVICES_CODE,
	EFI_BOOT_SERVICES_DATA,
	EFI_RUNTIME_SERVICES_CODE,
	EFI_RUNTIME_SERVICES_DATA,
	EFI_CONVENTIONAL_MEMORY,
	EFI_UNUSABLE_MEMORY,
	EFI_ACPI_RECLAIM_MEMORY,
	EFI_ACPI_MEMORY_NVS,
	EFI_MEMORY_MAPPED_IO,
	EFI_MEMORY_MAPPED_IO_PORT,
	EFI_PAL_CODE,
	EFI_PERSISTENT_MEMORY,
	EFI_UNACCEPTED_MEMORY,
	NR_EFI_MEMORY_TYPES,
};

/* Attributes: can be mapped write-back, as all RAM of ours is; set aside for a special purpose. */
#define EFI_MEMORY_WB (1ULL << 3)
#define EFI_MEMORY_SP (1ULL << 18)

/**
 * struct efi_memory_desc - a descriptor of version 1
 * @type: enum efi_memory_type, or a number of firmware's own
 * @physical_start: first byte, a multiple of the page size
 * @virtual_start: not used
 * @nr_pages: of 4 KiB
 * @attribute: EFI_MEMORY_...
 */
struct efi_memory_desc {
	u32 type;
	u32 pad;
	u64 physical_start;
	u64 virtual_start;
	u64 nr_pages;
	u64 attribute;
};

_Static_assert(sizeof(struct efi_memory_desc) == 40, "as in the specification");

#endif
