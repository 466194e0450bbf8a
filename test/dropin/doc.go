// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dropin builds the components, as docs/existing-collector.md describes, into the
// oldest and the newest Collector that they support. It compares the output of both for the
// same posts with one golden file. Run it with `make dropin`.
package dropin
