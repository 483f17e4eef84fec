/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host port: rights of mapped memory. Group 12 of <mm/port.h>.
 *
 * A page's rights are the process's own (mprotect()), and a byte for each page says what they are; a mapping that is
 * made anew begins with its own. What is not executable for the core may be so for the process: the host has no image
 * of ours to protect.
 */
#ifndef ASM_SET_MEMORY_H
#define ASM_SET_MEMORY_H

#include <lib/types.h>

struct arch_mapping {
	unsigned long start, end;
	bool mapped;
	bool valid;
	bool writable;
	bool executable;
};

enum arch_rights { RIGHTS_RO, RIGHTS_RW, RIGHTS_NX, RIGHTS_X, RIGHTS_VALID, RIGHTS_INVALID };

/**
 * arch_query_mapping() - look up @va: one unit, which here is a page
 *
 * Context: any; any address, of the linear map or vmalloc's, whoever unmaps meanwhile.
 */
void arch_query_mapping(unsigned long va, struct arch_mapping *mapping);
int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights);

/** host_rights_fail() - the next arch_change_rights() that would change something finds no page for a table */
void host_rights_fail(void);

/** host_rights_fail_at() - the same of the @nth from now on; 0: of none */
void host_rights_fail_at(unsigned int nth);

/** host_rights_reset() - [@va, @va + @size) has been mapped anew */
void host_rights_reset(unsigned long va, size_t size, bool writable);

#endif
