/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prompt: one line in, one command run. Commands are registered where their subsystem lives.
 */
#ifndef LIB_MONITOR_H
#define LIB_MONITOR_H

#include <lib/types.h>

/**
 * struct monitor_cmd - a command of the prompt
 * @name: what is typed
 * @args: how its arguments are named in `help`, "" for none
 * @help: one line
 * @run: does it, in thread context on the boot CPU with interrupts unmasked; @argv[0] is the name. Return: 0, or a
 *	negative error after having said what was wrong.
 */
struct monitor_cmd {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(int argc, char **argv);
};

/* Registers a command; the linker collects them in the section monitor_cmds. */
#define MONITOR_CMD(cmd, arg_names, help_text, fn)                                                          \
	static const struct monitor_cmd monitor_cmd_##cmd __used __section("monitor_cmds") __aligned(8) = { \
		#cmd,                                                                                       \
		arg_names,                                                                                  \
		help_text,                                                                                  \
		fn,                                                                                         \
	}

#define MONITOR_MAX_ARGS 16

/**
 * monitor_run() - read lines from the consoles and run them until the input ends
 *
 * The byte 0x04 (end of transmission) on an empty line ends it. Return: 0, or the number of commands that failed.
 */
#ifdef CONFIG_MONITOR
int monitor_run(void);
#else
static inline int monitor_run(void)
{
	return 0;
}
#endif

/** monitor_exec() - run one line. Return: 0, or a negative error after having said what was wrong. */
#ifdef CONFIG_MONITOR
int monitor_exec(char *line);
#else
static inline int monitor_exec(char *line)
{
	(void)line;
	return -1;
}
#endif

#endif
