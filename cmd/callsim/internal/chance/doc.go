// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package chance is what every story is made of: dice with a seed, decks that
// deal every card before one comes again, and an agenda of what is to happen.
// The same seed and stream give the same draws.
package chance
