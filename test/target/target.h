/* SPDX-License-Identifier: BSD-2-Clause */
/* What the suites in the image share: random numbers, running on all CPUs, the concurrent load, the common check. */
#ifndef TARGET_H
#define TARGET_H

#include <lib/ktap.h>
#include <lib/smp.h>

#include "../page_list.h"

/* xorshift64*: the state is never 0. */
static inline u64 next_random(u64 *state)
{
	u64 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

/**
 * on_all_cpus() - run @fn in thread context on every CPU on line, this one too, and wait for all
 *
 * Return: whether every CPU took the work; that is stated as a fact for each, too.
 */
bool on_all_cpus(smp_fn_t fn, void *arg);

/** struct load_result - what a load did */
struct load_result {
	u64 operations;	   /* allocations and frees, those of handlers included */
	u64 interrupts;	   /* handler runs that allocated and freed */
	u64 foreign_frees; /* objects freed on another CPU than they came from */
	u64 no_memory;	   /* allocations that returned NULL */
	u64 corruptions;   /* objects whose contents were not what was written */
	u64 caches;	   /* made and ended meanwhile */
};

/**
 * load_run() - all CPUs allocate and free at random for @ns, each with a timer interrupt that does so too
 *
 * Everything is freed in the end. Context: thread, boot CPU. Return: whether all CPUs took part, something was done,
 * nothing was corrupted, nothing is left, and no allocation failed though memory was plentiful; each is stated as a
 * fact, too.
 */
bool load_run(u64 ns, u64 seed, struct load_result *result);

/** load_caches_step() - make a cache, fill it, end another one (load_caches.c). Context: thread, any CPU. */
void load_caches_step(u64 random, struct load_result *sum);

/** load_caches_end() - end those that are left. Context: thread, no other CPU takes a step. */
void load_caches_end(struct load_result *sum);

/** struct soak_result - what a soak did */
struct soak_result {
	u64 rounds;	       /* to the bottom of memory and back */
	u64 load_operations;   /* of the mixed load in between */
	u64 caches;	       /* made and ended under it */
	u64 taken;	       /* blocks and objects taken by threads */
	u64 taken_in_handlers; /* and by interrupt handlers */
	u64 nulls;	       /* times a thread got none */
	u64 nulls_in_handlers; /* and a handler */
	u64 interrupts;
	u64 corruptions;	   /* pages and objects whose stamp was not their owner's */
	unsigned long free_before; /* pages, caches given back */
	unsigned long free_after;  /* the same after the last round */
};

/**
 * soak_run() - all CPUs drive memory to exhaustion and back, in threads and interrupt handlers, for @ns and to the end
 * of the round; at least once
 *
 * Context: thread, boot CPU. Return: whether in every round every context got NULL, nothing was corrupted,
 * memory_check() held at the bottom and at the end, and as many pages were free as before; each is stated as a fact,
 * too.
 */
bool soak_run(u64 ns, u64 seed, struct soak_result *result);

/**
 * memory_check() - all invariants of memblock, the page allocator, SLUB, per-CPU memory, vmalloc, memory types, DMA;
 * the suites' check
 */
bool memory_check(void);

/** only_devices_held() - whether no memory type is held but those of drivers' registers, which stay (<mm/memtype.h>) */
bool only_devices_held(void);

/* Machines with more memory are not driven to exhaustion: under emulation that takes too long. */
#define EXHAUST_MAX_PAGES ((4UL << 30) >> PAGE_SHIFT)

/** quiet_free_pages() - free pages when all that caches, slabs and vmalloc keep was given back: what can be compared */
unsigned long quiet_free_pages(void);

/**
 * pt_break() - change page tables in a way that the rules forbid
 * @how: "wx", "user", "group-hint", ... (pt_break.c)
 *
 * Context: thread, boot CPU. Return: false, with nothing changed, when there is no such way, no memory, or no pt_mend()
 * since the last.
 */
bool pt_break(const char *how);

/** pt_mend() - undo what pt_break() has done */
void pt_mend(void);

#endif
