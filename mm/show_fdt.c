// SPDX-License-Identifier: BSD-2-Clause
/*
 * `fdt` at the prompt: the device tree that the boot loader handed over.
 *
 * 1. Loaders change the tree they are given: they add /chosen, reservations, memory. This is what arrived, where it is.
 * 2. The tree stays where the loader put it, reserved and mapped; nobody writes to it. So the checksum is the same at
 *    any later moment; when it is not, something has written where it should not.
 * 3. Lists and dumps are in lib/dt_list.c and lib/dt_dump.c.
 */
#include "internal.h"

#include <errno.h>
#include <lib/dt_show.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <string.h>

static const struct boot_info *shown;

void show_fdt_set(const struct boot_info *boot)
{
	shown = boot;
}

static void show_summary(void)
{
	const void *fdt = shown->fdt;
	u32 used = dt_used_size(fdt);

	con_printf(
		"fdt: at 0x%llx, version %u, %u bytes used of %u, %d reservations, CRC-32 of the used bytes 0x%08x\n",
		shown->fdt_pa, fdt_version(fdt), used, fdt_totalsize(fdt), fdt_num_mem_rsv(fdt), dt_crc32(fdt, used));
}

static int show_list(const char *path)
{
	int err = dt_list(shown->fdt, path);

	if (err)
		con_printf("fdt: %s: %s\n", path, fdt_strerror(err));
	return err ? -ENOENT : 0;
}

static int show_fdt(int argc, char **argv)
{
	if (argc == 1) {
		show_summary();
		return 0;
	}
	if (argc <= 3 && !strcmp(argv[1], "list"))
		return show_list(argc == 3 ? argv[2] : "/");
	if (argc == 2 && !strcmp(argv[1], "dump")) {
		show_summary();
		dt_dump(shown->fdt);
		return 0;
	}
	con_printf("usage: fdt [dump | list [PATH]]\n");
	return -EINVAL;
}
MONITOR_CMD(fdt, "[dump|list PATH]", "the device tree as handed over: base64, source", show_fdt);
