// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package truth writes down what a perfect observer of the simulated cluster
// must conclude: which records it has, which are lost, what the calls, legs,
// recordings and streamings were, and who is in which call at the end.
//
// A [Recorder] folds the events of the scenario, never the records made of
// them, so that a mistake on the wire cannot hide in the truth. What became of
// each record comes from the bridges' accounts when the truth is written. A
// Recorder belongs to the goroutine that plays the scenario; it keeps every
// object, so a run without end should do without it.
package truth
