// SPDX-License-Identifier: BSD-2-Clause
/*
 * set_memory_*(): what may be changed, what is refused, and what is said of it. That rights hold is tried by the
 * kernel's own accesses.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <mm/vmalloc.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define MIB (1ULL << 20)

/* What the host's kernel may do at @addr for us. */
static void check_may(const char *addr, bool readable, bool writable)
{
	char byte;
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(syscall(SYS_read, ends[0], addr, 1) == 1, writable);
	if (!writable)
		CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(syscall(SYS_write, ends[1], addr, 1) == 1, readable);
	close(ends[0]);
	close(ends[1]);
}

static void check_rights(char *page)
{
	unsigned long at = (unsigned long)page;
	struct arch_mapping mapping;

	check_may(page, true, true);
	CHECK_EQ(set_memory_ro(at, 1), 0);
	check_may(page, true, false);
	check_may(page - 1, true, true);
	check_may(page + PAGE_SIZE, true, true);
	CHECK_EQ(set_memory_x(at, 1), 0);
	CHECK_EQ(set_memory_rw(at, 1), -EPERM);
	CHECK_LOG(
		"set_memory_rw: 0x[0-9a-f]+, 1 pages, .*: it is executable, and would be writable as well: nothing changed");
	arch_query_mapping(at, &mapping);
	CHECK(mapping.executable && !mapping.writable);
	CHECK_EQ(set_memory_nx(at, 1), 0);
	CHECK_EQ(set_memory_rw(at, 1), 0);
	check_may(page, true, true);
	CHECK_EQ(set_memory_x(at, 1), -EPERM);
	CHECK_LOG(
		"set_memory_x: 0x[0-9a-f]+, 1 pages, .*: it is writable, and would be executable as well: nothing changed");
	CHECK_EQ(set_memory_valid(at, 1, 0), 0);
	check_may(page, false, false);
	CHECK_EQ(set_memory_valid(at, 1, 1), 0);
	check_may(page, true, true);
}

static void test_linear(void)
{
	struct page *pages;

	host_boot_simple(64 * MIB, 1);
	pages = alloc_pages(GFP_KERNEL, 2);
	CHECK(pages);
	check_rights((char *)page_address(pages) + PAGE_SIZE);
	__free_pages(pages, 2);
	host_check();
}

static void test_vmalloc(void)
{
	char *area, *again;

	host_boot_simple(64 * MIB, 1);
	area = vmalloc(3 * PAGE_SIZE);
	CHECK(area);
	check_rights(area + PAGE_SIZE);
	/* What is mapped anew has the rights of something new. */
	CHECK_EQ(set_memory_ro((unsigned long)area, 3), 0);
	vfree(area);
	vm_unmap_aliases();
	again = vmalloc(3 * PAGE_SIZE);
	CHECK(again);
	check_may(again, true, true);
	vfree(again);
	host_check();
}

/* What is switched off keeps its rights, and so what it must not become. */
static void test_switched_off(void)
{
	unsigned long page;

	host_boot_simple(64 * MIB, 1);
	page = __get_free_page(GFP_KERNEL);
	CHECK(page);
	CHECK_EQ(set_memory_valid(page, 1, 0), 0);
	CHECK_EQ(set_memory_x(page, 1), -EPERM);
	CHECK_LOG("set_memory_x: 0x[0-9a-f]+, 1 pages, .*: it is writable, and would be executable as well");
	CHECK_EQ(set_memory_ro(page, 1), 0);
	CHECK_EQ(set_memory_x(page, 1), 0);
	CHECK_EQ(set_memory_rw(page, 1), -EPERM);
	CHECK_LOG("set_memory_rw: 0x[0-9a-f]+, 1 pages, .*: it is executable, and would be writable as well");
	CHECK_EQ(set_memory_valid(page, 1, 1), 0);
	check_may((char *)page, true, false);
	CHECK_EQ(set_memory_nx(page, 1), 0);
	CHECK_EQ(set_memory_rw(page, 1), 0);
	free_page(page);
	host_check();
}

static void test_no_tables(void)
{
	unsigned long page;

	host_boot_simple(64 * MIB, 1);
	page = __get_free_page(GFP_KERNEL);
	CHECK(page);
	host_rights_fail();
	CHECK_EQ(set_memory_ro(page, 1), -ENOMEM);
	CHECK_LOG(
		"set_memory_ro: 0x[0-9a-f]+, 1 pages, the page allocator's, in .*: no memory for page tables: nothing changed");
	check_may((char *)page, true, true);
	CHECK_EQ(set_memory_ro(page, 1), 0);
	check_may((char *)page, true, false);
	CHECK_EQ(set_memory_rw(page, 1), 0);
	free_page(page);
	host_check();
}

