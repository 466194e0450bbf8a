// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package legato_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rooms are the folders of internal, each with those that its packages may import.
// The list has an order: a room imports rooms above it only, so that there is no
// circle. docs/architecture.md shows them.
var rooms = []struct {
	name    string
	imports []string
}{
	{"names", nil},
	{"ids", nil},
	{"redact", nil},
	{"concurrency", nil},
	{"scan", nil},
	{"meetingserver", []string{"names", "redact", "scan"}},
	{"mediasense", []string{"redact", "scan"}},
	{"ocms", []string{"scan"}},
	{"stitch", []string{"names", "ids"}},
	{"archive", []string{"names", "scan"}},
	{"otel", []string{"names", "redact", "concurrency"}},
	{"ingest", []string{"concurrency", "otel"}},
}

// testRoom is imported by tests alone.
const testRoom = "testkit"

func TestRooms(t *testing.T) {
	const prefix = "github.com/legato-otel/legato/internal/"
	allowed := make(map[string][]string)
	want := []string{testRoom}
	for i, room := range rooms {
		allowed[room.name] = append(room.imports, room.name)
		want = append(want, room.name)
		for _, imported := range room.imports {
			assert.True(t, slices.ContainsFunc(rooms[:i], func(above struct {
				name    string
				imports []string
			},
			) bool {
				return above.name == imported
			}), "%s imports %s, which is not above it", room.name, imported)
		}
	}
	entries, err := os.ReadDir("internal")
	require.NoError(t, err)
	var have []string
	for _, entry := range entries {
		have = append(have, entry.Name())
	}
	assert.ElementsMatch(t, want, have, "a new room is a row of this test and of docs/architecture.md")

	picture := read(t, "docs/architecture.md")
	for _, name := range want {
		assert.Contains(t, picture, "`"+name+"`", "docs/architecture.md does not name the room")
	}
	for _, file := range goFiles(t) {
		room, _, _ := strings.Cut(strings.TrimPrefix(file, "internal/"), "/")
		if !strings.HasPrefix(file, "internal/") || room == testRoom || strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			imported, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), "/")
			if strings.HasPrefix(path, prefix) {
				assert.Contains(t, allowed[room], imported, "%s", filepath.ToSlash(file))
			}
		}
	}
}
