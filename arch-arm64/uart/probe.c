/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: the UART that the tree chose, or else another one of the tree, or else the early one.
 *
 * 1. /chosen/stdout-path names a node. It is used when it and the buses above it are enabled, a driver of the table
 *    knows its `compatible`, its `reg` leads to registers that the CPU reaches, and something answers there. They are
 *    mapped as device memory, and the console is registered, which shows what was logged so far.
 * 2. Otherwise the aliases serial0 to serial9 are tried, in this order, then all nodes, in the tree's: the first that
 *    can be used is. One line says why the chosen one was not, and what is used instead.
 * 3. Where the tree has none, it is the early console, found without the tree (early.c). Where there is none either,
 *    the log stays in memory, and says so.
 */
#include <stdio.h>

#include <libfdt.h>

#include <asm/mmu.h>
#include <asm/uart.h>
#include <lib/dt.h>

/* Bytes of registers that a driver may use, and the rest of the page in which they begin: every UART here fits that. */
#define UART_MAP_SIZE 0x1000

/* Bytes of a node's path, and of a reason that names two. */
#define PATH_SIZE 128
#define WHY_SIZE  (2 * PATH_SIZE + 64)

static const struct uart_driver *const drivers[] = { &pl011_driver, &mini_uart_driver };

static const struct uart_driver *find_driver(const void *fdt, int node)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (dt_compatible(fdt, node, drivers[i]->compatible))
			return drivers[i];
	return NULL;
}

/* Whether @node and all buses above it may be used; *@off is the one that may not. */
static bool reachable(const void *fdt, int node, int *off)
{
	for (*off = node; *off > 0; *off = fdt_parent_offset(fdt, *off))
		if (!dt_enabled(fdt, *off))
			return false;
	return true;
}

static const char *node_path(const void *fdt, int node, char *path)
{
	if (fdt_get_path(fdt, node, path, PATH_SIZE))
		snprintf(path, PATH_SIZE, "the node at offset %d", node);
	return path;
}

/* Where the registers of @node are. Return: whether they can be mapped; else @why is the reason in words. */
static bool find_registers(const void *fdt, int node, const char *path, u64 *addr, u64 *size, char *why)
{
	if (dt_reg_why(fdt, node, 0, addr, size, why, WHY_SIZE))
		return false;
	if (!arch_pa_valid(*addr, UART_MAP_SIZE))
		snprintf(why, WHY_SIZE, "registers of %s at 0x%llx are beyond the CPU's %u-bit physical addresses",
			 path, *addr, arch_pa_bits());
	else
		return true;
	return false;
}

/* Return: whether a console was registered; else @why is the reason in words. */
static bool probe_node(const void *fdt, int node, char *why)
{
	static char name[32];
	const struct uart_driver *driver = find_driver(fdt, node);
	char path[PATH_SIZE], off_path[PATH_SIZE];
	struct console *con;
	void *registers;
	u64 addr, size;
	int off;

	node_path(fdt, node, path);
	if (!driver) {
		snprintf(why, WHY_SIZE, "no driver for %s", path);
		return false;
	}
	if (!reachable(fdt, node, &off)) {
		snprintf(why, WHY_SIZE, "%s: %s is not enabled by its status", path, node_path(fdt, off, off_path));
		return false;
	}
	if (!find_registers(fdt, node, path, &addr, &size, why))
		return false;
	registers = arch_map_device(addr, UART_MAP_SIZE, NULL);
	/* Other devices may have registers close by: what is held is what the tree says, if it says so. */
	size = size ? min(size, (u64)UART_MAP_SIZE) : UART_MAP_SIZE;
	arch_hold_device(addr, size, driver->name, __builtin_return_address(0), registers);
	con = driver->setup(registers);
	if (!con) {
		snprintf(why, WHY_SIZE, "nothing answers at 0x%llx, the registers of %s", addr, path);
		return false;
	}
	snprintf(name, sizeof(name), "%s at 0x%llx", driver->name, addr);
	con->name = name;
	console_register(con);
	printk("console: %s, %s\n", name, path);
	return true;
}

/* Any UART but @chosen, by the theory's point 2. */
static bool probe_others(const void *fdt, int chosen)
{
	char alias[] = "serial0", why[WHY_SIZE];
	int node;

	for (; alias[6] <= '9'; alias[6]++) {
		const char *path = fdt_get_alias(fdt, alias);

		node = path ? fdt_path_offset(fdt, path) : -FDT_ERR_NOTFOUND;
		if (node >= 0 && node != chosen && probe_node(fdt, node, why))
			return true;
	}
	for (node = fdt_next_node(fdt, -1, NULL); node >= 0; node = fdt_next_node(fdt, node, NULL))
		if (node != chosen && find_driver(fdt, node) && probe_node(fdt, node, why))
			return true;
	return false;
}

static void say_no_stdout(const void *fdt, int err, char *why)
{
	int chosen = dt_chosen(fdt), len = 0;
	const char *path = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "stdout-path", &len);

	if (path && len > 0)
		snprintf(why, WHY_SIZE, "/chosen/stdout-path is \"%.*s\": %s", min(len, PATH_SIZE), path,
			 err == -FDT_ERR_NOTFOUND || err == -FDT_ERR_BADPATH ? "there is no such node" :
									       fdt_strerror(err));
	else
		snprintf(why, WHY_SIZE, "there is no /chosen/stdout-path");
}

void uart_probe(const void *fdt)
{
	int node = dt_stdout(fdt);
	char why[WHY_SIZE];
	struct console *early;

	if (node < 0)
		say_no_stdout(fdt, node, why);
	else if (probe_node(fdt, node, why))
		return;
	if (probe_others(fdt, node)) {
		printk("console: %s: using the UART above instead\n", why);
		return;
	}
	early = arch_early_console();
	if (early)
		console_register(early);
	printk("console: %s, and the tree has no other UART that can be used: %s\n", why,
	       early ? "using the early console" : "the log stays in memory");
}
