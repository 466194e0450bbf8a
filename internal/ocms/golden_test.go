// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGolden compares the decoded lines of every fixture with testdata.
func TestGolden(t *testing.T) {
	for _, file := range fixtures(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".log") + ".golden"
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			for i, line := range lines(t, file) {
				fmt.Fprintf(&got, "line %d\n", i+1)
				if strings.HasPrefix(line, "<134>") {
					var header SyslogHeader
					header, line = CutSyslogHeader(line)
					fmt.Fprintf(&got, "  header %q host %q\n", header.Text, header.Host)
				}
				print(&got, line)
			}
			path := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o600))
				return
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run the test with -update to write it")
			assert.Equal(t, string(want), got.String())
		})
	}
}

func print(to *strings.Builder, line string) {
	e, err := decode(line)
	if err != nil {
		fmt.Fprintf(to, "  error: %v\n", err)
	}
	for i := range e.Line.Len() {
		a := e.Line.Attribute(i)
		mark := ""
		if a.Key == Unknown {
			mark = " (additional)"
		} else if !e.Line.IsFirst(i) {
			mark = " (again)"
		}
		fmt.Fprintf(to, "  %s = %q%s\n", a.Name, a.Value, mark)
	}
	if e.Line.Len() == 0 {
		return
	}
	fmt.Fprintf(to, "  -> %s %s code %d logger %q\n", [...]string{"generic", "request", "response"}[e.Kind()], e.Method, e.Code, e.Category.Logger)
	fmt.Fprintf(to, "  -> %v offset %d %v call %q cseq %v length %d\n", e.Time, e.Offset, e.HasOffset, e.CallID, e.CSeq, e.ContentLength)
	fmt.Fprintf(to, "  -> from %+v\n  -> to %+v\n  -> uri %+v\n", e.From, e.To, e.RequestURI)
	for _, hop := range e.Via {
		fmt.Fprintf(to, "  -> via {Text:%s Transport:%s Host:%s Port:%d Branch:%s Received:%s}\n",
			hop.Text, hop.Transport, hop.Host, hop.Port, hop.Parameter("branch"), hop.Parameter("received"))
	}
	for _, stream := range e.Media {
		fmt.Fprintf(to, "  -> media %+v\n", stream)
	}
	fmt.Fprintf(to, "  -> flags %v\n", e.Flags().AppendNames(nil))
}
