/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_display.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "spice_command.h"
#include "spice_rects.h"
#include "spice_surface.h"

#define HELD_FRAMES   4 /* commands may hold the pixels of so many frames */
#define HELD_LEAST    (32u << 20)
#define JOIN_US       2000
#define SETTLE_ROUNDS 16 /* each gives back 64 commands, if all are held */

/* How often the worker has looked for commands. */
struct spice_display_asked {
	uint64_t draws, cursors;
};

struct spice_display {
	QXLInstance instance; /* the interface's functions get this */
	const struct spice_display_ops *ops;
	void *data;
	struct spice_surface surface; /* of the server's thread */

	pthread_mutex_t lock; /* of all below */
	bool watched;         /* written by the server's thread */
	struct frame *frame;
	uint64_t shown; /* the generation of the frame that the surface is for; 0: there is none */
	struct damage damage;
	GArray *rects; /* struct detile_rect, taken out of the damage, not sent yet */
	struct pointer *shape;
	int32_t x, y;
	bool moved, reshaped;
	bool wakes, frees; /* what turn() has been asked for */
	size_t held_bytes;
	uint64_t ticked; /* drawn at the last tick */
	struct spice_display_asked asked;
	struct spice_display_counts counts;
};

static struct spice_display *display_of(QXLInstance *instance)
{
	return (struct spice_display *)((char *)instance -
					offsetof(struct spice_display, instance));
}

/* With the lock. */
static bool is_full(const struct spice_display *display)
{
	size_t most = MAX(HELD_FRAMES * (size_t)display->frame->width * display->frame->height * 4,
			  HELD_LEAST);

	return display->counts.held >= SPICE_DISPLAY_COMMANDS || display->held_bytes >= most;
}

static bool has_changes(const struct spice_display *display)
{
	return display->rects->len || !damage_is_empty(&display->damage);
}

static bool is_shown(const struct spice_display *display)
{
	return display->shown == display->frame->generation;
}

/* With the lock: whether turn() has to be asked for now. */
static bool wants(struct spice_display *display, bool *what)
{
	bool asked = display->wakes || display->frees;

	*what = true;
	return !asked;
}

static void keep_rect(const struct detile_rect *rect, void *data)
{
	g_array_append_val((GArray *)data, *rect);
}

/* With the lock: the next command, or NULL. */
static struct spice_command *next_draw(struct spice_display *display)
{
	struct spice_command *command;

	if (!is_shown(display) || is_full(display) || !has_changes(display))
		return NULL;
	if (!display->rects->len) {
		damage_each(&display->damage, keep_rect, display->rects);
		spice_rects_join(display->rects, display->frame->height);
		damage_clear(&display->damage);
	}
	command = spice_command_draw(
		display->frame,
		&g_array_index(display->rects, struct detile_rect, display->rects->len - 1));
	if (!command)
		return NULL; /* the tick tries again */
	g_array_set_size(display->rects, display->rects->len - 1);
	display->counts.drawn++;
	display->counts.bytes += command->bytes;
	return command;
}

static int hand_over(struct spice_display *display, struct spice_command *command,
		     QXLCommandExt *ext)
{
	if (!command)
		return FALSE;
	display->counts.held++;
	display->held_bytes += command->bytes;
	*ext = command->ext;
	return TRUE;
}

/* The worker's thread. */

/* What is called here must not call spice-server: the server's thread may hold the lock of that
 * while it waits for the worker. */
static int get_command(QXLInstance *instance, QXLCommandExt *ext)
{
	struct spice_display *display = display_of(instance);
	bool emptied, full, asks = false;
	int taken;

	pthread_mutex_lock(&display->lock);
	display->asked.draws++;
	taken = hand_over(display, next_draw(display), ext);
	emptied = taken && !has_changes(display);
	full = is_full(display) && has_changes(display) && is_shown(display);
	if (taken && full)
		asks = wants(display, &display->frees);
	pthread_mutex_unlock(&display->lock);
	if (emptied)
		display->ops->drained(display->data);
	if (asks)
		display->ops->needed(display->data);
	return taken;
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *ext)
{
	struct spice_display *display = display_of(instance);
	struct spice_command *command = NULL;
	int taken;

	pthread_mutex_lock(&display->lock);
	display->asked.cursors++;
	if (display->watched && display->reshaped)
		command = spice_command_cursor(display->shape, display->x, display->y);
	else if (display->watched && display->moved && display->shape)
		command = spice_command_move(display->shape, display->x, display->y);
	display->reshaped = display->moved = false;
	taken = hand_over(display, command, ext);
	pthread_mutex_unlock(&display->lock);
	return taken;
}

