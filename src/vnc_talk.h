/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VNC client says, noted for its sending thread or passed on. */
#ifndef PLANECAST_VNC_TALK_H
#define PLANECAST_VNC_TALK_H

#include "vnc_parser.h"

/* data: the struct vnc_client, locked. */
extern const struct vnc_parser_ops vnc_talk_ops;

#endif
