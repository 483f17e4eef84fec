/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small TAP harness: each case runs in a process of its own, so that it has a core nobody has used yet, and so that a
 * crash, a hang or a panic is the outcome of that one case.
 *
 *	static void test_thing(void)
 *	{
 *		host_boot_cpu(1);
 *		CHECK_EQ(memblock_add(0x1000, 0), 0);
 *	}
 *	static const struct tap_case cases[] = {
 *		TAP_CASE("nothing is nothing", test_thing),
 *		TAP_PANICS("a full table panics", test_full, "^panic: memblock: .*128 of 128"),
 *	};
 *	TAP_MAIN(cases)
 *
 * A case passes when it returns, no fact failed, and no sanitizer had anything to say. A case of TAP_PANICS() passes
 * when it panics with a line that the expression matches. What a failed case printed follows its result, each line
 * behind "# ".
 *
 * The program's arguments, if any, choose the cases whose name contains one of them. Environment:
 *	MEMSTAGE_SEED	the seed of a run to be repeated (each run prints its own)
 *	MEMSTAGE_OPS	percentage of the random operations to be done, 100 when unset
 *	MEMSTAGE_LEAST	how many counted operations (tap_did()) there must be, or the program fails
 *	MEMSTAGE_LOG	set: print what passing cases print, too
 */
#ifndef TEST_HOST_TAP_H
#define TEST_HOST_TAP_H

#include <lib/types.h>

/**
 * struct tap_case - one case
 * @name: what holds when it passes
 * @run: does it
 * @panic: extended regular expression of the panic line that must end it, NULL when it must return
 * @skip: why it makes no sense in this configuration, NULL when it does
 */
struct tap_case {
	const char *name;
	void (*run)(void);
	const char *panic;
	const char *skip;
};

#define TAP_CASE(what, fn)                  \
	{                                   \
		.name = (what), .run = (fn) \
	}
#define TAP_PANICS(what, fn, regex)                           \
	{                                                     \
		.name = (what), .run = (fn), .panic = (regex) \
	}

/* In configurations where @cond, a constant, does not hold the case is skipped: @why. */
#define TAP_CASE_IF(cond, why, what, fn)                                          \
	{                                                                         \
		.name = (what), .run = (fn), .skip = (cond) ? NULL : "only " why, \
	}
#define TAP_PANICS_IF(cond, why, what, fn, regex)                                                   \
	{                                                                                           \
		.name = (what), .run = (fn), .panic = (regex), .skip = (cond) ? NULL : "only " why, \
	}

/** tap_main() - run the cases. Return: exit status, 0 when all passed. */
int tap_main(int argc, char **argv, const struct tap_case *cases, int nr);

#define TAP_MAIN(case_array)                                                     \
	int main(int argc, char **argv)                                          \
	{                                                                        \
		return tap_main(argc, argv, case_array, ARRAY_SIZE(case_array)); \
	}

/** tap_fail() - say what was wrong and end the case */
_Noreturn void tap_fail(const char *file, int line, const char *fmt, ...) __printf(3, 4);

/** CHECK() - a fact; the case ends when it does not hold */
#define CHECK(cond)                                                        \
	do {                                                               \
		if (unlikely(!(cond)))                                     \
			tap_fail(__FILE__, __LINE__, "not so: %s", #cond); \
	} while (0)

/** CHECK_EQ() - two integers are equal; both are shown when they are not */
#define CHECK_EQ(a, b)                                                                                           \
	do {                                                                                                     \
		unsigned long long check_a_ = (unsigned long long)(a), check_b_ = (unsigned long long)(b);       \
		if (unlikely(check_a_ != check_b_))                                                              \
			tap_fail(__FILE__, __LINE__, "%s is %#llx, not %s = %#llx", #a, check_a_, #b, check_b_); \
	} while (0)

/* Exit statuses: of a panic (the port's arch_exit(1)), of a sanitizer's report, of a fact that does not hold. */
#define TAP_PANICKED  1
#define TAP_SANITIZER 98
#define TAP_FAILED    99

/**
 * tap_in_child() - run @fn(@arg) in a process of its own, which starts as a copy of this one
 *
 * For what must begin with a core nobody has used, many times within a case. Return: its exit status, 0 when @fn
 * returned, 128 + its number when a signal ended it.
 */
int tap_in_child(void (*fn)(const void *arg), const void *arg);

/** tap_logged() - whether a line of the log since host_log_clear() matches the extended regular expression @regex */
bool tap_logged(const char *regex);

/** CHECK_LOG() - the log says so */
#define CHECK_LOG(regex)                                                                      \
	do {                                                                                  \
		if (unlikely(!tap_logged(regex)))                                             \
			tap_fail(__FILE__, __LINE__, "no line of the log matches %s", regex); \
	} while (0)

/** CHECK_NO_LOG() - the log does not say so */
#define CHECK_NO_LOG(regex)                                                                  \
	do {                                                                                 \
		if (unlikely(tap_logged(regex)))                                             \
			tap_fail(__FILE__, __LINE__, "a line of the log matches %s", regex); \
	} while (0)

/** tap_random() - the next number of the case's own sequence. Each thread has one, by the number it gives. */
u64 tap_random(void);

/** tap_random_stream() - from here on the calling thread draws from sequence @n */
void tap_random_stream(unsigned int n);

/** tap_below() - a number from 0 to @n - 1 */
static inline u64 tap_below(u64 n)
{
	return tap_random() % n;
}

/** tap_ops() - MEMSTAGE_OPS percent (100) of @n, fewer under ThreadSanitizer, at least 1 */
unsigned long tap_ops(unsigned long n);

/** tap_thread_ops() - the same of what several threads do at once: no fewer under ThreadSanitizer, which is for that */
unsigned long tap_thread_ops(unsigned long n);

/** tap_did() - count @n operations as done. A program that counts any prints the sum of all its cases. Any thread. */
void tap_did(unsigned long n);

#endif