/* True: sleep, we wake it. */
static int req_cmd_notification(QXLInstance *instance)
{
	struct spice_display *display = display_of(instance);
	bool more;

	pthread_mutex_lock(&display->lock);
	more = is_shown(display) && has_changes(display) && !is_full(display);
	pthread_mutex_unlock(&display->lock);
	return !more;
}

static int req_cursor_notification(QXLInstance *instance)
{
	struct spice_display *display = display_of(instance);
	bool more;

	pthread_mutex_lock(&display->lock);
	more = display->watched && (display->moved || display->reshaped);
	pthread_mutex_unlock(&display->lock);
	return !more;
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt release)
{
	struct spice_display *display = display_of(instance);
	struct spice_command *command;
	bool go_on, asks = false;

	if (!release.info)
		return;
	command = spice_command_of(release);
	pthread_mutex_lock(&display->lock);
	go_on = is_full(display);
	display->counts.held--;
	display->held_bytes -= command->bytes;
	go_on = go_on && !is_full(display) && has_changes(display);
	if (go_on)
		asks = wants(display, &display->wakes);
	pthread_mutex_unlock(&display->lock);
	spice_command_free(command);
	if (asks)
		display->ops->needed(display->data);
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
	(void)instance;
	*info = (QXLDevInitInfo){
		.num_memslots_groups = 1,
		.num_memslots = 1,
		.memslot_gen_bits = 8,
		.memslot_id_bits = 8,
		.qxl_ram_size = 16u << 20,
		.n_surfaces = 1,
	};
}

static void attached_worker(QXLInstance *instance)
{
	(void)instance;
}

static void set_compression_level(QXLInstance *instance, int level)
{
	(void)instance;
	(void)level;
}

static void notify_update(QXLInstance *instance, uint32_t id)
{
	(void)instance;
	(void)id;
}

/* 0: there is nothing of ours to give back, spice-server has to free its own. */
static int flush_resources(QXLInstance *instance)
{
	(void)instance;
	return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
	(void)instance;
	(void)cookie;
}

static void update_area_complete(QXLInstance *instance, uint32_t surface, QXLRect *rects,
				 uint32_t count)
{
	(void)instance;
	(void)surface;
	(void)rects;
	(void)count;
}

static void set_client_capabilities(QXLInstance *instance, uint8_t present,
				    uint8_t caps[SPICE_CAPABILITIES_SIZE])
{
	(void)instance;
	(void)present;
	(void)caps;
}

/* Without a config the server asks whether clients choose the mode. Of several monitors the first
 * counts; spice-server has looked whether all are there. */
static int client_monitors_config(QXLInstance *instance, VDAgentMonitorsConfig *config)
{
	const struct spice_display *display = display_of(instance);

	if (!display->ops->wished)
		return 0;
	if (config && config->num_of_monitors && config->monitors[0].width &&
	    config->monitors[0].height)
		display->ops->wished(config->monitors[0].width, config->monitors[0].height,
				     display->data);
	return 1;
}

static const QXLInterface interface = {
	.base =
		{
			.type = SPICE_INTERFACE_QXL,
			.description = "planecast",
			.major_version = SPICE_INTERFACE_QXL_MAJOR,
			.minor_version = SPICE_INTERFACE_QXL_MINOR,
		},
	.attached_worker = attached_worker,
	.set_compression_level = set_compression_level,
	.get_init_info = get_init_info,
	.get_command = get_command,
	.req_cmd_notification = req_cmd_notification,
	.release_resource = release_resource,
	.get_cursor_command = get_cursor_command,
	.req_cursor_notification = req_cursor_notification,
	.notify_update = notify_update,
	.flush_resources = flush_resources,
	.async_complete = async_complete,
	.update_area_complete = update_area_complete,
	.set_client_capabilities = set_client_capabilities,
	.client_monitors_config = client_monitors_config,
};

