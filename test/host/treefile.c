// SPDX-License-Identifier: BSD-2-Clause
/*
 * Device trees that lie in files.
 *
 * 1. A file is read into an allocation of its exact size, so that a sanitizer sees who reads past its end.
 * 2. The compiled dts/ lies in $BUILD/host/dts (build/ when BUILD is not set), seen from the top of the project, where
 *    tests run.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "treefile.h"

static void *read_whole(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY);
	void *bytes = NULL;
	struct stat info;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &info)) {
		bytes = malloc((size_t)info.st_size);
		if (read(fd, bytes, (size_t)info.st_size) != info.st_size) {
			free(bytes);
			bytes = NULL;
		} else if (size) {
			*size = (size_t)info.st_size;
		}
	}
	close(fd);
	return bytes;
}

void *treefile_load(const char *pattern, size_t *size)
{
	void *bytes;
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return NULL;
	bytes = read_whole(found.gl_pathv[0], size);
	globfree(&found);
	return bytes;
}

void *treefile_sample(const char *name)
{
	const char *build = getenv("BUILD");
	char path[512];
	void *bytes;

	snprintf(path, sizeof(path), "%s/host/dts/%s.dtb", build ? build : "build", name);
	bytes = treefile_load(path, NULL);
	if (!bytes)
		tap_fail(__FILE__, __LINE__, "there is no %s", path);
	return bytes;
}
