/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tight.h"

#include <string.h>
#include <turbojpeg.h>

#include "tight_packer.h"
#include "tight_palette.h"
#include "tight_pixels.h"

#define ENCODING_TIGHT 7

#define CONTROL_FILL    0x80
#define CONTROL_JPEG    0x90
#define CONTROL_FILTER  0x40
#define FILTER_PALETTE  1
#define FILTER_GRADIENT 2
#define STREAMS         4u
#define MIN_TO_COMPRESS 12u

/* A cell of more colours than this is a picture; rectangles of cells may have 256. */
#define COLOURS_LOSSLESS 96u
#define COLOURS_JPEG     48u
#define MIN_JPEG_PIXELS  256u /* below, its tables alone are larger */
#define LEAST_QUALITY    20   /* that one steps down to */
#define DEFAULT_LEVEL    1

/* As the pseudo-encoding numbers them; 4 and 5 are coarser than any client names by levels. */
#define SUBSAMPLING_420  1
#define SUBSAMPLING_422  2
#define SUBSAMPLING_GREY 3
#define SAMPLED_ROWS     8u

#define PIXELS ((size_t)TIGHT_WIDTH * TIGHT_HEIGHT)
#define BEFORE 3u /* bytes of 0 before a row */
#define ROW    (BEFORE + TIGHT_WIDTH * 3 + TIGHT_PIXELS_SLACK)

struct area {
	uint32_t x, y, width, height; /* in the piece */
};

enum kind {
	KIND_SOLID, /* one colour */
	KIND_FEW,
	KIND_MANY,
	KIND_DONE, /* in a rectangle already */
};

struct cell {
	enum kind kind;
	uint32_t colour; /* of a solid one */
};

struct tight {
	const struct tight_settings *settings;
	struct detile_rect piece;
	uint32_t rgb[PIXELS];     /* x8r8g8b8 with a zero byte, rows of the piece's width */
	uint32_t numbers[PIXELS]; /* the same in the client's format */
	const uint32_t *pixels;   /* the one of both that is sent */
	unsigned int size;        /* bytes of a pixel */
	bool rgb_pixels;          /* they are three bytes: red, green, blue */
	unsigned int few;
	unsigned int rects; /* so far */
	uint32_t lossy;     /* cells so far, as bits */
	GByteArray *out;

	struct tight_palette palette;
	uint8_t plain[PIXELS * 4 + TIGHT_PIXELS_SLACK];
	uint8_t rows[2][ROW]; /* a row as bytes and the one above it, for gradients */
	struct tight_packer *packer;
	tjhandle jpeg;
	uint8_t *picture; /* room for what it makes */
	size_t room;
};

/* TigerVNC's levels of quality 0 .. 9 in terms of JPEG, as viewers expect them. */
static const struct {
	uint8_t quality, subsampling;
} quality_levels[] = {{15, 1}, {29, 1}, {41, 1}, {42, 2}, {62, 2},
		      {77, 2}, {79, 0}, {86, 0}, {92, 0}, {100, 0}};

void tight_settings_init(struct tight_settings *settings, const struct vnc_format *format,
			 const struct vnc_encodings *encodings)
{
	int level = encodings->quality_level;

	*settings = (struct tight_settings){
		.format = *format, .level = DEFAULT_LEVEL, .gradient = !encodings->tight_png};
	if (encodings->compress_level >= 0)
		settings->level = MIN(encodings->compress_level, TIGHT_PACKER_MAX);
	if (format->bits == 8)
		return; /* there is no JPEG then */
	if (level >= 0) {
		settings->quality = quality_levels[level].quality;
		settings->subsampling = quality_levels[level].subsampling;
	}
	if (encodings->fine_quality_level >= 0)
		settings->quality = MAX(encodings->fine_quality_level, 1);
	settings->own_subsampling = encodings->subsampling >= 0 && settings->quality;
	if (settings->own_subsampling)
		settings->subsampling = encodings->subsampling;
}

