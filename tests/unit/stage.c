/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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
	pthread_mutex_unlock(&stage->main);
	frame_release(old);
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
	fill(stage, x, y, width, height);
	stage->sink->ops->wake(stage->sink, &damage);
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
