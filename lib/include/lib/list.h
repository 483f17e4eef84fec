/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Circular doubly linked lists, the links inside the members. An empty list's head points at itself.
 *
 * Not locked: the owner of the list says which lock covers it. Every operation is O(1). CONFIG_MM_DEBUG checks the
 * links at each change and panics when they are wrong (list_debug.h).
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <lib/list_debug.h>
#include <lib/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                     \
	{                                        \
		.next = &(name), .prev = &(name) \
	}
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_insert_(struct list_head *entry, struct list_head *prev, struct list_head *next)
{
	list_debug_add(entry, prev, next);
	entry->next = next;
	entry->prev = prev;
	next->prev = entry;
	prev->next = entry;
}

/** list_add() - insert @entry at the front of @head */
static inline void list_add(struct list_head *entry, struct list_head *head)
{
	list_insert_(entry, head, head->next);
}

/** list_add_tail() - insert @entry at the end of @head */
static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	list_insert_(entry, head->prev, head);
}

/** list_del() - take @entry out of its list; its own links mean nothing then */
static inline void list_del(struct list_head *entry)
{
	list_debug_del(entry);
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	list_debug_poison(entry);
}

/** list_del_init() - take @entry out of its list and make it an empty list of its own */
static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

/** list_move() - take @entry out of its list and insert it at the front of @head */
static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add(entry, head);
}

#define list_entry(ptr, type, member)	     container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(pos, head, member)                                                     \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member); &(pos)->member != (head); \
	     (pos) = list_entry((pos)->member.next, __typeof__(*(pos)), member))

/* Safe against the removal of @pos; @tmp is a second cursor. */
#define list_for_each_entry_safe(pos, tmp, head, member)                        \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member),        \
	    (tmp) = list_entry((pos)->member.next, __typeof__(*(pos)), member); \
	     &(pos)->member != (head);                                          \
	     (pos) = (tmp), (tmp) = list_entry((tmp)->member.next, __typeof__(*(tmp)), member))

#endif
