// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package recording simulates a pair of MediaSense servers: calls are recorded, paused,
// fall silent, are transferred and tagged; recordings fill the disks, and are deleted and
// pruned.
//
// It knows no wire format and no Call Bridges: a recorded session has no identifier in
// common with them. The caller steps a [World] from one action to the next, so that it can
// run beside another scenario.
//
// Order: events have a non-decreasing [Event.At], in whole milliseconds. Ownership: an
// Event holds copies, so a consumer may keep it. A World belongs to one goroutine and never
// blocks. The same [Config] gives the same events; recording_test.go checks the rules for
// many seeds.
package recording
