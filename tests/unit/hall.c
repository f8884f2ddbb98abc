/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hall.h"

#include <unistd.h>

#include "rfb.h"
#include "stage.h"
#include "unit.h"

/* With the lock. */
static void see_off(struct hall *hall)
{
	if (hall->here) {
		close(hall->last.fd);
		door_leave(hall->last.ticket);
	}
	hall->here = false;
}

static void welcome(const struct door_guest *guest, void *data)
{
	struct hall *hall = data;

	pthread_mutex_lock(&hall->lock);
	see_off(hall);
	hall->last = *guest;
	hall->last.user = g_intern_string(guest->user);
	hall->here = true;
	hall->welcomed++;
	pthread_mutex_unlock(&hall->lock);
}

void hall_open(struct hall *hall, const struct door_options *options)
{
	struct door_options own = *options;
	GError *error = NULL;
	char *address;

	*hall = (struct hall){.port = stage_free_port()};
	pthread_mutex_init(&hall->lock, NULL);
	own.name = "test";
	own.welcome = welcome;
	own.data = hall;
	assert_int_equal(door_create(&own, &hall->door, &error), 0);
	address = g_strdup_printf("127.0.0.1:%u", hall->port);
	if (door_listen(hall->door, address, &error))
		fail_msg("%s", error->message);
	g_free(address);
}

void hall_close(struct hall *hall)
{
	door_close(hall->door);
	see_off(hall);
	door_destroy(hall->door);
	pthread_mutex_destroy(&hall->lock);
}

void hall_lets_in(struct hall *hall, unsigned int welcomed)
{
	bool here = false;

	for (int i = 0; !here && i < RFB_PATIENCE_MS; i++) {
		g_usleep(1000);
		pthread_mutex_lock(&hall->lock);
		here = hall->welcomed == welcomed;
		pthread_mutex_unlock(&hall->lock);
	}
	assert_true(here);
}

void hall_see_off(struct hall *hall)
{
	pthread_mutex_lock(&hall->lock);
	see_off(hall);
	pthread_mutex_unlock(&hall->lock);
}
