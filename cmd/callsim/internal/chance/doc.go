// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package chance has the parts of every scenario: dice with a seed, decks that deal every
// card before one comes again, and a schedule of future actions. The same seed and stream
// give the same draws.
//
// Nothing in it blocks or is safe for concurrent use. The tests of package scenario cover
// it: the same Config must give the same events.
package chance
