// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host port: the functions behind test/host/include/asm.
 *
 * 1. RAM is a sparse file in memory. Every mapping of it is shared, so the memmap that arch_map_vmemmap() shows at its
 *    virtual place is the same bytes as the RAM behind it. Outside of mappings an access faults.
 * 2. RAM is not clean at reset: the last HOST_RUBBISH bytes of each range are filled with 0xa5 when they are first
 *    mapped (that is where boot allocations land), so whoever relies on zeroed memory is found out.
 * 3. A CPU is a thread, or for a moment whoever interrupts it. What tells which CPU a thread is lives in `self`.
 * 4. Each CPU has one interrupt mutex. Held by the CPU's own thread it is the interrupt mask. An interrupt or a cross
 *    call holds it while it runs as that CPU. A thread that waits for it is unmasked (checked), so holds no other one,
 *    and no circle of waiters can close.
 * 5. A cross call runs on its sender's thread before arch_send_call() returns; one that a handler sends, or a CPU that
 *    is masked, as soon as that thread is neither.
 * 6. Who reports the end of the run is a thread, not a CPU: a thread that acts as another CPU still is the one that
 *    stands in the middle of its report.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/mmzone.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "host.h"

#define HOST_RUBBISH  (2UL << 20)
#define HOST_LOG_SIZE (4UL << 20)

_Static_assert(offsetof(struct mm_cpu, cpu) == MM_CPU_NUMBER, "smp_processor_id() reads it there");

/* Which CPU a thread is. */
struct cpu_identity {
	int cpu;
	bool masked;
	bool in_interrupt;
};

struct host_cpu {
	pthread_mutex_t irq;
	pthread_mutex_t idle_lock;
	pthread_cond_t idle_cond;
	bool kicked;
	bool stop;
	pthread_t thread;
};

__thread void *host_percpu_base, *host_local_base;
DEFINE_PER_CPU(unsigned long, host_interrupts);
static __thread struct cpu_identity self;
static __thread u64 unsent; /* CPUs that this thread has yet to call */
static __thread unsigned long times_masked;

static struct host_cpu cpus[CONFIG_NR_CPUS];
static u64 reset_ns;
static int ram_fd = -1;
static bool linear_map_done;
static size_t boot_window_used;

static char log_text[HOST_LOG_SIZE];
static size_t log_len;
static bool muted;
static const char *input = "";

void host_die(const char *fmt, ...)
{
	va_list args;

	printf("host port: ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

/* Console. */

static void host_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\r')
			continue;
		if (!muted)
			putchar(text[i]);
		if (log_len < sizeof(log_text) - 1)
			log_text[log_len++] = text[i];
	}
}

static int host_getc(struct console *con)
{
	(void)con;
	return *input ? (unsigned char)*input++ : -1;
}

static struct console host_console = { .name = "stdout", .write = host_write, .getc = host_getc };

struct console *arch_early_console(void)
{
	return &host_console;
}

const char *host_log(void)
{
	log_text[log_len] = '\0';
	return log_text;
}

void host_log_clear(void)
{
	log_len = 0;
}

void host_mute(void)
{
	muted = true;
}

void host_input(const char *text)
{
	input = text;
}

/* The end. */

void arch_exit(int status)
{
	fflush(stdout);
	_exit(status);
}

bool arch_begin_report(void)
{
	static u64 reporter; /* atomic */
	static u32 reports;  /* the reporter's */
	u64 nobody = 0, thread = (u64)pthread_self();

	if (!__atomic_compare_exchange_n(&reporter, &nobody, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	    nobody != thread)
		for (;;)
			pause();
	if (++reports > 2)
		arch_exit(1);
	return reports == 1;
}

void arch_dump_stack(void)
{
	void *frames[32];

	fflush(stdout);
	backtrace_symbols_fd(frames, backtrace(frames, ARRAY_SIZE(frames)), STDOUT_FILENO);
}

/* The frame of this function itself is the first that backtrace() finds. */
unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr)
{
	void *frames[32];
	unsigned int found = (unsigned int)backtrace(frames, ARRAY_SIZE(frames)), n = 0;

	for (unsigned int i = skipnr + 1; i < found && n < size; i++)
		store[n++] = (unsigned long)frames[i];
	return n;
}

