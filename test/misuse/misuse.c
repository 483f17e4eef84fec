// SPDX-License-Identifier: BSD-2-Clause
/* `misuse` at the prompt: what the programs of this folder are, and running one. */
#include "misuse.h"

#include <errno.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <mm/gfp.h>
#include <string.h>

#include "../target/target.h"

#ifdef CONFIG_HARDENING_NONE
#define CHECKS_BASIC false
#else
#define CHECKS_BASIC true
#endif

#ifdef CONFIG_MM_DEBUG
#define CHECKS_DEBUG true
#else
#define CHECKS_DEBUG false
#endif

#ifdef CONFIG_HARDENING_FULL
#define CHECKS_FULL true
#else
#define CHECKS_FULL false
#endif

static const struct {
	const char *name;
	bool here; /* whether this image has them */
} levels[] = {
	[MISUSE_basic] = { "basic", CHECKS_BASIC },
	[MISUSE_debug] = { "debug", CHECKS_DEBUG },
	[MISUSE_full] = { "full", CHECKS_FULL },
};

extern const struct misuse __start_misuse_programs[], __stop_misuse_programs[];

static int list_programs(void)
{
	for (const struct misuse *m = __start_misuse_programs; m < __stop_misuse_programs; m++)
		con_printf("%-32s %-8s %s\n", m->name, levels[m->level].name,
			   m->end == MISUSE_PANICS ? "panics" : "goes on");
	return 0;
}

static const struct misuse *find_program(const char *name)
{
	for (const struct misuse *m = __start_misuse_programs; m < __stop_misuse_programs; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

/* Whether a block of each order can be had and given back. */
static bool pages_work(void)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		if (!page)
			return false;
		__free_pages(page, order);
	}
	return true;
}

static int cmd_misuse(int argc, char **argv)
{
	const struct misuse *m;
	bool ok;

	if (argc == 1)
		return list_programs();
	m = argc == 2 ? find_program(argv[1]) : NULL;
	if (!m) {
		con_printf("usage: misuse [NAME]; without one it lists them\n");
		return -EINVAL;
	}
	if (!levels[m->level].here) {
		con_printf("misuse: this image does not do the %s checks\n", levels[m->level].name);
		return -EOPNOTSUPP;
	}
	m->run();
	ok = m->end == MISUSE_GOES_ON && memory_check() && pages_work() && memory_check();
	con_printf("misuse: %s: %s\n", m->name, ok ? "the machine goes on" : "NOT as it should be");
	return ok ? 0 : -EIO;
}
MONITOR_CMD(misuse, "[NAME]", "misuse an allocator on purpose, to see it reported", cmd_misuse);
