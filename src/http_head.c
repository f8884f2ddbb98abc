/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http_head.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE 4096

static bool is_name(const char *line, size_t length, const char *name)
{
	size_t wanted = strlen(name);

	if (length < wanted || g_ascii_strncasecmp(line, name, wanted) != 0)
		return false;
	/* Blanks before the colon are an error, which libsoup is lenient about. */
	while (wanted < length && g_ascii_isspace(line[wanted]))
		wanted++;
	return wanted < length && line[wanted] == ':';
}

/* Headers of a body get a name that nobody knows. */
static void defuse(struct http_head *head, char *line, size_t length)
{
	if (!is_name(line, length, "Content-Length") && !is_name(line, length, "Transfer-Encoding"))
		return;
	head->body = true;
	line[0] = 'X';
}

/* Lines end with LF, before which there may be a CR; an empty one ends the head. */
static bool find_end(struct http_head *head)
{
	char *text = (char *)head->bytes->data;
	size_t at = 0, size = head->bytes->len;

	while (at < size) {
		char *end = memchr(text + at, '\n', size - at);
		size_t length = end ? (size_t)(end - (text + at)) : 0;

		if (!end)
			return false;
		if (at && (!length || (length == 1 && text[at] == '\r'))) {
			head->length = (size_t)(end - text) + 1;
			return true;
		}
		at += length + 1;
	}
	return false;
}

static void defuse_lines(struct http_head *head)
{
	char *text = (char *)head->bytes->data, *line = text, *end;

	while ((end = memchr(line, '\n', head->length - (size_t)(line - text)))) {
		defuse(head, line, (size_t)(end - line));
		line = end + 1;
		if ((size_t)(line - text) == head->length)
			return;
	}
}

int http_head_read(struct http_head *head, int fd)
{
	uint8_t piece[PIECE];
	ssize_t n;

	if (!head->bytes)
		head->bytes = g_byte_array_new();
	do
		n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	g_byte_array_append(head->bytes, piece, (guint)n);
	if (!find_end(head))
		return head->bytes->len > HTTP_HEAD_LIMIT ? -EMSGSIZE : -EAGAIN;
	/* libsoup leaves them out, so that two halves of a name become one. */
	if (memchr(head->bytes->data, '\0', head->length))
		return -EBADMSG;
	defuse_lines(head);
	return 0;
}

GBytes *http_head_bytes(const struct http_head *head)
{
	return g_bytes_new(head->bytes->data, head->length);
}

const uint8_t *http_head_rest(const struct http_head *head, size_t *length)
{
	*length = head->bytes->len - head->length;
	return head->bytes->data + head->length;
}

void http_head_finish(struct http_head *head)
{
	if (head->bytes)
		g_byte_array_unref(head->bytes);
	*head = (struct http_head){0};
}
