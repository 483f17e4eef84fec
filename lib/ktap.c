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
 *	ok 1 buddy
 *
 * Facts are counted with atomics, for cases run on several CPUs; the result of a case is read after it returned, when
 * its work on other CPUs has been waited for. A case that states no fact at all fails: it proved nothing.
 *
 * Source: KTAP specification, version 1.
 */
#include <lib/ktap.h>

#include <errno.h>
#include <lib/printk.h>
#include <string.h>

#include <asm/atomic.h>

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

/* Run one case. Return: whether it passed. */
static bool run_case(const struct ktap_suite *suite, int nr)
{
	const struct ktap_case *c = &suite->cases[nr];
	bool ok;

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
	con_printf("  %s %d %s%s%s\n", ok ? "ok" : "not ok", nr + 1, c->name, skip_reason ? " # SKIP " : "",
		   skip_reason ? skip_reason : "");
	return ok;
}

static int run_suite(const struct ktap_suite *suite, int index)
{
	int failed = 0;

	con_printf("  KTAP version 1\n  # Subtest: %s\n  1..%d\n", suite->name, suite->nr);
	for (int i = 0; i < suite->nr; i++)
		failed += !run_case(suite, i);
	con_printf("%s %d %s\n", failed ? "not ok" : "ok", index, suite->name);
	return failed;
}

int ktap_run(const char *only)
{
	int planned = 0, failed = 0;

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
			failed += run_suite(s, ++planned);
	con_printf("# %d suites, %d failed cases\n", planned, failed);
	return failed;
}
