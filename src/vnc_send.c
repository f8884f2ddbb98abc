/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_send.h"

#include <glib.h>

#include "vnc_layout.h"

#define UNTIL_LAST_RECT 0xffffu /* instead of a number of rectangles */

/* What encoders make of one rectangle. 0: that shows only while it is encoded. */
static unsigned int count_of(rfbClientPtr client, int x, int y, int width, int height)
{
	switch (client->preferredEncoding) {
	case rfbEncodingCoRRE:
		return (unsigned int)(((width - 1) / client->correMaxWidth + 1) *
				      ((height - 1) / client->correMaxHeight + 1));
	case rfbEncodingUltra:
		return (unsigned int)((height - 1) / (ULTRA_MAX_SIZE(width) / width) + 1);
	case rfbEncodingZlib:
		return (unsigned int)((height - 1) / (ZLIB_MAX_SIZE(width) / width) + 1);
	case rfbEncodingTight:
		return (unsigned int)rfbNumCodedRectsTight(client, x, y, width, height);
	default:
		return 1;
	}
}

static bool encode(rfbClientPtr client, int x, int y, int width, int height)
{
	switch (client->preferredEncoding) {
	case rfbEncodingRRE:
		return rfbSendRectEncodingRRE(client, x, y, width, height);
	case rfbEncodingCoRRE:
		return rfbSendRectEncodingCoRRE(client, x, y, width, height);
	case rfbEncodingHextile:
		return rfbSendRectEncodingHextile(client, x, y, width, height);
	case rfbEncodingUltra:
		return rfbSendRectEncodingUltra(client, x, y, width, height);
	case rfbEncodingZlib:
		return rfbSendRectEncodingZlib(client, x, y, width, height);
	case rfbEncodingZRLE:
	case rfbEncodingZYWRLE:
		return rfbSendRectEncodingZRLE(client, x, y, width, height);
	case rfbEncodingTight:
		return rfbSendRectEncodingTight(client, x, y, width, height);
	default:
		return rfbSendRectEncodingRaw(client, x, y, width, height);
	}
}

static unsigned int count_rects(rfbClientPtr client, sraRegionPtr region)
{
	sraRectangleIterator *each = sraRgnGetIterator(region);
	unsigned int count = 0, more;
	sraRect rect;

	while (sraRgnIteratorNext(each, &rect)) {
		more = count_of(client, rect.x1, rect.y1, rect.x2 - rect.x1, rect.y2 - rect.y1);
		count = more ? count + more : UNTIL_LAST_RECT;
		if (count >= UNTIL_LAST_RECT)
			break;
	}
	sraRgnReleaseIterator(each);
	return count;
}

static bool encode_region(rfbClientPtr client, sraRegionPtr region)
{
	sraRectangleIterator *each = sraRgnGetIterator(region);
	bool ok = true;
	sraRect rect;

	while (ok && sraRgnIteratorNext(each, &rect))
		ok = encode(client, rect.x1, rect.y1, rect.x2 - rect.x1, rect.y2 - rect.y1);
	sraRgnReleaseIterator(each);
	return ok;
}

/* It may be longer than the buffer. */
static bool write_rects(rfbClientPtr client, const struct vnc_rects *rects)
{
	if (!rects->count)
		return true;
	return rfbSendUpdateBuf(client) &&
	       rfbWriteExact(client, (const char *)rects->bytes, (int)rects->length) >= 0;
}

bool vnc_send_known(rfbClientPtr client, const struct vnc_rects *rects, sraRegionPtr region)
{
	unsigned int count = region ? count_rects(client, region) : 0;
	bool until_last = count >= UNTIL_LAST_RECT;
	rfbFramebufferUpdateMsg *head = (rfbFramebufferUpdateMsg *)client->updateBuf;

	rfbStatRecordMessageSent(client, rfbFramebufferUpdate,
				 sz_rfbFramebufferUpdateMsg + (int)rects->length,
				 sz_rfbFramebufferUpdateMsg + (int)rects->length);
	count = until_last ? UNTIL_LAST_RECT : count + rects->count;
	*head = (rfbFramebufferUpdateMsg){
		.type = rfbFramebufferUpdate,
		.nRects = GUINT16_TO_BE((uint16_t)count),
	};
	client->ublen = sz_rfbFramebufferUpdateMsg;
	return write_rects(client, rects) && (!region || encode_region(client, region)) &&
	       (!until_last || rfbSendLastRectMarker(client)) && rfbSendUpdateBuf(client);
}

/* Its buffer is not used. */
static bool send_rects(rfbClientPtr client, const struct vnc_rects *rects)
{
	rfbFramebufferUpdateMsg head = {
		.type = rfbFramebufferUpdate,
		.nRects = GUINT16_TO_BE(rects->count),
	};

	return rfbWriteExact(client, (const char *)&head, sz_rfbFramebufferUpdateMsg) >= 0 &&
	       rfbWriteExact(client, (const char *)rects->bytes, (int)rects->length) >= 0;
}

/* It sends what of the region is asked for, and takes that out of both. */
static bool send_by_its_own(rfbClientPtr client, sraRegionPtr region)
{
	sraRgnOr(client->requestedRegion, region);
	return rfbSendFramebufferUpdate(client, region);
}

bool vnc_send_update(rfbClientPtr client, const struct vnc_rects *rects, sraRegionPtr region)
{
	bool pixels = region && !sraRgnEmpty(region);

	if (vnc_layout_is_known())
		return vnc_send_known(client, rects, region);
	if ((rects->count || !pixels) && !send_rects(client, rects))
		return false;
	return !pixels || send_by_its_own(client, region);
}
