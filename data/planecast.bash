# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for planecast. Verbs and options come from the program's own --help.

# Of the lines that come in, those that begin with $1.
_planecast_begin() {
	local word
	while IFS= read -r word; do
		[[ $word != "$1"* ]] || printf '%s\n' "$word"
	done
}

_planecast_verbs() {
	LC_ALL=C "$1" --help 2>/dev/null | sed -n '/^Verbs/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# --name for a flag, --name=WHAT for one with a value.
_planecast_options() {
	LC_ALL=C "$1" "$2" --help 2>/dev/null |
		sed -n 's/^  \(-., \|\)\(--[a-z0-9-]*\(=[A-Z]*\)\{0,1\}\) .*/\2/p'
}

# The QEMU processes as pid:PID, and as vm:NAME those with a name.
_planecast_machines() {
	local comm pid argument before name
	for comm in /proc/[0-9]*/comm; do
		{ read -r name <"$comm"; } 2>/dev/null && [[ $name == qemu* ]] || continue
		pid=${comm%/comm}
		echo "pid:${pid##*/}"
		before=''
		while IFS= read -r -d '' argument; do
			if [[ $before == -name ]]; then
				name=${argument#guest=}
				echo "vm:${name%%,*}"
			fi
			before=$argument
		done 2>/dev/null <"$pid/cmdline"
	done
}

_planecast_devices() {
	local kind path sysfs=${PLANECAST_COMPLETION_SYSFS:-/sys}
	printf '%s\n' sim: mdev: pci: cdev: pid: vm: fd: replay:
	for path in "$sysfs"/bus/mdev/devices/*; do
		[[ ! -e $path ]] || printf '%s\n' "mdev:${path##*/}" "${path##*/}"
	done
	for path in "$sysfs"/bus/pci/drivers/*vfio*/*:*:*.*; do
		[[ ! -e $path ]] || echo "pci:${path##*/}"
	done
	for path in /dev/vfio/devices/vfio*; do
		[[ ! -e $path ]] || echo "cdev:$path"
	done
	_planecast_machines
	case $1 in
	sim:*)
		kind=${1%"${1##*[:,]}"}
		for path in mode modes period layout format pattern fps frame transport damage \
			cursor edid seed cycle epoch; do
			echo "$kind$path="
		done
		;;
	replay:*,*) printf '%s\n' "${1%,*}",{loop,from=,frame=,epoch=} ;;
	replay:* | cdev:*) compgen -P "${1%%:*}:" -f -- "${1#*:}" ;;
	/*) compgen -f -- "$1" ;;
	esac
}

_planecast_sockets() {
	local path
	for path in "${XDG_RUNTIME_DIR:-/run}"/planecast/* /run/planecast/*; do
		[[ ! -S $path ]] || echo "$path"
	done
}

_planecast_layouts() {
	sed -n '/^! layout/,/^$/s/^  \([a-z]*\) .*/\1/p' /usr/share/X11/xkb/rules/base.lst 2>/dev/null
}

# The values of an option: its name, what --help calls the value, and what is typed of it.
_planecast_values() {
	case $1 in
	--format) printf '%s\n' png ppm raw ;;
	--plane) printf '%s\n' primary cursor both ;;
	--palette) printf '%s\n' grey rgb332 && compgen -f -- "$3" ;;
	--spice-compression) printf '%s\n' lz4 lz glz quic auto_lz auto_glz off ;;
	--spice-streaming) printf '%s\n' off filter all ;;
	--keymap) _planecast_layouts ;;
	--input)
		printf '%s\n' none qmp: uinput uinput: uinput-mouse uinput-mouse:
		[[ $3 != qmp:* ]] || compgen -P qmp: -f -- "${3#qmp:}"
		;;
	--vdagent)
		printf '%s\n' unix:
		[[ $3 != unix:* ]] || compgen -P unix: -f -- "${3#unix:}"
		;;
	--control) printf '%s\n' none unix: fd: ;;
	*)
		case $2 in
		FILE) compgen -f -- "$3" ;;
		DIR) compgen -d -- "$3" ;;
		SECRET) printf '%s\n' cred: fd: && compgen -f -- "$3" ;;
		ADDR)
			printf '%s\n' 127.0.0.1: 0.0.0.0: '[::1]:' unix: fd:
			[[ $3 != unix:* ]] || compgen -P unix: -f -- "${3#unix:}"
			;;
		esac
		;;
	esac
}

# What --help calls the value of option $2 in the options $1; empty for a flag.
_planecast_value_of() {
	local option
	while IFS= read -r option; do
		[[ $option != "$2="* ]] || echo "${option#*=}"
	done <<<"$1"
}

# As the shell takes it for one word and nothing else: a machine's name may be anybody's.
_planecast_quote() {
	if [[ $1 =~ ^[][A-Za-z0-9_.,:=+/@%~-]*$ ]]; then
		printf '%s' "$1"
	else
		printf '%q' "$1"
	fi
}

# The words that may follow: program, verb, the word before, and the one that is typed.
_planecast_words() {
	local options option value
	options=$(_planecast_options "$1" "$2")
	option=$3
	[[ $option != -o ]] || option=--output
	if [[ $4 == --*=* ]]; then
		value=$(_planecast_value_of "$options" "${4%%=*}")
		_planecast_values "${4%%=*}" "$value" "${4#*=}" | sed "s/^/${4%%=*}=/"
		return
	fi
	value=$(_planecast_value_of "$options" "$option")
	if [[ -n $value ]]; then
		_planecast_values "$option" "$value" "$4"
		return
	fi
	case $2:$4 in
	*:-*) sed 's/=.*/=/' <<<"$options" ;;
	list:*) ;;
	status:*) _planecast_sockets && _planecast_devices "$4" ;;
	*) _planecast_devices "$4" ;;
	esac
}

_planecast() {
	local line=${COMP_LINE:0:COMP_POINT} words word typed cut
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=('')
	typed=${words[${#words[@]} - 1]}
	if ((${#words[@]} <= 2)); then
		mapfile -t COMPREPLY < <({
			_planecast_verbs "$1"
			printf '%s\n' --help --version
		} | _planecast_begin "$typed")
		return
	fi
	mapfile -t COMPREPLY < <(_planecast_words "$1" "${words[1]}" \
		"${words[${#words[@]} - 2]}" "$typed" | _planecast_begin "$typed" | sort -u)
	# Readline takes what follows the last colon or equals sign for the word.
	cut=${typed%"${typed##*[:=]}"}
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[:=] ]] || compopt -o nospace 2>/dev/null
	[[ ${#COMPREPLY[@]} -ne 1 || ! -d ${COMPREPLY[0]#*[:=]} ]] ||
		compopt -o filenames -o nospace 2>/dev/null
	for word in "${!COMPREPLY[@]}"; do
		COMPREPLY[word]=$(_planecast_quote "${COMPREPLY[word]#"$cut"}")
	done
}
complete -F _planecast planecast
