/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_library.h"

#include <glib.h>
#include <string.h>

#include "vnc_copies.h"
#include "vnc_layout.h"
#include "vnc_pointer.h"
#include "vnc_repair.h"
#include "vnc_region.h"
#include "vnc_send.h"
#include "vnc_session.h"
#include "vnc_tight.h"

#define REGION_RECTS 1000u /* a region of more than these is simplified */

/* PIXMAN_x8r8g8b8, in the host's byte order. */
static const struct vnc_format server_format = {
	.bits = 32,
	.depth = 24,
	.big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
	.true_colour = true,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
};

static const struct vnc_format palette_format = {
	.bits = 8,
	.depth = 8,
	.true_colour = true,
	.red_max = 7,
	.green_max = 7,
	.blue_max = 3,
	.green_shift = 3,
	.blue_shift = 6,
};

struct vnc_library {
	struct vnc_session session;
	rfbClientPtr client; /* the session's */
	struct frame *frame;
	uint32_t told_width, told_height; /* what the client believes the size to be */
	bool announce;                    /* tell it the size although it knows */
	enum vnc_size_status answer;      /* and what became of its wish */
	bool takes_input;
	/* To tell: that extended keys and more buttons are understood, the name, the lights. */
	bool keys_pending, mouse_pending, name_pending, leds_pending;
	bool name_told;
	int leds;        /* of the guest's keyboard, VNC_LEDS_UNKNOWN: nobody has said */
	bool continuous; /* it takes this part without asking */
	struct vnc_rect part;

	struct vnc_format format;
	struct vnc_encodings encodings;
	struct vnc_pointer pointer;
	struct vnc_tight tight;
	struct vnc_repair repair;
	struct vnc_copies copies;
};

int vnc_library_create(int fd, int wire, const char *name, const char *peer, struct frame *frame,
		       struct encoder *encoder, struct vnc_library **result)
{
	struct vnc_library *library = g_new0(struct vnc_library, 1);
	int r;

	library->format = server_format;
	library->answer = VNC_SIZE_SILENT;
	library->leds = VNC_LEDS_UNKNOWN;
	library->frame = frame_acquire(frame);
	library->told_width = frame->width;
	library->told_height = frame->height;
	vnc_repair_init(&library->repair, wire, frame);
	vnc_tight_init(&library->tight, encoder, &library->repair);
	r = vnc_session_open(&library->session, fd, name, peer, frame);
	if (r < 0) {
		vnc_library_destroy(library);
		return r;
	}
	library->client = library->session.client;
	*result = library;
	return 0;
}

void vnc_library_destroy(struct vnc_library *library)
{
	if (!library)
		return;
	vnc_session_close(&library->session);
	vnc_tight_finish(&library->tight);
	vnc_repair_finish(&library->repair);
	frame_release(library->frame);
	vnc_pointer_finish(&library->pointer);
	g_free(library);
}

static void mark_all(struct vnc_library *library)
{
	rfbClientPtr client = library->client;

	sraRgnDestroy(client->modifiedRegion);
	client->modifiedRegion = sraRgnCreateRect(0, 0, (int)library->frame->width,
						  (int)library->frame->height);
}

/*
 * The requested region stays as it is, perhaps beyond the new frame: the modified region lies
 * within it, and only what is in both is sent.
 */
void vnc_library_set_frame(struct vnc_library *library, struct frame *frame)
{
	struct frame *old = library->frame;

	library->frame = frame_acquire(frame);
	vnc_pointer_renew(&library->pointer);
	vnc_tight_renew(&library->tight);
	vnc_repair_set_frame(&library->repair, frame);
	vnc_session_show(&library->session, frame);
	frame_release(old);
	mark_all(library);
	library->copies.count = 0;
}

/* SetColourMapEntries (RFC 6143 section 7.6.2): the palette that makes its pixels true colour. */
static bool send_palette(rfbClientPtr client)
{
	uint8_t message[6 + 256 * 6] = {1, 0, 0, 0, 1, 0};

	for (unsigned int i = 0; i < 256; i++) {
		uint16_t red = (uint16_t)((i & 7) * 65535 / 7);
		uint16_t green = (uint16_t)((i >> 3 & 7) * 65535 / 7);
		uint16_t blue = (uint16_t)((i >> 6) * 65535 / 3);
		uint16_t wire[3] = {GUINT16_TO_BE(red), GUINT16_TO_BE(green), GUINT16_TO_BE(blue)};

		memcpy(message + 6 + i * 6, wire, 6);
	}
	return rfbWriteExact(client, (const char *)message, sizeof(message)) >= 0;
}