/* Each a fifth of the quality; then fewer colours, which is quicker, too. */
void tight_settings_lower(struct tight_settings *settings, unsigned int steps)
{
	int floor = MIN(settings->quality, LEAST_QUALITY);

	if (!settings->quality || !steps)
		return;
	settings->quality = MAX(settings->quality * (int)(TIGHT_STEPS - steps) / (int)TIGHT_STEPS,
				floor);
	if (settings->own_subsampling || settings->subsampling == SUBSAMPLING_420 ||
	    settings->subsampling == SUBSAMPLING_GREY)
		return;
	settings->subsampling = steps == 1 ? SUBSAMPLING_422 : SUBSAMPLING_420;
}

static bool formats_equal(const struct vnc_format *a, const struct vnc_format *b)
{
	return a->bits == b->bits && a->depth == b->depth && a->big_endian == b->big_endian &&
	       a->red_max == b->red_max && a->green_max == b->green_max &&
	       a->blue_max == b->blue_max && a->red_shift == b->red_shift &&
	       a->green_shift == b->green_shift && a->blue_shift == b->blue_shift;
}

bool tight_settings_equal(const struct tight_settings *a, const struct tight_settings *b)
{
	return formats_equal(&a->format, &b->format) && a->level == b->level &&
	       a->quality == b->quality && a->subsampling == b->subsampling &&
	       a->gradient == b->gradient;
}

struct tight *tight_create(void)
{
	struct tight *tight = g_new0(struct tight, 1);

	tight->packer = tight_packer_create();
	tight->jpeg = tjInitCompress();
	return tight;
}

void tight_destroy(struct tight *tight)
{
	if (!tight)
		return;
	if (tight->jpeg)
		tjDestroy(tight->jpeg);
	tight_packer_destroy(tight->packer);
	g_free(tight->picture);
	g_free(tight);
}

static void put(struct tight *tight, uint8_t byte)
{
	g_byte_array_append(tight->out, &byte, 1);
}

static void put_head(struct tight *tight, const struct area *area)
{
	uint32_t x = tight->piece.x + area->x, y = tight->piece.y + area->y;
	const uint8_t head[12] = {(uint8_t)(x >> 8),
				  (uint8_t)x,
				  (uint8_t)(y >> 8),
				  (uint8_t)y,
				  (uint8_t)(area->width >> 8),
				  (uint8_t)area->width,
				  (uint8_t)(area->height >> 8),
				  (uint8_t)area->height,
				  [11] = ENCODING_TIGHT};

	g_byte_array_append(tight->out, head, sizeof(head));
	tight->rects++;
}

/* Seven bits a byte, the lowest first; the third has eight. */
static void put_length(struct tight *tight, size_t length)
{
	put(tight, (uint8_t)((length & 127) | (length > 127 ? 128 : 0)));
	if (length > 127)
		put(tight, (uint8_t)((length >> 7 & 127) | (length > 16383 ? 128 : 0)));
	if (length > 16383)
		put(tight, (uint8_t)(length >> 14));
}

static uint8_t *write_pixel(const struct tight *tight, uint8_t *to, uint32_t pixel)
{
	unsigned int size = tight->size;

	if (tight->rgb_pixels) {
		to[0] = (uint8_t)(pixel >> 16);
		to[1] = (uint8_t)(pixel >> 8);
		to[2] = (uint8_t)pixel;
	} else if (tight->settings->format.big_endian) {
		for (unsigned int i = 0; i < size; i++)
			to[i] = (uint8_t)(pixel >> 8 * (size - 1 - i));
	} else {
		for (unsigned int i = 0; i < size; i++)
			to[i] = (uint8_t)(pixel >> 8 * i);
	}
	return to + size;
}

static const uint32_t *row_of(const struct tight *tight, const struct area *area, uint32_t y)
{
	return tight->pixels + (size_t)(area->y + y) * tight->piece.width + area->x;
}

/* What is in `plain`, compressed unless it is tiny. */
static void put_data(struct tight *tight, size_t length)
{
	const uint8_t *packed;
	size_t size;

	if (length < MIN_TO_COMPRESS) {
		g_byte_array_append(tight->out, tight->plain, (guint)length);
		return;
	}
	packed = tight_pack(tight->packer, tight->settings->level, tight->plain, length, &size);
	put_length(tight, size);
	g_byte_array_append(tight->out, packed, (guint)size);
}

