// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func split(t *testing.T, reader io.Reader, limit int) (all []string) {
	t.Helper()
	s := bufio.NewScanner(reader)
	s.Buffer(make([]byte, 0, limit), limit)
	s.Split(newSplitFunc(limit))
	for s.Scan() {
		all = append(all, s.Text())
	}
	require.NoError(t, s.Err())
	return all
}

func TestSplit(t *testing.T) {
	for _, row := range []struct {
		stream string
		want   []string
	}{
		{"", nil},
		{"a\nb\r\nc", []string{"a", "b", "c"}},
		{"a\x00b\n\nc\n", []string{"a", "b", "", "c"}},
		{"5 <14>a5 <14>b", []string{"<14>a", "<14>b"}},
		{"7 <14>a\nb5 <14>c", []string{"<14>a\nb", "<14>c"}},
		{"5 <14>a\nMar 5 x\n5 <14>b", []string{"<14>a", "", "Mar 5 x", "<14>b"}},
		{"2024-03-05T x\n12 y\n12", []string{"2024-03-05T x", "12 y", "12"}},
		{"49 <14>cut", []string{"<14>cut"}},
		{"05 <14>a\n", []string{"05 <14>a"}},
		{"99999999999 <14>a\n", []string{"99999999999 <14>a"}},
		{strings.Repeat("x", 70), []string{strings.Repeat("x", 64), strings.Repeat("x", 6)}},
		{"999 <14>" + strings.Repeat("x", 60) + "\nb\n", []string{"999 <14>" + strings.Repeat("x", 56), "xxxx", "b"}},
	} {
		assert.Equal(t, row.want, split(t, strings.NewReader(row.stream), 64), "%q", row.stream)
		assert.Equal(t, row.want, split(t, iotest.OneByteReader(strings.NewReader(row.stream)), 64), "%q, byte by byte", row.stream)
	}
}

// Whatever the stream and however it comes, all of its bytes but line ends and the
// lengths of frames are in the lines, and frames keep their content.
func FuzzSplit(f *testing.F) {
	f.Add("a\nb", "c", true)
	f.Fuzz(func(t *testing.T, before, content string, counted bool) {
		if len(content) == 0 || len(before)+len(content) > 100 || strings.ContainsAny(content, "\n\x00\r") || content[0] >= '0' && content[0] <= '9' {
			return
		}
		if strings.ContainsAny(before, "0123456789<") {
			return // may be frames themselves
		}
		if before != "" {
			before += "\n"
		}
		stream := before + content + "\n"
		want := content
		if counted {
			want = "<14>" + content + "\nx"
			stream = before + fmt.Sprintf("%d %s", len(want), want)
		}
		got := split(t, strings.NewReader(stream), 1024)
		require.Equal(t, want, got[len(got)-1])
		require.Equal(t, got, split(t, iotest.HalfReader(strings.NewReader(stream)), 1024))
	})
}
