// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table engine on the machine: set_memory_*() on every CPU and from all at once, in the linear map and in vmalloc's
 * addresses, and ranges mapped and unmapped while the machine runs.
 *
 * The pages lie in one block of 2 MiB, so that each change splits it and the last one that is undone merges it:
 *
 *	| page 0 | 1: CPU 0's | 2 | 3: CPU 1's | 4 | 5: CPU 2's | ...	odd pages change, even ones are used meanwhile
 *
 * After each case there are as many tables as before, and as many blocks, groups and pages mapped.
 */
#include <errno.h>
#include <lib/mutex.h>
#include <mm/gfp.h>
#include <mm/port.h>
#include <mm/set_memory.h>
#include <mm/vmalloc.h>
#include <string.h>

#include <asm/exception.h>
#include <asm/sections.h>

#include "../../mm/vmap.h"
#include "target.h"

#define BLOCK_ORDER	9
#define RET_INSTRUCTION 0xd65f03c0d65f03c0ULL
#define ROUNDS		8
#define CHECK_EVERY	5
#define RACE_ROUNDS	50
#define SPLIT_ROUNDS	100
#define RETIRED_MAX	32				    /* tables that may wait to be freed (mm/vmap_retire.c) */
#define FREE_VMALLOC	((VMALLOC_START + VMALLOC_END) / 2) /* areas begin at one end, chunks at the other */
#define FREE_VA		(LINEAR_END - (8UL << 30))	    /* behind all RAM that a machine of today has */

/* What a CPU may do with a page, and with its neighbours. */
struct access {
	char *page;
	bool readable, writable, executable;
};

static u64 *word_of(char *page, unsigned int i)
{
	return (u64 *)(void *)(page + (size_t)i * PAGE_SIZE);
}

/*
 * QEMU's own pages are 1 KiB on a Raspberry Pi 4, and a TLBI by address makes it forget translated code of the first of
 * a page only: what ran before would run on behind that.
 */
#define CODE_END 1016

/* The first and last word of a page, and those beside it, which anybody may write. */
static void try_page(void *arg)
{
	const struct access *may = arg;
	char *last = may->page + PAGE_SIZE - 8;
	u64 value;

	ktap_ok(arch_probe_read(may->page, &value) == may->readable);
	ktap_ok(arch_probe_read(last, &value) == may->readable);
	ktap_ok(arch_probe_write(may->page, RET_INSTRUCTION) == may->writable);
	ktap_ok(arch_probe_write(last, RET_INSTRUCTION) == may->writable);
	ktap_ok(arch_probe_exec(may->page) == may->executable);
	ktap_ok(arch_probe_exec(may->page + CODE_END) == may->executable);
	ktap_ok(arch_probe_read(may->page - 8, &value) && arch_probe_write(may->page - 8, value));
	ktap_ok(arch_probe_read(last + 8, &value) && arch_probe_write(last + 8, value));
	ktap_ok(!arch_probe_exec(last + 8));
}

static void all_may(char *page, bool readable, bool writable, bool executable)
{
	struct access may = { page, readable, writable, executable };
	int cpu;

	for_each_online_cpu(cpu)
		ktap_ok(smp_call_function_single(cpu, try_page, &may) == 0);
}

