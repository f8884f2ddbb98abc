#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside a test machine: every test of the module, one after the other, each with a freshly loaded
# one. usage: kmod_inside.sh BUILDDIR MODULE [TEST]...
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1
export MPLANE_KO=$2
shift 2
[ $# -gt 0 ] || set -- probe scanout status guest linux fuzz churn

code=0
for test; do
	echo "$(uname -r): kmod_$test"
	"$here/kmod_$test.sh" "$build"
	case $? in
	0 | 77) ;;
	*) code=1 ;;
	esac
done
exit $code
