/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clearing pages, and filling memory in units of a cache line.
 *
 * 1. clear_page() uses DC ZVA, which zeroes a block (DCZID_EL0.BS is log2 of its words; 64 bytes on most cores) without
 *    reading it, four blocks per turn. Where blocks are too large for that, or where a hypervisor prohibits DC ZVA
 *    (DCZID_EL0.DZP), the page is stored to. Cost: with blocks of 64 bytes, 170 instructions.
 * 2. fill_lines() does so too, where a block is one of its units; else four stores make a unit.
 */
#include <string.h>

#include <asm/page.h>
#include <asm/sysreg.h>

#define DCZID_DZP     (1U << 4)
#define DCZID_BS_MASK 0xfU

void clear_page(void *page)
{
	u64 dczid = read_sysreg(dczid_el0);
	u64 block = 4UL << (dczid & DCZID_BS_MASK);
	char *end = (char *)page + PAGE_SIZE;

	if ((dczid & DCZID_DZP) || 4 * block > PAGE_SIZE) {
		memset(page, 0, PAGE_SIZE);
		return;
	}
	for (char *p = page; p < end; p += 4 * block)
		__asm__ volatile("dc zva, %0\n\t"
				 "dc zva, %1\n\t"
				 "dc zva, %2\n\t"
				 "dc zva, %3"
				 :
				 : "r"(p), "r"(p + block), "r"(p + 2 * block), "r"(p + 3 * block)
				 : "memory");
}

/* DC ZVA zeroes just 64 bytes. */
#define DCZID_64_BYTES 4

static __always_inline void zero_and_store(u64 *line, u64 first)
{
	__asm__ volatile("dc zva, %0" : : "r"(line) : "memory");
	*line = first;
}

static __always_inline void store_line(u64 *line, u64 first)
{
	line[0] = first;
	line[1] = 0;
	line[2] = 0;
	line[3] = 0;
	line[4] = 0;
	line[5] = 0;
	line[6] = 0;
	line[7] = 0;
}

void fill_lines(void *lines, unsigned long n, u64 first)
{
	bool zva = (read_sysreg(dczid_el0) & (DCZID_DZP | DCZID_BS_MASK)) == DCZID_64_BYTES;
	u64 *line = lines, *end = line + n * 8;

	if (zva) {
#pragma GCC unroll 8
		for (; line < end; line += 8)
			zero_and_store(line, first);
	} else {
#pragma GCC unroll 8
		for (; line < end; line += 8)
			store_line(line, first);
	}
}
