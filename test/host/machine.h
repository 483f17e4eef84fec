/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole machine for a test: its tree is made from a few lines, and it is booted as far as mm_init() goes. */
#ifndef TEST_HOST_MACHINE_H
#define TEST_HOST_MACHINE_H

#include <lib/types.h>
#include <mm/discover.h>
#include <mm/gfp.h>
#include <mm/memtype.h>

#include "../page_list.h"
#include "tree.h"

/**
 * struct host_bank - a range of RAM
 * @base, @size: bytes, of any alignment
 * @nid: its numa-node-id, -1 for none
 */
struct host_bank {
	phys_addr_t base, size;
	int nid;
};

/**
 * struct host_machine - what a test says of its machine; what it does not say is zero
 * @banks: @nr_banks of them; the first holds image and tree in its first 256 KiB
 * @reserved: @nr_reserved ranges of /memreserve/
 * @nr_cpus: 0 is 1
 * @cpu_node: the node of each CPU; NULL when all are on the lowest
 * @dma_limit: masters reach the addresses below this one, which is below 4 GiB; 0 when they are not limited
 * @bootargs: NULL for none; page_owner=off is added unless they say page_owner=on
 * @add_nodes: called while the tree's root is open, to add nodes to it; NULL for nothing
 * @before_hand_over: called between mm_init() and mm_hand_over(), for instance to start the other CPUs; NULL for
 * nothing
 */
struct host_machine {
	const struct host_bank *banks;
	int nr_banks;
	const struct tree_range *reserved;
	int nr_reserved;
	int nr_cpus;
	int (*cpu_node)(int cpu);
	u32 dma_limit;
	const char *bootargs;
	void (*add_nodes)(void);
	void (*before_hand_over)(void);
};

/**
 * host_boot_info() - what discovery is told of a machine with @fdt at @fdt_pa
 * @image: where an image of @image_size bytes lies: half of it text, a quarter read-only data
 */
struct boot_info host_boot_info(const void *fdt, phys_addr_t fdt_pa, phys_addr_t image, phys_addr_t image_size);

/**
 * host_boot() - host_boot_cpu(), mm_init() and mm_hand_over() on a machine like that; the check functions must agree
 * afterwards
 */
void host_boot(const struct host_machine *machine);

/** host_boot_simple() - one bank of @size bytes from 1 GiB on, @nr_cpus CPUs */
void host_boot_simple(phys_addr_t size, int nr_cpus);

/** host_add_firmware() - nodes for a machine: /reserved-memory/firmware@41000000, 64 KiB that are not mapped */
void host_add_firmware(void);

/**
 * struct host_page_load - how a CPU uses pages
 * @ops: how often it frees a block, if there is one, and allocates another; 16 live
 * @orders: blocks are of order 0 to @orders - 1
 * @gfp: flags, one or the other at random
 * @taken: called for a block that is in use, when it has been allocated and before it is freed
 * @freed: called for its first page when it has been freed; NULL for nothing
 */
struct host_page_load {
	unsigned long ops;
	unsigned int orders;
	gfp_t gfp[2];
	void (*taken)(const struct page *page, unsigned int order);
	void (*freed)(struct page *page);
};

/** host_load_pages() - use pages like that, by the calling CPU's own random numbers; in the end all are freed */
void host_load_pages(const struct host_page_load *load);

/**
 * host_take_addresses() - all of vmalloc's addresses that are free are in use; not again before host_put_addresses()
 */
void host_take_addresses(void);

/** host_put_addresses() - they are free again */
void host_put_addresses(void);

/**
 * host_quiet_pages() - how many pages are free when nothing is held back that could go
 *
 * No memory type is held then (<mm/memtype.h>), which is a fact of the case, too. Context: all CPUs quiet.
 */
unsigned long host_quiet_pages(void);

/** host_checked_pages() - host_quiet_pages(), and host_check() */
unsigned long host_checked_pages(void);

/**
 * host_check_conflict() - the log says that a mapping was refused for its memory type, and names both parties
 * @asker, @base, @size, @type: who asked, for which bytes, with which type; "vmap", or "master PATH"
 * @owner, @owned, @owned_size, @owned_type: the same of who has some of those pages
 */
void host_check_conflict(const char *asker, phys_addr_t base, u64 size, enum memtype type, const char *owner,
			 phys_addr_t owned, u64 owned_size, enum memtype owned_type);

/** host_check() - every check function of the allocators agrees. Context: all CPUs quiet. */
void host_check(void);

#endif
