// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import "github.com/legato-otel/legato/cmd/callsim/internal/truth"

// Records holds call detail records of the file exporter against the truth.
func Records(got *truth.Truth, all []Record) *Report {
	r := newReport()
	compareRecords(r, got, all)
	return r
}

// Spans holds spans of the file exporter against the truth.
func Spans(got *truth.Truth, all []Object) *Report {
	r := newReport()
	compareObjects(r, got, all, true)
	return r
}

// Rows holds the rows of a call archive against the truth.
func Rows(got *truth.Truth, all []Object) *Report {
	r := newReport()
	compareObjects(r, got, all, false)
	return r
}
