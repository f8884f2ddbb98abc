/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encoder.h"

#include <pthread.h>

#include "bands.h"

/* What is smaller is encoded before another thread has woken up. */
#define MIN_PIXELS 32768u

struct tile {
	struct encoder_piece *pieces[ENCODER_KEPT]; /* newest first */
};

struct encoder_group {
	struct encoder *encoder;
	unsigned int clients;
	struct tight_settings settings;
	uint64_t generation; /* of the frame */
	uint32_t columns, rows;
	struct tile *tiles;
};

struct encoder {
	unsigned int threads;
	bool lossless;
	gint pieces; /* atomic, as bytes */
	gsize bytes;
	struct bands *bands;
	pthread_mutex_t pool; /* one caller of bands at a time */

	pthread_mutex_t lock; /* of all below, and of groups and pieces; never while encoding */
	pthread_cond_t ready;
	GPtrArray *groups;
	GPtrArray *spare; /* struct tight that nobody uses, at most `threads` */
	struct encoder_counts counts;
};

/* One call of encoder_take(): what it has to encode itself. */
struct task {
	const struct encoder_group *group;
	const struct frame *frame;
	struct encoder_piece **pieces;
};

bool encoder_is_lossless(const struct encoder *encoder)
{
	return encoder->lossless;
}

int encoder_create(unsigned int threads, bool lossless, struct encoder **out)
{
	struct encoder *encoder = g_new0(struct encoder, 1);
	int r;

	pthread_mutex_init(&encoder->pool, NULL);
	pthread_mutex_init(&encoder->lock, NULL);
	pthread_cond_init(&encoder->ready, NULL);
	encoder->groups = g_ptr_array_new();
	encoder->spare = g_ptr_array_new_with_free_func((GDestroyNotify)tight_destroy);
	encoder->threads = threads;
	encoder->lossless = lossless;
	r = bands_create(threads, &encoder->bands);
	if (r < 0) {
		encoder_destroy(encoder);
		return r;
	}
	*out = encoder;
	return 0;
}

void encoder_destroy(struct encoder *encoder)
{
	if (!encoder)
		return;
	bands_destroy(encoder->bands);
	g_ptr_array_unref(encoder->spare);
	g_ptr_array_unref(encoder->groups);
	pthread_cond_destroy(&encoder->ready);
	pthread_mutex_destroy(&encoder->lock);
	pthread_mutex_destroy(&encoder->pool);
	g_free(encoder);
}

void encoder_count(struct encoder *encoder, struct encoder_counts *counts)
{
	pthread_mutex_lock(&encoder->lock);
	*counts = encoder->counts;
	counts->groups = encoder->groups->len;
	counts->pieces = (unsigned int)g_atomic_int_get(&encoder->pieces);
	counts->bytes = (gsize)g_atomic_pointer_get(&encoder->bytes);
	pthread_mutex_unlock(&encoder->lock);
}

void encoder_release(struct encoder_piece *piece)
{
	if (!piece || !g_atomic_int_dec_and_test(&piece->references))
		return;
	g_atomic_pointer_add(&piece->encoder->bytes, -(gssize)piece->bytes->len);
	g_atomic_int_add(&piece->encoder->pieces, -1);
	g_byte_array_unref(piece->bytes);
	g_free(piece);
}

static struct encoder_piece *acquire(struct encoder_piece *piece)
{
	g_atomic_int_inc(&piece->references);
	return piece;
}

static void forget(struct tile *tile)
{
	for (unsigned int i = 0; i < ENCODER_KEPT; i++) {
		encoder_release(tile->pieces[i]);
		tile->pieces[i] = NULL;
	}
}

