// SPDX-License-Identifier: BSD-2-Clause
/* vmalloc: areas against a sorted list, what is refused, what is left behind, and eight CPUs at once. */
#include <errno.h>
#include <lib/smp.h>
#include <mm/port.h>
#include <mm/slab.h>
#include <mm/va_tree.h>
#include <mm/vmalloc.h>
#include <string.h>

#include "../../mm/vmap.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB  (1ULL << 20)
#define LIVE 200

/* The tree against a bitmap of what its extents cover. */

#define UNITS 512

static void check_tree(const struct va_tree *tree, const struct va_extent *of, const bool *taken)
{
	unsigned long longest = 0;

	for (unsigned long addr = 0; addr < UNITS; addr++) {
		unsigned long below = addr, above = addr;
		const struct va_extent *found;

		while (below && !taken[below])
			below--;
		while (above < UNITS && !taken[above])
			above++;
		found = va_at_or_below(tree, addr);
		CHECK(found == (taken[below] ? &of[below] : NULL));
		found = va_at_or_above(tree, addr);
		CHECK(found == (above < UNITS ? &of[above] : NULL));
		if (taken[addr])
			longest = max(longest, of[addr].len);
	}
	for (unsigned long len = 1; len <= longest + 1; len++) {
		unsigned long first = 0;

		while (first < UNITS && !(taken[first] && of[first].len >= len))
			first++;
		CHECK(va_first_fit(tree, len) == (first < UNITS ? &of[first] : NULL));
	}
}

static void test_tree(void)
{
	static struct va_extent of[UNITS];
	static bool taken[UNITS];
	struct va_tree tree = { NULL };

	check_tree(&tree, of, taken);
	for (unsigned long n = tap_ops(3000); n; n--) {
		unsigned long at = tap_below(UNITS);

		if (taken[at]) {
			va_remove(&tree, &of[at]);
		} else {
			of[at] = (struct va_extent){ .start = at, .len = 1 + tap_below(100) };
			va_insert(&tree, &of[at]);
		}
		taken[at] = !taken[at];
		if (n % 64 == 0)
			check_tree(&tree, of, taken);
	}
	check_tree(&tree, of, taken);
}

/* Areas at random: apart from each other by a page, whole, and nothing left in the end. */

static struct {
	u64 *mem;
	size_t size;
	struct page **pages; /* of a mapping */
} live[LIVE];

static u64 stamp_of(unsigned long slot, unsigned long word)
{
	return slot * 0x9e3779b97f4a7c15ULL + word;
}

static void write_area(unsigned long slot)
{
	for (unsigned long word = 0; word < live[slot].size / sizeof(u64); word += 64)
		live[slot].mem[word] = stamp_of(slot, word);
}

static void check_area_whole(unsigned long slot)
{
	for (unsigned long word = 0; word < live[slot].size / sizeof(u64); word += 64)
		CHECK_EQ(live[slot].mem[word], stamp_of(slot, word));
}

static void check_apart(unsigned long slot)
{
	uintptr_t start = (uintptr_t)live[slot].mem, end = start + ALIGN(live[slot].size, PAGE_SIZE);
	phys_addr_t pa;

	CHECK(is_vmalloc_addr(live[slot].mem) && IS_ALIGNED(start, PAGE_SIZE));
	CHECK(end < VMALLOC_END && !arch_vmap_lookup(end, &pa));
	for (unsigned long other = 0; other < LIVE; other++) {
		uintptr_t from = (uintptr_t)live[other].mem;

		CHECK(!from || other == slot || end < from || from + ALIGN(live[other].size, PAGE_SIZE) < start);
	}
}

static size_t random_size(void)
{
	switch (tap_below(8)) {
	case 0:
		return 1 + tap_below(3 * MIB);
	case 1:
		return 1 + tap_below(256 << 10);
	default:
		return 1 + tap_below(20000);
	}
}

/* Map pages of our own. */
static void map_some(unsigned long slot)
{
	unsigned long n = 1 + tap_below(600);
	struct page **pages = kmalloc(n * sizeof(*pages), GFP_KERNEL);

	CHECK(pages);
	for (unsigned long i = 0; i < n; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		CHECK(pages[i]);
	}
	live[slot].pages = pages;
	live[slot].size = n * PAGE_SIZE;
	live[slot].mem = vmap(pages, (unsigned int)n, VM_MAP, PAGE_KERNEL);
}

