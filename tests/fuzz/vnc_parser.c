/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client says after ClientInit, parsed in one piece and in many: both must mean the same.
 * What it copies is read as the sink reads it. Input: how to cut, then the bytes.
 */
#include "vnc_parser.h"

#include <errno.h>
#include <string.h>

#include "clipboard.h"
#include "fuzz.h"
#include "vnc_clipboard.h"

/* All that was told, as a sum. */
struct told {
	uint64_t sum, messages;
	struct vnc_cut_text cut;
	unsigned int holds; /* every so often the next message has to wait */
};

static void add(struct told *told, uint64_t number)
{
	told->sum = (told->sum ^ number) * 1099511628211u;
}

static void format(void *data, const struct vnc_format *format)
{
	fuzz_expect(format->bits == 8 || format->bits == 16 || format->bits == 32);
	fuzz_expect(format->true_colour || format->bits == 8);
	add(data,
	    format->bits | (uint64_t)format->red_shift << 8 | (uint64_t)format->red_max << 16);
}

static void encodings(void *data, const struct vnc_encodings *encodings)
{
	fuzz_expect(encodings->quality_level >= -1 && encodings->quality_level <= 9);
	fuzz_expect(encodings->compress_level >= -1 && encodings->compress_level <= 9);
	fuzz_expect(encodings->fine_quality_level >= -1 && encodings->fine_quality_level <= 100);
	add(data, (uint32_t)encodings->preferred);
}

static void request(void *data, bool incremental, const struct vnc_rect *rect)
{
	add(data, rect->x | (uint64_t)rect->width << 16 | (uint64_t)incremental << 32);
}

static void set_desktop_size(void *data, uint16_t width, uint16_t height, bool valid)
{
	add(data, width | (uint64_t)height << 16 | (uint64_t)valid << 32);
}

static void key(void *data, bool down, uint32_t keysym, uint32_t scancode)
{
	add(data, (keysym | (uint64_t)scancode << 32) ^ down);
}

static void pointer(void *data, uint16_t buttons, uint16_t x, uint16_t y)
{
	add(data, buttons | (uint64_t)x << 16 | (uint64_t)y << 32);
}

static void continuous(void *data, bool on, const struct vnc_rect *rect)
{
	add(data, rect->y | (uint64_t)on << 16);
}

static void cut_text(void *data, const uint8_t *bytes, size_t n, size_t left, bool extended)
{
	struct told *told = data;
	struct vnc_cut_text_meaning meaning = {0};

	vnc_cut_text_add(&told->cut, bytes, n, left, extended);
	if (left)
		return;
	vnc_cut_text_read(&told->cut, &meaning);
	add(told, meaning.due | (uint64_t)meaning.takes << 32);
	if (meaning.text) {
		gsize length;
		const char *text = g_bytes_get_data(meaning.text, &length);

		fuzz_expect(length <= CLIPBOARD_LIMIT &&
			    g_utf8_validate(text, (gssize)length, NULL));
		add(told, length);
		g_bytes_unref(meaning.text);
	}
	vnc_cut_text_clear(&told->cut);
}

static void fence(void *data, uint32_t flags, const uint8_t *payload, size_t length)
{
	fuzz_expect(length <= VNC_FENCE_PAYLOAD);
	add(data, flags | (uint64_t)length << 32);
	if (length)
		add(data, payload[length - 1]);
}

static bool holds(void *data)
{
	return ++((struct told *)data)->holds % 7 == 0;
}

static const struct vnc_parser_ops ops = {
	.format = format,
	.encodings = encodings,
	.request = request,
	.set_desktop_size = set_desktop_size,
	.key = key,
	.pointer = pointer,
	.continuous = continuous,
	.cut_text = cut_text,
	.fence = fence,
	.holds = holds,
};

/* piece(): how long the next one is. */
static int parse(struct fuzz fuzz, uint32_t cuts, struct told *told)
{
	struct vnc_parser parser;
	int ret = 0;

	vnc_parser_init(&parser);
	while (fuzz.left && !ret) {
		size_t piece = cuts ? 1 + (cuts = cuts * 1664525u + 1013904223u) % 37 : fuzz.left;

		piece = piece < fuzz.left ? piece : fuzz.left;
		ret = vnc_parser_feed(&parser, fuzz.bytes, piece, &ops, told);
		fuzz_expect(!ret || (ret == -EPROTO && parser.reason));
		fuzz_expect(parser.taken <= piece);
		fuzz.bytes += parser.taken;
		fuzz.left -= parser.taken;
	}
	told->messages = parser.messages;
	vnc_cut_text_clear(&told->cut);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	uint32_t cuts = (uint32_t)fuzz_number(&fuzz, 2) | 1;
	struct told whole = {0}, cut = {0};
	int ret = parse(fuzz, 0, &whole);

	fuzz_expect(parse(fuzz, cuts, &cut) == ret);
	fuzz_expect(cut.messages == whole.messages && cut.sum == whole.sum);
	return 0;
}
