// SPDX-License-Identifier: BSD-2-Clause
/*
 * Discovery of memory: /memory nodes, or UEFI's map (discover_efi.c), into memblock.
 *
 * 1. The tree is validated as a whole (fdt_check_full) before anything in it is believed.
 * 2. Every child of the root whose device_type is "memory" and whose status allows it is read, all its banks, in the
 *    root's #address-cells and #size-cells. Names do not matter, nor does the order of nodes.
 * 3. A bank is capped at the end of the address space, then cut at phys_limit: what the CPU or the linear map cannot
 *    reach is no memory of ours. What remains is added; where it overlaps an earlier bank, the earlier one stands.
 * 4. Whatever is cut, skipped or merged is said in one line with the bank's path and numbers, and the other party's.
 * 5. What /chosen and the boot arguments say of memory follows (discover_limits.c).
 * 6. Reservations follow (discover_reserved.c). While they are unread, memblock is kept from allocating where one of
 *    them lies: arrays may double at any moment.
 *
 * Cost: O(size of the tree). Source: Devicetree Specification 0.4, 2.3.5, 3.4.
 */
#include "discover.h"

#include <errno.h>
#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <mm/memblock.h>
#include <mm/numa.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Node names have stood in the structure block whole since version 16 (Devicetree Specification, 5.2). */
#define FIRST_VERSION 16

const char *dt_path(const void *fdt, int node, char *buf)
{
	if (fdt_get_path(fdt, node, buf, DT_PATH_MAX))
		snprintf(buf, DT_PATH_MAX, "node at offset %d", node);
	return buf;
}

/* The cells as the tree gives them, for the line: libfdt only says that they are bad. */
static u32 raw_cells(const void *fdt, int node, const char *name, u32 otherwise)
{
	u32 value = otherwise;

	(void)dt_u32(fdt, node, name, &value);
	return value;
}

static void say_bad_cells(const void *fdt, int parent, int node, const char *name)
{
	char path[DT_PATH_MAX], parent_path[DT_PATH_MAX];

	printk("device tree: %s: %s ignored: %s has #address-cells %u and #size-cells %u, 1 to 3 can be read\n",
	       dt_path(fdt, node, path), name, dt_path(fdt, parent, parent_path),
	       raw_cells(fdt, parent, "#address-cells", 2), raw_cells(fdt, parent, "#size-cells", 1));
}

static bool cells_readable(const struct reg_reader *reg)
{
	return reg->ac >= 1 && reg->ac <= 3 && reg->sc >= 1 && reg->sc <= 3;
}

int reg_open_quiet(const void *fdt, int parent, int node, const char *name, struct reg_reader *reg)
{
	int len;

	reg->pos = fdt_getprop(fdt, node, name, &len);
	if (!reg->pos)
		return -ENOENT;
	reg->ac = fdt_address_cells(fdt, parent);
	reg->sc = fdt_size_cells(fdt, parent);
	reg->end = reg->pos + len;
	if (!cells_readable(reg) || len % ((reg->ac + reg->sc) * (int)sizeof(fdt32_t)))
		return -EINVAL;
	return 0;
}

int reg_open(const void *fdt, int parent, int node, const char *name, struct reg_reader *reg)
{
	int err = reg_open_quiet(fdt, parent, node, name, reg);
	char path[DT_PATH_MAX];

	if (err != -EINVAL)
		return err;
	if (!cells_readable(reg))
		say_bad_cells(fdt, parent, node, name);
	else
		printk("device tree: %s: %s has %d bytes, no multiple of %d: ignored\n", dt_path(fdt, node, path), name,
		       (int)(reg->end - reg->pos), (reg->ac + reg->sc) * (int)sizeof(fdt32_t));
	return err;
}

u64 read_cells(const char *prop, int cells)
{
	if (cells < 3)
		return dt_cells(prop, cells);
	return dt_cells(prop, 1) ? ~0ULL : dt_cells(prop + sizeof(fdt32_t), 2);
}

bool reg_next(struct reg_reader *reg, phys_addr_t *base, phys_addr_t *size)
{
	if (reg->pos == reg->end)
		return false;
	*base = read_cells(reg->pos, reg->ac);
	reg->pos += reg->ac * (int)sizeof(fdt32_t);
	*size = read_cells(reg->pos, reg->sc);
	reg->pos += reg->sc * (int)sizeof(fdt32_t);
	return true;
}

void cap_range(const char *who, phys_addr_t base, phys_addr_t *size)
{
	phys_addr_t capped = memblock_cap_size(base, *size);

	if (capped == *size)
		return;
	printk("device tree: %s: 0x%llx + 0x%llx passes the end of the address space: cut to 0x%llx bytes\n", who, base,
	       *size, capped);
	*size = capped;
}

/* Cut the part of a bank that lies past @limit. Return: whether anything is left. */
static bool clip_to_limit(const char *path, phys_addr_t limit, phys_addr_t base, phys_addr_t *size)
{
	if (base + *size <= limit)
		return true;
	if (base >= limit) {
		printk("memory: %s: [mem 0x%016llx-0x%016llx] lies past the physical address limit 0x%llx: left out\n",
		       path, base, base + *size - 1, limit);
		return false;
	}
	printk("memory: %s: [mem 0x%016llx-0x%016llx] passes the physical address limit 0x%llx: cut there\n", path,
	       base, base + *size - 1, limit);
	*size = limit - base;
	return true;
}