/* Instructions were written to the page. */
static void sync_code(char *page)
{
	arch_sync_memory(page, PAGE_SIZE);
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

static void each_right(char *page)
{
	unsigned long at = (unsigned long)page;

	*word_of(page, 0) = *(u64 *)(void *)(page + CODE_END) = RET_INSTRUCTION;
	sync_code(page);
	all_may(page, true, true, false);
	ktap_ok(set_memory_ro(at, 1) == 0);
	all_may(page, true, false, false);
	ktap_ok(set_memory_x(at, 1) == 0);
	all_may(page, true, false, true);
	ktap_ok(set_memory_rw(at, 1) == -EPERM);
	ktap_ok(set_memory_nx(at, 1) == 0);
	all_may(page, true, false, false);
	ktap_ok(set_memory_rw(at, 1) == 0);
	all_may(page, true, true, false);
	ktap_ok(set_memory_x(at, 1) == -EPERM);
	ktap_ok(set_memory_valid(at, 1, 0) == 0);
	all_may(page, false, false, false);
	ktap_ok(set_memory_valid(at, 1, 1) == 0);
	all_may(page, true, true, false);
	ktap_ok(*word_of(page, 0) == RET_INSTRUCTION);
}

static struct pt_stats stats_before;

static void note_tables(void)
{
	vm_unmap_aliases();
	ktap_ok(arch_pt_check(&stats_before));
}

static void tables_as_before(void)
{
	struct pt_stats now;

	vm_unmap_aliases();
	ktap_ok(arch_pt_check(&now));
	ktap_ok(now.tables == stats_before.tables);
	for (int level = 1; level <= PT_LAST_LEVEL; level++)
		ktap_ok(now.leaves[level] == stats_before.leaves[level]);
}

static char *linear_block(void)
{
	struct page *block = alloc_pages(GFP_KERNEL, BLOCK_ORDER);

	ktap_ok(block != NULL);
	return block ? page_address(block) : NULL;
}

static void free_block(char *block)
{
	__free_pages(virt_to_page(block), BLOCK_ORDER);
}

static void case_linear(void)
{
	char *block = linear_block();

	if (!block)
		return;
	note_tables();
	each_right(block + PAGE_SIZE);
	each_right(block + 17 * PAGE_SIZE);
	each_right(block + 510 * PAGE_SIZE);
	tables_as_before();
	free_block(block);
}

/* What a table is made of next: pages whose last owner has left something in page->mapping. */
static void free_used_pages(void)
{
	struct page *page[4] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = alloc_page(GFP_KERNEL);
		if (ktap_ok(page[i] != NULL))
			page[i]->mapping = &page[i];
	}
	for (size_t i = 0; i < ARRAY_SIZE(page); i++)
		if (page[i])
			__free_page(page[i]);
}

/* A block of vmalloc's is split and merged, and nothing else is mapped meanwhile: its tables are freed all the same. */
static void split_often(char *blocks)
{
	unsigned long at = (unsigned long)blocks + 5 * PAGE_SIZE;

	for (int i = 0; i < SPLIT_ROUNDS; i++)
		ktap_ok(set_memory_ro(at, 1) == 0 && set_memory_rw(at, 1) == 0);
	ktap_ok(vmap_retired_tables() < RETIRED_MAX);
}

static void case_vmalloc(void)
{
	char *pages = vmalloc(5 * PAGE_SIZE), *blocks = vmalloc_huge(4UL << 20, GFP_KERNEL);

	if (!ktap_ok(pages && blocks))
		return;
	note_tables();
	each_right(pages + PAGE_SIZE);
	each_right(pages + 3 * PAGE_SIZE);
	each_right(blocks + (3UL << 20));
	split_often(blocks);
	tables_as_before();
	vfree(blocks);
	/* Freed while it is split. */
	blocks = vmalloc_huge(4UL << 20, GFP_KERNEL);
	free_used_pages();
	if (ktap_ok(blocks != NULL) && ktap_ok(set_memory_ro((unsigned long)blocks + PAGE_SIZE, 700) == 0)) {
		ktap_ok(arch_probe_write(blocks, 1) && !arch_probe_write(blocks + 700 * PAGE_SIZE, 1));
		vfree(blocks);
		ktap_ok(!arch_probe_write(blocks, 1));
	}
	vfree(pages);
	ktap_ok(vmalloc_check());
}

/* A whole block, and more, in both directions. */
static void case_ranges(void)
{
	struct page *pages = alloc_pages(GFP_KERNEL, BLOCK_ORDER + 1);
	unsigned long at;

	if (!ktap_ok(pages != NULL))
		return;
	at = (unsigned long)page_address(pages);
	note_tables();
	ktap_ok(set_memory_ro(at, 1024) == 0);
	ktap_ok(!arch_probe_write((void *)at, 1) && !arch_probe_write((void *)(at + 1023 * PAGE_SIZE), 1));
	ktap_ok(set_memory_rw(at + 3 * PAGE_SIZE, 1000) == 0);
	ktap_ok(!arch_probe_write((void *)(at + 2 * PAGE_SIZE), 1));
	ktap_ok(arch_probe_write((void *)(at + 3 * PAGE_SIZE), 1));
	ktap_ok(set_memory_valid(at + 100 * PAGE_SIZE, 800, 0) == 0);
	ktap_ok(!arch_probe_write((void *)(at + 512 * PAGE_SIZE), 1));
	ktap_ok(set_memory_valid(at, 1024, 1) == 0);
	ktap_ok(set_memory_rw(at, 1024) == 0);
	ktap_ok(arch_probe_write((void *)at, 1) && arch_probe_write((void *)(at + 1023 * PAGE_SIZE), 1));
	tables_as_before();
	__free_pages(pages, BLOCK_ORDER + 1);
}