const char *arch_symbol(unsigned long address, char *buf, size_t size)
{
	Dl_info info;

	if (dladdr((const void *)(address - 1), &info) && info.dli_sname)
		snprintf(buf, size, "%s+0x%lx", info.dli_sname, address - (unsigned long)info.dli_saddr);
	else
		snprintf(buf, size, "0x%lx", address);
	return buf;
}

/* Time. */

static u64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

static u64 skipped_ns; /* atomic */
static u64 held_ns;    /* atomic: since the reset, where the clock was stopped; 0 while it runs */

u64 arch_clock_ns(void)
{
	u64 held = __atomic_load_n(&held_ns, __ATOMIC_RELAXED);

	return (held ? held : monotonic_ns() - reset_ns) + __atomic_load_n(&skipped_ns, __ATOMIC_RELAXED);
}

void host_clock_hold(void)
{
	__atomic_store_n(&held_ns, monotonic_ns() - reset_ns, __ATOMIC_RELAXED);
}

void host_clock_skip(u64 ns)
{
	__atomic_fetch_add(&skipped_ns, ns, __ATOMIC_RELAXED);
}

/* Memory. */

static void ram_open(void)
{
	ram_fd = memfd_create("memstage-ram", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, (off_t)PHYS_ADDR_LIMIT))
		host_die("no memory file: %s", strerror(errno));
}

static void ram_map(void *va, phys_addr_t pa, size_t size, int fixed)
{
	if (!IS_ALIGNED(pa, PAGE_SIZE) || !IS_ALIGNED(size, PAGE_SIZE) || !IS_ALIGNED((uintptr_t)va, PAGE_SIZE) ||
	    !size)
		host_die("map %p to %#llx, %#zx bytes: not whole pages", va, pa, size);
	if (pa >= PHYS_ADDR_LIMIT || size > PHYS_ADDR_LIMIT - pa)
		host_die("map %p to %#llx, %#zx bytes: not physical memory of this port", va, pa, size);
	if (mmap(va, size, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, ram_fd, (off_t)pa) != va)
		host_die("map %p to %#llx, %#zx bytes: %s", va, pa, size, strerror(errno));
}

void host_map_at(unsigned long va, phys_addr_t pa, size_t size, bool writable)
{
	ram_map((void *)va, pa, size, MAP_FIXED);
	if (!writable && mprotect((void *)va, size, PROT_READ))
		host_die("map %#lx read-only: %s", va, strerror(errno));
	host_rights_reset(va, size, writable);
}

bool host_is_mapped(phys_addr_t pa)
{
	unsigned char resident;

	return !mincore(__va(ALIGN_DOWN(pa, PAGE_SIZE)), PAGE_SIZE, &resident);
}

/* One page or range of the linear map, what is mapped already left as it is. */
static void linear_map(phys_addr_t base, phys_addr_t end)
{
	phys_addr_t start = end - min(end - base, (phys_addr_t)HOST_RUBBISH);
	bool fresh[HOST_RUBBISH / PAGE_SIZE];

	for (phys_addr_t pa = start; pa < end; pa += PAGE_SIZE)
		fresh[(pa - start) >> PAGE_SHIFT] = !host_is_mapped(pa);
	ram_map(__va(base), base, end - base, MAP_FIXED);
	for (phys_addr_t pa = start; pa < end; pa += PAGE_SIZE)
		if (fresh[(pa - start) >> PAGE_SHIFT])
			memset(__va(pa), 0xa5, PAGE_SIZE);
}

void *host_map_ram(phys_addr_t base, phys_addr_t size)
{
	linear_map(ALIGN_DOWN(base, PAGE_SIZE), ALIGN(base + size, PAGE_SIZE));
	return __va(base);
}

