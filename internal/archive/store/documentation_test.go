// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the documentation's tables and the golden files anew")

const documentation = "../../../docs/call-archive.md"

// The tables in the documentation are the program's.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(documentation)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(text), "-update -->\n")
	require.True(t, found)
	_, tail, found := strings.Cut(rest, "<!-- end of tables -->")
	require.True(t, found)
	var b strings.Builder
	describe(&b, &conferenceTable)
	describe(&b, &calls)
	describe(&b, &legs)
	describe(&b, &recordings)
	describe(&b, &sessions)
	describe(&b, &tracks)
	describe(&b, &dialogs)
	describe(&b, &storageEvents)
	describe(&b, &gaps)
	describe(&b, &legQualities)
	describe(&b, &legStates)
	want := head + "-update -->\n" + b.String() + "\n<!-- end of tables -->" + tail
	if *update {
		require.NoError(t, os.WriteFile(documentation, []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text), "run the test with -update")
}

func describe[T any](b *strings.Builder, t *table[T]) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n| column | type | |\n|---|---|---|\n", t.name, t.about)
	about := fieldComments()
	kind := reflect.TypeFor[T]()
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(kind) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields[name] = field
	}
	for i := range t.columns {
		c := &t.columns[i]
		field := fields[c.name]
		owner := kind
		for _, index := range field.Index[:len(field.Index)-1] {
			owner = owner.Field(index).Type
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.name, sqlTypes[c.kind].words, about[owner.Name()+"."+field.Name])
	}
}

// fieldComments are the comments behind the fields of rows.go, by type and field.
var fieldComments = sync.OnceValue(func() map[string]string {
	comments := map[string]string{}
	file, err := parser.ParseFile(token.NewFileSet(), "rows.go", nil, parser.ParseComments)
	if err != nil {
		panic(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range kind.Fields.List {
				for _, name := range field.Names {
					comments[spec.Name.Name+"."+name.Name] = strings.TrimSpace(field.Comment.Text())
				}
			}
		}
		return true
	})
	return comments
})

// Every column is described, and has a type in both databases.
func TestColumnsAreDescribed(t *testing.T) {
	var b strings.Builder
	describe(&b, &conferenceTable)
	describe(&b, &calls)
	describe(&b, &legs)
	describe(&b, &recordings)
	describe(&b, &sessions)
	describe(&b, &tracks)
	describe(&b, &dialogs)
	describe(&b, &storageEvents)
	describe(&b, &gaps)
	describe(&b, &legQualities)
	describe(&b, &legStates)
	assert.NotContains(t, b.String(), "|  |")
}

