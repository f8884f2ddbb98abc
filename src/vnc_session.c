/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* The layout of rfbScreenInfo and rfbClientRec is used directly. */
_Static_assert(sizeof(rfbBool) == 1, "libvncserver: rfbBool is a byte");

#define VERSION        "RFB 003.008\n"
#define VERSION_LENGTH 12
#define FD_RESERVE     64
#define CORRE_SIZE     255 /* the widest a CoRRE rectangle can be: the count has 16 bits */
#define NAME_LENGTH    127

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

int vnc_session_room(void)
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

void vnc_session_show(struct vnc_session *session, const struct frame *frame)
{
	rfbScreenInfoPtr screen = session->screen;

	screen->width = (int)frame->width;
	screen->height = (int)frame->height;
	screen->paddedWidthInBytes = (int)frame->stride;
	screen->frameBuffer = (char *)frame->pixels;
}

static int create_screen(struct vnc_session *session, const struct frame *frame)
{
	rfbScreenInfoPtr screen = rfbGetScreen(NULL, NULL, (int)frame->width, (int)frame->height, 8,
					       3, sizeof(uint32_t));

	if (!screen)
		return -ENOMEM;
	session->screen = screen;
	/* PIXMAN_x8r8g8b8, in the host's byte order. */
	screen->serverFormat.trueColour = 1; /* its TRUE is -1, and formats are compared */
	screen->serverFormat.depth = 24;
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
	screen->port = 0;
	screen->ipv6port = 0;
	screen->desktopName = session->name;
	screen->cursor = &session->cursor;
	screen->newClientHook = hold;
	screen->maxRectsPerUpdate = 0; /* REGION_RECTS is the limit */
	vnc_session_show(session, frame);
	return 0;
}

/*
 * rfbNewClient wants to greet somebody and to look for a WebSocket: it gets a socket pair that has
 * said a version already, and the real socket takes the place of its end.
 */
static int create_client(struct vnc_session *session, int fd, const char *peer)
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
	client = r ? NULL : rfbNewClient(session->screen, pair[1]);
	if (!client) { /* it has closed its end */
		if (r)
			close(pair[1]);
		close(pair[0]);
		return r ? r : -ENOMEM;
	}
	session->client = client;
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

static int send_server_init(struct vnc_session *session, const struct frame *frame)
{
	char message[sz_rfbServerInitMsg + NAME_LENGTH];
	rfbServerInitMsg *init = (rfbServerInitMsg *)message;
	const rfbPixelFormat *format = &session->screen->serverFormat;
	size_t length = strnlen(session->name, NAME_LENGTH);

	memset(message, 0, sizeof(message));
	init->framebufferWidth = GUINT16_TO_BE((uint16_t)frame->width);
	init->framebufferHeight = GUINT16_TO_BE((uint16_t)frame->height);
	init->format = *format;
	init->format.redMax = GUINT16_TO_BE(format->redMax);
	init->format.greenMax = GUINT16_TO_BE(format->greenMax);
	init->format.blueMax = GUINT16_TO_BE(format->blueMax);
	init->nameLength = GUINT32_TO_BE((uint32_t)length);
	memcpy(message + sz_rfbServerInitMsg, session->name, length);
	return rfbWriteExact(session->client, message, (int)(sz_rfbServerInitMsg + length)) < 0
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

int vnc_session_open(struct vnc_session *session, int fd, const char *name, const char *peer,
		     const struct frame *frame)
{
	int flags = fcntl(fd, F_GETFL), r;

	block_sigpipe();
	/*
	 * Blocking writes: they end at once when the socket is shut down, where the library's
	 * select() does not (it waits for room, and a unix socket has none then).
	 */
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	session->name = g_strdup(name);
	init_cursor(&session->cursor);
	pthread_mutex_lock(&shared_lock);
	rfbLog = log_line;
	rfbErr = log_line;
	r = create_screen(session, frame);
	if (!r)
		r = create_client(session, fd, peer);
	pthread_mutex_unlock(&shared_lock);
	return r ? r : send_server_init(session, frame);
}

void vnc_session_close(struct vnc_session *session)
{
	pthread_mutex_lock(&shared_lock);
	if (session->client)
		rfbClientConnectionGone(session->client);
	if (session->screen)
		rfbScreenCleanup(session->screen);
	pthread_mutex_unlock(&shared_lock);
	g_free(session->name);
	*session = (struct vnc_session){0};
}
