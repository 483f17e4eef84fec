// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages with two addresses, vmalloc()'s and the linear one: what set_memory_*() of one makes of the other, and what
 * vfree() gives back.
 *
 *				vmalloc()'s	linear
 *	set_memory_ro()		r--		r--
 *	set_memory_x()		r-x		r--
 *	vfree()			none		rw-	at once by a thread; after a handler, when a thread comes by
 */
#include <errno.h>
#include <string.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <mm/vmalloc.h>

#include "../../mm/vmap.h"
#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)

static unsigned long linear_of(const char *addr)
{
	return (unsigned long)page_address(vmalloc_to_page(addr));
}

static void check_may(unsigned long at, bool writable, bool executable)
{
	struct arch_mapping mapping;

	arch_query_mapping(at, &mapping);
	CHECK(mapping.mapped && mapping.writable == writable && mapping.executable == executable);
}

/* What both addresses of @nr pages allow. */
static void check_both(const char *area, unsigned long nr, bool writable, bool executable)
{
	for (unsigned long i = 0; i < nr; i++) {
		check_may((unsigned long)area + i * PAGE_SIZE, writable, executable);
		check_may(linear_of(area + i * PAGE_SIZE), writable, false);
	}
}

static void check_area(void *(*way)(size_t size, gfp_t gfp), unsigned long nr)
{
	unsigned long start = host_quiet_pages(), from = nr / 3, count = nr - from;
	char *area = way(nr * PAGE_SIZE, GFP_KERNEL), *part = area + from * PAGE_SIZE;
	unsigned long at = (unsigned long)part;

	CHECK(area);
	CHECK_EQ(set_memory_ro(at, count), 0);
	check_both(area, from, true, false);
	check_both(part, count, false, false);
	CHECK_EQ(set_memory_x(at, count), 0);
	check_both(part, count, false, true);
	CHECK_EQ(set_memory_rw(at, count), -EPERM);
	CHECK_LOG("set_memory_rw: .*: it is executable, and would be writable as well: nothing changed");
	check_both(part, count, false, true);
	CHECK_EQ(set_memory_nx(at, count), 0);
	CHECK_EQ(set_memory_rw(at, count), 0);
	check_both(area, nr, true, false);
	CHECK_EQ(set_memory_ro(at, count), 0);
	CHECK_EQ(set_memory_x(at, 1), 0);
	CHECK_EQ(vmalloc_nr_pages(), nr);
	vfree(area);
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
}

/* All of free memory can be written again: whoever gets it may rely on that. */
static void write_all_memory(void)
{
	struct page *page;
	LIST_HEAD(taken);

	CHECK(take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken));
	list_for_each_entry(page, &taken, lru)
		memset(page_address(page), 0xa5, PAGE_SIZE);
	give_blocks(&taken);
}

static void test_areas(void)
{
	static const unsigned long counts[] = { 1, 3, 16, 511, 700, 1024 };

	host_boot_simple(64 * MIB, 1);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		check_area(__vmalloc, counts[i]);
		check_area(vmalloc_huge, counts[i]);
	}
	write_all_memory();
	host_check();
}

/* What may not be, by either address. */
static void test_refused(void)
{
	unsigned long at, linear;
	struct page *page;
	char *area, *map;

	host_boot_simple(64 * MIB, 1);
	area = vmalloc(2 * PAGE_SIZE);
	CHECK(area);
	at = (unsigned long)area;
	linear = linear_of(area);
	CHECK_EQ(set_memory_ro(at, 2), 0);
	/* Somebody makes the linear address alone writable again. */
	CHECK_EQ(set_memory_rw(linear, 1), 0);
	CHECK_EQ(set_memory_x(at, 2), -EPERM);
	CHECK_LOG(
		"set_memory_x: 0x[0-9a-f]+, 2 pages, the area .*: its pages can be written at other addresses: 0x[0-9a-f]+, the page allocator's, in .*: nothing changed");
	check_may(at, false, false);
	CHECK_EQ(set_memory_x(at + PAGE_SIZE, 1), 0);
	CHECK_EQ(set_memory_rw(linear, 1), 0);
	CHECK_EQ(set_memory_rw(linear_of(area + PAGE_SIZE), 1), -EPERM);
	CHECK_LOG(
		"set_memory_rw: 0x[0-9a-f]+, 1 pages, .*: its pages are executable at other addresses: 0x[0-9a-f]+, the area .*: nothing changed");
	check_may(linear_of(area + PAGE_SIZE), false, false);
	vfree(area);
	/* Once the area is gone, nothing is in the way. */
	CHECK_EQ(set_memory_ro(linear, 1), 0);
	CHECK_EQ(set_memory_rw(linear, 1), 0);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO);
	CHECK(map);
	CHECK_EQ(set_memory_x((unsigned long)map, 1), -EPERM);
	CHECK_LOG(
		"set_memory_x: .*, vmap\\(\\)'s, .*: its pages can be written at other addresses: 0x[0-9a-f]+, the page allocator's");
	CHECK_EQ(set_memory_rw((unsigned long)map, 1), 0);
	CHECK_EQ(set_memory_ro((unsigned long)map, 1), 0);
	check_may((unsigned long)page_address(page), true, false);
	vunmap(map);
	__free_page(page);
	host_check();
}

