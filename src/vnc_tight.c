/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_tight.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "vnc_link.h"

/* Of an update: the number of rectangles has 16 bits, and pseudo-rectangles have their part. */
#define MAX_PIECES  (64000u / TIGHT_RECTS)
#define MAX_AT_ONCE 256u /* for sendmsg() */

struct pieces {
	struct detile_rect rects[MAX_PIECES];
	struct encoder_piece *encoded[MAX_PIECES];
	unsigned int count;
	struct iovec vectors[MAX_PIECES + 2];
};

void vnc_tight_init(struct vnc_tight *tight, struct encoder *encoder, struct vnc_repair *repair)
{
	*tight = (struct vnc_tight){.encoder = encoder, .repair = repair};
}

static void leave(struct vnc_tight_way *way)
{
	encoder_leave(way->group);
	way->group = NULL;
}

void vnc_tight_renew(struct vnc_tight *tight)
{
	leave(&tight->moving);
	leave(&tight->exact);
}

void vnc_tight_finish(struct vnc_tight *tight)
{
	vnc_tight_renew(tight);
}

/* Cuts a rectangle by the encoder's tiles; what does not fit is left to the next update. */
static void cut(struct pieces *pieces, const sraRect *rect, sraRegionPtr later)
{
	for (int y = rect->y1, bottom; y < rect->y2; y = bottom) {
		bottom = MIN((y / (int)TIGHT_HEIGHT + 1) * (int)TIGHT_HEIGHT, rect->y2);
		for (int x = rect->x1, right; x < rect->x2; x = right) {
			right = MIN((x / (int)TIGHT_WIDTH + 1) * (int)TIGHT_WIDTH, rect->x2);
			if (pieces->count == MAX_PIECES) {
				sraRegionPtr rest = sraRgnCreateRect(x, y, right, bottom);

				sraRgnOr(later, rest);
				sraRgnDestroy(rest);
				continue;
			}
			pieces->rects[pieces->count++] = (struct detile_rect){
				(uint32_t)x, (uint32_t)y, (uint32_t)(right - x),
				(uint32_t)(bottom - y)};
		}
	}
}

static void cut_all(struct pieces *pieces, sraRegionPtr region, sraRegionPtr later)
{
	sraRectangleIterator *each = sraRgnGetIterator(region);
	sraRect rect;

	while (sraRgnIteratorNext(each, &rect))
		cut(pieces, &rect, later);
	sraRgnReleaseIterator(each);
}

static bool write_all(int fd, struct iovec *vectors, unsigned int count)
{
	while (count) {
		struct msghdr message = {.msg_iov = vectors, .msg_iovlen = MIN(count, MAX_AT_ONCE)};
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		for (; n > 0 && (size_t)n >= vectors->iov_len; vectors++, count--)
			n -= (ssize_t)vectors->iov_len;
		if (n > 0) {
			vectors->iov_base = (uint8_t *)vectors->iov_base + n;
			vectors->iov_len -= (size_t)n;
		}
	}
	return true;
}

static bool send_pieces(struct pieces *pieces, rfbClientPtr client, const struct vnc_rects *rects)
{
	uint8_t head[4] = {rfbFramebufferUpdate};
	struct iovec *vectors = pieces->vectors;
	unsigned int used = 0, count = rects->count;
	size_t length = 0;

	vectors[used++] = (struct iovec){head, sizeof(head)};
	if (rects->length)
		vectors[used++] = (struct iovec){rects->bytes, rects->length};
	for (unsigned int i = 0; i < pieces->count; i++) {
		GByteArray *bytes = pieces->encoded[i]->bytes;

		vectors[used++] = (struct iovec){bytes->data, bytes->len};
		count += pieces->encoded[i]->rects;
	}
	for (unsigned int i = 0; i < used; i++)
		length += vectors[i].iov_len;
	head[2] = (uint8_t)(count >> 8);
	head[3] = (uint8_t)count;
	rfbStatRecordEncodingSent(client, rfbEncodingTight, (int)length, (int)length);
	return write_all(client->sock, vectors, used);
}

