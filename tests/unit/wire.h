/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Big-endian numbers of a protocol. */
#ifndef PLANECAST_WIRE_H
#define PLANECAST_WIRE_H

#include <stdint.h>

static inline uint32_t wire_u16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

static inline uint32_t wire_u32(const uint8_t *bytes)
{
	return wire_u16(bytes) << 16 | wire_u16(bytes + 2);
}

static inline void wire_put_u16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline void wire_put_u32(uint8_t *bytes, uint32_t value)
{
	wire_put_u16(bytes, value >> 16);
	wire_put_u16(bytes + 2, value);
}

#endif
