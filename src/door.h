/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door: the listeners of a server and the first words with each peer. It accepts, limits,
 * speaks the RFB handshake and hands over the naked socket. A thread of its own with its own
 * GMainContext does it all without ever blocking, so a peer that is silent, slow or half-open costs
 * the others nothing.
 */
#ifndef PLANECAST_DOOR_H
#define PLANECAST_DOOR_H

#include <glib.h>
#include <stdbool.h>

#include "certificate.h"
#include "password.h"
#include "pump.h"
#include "users.h"

struct door;
struct door_ticket; /* a guest's place; door_leave() gives it back */

struct door_guest {
	int fd;           /* close-on-exec; the receiver's from now on */
	const char *peer; /* "127.0.0.1:40000", "unix (uid 0, pid 12)"; borrowed */
	struct door_ticket *ticket;
	int wire;       /* the peer's own socket behind a pump, as long as the ticket; -1: fd */
	bool view_only; /* it may watch, no more */
	const char *security; /* what it was asked for, as handshake_security() */
	const char *user;     /* who it is; NULL: it was not asked; borrowed */
};

struct door_options {
	const char *name;          /* of the service, in front of log lines; borrowed */
	unsigned int max_clients;  /* guests at a time */
	unsigned int per_address;  /* of these from one host; 0: no limit of its own */
	unsigned int handshakes;   /* under way at a time; a newcomer pushes out the oldest */
	unsigned int handshake_ms; /* time for one */
	/* Every client is asked to prove either that it knows a password or, by TLS alone, who of
	   the users it is; both NULL: nothing; borrowed. */
	const struct passwords *passwords;
	struct users *users;
	struct certificate *certificate; /* TLS is offered with it; NULL: it is not; borrowed */
	bool only_tls;                   /* and has to be used by who comes from a network */
	bool insecure; /* a listener may be open to a network although nothing is asked for */
	/*
	 * Both from the door's thread, neither may block. full() says why no guest fits now (a
	 * string that lives on), or NULL. welcome() gets each guest; ClientInit has been read, so
	 * ServerInit is the next word.
	 */
	const char *(*full)(void *data);
	void (*welcome)(const struct door_guest *guest, void *data);
	void *data;
};

/* What happened at the door so far. */
struct door_counts {
	unsigned int accepted;  /* connections */
	unsigned int welcomed;  /* handed over */
	unsigned int refused;   /* told so */
	unsigned int failed;    /* broke off, spoke nonsense, took too long or were pushed out */
	unsigned int underway;  /* handshakes now */
	unsigned int guests;    /* now */
	unsigned int listeners; /* now */
};

#define DOOR_DEFAULT_CLIENTS    64
#define DOOR_DEFAULT_HANDSHAKES 128
#define DOOR_DEFAULT_HANDSHAKE  10000 /* ms */

/* Zero numbers in options mean the defaults. 0 or -errno. */
int door_create(const struct door_options *options, struct door **door, GError **error);

/*
 * Listens on an ADDR (address.h), as often as wanted; logs "NAME: listening on ADDR" for every
 * socket (a host name can have several). From the thread that created the door. Refuses, with
 * EXIT_USAGE, an address that other machines could reach if nothing can be asked for (unless
 * `insecure`); EXIT_REFUSED for an address in use or no permission. On failure nothing is left
 * open.
 */
int door_listen(struct door *door, const char *address, GError **error);

/* A connection that somebody else accepted, a WebSocket: the RFB handshake is still to come. */
struct door_stranger {
	int fd; /* the plain end of the pump */
	struct pump
		*pump; /* finished when the guest leaves or is turned away; NULL: a plain socket */
	const char *peer, *host; /* as in log lines, and what limits go by; copied */
	bool local;              /* it cannot come from another machine */
	bool encrypted;          /* behind TLS, or whoever brings it has seen to that */
};

/* From any thread, before door_close(). Takes fd and pump. */
void door_adopt(struct door *door, const struct door_stranger *stranger);

/* From any thread: a guest has gone; its fd is closed already. Takes NULL. */
void door_leave(struct door_ticket *ticket);

void door_count(struct door *door, struct door_counts *counts);

/*
 * Ends the thread, every listener and handshake; removes socket files that are still ours. No
 * welcome() after it. Tickets may come back later, until door_destroy().
 */
void door_close(struct door *door);
void door_destroy(struct door *door); /* closes first; takes NULL */

#endif
