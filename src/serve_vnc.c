/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_vnc.h"

#include "log.h"
#include "vnc.h"

#define DEFAULT_ADDRESS "127.0.0.1:5900"
#define DEFAULT_CLIENTS 32
#define MAX_CLIENTS     256

const char serve_vnc_help[] =
	"ADDR is HOST:PORT, HOST:auto (a free port), [::1]:PORT, PORT (loopback),\n"
	":N (display N), unix:PATH or fd:N. Only loopback and unix sockets are served,\n"
	"for nobody is asked for a password.\n";

void serve_vnc_init(struct serve_vnc *vnc)
{
	*vnc = (struct serve_vnc){.max_clients = DEFAULT_CLIENTS};
}

void serve_vnc_finish(struct serve_vnc *vnc)
{
	g_strfreev(vnc->addresses);
}

void serve_vnc_entries(struct serve_vnc *vnc, GArray *entries)
{
	const GOptionEntry own[] = {
		{"vnc", 0, 0, G_OPTION_ARG_STRING_ARRAY, &vnc->addresses,
		 "serve VNC here; may be repeated [" DEFAULT_ADDRESS "]", "ADDR"},
		{"max-clients", 0, 0, G_OPTION_ARG_INT, &vnc->max_clients,
		 "at most so many viewers [" G_STRINGIFY(DEFAULT_CLIENTS) "]", "N"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

int serve_vnc_check(const struct serve_vnc *vnc)
{
	if (vnc->max_clients < 1 || vnc->max_clients > MAX_CLIENTS) {
		log_error("serve: --max-clients %d is out of range (1 to %d)", vnc->max_clients,
			  MAX_CLIENTS);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int serve_vnc_start(const struct serve_vnc *vnc, struct screen *screen, const char *name,
		    GError **error)
{
	static const char *const defaults[] = {DEFAULT_ADDRESS, NULL};
	const char *const *address = vnc->addresses ? (const char *const *)vnc->addresses
						    : defaults;
	struct vnc_options options = {
		.name = name,
		.max_clients = (unsigned int)vnc->max_clients,
	};
	struct sink *sink;
	int r = vnc_create(&options, screen_frame(screen), &sink, error);

	if (r)
		return r;
	screen_add_sink(screen, sink);
	for (; *address && !r; address++)
		r = vnc_listen(sink, *address, error);
	return r;
}
