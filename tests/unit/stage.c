/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rfb.h"
#include "unit.h"

#define STAGE_SECONDS 240 /* a test that hangs is killed: nobody else would */

static void poked(void *data)
{
	struct stage *stage = data;

	pthread_mutex_lock(&stage->lock);
	stage->pokes++;
	pthread_cond_signal(&stage->poked);
	pthread_mutex_unlock(&stage->lock);
}

static void *run(void *data)
{
	struct stage *stage = data;
	unsigned int seen = 0;

	pthread_mutex_lock(&stage->lock);
	while (!stage->stop) {
		struct sink_demand demand;

		if (stage->hold || seen == stage->pokes) {
			pthread_cond_wait(&stage->poked, &stage->lock);
			continue;
		}
		seen = stage->pokes;
		pthread_mutex_unlock(&stage->lock);
		pthread_mutex_lock(&stage->main);
		stage->sink->ops->demand(stage->sink, &demand);
		if (demand.wish_width)
			stage->sink->ops->answer(stage->sink, stage->grants);
		stage->sink->ops->captured(stage->sink);
		pthread_mutex_unlock(&stage->main);
		pthread_mutex_lock(&stage->lock);
		if (demand.wish_width) {
			stage->wishes++;
			stage->wish_width = demand.wish_width;
			stage->wish_height = demand.wish_height;
		}
		stage->passes++;
	}
	pthread_mutex_unlock(&stage->lock);
	return NULL;
}

/* No two pictures of a stage are alike in any pixel. */
static void fill(struct stage *stage, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	uint32_t seed = ++stage->seed * 2654435761u;

	for (uint32_t j = y; j < y + height; j++) {
		uint32_t *row = stage->frame->pixels + j * (stage->frame->stride / 4);

		for (uint32_t i = x; i < x + width; i++)
			row[i] = (seed ^ (i * 73856093u) ^ (j * 19349663u)) | 0x5a000000;
	}
}

uint16_t stage_free_port(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	close(fd);
	return ntohs(name.sin_port);
}

void stage_open(struct stage *stage, const struct vnc_options *options, uint32_t width,
		uint32_t height)
{
	struct vnc_options defaults = {0};
	GError *error = NULL;
	char *address;

	alarm(STAGE_SECONDS);
	*stage = (struct stage){.frame = frame_create(width, height)};
	assert_non_null(stage->frame);
	fill(stage, 0, 0, width, height);
	pthread_mutex_init(&stage->main, NULL);
	pthread_mutex_init(&stage->lock, NULL);
	pthread_cond_init(&stage->poked, NULL);
	if (vnc_create(options ? options : &defaults, stage->frame, &stage->sink, &error))
		fail_msg("%s", error->message);
	stage->sink->poke = poked;
	stage->sink->poke_data = stage;
	stage->port = stage_free_port();
	address = g_strdup_printf("127.0.0.1:%u", stage->port);
	if (vnc_listen(stage->sink, address, &error))
		fail_msg("%s", error->message);
	g_free(address);
	pthread_create(&stage->thread, NULL, run, stage);
}

void stage_close(struct stage *stage)
{
	pthread_mutex_lock(&stage->lock);
	stage->stop = true;
	pthread_cond_signal(&stage->poked);
	pthread_mutex_unlock(&stage->lock);
	pthread_join(stage->thread, NULL);
	stage->sink->ops->close(stage->sink);
	/* Nobody holds the frame any more. */
	assert_int_equal(stage->frame->references, 1);
	frame_release(stage->frame);
	motion_destroy(stage->motion);
	pthread_mutex_destroy(&stage->main);
	pthread_mutex_destroy(&stage->lock);
	pthread_cond_destroy(&stage->poked);
}

void stage_resize(struct stage *stage, uint32_t width, uint32_t height)
{
	struct frame *old = stage->frame;

	stage->frame = frame_create(width, height);
	assert_non_null(stage->frame);
	fill(stage, 0, 0, width, height);
	pthread_mutex_lock(&stage->main);
	assert_int_equal(stage->sink->ops->resize(stage->sink, stage->frame), 0);
	stage->told = frame_touched(stage->frame);
	pthread_mutex_unlock(&stage->main);
	frame_release(old);
}

/* As screen.c does it; what has changed is written already. */
static void tell(struct stage *stage, const struct damage *damage)
{
	struct moves moves = {.since = stage->told};

	if (stage->lag_us)
		g_usleep(stage->lag_us);
	stage->told = frame_touched(stage->frame);
	if (stage->motion)
		motion_find(stage->motion, stage->frame, damage, &moves);
	stage->sink->ops->wake(stage->sink, damage, &moves);
	if (stage->motion)
		motion_keep(stage->motion, stage->frame, damage);
}

