/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source: something that has a plane (a vfio device, the simulated one). All calls come from the
 * main thread and never block on a client. Every member of the table is mandatory.
 */
#ifndef PLANECAST_SOURCE_H
#define PLANECAST_SOURCE_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "damage.h"
#include "plane.h"

struct source;

struct source_ops {
	const char *name;

	/*
	 * Borrows the plane as it is now, until release(). -ENODATA: the plane is off (no mode).
	 * -EAGAIN: not this time, ask again soon. -ENODEV: the device is gone or has no owner.
	 * error gets the one line that a user reads, also on a "no signal" card.
	 */
	int (*acquire)(struct source *source, enum plane_type type, struct plane *plane,
		       GError **error);

	/*
	 * True if the device still scans out the plane that was acquired: asked after a pass, so
	 * that pixels of a plane that changed meanwhile are not published.
	 */
	bool (*same)(struct source *source, enum plane_type type, const struct plane *plane);
	void (*release)(struct source *source, struct plane *plane);

	/*
	 * A descriptor that becomes readable when something changed, until hint() consumes that,
	 * or -1. May be another one after each acquire() and rest().
	 */
	int (*event_fd)(struct source *source);

	/*
	 * What changed since the last hint: 0 and the cells added to damage (none: nothing
	 * changed), or -ENOTSUP: the source cannot tell, compare.
	 */
	int (*hint)(struct source *source, struct damage *damage);

	/*
	 * Gives back what belongs to others while nobody watches (an attached device's descriptor);
	 * the next acquire takes it again.
	 */
	void (*rest)(struct source *source);

	/*
	 * A viewer wants a mode of this size: the guest is told of a monitor that prefers it, and
	 * does what it likes, when it likes. 0: it was told. -ENOTSUP: the device has no monitor
	 * that can be changed; -ERANGE: it cannot have this size; -errno as the driver gave it.
	 */
	int (*set_mode)(struct source *source, uint32_t width, uint32_t height);

	/*
	 * For `planecast status`: adds members to the object that is open in json, among them
	 * "damage", a word for how changes are found now. Asks the device nothing.
	 */
	void (*describe)(struct source *source, JsonBuilder *json);
	void (*close)(struct source *source); /* frees the source */
};

struct source {
	const struct source_ops *ops;
	const uint32_t *palette; /* of C8 planes, for who reads them; borrowed, NULL: grey */
	/*
	 * Set by whoever drives the source, NULL if nobody does: something outside happened that
	 * event_fd() does not tell (the owner went away); acquire() would answer something new.
	 */
	void (*changed)(void *data);
	void *changed_data;
};

/* One constructor a kind; on failure -errno and one line in error, without the device's name. */
struct device;
int source_sim_open(const char *options, struct source **source, GError **error);

#endif
