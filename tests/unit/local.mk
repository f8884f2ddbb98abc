# One program per room; each is a cmocka group.
if HAVE_CMOCKA
UNIT_TESTS =

# What the library asks the machine for can be refused: refuse.h.
REFUSE_MEMORY = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray \
	-Wl,--wrap=aligned_alloc -Wl,--wrap=posix_memalign
WITH_REFUSER = $(AM_LDFLAGS) $(REFUSE_MEMORY) -Wl,--wrap=mmap -Wl,--wrap=memfd_create \
	-Wl,--wrap=posix_fallocate -Wl,--wrap=timerfd_create -Wl,--wrap=pixman_image_create_bits \
	-Wl,--wrap=pixman_image_create_bits_no_clear -Wl,--wrap=deflateInit_ -Wl,--wrap=deflate \
	-Wl,--wrap=pread -Wl,--wrap=read -Wl,--wrap=write -Wl,--wrap=open -Wl,--wrap=close \
	-Wl,--wrap=lstat -Wl,--wrap=faccessat -Wl,--wrap=realpath -Wl,--wrap=fchmod \
	-Wl,--wrap=fsync -Wl,--wrap=linkat -Wl,--wrap=rename \
	-Wl,--wrap=pipe2 -Wl,--wrap=fork -Wl,--wrap=poll \
	-Wl,--wrap=png_create_write_struct -Wl,--wrap=png_create_info_struct \
	-Wl,--wrap=png_write_info
REFUSER = tests/unit/refuse.c tests/unit/refuse_calls.c tests/unit/refuse.h

UNIT_TESTS += tests/unit/test_address
tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_address_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_apart
tests_unit_test_apart_SOURCES = tests/unit/test_apart.c $(REFUSER)
tests_unit_test_apart_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_apart_LDFLAGS = $(WITH_REFUSER)
tests_unit_test_apart_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_broker
tests_unit_test_broker_SOURCES = tests/unit/test_broker.c
tests_unit_test_broker_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_broker_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=reach_device,--wrap=reach_holds,--wrap=poll \
	-Wl,--wrap=socketpair,--wrap=fork,--wrap=send,--wrap=recvmsg,--wrap=sendmsg
tests_unit_test_broker_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sandbox
tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c
tests_unit_test_sandbox_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sandbox_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sandbox_refused
tests_unit_test_sandbox_refused_SOURCES = tests/unit/test_sandbox_refused.c
tests_unit_test_sandbox_refused_CFLAGS = $(UNIT_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS)
tests_unit_test_sandbox_refused_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall -Wl,--wrap=prctl \
	-Wl,--wrap=capng_apply -Wl,--wrap=capng_change_id -Wl,--wrap=seccomp_init \
	-Wl,--wrap=seccomp_load
tests_unit_test_sandbox_refused_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_backoff
tests_unit_test_backoff_SOURCES = tests/unit/test_backoff.c
tests_unit_test_backoff_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_backoff_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_bands
tests_unit_test_bands_SOURCES = tests/unit/test_bands.c
tests_unit_test_bands_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_bands_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_capture
tests_unit_test_capture_SOURCES = tests/unit/test_capture.c
tests_unit_test_capture_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_capture_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_card
tests_unit_test_card_SOURCES = tests/unit/test_card.c
tests_unit_test_card_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_card_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_control_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_certificate
tests_unit_test_certificate_SOURCES = tests/unit/test_certificate.c
tests_unit_test_certificate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_certificate_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_damage
tests_unit_test_damage_SOURCES = tests/unit/test_damage.c
tests_unit_test_damage_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_damage_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_device
tests_unit_test_device_SOURCES = tests/unit/test_device.c
tests_unit_test_device_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_device_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=access
tests_unit_test_device_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door
tests_unit_test_door_SOURCES = \
	tests/unit/test_door.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_door_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_edid
tests_unit_test_edid_SOURCES = tests/unit/test_edid.c
tests_unit_test_edid_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_edid_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_encoder
tests_unit_test_encoder_SOURCES = tests/unit/test_encoder.c
tests_unit_test_encoder_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_encoder_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_encoder_churn
tests_unit_test_encoder_churn_SOURCES = \
	tests/unit/test_encoder_churn.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_encoder_churn_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_encoder_churn_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door_password