static char *shared_block;

/* One CPU's page goes through all that it may be, its neighbours are used, and now and then all tables are walked. */
static void change_own(void *arg)
{
	unsigned int cpu = (unsigned int)smp_processor_id();
	char *page = shared_block + (size_t)(2 * cpu + 1) * PAGE_SIZE;
	unsigned long at = (unsigned long)page;
	struct arch_mapping mapping;
	struct pt_stats stats;
	u64 value;

	(void)arg;
	for (u64 i = 1; i <= ROUNDS; i++) {
		*word_of(page, 0) = i;
		*word_of(page, 1) = ~i;
		ktap_ok(set_memory_ro(at, 1) == 0);
		ktap_ok(!arch_probe_write(page, 0) && arch_probe_read(page, &value) && value == i);
		arch_query_mapping(at, &mapping);
		ktap_ok(mapping.valid && !mapping.writable && mapping.start <= at && at < mapping.end);
		ktap_ok(set_memory_valid(at, 1, 0) == 0);
		ktap_ok(!arch_probe_read(page, &value));
		ktap_ok(*word_of(page, 1) == ~i && arch_probe_write(page + PAGE_SIZE, ~i));
		if (i % CHECK_EVERY == cpu)
			ktap_ok(arch_pt_check(&stats));
		ktap_ok(set_memory_valid(at, 1, 1) == 0);
		ktap_ok(set_memory_rw(at, 1) == 0);
		ktap_ok(*word_of(page, 0) == i);
	}
}

static void case_all_cpus(void)
{
	shared_block = linear_block();
	if (!shared_block)
		return;
	note_tables();
	on_all_cpus(change_own, NULL);
	tables_as_before();
	free_block(shared_block);
}

/**
 * struct race - what two CPUs ask for in the same moment, in many rounds
 * @change: whom they ask: the port, or who sees to both addresses of a page
 * @run: address that CPU 0 wants to run
 * @write: address of the same page that another CPU wants to write, the same one or another
 * @writer: that CPU, for CPU 1 need not be there
 * @met: times that one of them has come to meet the other; atomic
 * @err: what each was told
 * @both: rounds after which the page could be run and written
 * @not_one: rounds in which not just one was refused
 */
static struct race {
	int (*change)(unsigned long va, unsigned long size, enum arch_rights rights);
	unsigned long run, write;
	int writer;
	u32 met;
	int err[2];
	u32 both, not_one;
} race;

static void meet(void)
{
	u32 came;

	__atomic_thread_fence(__ATOMIC_RELEASE);
	came = fetch_add32(&race.met, 1);
	while (__atomic_load_n(&race.met, __ATOMIC_ACQUIRE) <= (came | 1))
		cpu_relax();
}

/* CPU 0 looks at what has come of a round, and puts things back. */
static void judge(void)
{
	struct arch_mapping run, write;

	arch_query_mapping(race.run, &run);
	arch_query_mapping(race.write, &write);
	race.both += run.executable && write.writable;
	race.not_one += !race.err[0] == !race.err[1];
	if (!race.err[0])
		ktap_ok(race.change(race.run, PAGE_SIZE, RIGHTS_NX) == 0);
	if (!race.err[1])
		ktap_ok(race.change(race.write, PAGE_SIZE, RIGHTS_RO) == 0);
}

