/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rights of what is mapped: looked up and changed. Group 12 of the port contract (<mm/port.h>).
 *
 * Arm: rights are bits of table entries; a unit is a page, a block or a group. Changing a part of a larger unit splits
 * it, and it is merged when it is uniform again (mm/pt_change.c).
 */
#ifndef ASM_SET_MEMORY_H
#define ASM_SET_MEMORY_H

#include <lib/types.h>

/**
 * struct arch_mapping - what may be done at the addresses [@start, @end), one unit, or a gap
 * @start, @end: page aligned
 * @mapped: whether anything is; the rest is false when not
 * @valid: whether it is switched on: else every access faults, whatever the rights
 * @writable, @executable: rights, kept while it is switched off
 */
struct arch_mapping {
	unsigned long start, end;
	bool mapped;
	bool valid;
	bool writable;
	bool executable;
};

/** enum arch_rights - how rights may change */
enum arch_rights { RIGHTS_RO, RIGHTS_RW, RIGHTS_NX, RIGHTS_X, RIGHTS_VALID, RIGHTS_INVALID };

/**
 * arch_query_mapping() - look up @va: one unit, of which all is alike, and lies behind one another physically
 *
 * Context: any; any address, of the linear map or vmalloc's, whoever unmaps meanwhile.
 */
void arch_query_mapping(unsigned long va, struct arch_mapping *mapping);

/**
 * arch_change_rights() - change the rights of [@va, @va + @size), whole pages
 *
 * The range is looked at and changed under pt_mutex: whoever else changes rights there does so before or after. On
 * return every CPU goes by the new ones. Context: the range's owner, where arch_cross_call_ok(); other CPUs stand still
 * for a moment where units are split or merged. Return: 0; with nothing changed
 * -EPERM	the image's text and constants are in the range
 * -ENOENT	not all of it is mapped
 * -EACCES	something would be writable and executable at once, once it is switched on
 * -ENOMEM	there is no page for a table
 */
int arch_change_rights(unsigned long va, unsigned long size, enum arch_rights rights);

#endif
