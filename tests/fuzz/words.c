/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a command line, and files that it names. Input: a letter for what the rest is, as
 * in `kinds`, then the words.
 */
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "control.h"
#include "device.h"
#include "door_listener.h"
#include "fuzz.h"
#include "input_qmp.h"
#include "log.h"
#include "palette.h"
#include "password.h"
#include "sim_options.h"
#include "source_replay.h"
#include "web_rules.h"

static int file;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t length);
int __real_bind(int fd, const struct sockaddr *name, socklen_t length);

/* Nobody is asked for a name. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return __real_getaddrinfo(host, service, &numeric, list);
}

/*
 * No file is made, and a port is any that is free: on loopback one of an address where nobody else
 * listens, otherwise the one that listen() gives.
 */
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t length)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	if (name->sa_family == AF_UNIX) {
		errno = EACCES;
		return -1;
	}
	own.sin_addr.s_addr = htonl(0x7f4d0002);
	if (name->sa_family != AF_INET || !address_is_local(name))
		return 0;
	return __real_bind(fd, (struct sockaddr *)&own, length);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("words", MFD_CLOEXEC);
	fuzz_expect(file >= 0);
	return 0;
}

/* A failure has one line, which a terminal can show, and an exit code. */
static void judge(int ret, GError *error)
{
	fuzz_expect(ret <= 0 && !ret == !error);
	if (!error)
		return;
	fuzz_expect(error->domain == PLANECAST_ERROR && error->code > EXIT_DONE &&
		    error->code <= EXIT_REFUSED && *error->message);
	g_error_free(error);
}

static void read_address(const char *text)
{
	struct address address;
	GError *error = NULL;
	int ret = address_parse(text, &address, &error);

	if (!ret && address.kind == ADDRESS_TCP)
		fuzz_expect(address.host && *address.host);
	fuzz_expect(ret || address.kind != ADDRESS_UNIX || (address.path && *address.path));
	fuzz_expect(ret || address.kind != ADDRESS_FD || address.fd >= 0);
	address_finish(&address);
	judge(ret, error);
}

/* Where nothing is asked for, nothing is open to the network. */
static void read_listener(const char *text)
{
	static const struct listener_rules rules = {
		.server = "fuzz", .refusal = "no password is asked for (give one", .plain = ""};
	GPtrArray *listeners = g_ptr_array_new_with_free_func(listener_free);
	GError *error = NULL;
	int ret = listener_open_by(&rules, text, listeners, &error);

	fuzz_expect(!ret == (listeners->len > 0));
	for (guint i = 0; i < listeners->len; i++)
		fuzz_expect(((struct listener *)listeners->pdata[i])->local);
	g_ptr_array_unref(listeners);
	judge(ret, error);
}

static void read_device(const char *text)
{
	struct device device = {0};
	GError *error = NULL;
	int ret = device_parse(text, &device, &error);

	fuzz_expect(ret || !strcmp(device.spec, text));
	fuzz_expect(ret || device.kind != DEVICE_VFIO || *device.name);
	device_finish(&device);
	judge(ret, error);
}

static void read_sim(const char *text)
{
	struct sim_options options;
	GError *error = NULL;
	int ret = sim_options_parse(text, &options, &error);

	if (!ret) {
		fuzz_expect(options.mode_count && options.mode_count <= SIM_MAX_MODES);
		for (unsigned int i = 0; i < options.mode_count; i++)
			fuzz_expect((uint64_t)options.modes[i].width * options.modes[i].height <=
				    SIM_MAX_PIXELS);
		fuzz_expect(options.fps <= 1000 && options.cycle <= SIM_MAX_CYCLE);
	}
	judge(ret, error);
}

/* The options after a file that is not there. */
static void read_replay(const char *text)
{
	char *name = g_strconcat("/nowhere", text, NULL);
	struct source *source = NULL;
	GError *error = NULL;

	judge(source_replay_open(name, &source, &error), error);
	fuzz_expect(!source);
	g_free(name);
}

static void read_password(const char *text)
{
	struct passwords passwords;
	GError *error = NULL;
	char name[32];
	int ret;

	g_snprintf(name, sizeof(name), "fd:%d", file);
	for (gboolean view_only = FALSE; view_only <= TRUE; view_only++) {
		fuzz_expect(!ftruncate(file, 0) &&
			    pwrite(file, text, strlen(text), 0) == (ssize_t)strlen(text) &&
			    !lseek(file, 0, SEEK_SET));
		ret = password_load(&passwords, name, view_only, &error);
		fuzz_expect(ret || passwords.has_full || passwords.has_view);
		judge(ret, g_steal_pointer(&error));
	}
}

static void read_palette(const char *text)
{
	uint32_t colours[PALETTE_COLOURS];
	GError *error = NULL;
	char name[32];

	g_snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	fuzz_expect(!ftruncate(file, 0) &&
		    pwrite(file, text, strlen(text), 0) == (ssize_t)strlen(text));
	judge(palette_get(name, colours, &error), error);
}

/* A QEMU's command line, an argument a line. */
static void read_arguments(const char *text)
{
	char **arguments = g_strsplit(text, "\n", -1);
	char *path = input_qmp_from_arguments((const char *const *)arguments);

	g_free(path);
	g_strfreev(arguments);
}

/* A request: what it says of the host, of the page, and what it asks for, a line each. */
static void read_request(const char *text)
{
	static const char *const names[] = {"vnc.example.org", NULL};
	const struct web_rules rules = {.names = names, .address = "192.0.2.1"};
	char **lines = g_strsplit(text, "\n", 3);
	guint count = g_strv_length(lines);

	if (count > 0)
		web_rules_take_host(&rules, lines[0]);
	if (count > 1 && web_rules_take_origin(&rules, lines[0], lines[1]))
		fuzz_expect(strstr(lines[1], "://") != NULL);
	if (count > 2 && web_rules_take_path(lines[2]))
		fuzz_expect(lines[2][0] == '/' && !strstr(lines[2], "/.") &&
			    !strstr(lines[2], "//"));
	g_strfreev(lines);
}

static void read_control(const char *text)
{
	char *address = control_default(text, 1);

	read_address(address);
	g_free(address);
}

static const struct {
	char letter;
	void (*read)(const char *text);
} kinds[] = {
	{'a', read_address}, {'c', read_control},   {'d', read_device}, {'l', read_listener},
	{'p', read_palette}, {'q', read_arguments}, {'r', read_replay}, {'s', read_sim},
	{'w', read_request}, {'x', read_password},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	char letter = (char)fuzz_number(&fuzz, 1), *text;

	text = g_strndup((const char *)fuzz.bytes, fuzz.left);
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (kinds[i].letter == letter)
			kinds[i].read(text);
	g_free(text);
	return 0;
}
