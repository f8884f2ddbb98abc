/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that asks PAM, with the rights that it was started with, while the server that it was
 * forked from gives up its own: modules read /etc/shadow, start programs, reach networks. It takes
 * one question, "is this the password of that user?", answers each in a child with a time limit,
 * and ends with the server.
 */
#ifndef PLANECAST_PAM_HELPER_H
#define PLANECAST_PAM_HELPER_H

#include <glib.h>

#include "password.h"

struct pam_helper;

/* The service is a file in /etc/pam.d. Forks: no other threads yet. 0 or -errno with a line. */
int pam_helper_start(const char *service, struct pam_helper **helper, GError **error);

/* Closes the connection, which ends it. Takes NULL. */
void pam_helper_stop(struct pam_helper *helper);

/*
 * PASSWORD_FULL or PASSWORD_WRONG; neither string is longer than users.h allows. For users_ask():
 * from any thread, one at a time.
 */
enum password_verdict pam_helper_check(void *helper, const char *name, const char *password);

#endif
