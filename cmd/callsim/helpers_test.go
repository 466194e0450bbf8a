// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/legato-otel/legato/cmd/callsim/internal/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post is one printed POST.
type post struct {
	url  string
	body []byte
}

// run runs the program with -print and returns what it printed.
func play(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append([]string{"-print"}, args...), &out, &errs)
	require.Zero(t, code, errs.String())
	return out.Bytes()
}

// playWithTruth is run together with the truth file.
func playWithTruth(t *testing.T, args ...string) ([]post, truth.Truth) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "truth.json")
	printed := play(t, append(args, "-truth", file)...)
	return split(printed), readTruth(t, file)
}

func readTruth(t *testing.T, file string) truth.Truth {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var got truth.Truth
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&got))
	return got
}

func split(printed []byte) []post {
	const mark = "-- POST "
	var list []post
	for part := range strings.SplitSeq("\n"+string(printed), "\n"+mark) {
		url, body, ok := strings.Cut(part, "\n")
		if ok {
			list = append(list, post{url: url, body: []byte(strings.TrimSuffix(body, "\n") + "\n")})
		}
	}
	return list
}

// element is any XML element: the tests read the wire without knowing its types.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) child(name string) (element, bool) {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			return c, true
		}
	}
	return element{}, false
}

func (e element) text(name string) string {
	c, _ := e.child(name)
	return strings.TrimSpace(c.Text)
}

func parse(t *testing.T, body []byte) element {
	t.Helper()
	var root element
	dec := xml.NewDecoder(bytes.NewReader(body))
	require.NoError(t, dec.Decode(&root), "%s", body)
	_, err := dec.Token()
	for err == nil {
		_, err = dec.Token()
	}
	require.ErrorIs(t, err, io.EOF)
	return root
}

// within fails the test when the context ends before f returns.
func within(t *testing.T, limit time.Duration, f func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	f(ctx)
	require.NoError(t, ctx.Err(), "took longer than %s", limit)
}

func wellFormed(body []byte) bool {
	dec := xml.NewDecoder(bytes.NewReader(body))
	elements := 0
	for {
		token, err := dec.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && elements > 0
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
}