void add_bank(const struct boot_info *boot, const char *path, const struct mem_claim *bank, enum memblock_flags flags)
{
	phys_addr_t base = bank->base, size = bank->size;
	const struct mem_claim *other;
	char name[DT_PATH_MAX];
	int err;

	if (!size) {
		printk("memory: %s: bank at 0x%llx has size 0: skipped\n", path, base);
		return;
	}
	cap_range(path, base, &size);
	if (memblock_physmem_add(base, size))
		printk("memory: %s: physmem is full, [mem 0x%016llx-0x%016llx] is not in it\n", path, base,
		       base + size - 1);
	if (!clip_to_limit(path, boot->phys_limit, base, &size))
		return;
	other = claim_find(base, size, CLAIM_BIT(CLAIM_MEMORY));
	if (other)
		printk("memory: %s: [mem 0x%016llx-0x%016llx] overlaps [mem 0x%016llx-0x%016llx] of %s: merged\n", path,
		       base, base + size - 1, other->base, other->base + other->size - 1,
		       claim_name(other, name, sizeof(name)));
	err = memblock_add_node(base, size, bank->nid, flags);
	if (err) {
		printk("memory: %s: [mem 0x%016llx-0x%016llx] left out: %lu of %lu regions in use, error %d\n", path,
		       base, base + size - 1, memblock.memory.cnt, memblock.memory.max, err);
		return;
	}
	claim_add(&(struct mem_claim){ base, size, CLAIM_MEMORY, bank->node, bank->nid, bank->name, bank->index });
}

/* The node id that the tree gives @node, NUMA_NO_NODE when it gives none that we can use. */
static int node_id(const void *fdt, int node, const char *path)
{
	u32 id;

	if (dt_u32(fdt, node, "numa-node-id", &id))
		return NUMA_NO_NODE;
	if (id < MAX_NUMNODES)
		return (int)id;
	if (MAX_NUMNODES > 1)
		printk("memory: %s: numa-node-id %u is not below %d: ignored\n", path, id, MAX_NUMNODES);
	return NUMA_NO_NODE;
}

static void add_memory_node(const struct boot_info *boot, int node)
{
	phys_addr_t base, size;
	enum memblock_flags flags = MEMBLOCK_NONE;
	struct reg_reader reg;
	char path[DT_PATH_MAX];
	int nid;

	dt_path(boot->fdt, node, path);
	if (!dt_enabled(boot->fdt, node)) {
		printk("memory: %s: not enabled by its status: skipped\n", path);
		return;
	}
	if (reg_open(boot->fdt, 0, node, "reg", &reg))
		return;
	nid = node_id(boot->fdt, node, path);
	if (fdt_getprop(boot->fdt, node, "hotpluggable", NULL))
		flags = MEMBLOCK_HOTPLUG;
	while (reg_next(&reg, &base, &size))
		add_bank(boot, path, &(struct mem_claim){ base, size, CLAIM_MEMORY, node, nid, NULL, -1 }, flags);
}

bool is_memory_node(const void *fdt, int node)
{
	int len;
	const char *type = fdt_getprop(fdt, node, "device_type", &len);

	return type && len == (int)sizeof("memory") && !memcmp(type, "memory", sizeof("memory"));
}

static void add_memory_nodes(const struct boot_info *boot)
{
	int node;

	fdt_for_each_subnode(node, boot->fdt, 0)
	{
		if (is_memory_node(boot->fdt, node))
			add_memory_node(boot, node);
	}
}

const char *fdt_fault(const void *fdt)
{
	static const void *valid;
	int err;

	if (fdt == valid)
		return NULL;
	/* libfdt's check looks at the root's name without asking whether a tree of an older version has one. */
	if (fdt_magic(fdt) == FDT_MAGIC && fdt_version(fdt) < FIRST_VERSION)
		return fdt_strerror(-FDT_ERR_BADVERSION);
	err = fdt_check_full(fdt, fdt_totalsize(fdt));
	if (err)
		return fdt_strerror(err);
	valid = fdt;
	return NULL;
}

/* Said once: fdt_bootargs() is called time and again, and takes what cannot be read for none. */
static void say_unreadable_bootargs(const void *fdt)
{
	int chosen = dt_chosen(fdt), len = 0;
	const char *args = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "bootargs", &len);
	size_t used;

	if (!args || len <= 0)
		return;
	used = strnlen(args, (size_t)len);
	if (args[len - 1]) {
		printk("bootargs: /chosen/bootargs has %d bytes and no NUL at its end: ignored\n", len);
		return;
	}
	for (size_t i = used; i < (size_t)len; i++) {
		if (!args[i])
			continue;
		printk("bootargs: /chosen/bootargs has a NUL at byte %zu of %d: the rest is ignored\n", used, len);
		return;
	}
}

int discover_memory(const struct boot_info *boot)
{
	const char *fault = fdt_fault(boot->fdt);
	int err;

	if (fault) {
		printk("device tree: %u bytes, not valid as a whole: %s\n", fdt_totalsize(boot->fdt), fault);
		return -EINVAL;
	}
	claims_set_fdt(boot->fdt);
	say_unreadable_bootargs(boot->fdt);
	reserved_claims_watch(boot);
	memblock_allow_resize();
	err = discover_efi(boot);
	if (err == -ENOENT)
		add_memory_nodes(boot);
	else if (err)
		return err;
	if (!memblock.memory.cnt) {
		printk("memory: the tree names none that can be used: no enabled node with device_type \"memory\" has a bank\n");
		return -ENOENT;
	}
	discover_limits(boot);
	if (!memblock.memory.cnt) {
		printk("memory: the limits of /chosen and of the boot arguments leave none\n");
		return -ENOENT;
	}
	discover_reserved(boot);
	return 0;
}

const char *fdt_bootargs(const void *fdt)
{
	int chosen = dt_chosen(fdt), len;
	const char *args = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "bootargs", &len);

	return args && len > 0 && !args[len - 1] ? args : "";
}
