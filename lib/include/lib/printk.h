/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: printk() in the manner of dmesg, a ring that keeps what was said, consoles that show it, panic().
 *
 * Lines go into a ring of 1 << CONFIG_LOG_BUF_SHIFT bytes from the first instruction of C on. A console that
 * registers is first given all that the ring still holds, so nothing said before the tree was read is lost.
 */
#ifndef LIB_PRINTK_H
#define LIB_PRINTK_H

#include <stdarg.h>

#include <lib/types.h>

/**
 * struct console - a place where bytes go
 * @name: for the log, e.g. "pl011 at 0x9000000"
 * @write: sends @len bytes, waits while the device is full; called with the log lock held and interrupts masked. A
 *         line's end is a carriage return and a newline.
 * @getc: returns the next received byte or -1, without waiting; NULL when the console cannot receive
 * @next: the log's own
 */
struct console {
	const char *name;
	void (*write)(struct console *con, const char *text, size_t len);
	int (*getc)(struct console *con);
	struct console *next;
};

/**
 * printk() - format one or more lines into the log and onto every console
 *
 * Each line gets a time stamp, "[    0.001234] ". Without a trailing newline the line stays open for this CPU's next
 * call; when another CPU prints first, it is ended there. What one call prints is never torn; more than 1,023 bytes are
 * cut, a newline at the end of @fmt is kept. Context: any, interrupt handlers included; takes the log lock.
 */
void printk(const char *fmt, ...) __printf(1, 2);

/** vprintk() - printk() with its arguments in a list */
void vprintk(const char *fmt, va_list args) __printf(1, 0);

/**
 * con_printf() - format onto every console, without a time stamp and without keeping it in the ring
 *
 * For tables at the prompt and for KTAP. Context: any; takes the log lock.
 */
void con_printf(const char *fmt, ...) __printf(1, 2);

/** con_write() - @len bytes onto every console, as they are */
void con_write(const char *text, size_t len);

/** con_getc() - the next byte that any console received, or -1; does not wait */
int con_getc(void);

/** console_register() - add a console and show it what the ring holds. Boot CPU only. @con stays in use for ever. */
void console_register(struct console *con);

/** console_registered() - whether any console shows the log yet */
bool console_registered(void);

/**
 * panic() - say why on every console, with a backtrace, and end the run with status 1
 *
 * One line that begins with "panic: ", of at most 511 bytes behind that. Before any console is registered it goes to
 * the early console (a configuration option). Context: any. Other CPUs are not stopped first: arch_exit() ends them. Of
 * several CPUs that panic at once one is heard (arch_begin_report()).
 */
_Noreturn void panic(const char *fmt, ...) __printf(1, 2);

/**
 * log_emergency() - whoever is about to end the run calls this before it says why
 *
 * From here on the log lock is not waited for; without a console the early one is registered; an open line is ended.
 * Context: interrupts masked.
 */
void log_emergency(void);

/**
 * arch_early_console() - what shows the log when the tree gave no console. A port defines it.
 *
 * May look for a device the first time. Context: any, interrupts masked or the boot CPU alone. Return: NULL for none.
 */
struct console *arch_early_console(void);

#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (unlikely(cond))                                           \
			panic("BUG: %s at %s:%d", #cond, __FILE__, __LINE__); \
	} while (0)

#endif
