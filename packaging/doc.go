// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package packaging holds the contents of packages and images: nfpm.yaml, the unit, the
// scripts and the configuration for scripts/packages.sh, and image for scripts/image.sh. Its
// tests pack an RPM of small files and read it back, and run the scripts with a systemctl that
// writes down its arguments; test/packages has the life of the Debian package.
package packaging