static void make(unsigned long slot)
{
	if (tap_below(6) == 0) {
		map_some(slot);
	} else {
		live[slot].size = random_size();
		live[slot].mem = tap_below(2) ? vmalloc(live[slot].size) : vmalloc_huge(live[slot].size, GFP_KERNEL);
	}
	CHECK(live[slot].mem);
	check_apart(slot);
	write_area(slot);
}

static void end(unsigned long slot)
{
	unsigned long n = live[slot].size / PAGE_SIZE;

	check_area_whole(slot);
	if (!live[slot].pages) {
		vfree(live[slot].mem);
	} else {
		for (unsigned long i = 0; i < n; i++)
			CHECK(vmalloc_to_page((char *)live[slot].mem + i * PAGE_SIZE) == live[slot].pages[i]);
		vunmap(live[slot].mem);
		for (unsigned long i = 0; i < n; i++)
			__free_page(live[slot].pages[i]);
		kfree(live[slot].pages);
	}
	live[slot].mem = NULL;
	live[slot].pages = NULL;
}

static void test_random(void)
{
	unsigned long start;

	host_boot_simple(512 * MIB, 2);
	start = host_quiet_pages();
	for (unsigned long n = tap_ops(1500); n; n--) {
		unsigned long slot = tap_below(LIVE);

		if (live[slot].mem)
			end(slot);
		else
			make(slot);
		if (n % 256 == 0)
			CHECK(vmalloc_check());
	}
	for (unsigned long slot = 0; slot < LIVE; slot++)
		if (live[slot].mem)
			end(slot);
	CHECK(vmalloc_check());
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
}

static void test_sizes(void)
{
	static const size_t sizes[] = { 1,	    4095,	 4096,	 4097, 511 * 4096, 511 * 4096 + 1,
					512 * 4096, 1024 * 4096, 5 * MIB };

	host_boot_simple(64 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *mem = vzalloc(sizes[i]), *last = mem + sizes[i] - 1;

		CHECK(mem);
		CHECK(!mem[0] && !*last);
		memset(mem, 0xa5, sizes[i]);
		CHECK_EQ(vmalloc_nr_pages(), DIV_ROUND_UP(sizes[i], PAGE_SIZE));
		CHECK(vmalloc_to_page(last) && !vmalloc_to_page(mem + ALIGN(sizes[i], PAGE_SIZE)));
		CHECK_EQ(vmalloc_to_pfn(mem), page_to_pfn(vmalloc_to_page(mem)));
		vfree(mem);
		CHECK(!vmalloc_to_page(mem));
		CHECK(vmalloc_check());
	}
	vfree(NULL);
	vunmap(NULL);
	CHECK(!is_vmalloc_addr(&sizes) && !vmalloc_to_page(&sizes));
}

static void test_huge(void)
{
	char *mem;

	host_boot_simple(64 * MIB, 1);
	mem = vmalloc_huge(4 * MIB, GFP_KERNEL);
	CHECK(mem && IS_ALIGNED((uintptr_t)mem, VMAP_BLOCK_SIZE));
	CHECK(!arch_vmap_table((unsigned long)mem));
	memset(mem, 1, 4 * MIB);
	CHECK_EQ(vmalloc_to_pfn(mem + 3 * PAGE_SIZE), vmalloc_to_pfn(mem) + 3);
	CHECK(vmalloc_check());
	vfree(mem);
	CHECK(vmalloc_check());
}

/*
 * Areas that fill whole blocks of 2 MiB, one behind the other: there is nothing between them.
 *
 *	|   4 MiB  |  2 MiB  |   4 MiB  |  2 MiB  |
 *	[  area 0  ][ nothing ][  area 1  ][ nothing ]
 */
static void test_large_guard(void)
{
	static void *(*const ways[])(size_t size, gfp_t gfp) = { __vmalloc, vmalloc_huge };

	host_boot_simple(64 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		char *area[2] = { ways[i](4 * MIB, GFP_KERNEL), ways[i](4 * MIB, GFP_KERNEL) };

		CHECK(area[0] && area[1] > area[0] && area[1] - area[0] <= (long)(6 * MIB));
		for (int k = 0; k < 2; k++) {
			CHECK(vmalloc_to_page(area[k]) && vmalloc_to_page(area[k] + 4 * MIB - PAGE_SIZE));
			CHECK(!vmalloc_to_page(area[k] + 4 * MIB));
		}
		vfree(area[0]);
		vfree(area[1]);
	}
	host_check();
}

