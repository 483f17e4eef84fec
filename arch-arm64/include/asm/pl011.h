/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the PL011 (Arm DDI 0183) that are used with the MMU off too (boot/early_check.S): C and assembly.
 *
 * The eight identification registers, UARTPeriphID0 to 3 and UARTPCellID0 to 3, hold a byte each (3.3.14, 3.3.15);
 * UART_ID_PL011 is all of them, the first in the lowest byte. The revision, bits 7:4 of UARTPeriphID2, is masked.
 */
#ifndef ASM_PL011_H
#define ASM_PL011_H

#include <asm/const.h>

#define UART_DR		   0x000
#define UART_FR		   0x018
#define UART_FR_TXFF_SHIFT 5

#define UART_ID	      0xfe0
#define UART_ID_PL011 UL(0xb105f00d00041011)
#define UART_ID_MASK  UL(0xffffffffff0fffff)

#endif
