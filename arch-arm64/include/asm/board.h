/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only one kind of board has: power and reset of the BCM2835 family, Raspberry Pi.
 */
#ifndef ASM_BOARD_H
#define ASM_BOARD_H

/**
 * bcm2835_pm_init() - find the power management block and its watchdog; stop the watchdog when it runs
 *
 * Silent where the tree names none. Boot CPU only, before the others are started.
 */
void bcm2835_pm_init(const void *fdt);

/** bcm2835_pm_off() - halt until power is switched off and on; returns only when that is not possible. Any context. */
void bcm2835_pm_off(void);

/** bcm2835_pm_reset() - start anew; returns only when that is not possible. Any context. */
void bcm2835_pm_reset(void);

#endif
