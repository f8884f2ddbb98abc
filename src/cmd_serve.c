/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "door_listener.h"
#include "end_signals.h"
#include "heap.h"
#include "log.h"
#include "screen.h"
#include "serve_agent.h"
#include "serve_confine.h"
#include "serve_control.h"
#include "serve_input.h"
#include "serve_metrics.h"
#include "serve_spice.h"
#include "serve_vnc.h"
#include "serve_web.h"

#define MAX_FPS 240

/* For all listeners, what vnc_session_room() keeps free, and a few clients. */
#define MIN_DESCRIPTORS 128

struct serve_options {
	struct serve_input input;
	struct serve_agent agent;
	struct serve_vnc vnc;
	struct serve_web web;
	struct serve_spice spice;
	struct serve_confine confine;
	struct serve_metrics metrics;
	char *control, *palette;
	gboolean own, verbose;
	int max_fps;
};

/* The parts append theirs: the help shows them in this order. */
static GArray *entries_of(struct serve_options *options)
{
	const GOptionEntry device[] = {
		{"own", 0, 0, G_OPTION_ARG_NONE, &options->own,
		 "open a free device instead of waiting for its machine", NULL},
		{"max-fps", 0, 0, G_OPTION_ARG_INT, &options->max_fps,
		 "at most so many frames a second [60]", "N"},
		{"palette", 0, 0, G_OPTION_ARG_FILENAME, &options->palette, CMD_PALETTE_HELP,
		 "PALETTE"},
	};
	const GOptionEntry common[] = {
		{"control", 0, 0, G_OPTION_ARG_FILENAME, &options->control,
		 "answer `planecast status` here (unix:PATH or fd:N), or none "
		 "[a socket in $XDG_RUNTIME_DIR/planecast or /run/planecast]",
		 "ADDR"},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "say more", NULL},
	};
	GArray *entries = g_array_new(TRUE, FALSE, sizeof(GOptionEntry));

	g_array_append_vals(entries, device, G_N_ELEMENTS(device));
	serve_vnc_entries(&options->vnc, entries);
	serve_web_entries(&options->web, entries);
	serve_spice_entries(&options->spice, entries);
	serve_input_entries(&options->input, entries);
	serve_agent_entries(&options->agent, entries);
	serve_confine_entries(&options->confine, entries);
	serve_metrics_entries(&options->metrics, entries);
	g_array_append_vals(entries, common, G_N_ELEMENTS(common));
	return entries;
}

static int parse(int *argc, char ***argv, struct serve_options *options)
{
	GArray *entries = entries_of(options);
	char *help = g_strconcat(
		"A device that a virtual machine owns is attached and given back when the machine\n"
		"ends; one that nobody owns is waited for, or opened with --own.\n\n",
		serve_vnc_help, serve_web_help, serve_spice_help, serve_input_help,
		serve_agent_help, serve_confine_help,
		"\n  planecast serve sim: --vnc :1\n"
		"  planecast serve mdev:83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 "
		"--vnc unix:/run/vm1.vnc\n"
		"  planecast serve sim: --vnc 0.0.0.0:5900 --password-file /etc/planecast/password",
		NULL);
	int ret = cmd_options(argc, argv, (const GOptionEntry *)(void *)entries->data, "DEVICE", 1,
			      "Serves a display to VNC and SPICE viewers and browsers.", help);

	g_free(help);
	g_array_unref(entries);
	if (ret)
		return ret;
	if (options->max_fps < 1 || options->max_fps > MAX_FPS) {
		log_error("serve: --max-fps %d is out of range (1 to %d)", options->max_fps,
			  MAX_FPS);
		return EXIT_USAGE;
	}
	log_set_verbose(options->verbose);
	ret = serve_vnc_check(&options->vnc);
	if (!ret)
		ret = serve_web_check(&options->web);
	options->vnc.quiet = options->spice.addresses != NULL;
	if (!ret)
		ret = serve_spice_check(&options->spice);
	if (!ret)
		ret = serve_agent_check(&options->agent);
	if (!ret)
		ret = serve_confine_check(&options->confine);
	return ret ? ret : serve_input_check(&options->input);
}

static gboolean on_signal(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

/* With fewer, libraries would end the process the moment that they cannot have one. */
static int check_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= MIN_DESCRIPTORS)
		return EXIT_DONE;
	log_error("serve: only %" PRIu64 " descriptors are allowed, at least %d are needed "
		  "(raise ulimit -n, or LimitNOFILE= of the unit)",
		  (uint64_t)limit.rlim_cur, MIN_DESCRIPTORS);
	return EXIT_FAILED;
}