/*
 * A reference to a page of an area holds that page, past vfree(), and nothing else; whatever blocks the area was made
 * of.
 */

static void reference_each(char *mem, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		/* Blocks are asked for by any of their pages first. */
		char *at = mem + (i * 7 + nr / 2) % nr * PAGE_SIZE;
		struct page *page = vmalloc_to_page(at);

		CHECK(page && page_ref_count(page) >= 1);
		CHECK_EQ(page_order(page), 0);
		get_page(page);
		put_page(page);
		CHECK(vmalloc_to_page(at) == page);
	}
}

static void check_references(void *(*new)(size_t size, gfp_t gfp), size_t size)
{
	unsigned long start = host_quiet_pages();
	char *mem = new (size, GFP_KERNEL);
	struct page *held;

	CHECK(mem);
	memset(mem, 0x5a, size);
	reference_each(mem, size / PAGE_SIZE);
	CHECK_EQ(*mem, 0x5a);
	held = vmalloc_to_page(mem + size / 2);
	CHECK_EQ(page_ref_count(held), 1);
	get_page(held);
	vfree(mem);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start - 1);
	CHECK_EQ(page_ref_count(held), 1);
	CHECK_EQ(*(char *)page_address(held), 0x5a);
	put_page(held);
	CHECK_EQ(host_quiet_pages(), start);
}

static void test_references(void)
{
	static const unsigned long counts[] = { 1, 2, 16, 31, 511, 768, 1024 };

	host_boot_simple(64 * MIB, 1);
	host_quiet_pages();
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		check_references(__vmalloc, counts[i] * PAGE_SIZE);
		check_references(vmalloc_huge, counts[i] * PAGE_SIZE);
	}
	host_check();
}

/* All CPUs ask for the pages of one area at once. */

#define SHARED_PAGES 700

static char none;
static char *shared;	/* an area, or &none; NULL: the end. Atomic. */
static u32 shared_left; /* CPUs that are not done with it; atomic */

static void reference_shared(void *unused)
{
	char *last = &none, *mem;

	(void)unused;
	while ((mem = __atomic_load_n(&shared, __ATOMIC_ACQUIRE))) {
		if (mem == last) {
			cpu_relax();
			continue;
		}
		reference_each(mem, SHARED_PAGES);
		last = mem;
		__atomic_fetch_sub(&shared_left, 1, __ATOMIC_ACQ_REL);
	}
}

static void share(unsigned long n)
{
	char *before = NULL, *mem;

	for (; n; n--) {
		mem = n % 2 ? vmalloc(SHARED_PAGES * PAGE_SIZE) : vmalloc_huge(SHARED_PAGES * PAGE_SIZE, GFP_KERNEL);
		CHECK(mem && mem != before);
		__atomic_store_n(&shared_left, 3, __ATOMIC_RELEASE);
		__atomic_store_n(&shared, mem, __ATOMIC_RELEASE);
		reference_each(mem, SHARED_PAGES);
		while (__atomic_load_n(&shared_left, __ATOMIC_ACQUIRE))
			cpu_relax();
		vfree(before);
		before = mem;
	}
	__atomic_store_n(&shared, NULL, __ATOMIC_RELEASE);
	vfree(before);
}

static void test_references_at_once(void)
{
	unsigned long start;

	host_boot_simple(64 * MIB, 4);
	start = host_quiet_pages();
	host_cpus_start();
	__atomic_store_n(&shared, &none, __ATOMIC_RELEASE);
	host_start_others(reference_shared, NULL);
	share(tap_ops(60));
	host_wait_for_others();
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

/* What cannot be had, and what is left of it. */
static void test_refused(void)
{
	unsigned long start;
	LIST_HEAD(taken);

	host_boot_simple(32 * MIB, 1);
	start = host_quiet_pages();
	CHECK(!vmalloc(0));
	CHECK_LOG("vmalloc: 0 bytes, CPU 0: nothing to map");
	CHECK(!vmalloc(1UL << 63));
	CHECK_LOG("vmalloc: 9223372036854775808 bytes, CPU 0: more than all RAM");
	CHECK(!vmalloc(~0UL));
	CHECK(!vmalloc(33 * MIB));
	host_log_clear();
	CHECK(!vmalloc((nr_free_pages() - 8) * PAGE_SIZE));
	CHECK_LOG("no memory, or no address space");
	CHECK(!__vmalloc(1UL << 63, GFP_KERNEL | __GFP_NOWARN));
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	host_log_clear();
	CHECK(!__vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN));
	CHECK(!__vmalloc(3 * MIB, GFP_KERNEL | __GFP_NOWARN));
	CHECK_NO_LOG(".");
	give_blocks(&taken);
	CHECK(vmalloc_check());
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK_EQ(host_quiet_pages(), start);
}

