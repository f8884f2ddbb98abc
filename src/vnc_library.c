/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_library.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "vnc_pointer.h"
#include "vnc_send.h"
#include "vnc_tight.h"

/* The layout of rfbScreenInfo and rfbClientRec is used directly. */
_Static_assert(sizeof(rfbBool) == 1, "libvncserver: rfbBool is a byte");

#define VERSION        "RFB 003.008\n"
#define VERSION_LENGTH 12
#define FD_RESERVE     64
#define REGION_RECTS   1000u /* a region of more than these is simplified */
#define DAMAGE_RECTS   256u
#define CORRE_SIZE     255 /* the widest a CoRRE rectangle can be: the count has 16 bits */
#define NAME_LENGTH    127

/* PIXMAN_x8r8g8b8, in the host's byte order. */
static const struct vnc_format server_format = {
	.bits = 32,
	.depth = 24,
	.big_endian = G_BYTE_ORDER == G_BIG_ENDIAN,
	.true_colour = true,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
};

static const struct vnc_format palette_format = {
	.bits = 8,
	.depth = 8,
	.true_colour = true,
	.red_max = 7,
	.green_max = 7,
	.blue_max = 3,
	.green_shift = 3,
	.blue_shift = 6,
};

struct vnc_library {
	rfbScreenInfoPtr screen;
	rfbClientPtr client;
	rfbCursor cursor; /* never shown: libvncserver must not paint into the frame */
	struct frame *frame;
	char *name;
	uint32_t told_width, told_height; /* what the client believes the size to be */
	bool announce;                    /* tell it the size although it knows */
	enum vnc_size_status answer;      /* and what became of its wish */
	bool takes_input, keys_pending;   /* tell it that extended keys are understood */

	struct vnc_format format;
	struct vnc_encodings encodings;
	struct vnc_pointer pointer;
	struct vnc_tight tight;
};

/*
 * Around everything in libvncserver that touches what all its screens share: the list mutex, which
 * rfbGetScreen initialises again each time.
 */
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

static void G_GNUC_PRINTF(1, 2) log_line(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	g_strchomp(line);
	log_debug("libvncserver: %s", line);
}

int vnc_library_room(void)
{
	struct rlimit limit;
	int probe = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), top = FD_SETSIZE;

	if (probe < 0)
		probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (probe < 0)
		return 0;
	close(probe);
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < (rlim_t)top)
		top = (int)limit.rlim_cur;
	return top - FD_RESERVE - probe;
}

/* A cursor of which nothing shows. */
static void init_cursor(rfbCursor *cursor)
{
	static unsigned char nothing[1];

	*cursor = (rfbCursor){.source = nothing, .mask = nothing, .width = 1, .height = 1};
}

static enum rfbNewClientAction hold(rfbClientPtr client)
{
	(void)client;
	return RFB_CLIENT_ON_HOLD;
}

static void point_at(rfbScreenInfoPtr screen, const struct frame *frame)
{
	screen->width = (int)frame->width;
	screen->height = (int)frame->height;
	screen->paddedWidthInBytes = (int)frame->stride;
	screen->frameBuffer = (char *)frame->pixels;
}

static rfbScreenInfoPtr create_screen(struct vnc_library *library, const struct frame *frame)
{
	rfbScreenInfoPtr screen = rfbGetScreen(NULL, NULL, (int)frame->width, (int)frame->height, 8,
					       3, sizeof(uint32_t));

	if (!screen)
		return NULL;
	/* PIXMAN_x8r8g8b8, in the host's byte order. */
	screen->serverFormat.trueColour = 1; /* its TRUE is -1, and formats are compared */
	screen->serverFormat.depth = 24;
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	screen->port = 0;
	screen->ipv6port = 0;
	screen->desktopName = library->name;
	screen->cursor = &library->cursor;
	screen->newClientHook = hold;
	screen->maxRectsPerUpdate = 0; /* REGION_RECTS is the limit */
	point_at(screen, frame);
	return screen;
}

/*
 * rfbNewClient wants to greet somebody and to look for a WebSocket: it gets a socket pair that has
 * said a version already, and the real socket takes the place of its end.
 */