/* Returns the exit code, after a line on stderr if it is not 0. */
static int listen_and_run(struct screen *screen, const char *spec, struct serve_options *options)
{
	struct status status = {
		.device = spec,
		.screen = screen,
		.started_us = g_get_monotonic_time(),
		.calls = options->confine.calls,
		.landlock = options->confine.landlock,
		.input = serve_input_kind(&options->input),
		.agent = &options->agent.agent,
		.input_nodes = options->input.nodes,
	};
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	struct end_signals signals;
	struct control *control;
	GError *error = NULL;
	int ret = 0;

	/* Before an address is announced: who reads that may end the server at once. */
	end_signals_watch(&signals, on_signal, loop);
	if (serve_control_start(options->control, &status, &control, &error))
		ret = cmd_report("control", error);
	else if (serve_metrics_start(&options->metrics, &status, options->vnc.insecure, &error))
		ret = cmd_report("metrics", error);
	else if (serve_vnc_start(&options->vnc, screen, spec, &error))
		ret = cmd_report("vnc", error);
	else if (serve_web_start(&options->web, &options->vnc, &error))
		ret = cmd_report("web", error);
	else if (serve_spice_start(&options->spice, &options->vnc, screen, spec, &error))
		ret = cmd_report("spice", error);
	if (!ret) {
		serve_agent_start(&options->agent, options->vnc.clipboard, screen);
		serve_vnc_announce(&options->vnc);
		serve_input_announce(&options->input);
		control_announce(control);
		g_main_loop_run(loop);
	}
	serve_agent_stop(&options->agent, screen);
	serve_metrics_stop(&options->metrics);
	serve_web_stop(&options->web);
	control_destroy(control);
	end_signals_unwatch(&signals);
	g_main_loop_unref(loop);
	return ret;
}

/* Sockets that are to belong to somebody else. Returns the exit code, after a line. */
static int claim_sockets(const struct serve_options *options)
{
	char *const control[] = {options->control, NULL};
	const struct {
		const char *what;
		char *const *addresses;
	} all[] = {
		{"vnc", options->vnc.addresses},
		{"web", options->web.addresses},
		{"spice", options->spice.addresses},
		{"metrics", options->metrics.addresses},
		{"control", control[0] && strcmp(control[0], "none") ? control : NULL},
	};
	GError *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		if (listeners_claim(all[i].addresses, &error))
			return cmd_report(all[i].what, error);
	return 0;
}

/*
 * After it nothing may need more than the sandbox leaves, and there may be threads. Returns the
 * exit code, after a line on stderr if it is not 0.
 */
static int confine(struct serve_options *options)
{
	const struct serve_parts parts = {&options->vnc, &options->web, &options->spice,
					  options->control, options->metrics.addresses};
	GError *error = NULL;
	int ret = claim_sockets(options);

	if (ret)
		return ret;
	serve_control_prepare(options->control);
	if (serve_vnc_prepare(&options->vnc, &error))
		return cmd_report("vnc", error);
	if (serve_confine_drop(&options->confine, &error))
		return cmd_report("serve", error);
	if (serve_vnc_load(&options->vnc, &error))
		return cmd_report("vnc", error);
	if (serve_confine_lock(&options->confine, &parts, &error))
		return cmd_report("serve", error);
	return 0;
}

static int open_source(const char *spec, const struct serve_options *options,
		       struct source **source, GError **error)
{
	unsigned int policy = options->own ? SOURCE_VFIO_ATTACH_OPEN : SOURCE_VFIO_FOLLOW;

	if (!options->confine.none)
		policy |= SOURCE_VFIO_APART;
	return cmd_open_source(spec, policy, source, error);
}

static int run(struct source *source, const char *spec, struct serve_options *options)
{
	struct screen_options screen_options = {.max_fps = (unsigned int)options->max_fps};
	struct screen *screen = NULL;
	int ret;

	if (screen_create(source, &screen_options, &screen)) {
		source->ops->close(source);
		log_error("%s: out of memory", spec);
		return EXIT_FAILED;
	}
	options->vnc.input = options->input.input;
	ret = listen_and_run(screen, spec, options);
	screen_destroy(screen);
	return ret;
}

static int serve(const char *spec, struct serve_options *options)
{
	uint32_t colours[PALETTE_COLOURS];
	struct source *source = NULL;
	GError *error = NULL;
	int ret;

	if (open_source(spec, options, &source, &error))
		return cmd_report(spec, error);
	if (cmd_set_palette(source, options->palette, colours, &error)) {
		source->ops->close(source);
		return cmd_report(spec, error);
	}
	ret = serve_input_start(&options->input, spec, &error) ? cmd_report("input", error)
							       : confine(options);
	if (!ret)
		return run(source, spec, options);
	source->ops->close(source);
	return ret;
}

int cmd_serve(int argc, char **argv)
{
	struct serve_options options = {.max_fps = 60};
	int ret;

	heap_settle();
	serve_vnc_init(&options.vnc);
	serve_spice_init(&options.spice);
	ret = parse(&argc, &argv, &options);
	/* A viewer that goes away is an error of one write, not the end of the server. */
	signal(SIGPIPE, SIG_IGN);
	if (!ret)
		ret = check_descriptors();
	if (!ret)
		ret = serve(argv[1], &options);
	listeners_drop_claims();
	serve_vnc_finish(&options.vnc);
	serve_web_finish(&options.web);
	serve_spice_finish(&options.spice);
	serve_input_finish(&options.input);
	serve_agent_finish(&options.agent);
	serve_confine_finish(&options.confine);
	serve_metrics_finish(&options.metrics);
	g_free(options.control);
	g_free(options.palette);
	return ret;
}
