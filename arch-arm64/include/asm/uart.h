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

#include <asm/io.h>

/**
 * struct uart_driver - a kind of UART
 * @compatible: strings of the tree's compatible property, ended by NULL
 * @name: for the log
 * @setup: make the device at @base (mapped registers) ready to send and receive at the rate it has, and return its
 *	console, or NULL, with nothing changed, when nothing answers there; called until it returns a console
 */
struct uart_driver {
	const char *const *compatible;
	const char *name;
	struct console *(*setup)(volatile void *base);
};

extern const struct uart_driver pl011_driver, mini_uart_driver;

/** pl011_attach() - the console of the PL011 at @registers, used as it is */
struct console *pl011_attach(volatile void *registers);

/** mini_uart_attach() - the console of the mini UART at @registers, used as it is; NULL when it is switched off */
struct console *mini_uart_attach(volatile void *registers);

/* A look takes 50 ns or more, so this many take 50 ms at least: the time of one byte at 200 baud. */
#define UART_POLLS 1000000

/** uart_wait() - look at @reg until its bits @mask are @want, @polls times at most. Return: whether they are. */
static inline bool uart_wait(const volatile char *reg, u32 mask, u32 want, u32 polls)
{
	while (polls--)
		if ((mmio_read32(reg) & mask) == want)
			return true;
	return false;
}

/**
 * uart_probe() - find the UART of /chosen/stdout-path, or else another one, and register it as console
 * @fdt: the tree
 *
 * Says in one line what was found. When the tree chooses none, or one that cannot be used, a line says why and what is
 * used instead. Context: the boot CPU, once; device mappings must work.
 */
void uart_probe(const void *fdt);

#endif
