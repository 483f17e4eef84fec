/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings that the core and the drivers ask for. Group 6 of the port contract (<mm/port.h>), and the port's own.
 *
 * What maps is for the boot CPU before it starts the others (smp_init()), without a lock: mm_init() makes all mappings
 * of RAM, the drivers' set-up those of devices. arch_boot_va() goes on until hand-over, on the boot CPU, and changes no
 * tables any more. Tables come from memblock. A mapping once made stays, on every CPU.
 */
#ifndef ASM_MMU_H
#define ASM_MMU_H

#include <lib/types.h>

#include <asm/cache.h>
#include <asm/exception.h>

/** arch_boot_va() - an address for [@pa, @pa + @size), RAM that memblock has just reserved; NULL: window full */
void *arch_boot_va(phys_addr_t pa, size_t size);

/** arch_map_linear() - map RAM, page aligned, into the linear map; the image's text and rodata read-only */
void arch_map_linear(phys_addr_t base, phys_addr_t end);

/** arch_linear_map_done() - all RAM is mapped: from here on arch_boot_va() is __va() */
void arch_linear_map_done(void);

/** arch_map_vmemmap() - map memmap storage, page aligned. Return: 0, or -ENOMEM with nothing undone. */
int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size);

/** asm_load_mapped() - *@value = *@word; false when nothing is mapped there */
static __always_inline bool asm_load_mapped(const unsigned long *word, unsigned long *value)
{
	unsigned long loaded;

	/* clang-format off */
	__asm__ goto volatile("1:	ldr	%[loaded], %[word]\n" EX_TABLE(1b, %l[unmapped])
			      : [loaded] "=r"(loaded)
			      : [word] "m"(*word)
			      :
			      : unmapped);
	/* clang-format on */
	*value = loaded;
	return true;
unmapped:
	return false;
}

/** arch_sync_memory() - what was written to this part of the linear map is in memory, and in no cache any more */
static inline void arch_sync_memory(const void *start, size_t size)
{
	dcache_clean_inval_poc((uintptr_t)start, (uintptr_t)start + size);
}

/**
 * arch_alloc_stack() - give a CPU its stack, 16 KiB above an unmapped guard, from memory of node @nid
 * @cpu: 1 to CONFIG_NR_CPUS - 1; the boot CPU runs on its stack already
 *
 * Panics when memblock has no memory. The CPU starts at STACK_INITIAL_SP(@cpu).
 */
void arch_alloc_stack(int cpu, int nid);

/**
 * arch_map_fdt() - map the device tree read-only
 * @pa: where it is said to lie: what the boot loader passed in x0
 * @why: set to what is wrong with it, in words, when NULL is returned
 *
 * Looks at magic and size only, and whether all of it can be read. Context: once, after cpu_setup().
 * Return: the tree, or NULL.
 */
const void *arch_map_fdt(phys_addr_t pa, const char **why);

/**
 * arch_map_device() - map device registers (nGnRE), for as long as the machine runs
 * @pa: any alignment
 * @size: bytes
 * @name: what has them, for arch_hold_device(); NULL: the caller says so itself, of all its registers
 *
 * From a window of 2 MiB; works before there is an allocator. Panics when the window is full or the registers lie
 * beyond the CPU's physical addresses.
 * Return: the address that corresponds to @pa.
 */
void *arch_map_device(phys_addr_t pa, size_t size, const char *name);

/**
 * arch_hold_device() - registers are a driver's of ours: `iomem` shows them, and nobody maps them with another memory
 * type
 * @name: what has them; kept
 * @caller: whose call it is
 * @va: where they are mapped; NULL when not all are, or not in one piece
 *
 * Held (<mm/memtype.h>) in a list of 32; what comes after those is a line in the log. Context: the boot CPU, before it
 * starts the others.
 */
void arch_hold_device(phys_addr_t pa, u64 size, const char *name, const void *caller, const void *va);

/** arch_early_map() - show @pages from @pa on, page aligned, in @slot of FIX_EARLY(), which shows nothing. Boot CPU. */
void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64 prot);

/** arch_early_unmap() - @slot, which shows @pages, shows nothing any more, on any CPU. Boot CPU. */
void arch_early_unmap(unsigned int slot, unsigned int pages);

/**
 * arch_map_early_uart() - show the page of device registers that holds @pa, instead of the one shown before
 *
 * For the early console, before any mapping can be made: works from the first C in the high half. Return: the address
 * that corresponds to @pa.
 */
void *arch_map_early_uart(phys_addr_t pa);

/** arch_pa_bits() - width of this CPU's physical addresses in bits, 32 to 48 (more are not used) */
unsigned int arch_pa_bits(void);

/** arch_pa_valid() - whether all of [@pa, @pa + @size) is within this CPU's physical addresses. Any context. */
bool arch_pa_valid(phys_addr_t pa, u64 size);

/** arch_phys_limit() - one past the last physical address that both this CPU and the linear map reach */
phys_addr_t arch_phys_limit(void);

/** arch_table_pages() - pages of memory that page tables have taken, those inside the image not counted */
unsigned long arch_table_pages(void);

/** struct layout_part - a part of the address space: [@start, @end) */
struct layout_part {
	const char *name;
	u64 start;
	u64 end;
};

/** layout_part() - part number @i in the order of addresses; NULL when there are not as many */
const struct layout_part *layout_part(unsigned int i);

/** layout_part_at() - the part that @va lies in; NULL when it lies in none. Context: any. */
const struct layout_part *layout_part_at(u64 va);

/** arch_print_layout() - the parts of the address space, into the log */
void arch_print_layout(void);

/**
 * struct pt_stats - what the page tables hold
 * @tables: table pages, those inside the image included
 * @leaves: by level, blocks and pages mapped
 * @wx: of them, those that are writable and executable
 * @user: of them, those that EL0 can reach
 * @others: of them, those that break another rule
 */
struct pt_stats {
	unsigned long tables;
	unsigned long leaves[4];
	unsigned long wx;
	unsigned long user;
	unsigned long others;
};

/**
 * arch_pt_check() - walk all tables and prove that they keep the rules
 * @stats: filled in
 *
 * The rules: nothing is writable and executable, nothing is open to EL0, every entry has its access flag, text with
 * landing pads is guarded where the CPU has BTI and nothing else is, entries are of a type that their level has, blocks
 * are aligned, of sixteen that may be a group all are alike where one has the contiguous hint, nothing is mapped
 * outside of the parts of the layout, the tables are those of the image plus arch_table_pages(). Neighbouring breaches
 * of one kind are one line in the log.
 * Context: thread, after arch_linear_map_done(); other CPUs may map and unmap meanwhile (pt_visit()). Cost: O(tables).
 * Return: whether all hold.
 */
bool arch_pt_check(struct pt_stats *stats);

#endif