void stage_paint(struct stage *stage, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct damage damage;

	x = MIN(x, stage->frame->width);
	y = MIN(y, stage->frame->height);
	width = MIN(width, stage->frame->width - x);
	height = MIN(height, stage->frame->height - y);
	assert_int_equal(damage_init(&damage, stage->frame->width, stage->frame->height), 0);
	damage_add(&damage, &(struct detile_rect){x, y, width, height});
	pthread_mutex_lock(&stage->main);
	frame_touch(stage->frame);
	fill(stage, x, y, width, height);
	tell(stage, &damage);
	pthread_mutex_unlock(&stage->main);
	damage_finish(&damage);
}

/* The part of [at, at + size) that stays in [0, end) when it is moved. */
static void stay(uint32_t *at, uint32_t *size, int32_t by, uint32_t end)
{
	int64_t first = MAX((int64_t)*at, -(int64_t)by);
	int64_t last = MIN(MIN((int64_t)*at + *size, end), (int64_t)end - by);

	*at = (uint32_t)first;
	*size = (uint32_t)MAX(last - first, 0);
}

static void move_pixels(const struct frame *frame, const struct detile_rect *from,
			const struct detile_rect *to)
{
	size_t stride = frame->stride / 4;

	for (uint32_t i = 0; i < from->height; i++) {
		uint32_t row = to->y <= from->y ? i : from->height - 1 - i;

		memmove(frame->pixels + (to->y + row) * stride + to->x,
			frame->pixels + (from->y + row) * stride + from->x,
			(size_t)from->width * 4);
	}
}

/* Of what was moved away, the rows and columns that it does not cover now. */
static void renew(struct stage *stage, const struct detile_rect *from, int32_t dx, int32_t dy)
{
	uint32_t wide = MIN((uint32_t)abs(dx), from->width);
	uint32_t high = MIN((uint32_t)abs(dy), from->height);

	fill(stage, dx > 0 ? from->x : from->x + from->width - wide, from->y, wide, from->height);
	fill(stage, from->x, dy > 0 ? from->y : from->y + from->height - high, from->width, high);
}

void stage_move(struct stage *stage, const struct detile_rect *rect, int32_t dx, int32_t dy,
		bool fresh)
{
	struct detile_rect from = *rect, to;
	struct damage damage;

	stay(&from.x, &from.width, dx, stage->frame->width);
	stay(&from.y, &from.height, dy, stage->frame->height);
	if (!from.width || !from.height)
		return;
	to = (struct detile_rect){(uint32_t)((int32_t)from.x + dx),
				  (uint32_t)((int32_t)from.y + dy), from.width, from.height};
	assert_int_equal(damage_init(&damage, stage->frame->width, stage->frame->height), 0);
	damage_add(&damage, &to);
	if (fresh)
		damage_add(&damage, &from);
	pthread_mutex_lock(&stage->main);
	frame_touch(stage->frame);
	move_pixels(stage->frame, &from, &to);
	if (fresh)
		renew(stage, &from, dx, dy);
	tell(stage, &damage);
	pthread_mutex_unlock(&stage->main);
	damage_finish(&damage);
}

void stage_point(struct stage *stage, struct pointer *shape, int32_t x, int32_t y)
{
	pthread_mutex_lock(&stage->main);
	stage->sink->ops->pointer(stage->sink, shape, x, y);
	pthread_mutex_unlock(&stage->main);
}

void stage_grant(struct stage *stage, int ret)
{
	pthread_mutex_lock(&stage->main);
	stage->grants = ret;
	pthread_mutex_unlock(&stage->main);
}

void stage_set_hold(struct stage *stage, bool hold)
{
	pthread_mutex_lock(&stage->lock);
	stage->hold = hold;
	pthread_cond_signal(&stage->poked);
	pthread_mutex_unlock(&stage->lock);
}

struct sink_demand stage_demand(struct stage *stage)
{
	struct sink_demand demand;

	pthread_mutex_lock(&stage->main);
	stage->sink->ops->demand(stage->sink, &demand);
	pthread_mutex_unlock(&stage->main);
	return demand;
}

bool stage_wait(struct stage *stage, bool (*holds)(const struct vnc_counts *counts, unsigned int n),
		unsigned int n)
{
	struct vnc_counts counts;

	for (int i = 0; i < RFB_PATIENCE_MS; i++) {
		vnc_count(stage->sink, &counts);
		if (holds(&counts, n))
			return true;
		g_usleep(1000);
	}
	return false;
}

bool stage_has_clients(const struct vnc_counts *counts, unsigned int n)
{
	return counts->clients == n;
}
