/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A listening socket of the door: made from an ADDR, gone without a trace. */
#ifndef PLANECAST_DOOR_LISTENER_H
#define PLANECAST_DOOR_LISTENER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

struct listener {
	int fd;     /* non-blocking, close-on-exec, listening */
	char *name; /* the address in the form of address_format() */
	bool local; /* no other machine can reach it */
	char *path; /* of the socket file that is ours to remove, or NULL */
	dev_t device;
	ino_t inode;
};

/*
 * Opens all sockets of an ADDR (a host name can have several) and appends them to a GPtrArray of
 * struct listener with listener_free. 0, or -errno and nothing appended.
 */
int listener_open(const char *spec, GPtrArray *listeners, GError **error);

/*
 * Makes the unix sockets among the ADDRs (NULL: none) that are to be open to others, while this
 * process may still give files away: listener_open() finds them later, and until then who connects
 * waits. For the main thread. 0, or -errno and those of earlier calls stay.
 */
int listeners_claim(char *const *specs, GError **error);
void listeners_drop_claims(void); /* those that nobody has opened */

/* What a server asks of the places where it listens, and says of them. */
struct listener_rules {
	const char *server; /* its name: "vnc" */
	/* Why other machines may not come in, "WHY (what would let them"; NULL: they may. */
	const char *refusal;
	/* Whose connections are not encrypted: "" for all, " for some"; NULL: nobody's. */
	const char *plain;
	/* Announced as an URL to open, "http"; NULL: as an address that it listens on. */
	const char *scheme;
};

/* Likewise, by rules: those that are appended have been announced. */
int listener_open_by(const struct listener_rules *rules, const char *spec, GPtrArray *listeners,
		     GError **error);

bool listener_is_unix(const struct listener *listener);

/* Closes it, and removes the socket file unless somebody has put another one there. */
void listener_free(void *listener);

#endif
