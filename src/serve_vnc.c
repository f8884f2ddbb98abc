/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_vnc.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "pam_helper.h"
#include "vnc.h"

#define DEFAULT_ADDRESS "127.0.0.1:5900"
#define DEFAULT_CLIENTS 32
#define MAX_CLIENTS     256

const char serve_vnc_help[] =
	"ADDR is HOST:PORT, HOST:auto (a free port), [::1]:PORT, PORT (loopback),\n"
	":N (display N), unix:PATH or fd:N. unix:PATH,mode=0660,user=NAME,group=NAME (any of\n"
	"these) gives the socket to others. An address that other machines can reach\n"
	"needs --password-file or --users-file, or --insecure. SECRET is a file that only its\n"
	"owner reads, cred:NAME (a systemd credential) or fd:N (a descriptor). VNC passwords\n"
	"have 8 characters and protect the way in; the picture on its way needs --tls\n"
	"(VeNCrypt's X509 types), --tls-only, ssh or a VPN. The FILE of a certificate may be\n"
	"cred: or fd:, too. A line for --users-file is NAME:HASH, or NAME:HASH:view-only;\n"
	"`mkpasswd` prints hashes.\n";

void serve_vnc_init(struct serve_vnc *vnc)
{
	*vnc = (struct serve_vnc){.max_clients = DEFAULT_CLIENTS};
}

void serve_vnc_finish(struct serve_vnc *vnc)
{
	g_strfreev(vnc->addresses);
	g_free(vnc->password_file);
	g_free(vnc->view_only_file);
	g_free(vnc->users_file);
	g_free(vnc->pam_service);
	g_free(vnc->tls_cert);
	g_free(vnc->tls_key);
	certificate_close(vnc->certificate);
	clipboard_destroy(vnc->clipboard);
	users_free(vnc->users);
#ifdef HAVE_PAM
	pam_helper_stop(vnc->pam);
#endif
	explicit_bzero(&vnc->passwords, sizeof(vnc->passwords));
}

