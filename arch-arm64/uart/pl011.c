/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PL011 (Arm DDI 0183): polled output and input.
 *
 * 1. Transmit: wait while the FIFO is full (FR.TXFF), write DR. Receive: DR when the FIFO is not empty (FR.RXFE); its
 *    upper bits are error flags, and a byte with errors is passed on as it came.
 *    No wait is without end: a UART without its clock, or one that the other side's flow control holds (only the early
 *    console's can be: set-up turns flow control off), stays full. After UART_POLLS looks a byte is dropped, and so is
 *    each one after, at once, until there is room again; the log keeps them.
 * 2. Set-up leaves the rate and the format alone: who started us chose them. A UART that was never enabled gets eight
 *    bits, no parity; LCR_H is written while the UART is disabled (3.3.7), after the last byte of whoever wrote before
 *    us has gone (a UART that is not enabled sends none). The FIFOs stay as they were found: to switch them drops what
 *    was received already, and the first byte typed may be there.
 * 3. Interrupts of the UART are off. The log serialises callers.
 * 4. The early console (early.c) uses the device as it is found.
 */
#include <asm/exception.h>
#include <asm/io.h>
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

static void pl011_write(struct console *con, const char *text, size_t len)
{
	struct pl011 *uart = container_of(con, struct pl011, con);
	volatile char *base = uart->base;
	bool stuck = uart->stuck;

	for (size_t i = 0; i < len; i++) {
		stuck = !uart_wait(base + UART_FR, FR_TXFF, 0, stuck ? 1 : UART_POLLS);
		if (!stuck)
			mmio_write32(base + UART_DR, (u8)text[i]);
	}
	uart->stuck = stuck;
}

static int pl011_getc(struct console *con)
{
	volatile char *base = container_of(con, struct pl011, con)->base;

	if (mmio_read32(base + UART_FR) & FR_RXFE)
		return -1;
	return (int)(mmio_read32(base + UART_DR) & 0xff);
}

static struct pl011 pl011 = {
	.con = { .name = "pl011", .write = pl011_write, .getc = pl011_getc },
};

static struct console *pl011_setup(volatile void *registers)
{
	volatile char *base = registers;
	u32 control, format = LCR_H_8BITS;

	if (!arch_probe_read32(base + UART_CR, &control))
		return NULL;
	if (control & CR_ENABLE) {
		format = mmio_read32(base + UART_LCR_H);
		uart_wait(base + UART_FR, FR_BUSY, 0, UART_POLLS);
	}
	mmio_write32(base + UART_CR, 0);
	mmio_write32(base + UART_IMSC, 0);
	mmio_write32(base + UART_LCR_H, format);
	mmio_write32(base + UART_CR, CR_ENABLE | CR_TX | CR_RX);
	pl011.base = base;
	return &pl011.con;
}

struct console *pl011_attach(volatile void *registers)
{
	pl011.base = registers;
	return &pl011.con;
}

static const char *const pl011_compatible[] = { "arm,pl011", NULL };

const struct uart_driver pl011_driver = {
	.compatible = pl011_compatible,
	.name = "pl011",
	.setup = pl011_setup,
};
