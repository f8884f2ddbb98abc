/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A browser from its first byte to the upgrade of its connection. Input: whether it comes from a
 * machine's socket file, how to cut, then what it says. Nothing outside of the folder is served,
 * and only a page of ours gets a WebSocket.
 */
#include "http.h"

#include <glib/gstdio.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "line.h"

#define PROOF "core/rfb.js" /* that it is noVNC's folder */

static struct http *http;
static bool over;

static void served(void *data)
{
	(void)data;
}

static void upgraded(void *data, struct pump *pump, int plain)
{
	(void)data;
	close(plain);
	pump_destroy(pump);
	over = true;
}

static void gone(void *data)
{
	(void)data;
	over = true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const hosts[] = {"vnc.example.org", NULL};
	char *folder = g_dir_make_tmp("planecast-fuzz.XXXXXX", NULL), *core, *file;
	const struct http_options options = {
		.root = folder,
		.hosts = hosts,
		.served = served,
		.upgraded = upgraded,
		.gone = gone,
	};

	(void)argc;
	(void)argv;
	fuzz_expect(folder != NULL);
	core = g_build_filename(folder, "core", NULL);
	file = g_build_filename(folder, PROOF, NULL);
	fuzz_expect(!g_mkdir(core, 0700) &&
		    g_file_set_contents(file, "export default 1;\n", -1, NULL));
	fuzz_expect(!http_create(&options, &http, NULL));
	fuzz_expect(!g_unlink(file) && !g_rmdir(core) && !g_rmdir(folder));
	g_free(core);
	g_free(file);
	g_free(folder);
	return 0;
}

/*
 * A connection over TCP, as browsers have, which is what Host and Origin are judged for. Thousands
 * of them a second: at an address where nobody else listens.
 */
static int dial(struct line *line)
{
	struct sockaddr_in name = {.sin_family = AF_INET}, own;
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	name.sin_addr.s_addr = htonl(0x7f4d0001);
	own = name;
	*line = (struct line){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	fuzz_expect(listener >= 0 && line->fd >= 0);
	fuzz_expect(!bind(listener, (struct sockaddr *)&name, length) && !listen(listener, 1) &&
		    !getsockname(listener, (struct sockaddr *)&name, &length));
	fuzz_expect(!bind(line->fd, (struct sockaddr *)&own, sizeof(own)) &&
		    !connect(line->fd, (struct sockaddr *)&name, length));
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	fuzz_expect(fd >= 0);
	close(listener);
	return fd;
}

static void turn(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	bool local = fuzz_number(&fuzz, 1) & 1;
	uint32_t cuts = (uint32_t)fuzz_number(&fuzz, 2);
	struct line line;

	over = !http_visit(http, local ? line_open(&line) : dial(&line), NULL, &over);
	fuzz_expect(!over);
	while (fuzz.left && !over && !line.over) {
		size_t most = cuts ? 1 + (cuts = cuts * 1664525u + 1013904223u) % 97 : 4096;
		const uint8_t *bytes;
		size_t length = fuzz_take(&fuzz, most, &bytes);

		line_say(&line, bytes, length);
		turn();
		line_take(&line);
	}
	line_say_no_more(&line);
	while (!over) {
		g_main_context_iteration(NULL, TRUE);
		line_take(&line);
	}
	line_end(&line);
	turn();
	return 0;
}
