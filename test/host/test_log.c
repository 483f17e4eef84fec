// SPDX-License-Identifier: BSD-2-Clause
/* What lib says and hears: the log and its ring, panic, KTAP, the prompt. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/ktap.h>
#include <lib/monitor.h>
#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/percpu.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define STAMP "^\\[ *[0-9]+\\.[0-9]{6}\\] "
#define CPUS  4

static void test_stamps(void)
{
	host_boot_cpu(1);
	printk("one\ntwo ");
	printk("goes on\n");
	printk("\n");
	con_printf("bare %d\n", 5);
	CHECK_LOG(STAMP "one$");
	CHECK_LOG(STAMP "two goes on$");
	CHECK_LOG(STAMP "$");
	CHECK_LOG("^bare 5$");
}

static void test_long_line(void)
{
	static char text[3000];

	host_boot_cpu(1);
	memset(text, 'x', sizeof(text) - 1);
	printk("%s", text);
	printk("\nnext\n");
	CHECK_EQ(strcspn(strchr(host_log(), 'x'), "\n"), 1023);
	CHECK_LOG(STAMP "next$");
}

/* What is cut ends the line that its format ends. */
static void test_long_line_ends(void)
{
	static char text[3000];

	host_boot_cpu(1);
	memset(text, 'x', sizeof(text) - 1);
	printk("%s\n", text);
	printk("next\n");
	CHECK_LOG(STAMP "next$");
	CHECK_EQ(strcspn(strchr(host_log(), 'x'), "\n"), 1022);
	con_printf("%s\n", text);
	con_printf("bare\n");
	CHECK_LOG("^bare$");
}

/* A console that only remembers. */
static char late_text[1 << 20];
static size_t late_len;

static void late_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	memcpy(late_text + late_len, text, len);
	late_len += len;
}

/* The ring has gone round several times: a new console is shown whole lines, without a gap, up to the last. */
static void test_ring(void)
{
	static struct console late = { .name = "late", .write = late_write };
	size_t ring = 1UL << CONFIG_LOG_BUF_SHIFT;
	unsigned int number;
	char *line;

	host_boot_cpu(1);
	host_mute();
	con_printf("not kept\n");
	for (unsigned int i = 0; i < 20000; i++)
		printk("line %u\n", i);
	console_register(&late);
	CHECK(late_len > ring / 2 && late_len <= ring + ring / 8);
	CHECK(late_text[0] == '[' && !strstr(late_text, "not kept"));
	line = strstr(late_text, "line ");
	number = (unsigned int)strtoul(line + 5, NULL, 10);
	CHECK(number > 1000);
	for (; line; line = strstr(line + 1, "line "))
		CHECK_EQ(strtoul(line + 5, NULL, 10), number++);
	CHECK_EQ(number, 20000);
	printk("both\n");
	CHECK(strstr(late_text, "both\r\n"));
	CHECK_LOG("both$");
}

static void print_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		printk("CPU %d says %d\n", smp_processor_id(), i);
}

static void print_whole(void *arg)
{
	(void)arg;
	printk("CPU %d has a line\n", smp_processor_id());
}

static void print_bare(void *arg)
{
	(void)arg;
	con_printf("CPU %d has a table\n", smp_processor_id());
}

static void run_on_1(smp_fn_t fn)
{
	CHECK_EQ(smp_work_start(1, fn, NULL), 0);
	smp_work_wait(1);
}

/* A line in several calls, and another CPU in between. */
static void test_parts_do_not_mix(void)
{
	host_boot_simple(16 << 20, 2);
	host_cpus_start();
	printk("one, ");
	run_on_1(print_whole);
	printk("two, ");
	run_on_1(print_bare);
	printk("three, ");
	printk("four\n");
	CHECK_LOG(STAMP "one, $");
	CHECK_LOG(STAMP "CPU 1 has a line$");
	CHECK_LOG(STAMP "two, $");
	CHECK_LOG("^CPU 1 has a table$");
	CHECK_LOG(STAMP "three, four$");
	host_cpus_stop();
}

static void test_lines_do_not_mix(void)
{
	unsigned int lines = 0;

	host_boot_simple(16 << 20, CPUS);
	host_cpus_start();
	host_log_clear();
	host_on_all_cpus(print_lines, NULL);
	for (const char *p = host_log(); *p; p += strcspn(p, "\n") + 1, lines++) {
		const char *said = strstr(p, "] CPU ");

		CHECK(*p == '[' && said && said < p + 20);
		CHECK(strspn(said + 7, " says0123456789") == strcspn(said + 7, "\n"));
	}
	CHECK_EQ(lines, 100 * CPUS);
	host_cpus_stop();
}

static void test_panic_in_open_line(void)
{
	host_boot_cpu(1);
	printk("this line is open");
	panic("for a reason: %d", 7);
}

/* Before any console has registered. */
static void test_panic_early(void)
{
	percpu_init_boot(0);
	printk("kept for later\n");
	panic("early");
}

/* KTAP: the suites of this program. */

static bool check_result = true;

static bool check(void)
{
	return check_result;
}

static void case_good(void)
{
	ktap_ok(1 + 1 == 2);
}

static void case_bad(void)
{
	ktap_ok(1 + 1 == 3);
	ktap_ok(true);
}

static void case_silent(void)
{
}

static void case_skipped(void)
{
	ktap_skip("not on this machine");
}

static void case_fails_and_skips(void)
{
	ktap_ok(1 + 1 == 4);
	ktap_skip("too late");
}

static void case_breaks_check(void)
{
	ktap_ok(true);
	check_result = false;
}

static const struct ktap_case fine_cases[] = { { "good", case_good }, { "skipped", case_skipped } };
KTAP_SUITE(fine, fine_cases, NULL);