// march is what the queries are asked about.
func march(t *testing.T) *Batch {
	t.Helper()
	b := &Batch{}
	object := func(id, trace string, from, seconds float64, outcome string) Object {
		return Object{
			ID: id, TraceID: trace, SpanID: "s-" + id, State: StateEnded, Outcome: outcome, StartedAt: at(from), EndedAt: at(from + seconds),
			DurationSeconds: new(seconds), LastHeardAt: at(from + seconds), Bridge: "b1", System: "cms1", Phase: Stitched,
		}
	}
	board := Room{RoomID: "r-board", RoomName: "Board", TenantID: "acme"}
	sync := Room{RoomID: "r-sync", RoomName: "Weekly sync", TenantID: "other"}
	const day = 86400
	// Board, on two bridges; one had a bad line, one waited, one failed.
	b.Calls = append(b.Calls,
		Call{Object: object("c1", "t1", 0, 3600, "complete"), Room: board, CDRTag: "exec", CallLegsCompleted: new(int64(2))},
		Call{Object: object("c2", "t1", 60, 3500, "complete"), Room: board, CallLegsCompleted: new(int64(1))})
	b.Calls[1].Bridge, b.Calls[1].System, b.Calls[1].ParentSpanID = "b2", "cms2", "s-c1"
	leg := func(o Object, room Room, change func(*Leg)) {
		l := Leg{Object: o, Room: room, Role: "participant", Direction: "incoming", RemoteParty: o.ID + "@example.test", Reason: "remoteTeardown", SetupSeconds: new(0.0), IVRSeconds: new(0.0), LobbySeconds: new(0.0), CallID: "c", ParticipantID: "p-" + o.ID}
		change(&l)
		b.Legs = append(b.Legs, l)
	}
	leg(object("l1", "t1", 0, 3600, "complete"), board, func(l *Leg) { l.DisplayName, l.CallCDRTag, l.PacketLossPercent = "Ann", "exec", new(6.7) })
	leg(object("l2", "t1", 60, 1800, "complete"), board, func(l *Leg) {
		l.CallCDRTag, l.CDRTag, l.LobbySeconds, l.IVRSeconds, l.SetupSeconds = "exec", "guest", new(30.0), new(12.5), new(1.0)
	})
	leg(object("l3", "t1", 60, 3500, "complete"), board, func(l *Leg) { l.Role = "distribution_link" })
	// The next day's sync, and a scanner.
	b.Calls = append(b.Calls, Call{Object: object("c3", "t3", day, 900, "bridge_restarted"), Room: sync})
	leg(object("l4", "t3", day, 900, "bridge_restarted"), sync, func(l *Leg) { l.PacketLossPercent, l.ExcessiveJitterPercent = new(20.0), new(3.0) })
	// Nobody answered: it rang for 45 s, with either kind of bridge, until it gave up or
	// the meeting ended.
	leg(object("l5", "t3", day+900, 45, "complete"), sync, func(l *Leg) {
		l.Reason, l.ErrorType, l.Direction, l.SetupSeconds = "ringingTimeout", "ringingTimeout", "outgoing", nil
	})
	leg(object("l7", "t3", day+850, 45, "complete"), sync, func(l *Leg) {
		l.Reason, l.Direction, l.SetupSeconds, l.ActivatedSeconds = "remoteBusy", "outgoing", nil, new(45.0)
		l.ErrorType = l.Reason
	})
	leg(object("l8", "t3", day+855, 45, "complete"), sync, func(l *Leg) { l.Reason, l.Direction, l.SetupSeconds = "callEnded", "outgoing", nil })
	// It rang for a minute, and lasted an hour; a newer bridge says how long it was
	// activated.
	leg(object("l9", "t3", day, 3660, "complete"), sync, func(l *Leg) { l.SetupSeconds = new(60.0) })
	leg(object("l10", "t3", day, 3660, "complete"), sync, func(l *Leg) { l.ActivatedSeconds = new(1800.0) })
	// Three people from eight in the evening of the fifth until four in the morning of
	// the seventh.
	b.Calls = append(b.Calls, Call{Object: object("c4", "t4", 8*3600, 32*3600, "complete"), Room: board})
	for _, id := range []string{"n1", "n2", "n3"} {
		leg(object(id, "t4", 8*3600, 32*3600, "complete"), board, func(*Leg) {})
	}
	leg(object("l6", "t6", day+10, 0, "complete"), Room{}, func(l *Leg) {
		l.Reason, l.ErrorType, l.CallID, l.SetupSeconds = "unknownDestination", "unknownDestination", "", nil
	})
	b.Recordings = append(b.Recordings,
		Recording{Object: object("rec1", "t1", 10, 100, "complete"), Room: board, Kind: KindRecording},
		Recording{Object: object("rec2", "t3", day+10, 890, "bridge_restarted"), Room: sync, Kind: KindRecording, Device: "recorder@example.test"})
	running := object("rec3", "t1", 20, 0, "")
	running.Phase, running.State, running.EndedAt, running.DurationSeconds = Started, StateRunning, time.Time{}, nil
	b.Recordings = append(b.Recordings, Recording{Object: running, Room: board, Kind: KindStreaming})
	return b
}

// queries of the documentation, by title.
func queries(t *testing.T) (titles []string, all map[string]string) {
	t.Helper()
	text, err := os.ReadFile(documentation)
	require.NoError(t, err)
	all = map[string]string{}
	for _, found := range regexp.MustCompile("(?s)### ([^\n]+)\n\n```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		titles = append(titles, found[1])
		all[found[1]] = found[2]
	}
	return titles, all
}

// The ten queries have the same answers in both databases, and from the program
// that people use.
func TestQueries(t *testing.T) {
	titles, all := queries(t)
	require.Len(t, titles, 10)
	var want string
	onBoth(t, func(t *testing.T, driver, source string) {
		t.Helper()
		s := openTest(t, driver, source)
		_, err := s.Write(t.Context(), march(t))
		require.NoError(t, err)
		var b strings.Builder
		for _, title := range titles {
			fmt.Fprintf(&b, "# %s\n%s\n", title, ask(t, s, all[title]))
		}
		file := filepath.Join("testdata", "queries.txt")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		want = string(text)
		assert.Equal(t, want, b.String())
		if driver != SQLite {
			return
		}
		program, err := exec.LookPath("sqlite3")
		if err != nil {
			t.Log("without the sqlite3 program")
			return
		}
		for _, title := range titles {
			output, err := exec.CommandContext(t.Context(), program, "-separator", "|", source, all[title]).CombinedOutput()
			require.NoError(t, err, "%s: %s", title, output)
			var b strings.Builder
			for line := range strings.Lines(string(output)) {
				var fields []string
				for field := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "|") {
					fields = append(fields, plain(field))
				}
				b.WriteString(strings.Join(fields, "|") + "\n")
			}
			assert.Equal(t, ask(t, s, all[title]), b.String(), title)
		}
	})
}

// ask runs a query and returns its rows as text.
func ask(t *testing.T, s *Store, query string) string {
	t.Helper()
	found, err := s.Query(t.Context(), query)
	require.NoError(t, err, query)
	defer found.Close()
	columns, err := found.Columns()
	require.NoError(t, err)
	var b strings.Builder
	for found.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, found.Scan(targets...))
		var fields []string
		for _, v := range values {
			fields = append(fields, plain(v))
		}
		b.WriteString(strings.Join(fields, "|") + "\n")
	}
	require.NoError(t, found.Err())
	return b.String()
}

// plain writes a value the same way for both databases.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return instantText(v)
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return plain(f)
		}
		return v
	case []byte:
		return plain(string(v))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