static int create_client(struct vnc_library *library, int fd, const char *peer)
{
	char greeting[VERSION_LENGTH];
	rfbClientPtr client;
	int pair[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	if (pair[1] >= FD_SETSIZE) {
		close(pair[0]);
		close(pair[1]);
		return -EMFILE;
	}
	if (write(pair[0], VERSION, VERSION_LENGTH) != VERSION_LENGTH)
		r = -EIO;
	client = r ? NULL : rfbNewClient(library->screen, pair[1]);
	if (!client) { /* it has closed its end */
		if (r)
			close(pair[1]);
		close(pair[0]);
		return r ? r : -ENOMEM;
	}
	library->client = client;
	if (read(pair[0], greeting, sizeof(greeting)) != sizeof(greeting) ||
	    dup3(fd, pair[1], O_CLOEXEC) < 0)
		r = -EIO;
	close(pair[0]);
	client->onHold = FALSE;
	client->protocolMajorVersion = 3;
	client->protocolMinorVersion = 8;
	client->state = RFB_NORMAL;
	client->readyForSetColourMapEntries = TRUE;
	client->correMaxWidth = CORRE_SIZE;
	client->correMaxHeight = CORRE_SIZE;
	/* Never its soft cursor, which paints into the frame; that is shared. */
	client->enableCursorShapeUpdates = TRUE;
	client->cursorWasChanged = FALSE;
	free(client->host);
	client->host = strdup(peer);
	return r;
}

static int send_server_init(struct vnc_library *library)
{
	char message[sz_rfbServerInitMsg + NAME_LENGTH];
	rfbServerInitMsg *init = (rfbServerInitMsg *)message;
	const rfbPixelFormat *format = &library->screen->serverFormat;
	size_t length = strnlen(library->name, NAME_LENGTH);

	memset(message, 0, sizeof(message));
	library->told_width = library->frame->width;
	library->told_height = library->frame->height;
	init->framebufferWidth = GUINT16_TO_BE((uint16_t)library->frame->width);
	init->framebufferHeight = GUINT16_TO_BE((uint16_t)library->frame->height);
	init->format = *format;
	init->format.redMax = GUINT16_TO_BE(format->redMax);
	init->format.greenMax = GUINT16_TO_BE(format->greenMax);
	init->format.blueMax = GUINT16_TO_BE(format->blueMax);
	init->nameLength = GUINT32_TO_BE((uint32_t)length);
	memcpy(message + sz_rfbServerInitMsg, library->name, length);
	return rfbWriteExact(library->client, message, (int)(sz_rfbServerInitMsg + length)) < 0
		       ? -EPIPE
		       : 0;
}

/* A peer that is gone must not kill the process. */
static void block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int vnc_library_create(int fd, const char *name, const char *peer, struct frame *frame,
		       struct encoder *encoder, struct vnc_library **result)
{
	struct vnc_library *library = g_new0(struct vnc_library, 1);
	int flags = fcntl(fd, F_GETFL), r = -ENOMEM;

	block_sigpipe();
	/*
	 * Blocking writes: they end at once when the socket is shut down, where the library's
	 * select() does not (it waits for room, and a unix socket has none then).
	 */
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	library->format = server_format;
	library->answer = VNC_SIZE_SILENT;
	library->name = g_strdup(name);
	library->frame = frame_acquire(frame);
	init_cursor(&library->cursor);
	vnc_tight_init(&library->tight, encoder);
	pthread_mutex_lock(&shared_lock);
	rfbLog = log_line;
	rfbErr = log_line;
	library->screen = create_screen(library, frame);
	if (library->screen)
		r = create_client(library, fd, peer);
	pthread_mutex_unlock(&shared_lock);
	if (!r)
		r = send_server_init(library);
	if (r < 0) {
		vnc_library_destroy(library);
		return r;
	}
	*result = library;
	return 0;
}

void vnc_library_destroy(struct vnc_library *library)
{
	if (!library)
		return;
	pthread_mutex_lock(&shared_lock);
	if (library->client)
		rfbClientConnectionGone(library->client);
	if (library->screen)
		rfbScreenCleanup(library->screen);
	pthread_mutex_unlock(&shared_lock);
	vnc_tight_finish(&library->tight);
	frame_release(library->frame);
	vnc_pointer_finish(&library->pointer);
	g_free(library->name);
	g_free(library);
}

static void add_rect(const struct detile_rect *rect, void *data)
{
	sraRegionPtr region = sraRgnCreateRect((int)rect->x, (int)rect->y,
					       (int)(rect->x + rect->width),
					       (int)(rect->y + rect->height));

	sraRgnOr(data, region);
	sraRgnDestroy(region);
}

static void mark_all(struct vnc_library *library)
{
	rfbClientPtr client = library->client;

	sraRgnDestroy(client->modifiedRegion);
	client->modifiedRegion = sraRgnCreateRect(0, 0, (int)library->frame->width,
						  (int)library->frame->height);
}

/*
 * The requested region stays as it is, perhaps beyond the new frame: the modified region lies
 * within it, and only what is in both is sent.
 */
void vnc_library_set_frame(struct vnc_library *library, struct frame *frame)
{
	struct frame *old = library->frame;

	library->frame = frame_acquire(frame);
	vnc_pointer_renew(&library->pointer);
	vnc_tight_renew(&library->tight);
	point_at(library->screen, frame);
	frame_release(old);
	mark_all(library);
}

/* SetColourMapEntries (RFC 6143 section 7.6.2): the palette that makes its pixels true colour. */
static bool send_palette(rfbClientPtr client)
{
	uint8_t message[6 + 256 * 6] = {1, 0, 0, 0, 1, 0};

	for (unsigned int i = 0; i < 256; i++) {
		uint16_t red = (uint16_t)((i & 7) * 65535 / 7);
		uint16_t green = (uint16_t)((i >> 3 & 7) * 65535 / 7);
		uint16_t blue = (uint16_t)((i >> 6) * 65535 / 3);
		uint16_t wire[3] = {GUINT16_TO_BE(red), GUINT16_TO_BE(green), GUINT16_TO_BE(blue)};

		memcpy(message + 6 + i * 6, wire, 6);
	}
	return rfbWriteExact(client, (const char *)message, sizeof(message)) >= 0;
}

bool vnc_library_set_format(struct vnc_library *library, const struct vnc_format *format)
{
	rfbClientPtr client = library->client;

	if (!format->true_colour) {
		if (!send_palette(client))
			return false;
		format = &palette_format;
	}
	library->format = *format;
	vnc_tight_renew(&library->tight);
	vnc_pointer_renew(&library->pointer);
	client->format = (rfbPixelFormat){
		.bitsPerPixel = format->bits,
		.depth = format->depth,
		.bigEndian = format->big_endian,
		.trueColour = 1,
		.redMax = format->red_max,
		.greenMax = format->green_max,
		.blueMax = format->blue_max,
		.redShift = format->red_shift,
		.greenShift = format->green_shift,
		.blueShift = format->blue_shift,
	};
	return rfbSetTranslateFunction(client);
}

void vnc_library_set_encodings(struct vnc_library *library, const struct vnc_encodings *encodings)
{
	rfbClientPtr client = library->client;

	client->preferredEncoding = encodings->preferred;
	client->enableLastRectEncoding = encodings->last_rect;
	library->encodings = *encodings;
	vnc_tight_renew(&library->tight);
	vnc_pointer_set_encodings(&library->pointer, encodings, library->frame,
				  client->modifiedRegion);
	library->keys_pending = encodings->extended_keys && library->takes_input;
	if (encodings->compress_level >= 0)
		client->zlibCompressLevel = (uint32_t)encodings->compress_level;
	client->tightQualityLevel = encodings->quality_level; /* ZYWRLE's, too */
}

void vnc_library_take_input(struct vnc_library *library)
{
	library->takes_input = true;
}

void vnc_library_set_pointer(struct vnc_library *library, struct pointer *shape, int32_t x,
			     int32_t y)
{
	vnc_pointer_set(&library->pointer, shape, x, y, library->frame,
			library->client->modifiedRegion);
}

void vnc_library_request(struct vnc_library *library, const struct vnc_rect *rect)
{
	rfbClientPtr client = library->client;
	int width = (int)library->frame->width, height = (int)library->frame->height;
	int x2 = MIN(rect->x + rect->width, width), y2 = MIN(rect->y + rect->height, height);
	sraRegionPtr region;

	if (rect->x >= x2 || rect->y >= y2)
		return;
	region = sraRgnCreateRect(rect->x, rect->y, x2, y2);
	sraRgnOr(client->requestedRegion, region);
	sraRgnDestroy(region);
	/* One rectangle: a client cannot make it grow by asking for patches. */
	if (sraRgnCountRects(client->requestedRegion) > 1) {
		region = sraRgnBBox(client->requestedRegion);
		sraRgnDestroy(client->requestedRegion);
		client->requestedRegion = region;
	}
}

void vnc_library_announce_size(struct vnc_library *library, enum vnc_size_status answer)
{
	if (!library->encodings.extended_desktop_size)
		return;
	library->announce = true;
	if (answer != VNC_SIZE_SILENT)
		library->answer = answer;
}

static void count_rect(const struct detile_rect *rect, void *data)
{
	(void)rect;
	(*(size_t *)data)++;
}

/* Rectangles of a row from the first to the last: at most one a row of cells. */
struct rows {
	sraRegionPtr region;
	struct detile_rect row;
};

static void add_to_row(const struct detile_rect *rect, void *data)
{
	struct rows *rows = data;
	uint32_t end = rect->x + rect->width;

	if (rows->row.height && rows->row.y == rect->y) {
		rows->row.width = end - rows->row.x;
		return;
	}
	if (rows->row.height)
		add_rect(&rows->row, rows->region);
	rows->row = *rect;
}

void vnc_library_add(struct vnc_library *library, const struct damage *damage)
{
	sraRegionPtr modified = library->client->modifiedRegion;
	size_t count = 0;

	damage_each(damage, count_rect, &count);
	if (count > DAMAGE_RECTS) {
		struct rows rows = {.region = modified};

		damage_each(damage, add_to_row, &rows);
		add_rect(&rows.row, modified);
	} else {
		damage_each(damage, add_rect, modified);
	}
	if (sraRgnCountRects(modified) > REGION_RECTS)
		mark_all(library);
}

static bool intersect(const sraRegion *a, const sraRegion *b)
{
	sraRegionPtr both = sraRgnCreateRgn(a);
	bool some = sraRgnAnd(both, b);

	sraRgnDestroy(both);
	return some;
}

static bool is_told(const struct vnc_library *library)
{
	return library->told_width == library->frame->width &&
	       library->told_height == library->frame->height;
}

static bool has_news(const struct vnc_library *library)
{
	return library->announce || library->keys_pending ||
	       vnc_pointer_is_pending(&library->pointer);
}

/* News of a size is an update of its own: the client asks for the pixels next. */
static bool send_size(struct vnc_library *library, struct vnc_rects *rects)
{
	uint16_t width = (uint16_t)library->frame->width, height = (uint16_t)library->frame->height;

	if (!library->encodings.extended_desktop_size)
		vnc_rects_add_size(rects, width, height);
	else if (!is_told(library) || library->answer == VNC_SIZE_SILENT)
		vnc_rects_add_extended_size(rects, VNC_SIZE_SILENT, width, height);
	/* On its own: a client that is told of a failure does not look at the size. */
	if (library->answer != VNC_SIZE_SILENT)
		vnc_rects_add_extended_size(rects, library->answer, width, height);
	library->announce = false;
	library->answer = VNC_SIZE_SILENT;
	library->told_width = width;
	library->told_height = height;
	return vnc_send_update(library->client, rects, NULL);
}

static bool send_pixels(struct vnc_library *library, struct vnc_rects *rects)
{
	rfbClientPtr client = library->client;
	sraRegionPtr region = sraRgnCreateRgn(client->modifiedRegion);
	const struct frame *shown;
	bool ok;

	sraRgnAnd(region, client->requestedRegion);
	sraRgnSubtract(client->modifiedRegion, region);
	vnc_pointer_tell(&library->pointer, &library->format, library->frame, rects);
	if (library->keys_pending)
		vnc_rects_add_extended_keys(rects);
	library->keys_pending = false;
	shown = vnc_pointer_compose(&library->pointer, library->frame, region);
	if (shown)
		point_at(library->screen, shown);
	if (shown && library->encodings.preferred == rfbEncodingTight)
		ok = vnc_tight_send(&library->tight, client, &library->format, &library->encodings,
				    library->frame, shown, rects, region);
	else
		ok = shown && vnc_send_update(client, rects, region);
	sraRgnDestroy(region);
	return ok;
}

enum vnc_library_result vnc_library_update(struct vnc_library *library)
{
	rfbClientPtr client = library->client;
	const struct vnc_encodings *encodings = &library->encodings;
	bool told = is_told(library), ok;
	struct vnc_rects rects = {0};

	if (client->sock == RFB_INVALID_SOCKET)
		return VNC_LIBRARY_FAILED;
	if (sraRgnEmpty(client->requestedRegion))
		return VNC_LIBRARY_NOTHING;
	if (!told && !encodings->desktop_size && !encodings->extended_desktop_size)
		return VNC_LIBRARY_CANNOT_RESIZE;
	if (told && !has_news(library) &&
	    !intersect(client->modifiedRegion, client->requestedRegion))
		return VNC_LIBRARY_NOTHING;
	if (!told || library->announce)
		ok = send_size(library, &rects);
	else
		ok = send_pixels(library, &rects);
	vnc_rects_finish(&rects);
	sraRgnMakeEmpty(client->requestedRegion);
	return ok && client->sock != RFB_INVALID_SOCKET ? VNC_LIBRARY_SENT : VNC_LIBRARY_FAILED;
}

bool vnc_library_has_rest(const struct vnc_library *library)
{
	return !sraRgnEmpty(library->client->modifiedRegion) || !is_told(library) ||
	       has_news(library);
}

uint32_t vnc_library_bytes(const struct vnc_library *library)
{
	return (uint32_t)rfbStatGetSentBytes(library->client);
}
