/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tls_line.h"

#include <glib.h>
#include <unistd.h>

#include "rfb.h"
#include "unit.h"

unsigned int tls_line_knock(int fd, const char *version, uint32_t types[TLS_LINE_TYPES])
{
	uint8_t head[14], count[2];

	assert_true(rfb_receive(fd, head, 12) && rfb_send(fd, version, 12));
	assert_true(rfb_receive(fd, head, 1) && rfb_receive(fd, head + 1, head[0]));
	if (!head[0])
		return 0;
	assert_int_equal(head[1], 19);
	assert_true(rfb_send(fd, "\x13", 1) && rfb_receive(fd, head, 2));
	assert_memory_equal(head, "\0\x02", 2);
	assert_true(rfb_send(fd, "\0\x02", 2) && rfb_receive(fd, count, 2));
	assert_int_equal(count[0], 0);
	assert_in_range(count[1], 1, TLS_LINE_TYPES);
	assert_true(rfb_receive(fd, types, 4u * count[1]));
	for (unsigned int i = 0; i < count[1]; i++)
		types[i] = GUINT32_FROM_BE(types[i]);
	return count[1];
}

bool tls_line_choose(int fd, uint32_t type)
{
	uint32_t wire = GUINT32_TO_BE(type);
	uint8_t accepted = 0;

	assert_true(rfb_send(fd, &wire, 4) && rfb_receive(fd, &accepted, 1));
	return accepted == 1;
}

bool tls_line_open(struct tls_line *line, int fd, const char *priorities)
{
	int r;

	line->fd = fd;
	assert_int_equal(gnutls_certificate_allocate_credentials(&line->trust), 0);
	assert_int_equal(gnutls_init(&line->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL), 0);
	assert_int_equal(gnutls_priority_set_direct(line->session, priorities, NULL), 0);
	gnutls_credentials_set(line->session, GNUTLS_CRD_CERTIFICATE, line->trust);
	gnutls_transport_set_int(line->session, fd);
	gnutls_handshake_set_timeout(line->session, RFB_PATIENCE_MS);
	do
		r = gnutls_handshake(line->session);
	while (r < 0 && !gnutls_error_is_fatal(r));
	return !r;
}

void tls_line_close(struct tls_line *line)
{
	gnutls_deinit(line->session);
	gnutls_certificate_free_credentials(line->trust);
	close(line->fd);
}

bool tls_line_receive(struct tls_line *line, void *data, size_t length)
{
	uint8_t *bytes = data;

	while (length) {
		ssize_t n = gnutls_record_recv(line->session, bytes, length);

		if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

bool tls_line_send(struct tls_line *line, const void *data, size_t length)
{
	return gnutls_record_send(line->session, data, length) == (ssize_t)length;
}
