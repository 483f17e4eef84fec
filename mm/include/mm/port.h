/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port contract: all that mm and lib know of the machine.
 *
 * A port is a folder of <asm/...> headers and the functions declared in them. Two exist: arch-arm64/include/asm (the
 * bare machine) and test/host/include/asm (threads as CPUs, an mmap'ed arena as RAM). Including this file includes
 * the whole contract; each line below says what a port promises and what its caller owes.
 *
 * 1. <asm/page.h> - geometry and address translation.
 *	PAGE_SHIFT (12), PAGE_SIZE, PAGE_MASK.
 *	MAX_PHYSMEM_BITS: no physical address at or above 1 << MAX_PHYSMEM_BITS is ever handed to the core.
 *	PHYS_ADDR_LIMIT: one past the last physical address that the linear map can reach (<= 1 << MAX_PHYSMEM_BITS).
 *	void *__va(phys_addr_t pa), phys_addr_t __pa(const void *va): translation within the linear map; a constant
 *	    addition, defined only for RAM that arch_map_linear() has mapped.
 *	VMEMMAP_START: virtual address of the struct page of PFN 0; `vmemmap + pfn` is address arithmetic only.
 *	void clear_page(void *page): zeroes one aligned page.
 *	void fill_lines(void *lines, unsigned long n, u64 first): writes n units of 64 bytes, aligned to 64: the first
 *	    word of each is @first, the others are 0.
 *
 * 2. <asm/percpu.h> - this CPU.
 *	void *asm_percpu_base(void): the base of this CPU's per-CPU area; one register read. Stable only while the
 *	    caller cannot move to another CPU (there is no migration in the image; a host thread is one CPU).
 *	void asm_set_percpu_base(void *base): once per CPU, before anything of mm or lib runs on it.
 *	void asm_set_local_base(void *base): once per CPU, and again when the areas are set up: the struct mm_local of
 *	    the CPU's own node (<mm/percpu_stack.h>), from which asm_stack_pop() starts.
 *    <asm/percpu_ops.h>: read-modify-write of words of this CPU's area, of 8, 16, 32 and 64 bits, which an interrupt
 *    handler may change at any time, too, and other CPUs may read. Relaxed. Of @n and @value the low bits count.
 *	void asm_percpu_add32(u32 *p, u64 n), asm_percpu_or32(p, n), asm_percpu_andnot32(p, n): change it.
 *	u64 asm_percpu_fetch_add32(u32 *p, u64 n), asm_percpu_xchg32(p, value): return what was there.
 *	u64 asm_percpu_cmpxchg32(u32 *p, u64 old, u64 value): store @value if @old is there; return what was there.
 *
 * 3. <asm/irqflags.h> - interrupt masking on this CPU. Saves nest.
 *	unsigned long local_irq_save(void); void local_irq_restore(unsigned long); void local_irq_enable(void);
 *	void local_irq_disable(void); bool irqs_disabled(void).
 *	The host port models "masked" as "holds this CPU's mutex", which is what keeps its simulated interrupts and
 *	cross calls out, so ThreadSanitizer checks the same exclusion that hardware gives.
 *
 * 4. <asm/processor.h> - waiting and time.
 *	void cpu_relax(void): a hint inside a spin loop.
 *	u64 arch_clock_ns(void): monotonic time since reset, in nanoseconds, the same on all CPUs.
 *	u64 get_cycles(void): the counter that benchmarks read.
 *
 * 5. <asm/smp.h> - the other CPUs.
 *	int smp_processor_id(void): 0 to nr_cpu_ids - 1.
 *	void arch_send_call(int cpu): make @cpu run smp_call_interrupt() (lib/smp.h) soon, in interrupt context; what
 *	    the caller wrote before is seen there. Any context; it does not wait.
 *	void arch_wake_idle(int cpu): make @cpu leave its idle wait and look at its work slot.
 *	bool arch_cross_call_ok(void): whether this context may wait for other CPUs (interrupts unmasked, not in a
 *	    handler).
 *
 * 6. <asm/mmu.h> - page tables, boot CPU only until hand-over, then under the lock that the header names.
 *	void *arch_boot_va(phys_addr_t pa, size_t size): an address for RAM that memblock has just reserved. Before the
 *	    linear map is up it maps the range into a small window that stays mapped for ever; after, __va(). Returns
 *	    NULL when the window (2 MiB) is full.
 *	void arch_map_linear(phys_addr_t base, phys_addr_t end): map RAM, page aligned, with the largest blocks that
 *	    fit. Tables come from memblock.
 *	void arch_linear_map_done(void): from here on, arch_boot_va() is __va().
 *	void arch_alloc_stack(int cpu, int nid): give a CPU other than the boot CPU its stack, from boot_phys_alloc().
 *	void arch_sync_memory(const void *start, size_t size): write what the caches hold of this part of the linear map
 *	    back to memory, past every cache, and drop it from them, so that the next read sees memory. Page aligned;
 *	    any CPU. A port whose memory cannot be told from its caches does nothing but a compiler barrier.
 *	bool arch_pa_valid(phys_addr_t pa, u64 size): whether all of the range is within the CPU's physical addresses.
 *	    Any context.
 *	EARLY_SLOTS, EARLY_SLOT_PAGES; void *arch_early_map(unsigned int slot, phys_addr_t pa, unsigned int pages, u64
 *	    prot), void arch_early_unmap(unsigned int slot, unsigned int pages): show pages at the addresses of a slot,
 *	    which shows nothing, and have it show nothing again, on all CPUs. Needs no memory; boot CPU, until hand-over
 *	    is done.
 *	int arch_map_vmemmap(unsigned long va, phys_addr_t pa, size_t size): map memmap storage, page aligned. -ENOMEM
 *	    when no table page could be had; nothing is undone (boot only, the caller panics).
 *	bool asm_load_mapped(const unsigned long *word, unsigned long *value): load a word of the memmap, or of a struct
 *	    pglist_data; false where nothing is mapped. @word may be anything: elsewhere in memory, it may load or say
 *	    false. Any CPU, any context.
 *
 * 7. <asm/bug.h> - the end.
 *	_Noreturn void arch_exit(int status): end the run with this status (QEMU's exit status, the host's exit).
 *	bool arch_begin_report(void): called, interrupts masked, by a CPU that is about to say why the run ends. It
 *	    returns on one CPU only, the first, so that reports do not mix: true the first time, false when that CPU
 *	    comes a second time, out of its own report; the third time it ends the run.
 *	void arch_dump_stack(void): the caller's backtrace, with symbol names, to the console.
 *	unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr): its addresses, to
 *	    keep.
 *	const char *arch_symbol(unsigned long address, char *buf, size_t size): the name of one, "name+0x1c", to print.
 *
 * 8. <asm/atomic.h> - atomic read-modify-write of naturally aligned words. What a name does not say is relaxed.
 *	u32 xchg32_acquire(u32 *p, u32 value): store @value, return what was there.
 *	u32 claim32_acquire(u32 *p, u32 value): store @value if 0 is there; return what was there, so 0 when it was
 *	    stored. Acquire then, relaxed else.
 *	bool cas32_acq_rel(u32 *p, u32 old, u32 value): store @value if @old is there; whether it was.
 *	bool cas64_acquire(u64 *p, u64 old, u64 value): the same; acquire when it was.
 *	u32 fetch_add32(u32 *p, u32 n), u64 fetch_add64(u64 *p, u64 n): add, return what was there.
 *	u32 dec_return32_acq_rel(u32 *p): take one away, return what is left.
 *	void or64_release(u64 *p, u64 bits), void andnot64(u64 *p, u64 bits), void xor64(u64 *p, u64 bits): set, clear
 *	    or turn over @bits.
 *	Loads and stores are the compiler's own (__atomic_load_n(), READ_ONCE(), ...).
 *
 * 9. <asm/percpu_stack.h> - stacks of this CPU (<mm/percpu_stack.h>), which an interrupt handler may use at any time,
 *    too.
 *	void *asm_stack_pop(size_t stack): the item on top of the stack whose head lies @stack bytes from the local
 *	    base; NULL when there is none. @stack is a multiple of 8.
 *	bool asm_stack_push(const u32 *stack, void *item): put @item, not NULL, on the stack whose head lies *@stack
 *	    bytes from the per-CPU base; false when it is full. *@stack is read at the moment of the push.
 *	bool asm_object_push(const u16 *stack, void *item): the same, *@stack in units of OBJECT_STACK_UNIT bytes.
 *	__restartable: marks each function that calls one of the three, or one of the first two asm_object_...() of
 *	    group 11.
 *	__by_name: marks a function that is called by name only, never through a pointer.
 *
 * 10. <asm/vmap.h> - page table entries of vmalloc's addresses, while the machine runs.
 *	VMALLOC_START, VMALLOC_END: multiples of VMAP_BLOCK_SIZE, what a table of 512 entries maps. VMAP_PHYS_START,
 *	    another one: from there on nothing is mapped but by arch_vmap_phys(). VMAP_UNITS: the three sizes that it
 *	    maps by, a list for an initializer: powers of two, largest first, the last one VMAP_BLOCK_SIZE.
 *	PAGE_KERNEL, PAGE_KERNEL_RO: readable and writable, readable only; neither executable.
 *	PAGE_KERNEL_NC, PAGE_KERNEL_WT, PAGE_DEVICE, PAGE_DEVICE_NP: as PAGE_KERNEL, and of another memory type: not
 *	    cacheable, write-through, device registers, registers whose writes are not posted.
 *	u64 *arch_vmap_table(unsigned long va), arch_vmap_table_alloc(va), void arch_vmap_table_free(va): the table for
 *	    the block at @va: found, made, taken out if there is one, with those above that are empty then. A table is a
 *	    page of the page allocator's, whose page->mapping is NULL until mm sets it. arch_vmap_table() may be called
 *	    with an address that is nobody's, interrupts masked, while others make tables and take them out: what it
 *	    finds may just be going. So a table that is taken out, or was made and is not wanted after all, is given to
 *	    vmap_retire_table() (mm/vmap.h), which frees it.
 *	void arch_set_ptes(u64 *pte, unsigned long va, phys_addr_t pa, unsigned long n, u64 prot), arch_clear_ptes(pte,
 *	    va, n), phys_addr_t arch_pte_phys(u64 pte): entries of pages. An entry that maps nothing is 0.
 *	int arch_vmap_block(unsigned long va, phys_addr_t pa, u64 prot), phys_addr_t arch_vunmap_block(va): whole
 *	    blocks.
 *	int arch_vmap_phys(unsigned long va, phys_addr_t pa, unsigned long size, u64 prot): whole pages from
 *	    VMAP_PHYS_START on, in units of the largest of VMAP_UNITS that both sides are aligned to, and of smaller
 *	    ones; published. Where arch_cross_call_ok(). 0, -ENOMEM or -EEXIST, and nothing has changed. bool
 *	    arch_vunmap_phys(va, size): all of that, and TLBs are told; any context; false where arch_vmap_phys_tidy(va,
 *	    size) has to be called later, by a thread, before the addresses are used again.
 *	bool arch_vmap_lookup(unsigned long va, phys_addr_t *pa): what is mapped at @va.
 *	unsigned long arch_vmap_next(unsigned long va, unsigned long end): the first address below @end that anything is
 *	    mapped at.
 *	void arch_vmap_publish(void): what was mapped works from now on.
 *	void arch_flush_tlb_kernel(unsigned long start, unsigned long end): what was unmapped works nowhere any more.
 *
 * 11. <asm/object_check.h> - what a checked free looks at before an object goes on a stack (mm/object_check.h). @page
 *    is virt_to_page() of @obj, which may be anything. The first three write the mark; or they write nothing when
 *    anything is not as it should be, memory that is not mapped included. Of several CPUs that do it to an object one
 *    succeeds.
 *	enum object_free asm_object_free(struct page *page, void *obj, u32 tag): check, mark at its beginning, and push
 *	    on the stack that @page names, an object of any cache.
 *	enum object_free asm_object_free_to(struct page *page, void *obj, u32 *word, u32 id): the same of an object of
 *	    the cache with the number @id, whose mark is at @word.
 *	bool asm_object_claim(struct page *page, const void *obj, u32 *word, u32 id, u32 stack): the same without the
 *	    push, where page->object_stack is @stack.
 *	bool asm_mark_free(u32 *word, u32 mark): writes @mark to *@word; false, nothing written, when it is there
 *	    already.
 *	bool asm_page_is_of(const struct page *page, const struct kmem_cache *cache): whether @page, which may be
 *	    anything, says that it is @cache's; false where it is not mapped.
 *	u64 asm_object_product(const void *obj, u64 factor): the product of object_check.h for a linear address.
 *	bool asm_may_be_object(const void *p): false for NULL and ZERO_SIZE_PTR, true for whatever is in the linear map.
 *
 * 12. <asm/set_memory.h> - rights of what is mapped, linear map and vmalloc's addresses; for <mm/set_memory.h>.
 *	void arch_query_mapping(unsigned long va, struct arch_mapping *mapping): one unit: all is alike, and lies behind
 *	    one another physically; any address of these, any context, whoever unmaps meanwhile.
 *	int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights): of whole pages, looked at
 *	    and changed in one step. 0, -ENOENT where something is not mapped, -EACCES where something would be writable
 *	    and executable at once, -EPERM for the image's own text, -ENOMEM; on an error nothing has changed.
 *
 * 13. <asm/cache.h> - data caches, for masters that do not look into them (<mm/dma.h>). Each takes addresses [start,
 *    end) of the linear map, of any alignment.
 *	void dcache_clean_poc(unsigned long start, unsigned long end): what was written is in memory.
 *	void dcache_inval_poc(start, end): the next read sees memory; bytes of the first and last line that are outside
 *	    are kept.
 *	void dcache_clean_inval_poc(start, end): both.
 *	A port whose caches every master looks into does nothing.
 *
 * 14. The console byte sink is registered, not called: see console_register() in <lib/printk.h>.
 *
 * Cost: every function of groups 1 to 3, 8, 9 and 11 is a handful of instructions inline; the rest is off every hot
 * path.
 */
#ifndef MM_PORT_H
#define MM_PORT_H

#include <lib/types.h>

#include <asm/atomic.h>
#include <asm/bug.h>
#include <asm/cache.h>
#include <asm/irqflags.h>
#include <asm/mmu.h>
#include <asm/object_check.h>
#include <asm/page.h>
#include <asm/percpu.h>
#include <asm/percpu_stack.h>
#include <asm/processor.h>
#include <asm/set_memory.h>
#include <asm/smp.h>
#include <asm/vmap.h>

#endif
