/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a user is who it says it is, as PAM's modules see it. Blocks as long as they like. */
#ifndef PLANECAST_PAM_ASK_H
#define PLANECAST_PAM_ASK_H

#include <stdbool.h>

/* The service is a file in /etc/pam.d. True: the password is right, and the account is good. */
bool pam_ask(const char *service, const char *name, const char *password);

#endif
