/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source_vfio.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffers.h"
#include "device.h"
#include "log.h"
#include "member.h"
#include "monitor.h"
#include "tracker.h"
#include "vfio.h"

/* An owner that closes its descriptor but lives on (unplug) is noticed this soon without broker. */
#define OWNER_CHECK_S 1

/* A device that cannot be had is not looked for more often. */
#define RECONNECT_US (G_USEC_PER_SEC / 2)

#define REMOVED "the device is being removed"

struct source_vfio {
	struct source base;
	struct reach reach; /* its name is NULL for an inherited descriptor */
	struct vfio vfio;
	struct tracker tracker; /* closed where the device does not tell of changes */
	bool tracker_tried;
	bool leaving; /* the driver wants the device back */
	uint32_t transport;
	uint64_t epoch; /* counts connections: ids of an earlier one mean nothing */
	struct buffers buffers;
	struct monitor monitor;
	guint exit_watch, close_watch, request_watch;
	int request_event; /* -1 unless the device was opened here */
	gint64 failed_at;  /* 0, or when connecting failed last */
	int failed;        /* what it answered then, and the words */
	GError *failure;
};

static void disconnect(struct source_vfio *source)
{
	if (source->exit_watch)
		g_source_remove(source->exit_watch);
	if (source->close_watch) {
		g_source_remove(source->close_watch);
		reach_rest(&source->reach);
	}
	if (source->request_watch)
		g_source_remove(source->request_watch);
	if (source->request_event >= 0)
		close(source->request_event);
	source->exit_watch = 0;
	source->close_watch = 0;
	source->request_watch = 0;
	source->request_event = -1;
	source->tracker_tried = false;
	source->leaving = false;
	monitor_settle(&source->monitor);
	buffers_close(&source->buffers);
	tracker_close(&source->tracker);
	vfio_close(&source->vfio);
}

/* Lets the device be for a while; takes the error. */
static int hold_off(struct source_vfio *source, int ret, GError *failure)
{
	disconnect(source);
	source->failed_at = g_get_monotonic_time();
	source->failed = ret;
	g_clear_error(&source->failure);
	source->failure = failure;
	return ret;
}

/* The device must be free for its owner's next start the moment this one is gone. */
static void let_go(struct source_vfio *source)
{
	disconnect(source);
	source->failed_at = 0;
	if (source->base.changed)
		source->base.changed(source->base.changed_data);
}

static gboolean on_owner_exit(gint fd, GIOCondition condition, gpointer data)
{
	struct source_vfio *source = data;

	(void)fd;
	(void)condition;
	source->exit_watch = 0;
	log_info("%s: its owner, process %d, has ended", source->reach.name,
		 (int)source->vfio.owner.pid);
	let_go(source);
	return G_SOURCE_REMOVE;
}

static void lose_owner(struct source_vfio *source)
{
	log_info("%s: its owner, process %d, has let it go", source->reach.name,
		 (int)source->vfio.owner.pid);
	let_go(source);
}

/* False: the device has been let go. */
static bool check_owner(struct source_vfio *source)
{
	if (reach_holds(&source->reach))
		return true;
	lose_owner(source);
	return false;
}

static gboolean on_owner_lost(gint fd, GIOCondition condition, gpointer data)
{
	struct source_vfio *source = data;

	(void)fd;
	(void)condition;
	if (!reach_lost(&source->reach))
		return G_SOURCE_CONTINUE;
	source->close_watch = 0;
	lose_owner(source);
	return G_SOURCE_REMOVE;
}

static gboolean on_owner_check(gpointer data)
{
	struct source_vfio *source = data;
	guint watch = source->close_watch;

	source->close_watch = 0; /* it goes by what is returned */
	if (!check_owner(source))
		return G_SOURCE_REMOVE;
	source->close_watch = watch;
	return G_SOURCE_CONTINUE;
}

/* The device is not looked for at once: opened again, it would be kept from leaving. */
static void give_back(struct source_vfio *source)
{
	GError *failure = NULL;
	int ret = fail(&failure, EXIT_FAILED, ENODEV, REMOVED);

	log_info("%s: its driver wants it back",
		 source->reach.name ? source->reach.name : "descriptor");
	hold_off(source, ret, failure);
	if (source->base.changed)
		source->base.changed(source->base.changed_data);
}

