// SPDX-License-Identifier: BSD-2-Clause
/*
 * The fuzzers' machine and its reset (contract: reset.h).
 *
 * 1. All state of the core is static and has no way back. Forking a process per input would cost a hundred times what
 *    an input costs, so the state itself is put back: core_state.lds has the linker gather .data and .bss of the core's
 *    objects, and of no others, in two sections, and these bytes are saved once after boot and written back before each
 *    input. Statics inside functions are among them, and new ones need no mention.
 * 2. The boot CPU's per-CPU variables live in the percpu_data section until areas are set up; it is put back as well.
 * 3. AddressSanitizer keeps red zones between globals. The bytes there are copied along, which is why the copying
 *    function is not instrumented and calls no memcpy().
 * 4. What the port knows stays: mappings are the fuzzer's to undo (host_unmap_all()), where they matter.
 * 5. arch_exit() is wrapped by the linker: it jumps back to machine_try(). Whatever the core held then, the log's lock
 *    or an interrupt mask, is gone with the state. arch_dump_stack() is wrapped too: a panic is an answer here.
 */
#include "reset.h"

#include <setjmp.h>
#include <stdlib.h>

#include <mm/percpu.h>
#include <mm/port.h>

#include "../host/host.h"

/* Made by the linker (core_state.lds). */
extern char core_data_start[], core_data_end[], core_bss_start[], core_bss_end[];

/* A range of the program's memory and the bytes it had after boot. */
struct saved {
	char *live, *copy;
	size_t size;
};

static struct saved saved[3];
static jmp_buf ended;

_Noreturn void __wrap_arch_exit(int status);
void __wrap_arch_dump_stack(void);

void __wrap_arch_exit(int status)
{
	longjmp(ended, status ? status : -1);
}

void __wrap_arch_dump_stack(void)
{
}

/* Word by word as long as it goes; both ends are aligned alike. */
__attribute__((no_sanitize("address", "undefined"))) static void copy_bytes(char *to, const char *from, size_t size)
{
	for (; size >= sizeof(u64); size -= sizeof(u64), to += sizeof(u64), from += sizeof(u64))
		*(volatile u64 *)(void *)to = *(const volatile u64 *)(const void *)from;
	for (; size; size--)
		*(volatile char *)to++ = *from++;
}

static void save(struct saved *s, char *start, const char *end)
{
	s->live = start;
	s->size = (size_t)(end - start);
	s->copy = malloc(s->size);
	copy_bytes(s->copy, s->live, s->size);
}

void machine_boot(void)
{
	host_mute();
	host_boot_cpu(1);
	save(&saved[0], core_data_start, core_data_end);
	save(&saved[1], core_bss_start, core_bss_end);
	save(&saved[2], __start_percpu_data, __stop_percpu_data);
}

bool machine_try(void (*fn)(const void *arg), const void *arg)
{
	local_irq_enable();
	host_log_clear();
	for (size_t i = 0; i < ARRAY_SIZE(saved); i++)
		copy_bytes(saved[i].live, saved[i].copy, saved[i].size);
	if (setjmp(ended))
		return false;
	fn(arg);
	return true;
}
