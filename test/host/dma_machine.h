/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with bus masters, for the tests of their memory.
 *
 * The usual machine, 256 MiB at 1 GiB:
 *
 *	1 GiB            +64 MiB     +100  +108      +128 +132    +144 +148     +160 +176            +256
 *	|---- /soc --------|            |/odd|          |restricted| |no-map|     | reusable |          |
 *	  bus 0xc0000000                bus 0
 */
#ifndef TEST_HOST_DMA_MACHINE_H
#define TEST_HOST_DMA_MACHINE_H

#include <mm/dma.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define RAM_SIZE  (256 * MIB)
#define SOC_BUS	  0xc0000000ULL
#define SOC_SIZE  (64 * MIB)
#define ODD_BASE  (GIB + 100 * MIB)
#define ODD_SIZE  (8 * MIB)
#define POOL_BASE (GIB + 128 * MIB)
#define POOL_SIZE (4 * MIB)
#define DARK_BASE (GIB + 144 * MIB)
#define DARK_SIZE (4 * MIB)
#define CMA_BASE  (GIB + 160 * MIB)
#define CMA_SIZE  (16 * MIB)

/** dma_open_bus() - open a node with addresses and sizes of two cells */
void dma_open_bus(const char *name);

/** dma_master() - a node that names the region with phandle @region, 0 for none */
void dma_master(const char *name, u32 region, bool coherent);

/** dma_region_node() - a node of /reserved-memory with @flag, NULL for none, and @phandle */
void dma_region_node(const char *name, u64 base, u64 size, const char *compatible, const char *flag, u32 phandle);

/** dma_boot() - that machine, booted as host_boot() does */
void dma_boot(int nr_cpus);

/** dma_master_get() - dma_device_get(), which must succeed */
struct device *dma_master_get(const char *path);

#endif