/*
 * Two CPUs want to run and to write the same pages, which are read-only and not executable: one of them is refused.
 *
 *	CPU 0	set_memory_x()		read-only, executable:	CPU 1 is refused
 *	CPU 1	set_memory_rw()		writable:		CPU 0 is refused
 */
#define RACE_ORDER 10
#define RACE_PAGES (1UL << RACE_ORDER)

static struct race {
	unsigned long pages;
	u32 ready; /* atomic */
	int err;
} race;

static void want_writable(void *arg)
{
	(void)arg;
	host_meet(&race.ready, 2, 1);
	race.err = set_memory_rw(race.pages, RACE_PAGES);
}

static void check_race(int err)
{
	struct arch_mapping mapping;

	CHECK((!err && race.err == -EPERM) || (err == -EPERM && !race.err));
	for (unsigned long at = race.pages; at < race.pages + RACE_PAGES * PAGE_SIZE; at += PAGE_SIZE) {
		arch_query_mapping(at, &mapping);
		CHECK(mapping.executable == !err && mapping.writable == !race.err);
	}
}

static void test_race(void)
{
	host_boot_simple(64 * MIB, 2);
	host_cpus_start();
	host_mute();
	race.pages = __get_free_pages(GFP_KERNEL, RACE_ORDER);
	CHECK(race.pages);
	for (unsigned long n = tap_ops(200); n; n--) {
		int err;

		CHECK_EQ(set_memory_ro(race.pages, RACE_PAGES), 0);
		race.ready = 0;
		CHECK_EQ(smp_work_start(1, want_writable, NULL), 0);
		host_meet(&race.ready, 2, 1);
		err = set_memory_x(race.pages, RACE_PAGES);
		smp_work_wait(1);
		check_race(err);
		CHECK_EQ(set_memory_nx(race.pages, RACE_PAGES), 0);
		host_log_clear();
	}
	CHECK_EQ(set_memory_rw(race.pages, RACE_PAGES), 0);
	free_pages(race.pages, RACE_ORDER);
	host_cpus_stop();
	host_check();
}

static void test_refused(void)
{
	unsigned long page, area;

	host_boot_simple(64 * MIB, 1);
	page = __get_free_page(GFP_KERNEL);
	area = (unsigned long)vmalloc(2 * PAGE_SIZE);
	CHECK(page && area);
	CHECK_EQ(set_memory_ro(page, 0), -EINVAL);
	CHECK_LOG(
		"set_memory_ro: 0x[0-9a-f]+, 0 pages, the page allocator's, in \\[mem 0x.*\\] of /memory@.*: no pages: nothing changed");
	CHECK_EQ(set_memory_nx(page + 1, 1), -EINVAL);
	CHECK_LOG("set_memory_nx: .*: not the beginning of a page");
	CHECK_EQ(set_memory_valid(page, 1UL << 51, 0), -EINVAL);
	CHECK_LOG("set_memory_valid: 0x[0-9a-f]+, 2251799813685248 pages, .*: reaches past the end of the linear map");
	CHECK_EQ(set_memory_valid(page, ~0UL, 0), -EINVAL);
	CHECK_LOG("18446744073709551615 pages, .*: reaches past the end of the address space");
	CHECK_EQ(set_memory_ro((unsigned long)__va(0), 1), -EINVAL);
	CHECK_LOG("set_memory_ro: .*, 1 pages, no memory: not all of it is mapped");
	CHECK_EQ(set_memory_rw(area + PAGE_SIZE, 2), -EINVAL);
	CHECK_LOG(
		"set_memory_rw: .*, 2 pages, the area 0x[0-9a-f]+-0x[0-9a-f]+, vmalloc\\(\\)'s, asked for by .*: not in one area");
	CHECK_EQ(set_memory_rw(VMALLOC_END - PAGE_SIZE, 1), -EINVAL);
	CHECK_LOG("set_memory_rw: .*, 1 pages, no area: not in one area");
	CHECK_EQ(set_memory_rw(0x10000, 1), -EINVAL);
	CHECK_LOG("set_memory_rw: 0x10000, 1 pages, .*: neither in the linear map nor in vmalloc's addresses");
	local_irq_disable();
	CHECK_EQ(set_memory_ro(page, 1), -EBUSY);
	local_irq_enable();
	CHECK_LOG("interrupts are masked, or it is a handler that asks");
	check_may((char *)page, true, true);
	check_may((char *)area, true, true);
	vfree((void *)area);
	free_page(page);
	host_check();
}

static const struct tap_case cases[] = {
	TAP_CASE("rights of pages of the linear map", test_linear),
	TAP_CASE("rights of vmalloc's pages", test_vmalloc),
	TAP_CASE("rights of pages that are switched off", test_switched_off),
	TAP_CASE("no page for a table", test_no_tables),
	TAP_CASE("writable on one CPU, executable on another: one is refused", test_race),
	TAP_CASE("what is refused, and what is said", test_refused),
};
TAP_MAIN(cases)
