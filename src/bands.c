/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bands.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>

#define MAX_THREADS 64u

/* Bands a thread: more than one, so that a thread that is held up does not hold up all. */
#define SHARE 4u

/* What is smaller is done before a worker has woken up. */
#define MIN_PIXELS 65536u

struct bands {
	/* Not GLib's, which ThreadSanitizer cannot see through. */
	pthread_mutex_t mutex;
	pthread_cond_t start, done;
	unsigned int round; /* counts calls of bands_each; guarded by mutex, as the next two */
	unsigned int busy;  /* workers that have not finished this round */
	gboolean quit;

	/* Of the round, set under mutex before it starts. */
	void (*work)(void *data, unsigned int n);
	void *data;
	guint count;
	guint next; /* atomic */

	pthread_t *workers;
	unsigned int running;
};

static void take_turns(struct bands *bands)
{
	for (;;) {
		guint n = (guint)g_atomic_int_add((gint *)&bands->next, 1);

		if (n >= bands->count)
			return;
		bands->work(bands->data, n);
	}
}

static void *worker(void *data)
{
	struct bands *bands = data;
	unsigned int seen = 0;

	pthread_mutex_lock(&bands->mutex);
	for (;;) {
		while (bands->round == seen && !bands->quit)
			pthread_cond_wait(&bands->start, &bands->mutex);
		if (bands->quit)
			break;
		seen = bands->round;
		pthread_mutex_unlock(&bands->mutex);
		take_turns(bands);
		pthread_mutex_lock(&bands->mutex);
		if (!--bands->busy)
			pthread_cond_signal(&bands->done);
	}
	pthread_mutex_unlock(&bands->mutex);
	return NULL;
}

int bands_create(unsigned int threads, struct bands **out)
{
	struct bands *bands;

	if (!threads || threads > MAX_THREADS)
		return -EINVAL;
	bands = g_new0(struct bands, 1);
	pthread_mutex_init(&bands->mutex, NULL);
	pthread_cond_init(&bands->start, NULL);
	pthread_cond_init(&bands->done, NULL);
	bands->workers = g_new0(pthread_t, threads);
	while (bands->running < threads - 1) {
		if (pthread_create(&bands->workers[bands->running], NULL, worker, bands))
			goto fail;
		bands->running++;
	}
	*out = bands;
	return 0;
fail:
	bands_destroy(bands);
	return -EAGAIN;
}

void bands_destroy(struct bands *bands)
{
	if (!bands)
		return;
	pthread_mutex_lock(&bands->mutex);
	bands->quit = TRUE;
	pthread_cond_broadcast(&bands->start);
	pthread_mutex_unlock(&bands->mutex);
	while (bands->running)
		pthread_join(bands->workers[--bands->running], NULL);
	g_free(bands->workers);
	pthread_cond_destroy(&bands->done);
	pthread_cond_destroy(&bands->start);
	pthread_mutex_destroy(&bands->mutex);
	g_free(bands);
}

void bands_each(struct bands *bands, unsigned int count, void (*work)(void *data, unsigned int n),
		void *data)
{
	pthread_mutex_lock(&bands->mutex);
	bands->work = work;
	bands->data = data;
	bands->count = count;
	g_atomic_int_set((gint *)&bands->next, 0);
	bands->busy = bands->running;
	bands->round++;
	pthread_cond_broadcast(&bands->start);
	pthread_mutex_unlock(&bands->mutex);
	take_turns(bands);
	pthread_mutex_lock(&bands->mutex);
	while (bands->busy)
		pthread_cond_wait(&bands->done, &bands->mutex);
	pthread_mutex_unlock(&bands->mutex);
}

struct task {
	const struct detile *t;
	const struct detile_surface *s;
	const struct detile_image *dst;
	struct detile_rect rect; /* clipped */
	uint32_t rows;           /* a band, at multiples of which all but the first one begin */
	enum detile_path path;
	uint32_t mask;
	const struct detile_cells *cells; /* NULL: copy */
	gint changed;                     /* atomic */
};

static void do_band(void *data, unsigned int n)
{
	struct task *task = data;
	uint32_t bottom = task->rect.y + task->rect.height;
	uint32_t from = (task->rect.y / task->rows + n) * task->rows;
	uint32_t to = bottom - from < task->rows ? bottom : from + task->rows;
	struct detile_rect band = task->rect;

	if (from < band.y)
		from = band.y;
	band.y = from;
	band.height = to - from;
	if (!task->cells) {
		detile_copy(task->t, task->s, &band, task->dst, task->path);
		return;
	}
	g_atomic_int_add(&task->changed, (gint)detile_compare(task->t, task->s, &band, task->dst,
							      task->mask, task->cells));
}

static void run(struct bands *bands, struct task *task, const struct detile_rect *r)
{
	uint32_t pieces = (bands->running + 1) * SHARE;
	uint32_t first, last;

	if (r->x >= task->s->width || r->y >= task->s->height || !r->width || !r->height)
		return;
	task->rect = *r;
	if (r->width > task->s->width - r->x)
		task->rect.width = task->s->width - r->x;
	if (r->height > task->s->height - r->y)
		task->rect.height = task->s->height - r->y;
	task->rows = (task->rect.height / pieces / DETILE_CELL_HEIGHT + 1) * DETILE_CELL_HEIGHT;
	if (!bands->running || (uint64_t)task->rect.width * task->rect.height < MIN_PIXELS)
		task->rows = DETILE_CELL_HEIGHT << 25; /* the highest surface there is */
	first = task->rect.y / task->rows;
	last = (task->rect.y + task->rect.height - 1) / task->rows;
	if (first == last)
		do_band(task, 0);
	else
		bands_each(bands, last - first + 1, do_band, task);
}

void bands_copy(struct bands *bands, const struct detile *t, const struct detile_surface *s,
		const struct detile_rect *r, const struct detile_image *dst, enum detile_path path)
{
	struct task task = {.t = t, .s = s, .dst = dst, .path = path};

	run(bands, &task, r);
}

uint32_t bands_compare(struct bands *bands, const struct detile *t, const struct detile_surface *s,
		       const struct detile_rect *r, const struct detile_image *dst, uint32_t mask,
		       const struct detile_cells *cells)
{
	struct task task = {.t = t, .s = s, .dst = dst, .mask = mask, .cells = cells};

	run(bands, &task, r);
	return (uint32_t)g_atomic_int_get(&task.changed);
}