static void refuse_writable(struct page **pages, unsigned int nr, const char *where)
{
	unsigned long start = host_quiet_pages(), flags;

	host_log_clear();
	CHECK(!vmap(pages, nr, VM_MAP, PAGE_KERNEL));
	CHECK_LOG("vmap: [0-9]+ pages, asked for by .*: one of them is executable at 0x[0-9a-f]+, .*: nothing mapped");
	CHECK_LOG(where);
	CHECK(!vm_map_ram(pages, nr, NUMA_NO_NODE) && !vmap(pages, nr, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL_NC));
	vunmap(vmap(pages, nr, VM_MAP, PAGE_KERNEL_RO));
	flags = local_irq_save();
	CHECK(!vmap(pages, nr, VM_MAP, PAGE_KERNEL));
	CHECK_LOG("vmap: .*: with interrupts masked, while there may be executable pages: nothing mapped");
	local_irq_restore(flags);
	CHECK_EQ(host_quiet_pages(), start);
	CHECK(vmalloc_check());
}

#define MANY 600

/*
 * A page at three addresses: what can be written at one of them is executable at none.
 *
 *	vmalloc()'s	vmap()'s
 *	r--		rw-		set_memory_x() there is refused
 *	r-x		r--		set_memory_rw() here, and vmap() of rw-, are refused
 */
static void test_third(void)
{
	char *area, *map;
	struct page *pages[MANY];
	unsigned long at;

	host_boot_simple(64 * MIB, 1);
	area = vmalloc(MANY * PAGE_SIZE);
	CHECK(area);
	for (unsigned int i = 0; i < MANY; i++)
		pages[i] = vmalloc_to_page(area + i * PAGE_SIZE);
	at = (unsigned long)area + (MANY - 2) * PAGE_SIZE;
	CHECK_EQ(set_memory_ro(at, 2), 0);
	for (unsigned int nr = 2; nr <= MANY; nr += MANY - 2) {
		map = vmap(pages + MANY - nr, nr, VM_MAP, PAGE_KERNEL);
		CHECK(map);
		CHECK_EQ(set_memory_x(at, 2), -EPERM);
		CHECK_LOG(
			"set_memory_x: 0x[0-9a-f]+, 2 pages, the area .*: its pages can be written at other addresses: 0x[0-9a-f]+, the area .*, vmap\\(\\)'s, asked for by .*: nothing");
		CHECK_EQ(set_memory_ro((unsigned long)map, nr), 0);
		CHECK_EQ(set_memory_x(at, 2), 0);
		CHECK_EQ(set_memory_rw((unsigned long)map, nr), -EPERM);
		CHECK_LOG(
			"set_memory_rw: .*, vmap.*: its pages are executable at other addresses: 0x[0-9a-f]+, the area .*, vmalloc\\(\\)'s, .*: nothing");
		vunmap(map);
		refuse_writable(pages + MANY - nr, nr, "vmalloc\\(\\)'s, with rights changed, asked for by");
		map = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
		CHECK(map);
		vunmap(map);
		CHECK_EQ(set_memory_nx(at, 2), 0);
	}
	vfree(area);
	CHECK(vmalloc_check());
	host_check();
}

