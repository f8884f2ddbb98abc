/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "detile_bench.h"

#include <errno.h>
#include <inttypes.h>

const char *const bench_layouts[DETILE_LAYOUTS] = {"linear", "x", "y", "yf", "4"};
const char *const bench_paths[BENCH_PATHS] = {"normal", "nt", "fused", "wc"};
const char *const bench_states[BENCH_STATES] = {"cold", "l3", "l2"};
const char *const bench_peers[BENCH_PEERS] = {"scalar", "gmmlib"};

static double speed(const struct bench_row *row, double seconds)
{
	return seconds > 0 ? row->bytes / seconds / 1e9 : 0;
}

/* How a path is called with its percentage: "fused 10%". */
static const char *path_name(const struct bench_row *row, char name[24])
{
	if (row->path == BENCH_FUSED)
		snprintf(name, 24, "fused %u%%", row->dirty);
	else
		snprintf(name, 24, "%s", bench_paths[row->path]);
	return name;
}

void bench_print_header(FILE *out)
{
	fprintf(out, "%-9s %-5s %-2s %-6s %-10s %-6s %6s %9s %8s %7s %7s", "size", "state", "t",
		"layout", "path", "isa", "GB/s", "vs_memcpy", "vs_limit", "memcpy", "limit");
	for (enum bench_peer peer = 0; peer < BENCH_PEERS; peer++)
		fprintf(out, " %7s", bench_peers[peer]);
	fputc('\n', out);
}

void bench_print_row(FILE *out, const struct bench_row *row)
{
	char size[24], path[24];

	snprintf(size, sizeof(size), "%" PRIu32 "x%" PRIu32, row->width, row->height);
	fprintf(out, "%-9s %-5s %-2u %-6s %-10s %-6s %6.2f %9.2f %8.2f %7.2f %7.2f", size,
		bench_states[row->state], row->threads, bench_layouts[row->layout],
		path_name(row, path), row->isa, speed(row, row->seconds),
		row->memcpy_seconds / row->seconds, row->limit_seconds / row->seconds,
		speed(row, row->memcpy_seconds), speed(row, row->limit_seconds));
	for (enum bench_peer peer = 0; peer < BENCH_PEERS; peer++) {
		if (row->peer_seconds[peer] > 0)
			fprintf(out, " %7.2f", speed(row, row->peer_seconds[peer]));
		else
			fprintf(out, " %7s", "-");
	}
	fputc('\n', out);
	fflush(out);
}

void bench_print_json(FILE *out, const struct bench_row *rows, size_t count)
{
	fputs("[\n", out);
	for (size_t i = 0; i < count; i++) {
		const struct bench_row *row = &rows[i];

		fprintf(out,
			"  {\"layout\": \"%s\", \"path\": \"%s\", \"isa\": \"%s\", \"width\": %" PRIu32
			", \"height\": %" PRIu32 ", \"state\": \"%s\", \"threads\": %u",
			bench_layouts[row->layout], bench_paths[row->path], row->isa, row->width,
			row->height, bench_states[row->state], row->threads);
		if (row->path == BENCH_FUSED)
			fprintf(out, ", \"dirty\": %u", row->dirty);
		fprintf(out,
			", \"gbps\": %.3f, \"vs_memcpy\": %.3f, \"vs_limit\": %.3f"
			", \"memcpy_gbps\": %.3f, \"limit_gbps\": %.3f",
			speed(row, row->seconds), row->memcpy_seconds / row->seconds,
			row->limit_seconds / row->seconds, speed(row, row->memcpy_seconds),
			speed(row, row->limit_seconds));
		for (enum bench_peer peer = 0; peer < BENCH_PEERS; peer++)
			if (row->peer_seconds[peer] > 0)
				fprintf(out, ", \"%s_gbps\": %.3f", bench_peers[peer],
					speed(row, row->peer_seconds[peer]));
		fprintf(out, "}%s\n", i + 1 < count ? "," : "");
	}
	fputs("]\n", out);
}

/* The plot: one panel for each size, state and number of threads; a bar is a row. */
#define BAR          9
#define GAP          6
#define PANEL_HEIGHT 180
#define PANEL_STEP   270
#define MARGIN       60

