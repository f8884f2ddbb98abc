/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meter.h"

static uint32_t *count_of(struct meter *meter, int64_t slot)
{
	return &meter->counts[slot % (METER_SLOTS + 1)];
}

/* Empties the slots that have passed since the newest one. */
static void advance(struct meter *meter, int64_t now_us)
{
	int64_t slot = now_us / METER_SLOT_US;

	if (slot - meter->slot > METER_SLOTS)
		meter->slot = slot - METER_SLOTS - 1;
	while (meter->slot < slot)
		*count_of(meter, ++meter->slot) = 0;
}

void meter_add(struct meter *meter, int64_t now_us)
{
	advance(meter, now_us);
	++*count_of(meter, meter->slot);
}

double meter_rate(struct meter *meter, int64_t now_us)
{
	uint32_t sum = 0;

	advance(meter, now_us);
	for (int64_t i = 0; i <= METER_SLOTS; i++)
		sum += meter->counts[i];
	sum -= *count_of(meter, meter->slot);
	return (double)sum * 1000000 / ((double)METER_SLOTS * METER_SLOT_US);
}