bool vnc_library_set_format(struct vnc_library *library, const struct vnc_format *format)
{
	rfbClientPtr client = library->client;

	if (!format->true_colour) {
		if (!send_palette(client))
			return false;
		format = &palette_format;
	}
	library->format = *format;
	vnc_library_forget_moves(library);
	vnc_tight_renew(&library->tight);
	vnc_pointer_renew(&library->pointer);
	client->format = (rfbPixelFormat){
		.bitsPerPixel = format->bits,
		.depth = format->depth,
		.bigEndian = format->big_endian,
		.trueColour = 1,
		.redMax = format->red_max,
		.greenMax = format->green_max,
		.blueMax = format->blue_max,
		.redShift = format->red_shift,
		.greenShift = format->green_shift,
		.blueShift = format->blue_shift,
	};
	return rfbSetTranslateFunction(client);
}

/* For who only watches they are of no use. */
static void tell_leds(struct vnc_library *library)
{
	library->leds_pending = library->encodings.led_state && library->takes_input &&
				library->leds != VNC_LEDS_UNKNOWN;
}

void vnc_library_set_leds(struct vnc_library *library, int leds)
{
	library->leds = leds;
	tell_leds(library);
}

void vnc_library_set_encodings(struct vnc_library *library, const struct vnc_encodings *encodings)
{
	rfbClientPtr client = library->client;

	client->preferredEncoding = encodings->preferred;
	if (encoder_is_lossless(library->tight.encoder) &&
	    encodings->preferred == rfbEncodingZYWRLE)
		client->preferredEncoding = rfbEncodingRaw; /* what everybody knows */
	client->enableLastRectEncoding = encodings->last_rect;
	library->encodings = *encodings;
	vnc_tight_renew(&library->tight);
	vnc_pointer_set_encodings(&library->pointer, encodings, library->frame,
				  client->modifiedRegion);
	library->keys_pending = encodings->extended_keys && library->takes_input;
	library->mouse_pending = encodings->extended_mouse && library->takes_input;
	library->name_pending |= encodings->desktop_name && !library->name_told;
	tell_leds(library);
	if (encodings->compress_level >= 0)
		client->zlibCompressLevel = (uint32_t)encodings->compress_level;
	client->tightQualityLevel = encodings->quality_level; /* ZYWRLE's */
	client->turboQualityLevel = -1;                       /* Tight's own, which is exact */
}

void vnc_library_take_input(struct vnc_library *library)
{
	library->takes_input = true;
}

void vnc_library_set_pointer(struct vnc_library *library, struct pointer *shape, int32_t x,
			     int32_t y)
{
	vnc_pointer_set(&library->pointer, shape, x, y, library->frame,
			library->client->modifiedRegion);
}

void vnc_library_set_continuous(struct vnc_library *library, const struct vnc_rect *part)
{
	library->continuous = part;
	if (part)
		library->part = *part;
}

static void add_part(const struct vnc_library *library, sraRegionPtr region,
		     const struct vnc_rect *rect)
{
	int width = (int)library->frame->width, height = (int)library->frame->height;
	int x2 = MIN(rect->x + rect->width, width), y2 = MIN(rect->y + rect->height, height);

	if (rect->x < x2 && rect->y < y2)
		vnc_region_add_rect(region, rect->x, rect->y, x2, y2);
}

void vnc_library_request(struct vnc_library *library, const struct vnc_rect *rect)
{
	rfbClientPtr client = library->client;
	sraRegionPtr region;

	add_part(library, client->requestedRegion, rect);
	/* One rectangle: a client cannot make it grow by asking for patches. */
	if (sraRgnCountRects(client->requestedRegion) > 1) {
		region = sraRgnBBox(client->requestedRegion);
		sraRgnDestroy(client->requestedRegion);
		client->requestedRegion = region;
	}
}

void vnc_library_announce_size(struct vnc_library *library, enum vnc_size_status answer)
{
	if (!library->encodings.extended_desktop_size)
		return;
	library->announce = true;
	if (answer != VNC_SIZE_SILENT)
		library->answer = answer;
}

