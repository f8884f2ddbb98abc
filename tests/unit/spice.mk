# What SPICE is made of: of local.mk.
UNIT_TESTS += tests/unit/test_agent_talk
tests_unit_test_agent_talk_SOURCES = tests/unit/test_agent_talk.c
tests_unit_test_agent_talk_CFLAGS = $(UNIT_CFLAGS) $(SPICE_CFLAGS)
tests_unit_test_agent_talk_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_spice_framing
tests_unit_test_spice_framing_SOURCES = tests/unit/test_spice_framing.c
tests_unit_test_spice_framing_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_spice_framing_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_plain_stream
tests_unit_test_plain_stream_SOURCES = tests/unit/test_plain_stream.c
tests_unit_test_plain_stream_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_plain_stream_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_spice_guard
tests_unit_test_spice_guard_SOURCES = tests/unit/test_spice_guard.c
tests_unit_test_spice_guard_CFLAGS = $(UNIT_CFLAGS) $(SPICE_CFLAGS)
tests_unit_test_spice_guard_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_spice_command
tests_unit_test_spice_command_SOURCES = tests/unit/test_spice_command.c
tests_unit_test_spice_command_CFLAGS = $(UNIT_CFLAGS) $(SPICE_CFLAGS)
tests_unit_test_spice_command_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_spice_rects
tests_unit_test_spice_rects_SOURCES = tests/unit/test_spice_rects.c
tests_unit_test_spice_rects_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_spice_rects_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_spice_acks
tests_unit_test_spice_acks_SOURCES = tests/unit/test_spice_acks.c
tests_unit_test_spice_acks_CFLAGS = $(UNIT_CFLAGS) $(SPICE_CFLAGS)
tests_unit_test_spice_acks_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_tcp_pair
tests_unit_test_tcp_pair_SOURCES = tests/unit/test_tcp_pair.c
tests_unit_test_tcp_pair_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tcp_pair_LDADD = $(UNIT_LDADD)