static const struct ktap_case faulty_cases[] = { { "bad", case_bad },
						 { "silent", case_silent },
						 { "fails and skips", case_fails_and_skips },
						 { "breaks", case_breaks_check } };
KTAP_SUITE(faulty, faulty_cases, check);

static void test_ktap_good(void)
{
	host_boot_cpu(1);
	CHECK_EQ(ktap_run("fine"), 0);
	CHECK_LOG("^KTAP version 1$");
	CHECK_LOG("^1\\.\\.1$");
	CHECK_LOG("^  # Subtest: fine$");
	CHECK_LOG("^  1\\.\\.2$");
	CHECK_LOG("^  ok 1 good$");
	CHECK_LOG("^  ok 2 skipped # SKIP not on this machine$");
	CHECK_LOG("^  # Totals: pass:1 fail:0 skip:1$");
	CHECK_LOG("^ok 1 fine$");
	CHECK_LOG("^# Totals: pass:1 fail:0 skip:1$");
}

static void test_ktap_bad(void)
{
	host_boot_cpu(1);
	CHECK_EQ(ktap_run("faulty"), 4);
	CHECK_LOG("^  # .*test_log.c:[0-9]+: not true: 1 \\+ 1 == 3$");
	CHECK_LOG("^  not ok 1 bad$");
	CHECK_LOG("^  # the case stated no fact$");
	CHECK_LOG("^  not ok 2 silent$");
	CHECK_LOG("^  # the check of suite faulty failed after this case$");
	CHECK_LOG("^  not ok 3 fails and skips$");
	CHECK_LOG("^  not ok 4 breaks$");
	CHECK_LOG("^  # Totals: pass:0 fail:4 skip:0$");
	CHECK_LOG("^not ok 1 faulty$");
}

static void test_ktap_all(void)
{
	host_boot_cpu(1);
	CHECK_EQ(ktap_run(NULL), 4);
	CHECK_LOG("^1\\.\\.2$");
	CHECK_LOG("^# Totals: pass:1 fail:4 skip:1$");
	CHECK_EQ(ktap_run("nonesuch"), (unsigned long long)-ENOENT);
	CHECK_LOG("no suite is named nonesuch; there are: .*fine");
}

/* The prompt. */

static int echo_argc;

static int cmd_echo(int argc, char **argv)
{
	echo_argc = argc;
	for (int i = 1; i < argc; i++)
		con_printf("<%s>", argv[i]);
	con_printf("\n");
	return 0;
}
MONITOR_CMD(echo, "WORD...", "say the words", cmd_echo);

static int cmd_fail(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return -EINVAL;
}
MONITOR_CMD(fail, "", "fail", cmd_fail);

static int exec(const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	return monitor_exec(line);
}

static void test_exec(void)
{
	host_boot_cpu(1);
	CHECK_EQ(exec(""), 0);
	CHECK_EQ(exec("   \t "), 0);
	CHECK_EQ(exec("echo"), 0);
	CHECK_EQ(echo_argc, 1);
	CHECK_EQ(exec("  echo a \t bb   c "), 0);
	CHECK_EQ(echo_argc, 4);
	CHECK_LOG("^<a><bb><c>$");
	CHECK_EQ(exec("echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"), 0);
	CHECK_EQ(echo_argc, MONITOR_MAX_ARGS);
	CHECK_EQ(exec("echo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"), (unsigned long long)-E2BIG);
	CHECK_LOG("^more than 16 words$");
	CHECK_EQ(exec("ech"), (unsigned long long)-ENOENT);
	CHECK_LOG("^ech: no such command; `help` lists them$");
	CHECK_EQ(exec("fail"), (unsigned long long)-EINVAL);
	CHECK_EQ(exec("help"), 0);
	CHECK_LOG("^echo +WORD\\.\\.\\. +say the words$");
}

/* Rubbed out, a line end of two bytes, a control byte, a command that fails, a line that is too long, the end. */
static void test_run(void)
{
	static char input[1200], long_word[600];

	host_boot_cpu(1);
	memset(long_word, 'w', sizeof(long_word) - 1);
	snprintf(input, sizeof(input), "echo abx\x7f%s\necho %s\necho last\n\x04%s",
		 "c\b\bYZ\r\n\x01"
		 "fail\nnonesuch",
		 long_word, "echo never\n");
	host_input(input);
	CHECK_EQ(monitor_run(), 3);
	CHECK_LOG("<aYZ>");
	CHECK_LOG("a line has at most 255 bytes");
	CHECK_LOG("^<last>$");
	CHECK_NO_LOG("<never>");
}

static const struct tap_case cases[] = {
	TAP_CASE("a stamp in front of each line", test_stamps),
	TAP_CASE("a line is cut at 1023 bytes", test_long_line),
	TAP_CASE("a line that is cut still ends", test_long_line_ends),
	TAP_CASE("the ring, shown to a new console", test_ring),
	TAP_CASE("lines of several CPUs do not mix", test_lines_do_not_mix),
	TAP_CASE("lines in parts do not mix", test_parts_do_not_mix),
	TAP_PANICS("a panic begins a new line", test_panic_in_open_line, STAMP "panic: for a reason: 7$"),
	TAP_PANICS("a panic before any console", test_panic_early, STAMP "panic: early$"),
	TAP_CASE("KTAP: a suite that passes", test_ktap_good),
	TAP_CASE("KTAP: a suite that fails in four ways", test_ktap_bad),
	TAP_CASE("KTAP: all suites, and none", test_ktap_all),
	TAP_CASE("a line at the prompt", test_exec),
	TAP_CASE("lines at the prompt", test_run),
};
TAP_MAIN(cases)
