/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a CPU by spin table (Devicetree Specification 3.8.1; the arm64 boot protocol).
 *
 * 1. The CPU waits in firmware's code, its MMU off, for the word at cpu-release-addr to become the physical address of
 *    where to go on. So the word is cleaned to the point of coherency, and an event wakes who waits by WFE.
 * 2. It brings no argument: it goes to spin_table_entry (boot/spin_entry.S), which finds its record by MPIDR. Several
 *    CPUs may wait for the same word; there each then waits for its record.
 * 3. Where the word lies in RAM that the linear map has, it is written there, for two mappings of one place with
 *    different attributes are not allowed; elsewhere (no-map, or RAM that we are not told of) as device memory.
 * 4. We write only to what the tree keeps for firmware: memory that nobody reserved may be our own by now, and a CPU
 *    that waits in it is lost already. The first page of memory is never given to anybody. What does not answer at all
 *    is a line in the log.
 */
#include <stdio.h>

#include <libfdt.h>

#include <asm/cache.h>
#include <asm/exception.h>
#include <asm/mmu.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <lib/dt.h>
#include <mm/discover.h>
#include <mm/memblock.h>

#include "cpu_map.h"

static bool spin_table_describe(const void *fdt, int node, struct cpu_desc *desc, char *why)
{
	int len;
	const void *prop = fdt_getprop(fdt, node, "cpu-release-addr", &len);

	if (!prop || (len != sizeof(u32) && len != sizeof(u64))) {
		snprintf(why, CPU_WHY_MAX, "enable-method spin-table, but no cpu-release-addr of 4 or 8 bytes");
		return false;
	}
	desc->release_addr = dt_cells(prop, len / (int)sizeof(u32));
	if (desc->release_addr % sizeof(u64) || desc->release_addr >= 1ULL << arch_pa_bits()) {
		snprintf(why, CPU_WHY_MAX, "cpu-release-addr 0x%llx is no address of 8 bytes", desc->release_addr);
		return false;
	}
	return true;
}

static bool is_first_page(const struct mem_claim *claim)
{
	return !claim->base && claim->size == PAGE_SIZE;
}

/*
 * Whether the word is outside memory, or in memory that the tree keeps for somebody: an entry of /memreserve/ or a node
 * of /reserved-memory; and not in what is ours: our own allocations, the image, the tree, the initrd.
 */
static bool kept_for_firmware(phys_addr_t word)
{
	bool memory = false, kept = false;

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *claim = claim_get(i);

		if (word - claim->base >= claim->size && claim->base - word >= sizeof(u64))
			continue;
		if (claim->kind == CLAIM_METADATA)
			return false;
		if (claim->kind == CLAIM_MEMORY)
			memory = true;
		else if (claim->kind == CLAIM_LEFT_OUT || claim->node >= 0 || claim->index >= 0 || is_first_page(claim))
			kept = true;
		else
			return false;
	}
	return kept || !memory;
}

static void spin_table_prepare(struct cpu_desc *desc)
{
	if (!kept_for_firmware(desc->release_addr))
		return;
	if (memblock_is_map_memory(desc->release_addr))
		desc->release = __va(desc->release_addr);
	else
		desc->release = arch_map_device(desc->release_addr, sizeof(u64), "cpu-release-addr");
}

static bool spin_table_start(const struct cpu_desc *desc, phys_addr_t record, char *why)
{
	(void)record;
	if (!desc->release) {
		snprintf(why, CPU_WHY_MAX, "the tree does not reserve its cpu-release-addr 0x%llx: not written to",
			 desc->release_addr);
		return false;
	}
	if (!arch_probe_write(desc->release, kimage_pa(spin_table_entry))) {
		snprintf(why, CPU_WHY_MAX, "nothing answers at its cpu-release-addr 0x%llx", desc->release_addr);
		return false;
	}
	dcache_clean_poc((uintptr_t)desc->release, (uintptr_t)desc->release + sizeof(u64));
	__asm__ volatile("sev" : : : "memory");
	return true;
}

const struct cpu_ops spin_table_cpu_ops = {
	.method = "spin-table",
	.describe = spin_table_describe,
	.prepare = spin_table_prepare,
	.start = spin_table_start,
};