/* The same of a page that is executable at its linear address, and of one that DMA has. */
static void test_linear(void)
{
	struct page *page;
	unsigned long at;
	char *map;

	host_boot_simple(64 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	at = (unsigned long)page_address(page);
	CHECK_EQ(set_memory_ro(at, 1), 0);
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	CHECK(map);
	CHECK_EQ(set_memory_x(at, 1), -EPERM);
	CHECK_LOG(
		"set_memory_x: .*, the page allocator's, .*: its pages can be written at other addresses: .*, vmap\\(\\)'s");
	vunmap(map);
	map = vmap_phys(ALIGN_DOWN(page_to_phys(page), 4 * MIB), 1024, PAGE_KERNEL_NC, VMAP_DMA, test_linear);
	CHECK(map);
	CHECK_EQ(set_memory_x(at, 1), -EPERM);
	CHECK_LOG("its pages can be written at other addresses: .*, dma_alloc_coherent\\(\\)'s");
	vunmap_phys("test", map, VMAP_DMA);
	CHECK_EQ(set_memory_x(at, 1), 0);
	refuse_writable(&page, 1, "its linear address");
	CHECK_EQ(set_memory_nx(at, 1), 0);
	CHECK_EQ(set_memory_rw(at, 1), 0);
	map = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	CHECK(map);
	vunmap(map);
	__free_page(page);
	host_check();
}

/* One CPU maps a page to be written, another wants to run it, in the same moment: never do both get it. */

static struct page *wanted;
static char *run_at;
static u32 running, writing; /* 1 while a CPU has what it wanted; atomic */
static u32 ran, written;     /* how often one has had it; atomic */

/* This CPU has it: as long as that is so the other one has not. */
static void have(u32 *mine, const u32 *other, u32 *times)
{
	__atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 5000; i++)
		CHECK(!__atomic_load_n(other, __ATOMIC_SEQ_CST));
	__atomic_store_n(mine, 0, __ATOMIC_SEQ_CST);
	fetch_add32(times, 1);
}

static void map_again(void *arg)
{
	while (!__atomic_load_n((const u32 *)arg, __ATOMIC_ACQUIRE)) {
		char *map = vmap(&wanted, 1, VM_MAP, PAGE_KERNEL);

		if (map)
			have(&writing, &running, &written);
		vunmap(map);
	}
}

#define ROUNDS_MOST 200000

static void test_third_race(void)
{
	unsigned long at;
	u32 over = 0;

	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	host_mute();
	run_at = vmalloc(PAGE_SIZE);
	CHECK(run_at);
	wanted = vmalloc_to_page(run_at);
	at = (unsigned long)run_at;
	CHECK_EQ(smp_work_start(1, map_again, &over), 0);
	/* Until both have had it, which on one CPU of the host takes long. */
	for (unsigned long n = 0; n < tap_ops(500) || (n < ROUNDS_MOST && (!ran || !READ_ONCE(written))); n++) {
		CHECK_EQ(set_memory_ro(at, 1), 0);
		if (!set_memory_x(at, 1)) {
			have(&running, &writing, &ran);
			CHECK_EQ(set_memory_nx(at, 1), 0);
		}
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	smp_work_wait(1);
	CHECK(ran && written);
	vfree(run_at);
	host_cpus_stop();
	host_check();
}

/* The same with one of them at two known moments of the other, whatever CPUs do. */

static unsigned long runs_between; /* what becomes executable when vmap() looks; 0: nothing */
static bool before_look;	   /* right before, or right after */
static int between;		   /* with this result */

bool real_rights_allow(unsigned long va, unsigned long end, unsigned long *other) __asm__("__real_vmap_rights_allow");
bool rights_allow(unsigned long va, unsigned long end, unsigned long *other) __asm__("__wrap_vmap_rights_allow");

/* Calls of vmap_rights_allow() come here (scripts/host.mk). */
bool rights_allow(unsigned long va, unsigned long end, unsigned long *other)
{
	bool allowed;

	if (runs_between && before_look)
		between = set_memory_x(runs_between, 1);
	allowed = real_rights_allow(va, end, other);
	if (runs_between && !before_look)
		between = set_memory_x(runs_between, 1);
	return allowed;
}

/* @page, read-only at @at, is mapped @count times. Return: what can be written; NULL: it is executable. */
static void *map_between(struct page *page, unsigned long at, unsigned int count, bool before)
{
	static struct page *pages[600];
	void *map;

	for (unsigned int i = 0; i < count; i++)
		pages[i] = page;
	runs_between = at;
	before_look = before;
	between = 1;
	map = count % 2 ? vmap(pages, count, VM_MAP, PAGE_KERNEL) : vm_map_ram(pages, count, NUMA_NO_NODE);
	runs_between = 0;
	CHECK(between <= 0);
	return map;
}

/*
 *	vmap()		maps, is known to walks | looks whether a page is executable | returns
 *	set_memory_x()	                        ^ here                               ^ or here
 *
 * It walks, and sees the mapping. If vmap() looked first, it would see none, and both would have the page.
 */
static void try_between(struct page *page, unsigned long at)
{
	static const unsigned int counts[] = { 1, 2, 599, 600 };

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
		unsigned int count = counts[i / 2];
		void *map;

		CHECK_EQ(set_memory_ro(at, 1), 0);
		map = map_between(page, at, count, i % 2);
		CHECK_EQ(between, -EPERM);
		CHECK(map);
		check_may(at, false, false);
		if (count % 2)
			vunmap(map);
		else
			vm_unmap_ram(map, count);
		CHECK_EQ(set_memory_x(at, 1), 0);
		CHECK_EQ(set_memory_nx(at, 1), 0);
		CHECK_EQ(set_memory_rw(at, 1), 0);
	}
}

