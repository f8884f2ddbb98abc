/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim_options.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "log.h"
#include "plane.h"

#define MAX_FPS           1000u
#define MIN_PERIOD        0.01
#define MAX_PERIOD        86400.0
#define SHOWN_VALUE_BYTES 40u
#define MAX_EPOCH         (G_MAXINT64 / 1000000) /* times fps it still fits */

static const char *const layout_words[] = {
	[DETILE_LINEAR] = "linear", [DETILE_X] = "x", [DETILE_Y] = "y",
	[DETILE_YF] = "yf",         [DETILE_4] = "4", [DETILE_LAYOUTS] = NULL,
};
static const char *const transport_words[] = {"region", "dmabuf", NULL};
static const char *const damage_words[] = {"flag", "rects", "none", NULL};
static const char *const switch_words[] = {"off", "on", NULL};

static const uint32_t fourccs[] = {
	DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_XBGR8888,    DRM_FORMAT_ABGR8888,
	DRM_FORMAT_RGBX8888, DRM_FORMAT_BGRX8888, DRM_FORMAT_XRGB2101010, DRM_FORMAT_XBGR2101010,
	DRM_FORMAT_RGB565,   DRM_FORMAT_BGR565,
};

/* A value as a message can show it: printable, and not too long. */
static char *shown(const char *value)
{
	char *part = g_strndup(value, SHOWN_VALUE_BYTES), *text = g_strescape(part, NULL);

	g_free(part);
	return text;
}

static int refuse(const char *key, const char *value, const char *allowed, GError **error)
{
	char *text = shown(value);
	int ret = fail(error, EXIT_USAGE, EINVAL, "%s=%s is not possible (use %s)", key, text,
		       allowed);

	g_free(text);
	return ret;
}

/* Which of the words the value is. */
static int parse_word(const char *key, const char *value, const char *const *words, int *index,
		      GError **error)
{
	char *allowed;
	int ret;

	for (*index = 0; words[*index]; ++*index)
		if (!strcmp(value, words[*index]))
			return 0;
	allowed = g_strjoinv(", ", (char **)(uintptr_t)words);
	ret = refuse(key, value, allowed, error);
	g_free(allowed);
	return ret;
}

static int parse_number(const char *key, const char *value, guint64 max, guint64 *number,
			GError **error)
{
	char *allowed;
	int ret;

	if (g_ascii_string_to_unsigned(value, 10, 0, max, number, NULL))
		return 0;
	allowed = g_strdup_printf("0 to %" G_GUINT64_FORMAT, max);
	ret = refuse(key, value, allowed, error);
	g_free(allowed);
	return ret;
}

static bool parse_size(const char *value, struct sim_mode *mode)
{
	char **sides = g_strsplit(value, "x", 3);
	guint64 width = 0, height = 0;
	bool good =
		g_strv_length(sides) == 2 &&
		g_ascii_string_to_unsigned(sides[0], 10, 1, PLANE_MAX_DIMENSION, &width, NULL) &&
		g_ascii_string_to_unsigned(sides[1], 10, 1, PLANE_MAX_DIMENSION, &height, NULL) &&
		width * height <= SIM_MAX_PIXELS;

	g_strfreev(sides);
	*mode = (struct sim_mode){(uint32_t)width, (uint32_t)height};
	return good;
}

static int parse_mode(const char *key, const char *value, struct sim_mode *mode, GError **error)
{
	char *allowed;
	int ret;

	*mode = (struct sim_mode){0};
	if (!strcmp(value, "off") || parse_size(value, mode))
		return 0;
	allowed = g_strdup_printf("WIDTHxHEIGHT, each 1 to %u, at most %u pixels in all, or off",
				  PLANE_MAX_DIMENSION, SIM_MAX_PIXELS);
	ret = refuse(key, value, allowed, error);
	g_free(allowed);
	return ret;
}

static int parse_modes(const char *key, const char *value, struct sim_options *options,
		       GError **error)
{
	char **words = g_strsplit(value, "+", SIM_MAX_MODES + 1);
	int ret = 0;

	if (g_strv_length(words) > SIM_MAX_MODES) {
		ret = fail(error, EXIT_USAGE, EINVAL, "%s has too many modes (at most %u)", key,
			   SIM_MAX_MODES);
		goto done;
	}
	options->mode_count = 0;
	do {
		const char *word = words[options->mode_count];

		ret = parse_mode(key, word ? word : "", &options->modes[options->mode_count],
				 error);
		options->mode_count++;
	} while (!ret && words[options->mode_count]);
done:
	g_strfreev(words);
	return ret;
}

