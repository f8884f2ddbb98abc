/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_changes.h"

#include <string.h>

int vnc_changes_renew(struct vnc_changes *changes, uint32_t width, uint32_t height)
{
	vnc_changes_finish(changes);
	return damage_init(&changes->damage, width, height);
}

void vnc_changes_finish(struct vnc_changes *changes)
{
	for (unsigned int i = 0; i < changes->count; i++) {
		damage_finish(&changes->moved[i].before);
		damage_finish(&changes->moved[i].with);
	}
	changes->count = 0;
	damage_finish(&changes->damage);
}

/* What follows the moves begins: false without memory, then nothing has changed here. */
static bool begin(struct vnc_changes *changes, const struct damage *damage,
		  const struct moves *moves)
{
	struct vnc_moved *moved = &changes->moved[changes->count];
	struct damage with, after;

	if (damage_init(&with, damage->width, damage->height))
		return false;
	if (damage_init(&after, damage->width, damage->height)) {
		damage_finish(&with);
		return false;
	}
	damage_merge(&with, damage);
	*moved = (struct vnc_moved){changes->damage, *moves, with};
	changes->damage = after;
	changes->count++;
	return true;
}

void vnc_changes_add(struct vnc_changes *changes, const struct damage *damage,
		     const struct moves *moves)
{
	if (!moves || !moves->count || changes->count == VNC_CHANGES_MOVED ||
	    !begin(changes, damage, moves))
		damage_merge(&changes->damage, damage);
}

bool vnc_changes_is_empty(const struct vnc_changes *changes)
{
	return !changes->count && damage_is_empty(&changes->damage);
}

size_t vnc_changes_count(const struct vnc_changes *changes)
{
	size_t count = damage_count(&changes->damage);

	for (unsigned int i = 0; i < changes->count; i++)
		count += damage_count(&changes->moved[i].before) +
			 damage_count(&changes->moved[i].with);
	return count;
}
