/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input_qmp.h"

#include <string.h>

#include "log.h"
#include "member.h"
#include "qmp.h"
#include "scancode.h"

#define IN_FLIGHT   4u  /* commands without an answer */
#define BATCH       32u /* events a command */
#define WHEEL_STEPS 8   /* of one event; more are somebody's flood */
#define ASK_AGAIN   G_TIME_SPAN_SECOND
#define SCANCODES   256u
#define DISTANCE    65536 /* pixels at once, at most */

enum event_kind {
	EVENT_KEY,
	EVENT_BUTTON,
	EVENT_POSITION,
	EVENT_MOTION,
	EVENT_WHEEL,
};

struct event {
	enum event_kind kind;
	uint16_t code; /* scancode, or button */
	bool down;
	int32_t x, y, dx, dy;
};

struct input_qmp {
	struct input_sink sink; /* first: ops get it */
	GSource *flush;         /* of the main context, woken by its ready time */

	GMutex lock; /* of what the hub's threads touch */
	GArray *queue;
	bool online;
	bool keys[SCANCODES]; /* down for the guest, once all that was queued has come to it */
	unsigned int buttons; /* likewise */

	/* Main context. */
	struct qmp *qmp;
	bool negotiated, absolute, complained;
	unsigned int in_flight;
	gint64 asked_us; /* for mice */
};

/* The queue: called by the hub, from any thread. */

/* Positions and motions follow each other by the hundred: one has it all. */
static bool coalesce(struct input_qmp *to, const struct event *event)
{
	struct event *last;

	if (!to->queue->len || (event->kind != EVENT_POSITION && event->kind != EVENT_MOTION))
		return false;
	last = &g_array_index(to->queue, struct event, to->queue->len - 1);
	if (last->kind != event->kind)
		return false;
	last->x = event->x;
	last->y = event->y;
	last->dx = CLAMP((gint64)last->dx + event->dx, -DISTANCE, DISTANCE);
	last->dy = CLAMP((gint64)last->dy + event->dy, -DISTANCE, DISTANCE);
	return true;
}

static bool is_held(const struct input_qmp *to, const struct event *event)
{
	return event->kind == EVENT_KEY ? to->keys[event->code] : to->buttons & event->code;
}

static void note_held(struct input_qmp *to, const struct event *event)
{
	if (event->kind == EVENT_KEY)
		to->keys[event->code] = event->down;
	else if (event->down)
		to->buttons |= event->code;
	else
		to->buttons &= ~(unsigned int)event->code;
}

static void append(struct input_qmp *to, const struct event *event)
{
	bool held = event->kind == EVENT_KEY || event->kind == EVENT_BUTTON;

	/* Releases always fit: they are as many as keys are down at most. */
	if (held && !event->down ? !is_held(to, event) : to->queue->len >= INPUT_QMP_QUEUE)
		return;
	if (held)
		note_held(to, event);
	g_array_append_vals(to->queue, event, 1);
}

static void push(struct input_sink *sink, const struct event *event)
{
	struct input_qmp *to = (struct input_qmp *)sink;

	g_mutex_lock(&to->lock);
	if (to->online && !coalesce(to, event))
		append(to, event);
	g_mutex_unlock(&to->lock);
}

static void qmp_key(struct input_sink *sink, uint16_t code, bool down)
{
	struct event event = {EVENT_KEY, scancode_from_key(code), down, 0, 0, 0, 0};

	if (event.code)
		push(sink, &event);
}

static void qmp_position(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	push(sink, &(struct event){EVENT_POSITION, 0, false, x, y, dx, dy});
}

static void qmp_motion(struct input_sink *sink, int32_t dx, int32_t dy)
{
	push(sink, &(struct event){EVENT_MOTION, 0, false, 0, 0, dx, dy});
}

static void qmp_button(struct input_sink *sink, enum input_button button, bool down)
{
	push(sink, &(struct event){EVENT_BUTTON, (uint16_t)button, down, 0, 0, 0, 0});
}

static void qmp_wheel(struct input_sink *sink, int32_t dx, int32_t dy)
{
	push(sink, &(struct event){EVENT_WHEEL, 0, false, 0, 0, dx, dy});
}

static void qmp_sync(struct input_sink *sink)
{
	g_source_set_ready_time(((struct input_qmp *)sink)->flush, 0);
}

/* The words. */

static void begin_event(JsonBuilder *json, const char *type)
{
	json_builder_begin_object(json);
	member_string(json, "type", type);
	member_object(json, "data");
}

