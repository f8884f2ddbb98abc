/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "guard.h"
#include "log.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} verbs[] = {
	{"list", cmd_list, "the displays of this host: mdev types, devices, owners"},
	{"probe", cmd_probe,
	 "what display a device has, and whether QEMU would need OpenGL for it"},
	{"record", cmd_record, "the planes of a display as they are in memory, for replay:"},
	{"screenshot", cmd_screenshot, "one picture of a display, as PNG, PPM or raw pixels"},
	{"serve", cmd_serve, "a display for VNC viewers"},
	{"status", cmd_status, "what a running server does: clients, rates, damage, cost"},
};

static void print_help(void)
{
	puts("Usage: planecast VERB [OPTIONS] [DEVICE]\n\n"
	     "Shows a virtual GPU's screen without OpenGL.\n\nVerbs (planecast VERB --help):");
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		printf("  %-12s%s\n", verbs[i].name, verbs[i].what);
	puts("\nDEVICE is one of\n"
	     "  sim[:KEY=VAL,...]  an embedded simulated vGPU\n"
	     "                     (mode modes period layout format pattern fps frame transport\n"
	     "                     damage cursor seed, as in sim:mode=800x600,layout=y,pattern=bars)\n"
	     "  mdev:UUID          a mediated device (the bare UUID will do)\n"
	     "  pci:ADDRESS        a PCI device bound to vfio; a path in /sys names either\n"
	     "  cdev:NODE          the same by /dev/vfio/devices/vfioN\n"
	     "  pid:PID, vm:NAME   the display of a running QEMU\n"
	     "  fd:N               an inherited device descriptor\n"
	     "  replay:FILE        a recording; ,loop plays it again, ,frame=N shows one frame\n\n"
	     "Exit codes: 0 done, 1 failed, 2 usage, 3 the device has no display, 4 busy or no\n"
	     "permission.");
}

/* Verbs, and GLib for --help, only print: here is told, once, what could not be written. */
static void check_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	log_error("cannot write to standard output");
	_exit(EXIT_FAILED);
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	atexit(check_output);
	guard_init();
	if (argc >= 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		print_help();
		return EXIT_DONE;
	}
	if (argc >= 2 && !strcmp(argv[1], "--version")) {
		puts("planecast " PLANECAST_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; argc >= 2 && i < G_N_ELEMENTS(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	if (argc < 2)
		log_error("no verb given (see planecast --help)");
	else
		log_error("unknown verb \"%s\" (see planecast --help)", argv[1]);
	return EXIT_USAGE;
}
