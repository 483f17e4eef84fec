/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock's simulator has no objects to check. */
#ifndef ASM_OBJECT_CHECK_H
#define ASM_OBJECT_CHECK_H

#endif
