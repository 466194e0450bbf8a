// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package image makes the container image of the distribution without a container
// runtime. The image has the Collector, two of the small commands, root certificates,
// a configuration and a state directory of user 10001, and nothing else: no shell, no
// package manager.
//
// The same inputs give the same digest: files have one order and one time, the
// certificates are those of a Go module whose version go.mod pins.
package image
