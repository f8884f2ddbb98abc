/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "output.h"

struct png_effort {
	int level, strategy, filters; /* zlib's, zlib's, libpng's */
};

/*
 * The fastest way that still compresses: rows as differences to the one above, and runs only.
 * Searching for longer matches takes several times as long.
 */
static const struct png_effort png_fast = {1, Z_RLE, PNG_FILTER_UP};

/* Of these, what is smallest: text repeats itself as it is, photographs do not. */
static const struct png_effort png_best[] = {
	{9, Z_DEFAULT_STRATEGY, PNG_FILTER_NONE},
	{9, Z_DEFAULT_STRATEGY, PNG_FILTER_UP},
	{9, Z_FILTERED, PNG_ALL_FILTERS},
};

static const uint32_t *row_of(const struct image *image, uint32_t y)
{
	return (const uint32_t *)(const void *)((const uint8_t *)image->pixels + y * image->stride);
}

static void to_rgb(const uint32_t *pixels, uint32_t width, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++, out += 3) {
		out[0] = (uint8_t)(pixels[x] >> 16);
		out[1] = (uint8_t)(pixels[x] >> 8);
		out[2] = (uint8_t)pixels[x];
	}
}

/* A channel divided by its alpha, rounded; a guest may claim more colour than alpha. */
static uint8_t straight(uint32_t channel, uint32_t alpha)
{
	uint32_t value = alpha ? (channel * 255 + alpha / 2) / alpha : 0;

	return (uint8_t)(value > 255 ? 255 : value);
}

/* PNG's alpha is not premultiplied. */
static void to_rgba(const uint32_t *pixels, uint32_t width, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++, out += 4) {
		uint32_t alpha = pixels[x] >> 24;

		out[0] = straight(pixels[x] >> 16 & 255, alpha);
		out[1] = straight(pixels[x] >> 8 & 255, alpha);
		out[2] = straight(pixels[x] & 255, alpha);
		out[3] = (uint8_t)alpha;
	}
}

static void to_raw(const uint32_t *pixels, uint32_t width, bool alpha, uint8_t *out)
{
	uint32_t mask = alpha ? 0xffffffff : 0x00ffffff;

	for (uint32_t x = 0; x < width; x++, out += 4) {
		uint32_t pixel = GUINT32_TO_LE(pixels[x] & mask);

		memcpy(out, &pixel, 4);
	}
}

struct png_writer {
	const struct image *image;
	const struct png_effort *effort;
	struct output *output; /* NULL: its size is all that is wanted */
	uint8_t *row;
	uint64_t size;
	int failed; /* -errno */
};

static void png_put(png_structp png, png_bytep data, size_t size)
{
	struct png_writer *writer = png_get_io_ptr(png);

	writer->size += size;
	if (writer->output)
		writer->failed = output_write(writer->output, data, size);
	if (writer->failed)
		png_error(png, "write");
}

static void png_flush_nothing(png_structp png)
{
	(void)png;
}

_Noreturn static void png_failed(png_structp png, png_const_charp message)
{
	struct png_writer *writer = png_get_error_ptr(png);

	(void)message;
	/* A good image leaves libpng nothing else to fail at. */
	if (!writer->failed)
		writer->failed = -ENOMEM;
	png_longjmp(png, 1);
}

static void png_warned(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

/* Between setjmp() and a longjmp() no local variable changes that is read after it. */
static void png_write(struct png_writer *writer, png_structp png, png_infop info)
{
	const struct image *image = writer->image;

	if (setjmp(png_jmpbuf(png)))
		return;
	png_set_write_fn(png, writer, png_put, png_flush_nothing);
	png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
	png_set_IHDR(png, info, image->width, image->height, 8,
		     image->alpha ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, writer->effort->level);
	png_set_compression_strategy(png, writer->effort->strategy);
	png_set_compression_buffer_size(png, 1 << 18);
	png_set_filter(png, PNG_FILTER_TYPE_BASE, writer->effort->filters);
	png_write_info(png, info);
	for (uint32_t y = 0; y < image->height; y++) {
		if (image->alpha)
			to_rgba(row_of(image, y), image->width, writer->row);
		else
			to_rgb(row_of(image, y), image->width, writer->row);
		png_write_row(png, writer->row);
	}
	png_write_end(png, NULL);
}

static int png_run(struct png_writer *writer)
{
	png_structp png;
	png_infop info;

	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, png_failed, png_warned);
	if (!png)
		return -ENOMEM;
	info = png_create_info_struct(png);
	if (info)
		png_write(writer, png, info);
	else
		writer->failed = -ENOMEM;
	png_destroy_write_struct(&png, &info);
	return writer->failed;
}

static int write_png(const struct image *image, struct output *output, uint8_t *row)
{
	struct png_writer writer = {
		.image = image, .effort = &png_fast, .output = output, .row = row};

	return png_run(&writer);
}

static int write_png_best(const struct image *image, struct output *output, uint8_t *row)
{
	struct png_writer best = {.image = image, .output = output, .row = row};
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < G_N_ELEMENTS(png_best); i++) {
		struct png_writer trial = {.image = image, .effort = &png_best[i], .row = row};
		int ret = png_run(&trial);

		if (ret)
			return ret;
		if (trial.size < least) {
			least = trial.size;
			best.effort = trial.effort;
		}
	}
	return png_run(&best);
}

static int write_ppm(const struct image *image, struct output *output, uint8_t *row)
{
	char *header = g_strdup_printf("P6\n%u %u\n255\n", image->width, image->height);
	int ret = output_write(output, header, strlen(header));

	g_free(header);
	for (uint32_t y = 0; y < image->height && !ret; y++) {
		to_rgb(row_of(image, y), image->width, row);
		ret = output_write(output, row, (size_t)image->width * 3);
	}
	return ret;
}

static int write_raw(const struct image *image, struct output *output, uint8_t *row)
{
	int ret = 0;

	for (uint32_t y = 0; y < image->height && !ret; y++) {
		to_raw(row_of(image, y), image->width, image->alpha, row);
		ret = output_write(output, row, (size_t)image->width * 4);
	}
	return ret;
}

static const struct {
	const char *name;
	int (*write)(const struct image *image, struct output *output, uint8_t *row);
} formats[IMAGE_FORMATS] = {
	[IMAGE_PNG] = {"png", write_png},
	[IMAGE_PNG_BEST] = {NULL, write_png_best},
	[IMAGE_PPM] = {"ppm", write_ppm},
	[IMAGE_RAW] = {"raw", write_raw},
};

int image_format_from_name(const char *name)
{
	for (int format = 0; format < IMAGE_FORMATS; format++)
		if (formats[format].name && !strcmp(name, formats[format].name))
			return format;
	return -1;
}

int image_write(const struct image *image, enum image_format format, const char *path,
		GError **error)
{
	struct output *output;
	uint8_t *row;
	int ret = output_open(path, &output, error);

	if (ret)
		return ret;
	row = malloc((size_t)image->width * 4);
	ret = row ? formats[format].write(image, output, row) : -ENOMEM;
	if (ret)
		output_spoil(output, ret);
	ret = output_commit(output, error);
	free(row);
	output_close(output);
	return ret;
}
