// SPDX-License-Identifier: BSD-2-Clause
/*
 * Per-CPU stacks under interrupts: what <mm/percpu_stack.h> promises.
 *
 * Each CPU's thread pops and pushes without a pause, while its timer interrupt does the same to the same stack. The
 * items are numbers; whoever pops one marks it as his and takes the mark away before he pushes it. An item that two
 * hold, or that is lost, is a sequence that was not begun anew.
 */
#include <mm/percpu.h>
#include <mm/percpu_stack.h>
#include <mm/port.h>
#include <mm/slab.h>

#include <asm/restart.h>
#include <asm/timer.h>

#include "../../mm/slub.h"
#include "../../mm/slub_debug.h"
#include "target.h"

#define ITEMS		 24
#define TIMER_NS	 20000ULL
#define LOAD_NS		 300000000ULL
#define RESTART_LIMIT_NS 10000000000ULL
#define LEAST_POPS	 1001
#define IN_HANDLER	 6 /* items that the handler holds at most */

/* One CPU's: its thread and its handler use it. What both write to is atomic. */
struct stack_load {
	struct percpu_stack stack;
	void *slot[ITEMS + 1];
	u32 held[ITEMS + 1];	/* by item: how many have it; atomic */
	u32 mixed;		/* items popped that somebody held, or that cannot be pushed; atomic */
	u64 pops, interrupts;	/* the thread's, and the handler's */
	unsigned long restarts; /* of this CPU, before */
	size_t local;		/* bytes from the local base to the stack, which may lie before it */
	u32 base;		/* from the per-CPU base */
	void *kept[IN_HANDLER];
};

static DEFINE_PER_CPU(struct stack_load, stack_load);

static __restartable void *pop(size_t stack)
{
	return asm_stack_pop(stack);
}

static __restartable bool push(const u32 *stack, void *item)
{
	return asm_stack_push(stack, item);
}

static void count_if(u32 *count, bool wrong)
{
	if (wrong)
		fetch_add32(count, 1);
}

static void *take(struct stack_load *load)
{
	void *item = pop(load->local);

	if (!item)
		return NULL;
	count_if(&load->mixed, fetch_add32(&load->held[(uintptr_t)item], 1) != 0);
	return item;
}

static bool give(struct stack_load *load, void *item)
{
	fetch_add32(&load->held[(uintptr_t)item], -1U);
	return push(&load->base, item);
}

/* The handler keeps items over several interrupts, so the depth of the stack changes under the thread. */
static void stack_interrupt(void)
{
	struct stack_load *load = this_cpu_ptr(&stack_load);
	void **kept = &load->kept[load->interrupts++ % IN_HANDLER];

	if (*kept)
		count_if(&load->mixed, !give(load, *kept));
	*kept = take(load);
}

static void set_up(struct stack_load *load, unsigned long capacity)
{
	*load = (struct stack_load){ 0 };
	percpu_stack_init(&load->stack, load->slot, capacity);
	load->base = (u32)((uintptr_t)&load->stack - (uintptr_t)asm_percpu_base());
	load->local = (uintptr_t)&load->stack - (uintptr_t)this_cpu()->local;
}

/*
 * Until the end, and then until enough was done and a sequence was interrupted: on a busy host a CPU may hardly have
 * run.
 */
static bool go_on(const struct stack_load *load, u64 end)
{
	u64 now = arch_clock_ns();

	return now < end || load->pops < LEAST_POPS ||
	       (timer_available() && restart_count(smp_processor_id()) == load->restarts &&
		now < end + RESTART_LIMIT_NS);
}

static void load_cpu(void *arg)
{
	struct stack_load *load = this_cpu_ptr(&stack_load);
	u64 end = arch_clock_ns() + LOAD_NS;

	(void)arg;
	set_up(load, ITEMS);
	for (uintptr_t item = 1; item <= ITEMS; item++)
		push(&load->base, (void *)item);
	load->restarts = restart_count(smp_processor_id());
	timer_start_periodic(TIMER_NS, stack_interrupt);
	while (go_on(load, end)) {
		void *first = take(load), *second = take(load);

		load->pops += 2;
		count_if(&load->mixed, !first || !second || !give(load, first) || !give(load, second));
	}
	timer_stop();
	for (int i = 0; i < IN_HANDLER; i++)
		if (load->kept[i])
			count_if(&load->mixed, !give(load, load->kept[i]));
}

static bool every_item_once(const struct stack_load *load)
{
	u32 seen = 0;

	for (unsigned long i = 1; i <= ITEMS; i++)
		seen |= 1u << (uintptr_t)load->slot[i];
	return seen == ((1u << ITEMS) - 1) << 1;
}

static void case_interrupted(void)
{
	int cpu;

	on_all_cpus(load_cpu, NULL);
	for_each_online_cpu(cpu) {
		const struct stack_load *load = per_cpu_ptr(&stack_load, cpu);

		ktap_ok(load->pops >= LEAST_POPS);
		ktap_ok(load->interrupts > 0 || !timer_available());
		ktap_ok(restart_count(cpu) > load->restarts || !timer_available());
		ktap_ok(load->mixed == 0);
		ktap_ok(percpu_stack_count(&load->stack, load->slot) == ITEMS);
		ktap_ok(every_item_once(load));
	}
}

