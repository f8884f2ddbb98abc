# src/: the planecast program. Everything but main.c is a library, so that tests link it.
noinst_LIBRARIES += libplanecast.a
bin_PROGRAMS += planecast
PLANECAST_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS) $(PIXMAN_CFLAGS) $(PNG_CFLAGS) \
	$(VNC_CFLAGS) $(JPEG_CFLAGS) $(DRM_CFLAGS) $(GNUTLS_CFLAGS) $(SOUP_CFLAGS) $(SPICE_CFLAGS) \
	$(XKB_CFLAGS) $(ISAL_CFLAGS) $(SECCOMP_CFLAGS) $(CAPNG_CFLAGS) $(CRYPT_CFLAGS) $(PAM_CFLAGS)
PLANECAST_LIBS = $(GLIB_LIBS) $(JSON_LIBS) $(PIXMAN_LIBS) $(PNG_LIBS) $(VNC_LIBS) $(JPEG_LIBS) \
	$(GNUTLS_LIBS) $(SOUP_LIBS) $(SPICE_LIBS) $(XKB_LIBS) $(ISAL_LIBS) \
	$(SECCOMP_LIBS) $(CAPNG_LIBS) $(CRYPT_LIBS) $(PAM_LIBS)

libplanecast_a_CFLAGS = $(PLANECAST_CFLAGS)
libplanecast_a_SOURCES = \
	kmod/brush.c kmod/brush.h \
	kmod/font.c kmod/font.h \
	kmod/pattern.c kmod/pattern.h \
	kmod/pattern_desktop.c kmod/pattern_desktop.h \
	kmod/pattern_static.c kmod/pattern_static.h \
	kmod/pattern_text.c kmod/pattern_text.h \
	kmod/pattern_video.c kmod/pattern_video.h \
	src/address.c src/address.h \
	src/agent_talk.c src/agent_talk.h \
	src/apart.c src/apart.h \
	src/backoff.c src/backoff.h \
	src/bands.c src/bands.h \
	src/broker.c src/broker.h \
	src/buffers.c src/buffers.h \
	src/calls.c src/calls.h \
	src/capture.c src/capture.h \
	src/card.c src/card.h \
	src/certificate.c src/certificate.h \
	src/certificate_make.c src/certificate_make.h \
	src/clipboard.c src/clipboard.h \
	src/clipboard_ear.c src/clipboard_ear.h \
	src/control.c src/control.h \
	src/convert.c src/convert.h \
	src/cursor.c src/cursor.h \
	src/damage.c src/damage.h \
	src/device.c src/device.h \
	src/discover.c src/discover.h \
	src/door.c src/door.h src/door_own.h \
	src/door_arrival.c src/door_arrival.h \
	src/door_checks.c src/door_checks.h \
	src/door_gate.c src/door_gate.h \
	src/door_handshake.c src/door_handshake.h \
	src/door_listener.c src/door_listener.h \
	src/edid.c src/edid.h \
	src/encoder.c src/encoder.h \
	src/end_signals.c src/end_signals.h \
	src/flow.c src/flow.h \
	src/frame.c src/frame.h \
	src/guard.c src/guard.h \
	src/guest_agent.c src/guest_agent.h \
	src/heap.c src/heap.h \
	src/histogram.c src/histogram.h \
	src/http.c src/http.h \
	src/http_head.c src/http_head.h \
	src/image.c src/image.h \
	src/input.c src/input.h \
	src/input_qmp.c src/input_qmp.h src/input_qmp_find.c \
	src/input_uinput.c src/input_uinput.h \
	src/keymap.c src/keymap.h \
	src/kvm.c src/kvm.h \
	src/landlock.c src/landlock.h \
	src/libvirt_xml.c src/libvirt_xml.h \
	src/log.c src/log.h \
	src/map.c src/map.h \
	src/metrics.c src/metrics.h \
	src/metrics_server.c src/metrics_server.h \
	src/map_bochs.c \
	src/map_dmabuf.c \
	src/map_i915.c \
	src/map_region.c \
	src/member.c src/member.h \
	src/meter.c src/meter.h \
	src/motion.c src/motion.h \
	src/motion_search.c src/motion_search.h \
	src/moves.h \
	src/monitor.c src/monitor.h \
	src/output.c src/output.h \
	src/owner.c src/owner.h \
	src/pacer.c src/pacer.h \
	src/password.c src/password.h \
	src/palette.c src/palette.h \
	src/plain_stream.c src/plain_stream.h \
	src/plane.c src/plane.h \
	src/pointer.c src/pointer.h \
	src/pointer_watch.c src/pointer_watch.h \
	src/privileges.c src/privileges.h \
	src/probe.c src/probe.h \
	src/pump.c src/pump.h \
	src/qmp.c src/qmp.h \
	src/reach.c src/reach.h \
	src/redial.c src/redial.h \
	src/recording.c src/recording.h \
	src/recording_decode.c src/recording_decode.h \
	src/recording_look.c src/recording_look.h \
	src/recording_reader.c src/recording_reader.h \
	src/recording_writer.c src/recording_writer.h \
	src/scancode.c src/scancode.h \
	src/screen.c src/screen.h src/screen_own.h src/screen_view.c \
	src/secret.c src/secret.h \
	src/shot.c src/shot.h \
	src/sim_cursor.c src/sim_cursor.h \
	src/sim_options.c src/sim_options.h \
	src/sim_scanout.c src/sim_scanout.h \
	src/sink.h \
	src/source.h \
	src/source_replay.c src/source_replay.h \
	src/source_sim.c \
	src/source_vfio.c src/source_vfio.h \
	src/spice_acks.c src/spice_acks.h \
	src/spice_agent.c src/spice_agent.h \
	src/spice_command.c src/spice_command.h \
	src/spice_core.c src/spice_core.h \
	src/spice_display.c src/spice_display.h \
	src/spice_surface.c src/spice_surface.h \
	src/spice_framing.c src/spice_framing.h \
	src/spice_guard.c src/spice_guard.h \
	src/spice_input.c src/spice_input.h \
	src/spice_links.c src/spice_links.h src/spice_links_own.h \
	src/spice_links_press.c src/spice_links_view.c \
	src/spice_rects.c src/spice_rects.h \
	src/spice_sink.c src/spice_sink.h \
	src/stamp.c src/stamp.h \
	src/status.c src/status.h \
	src/status_view.c src/status_view.h \
	src/tight.c src/tight.h \
	src/tight_packer.c src/tight_packer.h \
	src/tight_palette.c src/tight_palette.h \
	src/tight_pixels.c src/tight_pixels.h \
	src/tcp_pair.c src/tcp_pair.h \
	src/tls_stream.c src/tls_stream.h \
	src/tracker.c src/tracker.h \
	src/users.c src/users.h \
	src/uinput.c src/uinput.h \
	src/vfio.c src/vfio.h \
	src/vfio_region.c \
	src/vnc.c src/vnc.h src/vnc_own.h \
	src/vnc_changes.c src/vnc_changes.h \
	src/vnc_client.c src/vnc_client.h src/vnc_client_own.h \
	src/vnc_clipboard.c src/vnc_clipboard.h \
	src/vnc_copies.c src/vnc_copies.h \
	src/vnc_cost.c src/vnc_cost.h \
	src/vnc_fence.c src/vnc_fence.h \
	src/vnc_input.c src/vnc_input.h \
	src/vnc_layout.c src/vnc_layout.h \
	src/vnc_library.c src/vnc_library.h \
	src/vnc_link.c src/vnc_link.h \
	src/vnc_lossy.c src/vnc_lossy.h \
	src/vnc_parser.c src/vnc_parser.h \
	src/vnc_pointer.c src/vnc_pointer.h \
	src/vnc_rects.c src/vnc_rects.h \
	src/vnc_quality.c src/vnc_quality.h \
	src/vnc_region.c src/vnc_region.h \
	src/vnc_repair.c src/vnc_repair.h \
	src/vnc_send.c src/vnc_send.h \
	src/vnc_sender.c src/vnc_sender.h \
	src/vnc_session.c src/vnc_session.h \
	src/vnc_talk.c src/vnc_talk.h \
	src/vnc_tally.c src/vnc_tally.h \
	src/vnc_thread.c src/vnc_thread.h \
	src/vnc_tight.c src/vnc_tight.h \
	src/vnc_window.c src/vnc_window.h \
	src/vnc_wish.c src/vnc_wish.h \
	src/web.c src/web.h \
	src/web_files.c src/web_files.h \
	src/web_rules.c src/web_rules.h \
	src/web_stream.c src/web_stream.h \
	src/websocket.c src/websocket.h
