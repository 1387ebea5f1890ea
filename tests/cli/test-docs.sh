#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Man pages and completion, as they are installed.
# Usage: test-docs.sh TRAPMAP BASH-COMPLETION ZSH-COMPLETION PAGE...

bash_file=$(realpath "$2") || exit 2
zsh_file=$(realpath "$3") || exit 2
pages=$(dirname "$(realpath "$4")")
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

have() {
	command -v "$1" >/dev/null && return
	echo "left out: no $1 here for: $2"
	return 1
}

commands=$("$trapmap" help |
	sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -v help)

# ---- man pages

for command in "" $commands; do
	page=$pages/trapmap${command:+-$command}.1
	if ! [ -s "$page" ]; then
		fail "there is no $page"
		continue
	fi
	# As plain text, in which an option's dashes are dashes.
	sed 's/\\f[BIR]//g; s/\\-/-/g' "$page" >text
	for option in $("$trapmap" help ${command:+"$command"} |
		sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'); do
		if grep -q -- "^\(-., \)\{0,1\}$option\( \|$\)" text; then
			pass
		else
			fail "$page has no $option"
		fi
	done
	if have groff "man pages' form"; then
		groff -man -ww -z -Tutf8 "$page" 2>warnings
		is "groff on $page" "$(cat warnings)" ""
		groff -man -Tascii -P-cbou "$page" 2>/dev/null >formatted
		is "lines over 80 columns in $page" \
			"$(grep -c '.\{81\}' formatted)" 0
	fi
	if have lexgrog "man pages' names"; then
		case $(lexgrog "$page") in
		*": \"trapmap${command:+-$command} - "*)
			pass ;;
		*) fail "lexgrog finds no name in $page" ;;
		esac
	fi
done

# ---- bash

# offers "REPLIES" WORD...: what the last word of a command line becomes.
offers() {
	expected=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's variables
	got=$(bash -uc '
		. "$0"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_trapmap
		echo "${COMPREPLY[*]-}"' "$bash_file" trapmap "$@" 2>&1)
	is "completion of 'trapmap $*'" "$got" "$expected"
}

if have bash "its completion"; then
	is "bash -n" "$(bash -n "$bash_file" 2>&1)" ""
	: >"bzImage-1"
	: >"bzImage 2"
	mkdir images
	offers run ru
	offers "--help" --h
	offers "--initrd" run --in
	offers "bzImage-1" run bzImage-
	offers "bzImage 2" run -k "bzImage "
	offers "images" run --initrd = im
	offers "images" run --initrd im
	offers "--report=images" run --report=im
	offers "stdio null pty file= socket=" run --serial ""
	offers "stdio null pty file= socket=" run --serial =
	offers "stdio socket=" run --serial = s
	offers "--serial=file=" run --serial=f
	offers "images" run --serial = file = im
	offers "--serial=file=images" run --serial=file=im
	offers "stdio stderr" run --debugcon st
	offers "reboot" run --on-reset re
	offers "" run --mem im
	offers "" run --timeout -
	offers "--strict-io" test kernel -- --strict
	offers "" test kernel --strict
	offers "--linux" doctor --l
	offers "" doctor im
	offers "doctor" help d
	offers "" run --on-reset nothing
	for command in $commands; do
		for option in $("$trapmap" help "$command" |
			sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'); do
			# shellcheck disable=SC2016
			all=$(bash -c '
				. "$0"
				COMP_WORDS=(trapmap "$1" --)
				COMP_CWORD=2
				_trapmap
				printf "%s\n" "${COMPREPLY[@]}"' \
				"$bash_file" "$command")
			is "offers of $option for $command" \
				"$(echo "$all" | grep -cx -- "$option")" 1
		done
	done
fi

# ---- zsh

if have zsh "its completion"; then
	is "zsh -n" "$(zsh -n "$zsh_file" 2>&1)" ""
fi
is "what zsh looks for" "$(head -n 1 "$zsh_file")" "#compdef trapmap"

finish