/* Basic rectangles take the four streams in turn, so that a viewer may decode them at a time. */
static uint8_t next_stream(const struct tight *tight)
{
	unsigned int stream = tight->rects % STREAMS;

	return (uint8_t)(stream << 4 | 1u << stream);
}

static void put_fill(struct tight *tight, const struct area *area)
{
	uint8_t bytes[4];

	put_head(tight, area);
	put(tight, CONTROL_FILL);
	g_byte_array_append(tight->out, bytes,
			    (guint)(write_pixel(tight, bytes, *row_of(tight, area, 0)) - bytes));
}

static size_t write_pixels(struct tight *tight, const struct area *area)
{
	uint8_t *to = tight->plain;

	for (uint32_t y = 0; y < area->height; y++) {
		const uint32_t *row = row_of(tight, area, y);

		if (tight->rgb_pixels) {
			tight_pixels_pack(row, area->width, to);
			to += area->width * 3;
			continue;
		}
		for (uint32_t x = 0; x < area->width; x++)
			to = write_pixel(tight, to, row[x]);
	}
	return (size_t)(to - tight->plain);
}

static size_t write_gradient(struct tight *tight, const struct area *area)
{
	uint8_t *to = tight->plain;

	memset(tight->rows[1], 0, sizeof(tight->rows[1]));
	for (uint32_t y = 0; y < area->height; y++, to += area->width * 3) {
		uint8_t *row = tight->rows[y % 2] + BEFORE, *above = tight->rows[~y % 2] + BEFORE;

		tight_pixels_pack(row_of(tight, area, y), area->width, row);
		tight_pixels_gradient(row, above, area->width * 3, to);
	}
	return (size_t)(to - tight->plain);
}

/* Whether gradients make a few rows of it shorter. */
static bool is_smooth(struct tight *tight, const struct area *area)
{
	struct area sample = *area;
	size_t gradient, pixels;

	sample.height = MIN(area->height, SAMPLED_ROWS);
	sample.y += (area->height - sample.height) / 2;
	tight_pack(tight->packer, tight->settings->level, tight->plain,
		   write_gradient(tight, &sample), &gradient);
	tight_pack(tight->packer, tight->settings->level, tight->plain,
		   write_pixels(tight, &sample), &pixels);
	return gradient < pixels;
}

static void put_full(struct tight *tight, const struct area *area)
{
	put_head(tight, area);
	if (tight->rgb_pixels && tight->settings->gradient && is_smooth(tight, area)) {
		put(tight, next_stream(tight) | CONTROL_FILTER);
		put(tight, FILTER_GRADIENT);
		put_data(tight, write_gradient(tight, area));
	} else {
		put(tight, next_stream(tight));
		put_data(tight, write_pixels(tight, area));
	}
}

/* One bit a pixel, the first one highest, rows of whole bytes. */
static size_t write_bits(struct tight *tight, const struct area *area)
{
	uint32_t second = tight->palette.colours[1];
	uint8_t *to = tight->plain;

	for (uint32_t y = 0; y < area->height; y++) {
		const uint32_t *row = row_of(tight, area, y);

		for (uint32_t x = 0; x < area->width; x += 8, to++) {
			*to = 0;
			for (uint32_t bit = 0; bit < 8 && x + bit < area->width; bit++)
				*to |= (uint8_t)((row[x + bit] == second) << (7 - bit));
		}
	}
	return (size_t)(to - tight->plain);
}

static size_t write_indices(struct tight *tight, const struct area *area)
{
	uint8_t *to = tight->plain;

	for (uint32_t y = 0; y < area->height; y++)
		to = tight_palette_map(&tight->palette, row_of(tight, area, y), area->width, to);
	return (size_t)(to - tight->plain);
}

static void put_palette(struct tight *tight, const struct area *area)
{
	const struct tight_palette *palette = &tight->palette;
	uint8_t bytes[4 * TIGHT_PALETTE_MAX], *to = bytes;

	put_head(tight, area);
	put(tight, next_stream(tight) | CONTROL_FILTER);
	put(tight, FILTER_PALETTE);
	put(tight, (uint8_t)(palette->count - 1));
	for (unsigned int i = 0; i < palette->count; i++)
		to = write_pixel(tight, to, palette->colours[i]);
	g_byte_array_append(tight->out, bytes, (guint)(to - bytes));
	put_data(tight, palette->count == 2 ? write_bits(tight, area) : write_indices(tight, area));
}

