/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A door on loopback, and the last guest that it let in: for tests of who comes in how. */
#ifndef PLANECAST_HALL_H
#define PLANECAST_HALL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "door.h"

struct hall {
	struct door *door;
	uint16_t port;
	pthread_mutex_t lock;
	struct door_guest last; /* with the lock, or once hall_lets_in() has returned */
	bool here;
	unsigned int welcomed;
};

/* Of the options, name, welcome and data are the hall's. */
void hall_open(struct hall *hall, const struct door_options *options);
void hall_close(struct hall *hall);

/* Waits until the door has let in so many: the last one is hall->last. */
void hall_lets_in(struct hall *hall, unsigned int welcomed);

/* The last guest leaves. */
void hall_see_off(struct hall *hall);

#endif
