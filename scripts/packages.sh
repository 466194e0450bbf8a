#!/bin/sh
# Makes dist/packages: a .tar.gz for each target, a .deb and an .rpm for each Linux,
# an SBOM (CycloneDX) for each Collector, and SHA256SUMS. The same commit gives the same
# files: paths are trimmed, and times are the commit's.
#
# Environment:  PACKAGE_TARGETS  goos/goarch, with blanks between
#               PACKAGE_VERSION  the manifest's version
#               PACKAGE_FLAGS    of go build: -trimpath
set -eu
targets=${PACKAGE_TARGETS:-linux/amd64 linux/arm64 windows/amd64}
VERSION=${PACKAGE_VERSION:-$(sed -n 's/^  version: *//p' builder-config.yaml)}
flags=${PACKAGE_FLAGS--trimpath}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export VERSION SOURCE_DATE_EPOCH
out=$PWD/dist/packages
tool() { name=$1; shift; GOOS='' GOARCH='' go -C packaging tool "$name" "$@"; }

rm -rf "$out"
for target in $targets; do
	GOOS=${target%/*} ARCH=${target#*/}
	export GOOS ARCH
	WORK=$out/work/${GOOS}_$ARCH suffix=
	export WORK
	[ "$GOOS" != windows ] || suffix=.exe
	mkdir -p "$WORK"
	# shellcheck disable=SC2086 # one word for each flag
	build() { CGO_ENABLED=0 GOARCH=$ARCH go -C "$1" build $flags -ldflags '-s -w' -o "$WORK/$3$suffix" "$2"; }
	build build/otelcol-legato . otelcol-legato
	build . ./cmd/callid callid
	build . ./cmd/callsim callsim
	build . ./cmd/callarchive callarchive
	cp LICENSE README.md CHANGELOG.md packaging/config.yaml "$WORK"
	name=legato_${VERSION}_${GOOS}_$ARCH
	tar -C "$WORK" --sort=name --owner=0 --group=0 --numeric-owner --mode=go=u-w --mtime="@$SOURCE_DATE_EPOCH" -c . | gzip -n >"$out/$name.tar.gz"
	tool cyclonedx-gomod bin -json -noserial -output "$out/$name.cdx.json" "$WORK/otelcol-legato$suffix"
	[ "$GOOS" = linux ] || continue
	for format in deb rpm; do
		tool nfpm package --config nfpm.yaml --packager $format --target "$out"
	done
done
rm -rf "$out/work"
cd "$out" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS
