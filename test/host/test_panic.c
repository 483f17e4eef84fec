// SPDX-License-Identifier: BSD-2-Clause
/*
 * One CPU says why the run ends, and says it to its end, whoever else panics meanwhile and whatever fails on the way.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lib/printk.h>
#include <lib/smp.h>
#include <mm/port.h>

#include "host.h"
#include "machine.h"
#include "tap.h"

#define CPUS 4

/* What the console of a machine in a child process has shown: the parent reads it when the child has ended. */
struct shown {
	size_t len;
	char text[1 << 20];
};

static struct shown *shown;
static bool write_panics;
static bool write_panics_again;

/* Slow, so that a report takes as long as the others need to come. */
static void slow_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ' ')
			usleep(2000);
		if (shown->len < sizeof(shown->text) - 1)
			shown->text[shown->len++] = text[i];
	}
}

static void panicking_write(struct console *con, const char *text, size_t len)
{
	(void)text;
	(void)len;
	if (!write_panics)
		return;
	write_panics = write_panics_again;
	panic("%s fails", con->name);
}

static struct console slow = { .name = "slow", .write = slow_write };
static struct console broken = { .name = "a console", .write = panicking_write };

static void panic_here(void *arg)
{
	(void)arg;
	panic("CPU %d is lost", smp_processor_id());
}

static void panic_everywhere(const void *arg)
{
	(void)arg;
	host_boot_simple(16 << 20, CPUS);
	host_cpus_start();
	console_register(&slow);
	for (int cpu = 1; cpu < CPUS; cpu++)
		CHECK_EQ(smp_work_start(cpu, panic_here, NULL), 0);
	panic_here(NULL);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void test_at_once(void)
{
	shown = mmap(NULL, sizeof(*shown), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shown != MAP_FAILED);
	CHECK_EQ(tap_in_child(panic_everywhere, NULL), TAP_PANICKED);
	CHECK_EQ(count(shown->text, "panic: "), 1);
	CHECK_EQ(count(shown->text, " is lost\r\n"), 1);
}

static void panic_with_broken_console(bool again)
{
	host_boot_cpu(1);
	console_register(&broken);
	write_panics = true;
	write_panics_again = again;
	panic("for a first reason");
}

static void test_during_report(void)
{
	panic_with_broken_console(false);
}

/* Nothing can be said; but the run ends, and with the status of a panic. */
static void child_without_end(const void *arg)
{
	(void)arg;
	panic_with_broken_console(true);
}

static void test_without_end(void)
{
	CHECK_EQ(tap_in_child(child_without_end, NULL), TAP_PANICKED);
}

static const struct tap_case cases[] = {
	TAP_CASE("of CPUs that panic at once one is heard", test_at_once),
	TAP_PANICS("a panic during a report is one line", test_during_report,
		   "panic: a console fails, while reporting what is above$"),
	TAP_CASE("panics without end do end", test_without_end),
};
TAP_MAIN(cases)
