// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host port's rights of mapped memory (test/host/include/asm/set_memory.h): a byte for each page of the linear map
 * and of vmalloc's addresses, in arrays that the host gives memory for where they are written. A byte of 0 is writable,
 * not executable, valid.
 */
#include <errno.h>
#include <sys/mman.h>

#include <lib/mutex.h>
#include <mm/port.h>

#include "../../mm/vmap.h"
#include "host.h"

#define READ_ONLY    1U
#define EXECUTABLE   2U
#define SWITCHED_OFF 4U

static u8 linear_rights[PHYS_ADDR_LIMIT >> PAGE_SHIFT];
static u8 vmalloc_rights[(VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT];

/* Whoever looks at rights to change them holds it. */
static DEFINE_MUTEX(rights_mutex);
static unsigned int no_tables; /* the change that finds none, 0 for none; rights_mutex */

void host_rights_fail_at(unsigned int nth)
{
	no_tables = nth;
}

void host_rights_fail(void)
{
	host_rights_fail_at(1);
}

static u8 *rights_of(unsigned long va)
{
	if (va >= VMALLOC_START && va < VMALLOC_END)
		return &vmalloc_rights[(va - VMALLOC_START) >> PAGE_SHIFT];
	if (va >= HOST_LINEAR && va - HOST_LINEAR < PHYS_ADDR_LIMIT)
		return &linear_rights[(va - HOST_LINEAR) >> PAGE_SHIFT];
	return NULL;
}

void host_rights_reset(unsigned long va, size_t size, bool writable)
{
	for (size_t done = 0; done < size; done += PAGE_SIZE) {
		u8 *rights = rights_of(va + done);

		if (rights && *rights != (writable ? 0 : READ_ONLY))
			*rights = writable ? 0 : READ_ONLY;
	}
}

static bool is_mapped(unsigned long va)
{
	phys_addr_t pa;

	if (va >= VMALLOC_START && va < VMALLOC_END)
		return arch_vmap_lookup(va, &pa);
	return host_is_mapped(__pa((const void *)va));
}

void arch_query_mapping(unsigned long va, struct arch_mapping *mapping)
{
	unsigned long page = ALIGN_DOWN(va, PAGE_SIZE);
	u8 rights = *rights_of(va);

	*mapping = (struct arch_mapping){ .start = page, .end = page + PAGE_SIZE, .mapped = is_mapped(va) };
	if (!mapping->mapped)
		return;
	mapping->valid = !(rights & SWITCHED_OFF);
	mapping->writable = !(rights & READ_ONLY);
	mapping->executable = rights & EXECUTABLE;
}

static u8 changed(u8 rights, enum arch_rights how)
{
	static const struct {
		u8 set, clear;
	} changes[] = {
		[RIGHTS_RO] = { READ_ONLY, 0 },	      [RIGHTS_RW] = { 0, READ_ONLY },
		[RIGHTS_NX] = { 0, EXECUTABLE },      [RIGHTS_X] = { EXECUTABLE, 0 },
		[RIGHTS_VALID] = { 0, SWITCHED_OFF }, [RIGHTS_INVALID] = { SWITCHED_OFF, 0 },
	};

	return (u8)((rights & ~changes[how].clear) | changes[how].set);
}

static void change_pages(unsigned long va, unsigned long end, enum arch_rights rights)
{
	for (unsigned long at = va; at < end; at += PAGE_SIZE) {
		u8 *byte = rights_of(at), now = changed(*byte, rights);
		int prot = now & SWITCHED_OFF ? PROT_NONE : now & READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE;

		*byte = now;
		if (mprotect((void *)at, PAGE_SIZE, prot))
			host_die("%#lx cannot have the rights %u", at, now);
	}
}

int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights)
{
	int err;

	mutex_lock(&rights_mutex);
	err = set_memory_check(va, va + size, rights);
	if (!err && no_tables && !--no_tables)
		err = -ENOMEM;
	if (!err)
		change_pages(va, va + size, rights);
	mutex_unlock(&rights_mutex);
	return err;
}
