// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package packaging holds what packages and images are made of: nfpm.yaml, the unit, the
// scripts and the configuration for scripts/packages.sh, and image for scripts/image.sh.
// Its tests pack an RPM of small files and read it back, and run the scripts with a systemctl
// that writes down what it is asked; test/packages has the life of
// the Debian package.
package packaging