/* The server's thread. */

void spice_display_adapt(struct spice_display *display)
{
	uint64_t generation, shown;
	uint32_t width, height;

	if (!display->watched)
		return;
	pthread_mutex_lock(&display->lock);
	generation = display->frame->generation;
	width = display->frame->width;
	height = display->frame->height;
	shown = display->shown;
	display->shown = 0;
	pthread_mutex_unlock(&display->lock);
	if (shown != generation &&
	    spice_surface_create(&display->surface, &display->instance, width, height))
		shown = generation;
	pthread_mutex_lock(&display->lock);
	display->shown = shown;
	/* The surface that is gone took the pointer with it. */
	display->reshaped = true;
	pthread_mutex_unlock(&display->lock);
	spice_qxl_wakeup(&display->instance);
}

int spice_display_attach(struct spice_display *display, SpiceServer *server)
{
	QXLDevMemSlot everything = {.virt_end = UINTPTR_MAX};

	display->instance.base.sif = &interface.base;
	if (spice_server_add_interface(server, &display->instance.base))
		return -EINVAL;
	spice_qxl_add_memslot(&display->instance, &everything);
	return 0;
}

void spice_display_watch(struct spice_display *display)
{
	bool watched;

	pthread_mutex_lock(&display->lock);
	watched = display->watched;
	display->watched = true;
	pthread_mutex_unlock(&display->lock);
	if (!watched)
		spice_display_adapt(display);
}

void spice_display_rest(struct spice_display *display)
{
	pthread_mutex_lock(&display->lock);
	display->watched = false;
	display->shown = 0;
	g_array_set_size(display->rects, 0);
	damage_add_all(&display->damage);
	pthread_mutex_unlock(&display->lock);
	spice_surface_destroy(&display->surface, &display->instance);
}

void spice_display_join(struct spice_display *display)
{
	/* No commands, but the call waits for the worker, whose messages keep their order. */
	spice_qxl_loadvm_commands(&display->instance, NULL, 0);
}

bool spice_display_is_open(struct spice_display *display)
{
	struct spice_display_asked before, after;

	pthread_mutex_lock(&display->lock);
	before = display->asked;
	pthread_mutex_unlock(&display->lock);
	/* The worker looks at its channels, and for commands, between these two. */
	spice_display_join(display);
	g_usleep(JOIN_US);
	spice_display_join(display);
	pthread_mutex_lock(&display->lock);
	after = display->asked;
	pthread_mutex_unlock(&display->lock);
	return before.draws != after.draws && before.cursors != after.cursors;
}

/* One command replaces all that were not taken, and makes those that are held superfluous. */
static void join_changes(struct spice_display *display)
{
	if (!has_changes(display))
		return;
	g_array_set_size(display->rects, 0);
	damage_add_all(&display->damage);
}

void spice_display_settle(struct spice_display *display)
{
	struct QXLRect area = {0};
	bool full, more = true;

	for (int i = 0; i < SETTLE_ROUNDS && more; i++) {
		pthread_mutex_lock(&display->lock);
		join_changes(display);
		area.right = (int32_t)display->frame->width;
		area.bottom = (int32_t)display->frame->height;
		full = is_full(display);
		more = is_shown(display);
		pthread_mutex_unlock(&display->lock);
		if (more && full)
			spice_qxl_oom(&display->instance);
		if (more)
			spice_qxl_update_area(&display->instance, SPICE_SURFACE, &area, NULL, 0, 0);
		more = more && !spice_display_is_idle(display);
	}
}

void spice_display_turn(struct spice_display *display)
{
	bool wakes, frees;

	pthread_mutex_lock(&display->lock);
	wakes = display->wakes;
	frees = display->frees;
	display->wakes = display->frees = false;
	if (frees)
		display->counts.oom++;
	pthread_mutex_unlock(&display->lock);
	if (frees)
		spice_qxl_oom(&display->instance);
	if (wakes)
		spice_qxl_wakeup(&display->instance);
}