void serve_vnc_entries(struct serve_vnc *vnc, GArray *entries)
{
	const GOptionEntry own[] = {
		{"vnc", 0, 0, G_OPTION_ARG_STRING_ARRAY, &vnc->addresses,
		 "serve VNC here; may be repeated [" DEFAULT_ADDRESS "]", "ADDR"},
		{"password-file", 0, 0, G_OPTION_ARG_STRING, &vnc->password_file,
		 "ask viewers for a password: the first line; a second one is for watching",
		 "SECRET"},
		{"view-only-password-file", 0, 0, G_OPTION_ARG_STRING, &vnc->view_only_file,
		 "a password that is for watching only", "SECRET"},
		{"users-file", 0, 0, G_OPTION_ARG_STRING, &vnc->users_file,
		 "ask viewers with TLS for a name and a password (hashed by crypt)", "SECRET"},
#ifdef HAVE_PAM
		{"pam", 0, 0, G_OPTION_ARG_STRING, &vnc->pam_service,
		 "likewise, of users that PAM knows: a file in /etc/pam.d", "SERVICE"},
#endif
		{"tls", 0, 0, G_OPTION_ARG_NONE, &vnc->tls,
		 "offer TLS, with a certificate of its own if there is no --tls-cert", NULL},
		{"tls-only", 0, 0, G_OPTION_ARG_NONE, &vnc->tls_only,
		 "let nobody in from other machines without it", NULL},
		{"tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &vnc->tls_cert,
		 "offer TLS with this certificate: PEM, the chain follows", "FILE"},
		{"tls-key", 0, 0, G_OPTION_ARG_STRING, &vnc->tls_key, "its key [in the same file]",
		 "SECRET"},
		{"insecure", 0, 0, G_OPTION_ARG_NONE, &vnc->insecure,
		 "let other machines in although no password is asked for", NULL},
		{"lossless", 0, 0, G_OPTION_ARG_NONE, &vnc->lossless,
		 "never send JPEG, not even while the picture moves", NULL},
		{"no-copyrect", 0, 0, G_OPTION_ARG_NONE, &vnc->no_copyrect,
		 "send pixels of what has scrolled or moved, too", NULL},
		{"no-clipboard", 0, 0, G_OPTION_ARG_NONE, &vnc->no_clipboard,
		 "viewers do not get what others of them copy", NULL},
		{"max-clients", 0, 0, G_OPTION_ARG_INT, &vnc->max_clients,
		 "at most so many viewers [" G_STRINGIFY(DEFAULT_CLIENTS) "]", "N"},
		{"max-per-address", 0, 0, G_OPTION_ARG_INT, &vnc->max_per_address,
		 "at most so many of them from one host [no limit]", "N"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

/* One that PAM does not know is asked of its service "other", which lets nobody in. */
static bool pam_knows(const char *service)
{
	static const char *const folders[] = {"/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"};
	bool known = false;

	for (size_t i = 0; i < G_N_ELEMENTS(folders) && !known; i++) {
		char *path = g_build_filename(folders[i], service, NULL);

		known = g_file_test(path, G_FILE_TEST_EXISTS);
		g_free(path);
	}
	return known;
}

int serve_vnc_check(const struct serve_vnc *vnc)
{
	if (vnc->tls_key && !vnc->tls_cert) {
		log_error("serve: --tls-key is the key of a --tls-cert FILE, which is missing");
		return EXIT_USAGE;
	}
	if (vnc->users_file && vnc->pam_service) {
		log_error("serve: --users-file or --pam, not both");
		return EXIT_USAGE;
	}
	if ((vnc->users_file || vnc->pam_service) && !vnc->tls && !vnc->tls_only &&
	    !vnc->tls_cert) {
		log_error("serve: %s needs --tls or --tls-only: names and passwords are never "
			  "asked for in the clear",
			  vnc->users_file ? "--users-file" : "--pam");
		return EXIT_USAGE;
	}
	if (vnc->pam_service &&
	    (!*vnc->pam_service || strchr(vnc->pam_service, '/') || !pam_knows(vnc->pam_service))) {
		log_error("serve: --pam \"%s\" is not the name of a file in /etc/pam.d",
			  vnc->pam_service);
		return EXIT_USAGE;
	}
	if (vnc->max_clients < 1 || vnc->max_clients > MAX_CLIENTS) {
		log_error("serve: --max-clients %d is out of range (1 to %d)", vnc->max_clients,
			  MAX_CLIENTS);
		return EXIT_USAGE;
	}
	if (vnc->max_per_address < 0 || vnc->max_per_address > MAX_CLIENTS) {
		log_error("serve: --max-per-address %d is out of range (1 to %d; 0: no limit)",
			  vnc->max_per_address, MAX_CLIENTS);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int load_passwords(struct serve_vnc *vnc, GError **error)
{
	struct passwords *passwords = &vnc->passwords;
	int r = 0;

	if (vnc->password_file)
		r = password_load(passwords, vnc->password_file, FALSE, error);
	if (!r && vnc->view_only_file && passwords->has_view)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: --password-file has a second line already (drop one of them)",
			    vnc->view_only_file);
	if (!r && vnc->view_only_file)
		r = password_load(passwords, vnc->view_only_file, TRUE, error);
	if (!r && vnc->users_file)
		r = users_load(vnc->users_file, &vnc->users, error);
	return r;
}

static bool has_passwords(const struct serve_vnc *vnc)
{
	return vnc->passwords.has_full || vnc->passwords.has_view;
}

bool serve_vnc_asks(const struct serve_vnc *vnc)
{
	return has_passwords(vnc) || vnc->users;
}

static int load_certificate(struct serve_vnc *vnc, GError **error)
{
	if (vnc->tls_cert)
		return certificate_open(vnc->tls_cert, vnc->tls_key, &vnc->certificate, error);
	if (vnc->tls || vnc->tls_only)
		return certificate_open_own(NULL, &vnc->certificate, error);
	return 0;
}

int serve_vnc_prepare(struct serve_vnc *vnc, GError **error)
{
#ifdef HAVE_PAM
	int r = 0;

	if (vnc->pam_service)
		r = pam_helper_start(vnc->pam_service, &vnc->pam, error);
	if (vnc->pam)
		vnc->users = users_ask(pam_helper_check, vnc->pam);
	return r;
#else
	(void)vnc;
	(void)error;
	return 0;
#endif
}

int serve_vnc_load(struct serve_vnc *vnc, GError **error)
{
	int r = load_passwords(vnc, error);

	return r ? r : load_certificate(vnc, error);
}

int serve_vnc_start(struct serve_vnc *vnc, struct screen *screen, const char *name, GError **error)
{
	static const char *const defaults[] = {DEFAULT_ADDRESS, NULL};
	const char *const *address = vnc->addresses ? (const char *const *)vnc->addresses
				     : vnc->quiet   ? defaults + 1
						    : defaults;
	struct vnc_options options = {
		.name = name,
		.input = vnc->input,
		.max_clients = (unsigned int)vnc->max_clients,
		.per_address = (unsigned int)vnc->max_per_address,
		.only_tls = vnc->tls_only,
		.insecure = vnc->insecure,
		.lossless = vnc->lossless,
		.no_copies = vnc->no_copyrect,
	};
	struct sink *sink;
	int r;

	if (has_passwords(vnc))
		options.passwords = &vnc->passwords;
	options.users = vnc->users;
	options.certificate = vnc->certificate;
	if (!vnc->no_clipboard)
		vnc->clipboard = clipboard_create();
	options.clipboard = vnc->clipboard;
	r = vnc_create(&options, screen_frame(screen), &sink, error);
	if (r)
		return r;
	vnc->sink = sink;
	screen_add_sink(screen, sink);
	for (; *address && !r; address++)
		r = vnc_listen(sink, *address, error);
	return r;
}

void serve_vnc_announce(const struct serve_vnc *vnc)
{
	struct certificate_use *use;

	if (!vnc->certificate)
		return;
	use = certificate_acquire(vnc->certificate);
	log_info("tls: certificate %s, SHA-256 %s", certificate_name(vnc->certificate),
		 use->fingerprint);
	certificate_release(use);
}
