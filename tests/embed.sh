# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# For tests of what an embedding program gets: an install below a folder, builds against it.

embed_install() { # TREE: the library, the header, the .pc file
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$builddir" DESTDIR="$1" \
		install-libLTLIBRARIES install-includeHEADERS install-nodist_pkgconfigDATA
}

embed_libdir() { # TREE
	echo "$1$(pkg-config --variable=libdir "$builddir/lib/libapitrace.pc")"
}

embed_flags() { # TREE: pkg-config's, of the installed .pc file
	PKG_CONFIG_PATH=$(embed_libdir "$1")/pkgconfig PKG_CONFIG_SYSROOT_DIR=$1 \
		pkg-config --cflags --libs libapitrace
}

embed_build() { # TREE SOURCE PROGRAM
	# shellcheck disable=SC2046,SC2086 # flags are several words
	${CC:-cc} -std=gnu99 -Wall -Wextra -pedantic -Werror ${SANITIZE:-} -o "$3" "$2" \
		$(embed_flags "$1")
}

embed_run() { # TREE PROGRAM ARGUMENTS...
	local tree=$1
	shift
	LD_LIBRARY_PATH=$(embed_libdir "$tree") "$@"
}
