/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmap and its kin: the address of any page. On a machine of 64 bits all RAM is in the linear map, so each is the
 * identity that page_address() is: nothing is mapped, nothing is undone, and nesting and order are free. Code that is
 * written for them works; new code calls page_address().
 *
 * Context: any, any CPU. Cost: page_address(), two instructions. @page: of RAM that the linear map has, so not of a
 * no-map range.
 */
#ifndef MM_HIGHMEM_H
#define MM_HIGHMEM_H

#include <string.h>

#include <mm/page.h>

#include <asm/page.h>

/** PageHighMem() - whether @page has no address of its own: never */
static inline bool PageHighMem(const struct page *page)
{
	(void)page;
	return false;
}

/** kmap() - the address of @page, until kunmap() */
static inline void *kmap(struct page *page)
{
	return page_address(page);
}

/** kunmap() - @page is no longer looked at */
static inline void kunmap(struct page *page)
{
	(void)page;
}

/** kmap_to_page() - the page that @addr of kmap() lies in */
static inline struct page *kmap_to_page(void *addr)
{
	return virt_to_page(addr);
}

/** kmap_local_page() - the address of @page, for this thread of execution, until kunmap_local() */
static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

/** kmap_local_pfn() - the same of a page frame */
static inline void *kmap_local_pfn(unsigned long pfn)
{
	return page_address(pfn_to_page(pfn));
}

/** kunmap_local() - any address in the page is no longer looked at */
static inline void kunmap_local(const void *addr)
{
	(void)addr;
}

/** kmap_atomic() - the address of @page, until kunmap_atomic(). There is neither preemption nor page-in to hold off. */
static inline void *kmap_atomic(struct page *page)
{
	return page_address(page);
}

/** kunmap_atomic() - any address in the page is no longer looked at */
static inline void kunmap_atomic(const void *addr)
{
	(void)addr;
}

/** clear_highpage() - zero @page */
static inline void clear_highpage(struct page *page)
{
	clear_page(page_address(page));
}

/** copy_highpage() - copy the bytes of @from to @to */
static inline void copy_highpage(struct page *to, struct page *from)
{
	memcpy(page_address(to), page_address(from), PAGE_SIZE);
}

/** memcpy_from_page() - copy @len bytes at @offset of @page; they do not leave the page */
static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	memcpy(to, (const char *)page_address(page) + offset, len);
}

/** memcpy_to_page() - copy @len bytes to @offset of @page; they do not leave the page */
static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	memcpy((char *)page_address(page) + offset, from, len);
}

#endif
