// SPDX-License-Identifier: BSD-2-Clause
/*
 * The port of the host's benchmark, and the core as a malloc for it.
 *
 * 1. What a program in user space needs of a port and no more: RAM and the memmap's place are two mappings of anonymous
 *    memory, there from the start, so mapping a part of them is nothing to do. Most headers are those of test/host;
 *    that one simulates interrupts with a mutex for each CPU, so that sanitizers see what masking keeps apart, which
 *    no user of the library would do: interrupt masking is empty here (asm/irqflags.h).
 *    Memory lies at its physical address, as firmware for this machine has it, so that translation is nothing; the
 *    memmap where a 32-bit displacement reaches it and valgrind has nothing; the per-CPU base is in %gs (asm/percpu.h).
 * 2. A CPU is a thread that has called bench_thread_enter(); the first one boots the machine. There are no cross calls,
 *    so what the core does by them ends the run: taking pages back from other CPUs when memory is short.
 * 3. The benchmark calls these for malloc(), free() and realloc(): its object file has other names for them when it is
 *    linked with the core (scripts/bench-host.mk). They are no malloc for anybody else: threads have to enter.
 * 4. It has no second place for memory, so there is no vmalloc(): it finds no table to put its entries in; nor
 *    early_ioremap().
 * 5. The log of the boot is not shown. Whatever is said later is a complaint, and goes to standard error.
 * 6. After a run the core's check functions prove that nothing was lost (bench_proved()): figures of a broken allocator
 *    are none.
 */
#include "host_bench.h"

#include <asm/prctl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/discover.h>
#include <mm/mm_init.h>
#include <mm/percpu.h>
#include <mm/port.h>
#include <mm/slab.h>

#include "../../../mm/slub_hot.h"
#include "../../host/tree.h"

#define RAM_BASE   (128ULL << 30)
#define RAM_SIZE   (4ULL << 30)
#define IMAGE_SIZE (64ULL << 10)
#define TREE_BASE  (RAM_BASE + IMAGE_SIZE)

_Static_assert(offsetof(struct mm_cpu, cpu) == MM_CPU_NUMBER, "smp_processor_id() reads it there");

/* The core wants the section of per-CPU variables to be there, and has none of its own. */
DEFINE_PER_CPU(char, bench_percpu_section);

__thread void *host_percpu_base;
static bool booted;

static void say(struct console *con, const char *text, size_t len)
{
	(void)con;
	for (size_t i = 0; booted && i < len; i++)
		if (text[i] != '\r')
			putc(text[i], stderr);
}

static int no_input(struct console *con)
{
	(void)con;
	return -1;
}

static struct console console = { .name = "stderr", .write = say, .getc = no_input };

struct console *arch_early_console(void)
{
	return &console;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "the benchmark's port: %s\n", what);
	_exit(1);
}

void asm_set_percpu_base(void *base)
{
	host_percpu_base = base;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, base))
		die("no base in %gs");
}

void asm_set_local_base(void *base)
{
	/* Until there are areas nothing is on a stack. */
	if (asm_percpu_base() != boot_percpu_area && base != (char *)asm_percpu_base() + BENCH_LOCAL_OFFSET)
		die("the local base is not where pops look for it");
}

void arch_exit(int status)
{
	_exit(status);
}

bool arch_begin_report(void)
{
	static u32 reports; /* atomic */

	booted = true;
	if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED))
		_exit(1);
	return true;
}

void arch_dump_stack(void)
{
}

unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr)
{
	(void)store;
	(void)size;
	(void)skipnr;
	return 0;
}

const char *arch_symbol(unsigned long address, char *buf, size_t size)
{
	snprintf(buf, size, "0x%lx", address);
	return buf;
}

u64 arch_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

static void map_memory(unsigned long va, size_t size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;

	if (mmap((void *)va, size, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)va)
		die("no memory at its place");
}

void *arch_boot_va(phys_addr_t pa, size_t size)
{
	(void)size;
	return __va(pa);
}

void arch_map_linear(phys_addr_t base, phys_addr_t end)
{
	(void)base;
	(void)end;
}

void arch_linear_map_done(void)
{
}

/* The first struct page, and bytes of all of them. */
#define MEMMAP_BASE ((unsigned long)(vmemmap + PFN_DOWN(RAM_BASE)))
#define MEMMAP_SIZE (PFN_DOWN(RAM_SIZE) * sizeof(struct page))

/* What lies in the memmap, or in RAM: nodes do. */
bool host_may_load(const unsigned long *word)
{
	return (uintptr_t)word - MEMMAP_BASE < MEMMAP_SIZE || (uintptr_t)word - RAM_BASE < RAM_SIZE;
}

