// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changing what may be done with memory (contract: <mm/set_memory.h>): whether it may be changed. How it is, is the
 * port's (<asm/set_memory.h>).
 *
 * 1. A range is looked at as a whole before anything is changed: here, where it lies; by the port, in one step with the
 *    change, that all of it is mapped, and that nothing would become both writable and executable; in between, what the
 *    pages' other address allows (vmap_rights.c).
 * 2. A refusal is one line: who asked, the range, whose it is, why. In the linear map the owner is who claimed the
 *    memory before the page allocator got it, else the page allocator; of vmalloc's addresses it is the area and who
 *    asked for it.
 *
 * Locks: none here.
 */
#include <mm/set_memory.h>

#include <errno.h>
#include <lib/printk.h>
#include <mm/page.h>
#include <mm/port.h>
#include <stdio.h>

#include "internal.h"
#include "vmap.h"

#define OWNER_MAX 192
#define OWNERS                                                                                                        \
	(CLAIM_BIT(CLAIM_RESERVED) | CLAIM_BIT(CLAIM_NOMAP) | CLAIM_BIT(CLAIM_LEFT_OUT) | CLAIM_BIT(CLAIM_METADATA) | \
	 CLAIM_BIT(CLAIM_CMA))

/**
 * struct request - what one call asks for
 * @who: the function called
 * @addr: first address
 * @pages: how many pages from there on
 * @rights: what to change
 */
struct request {
	const char *who;
	unsigned long addr;
	unsigned long pages;
	enum arch_rights rights;
};

int set_memory_check(unsigned long va, unsigned long end, enum arch_rights rights)
{
	struct arch_mapping mapping;

	for (; va < end; va = mapping.end) {
		arch_query_mapping(va, &mapping);
		if (!mapping.mapped)
			return -ENOENT;
		if ((rights == RIGHTS_X && mapping.writable) || (rights == RIGHTS_RW && mapping.executable))
			return -EACCES;
	}
	return 0;
}

static bool is_linear(unsigned long addr)
{
	return addr - (unsigned long)__va(0) < PHYS_ADDR_LIMIT;
}

/* Whose the memory at @addr, of @size bytes, in the linear map is. */
static void linear_owner(unsigned long addr, unsigned long size, char *buf, size_t len)
{
	phys_addr_t pa = __pa((const void *)addr);
	const struct mem_claim *claim = claim_find(pa, size, OWNERS);
	char name[OWNER_MAX / 2];

	if (!claim)
		claim = claim_find(pa, size, CLAIM_BIT(CLAIM_MEMORY));
	if (!claim)
		snprintf(buf, len, "no memory");
	else
		snprintf(buf, len, "%s[mem 0x%016llx-0x%016llx] of %s",
			 claim->kind == CLAIM_MEMORY ? "the page allocator's, in " : "", claim->base,
			 claim->base + claim->size - 1, claim_name(claim, name, sizeof(name)));
}

static void owner_of(unsigned long addr, unsigned long size, char *buf, size_t len)
{
	char name[ARCH_SYMBOL_MAX];

	if (is_linear(addr))
		linear_owner(addr, size, buf, len);
	else if (is_vmalloc_addr((const void *)addr))
		vmap_describe(addr, buf, len);
	else
		snprintf(buf, len, "%s", arch_symbol(addr, name, sizeof(name)));
}

static int refuse(const struct request *rq, int err, const char *why)
{
	unsigned long size = rq->pages << PAGE_SHIFT;
	char owner[OWNER_MAX];

	owner_of(rq->addr, max(size, PAGE_SIZE), owner, sizeof(owner));
	printk("%s: 0x%lx, %lu pages, %s: %s: nothing changed\n", rq->who, rq->addr, rq->pages, owner, why);
	return err;
}

/* What is wrong with the numbers; NULL when nothing is. */
static const char *range_fault(const struct request *rq)
{
	if (!rq->pages)
		return "no pages";
	if (rq->addr % PAGE_SIZE)
		return "not the beginning of a page";
	if (rq->pages > (~0UL - rq->addr) / PAGE_SIZE)
		return "reaches past the end of the address space";
	return NULL;
}

/* What is wrong with where it lies; NULL when nothing is. */
static const char *place_fault(const struct request *rq)
{
	unsigned long last = rq->addr + (rq->pages << PAGE_SHIFT) - 1;

	if (is_linear(rq->addr))
		return is_linear(last) ? NULL : "reaches past the end of the linear map";
	if (!is_vmalloc_addr((const void *)rq->addr))
		return "neither in the linear map nor in vmalloc's addresses";
	return vmap_holds(rq->addr, last) ? NULL : "not in one area";
}

/* Executable here and writable at @other, or the other way round. */
static int refuse_both(const struct request *rq, unsigned long other)
{
	const char *what = rq->rights == RIGHTS_X ? "its pages can be written at other addresses" :
						    "its pages are executable at other addresses";
	char owner[OWNER_MAX], why[OWNER_MAX + 80];

	if (!other)
		return refuse(rq, -EPERM, what);
	owner_of(other, PAGE_SIZE, owner, sizeof(owner));
	snprintf(why, sizeof(why), "%s: 0x%lx, %s", what, other, owner);
	return refuse(rq, -EPERM, why);
}

/* What the port's @err means; @other is with -ETXTBSY. */
static int refuse_change(const struct request *rq, int err, unsigned long other)
{
	switch (err) {
	case -ENOENT:
		return refuse(rq, -EINVAL, "not all of it is mapped");
	case -EACCES:
		return refuse(rq, -EPERM,
			      rq->rights == RIGHTS_X ? "it is writable, and would be executable as well" :
						       "it is executable, and would be writable as well");
	case -ETXTBSY:
		return refuse_both(rq, other);
	case -EPERM:
		return refuse(rq, err, "the running image stays as it is");
	case -ENOMEM:
		return refuse(rq, err, "no memory for page tables");
	default:
		return refuse(rq, err, "the port cannot change it");
	}
}

static int change(const char *who, unsigned long addr, unsigned long pages, enum arch_rights rights)
{
	struct request rq = { who, addr, pages, rights };
	const char *why = range_fault(&rq);
	unsigned long other;
	int err;

	if (!why)
		why = place_fault(&rq);
	if (why)
		return refuse(&rq, -EINVAL, why);
	if (!arch_cross_call_ok())
		return refuse(&rq, -EBUSY, "interrupts are masked, or it is a handler that asks");
	err = vmap_change_rights(addr, pages << PAGE_SHIFT, rights, &other);
	return err ? refuse_change(&rq, err, other) : 0;
}

int set_memory_ro(unsigned long addr, unsigned long numpages)
{
	return change(__func__, addr, numpages, RIGHTS_RO);
}

int set_memory_rw(unsigned long addr, unsigned long numpages)
{
	return change(__func__, addr, numpages, RIGHTS_RW);
}

int set_memory_nx(unsigned long addr, unsigned long numpages)
{
	return change(__func__, addr, numpages, RIGHTS_NX);
}

int set_memory_x(unsigned long addr, unsigned long numpages)
{
	return change(__func__, addr, numpages, RIGHTS_X);
}

int set_memory_valid(unsigned long addr, unsigned long numpages, int enable)
{
	return change(__func__, addr, numpages, enable ? RIGHTS_VALID : RIGHTS_INVALID);
}
