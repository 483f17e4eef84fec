// SPDX-License-Identifier: BSD-2-Clause
/* A whole machine for a test. */
#include "machine.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include <mm/memblock.h>
#include <mm/mm_init.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>
#include <mm/vmstat.h>

#include "../../mm/vmap.h"
#include "host.h"
#include "tap.h"

#define IMAGE_OFFSET  (64ULL << 10)
#define IMAGE_SIZE    (64ULL << 10)
#define TREE_OFFSET   (128ULL << 10)
#define LIVE_BLOCKS   16
#define ADDRESSES_MAX 64

static void dma_ranges(u32 limit)
{
	const u32 entry[] = { 0, 0, 0, limit };

	tree_open("soc");
	tree_u32("#address-cells", 1);
	tree_u32("#size-cells", 1);
	tree_cells("dma-ranges", entry, ARRAY_SIZE(entry));
	tree_close();
}

/* Host backtraces cost too much for tests that are not about them, and keep requests off the shortest ways. */
static const char *bootargs(const char *said)
{
	static char args[256];

	snprintf(args, sizeof(args), "%s%s", said && strstr(said, "page_owner=") ? "" : "page_owner=off ",
		 said ? said : "");
	return args;
}

static void *make_tree(const struct host_machine *machine)
{
	tree_start();
	for (int i = 0; i < machine->nr_reserved; i++)
		tree_memreserve(machine->reserved[i].base, machine->reserved[i].size);
	tree_root(2, 2);
	for (int i = 0; i < machine->nr_banks; i++)
		tree_memory(machine->banks[i].base, machine->banks[i].size, machine->banks[i].nid);
	if (machine->dma_limit)
		dma_ranges(machine->dma_limit);
	if (machine->add_nodes)
		machine->add_nodes();
	tree_open("chosen");
	tree_string("bootargs", bootargs(machine->bootargs));
	tree_close();
	return tree_finish();
}

struct boot_info host_boot_info(const void *fdt, phys_addr_t fdt_pa, phys_addr_t image, phys_addr_t image_size)
{
	return (struct boot_info){
		.fdt = fdt,
		.fdt_pa = fdt_pa,
		.image_base = image,
		.image_rodata = image + image_size / 2,
		.image_data = image + image_size * 3 / 4,
		.image_end = image + image_size,
		.phys_limit = PHYS_ADDR_LIMIT,
	};
}

void host_boot(const struct host_machine *machine)
{
	phys_addr_t base = ALIGN(machine->banks[0].base, PAGE_SIZE);
	struct boot_info boot = host_boot_info(make_tree(machine), base + TREE_OFFSET, base + IMAGE_OFFSET, IMAGE_SIZE);

	host_boot_cpu(machine->nr_cpus ? machine->nr_cpus : 1);
	mm_init(&boot, machine->cpu_node);
	if (machine->before_hand_over)
		machine->before_hand_over();
	mm_hand_over();
	host_check();
}

void host_boot_simple(phys_addr_t size, int nr_cpus)
{
	const struct host_bank bank = { 1ULL << 30, size, -1 };

	host_boot(&(struct host_machine){ .banks = &bank, .nr_banks = 1, .nr_cpus = nr_cpus });
}

void host_add_firmware(void)
{
	static const struct tree_range range = { 0x41000000, 0x10000 };

	tree_open("reserved-memory");
	tree_u32("#address-cells", 2);
	tree_u32("#size-cells", 2);
	tree_flag("ranges");
	tree_open("firmware@41000000");
	tree_reg("reg", &range, 1);
	tree_flag("no-map");
	tree_close();
	tree_close();
}

void host_load_pages(const struct host_page_load *load)
{
	struct page *live[LIVE_BLOCKS] = { NULL };
	unsigned int orders[LIVE_BLOCKS] = { 0 };

	tap_random_stream((unsigned int)smp_processor_id());
	for (unsigned long op = 0; op < load->ops + LIVE_BLOCKS; op++) {
		unsigned int i = (unsigned int)(op < load->ops ? tap_below(LIVE_BLOCKS) : op - load->ops);

		if (live[i]) {
			(load->taken)(live[i], orders[i]);
			__free_pages(live[i], orders[i]);
			if (load->freed)
				(load->freed)(live[i]);
			live[i] = NULL;
		}
		if (op >= load->ops)
			continue;
		orders[i] = (unsigned int)tap_below(load->orders);
		live[i] = alloc_pages(load->gfp[tap_below(2)], orders[i]);
		if (live[i])
			(load->taken)(live[i], orders[i]);
	}
}

static struct va_extent *addresses[ADDRESSES_MAX];
static unsigned int nr_addresses;

static struct va_extent *take_address_space(unsigned long len)
{
	struct va_extent *extent = vmap_extent_get(len, NULL);

	return extent ? extent : vmap_extent_get_phys(len, VMAP_BLOCK_SIZE, 0, NULL);
}

void host_take_addresses(void)
{
	CHECK(!nr_addresses);
	for (unsigned long len = VMALLOC_END - VMALLOC_START; len >= VMAP_BLOCK_SIZE; len /= 2) {
		struct va_extent *extent;

		while ((extent = take_address_space(len))) {
			CHECK(nr_addresses < ADDRESSES_MAX);
			addresses[nr_addresses++] = extent;
		}
	}
	CHECK(nr_addresses);
}

void host_put_addresses(void)
{
	while (nr_addresses)
		vmap_extent_put(addresses[--nr_addresses]);
}

unsigned long host_quiet_pages(void)
{
	CHECK_EQ(memtype_held(), 0);
	vm_unmap_aliases();
	kmem_cache_shrink_all();
	drain_all_pages();
	return nr_free_pages();
}

unsigned long host_checked_pages(void)
{
	unsigned long pages = host_quiet_pages();

	host_check();
	return pages;
}

void host_check_conflict(const char *asker, phys_addr_t base, u64 size, enum memtype type, const char *owner,
			 phys_addr_t owned, u64 owned_size, enum memtype owned_type)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "\\] %s: \\[mem 0x%016llx-0x%016llx\\] as %s, asked for by [^ ]+: mapped already, "
		 "\\[mem 0x%016llx-0x%016llx\\] as %s by %s, asked for by [^ ]+: refused$",
		 asker, base, base + size - 1, memtype_name(type), owned, owned + owned_size - 1,
		 memtype_name(owned_type), owner);
	CHECK_LOG(line);
}

void host_check(void)
{
	CHECK(memblock_check());
	CHECK(page_alloc_check());
	CHECK(zone_events_check());
	CHECK(kmem_cache_check());
	CHECK(percpu_check());
	CHECK(memtype_check());
	CHECK(account_print());
}
