// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host's benchmark of malloc(), free() and realloc(): what a row does, counted or timed.
 *
 *	count ROW	a warm-up, then the row once within counted(), which is what callgrind is told to count; says
 *			how many operations that were
 *	time THREADS	every row that this many threads do, timed: "ROW NANOSECONDS OPERATIONS"; both threads at once,
 *			each with objects of its own, from the first start to the last end
 *
 * 1. The loops are compiled once. Linked as they are they call the malloc of the process, whichever library is loaded
 *    first; linked with the core, which has other names for it, they call the core. Calls go through no stub in either.
 * 2. The first line says which file the malloc is in, so that nobody counts the wrong one.
 * 3. Rows with a second thread that frees: the threads take turns, and waiting is neither counted nor timed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host_bench.h"

#define SLOTS	   100000UL
#define LIVE	   4096UL
#define CROSS	   10000UL
#define STEP	   64UL
#define BUFFER	   4096UL
#define RESIZES	   (BUFFER / STEP - 1)
#define NS_PER_SEC 1000000000ULL

#define __noinline __attribute__((noinline))

/* One thread's. */
struct worker {
	int number;
	void *slots[SLOTS];
	void *live[LIVE]; /* what mix() has not freed yet, NULL for nothing */
	uint64_t random;
	uint64_t start, end;
	pthread_t thread;
};

typedef void (*loop_fn)(struct worker *w, unsigned long n);

/**
 * struct row - one row
 * @run: does it @rounds times, on one thread
 * @other: done by the second thread after each @run of one round; NULL: the row is one thread's
 * @rounds: in a measurement, and before it as warm-up
 * @ops: operations in a round
 */
struct row {
	const char *name;
	loop_fn run, other;
	unsigned long rounds, ops;
};

static struct worker workers[BENCH_THREADS];
static pthread_barrier_t turn;

static void hot(struct worker *w, unsigned long n)
{
	(void)w;
	for (unsigned long i = 0; i < n; i++)
		free(malloc(64));
}

static void fill(struct worker *w, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		w->slots[i] = malloc(64);
}

static void empty(struct worker *w, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++)
		free(w->slots[i]);
}

static void batch_1000(struct worker *w, unsigned long n)
{
	while (n--) {
		fill(w, 1000);
		empty(w, 1000);
	}
}

static void batch_100000(struct worker *w, unsigned long n)
{
	while (n--) {
		fill(w, 100000);
		empty(w, 100000);
	}
}

static inline uint32_t random_31(struct worker *w)
{
	w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(w->random >> 33);
}

/* One free and one allocation each. */
static void mix(struct worker *w, unsigned long n)
{
	while (n--) {
		uint32_t random = random_31(w);
		void **slot = &w->live[random % LIVE];

		free(*slot);
		*slot = malloc(16 + (random >> 12) % 1024);
	}
}

static void grow(struct worker *w, unsigned long n)
{
	(void)w;
	while (n--) {
		void *p = malloc(STEP);

		for (size_t size = 2 * STEP; size <= BUFFER; size += STEP)
			p = realloc(p, size);
		free(p);
	}
}

static void shrink(struct worker *w, unsigned long n)
{
	(void)w;
	while (n--) {
		void *p = malloc(BUFFER);

		for (size_t size = BUFFER - STEP; size >= STEP; size -= STEP)
			p = realloc(p, size);
		free(p);
	}
}

static void cross_alloc(struct worker *w, unsigned long n)
{
	(void)n;
	fill(w, CROSS);
}

/* The objects of the first thread, whichever thread this is. */
static void cross_free(struct worker *w, unsigned long n)
{
	(void)w;
	(void)n;
	empty(&workers[0], CROSS);
}

