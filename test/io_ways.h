/* SPDX-License-Identifier: BSD-2-Clause */
/* Each way to map physical addresses, and the type that it maps with: for the tests on the host and in the image. */
#ifndef TEST_IO_WAYS_H
#define TEST_IO_WAYS_H

#include <mm/io.h>
#include <mm/memtype.h>

static void *io_map_np(phys_addr_t phys, size_t size)
{
	return ioremap_np(phys, size);
}

static void *io_map_device(phys_addr_t phys, size_t size)
{
	return ioremap(phys, size);
}

static void *io_map_wc(phys_addr_t phys, size_t size)
{
	return ioremap_wc(phys, size);
}

static void *io_remap_wc(phys_addr_t phys, size_t size)
{
	return memremap(phys, size, MEMREMAP_WC);
}

static void *io_remap_wt(phys_addr_t phys, size_t size)
{
	return memremap(phys, size, MEMREMAP_WT);
}

static void *io_remap_wb(phys_addr_t phys, size_t size)
{
	return memremap(phys, size, MEMREMAP_WB);
}

static void io_unmap_device(void *addr)
{
	iounmap(addr);
}

static void io_unmap_memory(void *addr)
{
	memunmap(addr);
}

/**
 * struct io_way - a way to map
 * @name: of the function
 * @map: NULL when it is refused
 * @unmap: its end
 * @type: what it maps with
 */
struct io_way {
	const char *name;
	void *(*map)(phys_addr_t phys, size_t size);
	void (*unmap)(void *addr);
	enum memtype type;
};

/* The last one gives the linear address of RAM. */
static const struct io_way io_ways[] = {
	{ "ioremap_np", io_map_np, io_unmap_device, MEMTYPE_DEVICE_NP },
	{ "ioremap", io_map_device, io_unmap_device, MEMTYPE_DEVICE },
	{ "ioremap_wc", io_map_wc, io_unmap_device, MEMTYPE_WC },
	{ "memremap", io_remap_wc, io_unmap_memory, MEMTYPE_WC },
	{ "memremap", io_remap_wt, io_unmap_memory, MEMTYPE_WT },
	{ "memremap", io_remap_wb, io_unmap_memory, MEMTYPE_WB },
};

#endif
