/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the host's benchmark (malloc.c) and the core as its malloc (port.c). */
#ifndef TEST_BENCH_HOST_BENCH_H
#define TEST_BENCH_HOST_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_THREADS 2

/**
 * bench_thread_enter() - by thread @thread (from 0 on; 0 first), before it allocates. Absent when a library is the
 * malloc.
 */
void bench_thread_enter(int thread) __attribute__((weak));

/**
 * bench_proved() - in the end, one thread left: whether the core's checks agree. Absent when a library is the malloc.
 */
bool bench_proved(void) __attribute__((weak));

/* malloc() and realloc() of the benchmark, the core's. Its free() is kfree(). */
void *bench_malloc(size_t size);
void *bench_realloc(void *p, size_t size);

#endif
