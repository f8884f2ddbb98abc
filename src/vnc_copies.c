/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_copies.h"

#include "vnc_region.h"

static sraRegionPtr region_of(const struct detile_rect *rect)
{
	return sraRgnCreateRect((int)rect->x, (int)rect->y, (int)(rect->x + rect->width),
				(int)(rect->y + rect->height));
}

static void subtract_rect(sraRegionPtr region, const struct detile_rect *rect)
{
	sraRegionPtr other = region_of(rect);

	sraRgnSubtract(region, other);
	sraRgnDestroy(other);
}

/* What is missing there is missing here. */
static void shift(sraRegionPtr modified, const struct move *move)
{
	const struct detile_rect from = move_from(move);
	sraRegionPtr missing = region_of(&from);

	sraRgnAnd(missing, modified);
	sraRgnOffset(missing, move->dx, move->dy);
	subtract_rect(modified, &move->to);
	sraRgnOr(modified, missing);
	sraRgnDestroy(missing);
}

bool vnc_copies_add(struct vnc_copies *copies, const struct moves *moves,
		    const struct damage *damage, sraRegionPtr modified)
{
	sraRegionPtr rest;

	if (copies->count + moves->count > VNC_COPIES)
		return false;
	rest = sraRgnCreate();
	vnc_region_add_damage(rest, damage);
	for (unsigned int i = 0; i < moves->count; i++) {
		shift(modified, &moves->move[i]);
		subtract_rect(rest, &moves->move[i].to);
		copies->list[copies->count++] = moves->move[i];
	}
	sraRgnOr(modified, rest);
	sraRgnDestroy(rest);
	return true;
}

void vnc_copies_forget(struct vnc_copies *copies, sraRegionPtr modified)
{
	for (unsigned int i = 0; i < copies->count; i++) {
		const struct detile_rect *to = &copies->list[i].to;

		vnc_region_add_rect(modified, (int)to->x, (int)to->y, (int)(to->x + to->width),
				    (int)(to->y + to->height));
	}
	copies->count = 0;
}

bool vnc_copies_are_within(const struct vnc_copies *copies, const sraRegion *region)
{
	bool within = true;

	for (unsigned int i = 0; i < copies->count && within; i++) {
		sraRegionPtr beyond = region_of(&copies->list[i].to);

		sraRgnSubtract(beyond, region);
		within = sraRgnEmpty(beyond);
		sraRgnDestroy(beyond);
	}
	return within;
}

void vnc_copies_tell(struct vnc_copies *copies, struct vnc_rects *rects, struct vnc_lossy *lossy,
		     int64_t now)
{
	for (unsigned int i = 0; i < copies->count; i++) {
		const struct move *move = &copies->list[i];

		vnc_rects_add_copy(rects, move);
		vnc_lossy_move(lossy, move, now);
	}
	copies->told += copies->count;
	copies->count = 0;
}
