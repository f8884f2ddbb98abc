/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first words of a SPICE client, through the gate to spice-server, up to the ticket that it is
 * asked for. Input: bits (below), how to cut, then what is said.
 *
 * Nobody gets through, since a ticket is encrypted for the key of the moment. What those who do may
 * say is test_spice_guard's and test_spice_hostile's.
 */
#include "spice_sink.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "input.h"
#include "line.h"
#include "member.h"
#include "pointer.h"

#define BEHIND_TLS 1u
#define CHANGES    4u /* the screen, between the pieces */
#define RESIZES    8u

static struct sink *sink;
static struct frame *frame;
static struct pointer *shape;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static GMutex lock; /* of what follows: pokes come from any thread */
static GCond poked;
static bool due;

static void on_poke(void *data)
{
	(void)data;
	g_mutex_lock(&lock);
	due = true;
	g_cond_signal(&poked);
	g_mutex_unlock(&lock);
}

/* The screen of a sink: a pass whenever it is poked. */
static gpointer capture(gpointer data)
{
	struct sink_demand demand;

	(void)data;
	for (;;) {
		g_mutex_lock(&lock);
		while (!due)
			g_cond_wait(&poked, &lock);
		due = false;
		g_mutex_unlock(&lock);
		sink->ops->demand(sink, &demand);
		sink->ops->captured(sink);
	}
	return NULL;
}

/* A guest that has all that is typed in mind, and does nothing. */

static void on_key(struct input_sink *to, uint16_t code, bool down)
{
	(void)to;
	(void)down;
	fuzz_expect(code);
}

static void on_position(struct input_sink *to, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	(void)to;
	(void)dx;
	(void)dy;
	fuzz_expect(x <= INPUT_POSITION_MAX && y <= INPUT_POSITION_MAX);
}

static void on_move(struct input_sink *to, int32_t dx, int32_t dy)
{
	(void)to;
	(void)dx;
	(void)dy;
}

static void on_button(struct input_sink *to, enum input_button button, bool down)
{
	(void)to;
	(void)down;
	fuzz_expect(button);
}

static void on_end(struct input_sink *to)
{
	(void)to;
}

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return keysym % 768;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct input_sink_ops ops = {"nobody",  on_key,  on_position, on_move,
						  on_button, on_move, on_end,      on_end};
	static struct input_sink nobody = {.ops = &ops};
	char *folder = g_dir_make_tmp("planecast-fuzz.XXXXXX", NULL), *path, *file, *key;
	const uint32_t pixels[4] = {0xffffffff, 0x80404040, 0, 0xff112233};
	struct spice_options options = {.clients = 8, .link_ms = 100000, .stall_ms = 100000};

	(void)argc;
	(void)argv;
	fuzz_expect(folder && !certificate_open_own(folder, &options.certificate, NULL));
	options.input = input_create(&nobody, code_of, NULL);
	frame = frame_create(64, 48);
	shape = pointer_create(2, 2, 1, 1, pixels, 2 * sizeof(*pixels));
	fuzz_expect(!spice_create(&options, frame, &sink, NULL));
	sink->poke = on_poke;
	path = g_strdup_printf("unix:%s/spice", folder);
	fuzz_expect(!spice_listen(sink, path, NULL));
	g_strlcpy(address.sun_path, path + strlen("unix:"), sizeof(address.sun_path));
	file = g_build_filename(folder, "certificate.pem", NULL);
	key = g_build_filename(folder, "key.pem", NULL);
	fuzz_expect(!g_unlink(file) && !g_unlink(key));
	g_thread_unref(g_thread_new("capture", capture, NULL));
	g_free(file);
	g_free(key);
	g_free(path);
	g_free(folder);
	return 0;
}

static void dial(struct line *line)
{
	*line = (struct line){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	fuzz_expect(line->fd >= 0);
	fuzz_expect(!connect(line->fd, (struct sockaddr *)&address, sizeof(address)));
}

/* The links that are there now, by the sink's own word. */
static gint64 count_links(void)
{
	JsonBuilder *json = json_builder_new();
	JsonNode *root;
	gint64 links;

	json_builder_begin_object(json);
	sink->ops->describe(sink, json);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	links = json_object_get_int_member(json_node_get_object(root), "links");
	json_node_unref(root);
	g_object_unref(json);
	return links;
}

static void change(uint32_t bits, unsigned int step)
{
	const struct detile_rect rect = {step * 13 % 40, step * 7 % 20, 20, 11};
	struct damage damage;

	if (bits & RESIZES && step % 4 == 3) {
		struct frame *old = frame;

		frame = frame_create(40 + step % 5 * 9, 30 + step % 3 * 11);
		fuzz_expect(frame && !sink->ops->resize(sink, frame));
		frame_release(old);
	}
	fuzz_expect(!damage_init(&damage, frame->width, frame->height));
	damage_add(&damage, &rect);
	sink->ops->wake(sink, &damage, NULL);
	damage_finish(&damage);
	sink->ops->pointer(sink, step % 4 ? shape : NULL, (int32_t)(step % 70) - 3, 5);
}

static void talk(struct line *line, struct fuzz *fuzz, uint32_t bits, uint32_t cuts)
{
	for (unsigned int step = 0; fuzz->left && !line->over && step < 64; step++) {
		size_t most = cuts ? 1 + (cuts = cuts * 1664525u + 1013904223u) % 97 : 4096;
		const uint8_t *bytes;
		size_t size = fuzz_take(fuzz, most, &bytes);

		line_say(line, bytes, size);
		if (bits & (CHANGES | RESIZES))
			change(bits, step);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	uint32_t bits = (uint32_t)fuzz_number(&fuzz, 1), cuts = (uint32_t)fuzz_number(&fuzz, 2);
	unsigned int threads = fuzz_threads();
	struct line line;

	dial(&line);
	if (!(bits & BEHIND_TLS) || line_secure(&line))
		talk(&line, &fuzz, bits, cuts);
	line_end(&line);
	while (count_links())
		g_usleep(50);
	fuzz_settle(threads);
	return 0;
}