tests_unit_test_door_password_SOURCES = \
	tests/unit/test_door_password.c \
	tests/unit/hall.c \
	tests/unit/hall.h \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_door_password_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_password_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door_tls
tests_unit_test_door_tls_SOURCES = \
	tests/unit/test_door_tls.c \
	tests/unit/hall.c \
	tests/unit/hall.h \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h \
	tests/unit/tls_line.c \
	tests/unit/tls_line.h
tests_unit_test_door_tls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_tls_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door_users
tests_unit_test_door_users_SOURCES = \
	tests/unit/test_door_users.c \
	tests/unit/hall.c tests/unit/hall.h \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/tls_line.c tests/unit/tls_line.h
tests_unit_test_door_users_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_users_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=users_check
tests_unit_test_door_users_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_users
tests_unit_test_users_SOURCES = tests/unit/test_users.c
tests_unit_test_users_CFLAGS = $(UNIT_CFLAGS) $(CRYPT_CFLAGS)
tests_unit_test_users_LDADD = $(UNIT_LDADD)

if HAVE_PAM
UNIT_TESTS += tests/unit/test_pam
tests_unit_test_pam_SOURCES = tests/unit/test_pam.c
tests_unit_test_pam_CFLAGS = $(UNIT_CFLAGS) $(PAM_CFLAGS)
tests_unit_test_pam_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pam_start
tests_unit_test_pam_LDADD = $(UNIT_LDADD)
endif

UNIT_TESTS += tests/unit/test_flow
tests_unit_test_flow_SOURCES = tests/unit/test_flow.c
tests_unit_test_flow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_flow_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_frame
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_frame_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_histogram
tests_unit_test_histogram_SOURCES = tests/unit/test_histogram.c
tests_unit_test_histogram_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_histogram_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_image
tests_unit_test_image_SOURCES = tests/unit/test_image.c
tests_unit_test_image_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_image_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_http_head
tests_unit_test_http_head_SOURCES = tests/unit/test_http_head.c
tests_unit_test_http_head_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_head_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_input
tests_unit_test_input_SOURCES = tests/unit/test_input.c
tests_unit_test_input_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_input_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_input_qmp
tests_unit_test_input_qmp_SOURCES = tests/unit/test_input_qmp.c
tests_unit_test_input_qmp_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_input_qmp_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_input_uinput
tests_unit_test_input_uinput_SOURCES = tests/unit/test_input_uinput.c
tests_unit_test_input_uinput_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_input_uinput_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_keymap
tests_unit_test_keymap_SOURCES = tests/unit/test_keymap.c
tests_unit_test_keymap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keymap_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_meter
tests_unit_test_meter_SOURCES = tests/unit/test_meter.c
tests_unit_test_meter_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_meter_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_motion
tests_unit_test_motion_SOURCES = tests/unit/test_motion.c
tests_unit_test_motion_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_motion_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pacer
tests_unit_test_pacer_SOURCES = tests/unit/test_pacer.c
tests_unit_test_pacer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pacer_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_output
tests_unit_test_output_SOURCES = tests/unit/test_output.c $(REFUSER)
tests_unit_test_output_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_output_LDFLAGS = $(WITH_REFUSER)
tests_unit_test_output_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_palette
tests_unit_test_palette_SOURCES = tests/unit/test_palette.c
tests_unit_test_palette_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_palette_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_password
tests_unit_test_password_SOURCES = tests/unit/test_password.c
tests_unit_test_password_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_password_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pattern_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_plane
tests_unit_test_plane_SOURCES = tests/unit/test_plane.c
tests_unit_test_plane_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_plane_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pump
tests_unit_test_pump_SOURCES = tests/unit/test_pump.c
tests_unit_test_pump_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pump_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_recording
tests_unit_test_recording_SOURCES = \
	tests/unit/test_recording.c \
	tests/unit/tape.c \
	tests/unit/tape.h