static void end_event(JsonBuilder *json)
{
	json_builder_end_object(json);
	json_builder_end_object(json);
}

static void add_button(JsonBuilder *json, const char *button, bool down)
{
	begin_event(json, "btn");
	member_bool(json, "down", down);
	member_string(json, "button", button);
	end_event(json);
}

static void add_axis(JsonBuilder *json, const char *type, const char *axis, int32_t value)
{
	begin_event(json, type);
	member_string(json, "axis", axis);
	member_int(json, "value", value);
	end_event(json);
}

static const char *button_name(uint16_t button)
{
	switch (button) {
	case INPUT_LEFT:
		return "left";
	case INPUT_MIDDLE:
		return "middle";
	case INPUT_RIGHT:
		return "right";
	case INPUT_SIDE:
		return "side";
	default:
		return "extra";
	}
}

static void add_key(JsonBuilder *json, uint16_t scancode, bool down)
{
	begin_event(json, "key");
	member_bool(json, "down", down);
	member_object(json, "key");
	member_string(json, "type", "number");
	member_int(json, "data", scancode);
	json_builder_end_object(json);
	end_event(json);
}

/* A step of the wheel is a click. */
static void add_wheel(JsonBuilder *json, const char *button, int32_t steps)
{
	for (int32_t i = 0; i < MIN(steps, WHEEL_STEPS); i++) {
		add_button(json, button, true);
		add_button(json, button, false);
	}
}

static void add_event(JsonBuilder *json, const struct event *event, bool absolute)
{
	switch (event->kind) {
	case EVENT_KEY:
		add_key(json, event->code, event->down);
		break;
	case EVENT_BUTTON:
		add_button(json, button_name(event->code), event->down);
		break;
	case EVENT_POSITION:
		if (absolute) {
			add_axis(json, "abs", "x", event->x);
			add_axis(json, "abs", "y", event->y);
			break;
		}
		/* fall through */
	case EVENT_MOTION:
		if (event->dx)
			add_axis(json, "rel", "x", event->dx);
		if (event->dy)
			add_axis(json, "rel", "y", event->dy);
		break;
	case EVENT_WHEEL:
		add_wheel(json, event->dy < 0 ? "wheel-up" : "wheel-down", ABS(event->dy));
		add_wheel(json, event->dx < 0 ? "wheel-left" : "wheel-right", ABS(event->dx));
		break;
	}
}

/* The monitor. */

/* QEMU refuses a command whole when one of its events has no device, or is younger than it is. */
static unsigned int group_of(const struct event *event)
{
	return event->kind == EVENT_KEY ? 0 : event->kind == EVENT_WHEEL ? 1 : 2;
}

static void take_events(struct input_qmp *to, JsonBuilder *json)
{
	guint count = 0;

	g_mutex_lock(&to->lock);
	while (count < MIN(to->queue->len, BATCH)) {
		struct event *event = &g_array_index(to->queue, struct event, count);

		if (group_of(event) != group_of(&g_array_index(to->queue, struct event, 0)))
			break;
		add_event(json, event, to->absolute);
		count++;
	}
	if (count)
		g_array_remove_range(to->queue, 0, count);
	g_mutex_unlock(&to->lock);
}

/* The first events of the queue, as one command. */
static char *next_command(struct input_qmp *to)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *root;
	char *text;

	json_builder_begin_object(json);
	member_string(json, "execute", "input-send-event");
	member_object(json, "arguments");
	member_array(json, "events");
	take_events(to, json);
	json_builder_end_array(json);
	json_builder_end_object(json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	text = json_to_string(root, FALSE);
	json_node_unref(root);
	g_object_unref(json);
	return text;
}

static void send_command(struct input_qmp *to, const char *command)
{
	to->in_flight++;
	qmp_send(to->qmp, command);
}

static void ask_for_mice(struct input_qmp *to)
{
	to->asked_us = g_get_monotonic_time();
	send_command(to, "{\"execute\":\"query-mice\"}");
}

static bool has_events(struct input_qmp *to)
{
	bool has;

	g_mutex_lock(&to->lock);
	has = to->online && to->queue->len;
	g_mutex_unlock(&to->lock);
	return has;
}

static void flush(struct input_qmp *to, unsigned int most)
{
	if (has_events(to) && to->in_flight < most &&
	    g_get_monotonic_time() - to->asked_us >= ASK_AGAIN)
		ask_for_mice(to);
	while (to->in_flight < most && has_events(to)) {
		char *command = next_command(to);

		send_command(to, command);
		g_free(command);
	}
}

