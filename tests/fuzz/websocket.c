/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of a WebSocket from a browser, in one piece and in many: both must carry the same.
 * Input: how to cut, then the bytes.
 */
#include "websocket.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "fuzz.h"

struct carried {
	ssize_t ret; /* of the last feed */
	uint16_t code;
	bool closed;
	GByteArray *bytes;
};

static void read_frames(struct fuzz fuzz, uint32_t cuts, struct carried *carried)
{
	struct websocket_reader reader = {0};
	uint8_t piece[256];

	carried->bytes = g_byte_array_new();
	while (fuzz.left && carried->ret >= 0 && !reader.closed) {
		size_t want = cuts ? 1 + (cuts = cuts * 1664525u + 1013904223u) % 29
				   : sizeof(piece);
		const uint8_t *bytes;
		size_t size = fuzz_take(&fuzz, want, &bytes);

		memcpy(piece, bytes, size);
		carried->ret = websocket_reader_feed(&reader, piece, size);
		fuzz_expect(carried->ret <= (ssize_t)size);
		fuzz_expect(carried->ret >= 0 || (carried->ret == -EPROTO && reader.reason));
		fuzz_expect(reader.ping_length <= WEBSOCKET_CONTROL);
		if (carried->ret > 0)
			g_byte_array_append(carried->bytes, piece, (guint)carried->ret);
	}
	carried->ret = MIN(carried->ret, 0);
	carried->code = reader.code;
	carried->closed = reader.closed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	uint32_t cuts = (uint32_t)fuzz_number(&fuzz, 2) | 1;
	struct carried whole = {0}, cut = {0};

	read_frames(fuzz, 0, &whole);
	read_frames(fuzz, cuts, &cut);
	fuzz_expect(whole.ret == cut.ret && whole.code == cut.code && whole.closed == cut.closed);
	/* What came in the piece of an error may be lost with it. */
	if (!whole.ret)
		fuzz_expect(whole.bytes->len == cut.bytes->len);
	if (!whole.ret && cut.bytes->len)
		fuzz_expect(!memcmp(whole.bytes->data, cut.bytes->data, cut.bytes->len));
	g_byte_array_unref(whole.bytes);
	g_byte_array_unref(cut.bytes);
	return 0;
}
