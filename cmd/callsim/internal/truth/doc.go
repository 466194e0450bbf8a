// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package truth records the expected result of a perfect observer of the simulated
// cluster: the records it received and those that were lost, the calls, legs,
// recordings and streamings, and the participants of each call at the end.
//
// A [Recorder] applies the events of the scenario, never the records made from
// them, so that an error on the wire cannot hide in the truth. The delivery of
// each record comes from the bridges' reports when the truth is written. A
// Recorder belongs to the goroutine that plays the scenario; it keeps every
// object, so a run without end should do without it.
package truth
