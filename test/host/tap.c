// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TAP harness of the host tests.
 *
 * 1. The parent forks a child for each case and reads what it prints from a pipe until the child is gone. It stays
 *    single-threaded, so a child may start threads under ThreadSanitizer.
 * 2. The verdict comes from three things: how the child ended, whether a sanitizer's report is in its output, and, for
 *    a case that must panic, the panic's line.
 * 3. A child that does not end is ended by its own alarm after CASE_SECONDS, or more if MEMSTAGE_OPS is more.
 * 4. Operations are counted in memory that all children share with the parent.
 * 5. Random numbers are splitmix64 from seed, case name and stream, so that a case repeats on its own with the same
 *    seed whatever other cases run.
 */
#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "tap.h"

#define CASE_SECONDS 300
#define OUTPUT_MAX   (1UL << 20)

/* How the sanitizers end a process whose error they have reported. */
#define SANITIZER_OPTIONS "exitcode=98"
_Static_assert(TAP_SANITIZER == 98, "SANITIZER_OPTIONS says so");

/* ThreadSanitizer has little to say of what one thread does, and takes its time. */
#ifdef __SANITIZE_THREAD__
#define SANITIZER_SLOWDOWN 8
#else
#define SANITIZER_SLOWDOWN 1
#endif

static u64 seed;
static u64 case_seed;
static __thread u64 random_state;
static __thread bool random_started;

static unsigned long *operations_done; /* shared, atomic */

static char output[OUTPUT_MAX];
static size_t output_len;

static u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

void tap_random_stream(unsigned int n)
{
	random_state = mix(case_seed + n);
	random_started = true;
}

u64 tap_random(void)
{
	if (!random_started)
		tap_random_stream(0);
	random_state += 0x9e3779b97f4a7c15ULL;
	return mix(random_state);
}

static unsigned long ops_percent(void)
{
	const char *percent = getenv("MEMSTAGE_OPS");

	return percent ? strtoul(percent, NULL, 0) : 100;
}

unsigned long tap_ops(unsigned long n)
{
	return max(n * ops_percent() / 100 / SANITIZER_SLOWDOWN, 1UL);
}

unsigned long tap_thread_ops(unsigned long n)
{
	return max(n * ops_percent() / 100, 1UL);
}

void tap_did(unsigned long n)
{
	__atomic_fetch_add(operations_done, n, __ATOMIC_RELAXED);
}

static void share_count(void)
{
	operations_done =
		mmap(NULL, sizeof(*operations_done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (operations_done == MAP_FAILED)
		abort();
}

/* Say how many operations were counted. Return: whether they are enough. */
static bool report_count(void)
{
	const char *least = getenv("MEMSTAGE_LEAST");
	bool enough = !least || *operations_done >= strtoul(least, NULL, 0);

	if (*operations_done || !enough)
		printf("# operations done: %lu%s\n", *operations_done, enough ? "" : ", fewer than MEMSTAGE_LEAST");
	return enough;
}

/* More operations take longer. */
static unsigned int case_seconds(void)
{
	return (unsigned int)(CASE_SECONDS * max(ops_percent(), 100UL) / 100);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("\n%s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(TAP_FAILED);
}

const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
	return SANITIZER_OPTIONS ":detect_leaks=0";
}

const char *__tsan_default_options(void)
{
	return SANITIZER_OPTIONS;
}

static bool text_matches(const char *regex, const char *text)
{
	regex_t re;

	if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB | REG_NEWLINE)) {
		printf("bad regular expression: %s\n", regex);
		abort();
	}

	bool matches = !regexec(&re, text, 0, NULL, 0);

	regfree(&re);
	return matches;
}

bool tap_logged(const char *regex)
{
	return text_matches(regex, host_log());
}

int tap_in_child(void (*fn)(const void *arg), const void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid) {
		alarm(case_seconds());
		fn(arg);
		fflush(stdout);
		_exit(EXIT_SUCCESS);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The child. */

static void seed_case(const char *name)
{
	case_seed = seed;
	for (; *name; name++)
		case_seed = mix(case_seed + (unsigned char)*name);
}

static _Noreturn void run_case(const struct tap_case *test, int out)
{
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(out);
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	alarm(case_seconds());
	seed_case(test->name);
	test->run();
	fflush(stdout);
	_exit(EXIT_SUCCESS);
}

/* The parent. */

/* Of what is too long the first half goes: the end says why. */
static void read_output(int in)
{
	ssize_t got;

	output_len = 0;
	while ((got = read(in, output + output_len, sizeof(output) - 1 - output_len)) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		output_len += got > 0 ? (size_t)got : 0;
		if (output_len == sizeof(output) - 1) {
			output_len /= 2;
			memmove(output, output + output_len, output_len);
		}
	}
	output[output_len] = '\0';
}

static bool sanitizer_spoke(void)
{
	return text_matches("(ERROR|WARNING): (Address|Thread|Leak)Sanitizer|: runtime error: ", output);
}

/* Why the child's end is not what @test wants; NULL when it is. */
static const char *verdict(const struct tap_case *test, int status)
{
	static char text[64];

	if (sanitizer_spoke() || (WIFEXITED(status) && WEXITSTATUS(status) == TAP_SANITIZER))
		return "a sanitizer reported";
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return "timed out";
	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
		return text;
	}
	if (WEXITSTATUS(status) == TAP_FAILED)
		return "a fact failed";
	if (!test->panic && WEXITSTATUS(status)) {
		snprintf(text, sizeof(text), "ended with status %d", WEXITSTATUS(status));
		return text;
	}
	if (test->panic && !WEXITSTATUS(status))
		return "no panic";
	if (test->panic && !text_matches(test->panic, output))
		return "ended otherwise than by the panic that was to come";
	return NULL;
}

static void print_output(void)
{
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

/* Return: whether the case passed. */
static bool do_case(const struct tap_case *test, int number)
{
	int pipe_ends[2], status;

	if (test->skip) {
		printf("ok %d - %s # SKIP %s\n", number, test->name, test->skip);
		return true;
	}
	fflush(stdout);
	if (pipe(pipe_ends))
		abort();

	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid) {
		close(pipe_ends[0]);
		run_case(test, pipe_ends[1]);
	}
	close(pipe_ends[1]);
	read_output(pipe_ends[0]);
	close(pipe_ends[0]);
	waitpid(pid, &status, 0);

	const char *wrong = verdict(test, status);

	printf("%s %d - %s\n", wrong ? "not ok" : "ok", number, test->name);
	if (wrong)
		printf("# %s; to repeat: MEMSTAGE_SEED=%#llx\n", wrong, seed);
	if (wrong || getenv("MEMSTAGE_LOG"))
		print_output();
	return !wrong;
}

static bool chosen(const struct tap_case *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(test->name, argv[i]))
			return true;
	return argc < 2;
}

static void choose_seed(void)
{
	const char *given = getenv("MEMSTAGE_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) : mix((u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec + (u64)getpid());
}

int tap_main(int argc, char **argv, const struct tap_case *cases, int nr)
{
	int plan = 0, number = 0, failed = 0;

	choose_seed();
	share_count();
	for (int i = 0; i < nr; i++)
		plan += chosen(&cases[i], argc, argv);
	printf("KTAP version 1\n1..%d\n# MEMSTAGE_SEED=%#llx\n", plan, seed);
	for (int i = 0; i < nr; i++)
		if (chosen(&cases[i], argc, argv))
			failed += !do_case(&cases[i], ++number);
	failed += !report_count();
	return failed || !plan ? EXIT_FAILURE : EXIT_SUCCESS;
}
