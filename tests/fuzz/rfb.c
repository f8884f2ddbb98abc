/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client from its first byte on: through the door (with or without passwords, users,
 * VeNCrypt, a WebSocket) to the sink that shows it a screen. Input: the way in (bits, below), the
 * screen (what it does meanwhile), how to cut, then what the client says.
 *
 * All ends when the client does: no thread, no guest and no reference is left behind.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "clipboard.h"
#include "fuzz.h"
#include "input.h"
#include "line.h"
#include "pointer.h"
#include "tests/unit/stage.h"
#include "tls_stream.h"
#include "web_stream.h"
#include "websocket.h"

#define WAYS 5
enum way {
	WAY_PLAIN,   /* the bytes as they are */
	WAY_FRAMES,  /* a WebSocket, the bytes are its frames */
	WAY_BROWSER, /* a WebSocket that speaks well, the bytes are its messages */
	WAY_TLS,     /* VeNCrypt with TLS that speaks well, the bytes are within */
	WAY_WEB_TLS, /* TLS, and a WebSocket that speaks well in it */
};
#define WITH_USERS    0x20u
#define WITH_PASSWORD 0x40u
#define WITH_TLS      0x80u

#define SCREEN_POINTER 1u /* there is a pointer */
#define SCREEN_PAINTS  2u /* between the pieces */
#define SCREEN_RESIZES 4u
#define SCREEN_COPIES  8u /* somebody else does */

/* A house for each of: without anything, with passwords, with TLS, with users, and all of these. */
static struct house {
	struct stage stage;
	struct clipboard *clipboard;
	struct input *input;
} houses[8];
static struct certificate *certificate;
static struct users *users;
static struct pointer *shape;
static const struct passwords passwords = {
	.full = "full", .view = "view", .has_full = TRUE, .has_view = TRUE};

/* Every client gets the same challenge, so that an input may have the answer. */
gboolean __wrap_password_challenge(uint8_t challenge[PASSWORD_CHALLENGE]);
gboolean __wrap_password_challenge(uint8_t challenge[PASSWORD_CHALLENGE])
{
	memset(challenge, 0, PASSWORD_CHALLENGE);
	return TRUE;
}

/* Users whose names begin with f are full ones, those with v view only, others are unknown. */
static enum password_verdict check_user(void *data, const char *name, const char *password)
{
	(void)data;
	fuzz_expect(strlen(name) <= USERS_NAME && strlen(password) <= USERS_PASSWORD);
	return *name == 'f' ? PASSWORD_FULL : *name == 'v' ? PASSWORD_VIEW : PASSWORD_WRONG;
}

/* The guest: nobody. */

static void on_key(struct input_sink *sink, uint16_t code, bool down)
{
	(void)sink;
	(void)down;
	fuzz_expect(code);
}

static void on_position(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	(void)sink;
	(void)dx;
	(void)dy;
	fuzz_expect(x <= INPUT_POSITION_MAX && y <= INPUT_POSITION_MAX);
}

static void on_move(struct input_sink *sink, int32_t dx, int32_t dy)
{
	(void)sink;
	(void)dx;
	(void)dy;
}

static void on_button(struct input_sink *sink, enum input_button button, bool down)
{
	(void)sink;
	(void)down;
	fuzz_expect(button);
}

static void on_end(struct input_sink *sink)
{
	(void)sink;
}

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return keysym % 768;
}

static void open_house(struct house *house, bool password, bool tls, bool user)
{
	static const struct input_sink_ops ops = {"nobody",  on_key,  on_position, on_move,
						  on_button, on_move, on_end,      on_end};
	static struct input_sink nobody[G_N_ELEMENTS(houses)];
	struct input_sink *sink = &nobody[house - houses];
	struct vnc_options options = {
		.name = "fuzz",
		.passwords = password ? &passwords : NULL,
		.users = user ? users : NULL,
		.certificate = tls ? certificate : NULL,
		.flood_percent = 100000, /* how fast this machine is decides nothing */
	};

	sink->ops = &ops;
	house->input = options.input = input_create(sink, code_of, NULL);
	house->clipboard = options.clipboard = clipboard_create();
	stage_open(&house->stage, &options, 64, 48);
	alarm(0); /* the stage's own: libFuzzer watches the time */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *folder = g_dir_make_tmp("planecast-fuzz.XXXXXX", NULL), *file, *key;
	const uint32_t pixels[4] = {0xffffffff, 0x80404040, 0, 0xff112233};

	(void)argc;
	(void)argv;
	fuzz_expect(folder && !certificate_open_own(folder, &certificate, NULL));
	file = g_build_filename(folder, "certificate.pem", NULL);
	key = g_build_filename(folder, "key.pem", NULL);
	fuzz_expect(!g_unlink(file) && !g_unlink(key) && !g_rmdir(folder));
	shape = pointer_create(2, 2, 1, 1, pixels, 2 * sizeof(*pixels));
	users = users_ask(check_user, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(houses); i++)
		open_house(&houses[i], i & 1, i & 2, i & 4);
	g_free(file);
	g_free(key);
	g_free(folder);
	return 0;
}

/* At the door. */

