/* SPDX-License-Identifier: BSD-2-Clause */
/* What fault_cmd.c and fault_cmd_access.c share: the kinds of faults that can be made on purpose. */
#ifndef FAULT_CMD_H
#define FAULT_CMD_H

#include <lib/types.h>

/* What an access does. */
enum fault_how { FAULT_READ, FAULT_WRITE, FAULT_EXEC };

/**
 * struct fault_kind - a fault that can be made on purpose; constant
 * @name: what is typed
 * @make: makes it; NULL when it is an access
 * @how: (access) what is done
 * @where: (access) the address, found on the CPU that makes the fault; NULL when there is none, which it has said
 */
struct fault_kind {
	const char *name;
	void (*make)(void);
	enum fault_how how;
	void *(*where)(void);
};

/** fault_accesses - the accesses that nothing may do, by what forbids them; the last has no name */
extern const struct fault_kind fault_accesses[];

/**
 * fault_access() - do it
 * @say: whether the address is said before
 *
 * Returns, after saying so, when nothing has stopped it.
 */
void fault_access(const struct fault_kind *kind, bool say);

#endif
