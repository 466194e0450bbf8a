// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package dropin builds the components, as docs/existing-collector.md says it, into
// the oldest and the newest Collector that they support, and holds what both make of
// the same posts against one golden file. Run it with `make dropin`.
package dropin