/* Empty, full, and the stack that is both. */
static void case_ends(void)
{
	struct stack_load *load = this_cpu_ptr(&stack_load);
	u32 nothing = 0;

	set_up(load, 2);
	ktap_ok(pop(load->local) == NULL);
	ktap_ok(push(&load->base, (void *)1) && push(&load->base, (void *)2));
	ktap_ok(!push(&load->base, (void *)3));
	ktap_ok(pop(load->local) == (void *)2 && pop(load->local) == (void *)1);
	ktap_ok(pop(load->local) == NULL);
	ktap_ok(!push(&nothing, (void *)1));
	ktap_ok(this_cpu()->nothing.top == this_cpu()->nothing.limit && !*this_cpu()->nothing.top);
}

/* One CPU's objects: its thread and its handler allocate and free them. */
struct object_load {
	struct kmem_cache *cache;
	u32 *kept[IN_HANDLER];
	u32 mixed; /* allocated while somebody held them, or freed by who did not; atomic */
	u32 frees; /* atomic */
	u64 interrupts;
	unsigned long restarts; /* of frees on this CPU, before */
};

static DEFINE_PER_CPU(struct object_load, object_load);

#define OBJECT_SIZE	 96
#define HELD		 0x68656c64U
#define HELD_AT		 (OBJECT_SIZE / sizeof(u32) - 2) /* where no free object has its word */
#define LEAST_RESTARTS	 8				 /* of frees, on all CPUs */
#define OBJECTS_NS	 100000000ULL
#define OBJECTS_TICKS	 100000
#define OBJECTS_LIMIT_NS 30000000000ULL

static u32 *take_object(struct object_load *load)
{
	u32 *obj = kmem_cache_alloc(load->cache, GFP_ATOMIC);

	if (!obj)
		return NULL;
	count_if(&load->mixed, obj[HELD_AT] == HELD);
	obj[HELD_AT] = HELD;
	return obj;
}

static void give_object(struct object_load *load, u32 *obj)
{
	if (!obj)
		return;
	count_if(&load->mixed, obj[HELD_AT] != HELD);
	obj[HELD_AT] = 0;
	if (fetch_add32(&load->frees, 1) % 2)
		kfree(obj);
	else
		kmem_cache_free(load->cache, obj);
}

static void object_interrupt(void)
{
	struct object_load *load = this_cpu_ptr(&object_load);
	u32 **kept = &load->kept[load->interrupts++ % IN_HANDLER];

	if (*kept)
		give_object(load, *kept);
	*kept = take_object(load);
}

/*
 * Whether a free that is interrupted between the mark and the push goes on where nothing else does. Where no mark is
 * set, and where all frees go the long way, there is no such place.
 */
static bool frees_restart(const struct kmem_cache *cache)
{
	return HARDENED && !slub_debug_on() && !cache->guard && has_stacks(cache) && timer_available();
}

/* Of all CPUs, in this case. */
static unsigned long restarts_of_frees(void)
{
	unsigned long sum = 0;
	int cpu;

	for_each_online_cpu(cpu)
		sum += restart_elsewhere_count(cpu) - per_cpu_ptr(&object_load, cpu)->restarts;
	return sum;
}

/*
 * Until the end, and then until there was an interrupt, and enough frees were interrupted there, a few instructions of
 * all that is done; but not for ever.
 */
static bool go_on_freeing(const struct object_load *load, u64 end)
{
	u64 now = arch_clock_ns();

	if (!timer_available() || now < end)
		return now < end;
	if (!READ_ONCE(load->interrupts))
		return now < end + RESTART_LIMIT_NS;
	return frees_restart(load->cache) && restarts_of_frees() < LEAST_RESTARTS &&
	       READ_ONCE(load->interrupts) < OBJECTS_TICKS && now < end + OBJECTS_LIMIT_NS;
}

static void load_objects(void *arg)
{
	struct object_load *load = this_cpu_ptr(&object_load);
	u64 end = arch_clock_ns() + OBJECTS_NS;

	(void)arg;
	timer_start_periodic(TIMER_NS, object_interrupt);
	do {
		u32 *first = take_object(load), *second = take_object(load);

		give_object(load, first);
		give_object(load, second);
	} while (go_on_freeing(load, end));
	timer_stop();
	for (int i = 0; i < IN_HANDLER; i++)
		give_object(load, load->kept[i]);
}

/*
 * A free that is interrupted between the mark and the push, whose handler frees and allocates itself: nothing is lost
 * or free twice.
 */
static void case_objects(void)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct object_load *load = per_cpu_ptr(&object_load, cpu);

		*load = (struct object_load){ .restarts = restart_elsewhere_count(cpu) };
		load->cache = kmem_cache_create("load", OBJECT_SIZE, 0, SLAB_NO_MERGE, NULL);
		if (!ktap_ok(load->cache != NULL))
			return;
	}
	on_all_cpus(load_objects, NULL);
	ktap_ok(kmem_cache_check());
	ktap_ok(restarts_of_frees() >= LEAST_RESTARTS || !frees_restart(this_cpu_ptr(&object_load)->cache));
	for_each_online_cpu(cpu) {
		struct object_load *load = per_cpu_ptr(&object_load, cpu);

		ktap_ok(load->frees > 0);
		ktap_ok(load->interrupts > 0 || !timer_available());
		ktap_ok(load->mixed == 0);
		ktap_ok(kmem_cache_destroy(load->cache) == 0);
	}
}

static const struct ktap_case cases[] = {
	{ "empty, full, and the stack that is both", case_ends },
	{ "a thread and its timer interrupt on one stack, on all CPUs", case_interrupted },
	{ "frees of objects under interrupts, on all CPUs", case_objects },
};
KTAP_SUITE(stacks, cases, memory_check);
