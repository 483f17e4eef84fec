// SPDX-License-Identifier: BSD-2-Clause
/* Boot arguments: contract in <mm/bootargs.h>. */
#include <mm/bootargs.h>

#include <lib/printk.h>
#include <stdlib.h>
#include <string.h>

const char *bootarg_value(const char *args, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	while (*args) {
		size_t word = strcspn(args, " ");

		if (word > len && !strncmp(args, name, len) && args[len] == '=') {
			size_t n = min(word - len - 1, size - 1);

			memcpy(value, args + len + 1, n);
			value[n] = '\0';
			return args + word;
		}
		args += word + strspn(args + word, " ");
	}
	return NULL;
}

bool bootarg_flag(const char *args, const char *name)
{
	size_t len = strlen(name);

	while (*args) {
		size_t word = strcspn(args, " ");

		if (word == len && !strncmp(args, name, len))
			return true;
		args += word + strspn(args + word, " ");
	}
	return false;
}

/* How far a unit's letter shifts; 0 when @c is none. */
static unsigned int unit_shift(char c)
{
	static const char units[] = "KMGT", small[] = "kmgt";
	const char *at = c ? strchr(units, c) : NULL, *small_at = c ? strchr(small, c) : NULL;

	if (at)
		return 10 * (unsigned int)(at - units + 1);
	return small_at ? 10 * (unsigned int)(small_at - small + 1) : 0;
}

phys_addr_t parse_size(const char *text, const char **rest)
{
	unsigned int shift;
	phys_addr_t value;
	char *end;

	*rest = text;
	if (*text < '0' || *text > '9')
		return 0;
	value = strtoull(text, &end, 0);
	shift = unit_shift(*end);
	*rest = end + (shift != 0);
	return shift && value > ~0ULL >> shift ? ~0ULL : value << shift;
}

phys_addr_t bootarg_size(const char *args, const char *name)
{
	char value[64];
	const char *rest;
	phys_addr_t size;

	if (!bootarg_value(args, name, value, sizeof(value)))
		return 0;
	size = parse_size(value, &rest);
	if (!*rest && rest != value)
		return size;
	printk("bootargs: %s=%s is no size: ignored\n", name, value);
	return 0;
}