static uint8_t *make_room(struct tight *tight, size_t size)
{
	if (size > tight->room) {
		g_free(tight->picture);
		tight->picture = g_malloc(size);
		tight->room = size;
	}
	return tight->picture;
}

static void note_lossy(struct tight *tight, const struct area *area)
{
	uint32_t columns = (tight->piece.width - 1) / DETILE_CELL_WIDTH + 1;

	for (uint32_t y = area->y; y < area->y + area->height; y += DETILE_CELL_HEIGHT)
		for (uint32_t x = area->x; x < area->x + area->width; x += DETILE_CELL_WIDTH)
			tight->lossy |= 1u << (y / DETILE_CELL_HEIGHT * columns +
					       x / DETILE_CELL_WIDTH);
}

static bool put_jpeg(struct tight *tight, const struct area *area)
{
	static const int subsamplings[] = {TJSAMP_444,  TJSAMP_420, TJSAMP_422,
					   TJSAMP_GRAY, TJSAMP_420, TJSAMP_420};
	int subsampling = subsamplings[tight->settings->subsampling];
	int format = G_BYTE_ORDER == G_BIG_ENDIAN ? TJPF_XRGB : TJPF_BGRX;
	const uint32_t *from = tight->rgb + (size_t)area->y * tight->piece.width + area->x;
	unsigned long length;
	uint8_t *picture;

	if (!tight->jpeg || (size_t)area->width * area->height < MIN_JPEG_PIXELS)
		return false;
	length = tjBufSize((int)area->width, (int)area->height, subsampling);
	picture = make_room(tight, length);
	if (tjCompress2(tight->jpeg, (const uint8_t *)from, (int)area->width,
			(int)tight->piece.width * 4, (int)area->height, format, &picture, &length,
			subsampling, tight->settings->quality, TJFLAG_NOREALLOC))
		return false;
	put_head(tight, area);
	put(tight, CONTROL_JPEG);
	put_length(tight, length);
	g_byte_array_append(tight->out, picture, (guint)length);
	note_lossy(tight, area);
	return true;
}

static bool collect(struct tight *tight, const struct area *area, unsigned int limit)
{
	tight_palette_begin(&tight->palette, limit);
	for (uint32_t y = 0; y < area->height; y++)
		if (!tight_palette_add(&tight->palette, row_of(tight, area, y), area->width))
			return false;
	return true;
}

static bool is_solid(const struct tight *tight, const struct area *area)
{
	uint32_t first = *row_of(tight, area, 0);

	for (uint32_t y = 0; y < area->height; y++)
		if (!tight_pixels_are(row_of(tight, area, y), area->width, first))
			return false;
	return true;
}

static struct cell look_at(struct tight *tight, const struct area *area)
{
	if (is_solid(tight, area))
		return (struct cell){KIND_SOLID, *row_of(tight, area, 0)};
	return (struct cell){collect(tight, area, tight->few) ? KIND_FEW : KIND_MANY, 0};
}

static void put_area(struct tight *tight, const struct area *area, enum kind kind)
{
	unsigned int most = tight->size == 1 ? 2 : TIGHT_PALETTE_MAX;

	if (kind == KIND_SOLID)
		put_fill(tight, area);
	else if (kind == KIND_FEW && collect(tight, area, most))
		put_palette(tight, area);
	else if (kind == KIND_FEW || !tight->settings->quality || !put_jpeg(tight, area))
		put_full(tight, area);
}

static bool is_like(const struct cell *a, const struct cell *b)
{
	return a->kind == b->kind && a->colour == b->colour;
}

