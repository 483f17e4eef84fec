/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be done with memory that one owns: written, executed, reached at all.
 *
 * The names are Linux's, and so is what they do, but for this: a range of no pages, or one that is not page aligned, is
 * refused; and no address ever becomes writable and executable at once.
 *
 * Pages of vmalloc() have a linear address, too. As with Linux (rodata=full), set_memory_ro() and set_memory_rw() of
 * vmalloc's addresses change both; the others change the one that is given. No such page is executable at vmalloc's
 * address while it is writable at the linear one: set_memory_x() there, and set_memory_rw() here, are refused then.
 * vfree() of such an area gives its pages back not executable and writable; called by a handler it leaves that, and the
 * area, to the next thread that makes a large area or calls vm_unmap_aliases(). What vmap() and vm_map_ram() map is
 * changed at the given address alone, and never becomes executable: its pages have other addresses that their owner may
 * write at. set_memory_x(), of vmalloc()'s addresses or of linear ones, is refused, too, while any mapping of a page
 * can be written, vmap()'s and DMA's included; and so is set_memory_rw() of vmap()'s addresses, and a vmap() that could
 * be written, while a page is executable anywhere. Lines name both addresses and their owners. The running image's own
 * pages aside: their rights do not change, and who vmap()s them to be written writes what runs.
 *
 * Common to all: @addr is page aligned and in the linear map (page_address(), kmalloc()'s pages, ...) or in one area of
 * vmalloc() or vmap(); @numpages pages from there on are mapped, and the caller's. But for what is said above, only the
 * mapping at these addresses changes: other mappings of the same pages keep their rights. Who gives pages back sets
 * them as they were before. On return all CPUs go by it. Of CPUs that change the same pages at once one comes after the
 * other, each as a whole.
 *
 * Context: thread, interrupts unmasked, no lock but mutexes held; other CPUs stand still for some thousand instructions
 * where a block is split or merged. Cost: O(pages); 5,000 instructions and more for a page. set_memory_x(): all areas'
 * pages besides, for each run of pages that lie behind one another.
 * Return: 0; else, with nothing changed, after a line with range, owner and reason:
 * -EINVAL	no pages, not page aligned, past the end of the address space, not linear nor in one area, or not all
 *		mapped
 * -EPERM	writable and executable at once, switched-off pages included, at one address or at two; or the running
 *		image's text or constants
 * -ENOMEM	a block had to be split, and there is no page for a table
 * -EBUSY	called with interrupts masked, or from a handler
 */
#ifndef MM_SET_MEMORY_H
#define MM_SET_MEMORY_H

/** set_memory_ro() - read-only */
int set_memory_ro(unsigned long addr, unsigned long numpages);

/** set_memory_rw() - readable and writable; refused where it is executable */
int set_memory_rw(unsigned long addr, unsigned long numpages);

/** set_memory_nx() - not executable */
int set_memory_nx(unsigned long addr, unsigned long numpages);

/**
 * set_memory_x() - executable; refused where it is writable. Instructions that were written there are made visible by
 * the caller.
 */
int set_memory_x(unsigned long addr, unsigned long numpages);

/** set_memory_valid() - reachable at all, with the rights it has; @enable 0: every access faults */
int set_memory_valid(unsigned long addr, unsigned long numpages, int enable);

#endif
