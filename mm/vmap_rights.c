// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rights of pages that have two addresses and more: one in the linear map, and those that vmalloc(), vmap() and others
 * gave them.
 *
 * 1. Read-only is what a page is, not an address: set_memory_ro() and set_memory_rw() of vmalloc()'s addresses change
 *    the pages' linear addresses with them. So who may not write at the one may not write at the other.
 * 2. Executable is the address alone, and only while the page can be written at neither: set_memory_x() of vmalloc()'s
 *    addresses asks that of both, and set_memory_rw() of a linear address is refused while the page is executable at
 *    vmalloc()'s.
 *
 *				vmalloc()'s address	linear address
 *	vmalloc()		rw-			rw-
 *	set_memory_ro()		r--			r--
 *	set_memory_x()		r-x			r--	set_memory_rw() of either is refused
 *	vfree()			none			rw-
 *
 * 3. An area whose pages were made read-only is VMAP_CHANGED from then on: vfree(), which looks for VMAP_VMALLOC, does
 *    not find it on its way, and so pays nothing for others. It makes the pages not executable, then writable at their
 *    linear addresses, calls the area VMAP_VMALLOC again, and ends it as any other.
 * 4. That takes a thread, for other CPUs may have to stand still. Of a handler vfree() marks the area VMAP_ENDED, and
 *    it is ended by the next thread that makes a large area or a block of slots, or calls vm_unmap_aliases(). The same
 *    goes for an area whose pages could not be made writable, for want of a page for a table. Until then nothing of it
 *    is free, and it is seen in vmallocinfo.
 * 5. What vmap() and vm_map_ram() map is written at other addresses as its owner likes: it is never executable. Nor
 *    does a page become executable at vmalloc()'s or at its linear address while any other mapping of it can be
 *    written: set_memory_x() looks at all areas. And of a page that is executable nobody gets a mapping that can be
 *    written: vmap() looks at its pages, set_memory_rw() of vmap()'s addresses, too.
 * 6. As long as nobody has changed rights, that costs vmap() an atomic read (watch()). It looks when its area is known
 *    to walks, and set_memory_x() walks when the number says that there is something to look for: of two in the same
 *    moment one sees the other. Until vmap() returns nobody has the address.
 *
 * rights_mutex covers all changes of rights, so that what was seen of one address stays true until the other is
 * changed.
 */
#include <errno.h>

#include <lib/mutex.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/page.h>
#include <mm/port.h>

#include "vmap.h"

static DEFINE_MUTEX(rights_mutex);
/* Areas that are VMAP_CHANGED or VMAP_ENDED, and 1 for linear_x. Atomic, changed under rights_mutex. */
static u32 watched;
static u32 nr_ended;  /* areas that are VMAP_ENDED; atomic */
static bool linear_x; /* somebody has wanted to run pages at linear addresses; rights_mutex */

/* Count what is watched. Who counts after another sees what that one did before. Return: how much there is. */
static u32 watch(u32 by)
{
	u32 old;

	do
		old = READ_ONCE(watched);
	while (!cas32_acq_rel(&watched, old, old + by));
	return old + by;
}

/**
 * struct run - pages at addresses of vmalloc()'s, as far as they lie behind one another in the linear map
 * @va, @end: where vmalloc() has them
 * @linear: where the linear map has the first
 */
struct run {
	unsigned long va, end;
	unsigned long linear;
};

static unsigned long linear_address(unsigned long va)
{
	return (unsigned long)page_address(vmap_page_at(va));
}

/* The run that begins at @va and ends at @end at the latest. All is mapped. */
static struct run run_from(unsigned long va, unsigned long end)
{
	struct run run = { va, va + PAGE_SIZE, linear_address(va) };

	while (run.end < end && linear_address(run.end) == run.linear + (run.end - va))
		run.end += PAGE_SIZE;
	return run;
}

/* Whether something at [@va, @end) may be written, or else run. */
static bool may_at(unsigned long va, unsigned long end, bool write)
{
	struct arch_mapping mapping;

	for (; va < end; va = mapping.end) {
		arch_query_mapping(va, &mapping);
		if (write ? mapping.writable : mapping.executable)
			return true;
	}
	return false;
}