static int parse_period(const char *key, const char *value, struct sim_options *options,
			GError **error)
{
	char *end;
	double seconds = g_ascii_strtod(value, &end);

	if (!g_ascii_isdigit(value[0]) || *end || !isfinite(seconds) || seconds < MIN_PERIOD ||
	    seconds > MAX_PERIOD)
		return refuse(key, value, "seconds, 0.01 to 86400", error);
	options->period_us = (int64_t)(seconds * G_USEC_PER_SEC);
	return 0;
}

static int parse_format(const char *key, const char *value, struct sim_options *options,
			GError **error)
{
	GString *allowed;
	int ret;

	for (size_t i = 0; i < G_N_ELEMENTS(fourccs); i++) {
		char name[5];

		plane_fourcc_name(fourccs[i], name);
		if (!strcmp(value, name)) {
			options->fourcc = fourccs[i];
			return 0;
		}
	}
	allowed = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(fourccs); i++) {
		char name[5];

		plane_fourcc_name(fourccs[i], name);
		g_string_append_printf(allowed, "%s%s", i ? ", " : "", name);
	}
	ret = refuse(key, value, allowed->str, error);
	g_string_free(allowed, TRUE);
	return ret;
}

static int parse_pattern(const char *key, const char *value, struct sim_options *options,
			 GError **error)
{
	const char *words[PATTERN_KINDS + 1] = {NULL};
	int kind, ret;

	for (kind = 0; kind < PATTERN_KINDS; kind++)
		words[kind] = pattern_name((enum pattern_kind)kind);
	ret = parse_word(key, value, words, &kind, error);
	if (!ret)
		options->pattern = (enum pattern_kind)kind;
	return ret;
}

static int parse_mode_key(const char *key, const char *value, struct sim_options *options,
			  GError **error)
{
	options->mode_count = 1;
	return parse_mode(key, value, &options->modes[0], error);
}

static int parse_layout(const char *key, const char *value, struct sim_options *options,
			GError **error)
{
	int word, ret = parse_word(key, value, layout_words, &word, error);

	if (!ret)
		options->layout = (enum detile_layout)word;
	return ret;
}

static int parse_transport(const char *key, const char *value, struct sim_options *options,
			   GError **error)
{
	int word, ret = parse_word(key, value, transport_words, &word, error);

	if (!ret)
		options->transport = (enum sim_transport)word;
	return ret;
}

static int parse_damage(const char *key, const char *value, struct sim_options *options,
			GError **error)
{
	int word, ret = parse_word(key, value, damage_words, &word, error);

	if (!ret)
		options->damage = (enum sim_damage)word;
	return ret;
}

static int parse_cursor(const char *key, const char *value, struct sim_options *options,
			GError **error)
{
	int word, ret = parse_word(key, value, switch_words, &word, error);

	if (!ret)
		options->cursor = word;
	return ret;
}

static int parse_edid(const char *key, const char *value, struct sim_options *options,
		      GError **error)
{
	int word, ret = parse_word(key, value, switch_words, &word, error);

	if (!ret)
		options->edid = word;
	return ret;
}

static int parse_fps(const char *key, const char *value, struct sim_options *options,
		     GError **error)
{
	guint64 number = 0;
	int ret = parse_number(key, value, MAX_FPS, &number, error);

	options->fps = (uint32_t)number;
	return ret;
}

static int parse_frame(const char *key, const char *value, struct sim_options *options,
		       GError **error)
{
	guint64 number = 0;
	int ret = parse_number(key, value, G_MAXUINT64, &number, error);

	options->frame = number;
	return ret;
}

static int parse_seed(const char *key, const char *value, struct sim_options *options,
		      GError **error)
{
	guint64 number = 0;
	int ret = parse_number(key, value, G_MAXUINT32, &number, error);

	options->seed = (uint32_t)number;
	return ret;
}

static int parse_cycle(const char *key, const char *value, struct sim_options *options,
		       GError **error)
{
	guint64 number = 0;
	int ret = parse_number(key, value, SIM_MAX_CYCLE, &number, error);

	options->cycle = (uint32_t)number;
	return ret;
}

static int parse_epoch(const char *key, const char *value, struct sim_options *options,
		       GError **error)
{
	guint64 number = 0;
	int ret = parse_number(key, value, MAX_EPOCH, &number, error);

	options->epoch_us = (int64_t)number;
	return ret;
}

enum key {
	KEY_MODE,
	KEY_MODES,
	KEY_PERIOD,
	KEY_LAYOUT,
	KEY_FORMAT,
	KEY_PATTERN,
	KEY_FPS,
	KEY_FRAME,
	KEY_TRANSPORT,
	KEY_DAMAGE,
	KEY_CURSOR,
	KEY_EDID,
	KEY_SEED,
	KEY_CYCLE,
	KEY_EPOCH,
	KEYS,
};

