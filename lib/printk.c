// SPDX-License-Identifier: BSD-2-Clause
/*
 * The log.
 *
 * 1. Formatted text goes into a ring of bytes and, at once, to every registered console. The ring is addressed by
 *    positions that only grow; position p is byte p modulo the ring's size. What the ring holds is the last
 *    RING_SIZE bytes before `ring_end`.
 * 2. A console that registers is shown the ring from its oldest whole line.
 * 3. log_lock covers ring, consoles and the state of the open line, interrupts masked. Its rank is the last of all:
 *    anything may be held by whoever prints. One call's text is never torn. A line that a CPU builds by several calls
 *    is ended when another CPU prints in between, and goes on in a line of its own, so no line holds text of two CPUs;
 *    who wants a line whole prints it by one call. What con_printf() leaves open the log does not know of.
 * 4. After log_emergency() the lock is not waited for: the CPU that ends the run must not hang on a lock whose holder
 *    it may have interrupted.
 * 5. Formatting happens outside the lock, in LINE_MAX bytes of the caller's stack. What is longer is cut, but keeps the
 *    newline that its format ends with. The time is read under the lock, so stamps never go back.
 * 6. One CPU ends the run: panic() and a port's reports of exceptions ask arch_begin_report() first.
 */
#include <lib/printk.h>

#include <lib/spinlock.h>
#include <stdio.h>
#include <string.h>

#include <asm/bug.h>
#include <asm/processor.h>
#include <asm/smp.h>

#define RING_SIZE (1UL << CONFIG_LOG_BUF_SHIFT)
#define LINE_MAX  1024
#define PANIC_MAX 512

_Static_assert(RING_SIZE >= LINE_MAX, "a line wraps round once at most");

static DEFINE_SPINLOCK(log_lock, LOCK_RANK_LOG);
static char ring[RING_SIZE];	 /* log_lock */
static unsigned long ring_end;	 /* log_lock */
static bool line_open;		 /* log_lock: the last byte of the log was no newline */
static int line_cpu;		 /* log_lock: who wrote that byte */
static struct console *consoles; /* log_lock */
static bool emergency;		 /* set once, by the CPU that ends the run */

static unsigned long log_enter(bool *locked)
{
	unsigned long flags = local_irq_save();

	*locked = !READ_ONCE(emergency);
	if (*locked)
		spin_lock(&log_lock);
	return flags;
}

static void log_leave(unsigned long flags, bool locked)
{
	if (locked)
		spin_unlock(&log_lock);
	local_irq_restore(flags);
}

static void console_emit(struct console *con, const char *text, size_t len)
{
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t part = newline ? (size_t)(newline - text) : len;

		if (part)
			con->write(con, text, part);
		if (newline) {
			con->write(con, "\r\n", 2);
			part++;
		}
		text += part;
		len -= part;
	}
}

static void emit_all(const char *text, size_t len)
{
	for (struct console *con = consoles; con; con = con->next)
		console_emit(con, text, len);
}

/* @len is at most LINE_MAX. */
static void log_bytes(const char *text, size_t len)
{
	size_t at = ring_end % RING_SIZE, head = min(len, RING_SIZE - at);

	memcpy(ring + at, text, head);
	memcpy(ring, text + head, len - head);
	ring_end += len;
	emit_all(text, len);
}

/*
 * The decimal digits of @value in front of @end, blanks or zeros before them as @fill says until there are @width.
 * Return: the first.
 */
static char *put_digits(char *end, u64 value, unsigned int width, char fill)
{
	char *p = end, *widest = end - width;

	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (p > widest)
		*--p = fill;
	return p;
}

/* "[%5llu.%06llu] ": most of what a short line costs, if snprintf() does it. */
static void log_stamp(u64 ns)
{
	char stamp[32], *end = stamp + sizeof(stamp), *p = end;

	*--p = ' ';
	*--p = ']';
	p = put_digits(p, ns / 1000 % 1000000, 6, '0');
	*--p = '.';
	p = put_digits(p, ns / 1000000000, 5, ' ');
	*--p = '[';
	log_bytes(p, (size_t)(end - p));
}

