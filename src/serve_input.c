/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_input.h"

#include <string.h>

#include "device.h"
#include "input_qmp.h"
#include "input_uinput.h"
#include "log.h"

#define QMP    "qmp:"
#define UINPUT "uinput"
#define MOUSE  "uinput-mouse"
#define ANY    "guest" /* a name where there is none */

/* Of a device of uinput: it becomes part of what udev makes of it. */
#define NAME_LENGTH  40
#define NAME_LETTERS G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-"

const char serve_input_help[] =
	"--input qmp:PATH gives what viewers type and point at to the guest, by the monitor of\n"
	"QEMU (-qmp unix:PATH,server=on,wait=off), which has one user at a time. For pid: and\n"
	"vm: the monitor is found by itself; --input none leaves it alone, and viewers watch.\n"
	"--input uinput makes a keyboard and a tablet of this host, whose event nodes QEMU takes\n"
	"(libvirt's <input type='evdev'>); uinput-mouse is for guests without a tablet. What\n"
	"nobody has taken gets no input. Several servers call theirs uinput:NAME.\n"
	"The LAYOUT is for viewers that send no scancodes: the one that the guest is set to,\n"
	"such as us, de or de(nodeadkeys).\n";

void serve_input_entries(struct serve_input *input, GArray *entries)
{
	const GOptionEntry own[] = {
		{"input", 0, 0, G_OPTION_ARG_FILENAME, &input->to,
		 "where viewers' input goes: qmp:PATH, uinput[:NAME], uinput-mouse[:NAME] or none "
		 "[QEMU's monitor, where pid: or vm: finds one, or none]",
		 "TO"},
		{"keymap", 0, 0, G_OPTION_ARG_STRING, &input->layout,
		 "the guest's keyboard layout [" KEYMAP_DEFAULT "]", "LAYOUT"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

/* Whether it asks for a device of uinput, called *name (within it, or NULL). */
static bool is_uinput(const char *to, bool *relative, const char **name)
{
	const char *colon = strchrnul(to, ':');
	size_t length = (size_t)(colon - to);

	*relative = length == strlen(MOUSE) && !strncmp(to, MOUSE, length);
	*name = *colon ? colon + 1 : NULL;
	return *relative || (length == strlen(UINPUT) && !strncmp(to, UINPUT, length));
}

static int check_to(const char *to)
{
	const char *name;
	bool relative;

	if (!to || !strcmp(to, "none") || (g_str_has_prefix(to, QMP) && to[strlen(QMP)]))
		return EXIT_DONE;
	if (!is_uinput(to, &relative, &name)) {
		log_error("serve: --input %s is unknown (qmp:PATH, uinput[:NAME], "
			  "uinput-mouse[:NAME] or none)",
			  to);
		return EXIT_USAGE;
	}
	if (name && (!*name || strlen(name) > NAME_LENGTH || name[strspn(name, NAME_LETTERS)])) {
		log_error("serve: --input %s: a NAME has 1 to %d letters, digits, '.', '_' or '-'",
			  to, NAME_LENGTH);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int serve_input_check(struct serve_input *input)
{
	const char *layout = input->layout ? input->layout : KEYMAP_DEFAULT;
	GError *error = NULL;
	int code = check_to(input->to);

	if (code)
		return code;
	if (!keymap_create(layout, &input->keymap, &error))
		return EXIT_DONE;
	/* The default one is missing only where there is no data: keysyms then do nothing. */
	if (!input->layout) {
		log_debug("keymap: %s", error->message);
		g_clear_error(&error);
		return EXIT_DONE;
	}
	code = error->code;
	log_error("serve: --keymap: %s", error->message);
	g_clear_error(&error);
	return code;
}

/* The monitor that a pid: or vm: has, or NULL. */
static char *find_monitor(const char *spec)
{
	struct device device;
	char *path = NULL;

	if (!device_parse(spec, &device, NULL) && device.kind == DEVICE_PID)
		path = input_qmp_find(device.pid);
	device_finish(&device);
	return path;
}

static uint16_t code_of(uint32_t keysym, void *keymap)
{
	return keymap ? keymap_code(keysym, keymap) : 0;
}

static int start_uinput(struct serve_input *input, struct input_sink **sink, GError **error)
{
	const char *name;
	bool relative;
	int ret;

	is_uinput(input->to, &relative, &name);
	ret = input_uinput_create(name ? name : ANY, relative, sink, error);
	if (ret)
		return ret;
	input->nodes[0] = input_uinput_keyboard(*sink);
	input->nodes[1] = input_uinput_pointer(*sink);
	return 0;
}

int serve_input_start(struct serve_input *input, const char *spec, GError **error)
{
	struct input_sink *sink = NULL;
	int ret = 0;

	if (!input->to)
		input->monitor = find_monitor(spec);
	else if (g_str_has_prefix(input->to, QMP))
		input->monitor = g_strdup(input->to + strlen(QMP));
	else if (strcmp(input->to, "none") != 0)
		ret = start_uinput(input, &sink, error);
	if (input->monitor)
		sink = input_qmp_create(input->monitor);
	if (sink)
		input->input = input_create(sink, code_of, input->keymap);
	return ret;
}

const char *serve_input_kind(const struct serve_input *input)
{
	return input->monitor ? "qmp" : input->nodes[0] ? "uinput" : "none";
}

void serve_input_announce(const struct serve_input *input)
{
	if (input->monitor)
		log_info("input: to QEMU's monitor %s%s", input->monitor,
			 input->to ? "" : " (--input none leaves it alone)");
	else if (input->nodes[0])
		log_info("input: to whoever takes the keyboard %s and the pointer %s",
			 input->nodes[0], input->nodes[1]);
	else
		log_info("input: none, viewers only watch%s",
			 input->to ? "" : " (--input qmp:PATH lets them type)");
}

void serve_input_finish(struct serve_input *input)
{
	input_destroy(input->input);
	keymap_destroy(input->keymap);
	g_free(input->monitor);
	g_free(input->to);
	g_free(input->layout);
}
