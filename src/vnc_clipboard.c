/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_clipboard.h"

#include <string.h>
#include <zlib.h>

#include "clipboard.h"

#define SERVER_CUT_TEXT 3
#define FLAGS_LENGTH    4u
#define SIZE_LENGTH     4u
/* The text of a message, with carriage returns and the NUL at its end. */
#define LONGEST (2 * CLIPBOARD_LIMIT + 1)

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void add32(GByteArray *bytes, uint32_t number)
{
	const uint8_t wire[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				 (uint8_t)(number >> 8), (uint8_t)number};

	g_byte_array_append(bytes, wire, sizeof(wire));
}

/* What a client says. */

void vnc_cut_text_add(struct vnc_cut_text *cut, const uint8_t *bytes, size_t n, size_t left,
		      bool extended)
{
	if (!cut->bytes)
		cut->bytes = g_byte_array_new();
	if (cut->bytes->len + n <= CLIPBOARD_LIMIT)
		g_byte_array_append(cut->bytes, bytes, (guint)n);
	cut->extended = extended;
	cut->complete = !left;
}

void vnc_cut_text_clear(struct vnc_cut_text *cut)
{
	g_clear_pointer(&cut->bytes, g_byte_array_unref);
	cut->complete = false;
}

/* Exactly n bytes of a zlib stream. */
static bool inflate_bytes(z_stream *stream, uint8_t *bytes, size_t n)
{
	stream->next_out = bytes;
	stream->avail_out = (uInt)n;
	while (stream->avail_out) {
		int r = inflate(stream, Z_SYNC_FLUSH);

		if (r != Z_OK && r != Z_STREAM_END)
			return false;
		if (r == Z_STREAM_END)
			break;
	}
	return !stream->avail_out;
}

static GBytes *inflate_text(z_stream *stream, size_t *cost)
{
	uint8_t head[SIZE_LENGTH], *bytes;
	GBytes *text = NULL;
	uint32_t size;

	if (!inflate_bytes(stream, head, sizeof(head)))
		return NULL;
	size = get32(head);
	if (size > LONGEST)
		return NULL;
	*cost += size;
	bytes = g_malloc(size + 1);
	if (inflate_bytes(stream, bytes, size))
		text = clipboard_text((const char *)bytes, size);
	g_free(bytes);
	return text;
}

/* Text is the first format. */
static GBytes *read_text(const uint8_t *bytes, size_t length, size_t *cost)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length};
	GBytes *text;

	if (inflateInit(&stream) != Z_OK)
		return NULL;
	text = inflate_text(&stream, cost);
	inflateEnd(&stream);
	return text;
}

static void read_extended(const uint8_t *bytes, size_t length, struct vnc_cut_text_meaning *meaning)
{
	uint32_t flags = length < FLAGS_LENGTH ? 0 : get32(bytes);
	bool has_text = flags & VNC_CLIPBOARD_TEXT;

	if (flags & VNC_CLIPBOARD_SAY_CAPS) {
		meaning->caps = true;
		meaning->takes = flags;
		return;
	}
	switch (flags & VNC_CLIPBOARD_ACTIONS) {
	case VNC_CLIPBOARD_ASK:
		meaning->due = has_text ? VNC_CLIPBOARD_PROVIDE : 0;
		break;
	case VNC_CLIPBOARD_PEEK:
		meaning->due = VNC_CLIPBOARD_NOTIFY;
		break;
	case VNC_CLIPBOARD_TELL:
		meaning->due = has_text ? VNC_CLIPBOARD_REQUEST : 0;
		break;
	case VNC_CLIPBOARD_GIVE:
		if (has_text)
			meaning->text = read_text(bytes + FLAGS_LENGTH, length - FLAGS_LENGTH,
						  &meaning->cost);
		break;
	default: /* several at once, or none that is known */
		break;
	}
}

void vnc_cut_text_read(const struct vnc_cut_text *cut, struct vnc_cut_text_meaning *meaning)
{
	const uint8_t *bytes = cut->bytes->data;
	size_t length = cut->bytes->len;

	*meaning = (struct vnc_cut_text_meaning){0};
	if (cut->extended)
		read_extended(bytes, length, meaning);
	else
		meaning->text = clipboard_text_from_latin1((const char *)bytes, length);
}

/* What it has and is told. */

void vnc_clipboard_offer(struct vnc_clipboard *clipboard)
{
	if (!clipboard->extended) {
		clipboard->takes = VNC_CLIPBOARD_DEFAULT;
		clipboard->due |= clipboard->text ? VNC_CLIPBOARD_NOTIFY : 0;
	}
	clipboard->extended = true;
	clipboard->due |= VNC_CLIPBOARD_CAPS;
}

