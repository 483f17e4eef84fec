/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first C in the high half, on the boot CPU: from an empty machine to all CPUs and all memory.
 *
 * The order is forced: bss and per-CPU base before any other function of ours; the clock before the first log line;
 * vectors before anything that may fault; the tree before the console, whose address it tells; the boot CPU's features
 * while text can be changed, with no other CPU running and before the fixmap is given up; the CPUs' number before
 * memory is divided among them; memory before interrupts; interrupts before the other CPUs, which must be woken; the
 * other CPUs before the hand-over, so that they can help to test the memory that is handed over. Until then they idle:
 * what the boot CPU does alone is all that touches memory management (cpu/smp.c, 5).
 */
#include <string.h>

#include <lib/monitor.h>
#include <lib/printk.h>

#include <mm/bootargs.h>
#include <mm/mm_init.h>
#include <mm/percpu.h>
#include <mm/slab.h>

#include <libfdt.h>

#include <asm/board.h>
#include <asm/bug.h>
#include <asm/cpufeature.h>
#include <asm/entropy.h>
#include <asm/irq.h>
#include <asm/irqflags.h>
#include <asm/kaslr.h>
#include <asm/mmu.h>
#include <asm/processor.h>
#include <asm/protect.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <asm/stack_protector.h>
#include <asm/timer.h>
#include <asm/uart.h>

_Noreturn void start_memstage(phys_addr_t fdt_pa);

/* Bytes of a command in the boot arguments. */
#define RUN_MAX 127

static struct boot_info boot_info;

/*
 * The tree at *@fdt_pa, mapped. Less than a page's size is no address, but what loaders of ELF files leave in x0 (0,
 * the number of their arguments): then the tree is looked for at CONFIG_FDT_ADDR, and *@fdt_pa is set to that.
 */
static const void *map_fdt(phys_addr_t *fdt_pa)
{
	phys_addr_t x0 = *fdt_pa;
	bool passed = x0 >= PAGE_SIZE || !CONFIG_FDT_ADDR;
	const char *why;
	const void *fdt;

	if (!passed)
		*fdt_pa = CONFIG_FDT_ADDR;
	fdt = arch_map_fdt(*fdt_pa, &why);
	if (!fdt && !passed)
		panic("device tree at 0x%llx: the boot loader passed none; at 0x%llx (CONFIG_FDT_ADDR): %s", x0,
		      *fdt_pa, why);
	if (!fdt)
		panic("device tree at 0x%llx: %s", x0, why);
	if (!passed)
		printk("device tree: the boot loader passed none: the one at 0x%llx (CONFIG_FDT_ADDR) is taken\n",
		       *fdt_pa);
	return fdt;
}

static const void *find_fdt(phys_addr_t *fdt_pa)
{
	const void *fdt = map_fdt(fdt_pa);
	const char *why = fdt_fault(fdt);

	if (why)
		panic("device tree at 0x%llx: %u bytes, not valid as a whole: %s", *fdt_pa, fdt_totalsize(fdt), why);
	return fdt;
}

static void describe_boot(const void *fdt, phys_addr_t fdt_pa)
{
	boot_info = (struct boot_info){
		.fdt = fdt,
		.fdt_pa = fdt_pa,
		.image_base = kimage_pa(_text),
		.image_rodata = kimage_pa(__rodata_start),
		.image_data = kimage_pa(__data_start),
		.image_end = kimage_pa(_end),
		.phys_limit = arch_phys_limit(),
	};
}

/*
 * What the boot arguments ask for: memstage.run=COMMAND runs that command of the prompt, with its arguments separated
 * by commas, and `boot` nothing at all; without it there is a prompt. Return: the run's status.
 */
static int run(const char *args)
{
	char line[RUN_MAX + 2]; /* one byte more than is allowed tells what is too long */

	if (!bootarg_value(args, "memstage.run", line, sizeof(line)))
		return monitor_run() ? 1 : 0;
	if (strlen(line) > RUN_MAX) {
		printk("bootargs: memstage.run= has more than %d bytes: not run\n", RUN_MAX);
		return 1;
	}
	if (!strcmp(line, "boot"))
		return 0;
	for (char *c = line; *c; c++)
		if (*c == ',')
			*c = ' ';
	return monitor_exec(line) ? 1 : 0;
}

/* The stack protector's canary: not the same on each boot. From here on only functions that never return are live. */
static void set_canary(void)
{
	__stack_chk_guard = (boot_entry_ticks * 0x9e3779b97f4a7c15ULL) & ~0xffULL;
}

/**
 * start_memstage() - head.S ends here
 * @fdt_pa: where the boot loader says the device tree is
 */
_Noreturn void start_memstage(phys_addr_t fdt_pa)
{
	const void *fdt;

	memset(__bss_start, 0, (size_t)(__bss_stop - __bss_start));
	set_canary();
	percpu_init_boot(0);
	clock_init();
	cpu_setup();
	printk("memstage entered at EL%llu, image at 0x%llx, device tree at 0x%llx\n", boot_entry_el, kimage_pa(_text),
	       fdt_pa);
	kaslr_print();
	if (boot_entry_caches)
		printk("the boot loader left MMU or data cache on: the image was cleaned to memory, and they were switched off\n");
	if (boot_bad_relocs)
		panic("image: %llu relocations are not R_AARCH64_RELATIVE", boot_bad_relocs);
	fdt = find_fdt(&fdt_pa);
	uart_probe(fdt);
	cpu_features_init(fdt_bootargs(fdt), boot_entry_el);
	entropy_init(fdt);
	cpu_protect();
	arch_print_layout();
	smp_discover(fdt);
	describe_boot(fdt, fdt_pa);
	mm_init(&boot_info, arch_cpu_node);
	bcm2835_pm_init(fdt);
	irq_init(fdt);
	timer_init(fdt);
	smp_init();
	mm_hand_over();
	local_irq_enable();
	if (!account_print() || !kmem_cache_check())
		panic("memory is not accounted for");
	arch_exit(run(fdt_bootargs(fdt)));
}
