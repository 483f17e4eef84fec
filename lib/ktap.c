// SPDX-License-Identifier: BSD-2-Clause
/*
 * KTAP version 1: suites are subtests of one top level, cases are lines of a suite.
 *
 *	KTAP version 1
 *	1..2
 *	  KTAP version 1
 *	  # Subtest: buddy
 *	  1..1
 *	  ok 1 orders
 *	  # Totals: pass:1 fail:0 skip:0
 *	ok 1 buddy
 *	# Totals: pass:1 fail:0 skip:0
 *
 * Facts are counted with atomics, for cases run on several CPUs; the result of a case is read after it returned, when
 * its work on other CPUs has been waited for. A case that states no fact at all fails: it proved nothing.
 *
 * The totals, of a suite's cases before its result and of all cases at the end, let a reader behind a line that loses
 * bytes find an "ok" that was a "not ok", and a lost SKIP: KTAP has no checksum.
 *
 * Source: KTAP specification, version 1; the form of the totals is that of Linux's kselftest.
 */
#include <lib/ktap.h>

#include <errno.h>
#include <lib/printk.h>
#include <string.h>

#include <asm/atomic.h>

struct totals {
	int pass, fail, skip;
};

extern const struct ktap_suite __start_ktap_suites[], __stop_ktap_suites[];

#define MAX_PRINTED_FAILURES 8

static u32 facts_stated, facts_failed; /* atomic */
static const char *skip_reason;	       /* of the running case; boot CPU only */

void ktap_fact(bool ok, const char *what, const char *file, int line)
{
	fetch_add32(&facts_stated, 1);
	if (ok)
		return;
	if (fetch_add32(&facts_failed, 1) < MAX_PRINTED_FAILURES)
		con_printf("  # %s:%d: not true: %s\n", file, line, what);
}

void ktap_skip(const char *why)
{
	skip_reason = why;
}

/* Run one case, and count it in @t. A skip excuses no failed fact. */
static void run_case(const struct ktap_suite *suite, int nr, struct totals *t)
{
	const struct ktap_case *c = &suite->cases[nr];
	bool ok, skipped;

	facts_stated = facts_failed = 0;
	skip_reason = NULL;
	c->run();
	if (suite->check && !suite->check()) {
		con_printf("  # the check of suite %s failed after this case\n", suite->name);
		facts_failed++;
	}
	if (!facts_stated && !skip_reason)
		con_printf("  # the case stated no fact\n");
	ok = !facts_failed && (facts_stated || skip_reason);
	skipped = ok && skip_reason;
	con_printf("  %s %d %s%s%s\n", ok ? "ok" : "not ok", nr + 1, c->name, skipped ? " # SKIP " : "",
		   skipped ? skip_reason : "");
	t->pass += ok && !skipped;
	t->fail += !ok;
	t->skip += skipped;
}

static void print_totals(const char *indent, const struct totals *t)
{
	con_printf("%s# Totals: pass:%d fail:%d skip:%d\n", indent, t->pass, t->fail, t->skip);
}

/* Run one suite, and add its cases to @all. */
static void run_suite(const struct ktap_suite *suite, int index, struct totals *all)
{
	struct totals t = { 0 };

	con_printf("  KTAP version 1\n  # Subtest: %s\n  1..%d\n", suite->name, suite->nr);
	for (int i = 0; i < suite->nr; i++)
		run_case(suite, i, &t);
	print_totals("  ", &t);
	con_printf("%s %d %s\n", t.fail ? "not ok" : "ok", index, suite->name);
	all->pass += t.pass;
	all->fail += t.fail;
	all->skip += t.skip;
}

int ktap_run(const char *only)
{
	struct totals all = { 0 };
	int planned = 0;

	for (const struct ktap_suite *s = __start_ktap_suites; s < __stop_ktap_suites; s++)
		planned += !only || !strcmp(s->name, only);
	if (!planned) {
		con_printf("# no suite is named %s; there are:", only);
		for (const struct ktap_suite *s = __start_ktap_suites; s < __stop_ktap_suites; s++)
			con_printf(" %s", s->name);
		con_printf("\n");
		return -ENOENT;
	}
	con_printf("KTAP version 1\n1..%d\n", planned);
	planned = 0;
	for (const struct ktap_suite *s = __start_ktap_suites; s < __stop_ktap_suites; s++)
		if (!only || !strcmp(s->name, only))
			run_suite(s, ++planned, &all);
	print_totals("", &all);
	return all.fail;
}
