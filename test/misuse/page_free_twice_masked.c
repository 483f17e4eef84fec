// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page that lies in another CPU's cache is freed again when neither CPU can be interrupted. It is out of use as soon
 * as the other one can: the third free is of a bad page.
 */
#include <lib/smp.h>
#include <mm/gfp.h>
#include <mm/port.h>

#include "misuse.h"

static u32 cached, freed_again; /* atomic */

static void free_there(void *page)
{
	unsigned long flags = local_irq_save();

	__free_page((struct page *)page);
	__atomic_store_n(&cached, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&freed_again, __ATOMIC_ACQUIRE))
		cpu_relax();
	local_irq_restore(flags);
}

MISUSE(page_free_twice_masked, basic, GOES_ON)
{
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned long flags;

	if (smp_work_start(1, free_there, page))
		return;
	while (!__atomic_load_n(&cached, __ATOMIC_ACQUIRE))
		cpu_relax();
	flags = local_irq_save();
	__free_page(page);
	local_irq_restore(flags);
	__atomic_store_n(&freed_again, 1, __ATOMIC_RELEASE);
	smp_work_wait(1);
	__free_page(page);
}