static gboolean on_flush(gpointer data)
{
	struct input_qmp *to = data;

	g_source_set_ready_time(to->flush, -1);
	flush(to, IN_FLIGHT);
	return G_SOURCE_CONTINUE;
}

static bool flag(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_boolean(node);
}

/* The one that is current gets the events. */
static void note_mice(struct input_qmp *to, JsonArray *mice)
{
	for (guint i = 0; i < json_array_get_length(mice); i++) {
		JsonNode *node = json_array_get_element(mice, i);

		if (JSON_NODE_HOLDS_OBJECT(node) && flag(json_node_get_object(node), "current"))
			to->absolute = flag(json_node_get_object(node), "absolute");
	}
}

/* What was down when the monitor went has been let go of meanwhile. */
static void release_all(struct input_qmp *to)
{
	for (uint16_t code = 0; code < SCANCODES; code++)
		append(to, &(struct event){EVENT_KEY, code, false, 0, 0, 0, 0});
	for (uint16_t i = 0; i < INPUT_BUTTONS; i++)
		append(to, &(struct event){EVENT_BUTTON, (uint16_t)(1 << i), false, 0, 0, 0, 0});
}

static void go_online(struct input_qmp *to)
{
	bool was;

	g_mutex_lock(&to->lock);
	was = to->online;
	if (!was)
		release_all(to);
	to->online = true;
	g_mutex_unlock(&to->lock);
	qmp_proved(to->qmp);
	if (!was)
		log_info("input: QEMU's monitor takes it");
}

static void note_answer(struct input_qmp *to, JsonObject *answer)
{
	JsonNode *value = json_object_get_member(answer, "return");
	bool is_mice = value && JSON_NODE_HOLDS_ARRAY(value);

	if (to->in_flight)
		to->in_flight--;
	if (is_mice)
		note_mice(to, json_node_get_array(value));
	if (!value && !to->complained) {
		to->complained = true;
		log_warning("input: QEMU refuses some input (has the machine no such device, or is "
			    "it paused?)");
	}
	if (is_mice && to->negotiated)
		go_online(to);
	flush(to, IN_FLIGHT);
}

static void on_said(JsonObject *object, void *data)
{
	struct input_qmp *to = data;

	if (json_object_has_member(object, "QMP") && !to->negotiated) {
		to->negotiated = true;
		send_command(to, "{\"execute\":\"qmp_capabilities\"}");
		ask_for_mice(to);
	} else if (json_object_has_member(object, "return") ||
		   json_object_has_member(object, "error")) {
		note_answer(to, object);
	}
}

static void on_lost(void *data)
{
	struct input_qmp *to = data;

	to->negotiated = to->complained = false;
	to->in_flight = 0;
	g_mutex_lock(&to->lock);
	to->online = false;
	g_array_set_size(to->queue, 0);
	g_mutex_unlock(&to->lock);
}

/* The last releases go out without waiting for answers. */
static void qmp_close(struct input_sink *sink)
{
	struct input_qmp *to = (struct input_qmp *)sink;

	flush(to, INPUT_QMP_QUEUE);
	qmp_destroy(to->qmp);
	g_source_destroy(to->flush);
	g_source_unref(to->flush);
	g_array_unref(to->queue);
	g_mutex_clear(&to->lock);
	g_free(to);
}

static const struct input_sink_ops qmp_ops = {
	.name = "qmp",
	.key = qmp_key,
	.position = qmp_position,
	.motion = qmp_motion,
	.button = qmp_button,
	.wheel = qmp_wheel,
	.sync = qmp_sync,
	.close = qmp_close,
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	(void)source;
	return callback(data);
}

static GSourceFuncs flush_funcs = {.dispatch = dispatch};

struct input_sink *input_qmp_create(const char *path)
{
	static const struct qmp_events events = {.said = on_said, .lost = on_lost};
	struct input_qmp *to = g_new0(struct input_qmp, 1);

	to->sink.ops = &qmp_ops;
	g_mutex_init(&to->lock);
	to->queue = g_array_new(FALSE, FALSE, sizeof(struct event));
	to->absolute = true;
	to->flush = g_source_new(&flush_funcs, sizeof(GSource));
	g_source_set_callback(to->flush, on_flush, to, NULL);
	g_source_attach(to->flush, NULL);
	to->qmp = qmp_create(path, &events, to);
	return &to->sink;
}
