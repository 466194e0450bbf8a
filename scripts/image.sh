#!/bin/sh
# Makes dist/image without a container runtime: for each architecture the archive that
# `docker load` reads and the file system that deploy/Dockerfile adds; an OCI layout of
# all of them in oci/; the index's digest in digest. The same commit gives the same digest.
#
# Environment:  IMAGE_TARGETS  goarch, with blanks between
#               IMAGE_VERSION  the manifest's version
#               IMAGE_OUT      dist/image
set -eu
targets=${IMAGE_TARGETS:-amd64 arm64}
version=${IMAGE_VERSION:-$(sed -n 's/^  version: *//p' builder-config.yaml)}
out=${IMAGE_OUT:-$PWD/dist/image}
rm -rf "$out"
mkdir -p "$out"
for arch in $targets; do
	programs=$out/work/$arch
	mkdir -p "$programs"
	build() { CGO_ENABLED=0 GOOS=linux GOARCH=$arch go -C "$1" build -trimpath -ldflags '-s -w' -o "$programs/$3" "$2"; }
	build build/otelcol-legato . otelcol-legato
	build . ./cmd/callarchive callarchive
	build . ./cmd/callsim callsim
done
go -C packaging run ./cmd/image -programs "$out/work" -configuration config.yaml -version "$version" \
	-revision "$(git rev-parse HEAD)" -epoch "$(git log -1 --format=%ct)" -out "$out" >"$out/digest"
rm -rf "$out/work"
cat "$out/digest"
