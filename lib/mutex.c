// SPDX-License-Identifier: BSD-2-Clause
/* Mutexes: contract and theory in <lib/mutex.h>. */
#include <lib/mutex.h>

#include <lib/printk.h>

#include <asm/atomic.h>
#include <asm/processor.h>
#include <asm/smp.h>

static u32 this_holder(void)
{
	return (u32)smp_processor_id() + 1;
}

/* Take @mutex if it is free. */
static bool try_lock(struct mutex *mutex)
{
	return claim32_acquire(&mutex->holder, this_holder()) == 0;
}

void mutex_lock(struct mutex *mutex)
{
	if (!arch_cross_call_ok())
		panic("mutex %s: CPU %d takes it with interrupts masked or from a handler", mutex->name,
		      smp_processor_id());
	if (READ_ONCE(mutex->holder) == this_holder())
		panic("mutex %s: CPU %d takes it twice", mutex->name, smp_processor_id());
	while (!try_lock(mutex))
		while (READ_ONCE(mutex->holder))
			cpu_relax();
}

void mutex_unlock(struct mutex *mutex)
{
	if (READ_ONCE(mutex->holder) != this_holder())
		panic("mutex %s: CPU %d lets go of it and does not hold it", mutex->name, smp_processor_id());
	__atomic_store_n(&mutex->holder, 0, __ATOMIC_RELEASE);
}
