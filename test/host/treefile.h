/* SPDX-License-Identifier: BSD-2-Clause */
/* Device trees that lie in files: real boards' and those of dts/. */
#ifndef TEST_HOST_TREEFILE_H
#define TEST_HOST_TREEFILE_H

#include <stddef.h>

/* Trees of real boards, below the folder that the kernel package is unpacked into. */
#define TREEFILE_BOARDS "build/deps/usr/lib/linux-image-*/"

/**
 * treefile_load() - a whole file, in memory of its own that ends where the file ends
 * @pattern: the file's name, or a pattern whose first match is meant
 * @size: set to its bytes, unless it is NULL
 *
 * Return: what free() takes; NULL when there is no such file.
 */
void *treefile_load(const char *pattern, size_t *size);

/**
 * treefile_sample() - one of dts/ as the build compiled it, @name without its suffix; the case ends if there is none
 */
void *treefile_sample(const char *name);

#endif