void vnc_library_add(struct vnc_library *library, const struct damage *damage)
{
	sraRegionPtr modified = library->client->modifiedRegion;

	vnc_region_add_damage(modified, damage);
	if (sraRgnCountRects(modified) > REGION_RECTS)
		mark_all(library);
}

static bool is_told(const struct vnc_library *library)
{
	return library->told_width == library->frame->width &&
	       library->told_height == library->frame->height;
}

static bool may_copy(const struct vnc_library *library)
{
	return library->encodings.copy_rect && is_told(library) &&
	       !vnc_pointer_is_drawn(&library->pointer);
}

void vnc_library_move(struct vnc_library *library, const struct moves *moves,
		      const struct damage *damage)
{
	sraRegionPtr modified = library->client->modifiedRegion;

	if (!may_copy(library) || !vnc_copies_add(&library->copies, moves, damage, modified))
		vnc_library_add(library, damage);
	else if (sraRgnCountRects(modified) > REGION_RECTS)
		mark_all(library);
}

void vnc_library_forget_moves(struct vnc_library *library)
{
	vnc_copies_forget(&library->copies, library->client->modifiedRegion);
}

static bool has_news(const struct vnc_library *library)
{
	return library->announce || library->keys_pending || library->mouse_pending ||
	       library->name_pending || library->leds_pending ||
	       vnc_pointer_is_pending(&library->pointer);
}

/* News of a size is an update of its own: the client asks for the pixels next. */
static bool send_size(struct vnc_library *library, struct vnc_rects *rects)
{
	uint16_t width = (uint16_t)library->frame->width, height = (uint16_t)library->frame->height;

	if (!library->encodings.extended_desktop_size)
		vnc_rects_add_size(rects, width, height);
	else if (!is_told(library) || library->answer == VNC_SIZE_SILENT)
		vnc_rects_add_extended_size(rects, VNC_SIZE_SILENT, width, height);
	/* On its own: a client that is told of a failure does not look at the size. */
	if (library->answer != VNC_SIZE_SILENT)
		vnc_rects_add_extended_size(rects, library->answer, width, height);
	library->announce = false;
	library->answer = VNC_SIZE_SILENT;
	library->told_width = width;
	library->told_height = height;
	return vnc_send_update(library->client, rects, NULL);
}

/* By libvncserver; only ZYWRLE is lossy, and Raw is known to everybody. */
static bool send_by_library(struct vnc_library *library, const struct vnc_tight_update *update)
{
	rfbClientPtr client = library->client;
	int preferred = client->preferredEncoding;
	bool exact = update->exact || preferred != rfbEncodingZYWRLE, ok;

	if (preferred == rfbEncodingZYWRLE && exact)
		client->preferredEncoding = rfbEncodingRaw;
	ok = vnc_send_update(client, update->rects, update->region);
	client->preferredEncoding = preferred;
	vnc_repair_sent(&library->repair, update->region, exact);
	return ok;
}

/* Of a region that is not modified any more. */
static bool send_region(struct vnc_library *library, sraRegionPtr region, bool exact,
			struct vnc_rects *rects)
{
	struct vnc_tight_update update = {
		.frame = library->frame,
		.shown = vnc_pointer_compose(&library->pointer, library->frame, region),
		.rects = rects,
		.region = region,
		.exact = exact,
	};

	if (!update.shown)
		return false;
	vnc_session_show(&library->session, update.shown);
	if (library->encodings.preferred == rfbEncodingTight && vnc_layout_is_known())
		return vnc_tight_send(&library->tight, library->client, &library->format,
				      &library->encodings, &update);
	return send_by_library(library, &update);
}

static void tell_rest(struct vnc_library *library, struct vnc_rects *rects)
{
	if (library->keys_pending)
		vnc_rects_add_extended_keys(rects);
	if (library->mouse_pending)
		vnc_rects_add_extended_mouse(rects);
	if (library->name_pending)
		vnc_rects_add_name(rects, library->session.name);
	if (library->leds_pending)
		vnc_rects_add_leds(rects, (unsigned int)library->leds);
	library->name_told |= library->name_pending;
	library->keys_pending = library->mouse_pending = false;
	library->name_pending = library->leds_pending = false;
}

