// SPDX-License-Identifier: BSD-2-Clause
/*
 * A device tree as source (contract: <lib/dt_show.h>).
 *
 * 1. Tokens of the structure block are read in their order; depth is counted, nothing is recursive.
 * 2. A property's bytes do not tell its type. It is shown as strings when it ends with a zero byte, no string in it is
 *    empty and each byte is printable and none that source would want escaped; as cells when it is a multiple of four
 *    bytes; else as bytes. Each way gives the same bytes when it is compiled again.
 * 3. Values of any length go out piece by piece: no line is built in a buffer.
 */
#include <lib/dt_show.h>

#include <lib/dt.h>
#include <lib/printk.h>
#include <libfdt.h>
#include <string.h>

#define CELL_BYTES ((int)sizeof(fdt32_t))

static void indent(int depth)
{
	while (depth-- > 0)
		con_write("\t", 1);
}

static void put(const char *text)
{
	con_write(text, strlen(text));
}

static bool printable(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool is_strings(const char *value, int len)
{
	if (len <= 0 || value[len - 1])
		return false;
	for (int i = 0; i < len; i++)
		if (value[i] ? !printable(value[i]) : i == 0 || !value[i - 1])
			return false;
	return true;
}

static void put_strings(const char *value, int len)
{
	for (int at = 0; at < len; at += (int)strlen(value + at) + 1) {
		put(at ? ", \"" : "\"");
		put(value + at);
		put("\"");
	}
}

static void put_cells(const char *value, int len)
{
	for (int at = 0; at < len; at += CELL_BYTES)
		con_printf("%s0x%llx", at ? " " : "<", dt_cells(value + at, 1));
	put(">");
}

static void put_bytes(const char *value, int len)
{
	for (int at = 0; at < len; at++)
		con_printf("%s%02x", at ? " " : "[", (unsigned int)(u8)value[at]);
	put("]");
}

static void put_property(const void *fdt, int offset, int depth)
{
	const char *name;
	int len;
	const char *value = fdt_getprop_by_offset(fdt, offset, &name, &len);

	if (!value)
		return;
	indent(depth);
	put(name);
	if (len)
		put(" = ");
	if (is_strings(value, len))
		put_strings(value, len);
	else if (len && len % CELL_BYTES == 0)
		put_cells(value, len);
	else if (len)
		put_bytes(value, len);
	put(";\n");
}

static void open_node(const void *fdt, int node, int depth)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	indent(depth);
	put(name && *name ? name : "/");
	put(" {\n");
}

static void list_below(const void *fdt, int node)
{
	int offset = node, next, depth = 0;

	do {
		switch (fdt_next_tag(fdt, offset, &next)) {
		case FDT_BEGIN_NODE:
			open_node(fdt, offset, depth++);
			break;
		case FDT_END_NODE:
			indent(--depth);
			put("};\n");
			break;
		case FDT_PROP:
			put_property(fdt, offset, depth);
			break;
		case FDT_END:
			return;
		default:
			break;
		}
		offset = next;
	} while (depth > 0 && offset >= 0);
}

static void list_reservations(const void *fdt)
{
	int n = fdt_num_mem_rsv(fdt);

	for (int i = 0; i < n; i++) {
		uint64_t base, size;

		if (!fdt_get_mem_rsv(fdt, i, &base, &size))
			con_printf("/memreserve/ 0x%llx 0x%llx;\n", (unsigned long long)base, (unsigned long long)size);
	}
}

int dt_list(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		return node;
	if (node == 0) {
		put("/dts-v1/;\n");
		list_reservations(fdt);
	}
	list_below(fdt, node);
	return 0;
}
