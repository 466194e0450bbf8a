// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"context"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
)

// corpus is lines of calls as OCMS writes them.
func corpus(tb testing.TB) (all []string, bytes int64) {
	tb.Helper()
	all = append(lines(tb, "../../testdata/ocms/events-basic.log"), lines(tb, "../../testdata/ocms/events-failures-and-forking.log")...)
	all = append(all, lines(tb, "../../testdata/ocms/events-tricky-values.log")...)
	for _, line := range all {
		bytes += int64(len(line))
	}
	return all, bytes
}

// BenchmarkSplit tells the attributes of lines apart.
func BenchmarkSplit(b *testing.B) {
	all, bytes := corpus(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	var s Splitter
	for b.Loop() {
		for _, line := range all {
			if _, err := s.Split(line); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkDecode reads all documented values as well.
func BenchmarkDecode(b *testing.B) {
	all, bytes := corpus(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	var d Decoder
	for b.Loop() {
		for _, line := range all {
			if _, err := d.Decode(line); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkStringsSplit is what a program does that takes every comma and the
// first equals sign as a separator, which is wrong.
func BenchmarkStringsSplit(b *testing.B) {
	all, bytes := corpus(b)
	b.Run("commas", func(b *testing.B) {
		b.SetBytes(bytes)
		b.ReportAllocs()
		for b.Loop() {
			for _, line := range all {
				if len(strings.Split(line, ",")) == 0 {
					b.Fatal("nothing")
				}
			}
		}
	})
	b.Run("commas and equals signs", func(b *testing.B) {
		b.SetBytes(bytes)
		b.ReportAllocs()
		for b.Loop() {
			for _, line := range all {
				for pair := range strings.SplitSeq(line, ",") {
					if len(strings.Split(pair, "=")) == 0 {
						b.Fatal("nothing")
					}
				}
			}
		}
	})
}

func BenchmarkKeyValueParser(b *testing.B) {
	all, bytes := corpus(b)
	parser, output := keyValueParser(b)
	b.SetBytes(bytes)
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range all {
			e := entry.New()
			e.Body = line
			_ = parser.Process(context.Background(), e) // wrong lines too
			<-output.Received
		}
	}
}