static const char *const colours[BENCH_PATHS] = {"#4878a8", "#e08a3c", "#4f9d5b", "#9b6fb0"};

static bool same_panel(const struct bench_row *a, const struct bench_row *b)
{
	return a->width == b->width && a->height == b->height && a->state == b->state &&
	       a->threads == b->threads;
}

static void plot_bar(FILE *out, const struct bench_row *row, double x, double bottom, double scale)
{
	double height = speed(row, row->seconds) * scale;
	double limit = bottom - speed(row, row->limit_seconds) * scale;
	char path[24];

	fprintf(out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"><title>%s %s "
		"%s: %.1f GB/s, %.2f of the limit</title></rect>\n",
		x, bottom - height, BAR - 1, height, colours[row->path], bench_layouts[row->layout],
		path_name(row, path), row->isa, speed(row, row->seconds),
		row->limit_seconds / row->seconds);
	fprintf(out, "<path d=\"M%.1f %.1fh%d\" stroke=\"#222\" stroke-width=\"1.5\"/>\n", x, limit,
		BAR - 1);
	fprintf(out,
		"<text transform=\"translate(%.1f %.1f) rotate(90)\" font-size=\"7\">%s %s</text>\n",
		x + 1.5, bottom + 4, path, row->isa);
}

static void plot_panel(FILE *out, const struct bench_row *rows, size_t count, double bottom)
{
	double most = 0, x = MARGIN;

	for (size_t i = 0; i < count; i++) {
		double fastest = rows[i].seconds < rows[i].limit_seconds ? rows[i].seconds
									 : rows[i].limit_seconds;

		most = speed(&rows[i], fastest) > most ? speed(&rows[i], fastest) : most;
	}
	fprintf(out,
		"<text x=\"%d\" y=\"%.1f\" font-size=\"12\">%" PRIu32 "x%" PRIu32
		", %s, %u thread%s: GB/s (a stroke is the limit, the dashes are memcpy)</text>\n",
		MARGIN, bottom - PANEL_HEIGHT - 8, rows->width, rows->height,
		bench_states[rows->state], rows->threads, rows->threads == 1 ? "" : "s");
	for (unsigned int tick = 0; tick <= 4 && most > 0; tick++)
		fprintf(out,
			"<text x=\"%d\" y=\"%.1f\" font-size=\"9\" text-anchor=\"end\">%.1f</text>\n",
			MARGIN - 6, bottom - PANEL_HEIGHT * tick / 4.0 + 3, most * tick / 4);
	for (size_t i = 0; i < count; i++) {
		double scale = most > 0 ? PANEL_HEIGHT / most : 0;
		double y = bottom - speed(&rows[i], rows[i].memcpy_seconds) * scale;

		if (i && rows[i].layout != rows[i - 1].layout)
			x += GAP;
		if (!i || rows[i].layout != rows[i - 1].layout)
			fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">%s</text>\n", x,
				bottom + 68, bench_layouts[rows[i].layout]);
		plot_bar(out, &rows[i], x, bottom, scale);
		fprintf(out,
			"<path d=\"M%.1f %.1fh%d\" stroke=\"#b02020\" stroke-dasharray=\"2 1\"/>\n",
			x, y, BAR);
		x += BAR;
	}
}

int bench_plot(const char *path, const struct bench_row *rows, size_t count)
{
	size_t panels = 0, widest = 0, first = 0;
	FILE *out = fopen(path, "w");

	if (!out)
		return -errno;
	for (size_t i = 0, length = 0; i < count; i++) {
		length = i && same_panel(&rows[i], &rows[i - 1]) ? length + 1 : 1;
		panels += length == 1;
		widest = length > widest ? length : widest;
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" "
		"font-family=\"sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" "
		"fill=\"white\"/>\n",
		2 * MARGIN + widest * BAR + DETILE_LAYOUTS * GAP, panels * PANEL_STEP + 20);
	panels = 0;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && same_panel(&rows[i], &rows[first]))
			continue;
		plot_panel(out, rows + first, i - first,
			   (double)(panels++ * PANEL_STEP) + PANEL_HEIGHT + 24);
		first = i;
	}
	fputs("</svg>\n", out);
	if (ferror(out)) {
		fclose(out);
		return -EIO;
	}
	return fclose(out) ? -errno : 0;
}