void vnc_clipboard_set(struct vnc_clipboard *clipboard, GBytes *text, bool own)
{
	g_clear_pointer(&clipboard->text, g_bytes_unref);
	clipboard->text = g_bytes_ref(text);
	if (own)
		return;
	if (!clipboard->extended)
		clipboard->due |= VNC_CLIPBOARD_PLAIN;
	else if (clipboard->takes & VNC_CLIPBOARD_TELL)
		clipboard->due |= VNC_CLIPBOARD_NOTIFY;
	else if (clipboard->takes & VNC_CLIPBOARD_GIVE)
		clipboard->due |= VNC_CLIPBOARD_PROVIDE;
}

void vnc_clipboard_obey(struct vnc_clipboard *clipboard, const struct vnc_cut_text_meaning *meaning)
{
	clipboard->due |= meaning->due;
	if (meaning->caps)
		clipboard->takes = meaning->takes;
}

void vnc_clipboard_take(struct vnc_clipboard *clipboard, struct vnc_clipboard *taken)
{
	*taken = *clipboard;
	taken->text = clipboard->due && clipboard->text ? g_bytes_ref(clipboard->text) : NULL;
	clipboard->due = 0;
}

void vnc_clipboard_finish(struct vnc_clipboard *clipboard)
{
	g_clear_pointer(&clipboard->text, g_bytes_unref);
}

/* A ServerCutText with `length` bytes that follow; negative: extended. */
static void add_head(GByteArray *bytes, int64_t length)
{
	static const uint8_t head[4] = {SERVER_CUT_TEXT};

	g_byte_array_append(bytes, head, sizeof(head));
	add32(bytes, (uint32_t)length);
}

static void add_flags(GByteArray *bytes, uint32_t flags)
{
	add_head(bytes, -(int64_t)FLAGS_LENGTH);
	add32(bytes, flags);
}

static void add_caps(GByteArray *bytes)
{
	add_head(bytes, -(int64_t)(FLAGS_LENGTH + SIZE_LENGTH));
	add32(bytes, VNC_CLIPBOARD_SAY_CAPS | VNC_CLIPBOARD_DEFAULT | VNC_CLIPBOARD_PEEK);
	add32(bytes, 0); /* of text that it sends unasked */
}

/* With carriage returns and a NUL, behind its size. */
static GByteArray *wire_text(GBytes *text)
{
	GByteArray *wire = g_byte_array_new();
	const char *bytes;
	gsize length = 0;

	add32(wire, 0);
	bytes = text ? g_bytes_get_data(text, &length) : NULL;
	for (gsize i = 0; i < length; i++)
		if (bytes[i] == '\n')
			g_byte_array_append(wire, (const guint8 *)"\r\n", 2);
		else
			g_byte_array_append(wire, (const guint8 *)bytes + i, 1);
	g_byte_array_append(wire, (const guint8 *)"", 1);
	length = wire->len - SIZE_LENGTH;
	for (unsigned int i = 0; i < SIZE_LENGTH; i++)
		wire->data[i] = (uint8_t)(length >> (24 - 8 * i));
	return wire;
}

static void add_text(GByteArray *bytes, GBytes *text)
{
	GByteArray *wire = wire_text(text);
	uLongf length = compressBound(wire->len);
	uint8_t *packed = g_malloc(length);

	if (compress(packed, &length, wire->data, wire->len) == Z_OK) {
		add_head(bytes, -(int64_t)(FLAGS_LENGTH + length));
		add32(bytes, VNC_CLIPBOARD_GIVE | VNC_CLIPBOARD_TEXT);
		g_byte_array_append(bytes, packed, (guint)length);
	}
	g_free(packed);
	g_byte_array_unref(wire);
}

static void add_plain(GByteArray *bytes, GBytes *text)
{
	GBytes *latin1 = clipboard_text_to_latin1(text);
	gsize length;
	const uint8_t *data = g_bytes_get_data(latin1, &length);

	add_head(bytes, (int64_t)length);
	g_byte_array_append(bytes, data, (guint)length);
	g_bytes_unref(latin1);
}

GByteArray *vnc_clipboard_write(const struct vnc_clipboard *clipboard)
{
	unsigned int due = clipboard->due;
	GByteArray *bytes;

	if (!due)
		return NULL;
	bytes = g_byte_array_new();
	if (due & VNC_CLIPBOARD_CAPS)
		add_caps(bytes);
	if (due & VNC_CLIPBOARD_REQUEST && clipboard->takes & VNC_CLIPBOARD_ASK)
		add_flags(bytes, VNC_CLIPBOARD_ASK | VNC_CLIPBOARD_TEXT);
	if (due & VNC_CLIPBOARD_NOTIFY)
		add_flags(bytes, VNC_CLIPBOARD_TELL | (clipboard->text ? VNC_CLIPBOARD_TEXT : 0));
	if (due & VNC_CLIPBOARD_PROVIDE)
		add_text(bytes, clipboard->text);
	if (due & VNC_CLIPBOARD_PLAIN)
		add_plain(bytes, clipboard->text);
	return bytes;
}
