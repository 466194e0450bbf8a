// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

// maxSeconds is ten years of 365 days. No call, recording or queued record is older than the
// last restart of its server. A single larger value would spoil the sum of a histogram.
const maxSeconds = 10 * 365 * 24 * 60 * 60

// PlausibleSeconds reports whether a received duration is plausible: from 0 to ten years.
func PlausibleSeconds(seconds float64) bool { return seconds >= 0 && seconds <= maxSeconds }
