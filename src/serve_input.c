/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_input.h"

#include <string.h>

#include "device.h"
#include "input_qmp.h"
#include "log.h"

#define QMP "qmp:"

const char serve_input_help[] =
	"--input qmp:PATH gives what viewers type and point at to the guest, by the monitor of\n"
	"QEMU (-qmp unix:PATH,server=on,wait=off), which has one user at a time. For pid: and\n"
	"vm: the monitor is found by itself; --input none leaves it alone, and viewers watch.\n"
	"The LAYOUT is for viewers that send no scancodes: the one that the guest is set to,\n"
	"such as us, de or de(nodeadkeys).\n";

void serve_input_entries(struct serve_input *input, GArray *entries)
{
	const GOptionEntry own[] = {
		{"input", 0, 0, G_OPTION_ARG_FILENAME, &input->to,
		 "where viewers' input goes: qmp:PATH or none [QEMU's monitor, where pid: or vm: "
		 "finds one, or none]",
		 "TO"},
		{"keymap", 0, 0, G_OPTION_ARG_STRING, &input->layout,
		 "the guest's keyboard layout [" KEYMAP_DEFAULT "]", "LAYOUT"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

int serve_input_check(struct serve_input *input)
{
	const char *layout = input->layout ? input->layout : KEYMAP_DEFAULT;
	GError *error = NULL;
	int code;

	if (input->to && strcmp(input->to, "none") != 0 &&
	    (!g_str_has_prefix(input->to, QMP) || !input->to[strlen(QMP)])) {
		log_error("serve: --input %s is unknown (qmp:PATH or none)", input->to);
		return EXIT_USAGE;
	}
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

void serve_input_start(struct serve_input *input, const char *spec)
{
	if (!input->to)
		input->monitor = find_monitor(spec);
	else if (strcmp(input->to, "none") != 0)
		input->monitor = g_strdup(input->to + strlen(QMP));
	if (input->monitor)
		input->input = input_create(input_qmp_create(input->monitor), code_of,
					    input->keymap);
}

void serve_input_announce(const struct serve_input *input)
{
	if (input->monitor)
		log_info("input: to QEMU's monitor %s%s", input->monitor,
			 input->to ? "" : " (--input none leaves it alone)");
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
