// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bus masters: which there are, what they reach, where their memory comes from.
 *
 * 1. A master is made when it is asked for the first time, and is the same for all who ask until the last has put it.
 *    So nothing of it costs anything at boot.
 * 2. Its reach is windows and masks. A window is cut to whole pages where pages are allocated, and not where a buffer
 *    is checked. A buffer lies in one window: that two lie behind one another for the CPU does not make them so for the
 *    bus.
 * 3. dma-coherent and dma-noncoherent are inherited from the nearest bus that has one of them.
 * 4. A node's memory-region is a list of regions. Its restricted pool holds over all others, and a master whose
 *    restricted pool cannot be used is not made at all: it must not get other memory instead.
 * 5. dma_mutex covers the lists and the number of users; it is held while a master is made.
 */
#include <errno.h>
#include <libfdt.h>
#include <mm/reserved_mem.h>
#include <mm/slab.h>
#include <stdio.h>
#include <string.h>

#include <lib/dt.h>

#include "dma.h"
#include "internal.h"

DEFINE_MUTEX(dma_mutex);
LIST_HEAD(dma_devices);

static u32 reports; /* atomic */

bool dma_may_report(void)
{
	return fetch_add32(&reports, 1) < DMA_MAX_REPORTS;
}

/* --- reach --- */

dma_addr_t dma_reaches(const struct device *dev, phys_addr_t pa, size_t size, u64 mask)
{
	for (int i = 0; size && i < dev->nr_windows; i++) {
		const struct dma_window *w = &dev->windows[i];
		dma_addr_t dma = w->bus + (pa - w->first);

		if (pa >= w->first && pa <= w->last && size - 1 <= w->last - pa && dma <= mask &&
		    size - 1 <= mask - dma)
			return dma;
	}
	return DMA_MAPPING_ERROR;
}

dma_addr_t phys_to_dma(const struct device *dev, phys_addr_t pa, size_t size)
{
	return dma_reaches(dev, pa, size, ~0ULL);
}

bool dma_to_phys(const struct device *dev, dma_addr_t dma, size_t size, phys_addr_t *pa)
{
	for (int i = 0; size && i < dev->nr_windows; i++) {
		const struct dma_window *w = &dev->windows[i];
		u64 length = w->last - w->first;

		if (dma < w->bus || dma - w->bus > length || size - 1 > length - (dma - w->bus))
			continue;
		*pa = w->first + (dma - w->bus);
		return true;
	}
	return false;
}

/* Page frames [*@start, *@end) that lie wholly in the window and below the mask. Return: false when none do. */
static bool window_pfns(const struct dma_window *w, u64 mask, unsigned long *start, unsigned long *end)
{
	phys_addr_t last = w->last;

	if (mask < w->bus)
		return false;
	if (mask - w->bus < w->last - w->first)
		last = w->first + (mask - w->bus);
	*start = PFN_DOWN(w->first) + !IS_ALIGNED(w->first, PAGE_SIZE);
	*end = PFN_DOWN(last) + IS_ALIGNED(last + 1, PAGE_SIZE);
	return *start < *end;
}

bool dma_next_window(const struct device *dev, int *i, u64 mask, unsigned long *start, unsigned long *end)
{
	while (*i < dev->nr_windows)
		if (window_pfns(&dev->windows[(*i)++], mask, start, end))
			return true;
	return false;
}

bool dma_device_window(const struct device *dev, int i, struct dma_window *window)
{
	if (i < 0 || i >= dev->nr_windows)
		return false;
	*window = dev->windows[i];
	return true;
}

const char *dma_reach_text(const struct device *dev, u64 mask, char *buf, size_t size)
{
	size_t at = 0;

	if (!dev->nr_windows)
		at = (size_t)snprintf(buf, size, "reaches nothing");
	for (int i = 0; i < dev->nr_windows && at < size; i++) {
		const struct dma_window *w = &dev->windows[i];

		at += (size_t)snprintf(buf + at, size - at, "%sbus 0x%llx-0x%llx = [mem 0x%llx-0x%llx]",
				       i ? ", " : "reaches ", w->bus, w->bus + (w->last - w->first), w->first, w->last);
	}
	if (at < size)
		snprintf(buf + at, size - at, ", mask 0x%llx", mask);
	return buf;
}

/* --- masks --- */