void *arch_boot_va(phys_addr_t pa, size_t size)
{
	if (!linear_map_done) {
		size_t pages = ALIGN(pa + size, PAGE_SIZE) - ALIGN_DOWN(pa, PAGE_SIZE);

		if (pages > HOST_BOOT_WINDOW - boot_window_used)
			return NULL;
		boot_window_used += pages;
		host_map_ram(pa, size);
	}
	return __va(pa);
}

void arch_map_linear(phys_addr_t base, phys_addr_t end)
{
	if (base >= end)
		host_die("arch_map_linear(%#llx, %#llx): an empty range", base, end);
	linear_map(base, end);
}

void arch_linear_map_done(void)
{
	linear_map_done = true;
}

/* A byte for each page of the memmap that is mapped. */
static bool memmap_mapped[HOST_VMEMMAP_SIZE >> PAGE_SHIFT];

static bool in_node(uintptr_t addr)
{
	pg_data_t *pgdat;
	int nid;

	for_each_online_pgdat(nid, pgdat)
		if (addr - (uintptr_t)pgdat < sizeof(*pgdat))
			return true;
	return false;
}

bool host_may_load(const unsigned long *word)
{
	unsigned long page = ((uintptr_t)word - VMEMMAP_START) >> PAGE_SHIFT;

	if (!IS_ALIGNED((uintptr_t)word, sizeof(*word)))
		return false;
	return page < ARRAY_SIZE(memmap_mapped) ? memmap_mapped[page] : in_node((uintptr_t)word);
}

int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size)
{
	if (va < VMEMMAP_START || size > HOST_VMEMMAP_SIZE || va - VMEMMAP_START > HOST_VMEMMAP_SIZE - size)
		host_die("arch_map_vmemmap(%#lx, %#llx, %#zx): not in the memmap", va, pa, size);
	ram_map((void *)va, pa, size, MAP_FIXED_NOREPLACE);
	memset(memmap_mapped + ((va - VMEMMAP_START) >> PAGE_SHIFT), true, size >> PAGE_SHIFT);
	return 0;
}

void host_unmap_all(void)
{
	munmap((void *)HOST_LINEAR, PHYS_ADDR_LIMIT + HOST_VMEMMAP_SIZE);
	memset(memmap_mapped, false, sizeof(memmap_mapped));
	boot_window_used = 0;
	linear_map_done = false;
}

/* Interrupts. */

static void mask(void)
{
	if (self.masked)
		return;
	pthread_mutex_lock(&cpus[self.cpu].irq);
	self.masked = true;
	times_masked++;
}

unsigned long host_times_masked(void)
{
	return times_masked;
}

static void unmask(void)
{
	self.masked = false;
	pthread_mutex_unlock(&cpus[self.cpu].irq);
}

/* What a CPU does when it is interrupted, by this thread. */
static void run_as(int cpu, void (*fn)(void *arg), void *arg)
{
	struct cpu_identity was = self;
	void *base = host_percpu_base, *local = host_local_base;

	if (was.masked)
		host_die("CPU %d interrupts CPU %d while it is masked itself: two that do so would wait for ever",
			 was.cpu, cpu);
	self.cpu = cpu;
	mask();
	self.in_interrupt = true;
	host_percpu_base = percpu_base(cpu);
	host_local_base = this_cpu()->local;
	++*this_cpu_ptr(&host_interrupts);
	fn(arg);
	if (!self.masked)
		host_die("the handler on CPU %d left interrupts unmasked", cpu);
	host_percpu_base = base;
	host_local_base = local;
	unmask();
	self = was;
}

static void cross_call(void *unused)
{
	(void)unused;
	smp_call_interrupt();
}

static void send_calls(void)
{
	while (unsent && arch_cross_call_ok()) {
		int cpu = __builtin_ctzll(unsent);

		unsent &= unsent - 1;
		run_as(cpu, cross_call, NULL);
	}
}

unsigned long local_irq_save(void)
{
	unsigned long flags = self.masked;

	local_irq_disable();
	return flags;
}

void local_irq_restore(unsigned long flags)
{
	if (flags)
		local_irq_disable();
	else
		local_irq_enable();
}

void local_irq_disable(void)
{
	mask();
}

void local_irq_enable(void)
{
	if (!self.masked)
		return;
	unmask();
	send_calls();
}

