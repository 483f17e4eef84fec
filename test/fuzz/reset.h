/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that can be reset, so that one process can try one input after the other. */
#ifndef TEST_FUZZ_RESET_H
#define TEST_FUZZ_RESET_H

#include <lib/types.h>

/** machine_boot() - host_boot_cpu() of one CPU, its log kept back, and note the state to come back to. Once. */
void machine_boot(void);

/**
 * machine_try() - reset the machine, then run @fn(@arg) on it
 *
 * Return: whether @fn returned; false when the core ended the run, by a panic as a rule: host_log() has its words.
 */
bool machine_try(void (*fn)(const void *arg), const void *arg);

#endif
