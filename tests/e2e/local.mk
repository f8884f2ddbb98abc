# tests/e2e/: real clients on the simulated device; tests/lib/ and the runners are shared with
# tests/vm/. Run by scripts/test, from a checkout or an unpacked tarball.
EXTRA_DIST += \
	tests/run.py tests/suite.py \
	tests/lib/__init__.py tests/lib/browser.py tests/lib/host.py tests/lib/mdev.py tests/lib/outside.py \
	tests/lib/page.py tests/lib/pattern.py tests/lib/picture.py tests/lib/prometheus.py tests/lib/qemu.py tests/lib/rfb.py tests/lib/spice.py \
	tests/lib/spice_typist.py tests/lib/spice_watcher.py tests/lib/viewer.py \
	tests/lib/websocket.py \
	tests/e2e/test_faults.py \
	tests/e2e/test_clients.py tests/e2e/test_demand.py tests/e2e/test_errors.py tests/e2e/test_hooks.py tests/e2e/test_input.py tests/e2e/test_list.py \
	tests/e2e/test_listen.py tests/e2e/test_manual.py tests/e2e/test_metrics.py tests/e2e/test_pixels.py tests/e2e/test_quality.py tests/e2e/test_random.py tests/e2e/test_resize.py tests/e2e/test_screenshot.py \
	tests/lib/spice_agent.py tests/e2e/test_agent.py \
	tests/e2e/test_security.py tests/e2e/test_service.py tests/e2e/test_spice.py tests/e2e/test_status.py tests/e2e/test_tls.py \
	tests/e2e/test_silence.py tests/e2e/test_users.py tests/e2e/test_viewers.py tests/e2e/test_web.py tests/e2e/test_web_hostile.py tests/e2e/test_web_tls.py \
	tests/vm/inside.py tests/vm/machine.py tests/vm/test_guest.py tests/vm/test_painted.py
