/* SPDX-License-Identifier: BSD-2-Clause */
/* What the discover*.c files share: reading `reg`, entering banks, reporting. */
#ifndef MM_DISCOVER_PRIVATE_H
#define MM_DISCOVER_PRIVATE_H

#include <mm/discover.h>
#include <mm/memblock.h>

#define DT_PATH_MAX 128

/**
 * struct reg_reader - walks the (address, size) pairs of a property
 * @pos, @end: bytes not read yet
 * @ac, @sc: cells of an address and of a size, 1 to 3
 */
struct reg_reader {
	const char *pos, *end;
	int ac, sc;
};

/** discover_limits() - apply linux,usable-memory-range of /chosen, mem= and memmap= of the boot arguments */
void discover_limits(const struct boot_info *boot);

/**
 * usable_conflict() - whether a place is outside linux,usable-memory-range
 *
 * Return: @end when it is inside, or there is no such property; else the highest end of a usable range below @end.
 */
phys_addr_t usable_conflict(const void *fdt, phys_addr_t base, phys_addr_t end);

/**
 * memmap_each() - each valid memmap=SIZE@ADDRESS ('@') or memmap=SIZE$ADDRESS ('$') of @args; @kind is that character
 */
void memmap_each(const char *args, char kind, void (*fn)(phys_addr_t base, phys_addr_t size, void *arg), void *arg);

/**
 * reg_open() - begin to read @node's property @name, in the cells of its parent
 *
 * Return: 0; -ENOENT without the property; -EINVAL (after a line) for cells that are out of range or a length that is
 * no multiple of a pair.
 */
int reg_open(const void *fdt, int parent, int node, const char *name, struct reg_reader *reg);

/** reg_open_quiet() - reg_open() without the line */
int reg_open_quiet(const void *fdt, int parent, int node, const char *name, struct reg_reader *reg);

/**
 * read_cells() - a number of 1 to 3 cells; what does not fit 64 bits becomes the highest address, which no memory
 * reaches
 */
u64 read_cells(const char *prop, int cells);

/** reg_next() - the next pair. Return: whether there was one. */
bool reg_next(struct reg_reader *reg, phys_addr_t *base, phys_addr_t *size);

/**
 * cap_range() - cut *@size so that base + size does not pass the end of the address space, and say so
 * @who: for the line
 */
void cap_range(const char *who, phys_addr_t base, phys_addr_t *size);

/** dt_path() - the path of @node, in @buf of DT_PATH_MAX bytes */
const char *dt_path(const void *fdt, int node, char *buf);

/**
 * initrd_range() - where /chosen says that the initrd lies
 *
 * Return: 0; -ENOENT when it names none; -EINVAL when a property has neither one nor two cells.
 */
int initrd_range(const void *fdt, phys_addr_t *base, phys_addr_t *size);

/* What is called with each of several ranges; the claim is the caller's. */
typedef void (*range_fn)(const struct mem_claim *claim, void *arg);

/** is_memory_node() - whether a child of the root describes memory, enabled or not */
bool is_memory_node(const void *fdt, int node);

/**
 * add_bank() - enter a range of RAM into memblock and the claims; what of it is out of reach is left out, and said
 * @path: whose it is, for lines
 * @bank: the claim that is recorded: range, tree node or name, node
 */
void add_bank(const struct boot_info *boot, const char *path, const struct mem_claim *bank, enum memblock_flags flags);

/** bytes_of_memory() - how many bytes of a range are memory */
phys_addr_t bytes_of_memory(phys_addr_t base, phys_addr_t size);

/**
 * discover_efi() - enter the RAM of UEFI's memory map, when the port handed one over (<mm/efi_map.h>)
 *
 * Return: 0; -ENOENT when there is none, and /memory nodes count; -EINVAL (after a line) when it
 * cannot be read or has no RAM.
 */
int discover_efi(const struct boot_info *boot);

/** each_efi_reservation() - what UEFI's map keeps from us */
void each_efi_reservation(const struct boot_info *boot, range_fn fn, void *arg);

/** is_efi_claim() - whether a claim is a descriptor of UEFI's map */
bool is_efi_claim(const struct mem_claim *claim);

/**
 * claim_said_twice() - whether @other, of UEFI's map, only repeats @claim: firmware that reads the tree keeps in its
 * own map what the tree keeps, and that is no conflict
 */
bool claim_said_twice(const struct mem_claim *claim, const struct mem_claim *other);

/** discover_reserved() - enter image, tree, /memreserve/, /reserved-memory and initrd; memory is known already */
void discover_reserved(const struct boot_info *boot);

/** reserved_claims_watch() - have allocations keep clear of what discover_reserved() will find, until it is done */
void reserved_claims_watch(const struct boot_info *boot);

#endif