/* The cells of one kind from one on, to the right, then down as far as whole rows of them go. */
static void put_cells(struct tight *tight, struct cell *cells, uint32_t columns, uint32_t rows,
		      uint32_t column, uint32_t row)
{
	const struct cell first = cells[row * columns + column];
	uint32_t right = column + 1, bottom = row + 1;
	struct area area = {.x = column * DETILE_CELL_WIDTH, .y = row * DETILE_CELL_HEIGHT};
	bool whole = true;

	while (right < columns && is_like(&first, &cells[row * columns + right]))
		right++;
	for (; bottom < rows; bottom++) {
		for (uint32_t i = column; i < right && whole; i++)
			whole = is_like(&first, &cells[bottom * columns + i]);
		if (!whole)
			break;
	}
	for (uint32_t j = row; j < bottom; j++)
		for (uint32_t i = column; i < right; i++)
			cells[j * columns + i].kind = KIND_DONE;
	area.width = MIN(right * DETILE_CELL_WIDTH, tight->piece.width) - area.x;
	area.height = MIN(bottom * DETILE_CELL_HEIGHT, tight->piece.height) - area.y;
	put_area(tight, &area, first.kind);
}

static void read_pixels(struct tight *tight, const struct frame *frame)
{
	const struct detile_rect *piece = &tight->piece;
	uint32_t *to = tight->rgb;

	for (uint32_t y = piece->y; y < piece->y + piece->height; y++, to += piece->width)
		tight_pixels_read(frame->pixels + y * (frame->stride / 4) + piece->x, piece->width,
				  to);
}

/* RFB servers round so. */
static void translate(struct tight *tight, const struct vnc_format *format)
{
	size_t count = (size_t)tight->piece.width * tight->piece.height;
	uint32_t red[256], green[256], blue[256];

	for (uint32_t i = 0; i < 256; i++) {
		red[i] = (i * format->red_max + 127) / 255 << format->red_shift;
		green[i] = (i * format->green_max + 127) / 255 << format->green_shift;
		blue[i] = (i * format->blue_max + 127) / 255 << format->blue_shift;
	}
	for (size_t i = 0; i < count; i++)
		tight->numbers[i] = red[tight->rgb[i] >> 16] | green[tight->rgb[i] >> 8 & 255] |
				    blue[tight->rgb[i] & 255];
}

static void set_settings(struct tight *tight, const struct tight_settings *settings)
{
	const struct vnc_format *format = &settings->format;

	tight->settings = settings;
	tight->rgb_pixels = format->bits == 32 && format->depth == 24 && format->red_max == 255 &&
			    format->green_max == 255 && format->blue_max == 255;
	tight->size = tight->rgb_pixels ? 3 : format->bits / 8u;
	tight->few = settings->quality ? COLOURS_JPEG : COLOURS_LOSSLESS;
	if (tight->size == 1)
		tight->few = 2; /* an index is as long as a pixel */
}

unsigned int tight_encode(struct tight *tight, const struct tight_settings *settings,
			  const struct frame *frame, const struct detile_rect *piece,
			  GByteArray *out, uint32_t *lossy)
{
	uint32_t columns = (piece->width - 1) / DETILE_CELL_WIDTH + 1;
	uint32_t rows = (piece->height - 1) / DETILE_CELL_HEIGHT + 1;
	struct cell cells[TIGHT_RECTS];

	set_settings(tight, settings);
	tight->piece = *piece;
	tight->out = out;
	tight->rects = 0;
	tight->lossy = 0;
	read_pixels(tight, frame);
	tight->pixels = tight->rgb_pixels ? tight->rgb : tight->numbers;
	if (!tight->rgb_pixels)
		translate(tight, &settings->format);
	for (uint32_t i = 0; i < columns * rows; i++) {
		struct area area = {.x = i % columns * DETILE_CELL_WIDTH,
				    .y = i / columns * DETILE_CELL_HEIGHT};

		area.width = MIN(piece->width - area.x, DETILE_CELL_WIDTH);
		area.height = MIN(piece->height - area.y, DETILE_CELL_HEIGHT);
		cells[i] = look_at(tight, &area);
	}
	for (uint32_t i = 0; i < columns * rows; i++)
		if (cells[i].kind != KIND_DONE)
			put_cells(tight, cells, columns, rows, i % columns, i / columns);
	*lossy = tight->lossy;
	return tight->rects;
}