static void join(struct vnc_tight *tight, struct vnc_tight_way *way,
		 const struct vnc_format *format, const struct vnc_encodings *encodings,
		 const struct frame *frame)
{
	bool exact = way == &tight->exact;
	unsigned int step = exact ? 0 : vnc_quality_step(&tight->quality, g_get_monotonic_time());
	struct tight_settings settings;

	if (way->group && way->generation == frame->generation && way->step == step)
		return;
	leave(way);
	tight_settings_init(&settings, format, encodings);
	tight_settings_lower(&settings, step);
	if (exact || encoder_is_lossless(tight->encoder))
		settings.quality = 0;
	way->group = encoder_join(tight->encoder, &settings, frame);
	way->generation = frame->generation;
	way->step = step;
}

static void note_piece(struct vnc_lossy *lossy, const struct encoder_piece *piece, int64_t now)
{
	const struct detile_rect *rect = &piece->rect;
	unsigned int cell = 0;

	if (!piece->lossy) {
		vnc_lossy_remove(lossy, rect);
		return;
	}
	for (uint32_t y = 0; y < rect->height; y += DETILE_CELL_HEIGHT)
		for (uint32_t x = 0; x < rect->width; x += DETILE_CELL_WIDTH, cell++) {
			const struct detile_rect area = {rect->x + x, rect->y + y,
							 MIN(rect->width - x, DETILE_CELL_WIDTH),
							 MIN(rect->height - y, DETILE_CELL_HEIGHT)};

			if (piece->lossy >> cell & 1)
				vnc_lossy_add(lossy, &area, now);
			else
				vnc_lossy_remove(lossy, &area);
		}
}

/* What became of the last update tells with which quality the next one goes. */
static void judge(struct vnc_tight *tight, int64_t now)
{
	struct vnc_tight_sent *sent = &tight->sent;
	int wire = tight->repair->wire;
	int64_t carry_us;

	if (!sent->bytes)
		return;
	carry_us = vnc_link_carry_us(sent->bytes, now - sent->begun, vnc_link_queued(wire),
				     vnc_link_rate(wire));
	vnc_quality_note(&tight->quality, sent->bytes, sent->encode_us + carry_us, now);
	sent->bytes = 0;
}

/* What the client has now. */
static void note_sent(struct vnc_tight *tight, const struct pieces *pieces,
		      const struct vnc_tight_sent *sent)
{
	int64_t now = g_get_monotonic_time();
	bool lossy = false;

	for (unsigned int i = 0; i < pieces->count; i++) {
		note_piece(&tight->repair->lossy, pieces->encoded[i], now);
		lossy |= pieces->encoded[i]->lossy;
	}
	if (lossy)
		tight->sent = *sent;
	if (!tight->repair->lossy.count)
		leave(&tight->exact);
}

static uint64_t bytes_of(const struct pieces *pieces)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < pieces->count; i++)
		bytes += pieces->encoded[i]->bytes->len;
	return bytes;
}

bool vnc_tight_send(struct vnc_tight *tight, rfbClientPtr client, const struct vnc_format *format,
		    const struct vnc_encodings *encodings, const struct vnc_tight_update *update)
{
	struct vnc_tight_way *way = update->exact ? &tight->exact : &tight->moving;
	struct pieces *pieces = g_new(struct pieces, 1);
	int64_t begun = g_get_monotonic_time();
	struct vnc_tight_sent sent;
	bool ok;

	pieces->count = 0;
	judge(tight, begun);
	join(tight, way, format, encodings, update->frame);
	cut_all(pieces, update->region, client->modifiedRegion);
	if (update->shown == update->frame)
		encoder_take(way->group, update->frame, pieces->rects, pieces->count,
			     pieces->encoded);
	else
		encoder_take_alone(way->group, update->shown, pieces->rects, pieces->count,
				   pieces->encoded);
	sent.bytes = bytes_of(pieces);
	sent.begun = g_get_monotonic_time();
	sent.encode_us = sent.begun - begun;
	ok = send_pieces(pieces, client, update->rects);
	note_sent(tight, pieces, &sent);
	for (unsigned int i = 0; i < pieces->count; i++)
		encoder_release(pieces->encoded[i]);
	g_free(pieces);
	return ok;
}
