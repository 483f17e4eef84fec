/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock's simulator maps nothing: group 10 of the port contract is empty. */
#ifndef ASM_VMAP_H
#define ASM_VMAP_H

#endif
