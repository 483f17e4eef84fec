/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PL011 (Arm DDI 0183): polled output and input.
 *
 * 1. Transmit: wait while the FIFO is full (FR.TXFF), write DR. Receive: DR when the FIFO is not empty (FR.RXFE); its
 *    upper bits are error flags, and a byte with errors is passed on as it came.
 *    No wait is without end: a UART without its clock, or one that the other side's flow control holds (only the early
 *    console's can be: set-up turns flow control off), stays full. After WAIT_POLLS a byte is dropped, and so is each
 *    one after, at once, until there is room again; the log keeps them. A poll takes 50 ns or more, so that is 50 ms at
 *    least: the time of one byte at 200 baud.
 * 2. Set-up leaves the rate and the format alone: who started us chose them. A UART that was never enabled gets eight
 *    bits, no parity; LCR_H is written while the UART is disabled (3.3.7), after the last byte of whoever wrote before
 *    us has gone (a UART that is not enabled sends none). The FIFOs stay as they were found: to switch them drops what was received already, and the first
 *    byte typed may be there.
 * 3. Interrupts of the UART are off. The log serialises callers.
 * 4. The early console is the same device at CONFIG_EARLY_UART_ADDR, or else at CONFIG_OTHER_EARLY_UART_ADDR, through
 *    mappings that exist from the first instruction of C in the high half. Either may be RAM, or nothing, on this board:
 *    its identification registers are read, once and when it is first asked for, and it is used when they are a PL011's.
 *    Nothing is set up, so it works only where a loader or an emulator left the UART ready.
 */
#include <asm/exception.h>
#include <asm/io.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/pl011.h>
#include <asm/uart.h>

#define UART_LCR_H 0x02c
#define UART_CR	   0x030
#define UART_IMSC  0x038

#define FR_BUSY BIT(3)
#define FR_RXFE BIT(4)
#define FR_TXFF BIT(UART_FR_TXFF_SHIFT)

#define LCR_H_8BITS (3 << 5)

#define CR_ENABLE BIT(0)
#define CR_TX	  BIT(8)
#define CR_RX	  BIT(9)

#define WAIT_POLLS 1000000

/**
 * struct pl011 - one UART
 * @con: its console; the log lock covers the whole
 * @base: its registers
 * @stuck: the last byte was dropped: wait no more until there is room
 */
struct pl011 {
	struct console con;
	volatile char *base;
	bool stuck;
};

/* Wait until @flag of FR is clear, @polls looks at most. Return: whether it is. */
static bool wait_clear(volatile char *base, u32 flag, u32 polls)
{
	while (polls--)
		if (!(mmio_read32(base + UART_FR) & flag))
			return true;
	return false;
}

static void pl011_putc(struct console *con, char c)
{
	struct pl011 *uart = container_of(con, struct pl011, con);

	uart->stuck = !wait_clear(uart->base, FR_TXFF, uart->stuck ? 1 : WAIT_POLLS);
	if (!uart->stuck)
		mmio_write32(uart->base + UART_DR, (u8)c);
}

static int pl011_getc(struct console *con)
{
	volatile char *base = container_of(con, struct pl011, con)->base;

	if (mmio_read32(base + UART_FR) & FR_RXFE)
		return -1;
	return (int)(mmio_read32(base + UART_DR) & 0xff);
}

static struct pl011 pl011 = {
	.con = { .name = "pl011", .putc = pl011_putc, .getc = pl011_getc },
};

static struct console *pl011_setup(volatile void *registers)
{
	volatile char *base = registers;
	u32 control, format = LCR_H_8BITS;

	if (!arch_probe_read32(base + UART_CR, &control))
		return NULL;
	if (control & CR_ENABLE) {
		format = mmio_read32(base + UART_LCR_H);
		wait_clear(base, FR_BUSY, WAIT_POLLS);
	}
	mmio_write32(base + UART_CR, 0);
	mmio_write32(base + UART_IMSC, 0);
	mmio_write32(base + UART_LCR_H, format);
	mmio_write32(base + UART_CR, CR_ENABLE | CR_TX | CR_RX);
	pl011.base = base;
	return &pl011.con;
}

static const char *const pl011_compatible[] = { "arm,pl011", NULL };

const struct uart_driver pl011_driver = {
	.compatible = pl011_compatible,
	.name = "pl011",
	.setup = pl011_setup,
};

static struct pl011 early_pl011 = {
	.con = { .name = "early console", .putc = pl011_putc, .getc = pl011_getc },
};

/* Whether the identification registers of the page at @base are a PL011's. */
static bool is_pl011(const volatile char *base)
{
	u64 id = 0;

	for (unsigned int i = 0; i < 8; i++) {
		u32 value;

		if (!arch_probe_read32(base + UART_ID + i * sizeof(u32), &value))
			return false;
		id |= (u64)(value & 0xff) << (8 * i);
	}
	return (id & UART_ID_MASK) == UART_ID_PL011;
}

struct console *arch_early_console(void)
{
	static const u64 places[] = { EARLY_UART_VADDR, OTHER_EARLY_UART_VADDR };
	static bool looked;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !looked && !early_pl011.base; i++)
		if (places[i] && is_pl011((const volatile char *)(uintptr_t)places[i]))
			early_pl011.base = (volatile char *)(uintptr_t)places[i];
	looked = true;
	return early_pl011.base ? &early_pl011.con : NULL;
}
