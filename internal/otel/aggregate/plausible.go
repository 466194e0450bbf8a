// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

// maxSeconds is ten years of 365 days. No call, recording or record in a queue is
// older than the server that it is of, and no server runs for longer without a
// restart. One value beyond it would make a histogram's sum useless ever after.
const maxSeconds = 10 * 365 * 24 * 60 * 60

// PlausibleSeconds tells whether a duration that was sent can be one: a number
// from 0 to ten years.
func PlausibleSeconds(seconds float64) bool { return seconds >= 0 && seconds <= maxSeconds }
