// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"context"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
)

// benchmarkLines returns lines of calls as OCMS writes them.
func benchmarkLines(tb testing.TB) (all []string, bytes int64) {
	tb.Helper()
	all = append(lines(tb, "../../testdata/ocms/events-basic.log"), lines(tb, "../../testdata/ocms/events-failures-and-forking.log")...)
	all = append(all, lines(tb, "../../testdata/ocms/events-tricky-values.log")...)
	for _, line := range all {
		bytes += int64(len(line))
	}
	return all, bytes
}

// BenchmarkSplit splits lines into attributes.
func BenchmarkSplit(b *testing.B) {
	all, bytes := benchmarkLines(b)
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

// BenchmarkDecode splits lines and decodes all documented values.
func BenchmarkDecode(b *testing.B) {
	all, bytes := benchmarkLines(b)
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

// BenchmarkStringsSplit applies strings.Split to the same lines: at commas, although some
// commas are quoted; at commas and equals signs; and at all separators at which Decode
// splits.
func BenchmarkStringsSplit(b *testing.B) {
	all, bytes := benchmarkLines(b)
	for _, test := range []struct {
		name  string
		split func(line string) (parts int)
	}{
		{"commas", func(line string) int { return len(strings.Split(line, ",")) }},
		{"commas and equals signs", func(line string) (parts int) {
			pairs := strings.Split(line, ",")
			for i := range pairs {
				parts += len(strings.SplitN(pairs[i], "=", 2))
			}
			return parts
		}},
		{"all separators", splitAll},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(bytes)
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range all {
					if test.split(line) == 0 {
						b.Fatal("nothing")
					}
				}
			}
		})
	}
}

// splitAll splits a line into attributes and their values into the same parts as Decode:
// addresses and URIs, the parameters of Via, the words of MEDIA, Service at its dots.
func splitAll(line string) (parts int) {
	pairs := strings.Split(line, ",")
	for i := range pairs {
		nameAndValue := strings.SplitN(pairs[i], "=", 2)
		parts += len(nameAndValue)
		if len(nameAndValue) < 2 {
			continue
		}
		value := nameAndValue[1]
		switch KeyOf(nameAndValue[0]) {
		case From, To, RequestURI, Via:
			parameters := strings.Split(value, ";")
			for _, parameter := range parameters {
				parts += len(strings.SplitN(parameter, "=", 2))
			}
			halves := strings.Split(value, "@")
			for i := range halves {
				parts += len(strings.Split(halves[i], ":"))
			}
		case Media:
			streams := strings.Split(value, ";")
			for i := range streams {
				parts += len(strings.SplitN(streams[i], " ", 4))
			}
		case CSeq:
			parts += len(strings.Split(value, " "))
		case Service:
			parts += len(strings.Split(value, "."))
		default:
		}
	}
	return parts
}

func BenchmarkKeyValueParser(b *testing.B) {
	all, bytes := benchmarkLines(b)
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