static void run_or_write(void *arg)
{
	bool writer = smp_processor_id() == race.writer, runner = smp_processor_id() == 0;

	(void)arg;
	for (int i = 0; i < RACE_ROUNDS && (writer || runner); i++) {
		meet();
		race.err[writer] =
			race.change(writer ? race.write : race.run, PAGE_SIZE, writer ? RIGHTS_RW : RIGHTS_X);
		meet();
		if (runner)
			judge();
	}
}

static int change_both(unsigned long va, unsigned long size, enum arch_rights rights)
{
	unsigned long other;

	return vmap_change_rights(va, size, rights, &other);
}

static void race_for(unsigned long run, unsigned long write,
		     int (*change)(unsigned long va, unsigned long size, enum arch_rights rights))
{
	int cpu;

	race = (struct race){ .change = change, .run = run, .write = write };
	for_each_online_cpu(cpu)
		race.writer = cpu;
	on_all_cpus(run_or_write, NULL);
	ktap_ok(race.met == 4 * RACE_ROUNDS);
	ktap_ok(race.both == 0);
	ktap_ok(race.not_one == 0);
}

/* The second page stays read-only, so that nothing is split and merged in each round. */
static void case_race(void)
{
	char *area = vmalloc(2 * PAGE_SIZE);
	unsigned long at = (unsigned long)area;

	if (num_online_cpus() < 2) {
		vfree(area);
		ktap_skip("one CPU");
		return;
	}
	if (!ktap_ok(area != NULL))
		return;
	note_tables();
	ktap_ok(set_memory_ro(at, 2) == 0);
	race_for(at, at, arch_change_rights);
	race_for(at, (unsigned long)page_address(vmalloc_to_page(area)), change_both);
	ktap_ok(set_memory_rw(at, 2) == 0);
	tables_as_before();
	vfree(area);
}

/* Of pages that are switched off the rights stay what they are, and what they must not become. */
static void case_switched_off(void)
{
	char *area = vmalloc(2 * PAGE_SIZE);
	unsigned long at = (unsigned long)area;

	if (!ktap_ok(area != NULL))
		return;
	note_tables();
	ktap_ok(set_memory_valid(at, 1, 0) == 0);
	ktap_ok(set_memory_x(at, 1) == -EPERM);
	ktap_ok(set_memory_ro(at, 1) == 0 && set_memory_x(at, 1) == 0);
	ktap_ok(set_memory_rw(at, 1) == -EPERM);
	ktap_ok(set_memory_valid(at, 1, 1) == 0);
	ktap_ok(!arch_probe_write(area, 0));
	ktap_ok(set_memory_nx(at, 1) == 0 && set_memory_rw(at, 1) == 0);
	tables_as_before();
	vfree(area);
}

static int map_free(unsigned long va, phys_addr_t pa, unsigned long size)
{
	int err;

	mutex_lock(&pt_mutex);
	err = pt_map_range(va, pa, size, PT_RW);
	mutex_unlock(&pt_mutex);
	return err;
}

static int unmap_free(unsigned long va, unsigned long size)
{
	int err;

	mutex_lock(&pt_mutex);
	err = pt_unmap_range(va, size);
	mutex_unlock(&pt_mutex);
	return err;
}

static void cannot_read(void *arg)
{
	u64 value;

	ktap_ok(!arch_probe_read(arg, &value));
}

/* The same memory at other addresses, with an unmapped page in the middle. */
static void case_map(void)
{
	char *block = linear_block(), *second = (char *)FREE_VA;
	unsigned long size = 1UL << (BLOCK_ORDER + PAGE_SHIFT);

	if (!block)
		return;
	note_tables();
	ktap_ok(map_free(FREE_VA, __pa(block), size) == 0);
	ktap_ok(map_free(FREE_VA + PAGE_SIZE, __pa(block), PAGE_SIZE) == -EEXIST);
	ktap_ok(unmap_free(FREE_VA + 5 * PAGE_SIZE, PAGE_SIZE) == 0);
	ktap_ok(unmap_free(FREE_VA, size) == -ENOENT);
	*word_of(block, 4) = 44;
	*word_of(second, 6) = 66;
	ktap_ok(*word_of(second, 4) == 44 && *word_of(block, 6) == 66);
	on_all_cpus(cannot_read, second + 5 * PAGE_SIZE);
	ktap_ok(map_free(FREE_VA + 5 * PAGE_SIZE, __pa(block) + 5 * PAGE_SIZE, PAGE_SIZE) == 0);
	ktap_ok(unmap_free(FREE_VA, size) == 0);
	on_all_cpus(cannot_read, second);
	on_all_cpus(cannot_read, second + 6 * PAGE_SIZE);
	tables_as_before();
	free_block(block);
}