tests_unit_test_recording_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_recording_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_recording_damage
tests_unit_test_recording_damage_SOURCES = \
	tests/unit/test_recording_damage.c \
	tests/unit/tape.c \
	tests/unit/tape.h
tests_unit_test_recording_damage_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_recording_damage_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_recording_errors
tests_unit_test_recording_errors_SOURCES = \
	tests/unit/screen_stage.c \
	tests/unit/screen_stage.h \
	tests/unit/tape.c \
	tests/unit/tape.h \
	tests/unit/test_recording_errors.c \
	$(REFUSER)
tests_unit_test_recording_errors_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_recording_errors_LDFLAGS = $(WITH_REFUSER)
tests_unit_test_recording_errors_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_replay
tests_unit_test_replay_SOURCES = \
	tests/unit/test_replay.c \
	tests/unit/tape.c \
	tests/unit/tape.h
tests_unit_test_replay_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_replay_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_refused
tests_unit_test_refused_SOURCES = \
	tests/unit/screen_stage.c \
	tests/unit/screen_stage.h \
	tests/unit/tape.c \
	tests/unit/tape.h \
	tests/unit/test_refused.c \
	$(REFUSER)
tests_unit_test_refused_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_refused_LDFLAGS = $(WITH_REFUSER)
tests_unit_test_refused_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_scancode
tests_unit_test_scancode_SOURCES = tests/unit/test_scancode.c
tests_unit_test_scancode_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_scancode_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_screen
tests_unit_test_screen_SOURCES = \
	tests/unit/screen_stage.c \
	tests/unit/screen_stage.h \
	tests/unit/test_screen.c
tests_unit_test_screen_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_screen_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_screen_idle
tests_unit_test_screen_idle_SOURCES = tests/unit/test_screen_idle.c
tests_unit_test_screen_idle_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_screen_idle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=g_get_monotonic_time
tests_unit_test_screen_idle_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_screen_pointer
tests_unit_test_screen_pointer_SOURCES = \
	tests/unit/screen_stage.c \
	tests/unit/screen_stage.h \
	tests/unit/test_screen_pointer.c
tests_unit_test_screen_pointer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_screen_pointer_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_shot
tests_unit_test_shot_SOURCES = \
	tests/unit/screen_stage.c \
	tests/unit/screen_stage.h \
	tests/unit/test_shot.c
tests_unit_test_shot_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_shot_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim
tests_unit_test_sim_SOURCES = tests/unit/test_sim.c
tests_unit_test_sim_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim_cycle
tests_unit_test_sim_cycle_SOURCES = tests/unit/test_sim_cycle.c
tests_unit_test_sim_cycle_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_cycle_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim_options
tests_unit_test_sim_options_SOURCES = tests/unit/test_sim_options.c
tests_unit_test_sim_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_options_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim_wish
tests_unit_test_sim_wish_SOURCES = tests/unit/test_sim_wish.c
tests_unit_test_sim_wish_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_wish_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_metrics
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c
tests_unit_test_metrics_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_metrics_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_status_view
tests_unit_test_status_view_SOURCES = tests/unit/test_status_view.c
tests_unit_test_status_view_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_status_view_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_tight
tests_unit_test_tight_SOURCES = tests/unit/test_tight.c \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_tight_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_tight_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_web
tests_unit_test_web_SOURCES = tests/unit/test_web.c
tests_unit_test_web_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_web_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_viewer
tests_unit_test_viewer_SOURCES = tests/unit/test_viewer.c \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_viewer_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_viewer_LDADD = $(UNIT_LDADD) $(JPEG_LIBS) $(PNG_LIBS)

UNIT_TESTS += tests/unit/test_web_stream
tests_unit_test_web_stream_SOURCES = tests/unit/test_web_stream.c
tests_unit_test_web_stream_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_web_stream_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_websocket
tests_unit_test_websocket_SOURCES = tests/unit/test_websocket.c
tests_unit_test_websocket_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_websocket_LDADD = $(UNIT_LDADD)

# For trying viewers by hand.
check_PROGRAMS += tests/unit/vnc_server
tests_unit_vnc_server_SOURCES = \
	tests/unit/vnc_server.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_vnc_server_CFLAGS = $(UNIT_CFLAGS)
