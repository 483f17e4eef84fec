/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KTAP version 1 on the console, and the registry of test suites in the image.
 *
 * A suite is an array of cases; a case is a function that states facts with ktap_ok(). The first eight failed facts of
 * a case are printed with their places, later ones only fail it. Facts may be stated from several CPUs at once.
 */
#ifndef LIB_KTAP_H
#define LIB_KTAP_H

#include <lib/types.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
};

/**
 * struct ktap_suite - a group of cases
 * @name: as printed
 * @cases: its cases, @nr of them
 * @check: proves the invariants that must hold after each case, NULL for none; a false return fails the case
 */
struct ktap_suite {
	const char *name;
	const struct ktap_case *cases;
	int nr;
	bool (*check)(void);
};

#define KTAP_SUITE(id, case_array, check_fn)                                                            \
	static const struct ktap_suite ktap_suite_##id __used __section("ktap_suites") __aligned(8) = { \
		#id,                                                                                    \
		case_array,                                                                             \
		ARRAY_SIZE(case_array),                                                                 \
		check_fn,                                                                               \
	}

/** ktap_run() - run every suite whose name is @only (all when NULL). Return: the number of failed cases; -ENOENT */
int ktap_run(const char *only);

/** ktap_skip() - the running case cannot be done on this machine; @why is printed behind SKIP */
void ktap_skip(const char *why);

void ktap_fact(bool ok, const char *what, const char *file, int line);

/** ktap_ok() - state that @cond holds. Context: any, any CPU. Return: @cond. */
#define ktap_ok(cond)                                                \
	({                                                           \
		bool ktap_ok_ = (cond);                              \
		if (unlikely(!ktap_ok_))                             \
			ktap_fact(false, #cond, __FILE__, __LINE__); \
		else                                                 \
			ktap_fact(true, "", "", 0);                  \
		ktap_ok_;                                            \
	})

#endif