/* Puts a WebSocket between the server's end and the door. */
static void put_websocket(struct door_stranger *stranger, struct pump *tls)
{
	int wire = tls ? pump_wire(tls) : stranger->fd;
	const struct pump_ops *under = tls ? &web_stream_tls_ops : &web_stream_plain_ops;
	void *stream = web_stream_new(under,
				      tls ? web_stream_tls_new(stranger->fd, tls)
					  : web_stream_plain_new(stranger->fd),
				      NULL, 0);

	fuzz_expect(!pump_create(&web_stream_ops, stream, wire, &stranger->pump, &stranger->fd));
}

/*
 * As its own host: wrong passwords make nobody wait. As encrypted, so that
 * Plain is there without VeNCrypt's own TLS, too.
 */
static void enter(struct house *house, struct line *line, enum way way)
{
	static unsigned int number;
	char *peer = g_strdup_printf("fuzz %u", number++);
	struct door_stranger stranger = {.fd = line_open(line),
					 .peer = peer,
					 .host = peer,
					 .local = true,
					 .encrypted = way != WAY_TLS};
	struct pump *tls = NULL;

	if (way == WAY_WEB_TLS)
		fuzz_expect(!tls_stream_pump(stranger.fd, certificate, &tls, &stranger.fd));
	if (way == WAY_FRAMES || way == WAY_BROWSER || way == WAY_WEB_TLS)
		put_websocket(&stranger, tls);
	door_adopt(vnc_door(house->stage.sink), &stranger);
	if (way == WAY_WEB_TLS)
		line_secure(line);
	g_free(peer);
}

/* VeNCrypt's first words, up to TLS: with the sub-type that is offered, or another one. */
static bool knock(struct line *line, bool other)
{
	uint8_t bytes[256], type[4] = {0, 0, 1, 1};

	if (!line_hear(line, bytes, 12) || !line_say(line, "RFB 003.008\n\x13", 13) ||
	    !line_hear(line, bytes, 1) || !line_hear(line, bytes + 1, bytes[0]) ||
	    !line_hear(line, bytes, 2) || !line_say(line, "\0\2", 2) ||
	    !line_hear(line, bytes, 2) || !line_hear(line, bytes + 2, 4u * bytes[1]))
		return false;
	memcpy(type, bytes + 2 + (other ? 4 * (bytes[1] - 1) : 0), 4);
	return line_say(line, type, 4) && line_hear(line, bytes, 1) && bytes[0] == 1 &&
	       line_secure(line);
}

/* Inside. */

static void say_message(struct line *line, const uint8_t *bytes, size_t size)
{
	uint8_t header[8] = {0x80 | WEBSOCKET_BINARY, 0xfe, (uint8_t)(size >> 8), (uint8_t)size};

	line_say(line, header, sizeof(header)); /* masked with zeros */
	line_say(line, bytes, size);
}

static void go_on(struct house *house, uint32_t screen, unsigned int step)
{
	struct stage *stage = &house->stage;

	if (screen & SCREEN_PAINTS)
		stage_paint(stage, step * 13 % 60, step * 7 % 40, 20, 11);
	if (screen & SCREEN_RESIZES)
		stage_resize(stage, 40 + step % 5 * 9, 30 + step % 3 * 11);
	if (screen & SCREEN_POINTER)
		stage_point(stage, step % 4 ? shape : NULL, (int32_t)(step % 70) - 3, 5);
	if (screen & SCREEN_COPIES) {
		GBytes *text = g_bytes_new_static("copied \xc3\xbc", 9);

		clipboard_set(house->clipboard, text, NULL);
		g_bytes_unref(text);
	}
}

static bool nobody_is_there(struct house *house)
{
	struct vnc_counts counts;

	vnc_count(house->stage.sink, &counts);
	return !counts.clients && !counts.door.underway && !counts.door.guests;
}

static void talk(struct house *house, struct line *line, enum way way, struct fuzz *fuzz,
		 uint32_t screen, uint32_t cuts)
{
	for (unsigned int step = 0; fuzz->left && !line->over && step < 64; step++) {
		size_t most = cuts ? 1 + (cuts = cuts * 1664525u + 1013904223u) % 61 : 4096;
		const uint8_t *bytes;
		size_t size = fuzz_take(fuzz, most, &bytes);

		if (way == WAY_BROWSER || way == WAY_WEB_TLS)
			say_message(line, bytes, size);
		else
			line_say(line, bytes, size);
		go_on(house, screen, step);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	uint32_t head = (uint32_t)fuzz_number(&fuzz, 1), screen = (uint32_t)fuzz_number(&fuzz, 1),
		 cuts = (uint32_t)fuzz_number(&fuzz, 2);
	enum way way = (head & 0x0f) % WAYS;
	bool password = head & WITH_PASSWORD, tls = head & WITH_TLS || way == WAY_TLS;
	struct house *house = &houses[password | tls << 1 | !!(head & WITH_USERS) << 2];
	unsigned int threads = fuzz_threads();
	struct line line;

	enter(house, &line, way);
	if (way != WAY_TLS || knock(&line, head & 0x10))
		talk(house, &line, way, &fuzz, screen, cuts);
	line_end(&line);
	while (!nobody_is_there(house))
		g_usleep(50);
	fuzz_settle(threads);
	return 0;
}
