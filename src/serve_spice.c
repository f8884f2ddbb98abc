/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_spice.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "secret.h"
#include "spice_sink.h"

#define MAX_CLIENTS 32

const char serve_spice_help[] =
	"SPICE clients come in by --spice ADDR, with --tls also by TLS on the same port (their\n"
	"tls-port). They are asked for the first line of --spice-password-file, up to 60\n"
	"characters. With --input the size of their windows is asked of the guest.\n";

void serve_spice_init(struct serve_spice *spice)
{
	*spice = (struct serve_spice){.clients = 1};
}

void serve_spice_finish(struct serve_spice *spice)
{
	g_strfreev(spice->addresses);
	g_free(spice->password_file);
	g_free(spice->compression);
	g_free(spice->streaming);
}

void serve_spice_entries(struct serve_spice *spice, GArray *entries)
{
	const GOptionEntry own[] = {
		{"spice", 0, 0, G_OPTION_ARG_STRING_ARRAY, &spice->addresses,
		 "serve SPICE here; may be repeated; VNC only with --vnc then", "ADDR"},
		{"spice-password-file", 0, 0, G_OPTION_ARG_STRING, &spice->password_file,
		 "ask SPICE clients for a password", "SECRET"},
		{"spice-clients", 0, 0, G_OPTION_ARG_INT, &spice->clients,
		 "at most so many SPICE clients; of one, the newcomer takes the place [1]", "N"},
		{"spice-compression", 0, 0, G_OPTION_ARG_STRING, &spice->compression,
		 "lz4, lz, glz, quic, auto_lz, auto_glz or off [lz4]", "NAME"},
		{"spice-streaming", 0, 0, G_OPTION_ARG_STRING, &spice->streaming,
		 "what moves becomes lossy video: off, filter (what looks like one) or all [off]",
		 "NAME"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

static int check_name(const char *option, const char *name, const char *const *names)
{
	char *all;

	if (!name || g_strv_contains(names, name))
		return EXIT_DONE;
	all = g_strjoinv(", ", (char **)names);
	log_error("serve: --%s %s is not one of %s", option, name, all);
	g_free(all);
	return EXIT_USAGE;
}

int serve_spice_check(const struct serve_spice *spice)
{
	int ret;

	if (!spice->addresses && (spice->password_file || spice->compression || spice->streaming)) {
		log_error("serve: options of SPICE need --spice ADDR");
		return EXIT_USAGE;
	}
	if (spice->clients < 1 || spice->clients > MAX_CLIENTS) {
		log_error("serve: --spice-clients %d is out of range (1 to %d)", spice->clients,
			  MAX_CLIENTS);
		return EXIT_USAGE;
	}
	ret = check_name("spice-compression", spice->compression, spice_compression_names);
	return ret ? ret : check_name("spice-streaming", spice->streaming, spice_streaming_names);
}

static int load_ticket(const char *name, char **ticket, GError **error)
{
	int r = secret_read(name, ticket, error);

	if (r)
		return r;
	(*ticket)[strcspn(*ticket, "\r\n")] = 0;
	if (!**ticket || strlen(*ticket) > SPICE_TICKET)
		r = fail(error, EXIT_USAGE, EINVAL, "%s: a SPICE password has 1 to %d characters",
			 name, SPICE_TICKET);
	if (r) {
		secret_free(*ticket);
		*ticket = NULL;
	}
	return r;
}

int serve_spice_start(const struct serve_spice *spice, const struct serve_vnc *vnc,
		      struct screen *screen, const char *name, GError **error)
{
	struct spice_options options = {
		.name = name,
		.compression = spice->compression,
		.streaming = spice->streaming,
		.clients = (unsigned int)spice->clients,
		.per_address = (unsigned int)vnc->max_per_address,
		.certificate = vnc->certificate,
		.only_tls = vnc->tls_only,
		.insecure = vnc->insecure,
		.input = vnc->input,
		.clipboard = vnc->clipboard,
	};
	char *ticket = NULL;
	struct sink *sink;
	int r;

	if (!spice->addresses)
		return 0;
	r = spice->password_file ? load_ticket(spice->password_file, &ticket, error) : 0;
	options.ticket = ticket;
	if (!r)
		r = spice_create(&options, screen_frame(screen), &sink, error);
	secret_free(ticket);
	if (r)
		return r;
	screen_add_sink(screen, sink);
	for (char **address = spice->addresses; *address && !r; address++)
		r = spice_listen(sink, *address, error);
	return r;
}
