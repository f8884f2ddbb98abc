/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_confine.h"

#include <string.h>

#include "calls.h"
#include "landlock.h"
#include "log.h"
#include "privileges.h"
#include "secret.h"
#include "serve_control.h"

const char serve_confine_help[] =
	"Once its device is open the server has no capabilities and can get none, reaches only\n"
	"the files that it serves from, and has only the system calls that it needs; a helper\n"
	"process with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH attaches to the device again.\n"
	"--user NAME makes it another user as well, who has to be able to read its secrets and\n"
	"to make its unix sockets.\n";

void serve_confine_finish(struct serve_confine *confine)
{
	g_free(confine->user);
}

void serve_confine_entries(struct serve_confine *confine, GArray *entries)
{
	const GOptionEntry own[] = {
		{"user", 0, 0, G_OPTION_ARG_STRING, &confine->user,
		 "run as this user once the device is open [who started it]", "NAME"},
		{"no-sandbox", 0, 0, G_OPTION_ARG_NONE, &confine->none,
		 "give nothing up: for debuggers, and to find out what the sandbox forbids", NULL},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

int serve_confine_check(const struct serve_confine *confine)
{
	if (!confine->user || !confine->none)
		return EXIT_DONE;
	log_error("serve: --user %s needs the sandbox (drop --no-sandbox)", confine->user);
	return EXIT_USAGE;
}

int serve_confine_drop(struct serve_confine *confine, GError **error)
{
	return confine->none ? 0 : privileges_drop(confine->user, error);
}

/* What libraries read: names of hosts and users, keymaps, modules, time zones, entropy. */
static void allow_system(struct landlock *landlock)
{
	static const char *const read[] = {
		"/usr",
		"/lib",
		"/lib64",
		"/proc",
		"/sys",
		"/dev/random",
		"/dev/urandom",
		"/etc/crypto-policies",
		"/etc/gai.conf",
		"/etc/gnutls",
		"/etc/group",
		"/etc/host.conf",
		"/etc/hosts",
		"/etc/ld.so.cache",
		"/etc/localtime",
		"/etc/nsswitch.conf",
		"/etc/passwd",
		"/etc/protocols",
		"/etc/resolv.conf",
		"/etc/services",
		"/etc/ssl/openssl.cnf",
		"/etc/xdg",
	};
	/* The i915 way to a dma-buf opens the GPU's render node. */
	static const char *const use[] = {"/dev/dri", "/dev/null"};

	for (size_t i = 0; i < G_N_ELEMENTS(read); i++)
		landlock_read(landlock, read[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(use); i++)
		landlock_use(landlock, use[i]);
}

/* Files only: descriptors are open already. */
static void allow_secret(struct landlock *landlock, const char *name)
{
	char *path = name ? secret_path(name) : NULL;

	if (path)
		landlock_read_beside(landlock, path);
	g_free(path);
}

static void allow_address(struct landlock *landlock, const char *spec)
{
	if (g_str_has_prefix(spec, "unix:"))
		landlock_socket(landlock, spec + strlen("unix:"));
}

static void allow_addresses(struct landlock *landlock, char **specs)
{
	for (; specs && *specs; specs++)
		allow_address(landlock, *specs);
}

static void allow_vnc(struct landlock *landlock, const struct serve_vnc *vnc)
{
	allow_addresses(landlock, vnc->addresses);
	allow_secret(landlock, vnc->password_file);
	allow_secret(landlock, vnc->view_only_file);
	allow_secret(landlock, vnc->users_file);
	allow_secret(landlock, vnc->tls_key);
	if (vnc->certificate)
		allow_secret(landlock, certificate_name(vnc->certificate));
}

static void allow_control(struct landlock *landlock, const char *address)
{
	char *own = address ? NULL : control_default("", 0);

	allow_address(landlock, address ? address : own);
	g_free(own);
}

int serve_confine_lock(struct serve_confine *confine, const struct serve_parts *parts,
		       GError **error)
{
	struct landlock *landlock;
	int ret;

	if (confine->none)
		return 0;
	landlock = landlock_new();
	allow_system(landlock);
	allow_vnc(landlock, parts->vnc);
	allow_addresses(landlock, parts->web->addresses);
	if (parts->web->root)
		landlock_read(landlock, parts->web->root);
	allow_addresses(landlock, parts->spice->addresses);
	allow_secret(landlock, parts->spice->password_file);
	allow_control(landlock, parts->control);
	allow_addresses(landlock, parts->metrics);
	ret = landlock_restrict(landlock, error);
	landlock_free(landlock);
	if (ret < 0)
		return ret;
	confine->landlock = ret;
	ret = calls_restrict(CALLS_SERVER, error);
	confine->calls = !ret;
	return ret;
}
