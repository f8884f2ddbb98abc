# kmod/: mplane.ko, built by kbuild.
# The test pictures belong to both: libplanecast.a (src/local.mk) and the module.
