/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_web.h"

#include <string.h>

#include "log.h"
#include "vnc.h"
#include "web_files.h"

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"

const char serve_web_help[] =
	"--web serves a page that shows the screen in a browser, with noVNC (package novnc),\n"
	"under the rules and passwords for VNC: over http, or with --tls over https (but on\n"
	"unix sockets, which are for proxies).\n"
	"Browsers may call it localhost, by its address, by this machine's name or by a\n"
	"--web-host; whatever else they call it, they are refused.\n";

void serve_web_finish(struct serve_web *web)
{
	g_strfreev(web->addresses);
	g_strfreev(web->hosts);
	g_free(web->root);
}

void serve_web_entries(struct serve_web *web, GArray *entries)
{
	const GOptionEntry own[] = {
		{"web", 0, 0, G_OPTION_ARG_STRING_ARRAY, &web->addresses,
		 "serve a web page with the screen here; may be repeated", "ADDR"},
		{"web-host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &web->hosts,
		 "a further name that browsers know this server by; may be repeated", "NAME"},
		{"web-root", 0, 0, G_OPTION_ARG_FILENAME, &web->root,
		 "where noVNC is [" WEB_FILES_NOVNC "]", "DIR"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

int serve_web_check(const struct serve_web *web)
{
	if (!web->addresses && (web->hosts || web->root)) {
		log_error("serve: %s is about the web page, which needs --web ADDR",
			  web->hosts ? "--web-host" : "--web-root");
		return EXIT_USAGE;
	}
	for (char **host = web->hosts; host && *host; host++) {
		if (!**host || (*host)[strspn(*host, HOST_CHARACTERS)]) {
			log_error("serve: --web-host %s is not a name (no scheme, no port)", *host);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

int serve_web_start(struct serve_web *web, const struct serve_vnc *vnc, GError **error)
{
	const struct web_options options = {
		.door = vnc_door(vnc->sink),
		.certificate = vnc->certificate,
		.open = vnc->insecure || serve_vnc_asks(vnc),
		.root = web->root,
		.hosts = (const char *const *)web->hosts,
	};
	int r;

	if (!web->addresses)
		return 0;
	r = web_create(&options, &web->server, error);
	for (char **address = web->addresses; *address && !r; address++)
		r = web_listen(web->server, *address, error);
	return r;
}

void serve_web_stop(struct serve_web *web)
{
	web_destroy(web->server);
	web->server = NULL;
}
