// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import "github.com/legato-otel/legato/cmd/callsim/internal/truth"

// Records holds call detail records of the file exporter against the truth.
func Records(is *truth.Truth, all []Record) *Report {
	r := newReport()
	compareRecords(r, is, all)
	return r
}

// Spans holds spans of the file exporter against the truth.
func Spans(is *truth.Truth, all []Object) *Report {
	r := newReport()
	compareObjects(r, is, all, true)
	return r
}

// Rows holds the rows of a call archive against the truth.
func Rows(is *truth.Truth, all []Object) *Report {
	r := newReport()
	compareObjects(r, is, all, false)
	return r
}
