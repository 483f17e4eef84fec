/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: the UART that the tree chose, or else the early one.
 *
 * 1. /chosen/stdout-path names a node; the first driver of the table that knows its `compatible` gets its registers,
 *    mapped as device memory, and its console is registered, which shows what was logged so far.
 * 2. Whatever goes wrong on that way is said in one line, on the early console: something must show the log. Where
 *    early.c finds no UART either, the log stays in memory.
 */
#include <stdio.h>

#include <libfdt.h>

#include <asm/mmu.h>
#include <asm/uart.h>
#include <lib/dt.h>

/* Bytes of registers that a driver may use, and the rest of the page in which they begin: every UART here fits that. */
#define UART_MAP_SIZE 0x1000

static const struct uart_driver *const drivers[] = { &pl011_driver, &mini_uart_driver };

static const struct uart_driver *find_driver(const void *fdt, int node)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (dt_compatible(fdt, node, drivers[i]->compatible))
			return drivers[i];
	return NULL;
}

static void register_uart(const struct uart_driver *driver, u64 addr, const char *path)
{
	static char name[32];
	struct console *con = driver->setup(arch_map_device(addr, UART_MAP_SIZE));

	snprintf(name, sizeof(name), "%s at 0x%llx", driver->name, addr);
	con->name = name;
	console_register(con);
	printk("console: %s, %s\n", name, path);
}

/* Return: whether a console was registered; else @why is the reason in words. */
static bool probe_node(const void *fdt, int node, char *why, size_t size)
{
	static char path[64];
	const struct uart_driver *driver = find_driver(fdt, node);
	u64 addr, reg_size;
	int err = fdt_get_path(fdt, node, path, sizeof(path));

	if (err) {
		snprintf(why, size, "the path of the chosen UART: %s", fdt_strerror(err));
		return false;
	}
	if (!driver) {
		snprintf(why, size, "no driver for %s", path);
		return false;
	}
	if (dt_reg_why(fdt, node, 0, &addr, &reg_size, why, size))
		return false;
	register_uart(driver, addr, path);
	return true;
}

void uart_probe(const void *fdt)
{
	int node = dt_stdout(fdt);
	char why[192];

	if (node < 0)
		snprintf(why, sizeof(why), "/chosen/stdout-path: %s", fdt_strerror(node));
	else if (probe_node(fdt, node, why, sizeof(why)))
		return;
	console_register(early_console);
	printk("console: %s: using the early console\n", why);
}
