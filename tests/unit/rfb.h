/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client for tests: as small as it can be, exact, blocking. Nothing in it waits for ever: a
 * read that takes longer than RFB_PATIENCE_MS counts as failed.
 */
#ifndef PLANECAST_RFB_H
#define PLANECAST_RFB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "password.h"

#define RFB_PATIENCE_MS 20000

struct rfb {
	int fd;
	uint32_t width, height;
	uint32_t *pixels; /* what the server has sent, x8r8g8b8 */
	char name[128];
	unsigned int updates, resizes, cursors, key_offers, mouse_offers;
	unsigned int names;  /* how often it was told the name */
	unsigned int lights; /* likewise, the keyboard's lights */
	uint8_t leds;
	int32_t cursor_encoding; /* of the last cursor: its place in the list, its size, its data */
	uint16_t hot_x, hot_y, cursor_width, cursor_height;
	uint8_t *cursor;
	unsigned int positions;
	uint16_t point_x, point_y;         /* the last pointer position */
	uint16_t size_reason, size_status; /* of the last ExtendedDesktopSize */
};

/* Connected, or -1. */
int rfb_dial_tcp(uint16_t port);
int rfb_dial_unix(const char *path);

bool rfb_send(int fd, const void *data, size_t length);
bool rfb_receive(int fd, void *data, size_t length); /* exactly; false at the end or too late */
bool rfb_is_closed(int fd);                          /* waits for the end, drops what comes */

/*
 * Version 3.`minor` and security None up to and with ClientInit; then ServerInit too. False with
 * the server's words in refusal (128 bytes, may be NULL) when it refuses.
 */
bool rfb_greet(int fd, int minor, char *refusal);
/* Version 3.8 and VncAuth, likewise up to and with ClientInit. */
bool rfb_greet_with(int fd, const uint8_t password[PASSWORD_LENGTH]);
bool rfb_init(struct rfb *rfb, int fd);            /* ServerInit alone; takes fd */
bool rfb_open(struct rfb *rfb, int fd, int minor); /* all of it; takes fd, also on failure */
void rfb_close(struct rfb *rfb);

/* Raw, with any of these. */
#define RFB_DESKTOP_SIZE          1u
#define RFB_EXTENDED_DESKTOP_SIZE 2u
#define RFB_CURSOR                4u
#define RFB_X_CURSOR              8u
#define RFB_ALPHA_CURSOR          16u
#define RFB_POSITION              32u
#define RFB_EXTENDED_KEYS         64u
#define RFB_EXTENDED_MOUSE        128u
#define RFB_LEDS                  256u
#define RFB_NAME                  512u
bool rfb_encodings(struct rfb *rfb, unsigned int which);
bool rfb_request(struct rfb *rfb, bool incremental);

/* One FramebufferUpdate, into pixels. */
bool rfb_update(struct rfb *rfb);

bool rfb_shows(const struct rfb *rfb, const struct frame *frame);

/* Requests and takes updates until it shows the frame; false after `limit` updates. */
bool rfb_converge(struct rfb *rfb, const struct frame *frame, unsigned int limit);

#endif