static bool any_writable(unsigned long va, unsigned long end)
{
	return may_at(va, end, true);
}

static bool any_executable(unsigned long va, unsigned long end)
{
	return may_at(va, end, false);
}

/*
 * Whether a page of [@linear, @linear + @size) may be written, or else run, at an address of @area, which is *@at then.
 */
static bool may_in(const struct vmap_area *area, unsigned long linear, unsigned long size, bool write,
		   unsigned long *at)
{
	unsigned long va = area->addr, end = va + ((unsigned long)area->nr_pages << PAGE_SHIFT), first;
	struct arch_mapping mapping;
	phys_addr_t pa;

	for (; va < end; va = mapping.end) {
		arch_query_mapping(va, &mapping);
		if (!(write ? mapping.writable : mapping.executable) || !arch_vmap_lookup(va, &pa))
			continue;
		first = (unsigned long)__va(pa);
		if (first >= linear + size || linear >= first + (min(mapping.end, end) - va))
			continue;
		*at = va + (max(first, linear) - first);
		return true;
	}
	return false;
}

/* The same of all areas: what is executable is so in one whose rights were changed. Context: rights_mutex. */
static bool may_elsewhere(unsigned long linear, unsigned long size, bool write, unsigned long *at)
{
	struct vmap_area area = { .addr = 0 };

	if (!write && READ_ONCE(watched) == linear_x)
		return false;
	while (vmap_area_next(area.addr + PAGE_SIZE, &area))
		if ((write || area.use == VMAP_CHANGED || area.use == VMAP_ENDED) &&
		    may_in(&area, linear, size, write, at))
			return true;
	return false;
}

/* The same of linear addresses and all areas, for the pages at [@va, @end). */
static bool pages_may(unsigned long va, unsigned long end, bool write, unsigned long *at)
{
	while (va < end) {
		struct run run = run_from(va, end);
		unsigned long size = run.end - run.va;

		*at = run.linear;
		if (may_at(run.linear, run.linear + size, write))
			return true;
		if (may_elsewhere(run.linear, size, write, at))
			return true;
		va = run.end;
	}
	return false;
}

/* The linear addresses of the pages at [@va, @end). Return: 0, or the port's error; then some are changed. */
static int change_linear(unsigned long va, unsigned long end, enum arch_rights rights)
{
	while (va < end) {
		struct run run = run_from(va, end);
		int err = arch_change_rights(run.linear, run.end - run.va, rights);

		if (err)
			return err;
		va = run.end;
	}
	return 0;
}

/*
 * After an error: each linear address goes by vmalloc()'s again, which is not changed yet. What cannot is read-only,
 * and vfree() sees to it.
 */
static void restore_linear(unsigned long va, unsigned long end)
{
	for (; va < end; va += PAGE_SIZE)
		arch_change_rights(linear_address(va), PAGE_SIZE,
				   any_writable(va, va + PAGE_SIZE) ? RIGHTS_RW : RIGHTS_RO);
}

/* Both addresses of pages of vmalloc()'s. */
static int change_both(const struct vmap_area *area, unsigned long va, unsigned long end, enum arch_rights rights)
{
	int err;

	/* The port says so. */
	if (rights == RIGHTS_RW && any_executable(va, end))
		return arch_change_rights(va, end - va, rights);
	if (rights == RIGHTS_RO && vmap_area_mark(area->addr, VMAP_VMALLOC, VMAP_CHANGED))
		watch(1);
	err = change_linear(va, end, rights);
	if (!err)
		err = arch_change_rights(va, end - va, rights);
	if (err)
		restore_linear(va, end);
	return err;
}

static int change_area(unsigned long va, unsigned long end, enum arch_rights rights, unsigned long *other)
{
	struct vmap_area area;
	bool own = vmap_area_at(va, &area) && vmap_owns_pages(area.use);

	if (own && (rights == RIGHTS_RO || rights == RIGHTS_RW))
		return change_both(&area, va, end, rights);
	if (rights == RIGHTS_RW && pages_may(va, end, false, other))
		return -ETXTBSY;
	if (rights == RIGHTS_X && !any_writable(va, end)) {
		watch(0);
		if (pages_may(va, end, true, other))
			return -ETXTBSY;
		*other = 0;
		if (!own)
			return -ETXTBSY;
	}
	return arch_change_rights(va, end - va, rights);
}

