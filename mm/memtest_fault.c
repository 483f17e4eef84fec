// SPDX-License-Identifier: BSD-2-Clause
/*
 * Simulated broken memory, for tests of the memory test (CONFIG_SELFTEST).
 *
 * 1. The test writes a chunk and has the caches give it to memory; at that moment broken memory would make something
 *    else of it, and that is what memtest_apply_faults() does. So the loops that read and write know nothing of it.
 * 2. A stuck bit: cleared or set in each word of the fault, every time it was written.
 * 3. A broken address line: two ranges are the same cells. Whichever was written last is what both hold; within one
 *    chunk that is the one at the higher address.
 * 4. The table is filled on the boot CPU before the test and only read in it. A fault whose two ranges are tested by
 *    different CPUs at the same time has no defined outcome, as on a machine.
 */
#include "memtest.h"

#include <errno.h>
#include <lib/printk.h>
#include <mm/bootargs.h>
#include <mm/memtest.h>
#include <stdlib.h>

#define MAX_FAULTS 16
#define WORD	   sizeof(u64)

static struct memtest_fault faults[MAX_FAULTS];
static unsigned int nr_faults;

static bool fault_valid(const struct memtest_fault *f)
{
	if (!IS_ALIGNED(f->base | f->size | f->stride | f->alias, WORD) || !f->stride)
		return false;
	return !f->alias || f->alias >= f->base + f->size;
}

int memtest_fault_add(const struct memtest_fault *fault)
{
	if (!fault_valid(fault))
		return -EINVAL;
	if (nr_faults == MAX_FAULTS)
		return -ENOSPC;
	faults[nr_faults++] = *fault;
	return 0;
}

/* "ADDRESS,BIT" or "ADDRESS,BIT,VALUE". */
static bool parse_fault(const char *text, struct memtest_fault *fault)
{
	unsigned long bit, value = 1;
	char *end;

	*fault = (struct memtest_fault){ .base = strtoull(text, &end, 0), .size = WORD, .stride = WORD };
	if (end == text || *end != ',')
		return false;
	text = end + 1;
	bit = strtoul(text, &end, 0);
	if (end == text || bit > 63)
		return false;
	if (*end == ',') {
		text = end + 1;
		value = strtoul(text, &end, 0);
		if (end == text || value > 1)
			return false;
	}
	*(value ? &fault->ones : &fault->zeros) = 1ULL << bit;
	return !*end;
}

void memtest_fault_args(const char *args)
{
	struct memtest_fault fault;
	char value[64];

	while ((args = bootarg_value(args, "memtest_fault", value, sizeof(value)))) {
		if (!parse_fault(value, &fault))
			printk("memtest: memtest_fault=%s is not ADDRESS,BIT or ADDRESS,BIT,VALUE: ignored\n", value);
		else if (memtest_fault_add(&fault))
			printk("memtest: memtest_fault=%s: not a multiple of 8, or more than %d: ignored\n", value,
			       MAX_FAULTS);
	}
}

static void stick(const struct memtest_fault *f, phys_addr_t base, phys_addr_t end)
{
	phys_addr_t skipped = base > f->base ? base - f->base : 0;

	end = min(end, f->base + f->size);
	for (phys_addr_t pa = f->base + DIV_ROUND_UP(skipped, f->stride) * f->stride; pa < end; pa += f->stride) {
		u64 *word = __va(pa);

		*word = (*word & ~f->zeros) | f->ones;
	}
}

/*
 * The words of [from, from + size) that lie in [base, end) are what those at the same place of [to, to + size) hold
 * too.
 */
static void copy_part(phys_addr_t to, phys_addr_t from, phys_addr_t size, phys_addr_t base, phys_addr_t end)
{
	phys_addr_t start = max(from, base);

	end = min(end, from + size);
	for (phys_addr_t pa = start; pa < end; pa += WORD)
		*(u64 *)__va(to + (pa - from)) = *(const u64 *)__va(pa);
}

void memtest_apply_faults(phys_addr_t base, phys_addr_t size)
{
	for (unsigned int i = 0; i < nr_faults; i++) {
		const struct memtest_fault *f = &faults[i];

		if (f->alias) {
			/* First the higher range, which was written last where both lie in the chunk. */
			copy_part(f->base, f->alias, f->size, base, base + size);
			copy_part(f->alias, f->base, f->size, base, base + size);
		}
		stick(f, base, base + size);
	}
}