/* Whether any RAM is in reach with @mask. */
static bool mask_reaches(const struct device *dev, u64 mask)
{
	unsigned long start, end;
	struct zone *zone;
	int n;

	for (int i = 0; dma_next_window(dev, &i, mask, &start, &end);)
		for_each_populated_zone(n, zone)
			if (zone->zone_start_pfn < end && start < zone_end_pfn(zone))
				return true;
	return false;
}

static int set_masks(struct device *dev, const char *what, u64 mask, bool streaming, bool coherent)
{
	char reach[DMA_REACH_MAX];

	if (!mask_reaches(dev, mask)) {
		dma_report("%s: %s of 0x%llx: no RAM would be in reach (it %s): the mask stays", dev->name, what, mask,
			   dma_reach_text(dev, mask, reach, sizeof(reach)));
		return -EIO;
	}
	if (streaming)
		dev->dma_mask = mask;
	if (coherent) {
		dev->coherent_mask = mask;
		dev->zone = dma_best_zone(dev);
	}
	return 0;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	return set_masks(dev, "dma_set_mask", mask, true, false);
}

int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	return set_masks(dev, "dma_set_coherent_mask", mask, false, true);
}

int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	return set_masks(dev, "dma_set_mask_and_coherent", mask, true, true);
}

u64 dma_get_mask(const struct device *dev)
{
	return dev->dma_mask;
}

const char *dev_name(const struct device *dev)
{
	return dev->name;
}

bool dev_is_dma_coherent(const struct device *dev)
{
	return dev->coherent;
}

/* --- what the tree says of a master --- */

bool dma_coherent_node(const void *fdt, int node)
{
	for (; node >= 0; node = fdt_parent_offset(fdt, node)) {
		if (fdt_getprop(fdt, node, "dma-coherent", NULL))
			return true;
		if (fdt_getprop(fdt, node, "dma-noncoherent", NULL))
			return false;
	}
	return false;
}

/* The claim and the flags of the reserved memory at @node. Return: false when nothing was reserved for it. */
static bool reserved_at(const void *fdt, int node, struct reserved_mem *rmem)
{
	for (unsigned int i = 0; reserved_mem_next(fdt, &i, rmem);)
		if (rmem->claim->node == node)
			return true;
	return false;
}

/* Why the region at @node cannot be a restricted pool; NULL when it can. */
static const char *restricted_fault(const void *fdt, int node, const struct reserved_mem *rmem, bool reserved)
{
	if (!reserved)
		return "no memory is reserved for it";
	if (rmem->flags & (RMEM_NOMAP | RMEM_REUSABLE))
		return "it is no-map or reusable, which a restricted pool must not be";
	if (fdt_getprop(fdt, node, "linux,cma-default", NULL) || fdt_getprop(fdt, node, "linux,dma-default", NULL))
		return "it is somebody's default pool, which a restricted pool must not be";
	return NULL;
}

static bool attach_restricted(struct device *dev, const void *fdt, int node)
{
	struct reserved_mem rmem = { 0 };
	bool reserved = reserved_at(fdt, node, &rmem);
	const char *why = restricted_fault(fdt, node, &rmem, reserved);

	if (!why)
		dev->region = dma_find_region(node, &why);
	if (why)
		printk("dma: %s: its restricted pool /reserved-memory/%s cannot be used: %s: the master gets no memory\n",
		       dev->name, fdt_get_name(fdt, node, NULL), why);
	return !why;
}

static void attach_shared(struct device *dev, const void *fdt, int node)
{
	struct reserved_mem rmem = { 0 };
	const char *why = "no memory is reserved for it";

	if (reserved_at(fdt, node, &rmem)) {
		why = NULL;
		if (rmem.flags & RMEM_REUSABLE) {
			dev->cma = dev->cma ? dev->cma : cma_of_node(node);
			why = dev->cma ? NULL : "it is no CMA area";
		} else if (!dev->region) {
			dev->region = dma_find_region(node, &why);
		}
	}
	if (why)
		printk("dma: %s: its pool /reserved-memory/%s cannot be used: %s: ordinary memory serves\n", dev->name,
		       fdt_get_name(fdt, node, NULL), why);
}

/* The node that entry @i of the master's memory-region names, enabled and of @compatible; -1 when it is none. */
static int region_node(const void *fdt, const void *phandles, int i, const char *compatible)
{
	u32 phandle = (u32)dt_cells((const char *)phandles + (size_t)i * sizeof(u32), 1);
	int node = fdt_node_offset_by_phandle(fdt, phandle);

	return node >= 0 && dt_enabled(fdt, node) && !fdt_node_check_compatible(fdt, node, compatible) ? node : -1;
}

