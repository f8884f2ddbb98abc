# tests/vm/: tests that run inside a test machine (scripts/vm), started by scripts/test.
EXTRA_DIST += \
	tests/vm/hold_kvm.py \
	tests/vm/inside.py \
	tests/vm/kmod_churn.py \
	tests/vm/kmod_churn.sh \
	tests/vm/kmod_damage.py \
	tests/vm/kmod_damage.sh \
	tests/vm/kmod_dkms.sh \
	tests/vm/kmod_fuzz.sh \
	tests/vm/kmod_guest.py \
	tests/vm/kmod_guest.sh \
	tests/vm/kmod_leaks.py \
	tests/vm/kmod_lib.sh \
	tests/vm/kmod_lint.sh \
	tests/vm/kmod_linux.py \
	tests/vm/kmod_linux.sh \
	tests/vm/kmod_probe.py \
	tests/vm/kmod_probe.sh \
	tests/vm/kmod_scanout.py \
	tests/vm/kmod_scanout.sh \
	tests/vm/kmod_status.py \
	tests/vm/kmod_status.sh \
	tests/vm/kmod_vcpu.py \
	tests/vm/kmod_vfio.py \
	tests/vm/machine.py \
	tests/vm/test_console.py \
	tests/vm/test_faults.py \
	tests/vm/test_guest.py \
	tests/vm/test_modes.py \
	tests/vm/test_painted.py \
	tests/vm/test_parameters.py \
	tests/vm/test_peer.py \
	tests/vm/test_qemu_probe.py \
	tests/vm/test_soak.py \
	tests/vm/test_uefi.py \
	tests/vm/test_uinput.py \
	tests/vm/units/test_readme.py \
	tests/vm/units/test_units.py

check_PROGRAMS += tests/vm/kmod_frame
tests_vm_kmod_frame_SOURCES = tests/vm/kmod_frame.c
tests_vm_kmod_frame_LDADD = libplanecast.a libdetile.a

check_PROGRAMS += tests/vm/kmod_fuzz
tests_vm_kmod_fuzz_SOURCES = tests/vm/kmod_fuzz.c
