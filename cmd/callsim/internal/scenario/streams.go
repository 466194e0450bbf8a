// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

// Streams keep the draws of independent concerns apart: asking for restarts
// does not change who is invited.
const (
	streamStory uint64 = iota + 1
	streamRestarts
	streamClocks
	streamManners
	streamEstate
)