/* Return: whether the master may be used. */
static bool attach_regions(struct device *dev, const void *fdt)
{
	int len, node;
	const void *phandles = fdt_getprop(fdt, dev->node, "memory-region", &len);

	if (!phandles)
		return true;
	for (int i = 0; i < len / (int)sizeof(u32); i++) {
		node = region_node(fdt, phandles, i, "restricted-dma-pool");
		if (node >= 0)
			return attach_restricted(dev, fdt, node);
	}
	for (int i = 0; i < len / (int)sizeof(u32); i++) {
		node = region_node(fdt, phandles, i, "shared-dma-pool");
		if (node >= 0)
			attach_shared(dev, fdt, node);
	}
	return true;
}

static bool read_windows(struct device *dev, const void *fdt)
{
	dev->nr_windows = fdt_dma_windows(fdt, dev->node, dev->windows, DMA_MAX_WINDOWS);
	if (dev->nr_windows >= 0)
		return true;
	printk("dma: %s: %s: what it reaches is not known: the master is not used\n", dev->name,
	       dev->nr_windows == -E2BIG ? "it lies below too many buses" :
					   "dma-ranges of a bus above it cannot be read");
	return false;
}

/* --- making and ending masters --- */

static struct device *find_device(int node)
{
	struct device *dev;

	list_for_each_entry(dev, &dma_devices, list)
		if (dev->node == node)
			return dev;
	return NULL;
}

static struct device *make_device(const void *fdt, int node)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	dev->node = node;
	if (fdt_get_path(fdt, node, dev->name, sizeof(dev->name)))
		snprintf(dev->name, sizeof(dev->name), "the node at offset %d", node);
	dev->coherent = dma_coherent_node(fdt, node);
	dev->dma_mask = DMA_BIT_MASK(32);
	dev->coherent_mask = DMA_BIT_MASK(32);
	if (!read_windows(dev, fdt) || !attach_regions(dev, fdt)) {
		kfree(dev);
		return NULL;
	}
	dev->zone = dma_best_zone(dev);
	list_add_tail(&dev->list, &dma_devices);
	return dev;
}

struct device *dma_device_get_node(int node)
{
	const void *fdt = claims_fdt();
	struct device *dev = NULL;

	if (!fdt || node < 0 || !fdt_get_name(fdt, node, NULL)) {
		printk("dma: there is no node at offset %d of the device tree: no master\n", node);
		return NULL;
	}
	mutex_lock(&dma_mutex);
	dev = find_device(node);
	if (!dev)
		dev = make_device(fdt, node);
	if (dev)
		dev->refs++;
	mutex_unlock(&dma_mutex);
	return dev;
}

struct device *dma_device_get(const char *path)
{
	const void *fdt = claims_fdt();
	int node = fdt ? fdt_path_offset(fdt, path) : -FDT_ERR_NOTFOUND;

	if (node >= 0)
		return dma_device_get_node(node);
	printk("dma: %s: %s: no master\n", path, fdt_strerror(node));
	return NULL;
}

/* The buffers of @dev that are mapped; who unmapped the last one is then done with @dev. */
static u32 mapped_count(struct device *dev)
{
	u32 nr;

	do
		nr = READ_ONCE(dev->nr_mapped);
	while (!cas32_acq_rel(&dev->nr_mapped, nr, nr));
	return nr;
}

int dma_device_put(struct device *dev)
{
	unsigned long nr_live;
	u32 nr_mapped;
	int err = 0;

	mutex_lock(&dma_mutex);
	nr_live = dma_live_count(dev);
	nr_mapped = mapped_count(dev);
	if (dev->refs == 1 && (nr_live || dev->nr_pools || nr_mapped)) {
		dma_report("%s: dma_device_put: it has %lu allocations, %u pools and %u mapped buffers: it stays",
			   dev->name, nr_live, dev->nr_pools, nr_mapped);
		err = -EBUSY;
	} else if (!--dev->refs) {
		list_del(&dev->list);
		kfree(dev);
	}
	mutex_unlock(&dma_mutex);
	return err;
}

void dma_device_pools(struct device *dev, int n)
{
	mutex_lock(&dma_mutex);
	dev->nr_pools += (unsigned int)n;
	mutex_unlock(&dma_mutex);
}