static gboolean on_request(gint fd, GIOCondition condition, gpointer data)
{
	struct source_vfio *source = data;

	(void)fd;
	(void)condition;
	source->request_watch = 0;
	give_back(source);
	return G_SOURCE_REMOVE;
}

/* An opened device must not hold up its removal. */
static void watch_request(struct source_vfio *source)
{
	source->request_event = vfio_request_event(&source->vfio);
	if (source->request_event >= 0)
		source->request_watch = g_unix_fd_add(source->request_event, G_IO_IN, on_request,
						      source);
}

static void watch_owner(struct source_vfio *source)
{
	int fd = reach_watch(&source->reach);

	source->exit_watch = g_unix_fd_add_full(G_PRIORITY_HIGH, source->vfio.pidfd, G_IO_IN,
						on_owner_exit, source, NULL);
	source->close_watch = fd >= 0 ? g_unix_fd_add(fd, G_IO_IN, on_owner_lost, source)
				      : g_timeout_add_seconds(OWNER_CHECK_S, on_owner_check,
							      source);
}

static int open_or_attach(struct source_vfio *source, GError **error)
{
	int ret = reach_device(&source->reach, &source->vfio, error);

	if (ret)
		return ret;
	if (source->vfio.pidfd >= 0)
		watch_owner(source);
	else
		watch_request(source);
	return 0;
}

/* A region needs nothing but a map, so it comes first where a driver says yes to both. */
static int choose_transport(struct source_vfio *source, GError **error)
{
	static const uint32_t transports[] = {VFIO_GFX_PLANE_TYPE_REGION,
					      VFIO_GFX_PLANE_TYPE_DMABUF};

	for (size_t i = 0; i < G_N_ELEMENTS(transports); i++) {
		if (vfio_probe(&source->vfio, PLANE_PRIMARY, transports[i])) {
			source->transport = transports[i];
			return 0;
		}
	}
	return fail(error, EXIT_NO_DISPLAY, ENODEV,
		    "the device has no display (neither a region nor a dma-buf plane)");
}

static int connect_device(struct source_vfio *source, GError **error)
{
	GError *local = NULL;
	int ret;

	if (source->vfio.device >= 0)
		return 0;
	if (!source->reach.name)
		return fail(error, EXIT_FAILED, ENODEV, "its descriptor is closed");
	if (source->failed_at && g_get_monotonic_time() - source->failed_at < RECONNECT_US) {
		g_propagate_error(error, g_error_copy(source->failure));
		return source->failed;
	}
	ret = open_or_attach(source, &local);
	if (!ret)
		ret = choose_transport(source, &local);
	if (!ret) {
		source->epoch++;
		source->failed_at = 0;
		return 0;
	}
	g_propagate_error(error, g_error_copy(local));
	return hold_off(source, ret, local);
}

static int query(struct source_vfio *source, enum plane_type type,
		 struct vfio_device_gfx_plane_info *info, GError **error)
{
	int ret = vfio_query_plane(&source->vfio, type, source->transport, info);

	if (ret && ret != -ENODEV && ret != -EINVAL)
		return fail(error, EXIT_FAILED, ENODATA, "the driver tells no plane: %s",
			    g_strerror(-ret));
	if (ret || !info->drm_format || !info->width || !info->height)
		return fail(error, EXIT_FAILED, ENODATA,
			    type == PLANE_CURSOR ? "it shows no cursor"
						 : "the guest has not switched its display on");
	return 0;
}

static int find_buffer(struct source_vfio *source, const struct vfio_device_gfx_plane_info *info,
		       struct buffer **buffer, GError **error)
{
	return buffers_find(&source->buffers, &source->vfio, source->transport, info, buffer,
			    error);
}

/* A plane's generation tells its buffer. */
static struct buffer *lent_buffer(struct source_vfio *source, const struct plane *plane)
{
	return plane->generation >> 32 == source->epoch
		       ? buffers_lent(&source->buffers, (uint32_t)plane->generation)
		       : NULL;
}

