/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI: firmware's calls to start a CPU and to power off (Arm DEN 0022, Power State Coordination Interface).
 */
#ifndef ASM_PSCI_H
#define ASM_PSCI_H

#include <lib/types.h>

/* Return values (DEN 0022, 5.2.2). */
#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED		(-3)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)
#define PSCI_INTERNAL_FAILURE	(-6)
#define PSCI_NOT_PRESENT	(-7)
#define PSCI_DISABLED		(-8)
#define PSCI_INVALID_ADDRESS	(-9)

/** psci_init() - read the /psci node: conduit (hvc or smc) and function numbers. Logs one line. Boot CPU only. */
void psci_init(const void *fdt);

/**
 * psci_cpu_on() - start a CPU
 * @mpidr: its affinity fields, as its `reg` in the tree gives them
 * @entry: physical address where it starts
 * @context: what it finds in x0
 *
 * Return: PSCI_SUCCESS or one of the failures above.
 */
int psci_cpu_on(u64 mpidr, phys_addr_t entry, u64 context);

/** psci_system_off() - power off; returns only when that is not possible */
void psci_system_off(void);

/** psci_system_reset() - start anew; returns only when that is not possible */
void psci_system_reset(void);

/** psci_strerror() - a return value by name, e.g. "ALREADY_ON" */
const char *psci_strerror(int error);

#endif
