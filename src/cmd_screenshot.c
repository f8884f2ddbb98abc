/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "image.h"
#include "shot.h"

/* A plane that changes under the reading is read again, so often and with such a pause. */
#define RETRIES     50
#define RETRY_US    10000
#define WAIT_US     100000
#define MAX_SECONDS 86400

struct screenshot_options {
	char *output, *format, *plane, *palette;
	gboolean best;
	double wait;
	enum image_format image_format;
	enum shot_planes planes;
};

static int planes_from_name(const char *name)
{
	static const char *const names[] = {"primary", "cursor", "both"};

	for (int i = 0; i < (int)G_N_ELEMENTS(names); i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

static int check(struct screenshot_options *options)
{
	int format = options->format ? image_format_from_name(options->format) : IMAGE_PNG;
	int planes = options->plane ? planes_from_name(options->plane) : SHOT_PRIMARY;

	if (format < 0) {
		log_error("screenshot: unknown --format \"%s\" (give png, ppm or raw)",
			  options->format);
		return EXIT_USAGE;
	}
	if (planes < 0) {
		log_error("screenshot: unknown --plane \"%s\" (give primary, cursor or both)",
			  options->plane);
		return EXIT_USAGE;
	}
	if (options->best && format != IMAGE_PNG) {
		log_error("screenshot: --best is for PNG (drop --format %s)", options->format);
		return EXIT_USAGE;
	}
	options->image_format = options->best ? IMAGE_PNG_BEST : (enum image_format)format;
	options->planes = (enum shot_planes)planes;
	if (!(options->wait >= 0 && options->wait <= MAX_SECONDS)) {
		log_error("screenshot: --wait %g is out of range (0 to %d seconds)", options->wait,
			  MAX_SECONDS);
		return EXIT_USAGE;
	}
	if (options->output && !*options->output) {
		log_error("screenshot: no file given (give -o FILE; - is standard output)");
		return EXIT_USAGE;
	}
	if (!options->output && isatty(STDOUT_FILENO)) {
		log_error("screenshot: standard output is a terminal (give -o FILE)");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* Takes the picture, waiting for a display that is off or without its machine if asked to. */
static int take(struct source *source, const struct screenshot_options *options,
		pixman_image_t **image, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)(options->wait * G_USEC_PER_SEC);
	int retries = 0;

	for (;;) {
		int ret = shot_take(source, options->planes, image, error);
		bool off = ret == -ENODATA || ret == -ENODEV;

		if (ret == -EAGAIN && retries++ < RETRIES)
			g_usleep(RETRY_US);
		else if (off && g_get_monotonic_time() < deadline)
			g_usleep(WAIT_US);
		else
			return ret;
		g_clear_error(error);
	}
}

static int write_image(const struct screenshot_options *options, pixman_image_t *pixels,
		       GError **error)
{
	struct image image = {
		.width = (uint32_t)pixman_image_get_width(pixels),
		.height = (uint32_t)pixman_image_get_height(pixels),
		.stride = (size_t)pixman_image_get_stride(pixels),
		.pixels = pixman_image_get_data(pixels),
		.alpha = options->planes == SHOT_CURSOR,
	};

	return image_write(&image, options->image_format, options->output ? options->output : "-",
			   error);
}

static int screenshot(const char *spec, const struct screenshot_options *options)
{
	uint32_t colours[PALETTE_COLOURS];
	struct source *source;
	pixman_image_t *image;
	GError *error = NULL;
	int ret = cmd_open_source(spec, SOURCE_VFIO_ATTACH_OPEN, &source, &error);

	if (ret)
		return cmd_report(spec, error);
	ret = cmd_set_palette(source, options->palette, colours, &error);
	if (!ret)
		ret = take(source, options, &image, &error);
	/* The device is free again before the file is written. */
	source->ops->close(source);
	if (!ret) {
		ret = write_image(options, image, &error);
		pixman_image_unref(image);
	}
	return ret ? cmd_report(spec, error) : EXIT_DONE;
}

int cmd_screenshot(int argc, char **argv)
{
	struct screenshot_options options = {0};
	const GOptionEntry entries[] = {
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
		 "write here; - is standard output, the default", "FILE"},
		{"format", 0, 0, G_OPTION_ARG_STRING, &options.format, "png, ppm or raw [png]",
		 "FORMAT"},
		{"best", 0, 0, G_OPTION_ARG_NONE, &options.best,
		 "as small a PNG as can be made, which takes many times as long", NULL},
		{"plane", 0, 0, G_OPTION_ARG_STRING, &options.plane,
		 "primary, cursor or both [primary]", "PLANE"},
		{"palette", 0, 0, G_OPTION_ARG_FILENAME, &options.palette, CMD_PALETTE_HELP,
		 "PALETTE"},
		{"wait", 0, 0, G_OPTION_ARG_DOUBLE, &options.wait,
		 "wait so long for a display that is off [0]", "SECONDS"},
		G_OPTION_ENTRY_NULL,
	};
	int ret = cmd_options(
		&argc, &argv, entries, "DEVICE", 1, "Takes one picture of a display.",
		"A device that a virtual machine owns is attached for that moment, a free one is\n"
		"opened. The file appears under its name only when it is complete. raw is rows of\n"
		"4 bytes a pixel, blue green red 0, without padding.\n\n"
		"  planecast screenshot sim: -o screen.png\n"
		"  planecast screenshot pid:1234 --plane both --format ppm > screen.ppm");

	signal(SIGPIPE, SIG_IGN);
	if (!ret)
		ret = check(&options);
	if (!ret)
		ret = screenshot(argv[1], &options);
	g_free(options.output);
	g_free(options.format);
	g_free(options.plane);
	g_free(options.palette);
	return ret;
}