tests_unit_vnc_server_LDADD = $(UNIT_LDADD)
# The library's system calls go to doubles of vfio, KVM and DRM: double_calls.h.
DOUBLES = tests/unit/double_calls.c tests/unit/double_calls.h \
	tests/unit/double_gpu.c tests/unit/double_gpu.h \
	tests/unit/double_owner.c tests/unit/double_owner.h \
	tests/unit/double_vfio.c tests/unit/double_vfio.h
DOUBLE_SOURCES = $(DOUBLES) tests/unit/double_source.c tests/unit/double_source.h
WITH_DOUBLES = $(AM_LDFLAGS) -Wl,--wrap=open -Wl,--wrap=close -Wl,--wrap=fcntl -Wl,--wrap=ioctl \
	-Wl,--wrap=mmap -Wl,--wrap=munmap -Wl,--wrap=pread -Wl,--wrap=pwrite \
	-Wl,--wrap=eventfd -Wl,--wrap=syscall \
	-Wl,--wrap=realpath -Wl,--wrap=device_nodes -Wl,--wrap=owner_find \
	-Wl,--wrap=owner_holds -Wl,--wrap=owner_is_duplicate -Wl,--wrap=owner_may_trace \
	-Wl,--wrap=g_get_monotonic_time

UNIT_TESTS += tests/unit/test_vfio
tests_unit_test_vfio_SOURCES = tests/unit/test_vfio.c $(DOUBLES) \
	tests/unit/refuse.c tests/unit/refuse.h
tests_unit_test_vfio_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vfio_LDFLAGS = $(WITH_DOUBLES) $(REFUSE_MEMORY)
tests_unit_test_vfio_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_map
tests_unit_test_map_SOURCES = tests/unit/test_map.c $(DOUBLES)
tests_unit_test_map_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_map_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_map_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_map_refused
tests_unit_test_map_refused_SOURCES = tests/unit/test_map_refused.c $(DOUBLE_SOURCES) \
	tests/unit/refuse.c tests/unit/refuse.h
tests_unit_test_map_refused_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_map_refused_LDFLAGS = $(WITH_DOUBLES) $(REFUSE_MEMORY)
tests_unit_test_map_refused_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_tracker
tests_unit_test_tracker_SOURCES = tests/unit/test_tracker.c $(DOUBLES)
tests_unit_test_tracker_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tracker_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_tracker_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_discover
tests_unit_test_discover_SOURCES = tests/unit/test_discover.c $(DOUBLE_SOURCES)
tests_unit_test_discover_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_discover_LDFLAGS = $(WITH_DOUBLES) -Wl,--wrap=owner_of_process \
	-Wl,--wrap=device_names_of_node
tests_unit_test_discover_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_probe
tests_unit_test_probe_SOURCES = tests/unit/test_probe.c $(DOUBLE_SOURCES)
tests_unit_test_probe_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_probe_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_probe_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_source_vfio
tests_unit_test_source_vfio_SOURCES = tests/unit/test_source_vfio.c $(DOUBLE_SOURCES)
tests_unit_test_source_vfio_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_vfio_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_source_vfio_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_monitor
tests_unit_test_monitor_SOURCES = tests/unit/test_monitor.c $(DOUBLE_SOURCES)
tests_unit_test_monitor_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_monitor_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_monitor_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_source_owner
tests_unit_test_source_owner_SOURCES = tests/unit/test_source_owner.c $(DOUBLE_SOURCES)
tests_unit_test_source_owner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_owner_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_source_owner_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_source_random
tests_unit_test_source_random_SOURCES = tests/unit/test_source_random.c $(DOUBLE_SOURCES)
tests_unit_test_source_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_random_LDFLAGS = $(WITH_DOUBLES)
tests_unit_test_source_random_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_owner
tests_unit_test_owner_SOURCES = tests/unit/test_owner.c
tests_unit_test_owner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_owner_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readlink
tests_unit_test_owner_LDADD = $(UNIT_LDADD)

include tests/unit/spice.mk
include tests/unit/vnc.mk

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
EXTRA_DIST += tests/tsan.supp tests/unit/unit.h
