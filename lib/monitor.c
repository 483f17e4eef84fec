// SPDX-License-Identifier: BSD-2-Clause
/*
 * The prompt.
 *
 * 1. Bytes are polled from the consoles and echoed, and while none comes the idle task is run (lib/smp.h); backspace
 *    and delete rub out, carriage return or newline ends a line, 0x04 on an empty line ends the input. Lines of more
 *    than LINE_MAX - 1 bytes are refused whole.
 * 2. A line is cut at blanks into at most MONITOR_MAX_ARGS words; its first names the command.
 * 3. Commands are registered with MONITOR_CMD() and gathered by the linker; `help` lists them by name.
 */
#include <lib/monitor.h>

#include <errno.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <string.h>

#include <asm/bug.h>
#include <asm/processor.h>

#define LINE_MAX 256
#define EOT	 0x04

extern const struct monitor_cmd __start_monitor_cmds[], __stop_monitor_cmds[];

static const struct monitor_cmd *find_cmd(const char *name)
{
	for (const struct monitor_cmd *c = __start_monitor_cmds; c < __stop_monitor_cmds; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* The command whose name is the smallest above @after, NULL when there is none: `help` in order, without a sort. */
static const struct monitor_cmd *next_cmd(const char *after)
{
	const struct monitor_cmd *best = NULL;

	for (const struct monitor_cmd *c = __start_monitor_cmds; c < __stop_monitor_cmds; c++)
		if (strcmp(c->name, after) > 0 && (!best || strcmp(c->name, best->name) < 0))
			best = c;
	return best;
}

static int cmd_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (const struct monitor_cmd *c = next_cmd(""); c; c = next_cmd(c->name))
		con_printf("%-12s %-16s %s\n", c->name, c->args, c->help);
	return 0;
}
MONITOR_CMD(help, "", "this list", cmd_help);

static int cmd_poweroff(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	arch_exit(0);
}
MONITOR_CMD(poweroff, "", "end the run with status 0", cmd_poweroff);

/* Cut @line at blanks. Return: the number of words, -E2BIG when there are too many. */
static int split(char *line, char **argv)
{
	int argc = 0;

	for (char *word = strtok(line, " \t"); word; word = strtok(NULL, " \t")) {
		if (argc == MONITOR_MAX_ARGS)
			return -E2BIG;
		argv[argc++] = word;
	}
	return argc;
}

int monitor_exec(char *line)
{
	char *argv[MONITOR_MAX_ARGS];
	int argc = split(line, argv);
	const struct monitor_cmd *cmd;

	if (argc == 0)
		return 0;
	if (argc < 0) {
		con_printf("more than %d words\n", MONITOR_MAX_ARGS);
		return argc;
	}
	cmd = find_cmd(argv[0]);
	if (!cmd) {
		con_printf("%s: no such command; `help` lists them\n", argv[0]);
		return -ENOENT;
	}
	return cmd->run(argc, argv);
}

static int wait_char(void)
{
	int c;

	while ((c = con_getc()) < 0)
		if (!smp_idle_step())
			cpu_relax();
	return c;
}

/*
 * Read a line, without its end, echoing it. Return: its length, -1 at the end of the input; a line that is too long
 * is read to its end and -E2BIG returned.
 */
static int read_line(char *line)
{
	int len = 0;

	for (;;) {
		int c = wait_char();

		if (c == EOT && !len)
			return -1;
		if (c == '\r' || c == '\n') {
			con_printf("\n");
			line[min(len, LINE_MAX - 1)] = '\0';
			return len < LINE_MAX ? len : -E2BIG;
		}
		if ((c == '\b' || c == 0x7f) && len) {
			len--;
			con_printf("\b \b");
		} else if (c >= ' ' && c < 0x7f) {
			if (len < LINE_MAX - 1)
				line[len] = (char)c;
			len++;
			con_printf("%c", c);
		}
	}
}

int monitor_run(void)
{
	char line[LINE_MAX];
	int failed = 0, len;

	for (;;) {
		con_printf("memstage> ");
		len = read_line(line);
		if (len == -1)
			break;
		if (len == -E2BIG) {
			con_printf("a line has at most %d bytes\n", LINE_MAX - 1);
			failed++;
			continue;
		}
		failed += monitor_exec(line) != 0;
	}
	con_printf("\n");
	return failed;
}
