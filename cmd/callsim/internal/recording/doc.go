// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package recording plays what happens on a pair of MediaSense servers: calls
// are recorded, paused, fall silent, are transferred and tagged; recordings fill
// the disks, and are deleted and pruned.
//
// It knows nothing of any wire format, and nothing of the Call Bridges: a
// recording session has no identifier in common with them. A [World] is asked
// for what comes next, so that it can be told beside another story.
//
// Ordering: events come in non-decreasing [Event.At], on whole milliseconds.
// Ownership: an Event holds copies, so it may be kept. A World belongs to one
// goroutine. The same [Config] gives the same events.
package recording
