// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import "testing"

// One post of one record, as nearly all are.
func BenchmarkPost(b *testing.B) {
	for name, identity := range map[string]Identity{
		"bridge":  {Bridge: "d80df859-cbc0-44ee-8611-449ab1bf39d7", System: "cms1"},
		"system":  {System: "cms1"},
		"unnamed": {},
	} {
		b.Run(name, func(b *testing.B) {
			l := New(DefaultLimits, clock)
			entries, verdicts := make([]Entry, 1), make([]CheckResult, 0, 1)
			b.ReportAllocs()
			for b.Loop() {
				s, err := l.Lock(b.Context(), "s")
				if err != nil {
					b.Fatal(err)
				}
				post := l.BeginRequest(s, identity)
				verdicts = s.Check(entries, verdicts[:0])
				l.MarkAccepted(s, post, entries, verdicts)
				l.Unlock(s)
				entries[0].Index++
			}
		})
	}
}