static void forget_rect(const struct detile_rect *rect, void *data)
{
	struct encoder_group *group = data;
	uint32_t left = rect->x / TIGHT_WIDTH, right = (rect->x + rect->width - 1) / TIGHT_WIDTH;
	uint32_t top = rect->y / TIGHT_HEIGHT, bottom = (rect->y + rect->height - 1) / TIGHT_HEIGHT;

	for (uint32_t y = top; y <= bottom && y < group->rows; y++)
		for (uint32_t x = left; x <= right && x < group->columns; x++)
			forget(&group->tiles[y * group->columns + x]);
}

/* What is encoded at this moment is not found any more, and goes to those who wait for it. */
void encoder_wake(struct encoder *encoder, uint64_t generation, const struct damage *damage)
{
	pthread_mutex_lock(&encoder->lock);
	for (guint i = 0; i < encoder->groups->len; i++) {
		struct encoder_group *group = encoder->groups->pdata[i];

		if (group->generation == generation)
			damage_each(damage, forget_rect, group);
	}
	pthread_mutex_unlock(&encoder->lock);
}

static struct encoder_group *create_group(struct encoder *encoder,
					  const struct tight_settings *settings,
					  const struct frame *frame)
{
	struct encoder_group *group = g_new0(struct encoder_group, 1);

	group->encoder = encoder;
	group->settings = *settings;
	group->generation = frame->generation;
	group->columns = (frame->width - 1) / TIGHT_WIDTH + 1;
	group->rows = (frame->height - 1) / TIGHT_HEIGHT + 1;
	group->tiles = g_new0(struct tile, (gsize)group->columns * group->rows);
	g_ptr_array_add(encoder->groups, group);
	return group;
}

struct encoder_group *encoder_join(struct encoder *encoder, const struct tight_settings *settings,
				   const struct frame *frame)
{
	struct encoder_group *found = NULL;

	pthread_mutex_lock(&encoder->lock);
	for (guint i = 0; i < encoder->groups->len && !found; i++) {
		struct encoder_group *group = encoder->groups->pdata[i];

		if (group->generation == frame->generation &&
		    tight_settings_equal(&group->settings, settings))
			found = group;
	}
	if (!found)
		found = create_group(encoder, settings, frame);
	found->clients++;
	pthread_mutex_unlock(&encoder->lock);
	return found;
}

void encoder_leave(struct encoder_group *group)
{
	struct encoder *encoder;
	bool last;

	if (!group)
		return;
	encoder = group->encoder;
	pthread_mutex_lock(&encoder->lock);
	last = !--group->clients;
	if (last)
		g_ptr_array_remove_fast(encoder->groups, group);
	pthread_mutex_unlock(&encoder->lock);
	if (!last)
		return;
	for (uint32_t i = 0; i < group->columns * group->rows; i++)
		forget(&group->tiles[i]);
	g_free(group->tiles);
	g_free(group);
}

static struct tight *borrow(struct encoder *encoder)
{
	struct tight *tight = NULL;

	pthread_mutex_lock(&encoder->lock);
	if (encoder->spare->len)
		tight = g_ptr_array_steal_index_fast(encoder->spare, encoder->spare->len - 1);
	pthread_mutex_unlock(&encoder->lock);
	return tight ? tight : tight_create();
}

static void give_back(struct encoder *encoder, struct tight *tight)
{
	pthread_mutex_lock(&encoder->lock);
	if (encoder->spare->len < encoder->threads) {
		g_ptr_array_add(encoder->spare, tight);
		tight = NULL;
	}
	pthread_mutex_unlock(&encoder->lock);
	tight_destroy(tight);
}

static void encode(void *data, unsigned int n)
{
	const struct task *task = data;
	struct encoder_piece *piece = task->pieces[n];
	struct tight *tight = borrow(task->group->encoder);

	piece->rects = tight_encode(tight, &task->group->settings, task->frame, &piece->rect,
				    piece->bytes, &piece->lossy);
	give_back(task->group->encoder, tight);
	g_atomic_pointer_add(&piece->encoder->bytes, (gssize)piece->bytes->len);
}