bool spice_display_tick(struct spice_display *display)
{
	bool stuck, full, moves;

	pthread_mutex_lock(&display->lock);
	stuck = has_changes(display) && is_shown(display);
	full = stuck && is_full(display);
	if (full)
		display->counts.oom++;
	moves = !stuck || display->counts.drawn != display->ticked;
	display->ticked = display->counts.drawn;
	pthread_mutex_unlock(&display->lock);
	if (full)
		spice_qxl_oom(&display->instance);
	else if (stuck)
		spice_qxl_wakeup(&display->instance);
	return moves;
}

/* Any thread. */

static void wake(struct spice_display *display)
{
	bool asks;

	pthread_mutex_lock(&display->lock);
	asks = display->watched && wants(display, &display->wakes);
	pthread_mutex_unlock(&display->lock);
	if (asks)
		display->ops->needed(display->data);
}

int spice_display_resize(struct spice_display *display, struct frame *frame)
{
	struct damage damage;
	int r = damage_init(&damage, frame->width, frame->height);

	if (r)
		return r;
	damage_add_all(&damage);
	pthread_mutex_lock(&display->lock);
	damage_finish(&display->damage);
	display->damage = damage;
	g_array_set_size(display->rects, 0);
	frame_acquire(frame);
	frame_release(display->frame);
	display->frame = frame;
	pthread_mutex_unlock(&display->lock);
	return 0;
}

void spice_display_damage(struct spice_display *display, const struct damage *damage)
{
	pthread_mutex_lock(&display->lock);
	if (damage->width == display->damage.width && damage->height == display->damage.height)
		damage_merge(&display->damage, damage);
	pthread_mutex_unlock(&display->lock);
	wake(display);
}

void spice_display_pointer(struct spice_display *display, struct pointer *shape, int32_t x,
			   int32_t y)
{
	struct pointer *old;

	pthread_mutex_lock(&display->lock);
	old = display->shape;
	display->reshaped |= shape != old;
	display->moved |= display->x != x || display->y != y;
	display->shape = pointer_acquire(shape);
	display->x = x;
	display->y = y;
	pthread_mutex_unlock(&display->lock);
	pointer_release(old);
	wake(display);
}

bool spice_display_is_idle(struct spice_display *display)
{
	bool idle;

	pthread_mutex_lock(&display->lock);
	idle = !display->watched || (!has_changes(display) && is_shown(display));
	pthread_mutex_unlock(&display->lock);
	return idle;
}

static void count_cells(const struct detile_rect *rect, size_t *cells)
{
	*cells += (size_t)((rect->width + DETILE_CELL_WIDTH - 1) / DETILE_CELL_WIDTH) *
		  ((rect->height + DETILE_CELL_HEIGHT - 1) / DETILE_CELL_HEIGHT);
}

size_t spice_display_pending(struct spice_display *display)
{
	size_t cells;

	pthread_mutex_lock(&display->lock);
	cells = damage_count(&display->damage);
	for (guint i = 0; i < display->rects->len; i++)
		count_cells(&g_array_index(display->rects, struct detile_rect, i), &cells);
	pthread_mutex_unlock(&display->lock);
	return cells;
}

void spice_display_count(struct spice_display *display, struct spice_display_counts *counts)
{
	pthread_mutex_lock(&display->lock);
	*counts = display->counts;
	pthread_mutex_unlock(&display->lock);
}

struct spice_display *spice_display_create(struct frame *frame, const struct spice_display_ops *ops,
					   void *data)
{
	struct spice_display *display = g_new0(struct spice_display, 1);

	if (damage_init(&display->damage, frame->width, frame->height)) {
		g_free(display);
		return NULL;
	}
	damage_add_all(&display->damage);
	pthread_mutex_init(&display->lock, NULL);
	display->rects = g_array_new(FALSE, FALSE, sizeof(struct detile_rect));
	display->frame = frame_acquire(frame);
	display->ops = ops;
	display->data = data;
	return display;
}

void spice_display_destroy(struct spice_display *display)
{
	if (!display)
		return;
	frame_release(display->frame);
	pointer_release(display->shape);
	damage_finish(&display->damage);
	g_array_unref(display->rects);
	pthread_mutex_destroy(&display->lock);
	spice_surface_finish(&display->surface);
	g_free(display);
}