static const struct {
	const char *name;
	int (*parse)(const char *key, const char *value, struct sim_options *options,
		     GError **error);
} keys[KEYS] = {
	[KEY_MODE] = {"mode", parse_mode_key},
	[KEY_MODES] = {"modes", parse_modes},
	[KEY_PERIOD] = {"period", parse_period},
	[KEY_LAYOUT] = {"layout", parse_layout},
	[KEY_FORMAT] = {"format", parse_format},
	[KEY_PATTERN] = {"pattern", parse_pattern},
	[KEY_FPS] = {"fps", parse_fps},
	[KEY_FRAME] = {"frame", parse_frame},
	[KEY_TRANSPORT] = {"transport", parse_transport},
	[KEY_DAMAGE] = {"damage", parse_damage},
	[KEY_CURSOR] = {"cursor", parse_cursor},
	[KEY_EDID] = {"edid", parse_edid},
	[KEY_SEED] = {"seed", parse_seed},
	[KEY_CYCLE] = {"cycle", parse_cycle},
	[KEY_EPOCH] = {"epoch", parse_epoch},
};

static int refuse_key(const char *word, GError **error)
{
	GString *line = g_string_new("unknown key ");
	char *text = shown(word);
	int ret;

	g_string_append_printf(line, "\"%s\" (use ", text);
	for (unsigned int i = 0; i < KEYS; i++)
		g_string_append_printf(line, "%s%s", i ? ", " : "", keys[i].name);
	ret = fail(error, EXIT_USAGE, EINVAL, "%s)", line->str);
	g_free(text);
	g_string_free(line, TRUE);
	return ret;
}

/* One KEY=VALUE; `given` has a bit for each key that was there. */
static int parse_pair(const char *pair, struct sim_options *options, unsigned int *given,
		      GError **error)
{
	const char *equals = strchr(pair, '=');
	size_t length = equals ? (size_t)(equals - pair) : strlen(pair);

	for (unsigned int i = 0; i < KEYS; i++) {
		if (strncmp(keys[i].name, pair, length) || keys[i].name[length])
			continue;
		if (!equals)
			return fail(error, EXIT_USAGE, EINVAL, "%s has no value (%s=VALUE)",
				    keys[i].name, keys[i].name);
		if (*given & 1u << i)
			return fail(error, EXIT_USAGE, EINVAL, "%s is given twice", keys[i].name);
		*given |= 1u << i;
		return keys[i].parse(keys[i].name, equals + 1, options, error);
	}
	return refuse_key(pair, error);
}

/* What no key can see alone. */
static int check_together(struct sim_options *options, unsigned int given, GError **error)
{
	const struct plane_format *format = plane_format(options->fourcc);

	if (given & 1u << KEY_MODE && given & 1u << KEY_MODES)
		return fail(error, EXIT_USAGE, EINVAL, "mode and modes are both given (use one)");
	if (options->layout == DETILE_YF && format->cpp != 4)
		return fail(error, EXIT_USAGE, EINVAL,
			    "layout=yf needs a format of 4 bytes a pixel (such as XR24)");
	for (unsigned int i = 0; i < options->mode_count; i++) {
		const struct sim_mode *mode = &options->modes[i];

		if ((uint64_t)mode->width * mode->height * options->cycle > SIM_MAX_CYCLE_PIXELS)
			return fail(error, EXIT_USAGE, EINVAL,
				    "cycle=%u: too many for %ux%u (a smaller mode, or fewer)",
				    options->cycle, mode->width, mode->height);
	}
	if (options->cycle && options->damage == SIM_DAMAGE_RECTS)
		options->damage = SIM_DAMAGE_FLAG;
	if (given & 1u << KEY_FRAME)
		options->fps = 0;
	return 0;
}

int sim_options_parse(const char *text, struct sim_options *options, GError **error)
{
	char **pairs;
	unsigned int given = 0;
	int ret = 0;

	*options = (struct sim_options){
		.modes = {{1920, 1080}},
		.mode_count = 1,
		.period_us = 5 * G_USEC_PER_SEC,
		.layout = DETILE_LINEAR,
		.fourcc = DRM_FORMAT_XRGB8888,
		.pattern = PATTERN_DESKTOP,
		.fps = 30,
		.edid = true,
		.transport = SIM_REGION,
		.damage = SIM_DAMAGE_RECTS,
		.epoch_us = -1,
	};
	if (!text || !*text)
		return 0;
	pairs = g_strsplit(text, ",", -1);
	for (char **pair = pairs; *pair && !ret; pair++)
		ret = parse_pair(*pair, options, &given, error);
	g_strfreev(pairs);
	return ret ? ret : check_together(options, given, error);
}