bool irqs_disabled(void)
{
	return self.masked;
}

void host_interrupt(int cpu, void (*fn)(void *arg), void *arg)
{
	run_as(cpu, fn, arg);
	send_calls();
}

/* CPUs. */

void arch_send_call(int cpu)
{
	unsent |= 1ULL << cpu;
	send_calls();
}

bool arch_cross_call_ok(void)
{
	return !self.masked && !self.in_interrupt;
}

static void kick(struct host_cpu *cpu, bool stop)
{
	pthread_mutex_lock(&cpu->idle_lock);
	cpu->kicked = true;
	cpu->stop = stop;
	pthread_cond_signal(&cpu->idle_cond);
	pthread_mutex_unlock(&cpu->idle_lock);
}

/* Return: false when the CPU is to stop. */
static bool wait_for_kick(struct host_cpu *cpu)
{
	pthread_mutex_lock(&cpu->idle_lock);
	while (!cpu->kicked)
		pthread_cond_wait(&cpu->idle_cond, &cpu->idle_lock);
	cpu->kicked = false;

	bool stop = cpu->stop;

	pthread_mutex_unlock(&cpu->idle_lock);
	return !stop;
}

void arch_wake_idle(int cpu)
{
	kick(&cpus[cpu], false);
}

void host_cpu_enter(int cpu)
{
	self = (struct cpu_identity){ .cpu = cpu };
	asm_set_percpu_base(percpu_base(cpu));
	asm_set_local_base(this_cpu()->local);
	set_cpu_online(cpu);
}

void host_cpu_leave(void)
{
	if (self.masked)
		host_die("CPU %d leaves with interrupts masked", self.cpu);
	asm_set_percpu_base(NULL);
	asm_set_local_base(NULL);
}

static void *cpu_thread(void *arg)
{
	struct host_cpu *cpu = arg;

	host_cpu_enter((int)(cpu - cpus));
	do {
		while (smp_idle_work())
			;
	} while (wait_for_kick(cpu));
	host_cpu_leave();
	return NULL;
}

void host_cpus_start(void)
{
	for (int i = 1; i < nr_cpu_ids; i++) {
		cpus[i].stop = false;
		if (pthread_create(&cpus[i].thread, NULL, cpu_thread, &cpus[i]))
			host_die("no thread for CPU %d", i);
	}
	while (num_online_cpus() < nr_cpu_ids)
		cpu_relax();
}

void host_cpus_stop(void)
{
	for (int i = 1; i < nr_cpu_ids; i++) {
		kick(&cpus[i], true);
		pthread_join(cpus[i].thread, NULL);
	}
}

void host_start_others(smp_fn_t fn, void *arg)
{
	for (int cpu = 1; cpu < nr_cpu_ids; cpu++)
		if (smp_work_start(cpu, fn, arg))
			host_die("CPU %d is not on line, or works", cpu);
}

void host_wait_for_others(void)
{
	for (int cpu = 1; cpu < nr_cpu_ids; cpu++)
		smp_work_wait(cpu);
}

void host_on_all_cpus(smp_fn_t fn, void *arg)
{
	host_start_others(fn, arg);
	fn(arg);
	host_wait_for_others();
}

void host_meet(u32 *came, u32 nr, u32 nth)
{
	__atomic_fetch_add(came, 1, __ATOMIC_ACQ_REL);
	for (unsigned int i = 0; __atomic_load_n(came, __ATOMIC_ACQUIRE) < nr * nth; i++)
		if (i > 2000)
			cpu_relax();
}

void host_boot_cpu(int nr_cpus)
{
	for (int i = 0; i < CONFIG_NR_CPUS; i++) {
		pthread_mutex_init(&cpus[i].irq, NULL);
		pthread_mutex_init(&cpus[i].idle_lock, NULL);
		pthread_cond_init(&cpus[i].idle_cond, NULL);
	}
	reset_ns = monotonic_ns();
	ram_open();
	percpu_init_boot(0);
	nr_cpu_ids = nr_cpus;
	set_cpu_online(0);
	console_register(&host_console);
}
