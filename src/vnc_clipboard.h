/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client copies and what it can paste: ClientCutText and ServerCutText in Latin-1 (RFC
 * 6143), or in UTF-8 with Extended Clipboard of the community's rfbproto, of which text alone is
 * taken. Everything is small and bounded; what is longer is thrown away as it passes.
 */
#ifndef PLANECAST_VNC_CLIPBOARD_H
#define PLANECAST_VNC_CLIPBOARD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message of the client's, as its pieces come. All zero at first. */
struct vnc_cut_text {
	GByteArray *bytes; /* or NULL */
	bool extended, complete;
};

/* A piece of n bytes, after which `left` more come. */
void vnc_cut_text_add(struct vnc_cut_text *cut, const uint8_t *bytes, size_t n, size_t left,
		      bool extended);
void vnc_cut_text_clear(struct vnc_cut_text *cut);

/* What is to be done after a message, bits. */
enum vnc_clipboard_due {
	VNC_CLIPBOARD_CAPS = 1 << 0,    /* say that Extended Clipboard is understood */
	VNC_CLIPBOARD_REQUEST = 1 << 1, /* ask for the client's text */
	VNC_CLIPBOARD_NOTIFY = 1 << 2,  /* say whether there is a text */
	VNC_CLIPBOARD_PROVIDE = 1 << 3, /* send the text */
	VNC_CLIPBOARD_PLAIN = 1 << 4,   /* send the text in Latin-1 */
};

/* What a complete message of the client's says. */
struct vnc_cut_text_meaning {
	GBytes *text;     /* it copied that (clipboard.h), or NULL */
	unsigned int due; /* what it wants */
	bool caps;        /* it said what it takes: */
	uint32_t takes;   /* VNC_CLIPBOARD_TEXT and so on */
	size_t cost;      /* bytes that were looked at for it */
};

void vnc_cut_text_read(const struct vnc_cut_text *cut, struct vnc_cut_text_meaning *meaning);

/* What one side does, as Extended Clipboard has it. */
#define VNC_CLIPBOARD_TEXT     (1u << 0)
#define VNC_CLIPBOARD_FORMATS  0xffffu
#define VNC_CLIPBOARD_SAY_CAPS (1u << 24)
#define VNC_CLIPBOARD_ASK      (1u << 25)
#define VNC_CLIPBOARD_PEEK     (1u << 26)
#define VNC_CLIPBOARD_TELL     (1u << 27)
#define VNC_CLIPBOARD_GIVE     (1u << 28)
#define VNC_CLIPBOARD_ACTIONS  0xff000000u
/* Of a client that has not said. */
#define VNC_CLIPBOARD_DEFAULT \
	(VNC_CLIPBOARD_TEXT | VNC_CLIPBOARD_ASK | VNC_CLIPBOARD_TELL | VNC_CLIPBOARD_GIVE)

/* A client's clipboard, as its sending thread knows it; the owner locks. All zero at first. */
struct vnc_clipboard {
	GBytes *text;   /* copied last by anybody, or NULL */
	bool extended;  /* it has offered that */
	uint32_t takes; /* then */
	unsigned int due;
};

/* The client has offered Extended Clipboard in a list of encodings. */
void vnc_clipboard_offer(struct vnc_clipboard *clipboard);

/* A text was copied, by the client itself or by somebody else (who is told of it). */
void vnc_clipboard_set(struct vnc_clipboard *clipboard, GBytes *text, bool own);

/* What a message of the client's asked for and told of itself. */
void vnc_clipboard_obey(struct vnc_clipboard *clipboard,
			const struct vnc_cut_text_meaning *meaning);

/* Moves what is due, with a reference to the text, to *taken. */
void vnc_clipboard_take(struct vnc_clipboard *clipboard, struct vnc_clipboard *taken);
void vnc_clipboard_finish(struct vnc_clipboard *clipboard);

/* The messages that are due; NULL: none. */
GByteArray *vnc_clipboard_write(const struct vnc_clipboard *clipboard);

#endif