static const struct row rows[] = {
	{ "hot_64", hot, NULL, 200000, 1 },
	{ "batch_64_x1000", batch_1000, NULL, 100, 1000 },
	{ "batch_64_x100000", batch_100000, NULL, 4, 100000 },
	{ "mix_16_1039", mix, NULL, 200000, 1 },
	{ "cross_64_x10000", cross_alloc, cross_free, 20, CROSS },
	{ "realloc_grow", grow, NULL, 1000, RESIZES },
	{ "realloc_shrink", shrink, NULL, 1000, RESIZES },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

/* What callgrind counts: all that is called from here. */
static __noinline void counted(loop_fn fn, struct worker *w, unsigned long n)
{
	fn(w, n);
	__asm__ volatile("" : : : "memory"); /* no tail call: that would leave this function at once */
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static void enter(int thread)
{
	if (bench_thread_enter)
		bench_thread_enter(thread);
}

static void wait_turn(void)
{
	pthread_barrier_wait(&turn);
}

/* --- one thread allocates, the other frees --- */

static const struct row *crossed;
static uint64_t cross_ns; /* by the thread whose turn it is */

/* @rounds of this thread's half, in turns. */
static void cross_half(struct worker *w, unsigned long rounds, bool measure)
{
	loop_fn fn = w->number ? crossed->other : crossed->run;

	while (rounds--) {
		if (w->number)
			wait_turn();

		uint64_t start = now_ns();

		if (measure)
			counted(fn, w, 1);
		else
			fn(w, 1);
		cross_ns += measure ? now_ns() - start : 0;
		wait_turn();
		if (!w->number)
			wait_turn();
	}
}

static void cross_both(struct worker *w)
{
	cross_half(w, crossed->rounds, false);
	cross_half(w, crossed->rounds, true);
}

static void *cross_thread(void *arg)
{
	struct worker *w = arg;

	enter(w->number);
	cross_both(w);
	return NULL;
}

static void start_thread(struct worker *w, void *(*fn)(void *arg))
{
	if (pthread_create(&w->thread, NULL, fn, w)) {
		fprintf(stderr, "no second thread\n");
		exit(1);
	}
}

/* Return: nanoseconds. */
static uint64_t run_cross(const struct row *row)
{
	crossed = row;
	cross_ns = 0;
	start_thread(&workers[1], cross_thread);
	cross_both(&workers[0]);
	pthread_join(workers[1].thread, NULL);
	return cross_ns;
}

/* --- the same on one thread or on two --- */

static void timed(struct worker *w, const struct row *row)
{
	w->start = now_ns();
	row->run(w, row->rounds);
	w->end = now_ns();
}

/* The threads go through the rows side by side. */
static void time_rows(struct worker *w, int threads)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (rows[i].other)
			continue;
		rows[i].run(w, rows[i].rounds);
		if (threads > 1)
			wait_turn();
		timed(w, &rows[i]);
		if (threads > 1)
			wait_turn();
		if (w->number)
			continue;

		uint64_t start = w->start, end = w->end;

		for (int other = 1; other < threads; other++) {
			start = workers[other].start < start ? workers[other].start : start;
			end = workers[other].end > end ? workers[other].end : end;
		}
		printf("%s %llu %lu\n", rows[i].name, (unsigned long long)(end - start),
		       rows[i].rounds * rows[i].ops * (unsigned long)threads);
	}
}

static void *time_thread(void *arg)
{
	struct worker *w = arg;

	enter(w->number);
	time_rows(w, BENCH_THREADS);
	return NULL;
}

static int time_all(const char *threads)
{
	bool two = !strcmp(threads, "2");

	if (!two && strcmp(threads, "1") != 0) {
		fprintf(stderr, "%s threads: 1 or 2\n", threads);
		return 2;
	}
	if (two)
		start_thread(&workers[1], time_thread);
	time_rows(&workers[0], two ? BENCH_THREADS : 1);
	if (!two)
		return 0;
	pthread_join(workers[1].thread, NULL);
	for (size_t i = 0; i < NR_ROWS; i++)
		if (rows[i].other)
			printf("%s %llu %lu\n", rows[i].name, (unsigned long long)run_cross(&rows[i]),
			       rows[i].rounds * rows[i].ops);
	return 0;
}

static int count(const char *name)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		const struct row *row = &rows[i];

		if (strcmp(row->name, name) != 0)
			continue;
		if (row->other) {
			run_cross(row);
		} else {
			row->run(&workers[0], row->rounds);
			counted(row->run, &workers[0], row->rounds);
		}
		printf("%s %lu\n", row->name, row->rounds * row->ops);
		return 0;
	}
	fprintf(stderr, "%s is no row\n", name);
	return 2;
}

static void say_malloc(void)
{
	Dl_info info;

	printf("malloc %s\n", dladdr((void *)(uintptr_t)malloc, &info) ? info.dli_fname : "unknown");
}

static int run(int argc, char **argv)
{
	if (argc == 3)
		say_malloc();
	if (argc == 3 && !strcmp(argv[1], "count"))
		return count(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "time"))
		return time_all(argv[2]);
	fprintf(stderr, "usage: %s count ROW | time 1 | time 2\n", argv[0]);
	return 2;
}

int main(int argc, char **argv)
{
	pthread_barrier_init(&turn, NULL, BENCH_THREADS);
	for (int i = 0; i < BENCH_THREADS; i++) {
		workers[i].number = i;
		workers[i].random = 42 + (uint64_t)i;
	}
	enter(0);

	int status = run(argc, argv);

	if (status || !bench_proved || bench_proved())
		return status;
	fprintf(stderr, "the allocator's own checks failed\n");
	return 1;
}