static void test_bad_frees(void)
{
	char *mem, *map;
	struct page *page;
	int local;

	host_boot_simple(32 * MIB, 1);
	mem = vmalloc(3 * PAGE_SIZE);
	page = alloc_page(GFP_KERNEL);
	CHECK(mem && page);
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO);
	CHECK(map);
	vfree(mem + PAGE_SIZE);
	CHECK_LOG(
		"vfree: .* lies in the area 0x[0-9a-f]+-0x[0-9a-f]+, vmalloc\\(\\)'s, asked for by .*, 3 pages: nothing done");
	vfree(map);
	CHECK_LOG("vfree: .* lies in the area .*, vmap\\(\\)'s, ");
	vunmap(mem);
	CHECK_LOG("vunmap: .* vmalloc\\(\\)'s, ");
	vm_unmap_ram(map, 1);
	CHECK_LOG("vm_unmap_ram: .* vmap\\(\\)'s, ");
	vfree(&local);
	CHECK_LOG("vfree: .* lies in no area: nothing done");
	vfree((void *)(VMALLOC_END - 2 * PAGE_SIZE));
	vfree(mem);
	host_log_clear();
	vfree(mem);
	CHECK_LOG(
		"vfree: .*: the area there, within 0x[0-9a-f]+-0x[0-9a-f]+, is free, last asked for by .*: nothing done");
	vunmap(map);
	CHECK_EQ(page_ref_count(page), 1);
	map = vm_map_ram(&page, 1, NUMA_NO_NODE);
	CHECK(map);
	vm_unmap_ram(map, 2);
	CHECK_LOG("vm_unmap_ram: .*, 2 pages, lies in the area .*, vm_map_ram\\(\\)'s, .*, 1 pages: nothing done");
	vm_unmap_ram(map, 1);
	__free_page(page);
	CHECK(vmalloc_check());
	host_check();
}