int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size)
{
	(void)pa;
	return va >= MEMMAP_BASE && va + size <= MEMMAP_BASE + MEMMAP_SIZE ? 0 : -1;
}

void arch_send_call(int cpu)
{
	(void)cpu;
	die("a cross call, which it does not have: is memory short?");
}

void arch_wake_idle(int cpu)
{
	(void)cpu;
	die("work for another CPU, which none of its CPUs takes");
}

bool arch_cross_call_ok(void)
{
	return true;
}

/* Nobody who calls malloc() asks for vmalloc's addresses. */
void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64 prot)
{
	(void)slot;
	(void)pa;
	(void)pages;
	(void)prot;
	return NULL;
}

void arch_early_unmap(unsigned int slot, unsigned int pages)
{
	(void)slot;
	(void)pages;
}

u64 *arch_vmap_table(unsigned long va)
{
	(void)va;
	return NULL;
}

u64 *arch_vmap_table_alloc(unsigned long va)
{
	(void)va;
	return NULL;
}

void arch_vmap_table_free(unsigned long va)
{
	(void)va;
}

void arch_set_ptes(u64 *pte, unsigned long va, phys_addr_t pa, unsigned long n, u64 prot)
{
	(void)pte, (void)va, (void)pa, (void)n, (void)prot;
}

void arch_clear_ptes(u64 *pte, unsigned long va, unsigned long n)
{
	(void)pte, (void)va, (void)n;
}

int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot)
{
	(void)va, (void)pa, (void)prot;
	return -1;
}

phys_addr_t arch_vunmap_block(unsigned long va)
{
	(void)va;
	return 0;
}

int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot)
{
	(void)va, (void)pa, (void)size, (void)prot;
	return -1;
}

bool arch_vunmap_phys(unsigned long va, unsigned long size)
{
	(void)va, (void)size;
	return true;
}

void arch_vmap_phys_tidy(unsigned long va, unsigned long size)
{
	(void)va, (void)size;
}

unsigned long arch_vmap_next(unsigned long va, unsigned long end)
{
	(void)va;
	return end;
}

void arch_query_mapping(unsigned long va, struct arch_mapping *mapping)
{
	*mapping = (struct arch_mapping){ .start = va, .end = va + PAGE_SIZE };
}

int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights)
{
	(void)va;
	(void)size;
	(void)rights;
	return -EPERM;
}

bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa)
{
	(void)va, (void)pa;
	return false;
}

void arch_flush_tlb_kernel(unsigned long start, unsigned long end)
{
	(void)start, (void)end;
}

static void boot(void)
{
	struct boot_info info = {
		.fdt_pa = TREE_BASE,
		.image_base = RAM_BASE,
		.image_rodata = RAM_BASE + IMAGE_SIZE / 2,
		.image_data = RAM_BASE + IMAGE_SIZE * 3 / 4,
		.image_end = RAM_BASE + IMAGE_SIZE,
		.phys_limit = PHYS_ADDR_LIMIT,
	};

	map_memory((unsigned long)__va(RAM_BASE), RAM_SIZE);
	map_memory(MEMMAP_BASE, MEMMAP_SIZE);
	tree_start();
	tree_root(2, 2);
	tree_memory(RAM_BASE, RAM_SIZE, -1);
	info.fdt = tree_finish();
	percpu_init_boot(0);
	nr_cpu_ids = BENCH_THREADS;
	set_cpu_online(0);
	console_register(&console);
	mm_init(&info, NULL);
	mm_hand_over();
	booted = true;
}

void bench_thread_enter(int thread)
{
	if (thread == 0 && !booted)
		boot();
	asm_set_percpu_base(percpu_base(thread));
	asm_set_local_base(this_cpu()->local);
	set_cpu_online(thread);
}

bool bench_proved(void)
{
	return page_alloc_check() && kmem_cache_check();
}

/*
 * As whoever replaces malloc() would have it: without a call in between, and @size stays where it came for the slow
 * path. free() is kfree() itself.
 */
__restartable void *bench_malloc(size_t size)
{
	if (likely(size - 1 < KMALLOC_MAX_CACHE_SIZE)) {
		void *obj = asm_stack_pop(kmalloc_stack_of_size[(size - 1) / ARCH_KMALLOC_MINALIGN]);

		if (likely(obj))
			return popped(obj);
	}
	return kmalloc_slow(size, GFP_KERNEL);
}

void *bench_realloc(void *p, size_t size)
{
	return krealloc(p, size, GFP_KERNEL);
}
