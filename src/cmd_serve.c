/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>

#include "log.h"
#include "screen.h"
#include "vnc.h"

#define DEFAULT_ADDRESS "127.0.0.1:5900"
#define MAX_FPS         240
#define MAX_CLIENTS     256

struct serve_options {
	char **vnc, *palette;
	gboolean own, verbose;
	int max_fps, max_clients;
};

static int parse(int *argc, char ***argv, struct serve_options *options)
{
	const GOptionEntry entries[] = {
		{"vnc", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->vnc,
		 "serve VNC here; may be repeated [" DEFAULT_ADDRESS "]", "ADDR"},
		{"own", 0, 0, G_OPTION_ARG_NONE, &options->own,
		 "open a free device instead of waiting for its machine", NULL},
		{"max-fps", 0, 0, G_OPTION_ARG_INT, &options->max_fps,
		 "at most so many frames a second [60]", "N"},
		{"max-clients", 0, 0, G_OPTION_ARG_INT, &options->max_clients,
		 "at most so many viewers [32]", "N"},
		{"palette", 0, 0, G_OPTION_ARG_FILENAME, &options->palette, CMD_PALETTE_HELP,
		 "PALETTE"},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "say more", NULL},
		G_OPTION_ENTRY_NULL,
	};
	int ret = cmd_options(
		argc, argv, entries, "DEVICE", 1, "Serves a display to VNC viewers.",
		"ADDR is HOST:PORT, HOST:auto (a free port), [::1]:PORT, PORT (loopback),\n"
		":N (display N), unix:PATH or fd:N. Only loopback and unix sockets are served,\n"
		"for nobody is asked for a password. A device that a virtual machine owns is\n"
		"attached and given back when the machine ends; one that\n"
		"nobody owns is waited for, or opened with --own.\n\n"
		"  planecast serve sim: --vnc :1\n"
		"  planecast serve mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 "
		"--vnc unix:/run/vm1.vnc");

	if (ret)
		return ret;
	if (options->max_fps < 1 || options->max_fps > MAX_FPS) {
		log_error("serve: --max-fps %d is out of range (1 to %d)", options->max_fps,
			  MAX_FPS);
		return EXIT_USAGE;
	}
	if (options->max_clients < 1 || options->max_clients > MAX_CLIENTS) {
		log_error("serve: --max-clients %d is out of range (1 to %d)", options->max_clients,
			  MAX_CLIENTS);
		return EXIT_USAGE;
	}
	log_set_verbose(options->verbose);
	return EXIT_DONE;
}

/* The sink belongs to the screen from here on. */
static int add_vnc(struct screen *screen, const char *spec, const struct serve_options *options,
		   GError **error)
{
	static const char *const defaults[] = {DEFAULT_ADDRESS, NULL};
	const char *const *address = options->vnc ? (const char *const *)options->vnc : defaults;
	struct vnc_options vnc = {
		.name = spec,
		.max_clients = (unsigned int)options->max_clients,
	};
	struct sink *sink;
	int ret = vnc_create(&vnc, screen_frame(screen), &sink, error);

	if (ret)
		return ret;
	screen_add_sink(screen, sink);
	for (; *address && !ret; address++)
		ret = vnc_listen(sink, *address, error);
	return ret;
}

static gboolean on_signal(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static int listen_and_run(struct screen *screen, const char *spec,
			  const struct serve_options *options, GError **error)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	/* Before an address is announced: who reads that may end the server at once. */
	guint interrupt = g_unix_signal_add(SIGINT, on_signal, loop);
	guint terminate = g_unix_signal_add(SIGTERM, on_signal, loop);
	int ret = add_vnc(screen, spec, options, error);

	if (!ret)
		g_main_loop_run(loop);
	g_source_remove(interrupt);
	g_source_remove(terminate);
	g_main_loop_unref(loop);
	return ret;
}

static int serve(const char *spec, const struct serve_options *options)
{
	struct screen_options screen_options = {.max_fps = (unsigned int)options->max_fps};
	struct screen *screen = NULL;
	uint32_t colours[PALETTE_COLOURS];
	struct source *source = NULL;
	GError *error = NULL;
	int ret = cmd_open_source(spec, options->own ? SOURCE_VFIO_ATTACH_OPEN : SOURCE_VFIO_FOLLOW,
				  &source, &error);

	if (ret)
		return cmd_report(spec, error);
	ret = cmd_set_palette(source, options->palette, colours, &error);
	if (ret) {
		source->ops->close(source);
		return cmd_report(spec, error);
	}
	if (screen_create(source, &screen_options, &screen)) {
		source->ops->close(source);
		log_error("%s: out of memory", spec);
		return EXIT_FAILED;
	}
	ret = listen_and_run(screen, spec, options, &error);
	screen_destroy(screen);
	return ret ? cmd_report("vnc", error) : EXIT_DONE;
}

int cmd_serve(int argc, char **argv)
{
	struct serve_options options = {.max_fps = 60, .max_clients = 32};
	int ret = parse(&argc, &argv, &options);

	/* A viewer that goes away is an error of one write, not the end of the server. */
	signal(SIGPIPE, SIG_IGN);
	if (!ret)
		ret = serve(argv[1], &options);
	g_strfreev(options.vnc);
	g_free(options.palette);
	return ret;
}