nodist_libplanecast_a_SOURCES = web_page.c
PAM_SOURCES = src/pam_ask.c src/pam_ask.h src/pam_helper.c src/pam_helper.h
if HAVE_PAM
libplanecast_a_SOURCES += $(PAM_SOURCES)
endif
EXTRA_DIST += $(PAM_SOURCES)

planecast_CFLAGS = $(PLANECAST_CFLAGS)
planecast_SOURCES = src/cmd.c src/cmd.h src/cmd_list.c src/cmd_probe.c src/cmd_record.c src/cmd_screenshot.c src/cmd_serve.c src/cmd_status.c src/main.c \
	src/serve_confine.c src/serve_confine.h \
	src/serve_control.c src/serve_control.h \
	src/serve_agent.c src/serve_agent.h \
	src/serve_input.c src/serve_input.h \
	src/serve_metrics.c src/serve_metrics.h \
	src/serve_spice.c src/serve_spice.h \
	src/serve_vnc.c src/serve_vnc.h \
	src/serve_web.c src/serve_web.h
planecast_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS)

# The page for browsers is part of the program.
WEB_PAGE = src/web/icon.svg src/web/index.html src/web/page.css src/web/page.js
EXTRA_DIST += src/web/web.gresource.xml $(WEB_PAGE)
CLEANFILES += web_page.c
web_page.c: src/web/web.gresource.xml $(WEB_PAGE)
	$(AM_V_GEN)$(GLIB_COMPILE_RESOURCES) --generate-source --c-name web_page \
		--sourcedir=$(srcdir)/src/web --target=$@ $(srcdir)/src/web/web.gresource.xml