static void end_line(void)
{
	if (line_open)
		log_bytes("\n", 1);
	line_open = false;
}

/* End the line that another CPU has left open. */
static void end_foreign_line(void)
{
	if (line_cpu != smp_processor_id())
		end_line();
}

/* Into the log, a time stamp in front of each line that begins here. */
static void log_text(const char *text, size_t len, u64 ns)
{
	end_foreign_line();
	line_cpu = smp_processor_id();
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t part = newline ? (size_t)(newline - text) + 1 : len;

		if (!line_open)
			log_stamp(ns);
		log_bytes(text, part);
		line_open = !newline;
		text += part;
		len -= part;
	}
}

/* Format into @line of @size bytes. Return: how many there are now, by point 5. */
static size_t __printf(3, 0) format(char *line, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(line, size, fmt, args);
	size_t fmt_len = strlen(fmt);

	if (len < 0)
		return 0;
	if ((size_t)len < size)
		return (size_t)len;
	if (fmt_len && fmt[fmt_len - 1] == '\n')
		line[size - 2] = '\n';
	return size - 1;
}

void vprintk(const char *fmt, va_list args)
{
	char line[LINE_MAX];
	size_t len = format(line, sizeof(line), fmt, args);
	bool locked;
	unsigned long flags = log_enter(&locked);

	log_text(line, len, arch_clock_ns());
	log_leave(flags, locked);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

void con_write(const char *text, size_t len)
{
	bool locked;
	unsigned long flags = log_enter(&locked);

	end_foreign_line();
	emit_all(text, len);
	log_leave(flags, locked);
}

void con_printf(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list args;

	va_start(args, fmt);
	con_write(line, format(line, sizeof(line), fmt, args));
	va_end(args);
}

int con_getc(void)
{
	for (struct console *con = consoles; con; con = con->next) {
		int c = con->getc ? (con->getc)(con) : -1;

		if (c >= 0)
			return c;
	}
	return -1;
}

/* Where the oldest line that is still whole begins. */
static unsigned long ring_start(void)
{
	/* What stood before the oldest byte is overwritten, so whether a line begins there cannot be told. */
	unsigned long pos = ring_end > RING_SIZE ? ring_end - RING_SIZE + 1 : 0;

	if (!pos)
		return 0;
	while (pos < ring_end && ring[(pos - 1) % RING_SIZE] != '\n')
		pos++;
	return pos;
}

/* What the ring holds from position @pos on. */
static void emit_ring(struct console *con, unsigned long pos)
{
	while (pos < ring_end) {
		size_t part = min(ring_end - pos, RING_SIZE - pos % RING_SIZE);

		console_emit(con, &ring[pos % RING_SIZE], part);
		pos += part;
	}
}

void console_register(struct console *con)
{
	bool locked;
	unsigned long flags = log_enter(&locked);

	emit_ring(con, ring_start());
	con->next = consoles;
	consoles = con;
	log_leave(flags, locked);
}

bool console_registered(void)
{
	return READ_ONCE(consoles);
}

void log_emergency(void)
{
	struct console *early = console_registered() ? NULL : arch_early_console();

	WRITE_ONCE(emergency, true);
	if (early)
		console_register(early);
	end_line();
}

_Noreturn void panic(const char *fmt, ...)
{
	char why[PANIC_MAX];
	va_list args;
	bool first;

	local_irq_disable();
	first = arch_begin_report();
	log_emergency();
	va_start(args, fmt);
	format(why, sizeof(why), fmt, args);
	va_end(args);
	printk("panic: %s%s\n", why, first ? "" : ", while reporting what is above");
	if (first)
		arch_dump_stack();
	arch_exit(1);
}
