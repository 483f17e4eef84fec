/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses.
 *
 * 1. The table (format: <asm/ksyms.h>) is sorted, so the function of an address is the last that begins at or below
 *    it: a binary search.
 * 2. Addresses outside _text to _etext have no name, so a wild pointer is not given the last function's.
 * 3. Nothing here allocates, locks or faults: it runs while an exception is reported.
 */
#include <stdio.h>

#include <asm/ksyms.h>
#include <asm/sections.h>

const char *ksym_lookup(u64 addr, u64 *offset)
{
	u64 rel = addr - (uintptr_t)_text;
	u32 low = 0, high = ksyms_count;

	if (addr < (uintptr_t)_text || addr >= (uintptr_t)_etext)
		return NULL;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ksyms_offset[mid] <= rel)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	*offset = rel - ksyms_offset[low - 1];
	return ksyms_names + ksyms_name_off[low - 1];
}

const char *ksym_format(u64 addr, char *buf, size_t size)
{
	u64 offset;
	const char *name = ksym_lookup(addr, &offset);

	if (name)
		snprintf(buf, size, "%.*s+0x%llx", KSYM_MAX - 20, name, offset);
	else
		snprintf(buf, size, "0x%llx", addr);
	return buf;
}