/* What ended twice after its area is gone: a large one, and a small one whose block was given back. */
static void test_ended(void)
{
	struct page *page, *pages[600];
	char *large, *small, *map;

	host_boot_simple(64 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = page;
	large = vmalloc(4 * MIB);
	small = vmalloc(3 * PAGE_SIZE);
	map = vmap(pages, ARRAY_SIZE(pages), VM_MAP, PAGE_KERNEL);
	CHECK(large && small && map);
	vfree(large);
	vfree(large);
	CHECK_LOG(
		"vfree: 0x[0-9a-f]+: the area 0x[0-9a-f]+000-0x[0-9a-f]+3fffff, vmalloc\\(\\)'s, asked for by .*, is free: ");
	vunmap(map);
	vunmap(map + PAGE_SIZE);
	CHECK_LOG(
		"vunmap: 0x[0-9a-f]+: the area 0x[0-9a-f]+000-0x[0-9a-f]+57fff, vmap\\(\\)'s, asked for by .*, is free: ");
	vfree(small);
	vm_unmap_aliases();
	vfree(small);
	CHECK_LOG(
		"vfree: .*: the area there, within 0x[0-9a-f]+000-0x[0-9a-f]+efff, is free, last asked for by .*: nothing done");
	vfree((void *)VMALLOC_END - PAGE_SIZE);
	CHECK_LOG("vfree: 0x[0-9a-f]+ lies in no area: nothing done");
	__free_page(page);
	host_check();
}

/* Pages, and the array that names them, of vmap() with VM_MAP_PUT_PAGES. */
static struct page **array_of(unsigned int nr, bool large)
{
	struct page **pages = large ? vmalloc(nr * sizeof(*pages)) : kmalloc(nr * sizeof(*pages), GFP_KERNEL);

	CHECK(pages);
	for (unsigned int i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		CHECK(pages[i]);
	}
	return pages;
}

static void check_put(unsigned int nr, bool large)
{
	unsigned long start = host_quiet_pages();
	struct page **pages = array_of(nr, large), *held = pages[nr / 2];
	char *map = vmap(pages, nr, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);

	CHECK(map);
	map[nr * PAGE_SIZE - 1] = 3;
	get_page(held);
	vfree(map);
	CHECK_EQ(page_ref_count(held), 1);
	CHECK_EQ(host_quiet_pages(), start - 1);
	put_page(held);
	CHECK_EQ(host_quiet_pages(), start);
	host_log_clear();
	vfree(map);
	CHECK_LOG("vfree: .*, is free");
	CHECK(vmalloc_check());
}

static void test_put_pages(void)
{
	struct page **pages;
	char *map;

	host_boot_simple(64 * MIB, 1);
	check_put(1, false);
	check_put(100, true);
	check_put(600, true);
	/* Only unmapped: the rest is the caller's again. */
	pages = array_of(3, false);
	map = vmap(pages, 3, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	CHECK(map);
	vunmap(map);
	/* What fails takes nothing. */
	CHECK(!vmap(pages, 3, VM_MAP | VM_MAP_PUT_PAGES, 1ULL << 63));
	CHECK(!vmap(pages, 3, 0x8, PAGE_KERNEL));
	CHECK_LOG("vmap: 3 pages, asked for by .*: its flags are none that there are: nothing mapped");
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(page_ref_count(pages[i]), 1);
		__free_page(pages[i]);
	}
	pages[1] = NULL;
	CHECK(!vmap(pages, 3, VM_MAP, PAGE_KERNEL));
	CHECK_LOG("vmap: 3 pages, asked for by .*: one of them is NULL: nothing mapped");
	CHECK(!vm_map_ram(pages, 3, NUMA_NO_NODE));
	CHECK_LOG("vm_map_ram: 3 pages, asked for by .*: one of them is NULL: nothing mapped");
	kfree(pages);
	CHECK(vmalloc_check());
	host_check();
}

static unsigned int flushes;

static void count_flush(unsigned long start, unsigned long end)
{
	CHECK(start < end);
	flushes++;
}

/* All TLBs are told once when a physical mapping ends, small or large, and nobody gets its address before. */
static void test_flushed_once(void)
{
	static const unsigned long counts[] = { 1, 511, 512, 3000 };

	host_boot_simple(64 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		void *map = vmap_phys(0x40000000, counts[i], PAGE_KERNEL, VMAP_DMA, test_flushed_once);

		CHECK(map);
		host_log_clear();
		show_vmalloc_areas();
		CHECK_LOG("^0x[0-9a-f]{16}-0x[0-9a-f]{16} +[0-9]+ [^ ]+ pages=[0-9]+ dma-coherent");
		flushes = 0;
		host_tlb_watch(count_flush);
		vunmap_phys("test", map, VMAP_DMA);
		host_tlb_watch(NULL);
		CHECK_EQ(flushes, 1);
	}
	CHECK(vmalloc_check());
}

/* Address space runs out before memory does; whoever asks again when there is some gets it. */
static void test_no_address_space(void)
{
	struct va_extent *one;
	unsigned long start;
	void *mem;

	host_boot_simple(64 * MIB, 1);
	mem = vmalloc(PAGE_SIZE);
	CHECK(mem);
	vfree(mem);
	start = host_quiet_pages();
	one = vmap_extent_get(VMAP_BLOCK_SIZE, NULL);
	CHECK(one);
	host_take_addresses();
	CHECK(!vmalloc(PAGE_SIZE));
	CHECK_LOG("vmalloc: 4096 bytes, CPU 0: no memory, or no address space");
	CHECK(!vmalloc(8 * MIB));
	vmap_extent_put(one);
	mem = vmalloc(PAGE_SIZE);
	CHECK(mem);
	CHECK(!vmalloc(2 * PAGE_SIZE));
	vfree(mem);
	/* That block was of another class, and is given back for this one. */
	mem = vmalloc(2 * PAGE_SIZE);
	CHECK(mem);
	vfree(mem);
	host_put_addresses();
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
}

/*
 * No address space is left but two blocks, one of slots of one page and one of slots of three, which a CPU holds: they
 * are given back for an area that takes both.
 */
static void test_purge_for_large(void)
{
	unsigned long block[2];
	void *mem[2];

	host_boot_simple(64 * MIB, 1);
	for (unsigned int i = 0; i < 2; i++) {
		mem[i] = vmalloc((1 + 2 * i) * PAGE_SIZE);
		CHECK(mem[i]);
		block[i] = ALIGN_DOWN((unsigned long)mem[i], VMAP_BLOCK_SIZE);
	}
	CHECK_EQ(block[1], block[0] + VMAP_BLOCK_SIZE);
	for (int i = 0; i < 2; i++)
		vfree(mem[i]);
	host_take_addresses();
	mem[0] = vmalloc(3 * MIB);
	CHECK_EQ((unsigned long)mem[0], block[0]);
	vfree(mem[0]);
	host_put_addresses();
	CHECK(vmalloc_check());
	host_check();
}

/* Eight CPUs and their handlers, which free. */

#define CPUS 8

static void *handed[CPUS][16]; /* by mailbox, atomic */

static void free_in_handler(void *arg)
{
	void *mem = __atomic_exchange_n((void **)arg, NULL, __ATOMIC_ACQ_REL);

	vfree(mem);
}

static void load(void *arg)
{
	int cpu = smp_processor_id();

	tap_random_stream((unsigned int)cpu + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		void **box = &handed[tap_below(CPUS)][tap_below(16)];
		size_t size = 1 + tap_below(n % 32 ? 60000 : 3 * MIB);
		u64 *mem = vmalloc(size), *old;

		CHECK(mem);
		*mem = stamp_of((uintptr_t)mem, 0);
		old = __atomic_exchange_n(box, mem, __ATOMIC_ACQ_REL);
		if (old)
			CHECK_EQ(*old, stamp_of((uintptr_t)old, 0));
		vfree(old);
		if (n % 16 == 0)
			host_interrupt((int)tap_below((u64)nr_cpu_ids), free_in_handler,
				       &handed[tap_below(CPUS)][tap_below(16)]);
	}
}

static void test_threads(void)
{
	unsigned long n = tap_ops(600), start;

	host_boot_simple(1024 * MIB, CPUS);
	start = host_quiet_pages();
	host_cpus_start();
	host_on_all_cpus(load, &n);
	for (int i = 0; i < CPUS * 16; i++)
		vfree((&handed[0][0])[i]);
	CHECK(vmalloc_check());
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static bool walking, has_walked; /* atomic */

/*
 * What others map and unmap at the moment: whatever is found is a page of RAM. The last walk begins when they are done,
 * and finds what they have left.
 */
static void walk(void *arg)
{
	unsigned long *found = arg;
	bool again;

	do {
		struct vmap_area area = { .addr = 0 };

		again = __atomic_load_n(&walking, __ATOMIC_ACQUIRE);
		while (vmap_area_next(area.addr + PAGE_SIZE, &area)) {
			for (u32 i = 0; i < area.nr_pages; i += 1 + area.nr_pages / 8) {
				const struct page *page = vmap_page_at(area.addr + i * PAGE_SIZE);

				/* The area may have other pages by now, or none. */
				CHECK(!page || (page_initialised(page_to_pfn(page)) && page_to_nid(page) == 0));
				*found += page != NULL;
			}
		}
		vmalloc_nr_pages();
		__atomic_store_n(&has_walked, true, __ATOMIC_RELEASE);
	} while (again);
}

static void test_walkers(void)
{
	unsigned long n = tap_ops(600), found = 0;

	host_boot_simple(1024 * MIB, 4);
	host_cpus_start();
	__atomic_store_n(&walking, true, __ATOMIC_RELEASE);
	CHECK_EQ(smp_work_start(1, walk, &found), 0);
	while (!__atomic_load_n(&has_walked, __ATOMIC_ACQUIRE))
		cpu_relax();
	for (int cpu = 2; cpu < 4; cpu++)
		CHECK_EQ(smp_work_start(cpu, load, &n), 0);
	load(&n);
	for (int cpu = 2; cpu < 4; cpu++)
		smp_work_wait(cpu);
	__atomic_store_n(&walking, false, __ATOMIC_RELEASE);
	smp_work_wait(1);
	CHECK(found);
	for (int i = 0; i < CPUS * 16; i++)
		vfree((&handed[0][0])[i]);
	CHECK(vmalloc_check());
	host_check();
	host_cpus_stop();
}

/*
 * A page table entry where nobody has the addresses: vmalloc_check() finds it, before, between and behind what is in
 * use.
 */
static void test_leftover_entry(void)
{
	unsigned long places[3];
	void *low, *high;

	host_boot_simple(64 * MIB, 1);
	low = vmalloc(4 * MIB);
	high = vmalloc(4 * MIB);
	CHECK(low && high);
	places[0] = (unsigned long)low;
	vfree(low);
	places[1] = (unsigned long)high + 6 * MIB;
	places[2] = VMALLOC_END - VMAP_BLOCK_SIZE;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CHECK(vmalloc_check());
		CHECK_EQ(arch_vmap_block(places[i], 0x40000000, PAGE_KERNEL), 0);
		host_log_clear();
		CHECK(!vmalloc_check());
		CHECK_LOG("vmalloc check: 0x[0-9a-f]+ is mapped, in the free addresses 0x[0-9a-f]+-0x[0-9a-f]+");
		CHECK(arch_vunmap_block(places[i]));
	}
	vfree(high);
	host_check();
}

/*
 * The same where somebody gets the addresses: nothing is mapped over it, neither an area, nor a block of slots, nor a
 * chunk.
 */
static void test_mapped_already(void)
{
	struct va_extent *extent;
	unsigned long place;
	phys_addr_t pa;
	void *mem;

	host_boot_simple(64 * MIB, 1);
	mem = vmalloc(4 * MIB);
	CHECK(mem);
	place = (unsigned long)mem + 2 * MIB;
	vfree(mem);
	CHECK_EQ(arch_vmap_block(place, 0x40000000, PAGE_KERNEL), 0);
	CHECK(!vmalloc(4 * MIB) && !vmalloc_huge(4 * MIB, GFP_KERNEL));
	CHECK_LOG(
		"vmalloc: 0x[0-9a-f]+ is mapped to 0x40000000, in the free addresses 0x[0-9a-f]+-0x[0-9a-f]+, which are wanted: refused");
	CHECK_EQ(vmap_extent_get_at(place, VMAP_BLOCK_SIZE, &extent), -EBUSY);
	mem = vmalloc(PAGE_SIZE);
	CHECK(mem);
	host_log_clear();
	CHECK(!vmalloc(200 * PAGE_SIZE));
	CHECK_LOG("is mapped to 0x40000000, in the free addresses 0x[0-9a-f]+-0x[0-9a-f]+, which are wanted: refused");
	CHECK(arch_vmap_lookup(place, &pa) && pa == 0x40000000);
	vfree(mem);
	CHECK(arch_vunmap_block(place));
	mem = vmalloc(4 * MIB);
	CHECK(mem);
	vfree(mem);
	CHECK(vmalloc_check());
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("extents by address", test_tree),
	TAP_CASE("areas at random", test_random),
	TAP_CASE("sizes", test_sizes),
	TAP_CASE("blocks of 2 MiB", test_huge),
	TAP_CASE("nothing between large areas", test_large_guard),
	TAP_CASE("a reference holds one page, past vfree()", test_references),
	TAP_CASE("all CPUs ask for the pages of one area", test_references_at_once),
	TAP_CASE("what cannot be had is refused, and nothing is left", test_refused),
	TAP_CASE("wrong frees are reported, with the area", test_bad_frees),
	TAP_CASE("what ended and is gone is named when it is ended again", test_ended),
	TAP_CASE("vmap() is given pages for good", test_put_pages),
	TAP_CASE("the end of a physical mapping is told once", test_flushed_once),
	TAP_CASE("address space runs out", test_no_address_space),
	TAP_CASE("address space that CPUs hold is given back for a large area", test_purge_for_large),
	TAP_CASE("8 CPUs and interrupts", test_threads),
	TAP_CASE("a CPU walks while others map and unmap", test_walkers),
	TAP_CASE("an entry left in free addresses is found", test_leftover_entry),
	TAP_CASE("nothing is mapped over what is mapped", test_mapped_already),
};
TAP_MAIN(cases)
