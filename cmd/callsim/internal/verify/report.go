// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Verdicts on the output.
const (
	Missing   = "missing"   // the truth has it, the output does not
	Twice     = "twice"     // the output has it more than once
	Different = "different" // the output has another value
	Unknown   = "unknown"   // the output has it, the truth does not
)

// Finding is one thing that is wrong.
type Finding struct{ Verdict, Subject, Detail string }

// Report is the result of a comparison.
type Report struct {
	// Compared is the number of compared objects of the truth, by their kind.
	Compared map[string]int
	Findings []Finding
}

func newReport() *Report { return &Report{Compared: map[string]int{}} }

func (r *Report) add(verdict, subject, detail string, values ...any) {
	r.Findings = append(r.Findings, Finding{verdict, subject, fmt.Sprintf(detail, values...)})
}

// differ adds a finding if the values are not equal.
func differ[T comparable](r *Report, subject, name string, want, got T) {
	if want != got {
		r.add(Different, subject, "%s is %v, not %v", name, got, want)
	}
}

// Write prints at most limit findings of each verdict, and the sums.
func (r *Report) Write(w io.Writer, limit int) error {
	var err error
	printf := func(format string, values ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, values...)
		}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Detail, b.Detail))
	})
	for _, verdict := range []string{Missing, Twice, Different, Unknown} {
		count := 0
		for _, f := range r.Findings {
			if f.Verdict != verdict {
				continue
			}
			if count++; count <= limit {
				printf("%-9s  %s  %s\n", f.Verdict, f.Subject, f.Detail)
			}
		}
		if count > limit {
			printf("%-9s  and %d more\n", verdict, count-limit)
		}
	}
	for _, kind := range []string{"record", "call", "call_leg", "recording", "streaming", "conference"} {
		if n := r.Compared[kind]; n > 0 {
			printf("compared %d of %s\n", n, kind)
		}
	}
	printf("%d findings\n", len(r.Findings))
	return err
}
