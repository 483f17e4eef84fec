/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtraces by frame pointers.
 *
 * 1. x29 points to a frame record {caller's x29, return address} (Procedure Call Standard, 6.4.6). Exception entry
 *    leaves one too, so a trace goes on through a handler into what it interrupted.
 * 2. Nothing is trusted: a record is read only when it lies wholly in a stack this CPU can be on (its own, or the
 *    emergency stack) and is aligned to eight. A trace that begins on the emergency stack may go over to the CPU's own;
 *    none goes the other way; on either, each record lies above the one before. So a trace ends, after as many records
 *    as the two stacks have words at most, and never faults.
 * 3. A frame that returns to the same place as the one before is counted instead of printed, so that a runaway
 *    recursion shows who began it.
 * 4. A leaf function makes no frame record, so where an exception interrupts one its caller is in x30 only. x30 is
 *    taken for such a caller when it lies in another function than the interrupted instruction and is not what the
 *    first record says anyway: within a function that made a record it is either of the two.
 * 5. A return address is that of the instruction after the call. Where the call was a function's last instruction
 *    (a call to a _Noreturn function) that would be the next function's name: the lookup is for one byte before.
 * 6. A return address in a record may be signed (<asm/protect.h>). The signature is in the bits above the address and
 *    below bit 55, and beside that one, which are all ones in an address of the image: they are set again.
 */
#include <stdio.h>

#include <asm/bug.h>
#include <asm/exception.h>
#include <asm/ksyms.h>
#include <asm/layout.h>
#include <asm/smp.h>
#include <lib/printk.h>

#define ADDRESS_HIGH_HALF BIT(55)
#define SIGNATURE_BITS	  0xff7f000000000000UL /* of 48-bit addresses, none of whose bits are ignored */

struct frame_record {
	u64 fp;
	u64 lr;
};

static bool on_emergency_stack(u64 fp)
{
	u64 base = (uintptr_t)emergency_stack;

	return fp >= base && fp <= base + EMERGENCY_STACK_SIZE - sizeof(struct frame_record);
}

static bool on_own_stack(u64 fp)
{
	u64 top = STACK_TOP(smp_processor_id());

	return fp >= top - STACK_SIZE && fp <= top - sizeof(struct frame_record);
}

/* Whether the record at @next may follow the one at @fp in a chain, or begin it (@fp is 0). */
static bool follows(u64 fp, u64 next)
{
	if (next % sizeof(u64))
		return false;
	if (on_own_stack(next))
		return next > fp || on_emergency_stack(fp);
	return on_emergency_stack(next) && next > fp && (!fp || on_emergency_stack(fp));
}

u64 strip_signature(u64 address)
{
	return address & ADDRESS_HIGH_HALF ? address | SIGNATURE_BITS : address;
}

static void print_frame(u64 pc, u64 lookup)
{
	u64 offset;
	const char *name = ksym_lookup(lookup, &offset);

	if (name)
		printk("  [%016llx] %s+0x%llx\n", pc, name, offset + (pc - lookup));
	else
		printk("  [%016llx]\n", pc);
}

static void print_repeats(unsigned int repeats)
{
	if (repeats)
		printk("  ... the same %u times more\n", repeats);
}

static const struct frame_record *record_at(u64 fp)
{
	return (const struct frame_record *)(uintptr_t)fp;
}

/* Whether @lr is the only trace of the function that called the one of @pc. */
static bool is_leaf_caller(u64 pc, u64 lr, u64 fp)
{
	u64 pc_offset = 0, lr_offset;

	if (!ksym_lookup(lr - 1, &lr_offset))
		return false;
	if (ksym_lookup(pc, &pc_offset) && pc - pc_offset == lr - 1 - lr_offset)
		return false;
	return !follows(0, fp) || strip_signature(record_at(fp)->lr) != lr;
}

void backtrace(u64 pc, u64 lr, u64 fp)
{
	unsigned int frames = 0, repeats = 0;
	u64 from = 0, last = 0;

	lr = strip_signature(lr);
	printk("Backtrace of CPU %d:\n", smp_processor_id());
	print_frame(pc, pc);
	if (is_leaf_caller(pc, lr, fp))
		print_frame(lr, lr - 1);
	while (follows(from, fp) && frames < BACKTRACE_MAX) {
		u64 caller = strip_signature(record_at(fp)->lr);

		if (!caller)
			break;
		if (caller == last) {
			repeats++;
		} else {
			print_repeats(repeats);
			print_frame(caller, caller - 1);
			repeats = 0;
			frames++;
		}
		last = caller;
		from = fp;
		fp = record_at(fp)->fp;
	}
	print_repeats(repeats);
}

void arch_dump_stack(void)
{
	const struct frame_record *record = __builtin_frame_address(0);

	backtrace(strip_signature(record->lr), 0, record->fp);
}

unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skipnr)
{
	u64 from = 0, fp = (uintptr_t)__builtin_frame_address(0);
	unsigned int frames = 0, stored = 0;

	while (stored < size && follows(from, fp)) {
		u64 caller = strip_signature(record_at(fp)->lr);

		if (!caller)
			break;
		if (frames++ >= skipnr)
			store[stored++] = caller;
		from = fp;
		fp = record_at(fp)->fp;
	}
	return stored;
}

const char *arch_symbol(unsigned long address, char *buf, size_t size)
{
	u64 offset;
	const char *name = ksym_lookup(address - 1, &offset);

	if (name)
		snprintf(buf, size, "%.*s+0x%llx", KSYM_MAX - 20, name, offset + 1);
	else
		snprintf(buf, size, "0x%lx", address);
	return buf;
}