static void describe(const struct source_vfio *source,
		     const struct vfio_device_gfx_plane_info *info, struct plane *plane)
{
	*plane = (struct plane){
		.fourcc = info->drm_format,
		.modifier = info->drm_format_mod,
		.width = info->width,
		.height = info->height,
		.stride = info->stride,
		.x = (int32_t)info->x_pos,
		.y = (int32_t)info->y_pos,
		.hot_x = (int32_t)info->x_hot,
		.hot_y = (int32_t)info->y_hot,
		.generation = source->epoch << 32 | buffers_id(source->transport, info),
		.contents = source->tracker.tracked ? source->tracker.cursor + 1 : 0,
	};
}

/* Only for whoever drives the source: a device that is listened to watches its guest's writes. */
static int start_tracker(struct source_vfio *source, GError **error)
{
	GError *local = NULL;
	int ret;

	if (source->tracker_tried || !source->base.changed)
		return 0;
	source->tracker_tried = true;
	ret = tracker_open(&source->vfio, &source->tracker);
	if (ret == -ESHUTDOWN) {
		ret = fail(&local, EXIT_FAILED, ENODEV, REMOVED);
		g_propagate_error(error, g_error_copy(local));
		return hold_off(source, ret, local);
	}
	if (ret && ret != -ENOENT)
		log_warning("%s: it tells changes, but not to us: %s", source->reach.name,
			    g_strerror(-ret));
	return 0;
}

static int acquire(struct source_vfio *source, enum plane_type type, struct plane *plane,
		   GError **error)
{
	struct vfio_device_gfx_plane_info info;
	struct buffer *buffer;
	int ret = connect_device(source, error);

	if (!ret)
		ret = start_tracker(source, error);
	if (!ret)
		ret = query(source, type, &info, error);
	if (!ret)
		ret = find_buffer(source, &info, &buffer, error);
	if (ret)
		return ret;
	describe(source, &info, plane);
	ret = plane_check(plane, error);
	return ret ? ret
		   : buffer_lend(buffer, &source->vfio, source->reach.name, &info, plane, error);
}

/*
 * A device whose picture cannot be had may have been unplugged: that is not waited for. Without a
 * cursor most devices are, at every look.
 */
static int source_acquire(struct source *base, enum plane_type type, struct plane *plane,
			  GError **error)
{
	struct source_vfio *source = (struct source_vfio *)base;
	int ret = acquire(source, type, plane, error);

	if (ret && type == PLANE_PRIMARY && source->vfio.pidfd >= 0 && !check_owner(source))
		return -EAGAIN;
	return ret;
}

/* Another dma-buf of the same mode is no other picture: the one that was read stays whole. */
static bool source_same(struct source *base, enum plane_type type, const struct plane *plane)
{
	struct source_vfio *source = (struct source_vfio *)base;
	struct buffer *lent = lent_buffer(source, plane), *now;
	struct vfio_device_gfx_plane_info info;

	if (!lent || query(source, type, &info, NULL) || find_buffer(source, &info, &now, NULL))
		return false;
	return map_is_for(&lent->map, &info) &&
	       (now == lent || source->transport == VFIO_GFX_PLANE_TYPE_DMABUF);
}

static void source_release(struct source *base, struct plane *plane)
{
	struct source_vfio *source = (struct source_vfio *)base;
	struct buffer *buffer = lent_buffer(source, plane);

	if (buffer)
		buffer_return(buffer);
	plane->data = NULL;
	if (source->leaving)
		give_back(source);
}

static int source_event_fd(struct source *base)
{
	return tracker_event_fd(&((struct source_vfio *)base)->tracker);
}

static int source_hint(struct source *base, struct damage *damage)
{
	struct source_vfio *source = (struct source_vfio *)base;
	int ret = tracker_hint(&source->tracker, damage);

	if (ret == -ESHUTDOWN)
		source->leaving = true;
	return ret ? -ENOTSUP : 0;
}