static bool send_pixels(struct vnc_library *library, const sraRegion *wanted,
			struct vnc_rects *rects)
{
	rfbClientPtr client = library->client;
	sraRegionPtr region = sraRgnCreateRgn(client->modifiedRegion);
	bool ok;

	sraRgnAnd(region, wanted);
	sraRgnSubtract(client->modifiedRegion, region);
	vnc_copies_tell(&library->copies, rects, &library->repair.lossy, g_get_monotonic_time());
	vnc_pointer_tell(&library->pointer, &library->format, library->frame, rects);
	tell_rest(library, rects);
	ok = send_region(library, region, false, rects);
	sraRgnDestroy(region);
	return ok;
}

/* Nothing has changed: what rests may become exact. */
static enum vnc_library_result send_repair(struct vnc_library *library, const sraRegion *wanted)
{
	rfbClientPtr client = library->client;
	sraRegionPtr region = vnc_repair_take(&library->repair, wanted);
	struct vnc_rects none = {0};
	bool ok;

	if (!region)
		return VNC_LIBRARY_NOTHING;
	ok = send_region(library, region, true, &none);
	sraRgnDestroy(region);
	sraRgnMakeEmpty(client->requestedRegion);
	return ok && client->sock != RFB_INVALID_SOCKET ? VNC_LIBRARY_SENT : VNC_LIBRARY_FAILED;
}

bool vnc_library_write(struct vnc_library *library, const uint8_t *bytes, size_t length)
{
	return !length || rfbWriteExact(library->client, (const char *)bytes, (int)length) > 0;
}

static enum vnc_library_result answer(struct vnc_library *library, const sraRegion *wanted)
{
	rfbClientPtr client = library->client;
	const struct vnc_encodings *encodings = &library->encodings;
	bool told = is_told(library), ok;
	struct vnc_rects rects = {0};

	if (sraRgnEmpty(wanted))
		return VNC_LIBRARY_NOTHING;
	if (!told && !encodings->desktop_size && !encodings->extended_desktop_size)
		return VNC_LIBRARY_CANNOT_RESIZE;
	if (!may_copy(library) || !vnc_copies_are_within(&library->copies, wanted))
		vnc_library_forget_moves(library);
	if (told && !library->copies.count && !has_news(library) &&
	    !vnc_region_meets(client->modifiedRegion, wanted))
		return send_repair(library, wanted);
	if (!told || library->announce)
		ok = send_size(library, &rects);
	else
		ok = send_pixels(library, wanted, &rects);
	vnc_rects_finish(&rects);
	sraRgnMakeEmpty(client->requestedRegion);
	return ok && client->sock != RFB_INVALID_SOCKET ? VNC_LIBRARY_SENT : VNC_LIBRARY_FAILED;
}

enum vnc_library_result vnc_library_update(struct vnc_library *library, bool continuous)
{
	enum vnc_library_result result;
	sraRegionPtr wanted;

	if (library->client->sock == RFB_INVALID_SOCKET)
		return VNC_LIBRARY_FAILED;
	wanted = sraRgnCreateRgn(library->client->requestedRegion);
	if (continuous && library->continuous)
		add_part(library, wanted, &library->part);
	result = answer(library, wanted);
	sraRgnDestroy(wanted);
	return result;
}

bool vnc_library_has_rest(const struct vnc_library *library)
{
	return library->copies.count || !sraRgnEmpty(library->client->modifiedRegion) ||
	       !is_told(library) || has_news(library);
}

gint64 vnc_library_repair_due(const struct vnc_library *library)
{
	return vnc_repair_due(&library->repair);
}

bool vnc_library_has_continuous_rest(const struct vnc_library *library)
{
	sraRegionPtr part;
	bool rest;

	if (!library->continuous)
		return false;
	part = sraRgnCreate();
	add_part(library, part, &library->part);
	rest = !sraRgnEmpty(part) &&
	       (!is_told(library) || has_news(library) || library->copies.count ||
		vnc_region_meets(library->client->modifiedRegion, part));
	sraRgnDestroy(part);
	return rest;
}

uint32_t vnc_library_bytes(const struct vnc_library *library)
{
	return (uint32_t)rfbStatGetSentBytes(library->client);
}

uint64_t vnc_library_copied(const struct vnc_library *library)
{
	return library->copies.told;
}