static void encode_all(struct task *task, unsigned int count)
{
	struct encoder *encoder = task->group->encoder;
	uint64_t pixels = 0;

	for (unsigned int i = 0; i < count; i++)
		pixels += (uint64_t)task->pieces[i]->rect.width * task->pieces[i]->rect.height;
	if (count == 1 || pixels < MIN_PIXELS) {
		for (unsigned int i = 0; i < count; i++)
			encode(task, i);
		return;
	}
	pthread_mutex_lock(&encoder->pool);
	bands_each(encoder->bands, count, encode, task);
	pthread_mutex_unlock(&encoder->pool);
}

static struct encoder_piece *create_piece(struct encoder *encoder, const struct detile_rect *rect)
{
	struct encoder_piece *piece = g_new0(struct encoder_piece, 1);

	g_atomic_int_inc(&encoder->pieces);
	piece->encoder = encoder;
	piece->rect = *rect;
	piece->bytes = g_byte_array_new();
	piece->references = 1;
	return piece;
}

static bool is_of(const struct encoder_piece *piece, const struct detile_rect *rect)
{
	return piece && piece->rect.x == rect->x && piece->rect.y == rect->y &&
	       piece->rect.width == rect->width && piece->rect.height == rect->height;
}

/* With the lock. True if the caller is the one who encodes it. */
static bool claim(struct encoder_group *group, const struct detile_rect *rect,
		  struct encoder_piece **piece)
{
	struct tile *tile =
		&group->tiles[rect->y / TIGHT_HEIGHT * group->columns + rect->x / TIGHT_WIDTH];

	for (unsigned int i = 0; i < ENCODER_KEPT; i++)
		if (is_of(tile->pieces[i], rect)) {
			*piece = acquire(tile->pieces[i]);
			return false;
		}
	encoder_release(tile->pieces[ENCODER_KEPT - 1]);
	for (unsigned int i = ENCODER_KEPT - 1; i; i--)
		tile->pieces[i] = tile->pieces[i - 1];
	*piece = create_piece(group->encoder, rect);
	tile->pieces[0] = acquire(*piece);
	return true;
}

void encoder_take(struct encoder_group *group, const struct frame *frame,
		  const struct detile_rect *rects, unsigned int count,
		  struct encoder_piece **pieces)
{
	struct encoder *encoder = group->encoder;
	struct encoder_piece **own = g_new(struct encoder_piece *, count);
	struct task task = {.group = group, .frame = frame, .pieces = own};
	unsigned int mine = 0;

	pthread_mutex_lock(&encoder->lock);
	for (unsigned int i = 0; i < count; i++)
		if (claim(group, &rects[i], &pieces[i]))
			own[mine++] = pieces[i];
	encoder->counts.asked += count;
	encoder->counts.encoded += mine;
	pthread_mutex_unlock(&encoder->lock);
	if (mine)
		encode_all(&task, mine);
	/* Who claims encodes before it waits: nobody waits in a circle. */
	pthread_mutex_lock(&encoder->lock);
	for (unsigned int i = 0; i < mine; i++)
		own[i]->ready = true;
	if (mine)
		pthread_cond_broadcast(&encoder->ready);
	for (unsigned int i = 0; i < count; i++)
		while (!pieces[i]->ready)
			pthread_cond_wait(&encoder->ready, &encoder->lock);
	pthread_mutex_unlock(&encoder->lock);
	g_free(own);
}

void encoder_take_alone(struct encoder_group *group, const struct frame *picture,
			const struct detile_rect *rects, unsigned int count,
			struct encoder_piece **pieces)
{
	struct task task = {.group = group, .frame = picture, .pieces = pieces};

	for (unsigned int i = 0; i < count; i++)
		pieces[i] = create_piece(group->encoder, &rects[i]);
	encode_all(&task, count);
	pthread_mutex_lock(&group->encoder->lock);
	group->encoder->counts.asked += count;
	group->encoder->counts.encoded += count;
	pthread_mutex_unlock(&group->encoder->lock);
}