static void test_third_between(void)
{
	char *area;
	struct page *page;

	host_boot_simple(64 * MIB, 1);
	page = alloc_page(GFP_KERNEL);
	CHECK(page);
	try_between(page, (unsigned long)page_address(page));
	__free_page(page);
	area = vmalloc(PAGE_SIZE);
	CHECK(area);
	try_between(vmalloc_to_page(area), (unsigned long)area);
	vfree(area);
	host_check();
}

/* No page for a table, in the midst of it: nothing has changed, or it is done later. */
static void test_no_tables(void)
{
	unsigned long start;
	char *area;

	host_boot_simple(64 * MIB, 1);
	start = host_quiet_pages();
	area = vmalloc(3 * PAGE_SIZE);
	CHECK(area);
	host_rights_fail();
	CHECK_EQ(set_memory_ro((unsigned long)area, 3), -ENOMEM);
	CHECK_LOG("set_memory_ro: .*: no memory for page tables: nothing changed");
	check_both(area, 3, true, false);
	CHECK_EQ(set_memory_ro((unsigned long)area, 3), 0);
	host_rights_fail();
	CHECK_EQ(set_memory_rw((unsigned long)area, 3), -ENOMEM);
	check_both(area, 3, false, false);
	host_rights_fail();
	vfree(area);
	CHECK_LOG("vfree: 0x[0-9a-f]+, 3 pages: no memory to make them writable: they are freed later");
	CHECK_EQ(vmalloc_nr_pages(), 3);
	CHECK(vmalloc_check());
	vfree(area);
	CHECK_LOG("vfree: .* lies in the area .*, vmalloc\\(\\)'s, freed by a handler or late, .*: nothing done");
	vm_unmap_aliases();
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK_EQ(host_quiet_pages(), start);
	write_all_memory();
	host_check();
}

/*
 * The same at each step of a change, of an area whose pages are many runs in the linear map: both addresses are as they
 * were.
 */
static void test_restored(void)
{
	struct page *page, *next;
	unsigned int steps = 0;
	LIST_HEAD(taken);
	LIST_HEAD(kept);
	char *area;

	host_boot_simple(64 * MIB, 1);
	/* Only every other page is free, but for what is kept for handlers. */
	take_blocks(NUMA_NO_NODE, GFP_KERNEL, 0, &taken);
	list_for_each_entry_safe(page, next, &taken, lru)
		if (page_to_pfn(page) % 2 == 0)
			list_move(&page->lru, &kept);
	give_blocks(&taken);
	area = vmalloc(5 * PAGE_SIZE);
	CHECK(area);
	for (enum arch_rights rights = RIGHTS_RO; rights <= RIGHTS_RW; rights++) {
		unsigned int nth = 0;
		int err;

		do {
			/* One page is read-only before, and stays it. */
			CHECK_EQ(set_memory_rw((unsigned long)area, 5), 0);
			CHECK_EQ(set_memory_ro((unsigned long)area, rights == RIGHTS_RO ? 1 : 5), 0);
			host_rights_fail_at(++nth);
			err = rights == RIGHTS_RO ? set_memory_ro((unsigned long)area, 5) :
						    set_memory_rw((unsigned long)area, 5);
			host_rights_fail_at(0);
			check_both(area, 1, !err && rights == RIGHTS_RW, false);
			check_both(area + PAGE_SIZE, 4, (rights == RIGHTS_RO) == !!err, false);
		} while (err == -ENOMEM);
		CHECK_EQ(err, 0);
		steps += nth;
	}
	/* Two runs of pages at the least, and the area: the fourth change is none of these. */
	CHECK(steps >= 2 * 4);
	vfree(area);
	give_blocks(&kept);
	write_all_memory();
	host_check();
}

static void free_in_handler(void *mem)
{
	vfree(mem);
}

