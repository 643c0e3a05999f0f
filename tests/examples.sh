# SPDX-License-Identifier: Apache-2.0
# Sourced by manual.test and examples.test: takes the examples out of the manuals and the README.
# shellcheck shell=bash

# examples DIR: writes DIR/NAME.bt for a script of apitrace.5 (a literal display), DIR/NAME.sh for a
# command of apitrace.1 and the README (what follows "# apitrace", over several lines if need be).
examples() {
	mkdir -p "$1"
	sed 's/\\e/\\/g; s/\\&//g; s/\\-/-/g' "$srcdir/man/apitrace.5" |
		awk -v dir="$1" '/^\.Bd -literal/ { file = sprintf("%s/apitrace.5-%02d.bt", dir, ++n); next }
			/^\.Ed/ { file = ""; next }
			file { print >file }'
	sed -n 's/^\.Dl # apitrace/# apitrace/p' "$srcdir/man/apitrace.1" |
		sed 's/\\e/\\/g; s/\\&//g; s/\\-/-/g' | commands "$1/apitrace.1"
	sed -n 's/^    //p' "$srcdir/README.md" | commands "$1/README.md"
}

# Each command ends with the line that makes it whole to a shell.
commands() { # PREFIX
	local line text='' n=0
	while IFS= read -r line; do
		case $text$line in
		'# apitrace '*) text+=${text:+$'\n'}$line ;;
		*) continue ;;
		esac
		bash -n <<<"${text#\# }" 2>/dev/null || continue
		n=$((n + 1))
		printf '%s\n' "${text#\# }" >"$1-$(printf %02d $n).sh"
		text=''
	done
}

# The script that a command of an example would run.
script_of() { # FILE
	case $1 in
	*.bt) cat "$1" ;;
	*) (
		apitrace() {
			while [ $# -gt 0 ]; do
				case $1 in
				-e) printf '%s\n' "$2"; return ;;
				-*) shift ;;
				*) cat "$srcdir/scripts/${1%.bt}.bt"; return ;;
				esac
			done
		}
		# shellcheck source=/dev/null
		. "$1"
	) ;;
	esac
}
