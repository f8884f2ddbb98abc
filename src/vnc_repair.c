/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_repair.h"

#include <glib.h>

#include "vnc_link.h"
#include "vnc_region.h"

#define BUSY_US  20000  /* a link that is busy is looked at again after that */
#define ASIDE_US 500000 /* nobody asked for what rests */

/* At once: what the link carries in that time, in pixels of about one byte. */
#define MOMENT_PART 10u /* of a second */
#define MIN_PIXELS  65536u
#define MAX_PIXELS  1048576u

void vnc_repair_init(struct vnc_repair *repair, int wire, const struct frame *frame)
{
	*repair = (struct vnc_repair){.wire = wire};
	vnc_repair_set_frame(repair, frame);
}

void vnc_repair_finish(struct vnc_repair *repair)
{
	vnc_lossy_finish(&repair->lossy);
}

void vnc_repair_set_frame(struct vnc_repair *repair, const struct frame *frame)
{
	vnc_lossy_renew(&repair->lossy, frame->width, frame->height);
	repair->not_before = 0;
}

void vnc_repair_sent(struct vnc_repair *repair, const sraRegion *region, bool exact)
{
	sraRectangleIterator *each = sraRgnGetIterator((sraRegionPtr)(uintptr_t)region);
	int64_t now = g_get_monotonic_time();
	sraRect rect;

	while (sraRgnIteratorNext(each, &rect)) {
		struct detile_rect area = {(uint32_t)rect.x1, (uint32_t)rect.y1,
					   (uint32_t)(rect.x2 - rect.x1),
					   (uint32_t)(rect.y2 - rect.y1)};

		if (exact)
			vnc_lossy_remove(&repair->lossy, &area);
		else
			vnc_lossy_add(&repair->lossy, &area, now);
	}
	sraRgnReleaseIterator(each);
}

int64_t vnc_repair_due(const struct vnc_repair *repair)
{
	int64_t due = vnc_lossy_due(&repair->lossy);

	return due == VNC_LOSSY_NEVER ? due : MAX(due, repair->not_before);
}

static uint64_t pixels_at_once(const struct vnc_repair *repair)
{
	uint64_t rate = vnc_link_rate(repair->wire);

	return rate ? CLAMP(rate / MOMENT_PART, MIN_PIXELS, MAX_PIXELS) : MAX_PIXELS;
}

static sraRegionPtr resting(struct vnc_repair *repair, int64_t now)
{
	sraRegionPtr region = sraRgnCreate();
	struct damage damage;

	if (damage_init(&damage, repair->lossy.width, repair->lossy.height))
		return region;
	vnc_lossy_collect(&repair->lossy, now, pixels_at_once(repair), &damage);
	vnc_region_add_damage(region, &damage);
	damage_finish(&damage);
	return region;
}

sraRegionPtr vnc_repair_take(struct vnc_repair *repair, const sraRegion *wanted)
{
	int64_t now = g_get_monotonic_time();
	sraRegionPtr region;

	if (vnc_repair_due(repair) > now)
		return NULL;
	if (!vnc_link_is_idle(repair->wire)) {
		repair->not_before = now + BUSY_US;
		return NULL;
	}
	region = resting(repair, now);
	if (!sraRgnEmpty(region)) {
		if (sraRgnAnd(region, wanted))
			return region;
		repair->not_before = now + ASIDE_US;
	}
	sraRgnDestroy(region);
	return NULL;
}
