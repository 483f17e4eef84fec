/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of CONFIG_MM_DEBUG on the links of lists; without it, nothing.
 *
 * An entry goes in between two neighbours that point at each other, and comes out from between two that point at it.
 * What was taken out holds poison, so that it cannot be taken out twice or be followed into a list.
 */
#ifndef LIB_LIST_DEBUG_H
#define LIB_LIST_DEBUG_H

struct list_head;

#ifdef CONFIG_MM_DEBUG

/** list_debug_add() - @entry is about to go between @prev and @next: panics when they are no neighbours */
void list_debug_add(const struct list_head *entry, const struct list_head *prev, const struct list_head *next);

/** list_debug_del() - @entry is about to be taken out: panics when it is in no list */
void list_debug_del(const struct list_head *entry);

/** list_debug_poison() - @entry has been taken out */
void list_debug_poison(struct list_head *entry);

#else

static inline void list_debug_add(const struct list_head *entry, const struct list_head *prev,
				  const struct list_head *next)
{
	(void)entry;
	(void)prev;
	(void)next;
}

static inline void list_debug_del(const struct list_head *entry)
{
	(void)entry;
}

static inline void list_debug_poison(struct list_head *entry)
{
	(void)entry;
}

#endif

#endif