/* A handler's vfree() is done by the next thread that comes by: of a large area, of a block, of vm_unmap_aliases(). */
static void test_handler(void)
{
	static const unsigned long counts[] = { 2, 600 };
	unsigned long start, flags;
	char *area;

	host_boot_simple(64 * MIB, 1);
	start = host_quiet_pages();
	for (unsigned int i = 0; i < 3 * ARRAY_SIZE(counts); i++) {
		unsigned long nr = counts[i / 3];
		void *other = NULL;

		area = vmalloc(nr * PAGE_SIZE);
		CHECK(area);
		CHECK_EQ(set_memory_ro((unsigned long)area, nr), 0);
		CHECK_EQ(set_memory_x((unsigned long)area, 1), 0);
		flags = local_irq_save();
		free_in_handler(area);
		local_irq_restore(flags);
		CHECK_EQ(vmalloc_nr_pages(), nr);
		check_may(linear_of(area), false, false);
		if (i % 3 == 0)
			vm_unmap_aliases();
		else
			other = vmalloc(i % 3 == 1 ? 3 * MIB : MIB);
		CHECK_EQ(vmalloc_nr_pages(), i % 3 == 0 ? 0 : i % 3 == 1 ? 768 : 256);
		vfree(other);
		vm_unmap_aliases();
		CHECK(vmalloc_check());
		CHECK_EQ(host_quiet_pages(), start);
	}
	write_all_memory();
	host_check();
}

/* All CPUs change areas of their own and free them; two free one of them at once. */

#define CPUS 4

static char *both[CPUS]; /* atomic */

static void change_and_free(void *arg)
{
	int cpu = smp_processor_id();

	tap_random_stream((unsigned int)cpu + 1);
	for (unsigned long n = *(const unsigned long *)arg; n; n--) {
		unsigned long nr = 1 + tap_below(n % 16 ? 20 : 600);
		char *area = vmalloc(nr * PAGE_SIZE);

		CHECK(area);
		memset(area, cpu, nr * PAGE_SIZE);
		CHECK_EQ(set_memory_ro((unsigned long)area, nr), 0);
		if (n % 2)
			CHECK_EQ(set_memory_x((unsigned long)area, 1 + tap_below(nr)), 0);
		CHECK_EQ(area[nr * PAGE_SIZE - 1], cpu);
		area = __atomic_exchange_n(&both[tap_below(CPUS)], area, __ATOMIC_ACQ_REL);
		if (n % 8)
			vfree(area);
		else if (area)
			host_interrupt((int)tap_below(CPUS), free_in_handler, area);
	}
}

static void test_at_once(void)
{
	unsigned long n = tap_ops(150), start;

	host_boot_simple(256 * MIB, CPUS);
	start = host_quiet_pages();
	host_cpus_start();
	host_on_all_cpus(change_and_free, &n);
	for (int i = 0; i < CPUS; i++)
		vfree(both[i]);
	vm_unmap_aliases();
	CHECK_EQ(vmalloc_bad_frees(), 0);
	CHECK_EQ(vmalloc_nr_pages(), 0);
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	write_all_memory();
	host_check();
	host_cpus_stop();
}

static char *twice;

static void free_twice(void *unused)
{
	(void)unused;
	vfree(twice);
}

/* Two threads end one changed area at once: one does. */
static void test_twice(void)
{
	unsigned long start;

	host_boot_simple(64 * MIB, 2);
	start = host_quiet_pages();
	host_cpus_start();
	host_mute();
	for (unsigned long n = tap_ops(300); n; n--) {
		twice = vmalloc(n % 8 ? PAGE_SIZE : 3 * MIB);
		CHECK(twice);
		CHECK_EQ(set_memory_ro((unsigned long)twice, 1), 0);
		CHECK_EQ(smp_work_start(1, free_twice, NULL), 0);
		vfree(twice);
		smp_work_wait(1);
		CHECK_EQ(vmalloc_nr_pages(), 0);
		host_log_clear();
	}
	CHECK_EQ(vmalloc_bad_frees(), tap_ops(300));
	CHECK(vmalloc_check());
	CHECK_EQ(host_quiet_pages(), start);
	host_check();
	host_cpus_stop();
}

static const struct tap_case cases[] = {
	TAP_CASE("read-only goes for both addresses, and vfree() gives back what can be written", test_areas),
	TAP_CASE("executable at one address and writable at the other is refused", test_refused),
	TAP_CASE("a third address that can be written", test_third),
	TAP_CASE("executable at the linear address", test_linear),
	TAP_CASE("mapped to be written by one CPU, and run by another", test_third_race),
	TAP_CASE("mapped to be written while it becomes executable", test_third_between),
	TAP_CASE("no page for a table", test_no_tables),
	TAP_CASE("no page for a table at each step", test_restored),
	TAP_CASE("a handler frees an area that was changed", test_handler),
	TAP_CASE("all CPUs change and free", test_at_once),
	TAP_CASE("two CPUs end one changed area", test_twice),
};
TAP_MAIN(cases)
