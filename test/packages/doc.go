// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package packages tests the result of `make packages`: it builds the packages of this
// machine's kind, and installs, runs, upgrades and removes the Debian one on a copy of the
// system (testdata/lifecycle.sh). It makes the container image of `make image`, and runs the
// Collector in the image's file system. It needs `make build` before.
package packages