/* An attached device belongs to its owner: nothing of it is held while nobody watches. */
static void source_rest(struct source *base)
{
	struct source_vfio *source = (struct source_vfio *)base;

	if (source->vfio.device >= 0 && source->vfio.pidfd >= 0)
		disconnect(source);
	tracker_close(&source->tracker);
	source->tracker_tried = false;
}

/* The guest reads the EDID through its driver: that needs no viewer, and no owner that helps. */
static int source_set_mode(struct source *base, uint32_t width, uint32_t height)
{
	struct source_vfio *source = (struct source_vfio *)base;
	int ret = connect_device(source, NULL);

	return ret ? ret : monitor_set(&source->monitor, &source->vfio, width, height);
}

/* How the device is held: it may be none of ours, or nobody watches. */
static const char *holding(const struct source_vfio *source)
{
	if (source->vfio.device < 0)
		return NULL;
	if (source->vfio.pidfd >= 0)
		return "attached";
	return source->reach.name ? "opened" : "inherited";
}

static void describe_owner(const struct owner *owner, JsonBuilder *json)
{
	char *command = owner_command(owner);

	member_object(json, "owner");
	member_int(json, "pid", owner->pid);
	member_string(json, "command", command);
	member_string(json, "node", owner->node);
	json_builder_end_object(json);
	g_free(command);
}

static void source_describe(struct source *base, JsonBuilder *json)
{
	struct source_vfio *source = (struct source_vfio *)base;
	bool open = source->vfio.device >= 0;
	bool region = source->transport == VFIO_GFX_PLANE_TYPE_REGION;

	member_string(json, "damage",
		      tracker_event_fd(&source->tracker) >= 0 ? "status region" : "compare");
	member_string(json, "name", source->reach.name);
	member_string(json, "held", holding(source));
	member_string(json, "transport", !open ? NULL : region ? "region" : "dmabuf");
	member_string(json, "way", open ? buffers_way(&source->buffers) : NULL);
	if (open && source->vfio.pidfd >= 0)
		describe_owner(&source->vfio.owner, json);
	else
		member_null(json, "owner");
}

static void source_close(struct source *base)
{
	struct source_vfio *source = (struct source_vfio *)base;

	disconnect(source);
	g_clear_error(&source->failure);
	reach_finish(&source->reach);
	free(source);
}

static const struct source_ops source_vfio_ops = {
	.name = "vfio",
	.acquire = source_acquire,
	.same = source_same,
	.release = source_release,
	.event_fd = source_event_fd,
	.hint = source_hint,
	.rest = source_rest,
	.set_mode = source_set_mode,
	.describe = source_describe,
	.close = source_close,
};

static struct source_vfio *create(void)
{
	struct source_vfio *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->base.ops = &source_vfio_ops;
	source->vfio = VFIO_CLOSED;
	source->tracker = TRACKER_CLOSED;
	source->request_event = -1;
	return source;
}

int source_vfio_open(const char *name, unsigned int policy, struct source **out, GError **error)
{
	struct source_vfio *source = create();
	GError *local = NULL;
	int ret;

	if (!source)
		return fail(error, EXIT_FAILED, ENOMEM, "out of memory");
	ret = reach_init(&source->reach, name, policy, &local);
	if (!ret)
		ret = connect_device(source, &local);
	if (ret == -ENODEV && !(policy & SOURCE_VFIO_ATTACH_OPEN) &&
	    local->code != EXIT_NO_DISPLAY) {
		log_info("%s: %s", name, local->message);
		g_clear_error(&local);
		ret = 0;
	}
	if (ret) {
		g_propagate_error(error, local);
		source_close(&source->base);
		return ret;
	}
	*out = &source->base;
	return 0;
}

int source_vfio_adopt(int fd, struct source **out, GError **error)
{
	struct source_vfio *source = create();
	int ret;

	if (!source)
		return fail(error, EXIT_FAILED, ENOMEM, "out of memory");
	ret = vfio_adopt(fd, &source->vfio, error);
	if (!ret)
		ret = choose_transport(source, error);
	if (ret) {
		source_close(&source->base);
		return ret;
	}
	source->epoch++;
	*out = &source->base;
	return 0;
}