static int change_linear_only(unsigned long va, unsigned long size, enum arch_rights rights, unsigned long *other)
{
	if (rights == RIGHTS_RW && may_elsewhere(va, size, false, other))
		return -ETXTBSY;
	if (rights == RIGHTS_X && !any_writable(va, va + size)) {
		watch(!linear_x);
		linear_x = true;
		if (may_elsewhere(va, size, true, other))
			return -ETXTBSY;
	}
	return arch_change_rights(va, size, rights);
}

int vmap_change_rights(unsigned long va, unsigned long size, enum arch_rights rights, unsigned long *other)
{
	int err;

	*other = 0;
	mutex_lock(&rights_mutex);
	err = is_vmalloc_addr((const void *)va) ? change_area(va, va + size, rights, other) :
						  change_linear_only(va, size, rights, other);
	mutex_unlock(&rights_mutex);
	/* Blocks that were merged have left their tables. */
	vmap_reap_many();
	return err;
}

bool vmap_rights_allow(unsigned long va, unsigned long end, unsigned long *other)
{
	bool found;

	*other = 0;
	if (!watch(0) || !any_writable(va, va + PAGE_SIZE))
		return true;
	if (!arch_cross_call_ok())
		return false;
	mutex_lock(&rights_mutex);
	found = pages_may(va, end, false, other);
	mutex_unlock(&rights_mutex);
	return !found;
}

/* --- the end of an area --- */

/*
 * Context: rights_mutex. Return: whether the area, for @use, has the rights that vmalloc() gives, and is VMAP_VMALLOC.
 */
static bool give_back_rights(const struct vmap_area *area)
{
	unsigned long va = area->addr, end = va + ((unsigned long)area->nr_pages << PAGE_SHIFT);
	int err = arch_change_rights(va, end - va, RIGHTS_NX);

	if (!err)
		err = change_linear(va, end, RIGHTS_NX);
	if (!err)
		err = change_linear(va, end, RIGHTS_RW);
	if (err || !vmap_area_mark(va, area->use, VMAP_VMALLOC))
		return false;
	watch(-1U);
	if (area->use == VMAP_ENDED)
		fetch_add32(&nr_ended, -1U);
	return true;
}

/* Leave the area at @addr to a thread that comes later. */
static void put_off(unsigned long addr)
{
	if (vmap_area_mark(addr, VMAP_CHANGED, VMAP_ENDED))
		fetch_add32(&nr_ended, 1);
}

/* An area for @use that begins at @addr. Return: false when there is none. */
static bool find(unsigned long addr, u8 use, struct vmap_area *area)
{
	return is_vmalloc_addr((const void *)addr) && vmap_area_at(addr, area) && area->addr == addr &&
	       area->nr_pages && area->use == use;
}

bool vmap_rights_end(unsigned long addr)
{
	struct vmap_area area;
	bool done;

	if (!find(addr, VMAP_CHANGED, &area))
		return true;
	if (!arch_cross_call_ok()) {
		put_off(addr);
		return false;
	}
	mutex_lock(&rights_mutex);
	done = !find(addr, VMAP_CHANGED, &area) || give_back_rights(&area);
	mutex_unlock(&rights_mutex);
	if (!done) {
		put_off(addr);
		printk("vfree: 0x%lx, %u pages: no memory to make them writable: they are freed later\n", addr,
		       area.nr_pages);
	}
	return done;
}

/*
 * The next area that waits from @addr on, with its rights given back. Return: its address; 0 when there is none, or no
 * memory.
 */
static unsigned long take_ended(unsigned long addr)
{
	struct vmap_area area = { .addr = addr };
	unsigned long found = 0;

	mutex_lock(&rights_mutex);
	while (!found && vmap_area_next(area.addr + PAGE_SIZE, &area))
		if (area.use == VMAP_ENDED && give_back_rights(&area))
			found = area.addr;
	mutex_unlock(&rights_mutex);
	return found;
}

void vmap_rights_reap(void)
{
	unsigned long addr = 0;

	if (!READ_ONCE(nr_ended) || !arch_cross_call_ok())
		return;
	while ((addr = take_ended(addr)))
		vfree((const void *)addr);
}