/*
 * Tables that a thread asks for are not made out of what is kept for handlers, in the engine and in vmalloc's
 * addresses.
 */
static void case_short(void)
{
	struct page *own, *page;
	LIST_HEAD(taken);

	if (totalram_pages() > EXHAUST_MAX_PAGES) {
		ktap_skip("more than 4 GiB: too slow under emulation");
		return;
	}
	own = alloc_page(GFP_KERNEL);
	if (!ktap_ok(own != NULL))
		return;
	note_tables();
	/* All that a thread may have: what is left is for handlers. */
	take_all_pages(NUMA_NO_NODE, GFP_KERNEL, &taken);
	ktap_ok(map_free(FREE_VA, page_to_phys(own), PAGE_SIZE) == -ENOMEM);
	ktap_ok(arch_vmap_table_alloc(FREE_VMALLOC) == NULL);
	ktap_ok(arch_vmap_block(FREE_VMALLOC, 0, PAGE_KERNEL) == -ENOMEM);
	page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
	if (ktap_ok(page != NULL))
		__free_page(page);
	give_blocks(&taken);
	ktap_ok(map_free(FREE_VA, page_to_phys(own), PAGE_SIZE) == 0);
	ktap_ok(unmap_free(FREE_VA, PAGE_SIZE) == 0);
	ktap_ok(arch_vmap_table_alloc(FREE_VMALLOC) != NULL);
	arch_vmap_table_free(FREE_VMALLOC);
	tables_as_before();
	__free_page(own);
}

static void case_refused(void)
{
	unsigned long text = (unsigned long)__va(kimage_pa(_text)), flags;
	char *block = linear_block(), *area = vmalloc(2 * PAGE_SIZE);

	if (!ktap_ok(block && area))
		return;
	note_tables();
	ktap_ok(set_memory_ro((unsigned long)block, 0) == -EINVAL);
	ktap_ok(set_memory_ro((unsigned long)block + 8, 1) == -EINVAL);
	ktap_ok(set_memory_ro((unsigned long)block, 1UL << 51) == -EINVAL);
	ktap_ok(set_memory_ro(~0UL << PAGE_SHIFT, 2) == -EINVAL);
	ktap_ok(set_memory_ro(FREE_VA, 1) == -EINVAL);
	ktap_ok(set_memory_rw(text, 1) == -EPERM);
	ktap_ok(set_memory_valid(text - PAGE_SIZE, 2, 0) == -EPERM);
	ktap_ok(set_memory_rw((unsigned long)_text, 1) == -EINVAL);
	ktap_ok(set_memory_rw((unsigned long)area, 3) == -EINVAL);
	ktap_ok(set_memory_rw(VMALLOC_END - PAGE_SIZE, 1) == -EINVAL);
	ktap_ok(set_memory_x((unsigned long)block, 1) == -EPERM);
	flags = local_irq_save();
	ktap_ok(set_memory_ro((unsigned long)block, 1) == -EBUSY);
	local_irq_restore(flags);
	ktap_ok(!arch_probe_write(_text, 0) && !arch_probe_write((void *)text, 0));
	tables_as_before();
	vfree(area);
	free_block(block);
}

static const struct ktap_case cases[] = {
	{ "rights of a page of the linear map, on every CPU", case_linear },
	{ "rights of vmalloc's pages and blocks", case_vmalloc },
	{ "rights of ranges over blocks", case_ranges },
	{ "all CPUs at once in one block", case_all_cpus },
	{ "one CPU wants to write what another wants to run: one is refused", case_race },
	{ "rights of pages that are switched off", case_switched_off },
	{ "mapped and unmapped while the machine runs", case_map },
	{ "what is kept for handlers is not made tables of", case_short },
	{ "what is refused", case_refused },
};
KTAP_SUITE(pgtable, cases, memory_check);
