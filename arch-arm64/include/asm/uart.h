/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UARTs: how a driver offers itself, and how the one that the tree chose is found.
 *
 * To add a UART: write uart/<name>.c with a struct uart_driver, and name it in the table of uart/probe.c.
 */
#ifndef ASM_UART_H
#define ASM_UART_H

#include <lib/printk.h>
#include <lib/types.h>

/**
 * struct uart_driver - a kind of UART
 * @compatible: strings of the tree's compatible property, ended by NULL
 * @name: for the log
 * @setup: make the device at @base (mapped registers) ready to send and receive at the rate it has,, and return its
 *	console, or NULL, with nothing changed, when nothing answers there; called until it returns a console
 */
struct uart_driver {
	const char *const *compatible;
	const char *name;
	struct console *(*setup)(volatile void *base);
};

extern const struct uart_driver pl011_driver;

/**
 * uart_probe() - find the UART of /chosen/stdout-path, or else another one, and register it as console
 * @fdt: the tree
 *
 * Says in one line what was found. When the tree chooses none, or one that cannot be used, a line says why and what is
 * used instead. Context: the boot CPU, once; device mappings must work.
 */
void uart_probe(const void *fdt);

#endif
