/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_agent.h"

#include <string.h>

#include "log.h"

#define UNIX "unix:"

const char serve_agent_help[] =
	"--vdagent unix:PATH reaches the guest's own agent (spice-vdagent) by the socket of QEMU's\n"
	"character device (-chardev socket,path=PATH,server=on,wait=off, to a virtserialport named\n"
	"com.redhat.spice.0): guest and viewers share what they copy, and the guest's desktop takes\n"
	"the size of a viewer's window where the device has no EDID.\n";

void serve_agent_entries(struct serve_agent *agent, GArray *entries)
{
	const GOptionEntry own[] = {
		{"vdagent", 0, 0, G_OPTION_ARG_FILENAME, &agent->address,
		 "join the guest's agent, by the socket of QEMU's chardev for it", "unix:PATH"},
	};

	g_array_append_vals(entries, own, G_N_ELEMENTS(own));
}

int serve_agent_check(const struct serve_agent *agent)
{
	if (!agent->address ||
	    (g_str_has_prefix(agent->address, UNIX) && agent->address[strlen(UNIX)]))
		return EXIT_DONE;
	log_error("serve: --vdagent %s is no address of an agent (unix:PATH)", agent->address);
	return EXIT_USAGE;
}

static int on_resize(uint32_t width, uint32_t height, void *agent)
{
	return guest_agent_resize(agent, width, height);
}

void serve_agent_start(struct serve_agent *agent, struct clipboard *clipboard,
		       struct screen *screen)
{
	if (!agent->address)
		return;
	agent->agent = guest_agent_create(agent->address + strlen(UNIX), clipboard);
	screen_set_resizer(screen, on_resize, agent->agent);
}

void serve_agent_stop(struct serve_agent *agent, struct screen *screen)
{
	screen_set_resizer(screen, NULL, NULL);
	guest_agent_destroy(agent->agent);
	agent->agent = NULL;
}

void serve_agent_finish(struct serve_agent *agent)
{
	g_free(agent->address);
}
