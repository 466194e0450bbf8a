// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// CSVForm is the reader that a CSV is written for.
type CSVForm uint8

const (
	// CSVSafe is for spreadsheets and programs: a text that a spreadsheet takes for a
	// formula has an apostrophe before it. Times are RFC 3339.
	CSVSafe CSVForm = iota
	// CSVMachine is for programs: every text is as it is in the archive.
	CSVMachine
	// CSVExcel is CSVSafe with a byte order mark, by which Excel knows UTF-8, and with
	// times that Excel reads as such.
	CSVExcel
)

// CSVFilter says which rows are in a CSV. Zero values do not filter.
type CSVFilter struct {
	Filter
	// Of is the person or endpoint that a leg is of, and RoomName the name of the room.
	// The case of the letters a to z makes no difference, but unlike Party and Room of the
	// Filter a longer text that begins so is another one.
	Of       Party
	RoomName string
	// Tag is exact. A leg's tag is its own, else its call's.
	Tag  string
	Form CSVForm
}

// csvField is a column of a CSV: its name, and the SQL expression of its value.
type csvField struct {
	name, expression string
	kind             reflect.Type
}

// csvPage is how many rows are read at a time, so that a client who is slow
// holds no connection and no old version of the data.
const csvPage = 1000

// csvSource describes the table and the columns of a CSV. Its rows are those of one table, l
// in the expressions, by start and key.
type csvSource struct {
	table, key string
	// join joins further tables that the expressions read.
	join   string
	fields []csvField
}

var (
	csvText   = reflect.TypeFor[string]()
	csvTime   = reflect.TypeFor[time.Time]()
	csvNumber = reflect.TypeFor[*float64]()
)

var csvLegs = csvSource{
	table: "call_legs", key: "id", join: " LEFT JOIN conferences AS c ON c.trace_id = l.trace_id",
	fields: []csvField{
		{"conference", "l.trace_id", csvText},
		{"room", "l.room_name", csvText},
		{"room_id", "l.room_id", csvText},
		{"tenant_id", "l.tenant_id", csvText},
		{"tag", "COALESCE(l.cdr_tag, l.call_cdr_tag)", csvText},
		{"owner", "c.owner_name", csvText},
		{"owner_id", "l.owner_id", csvText},
		{"participant", "l.display_name", csvText},
		{"remote_party", "l.remote_party", csvText},
		{"local_address", "l.local_address", csvText},
		{"direction", "l.direction", csvText},
		{"type", "l.type", csvText},
		{"started_at", "l.started_at", csvTime},
		{"ended_at", "l.ended_at", csvTime},
		{"seconds", "l.duration_seconds", csvNumber},
		{"ivr_seconds", "l.ivr_seconds", csvNumber},
		{"lobby_seconds", "l.lobby_seconds", csvNumber},
		{"activated_seconds", "l.activated_seconds", csvNumber},
		{"connected_seconds", "l.connected_seconds", csvNumber},
		{"reason", "l.reason", csvText},
		{"call_id", "l.call_id", csvText},
		{"leg_id", "l.id", csvText},
		{"participant_id", "l.participant_id", csvText},
		{"bridge", "l.bridge", csvText},
		{"bridge_name", "l.system", csvText},
		{"error_type", "l.error_type", csvText},
		{"packet_loss_percent", "l.packet_loss_percent", csvNumber},
		{"excessive_jitter_percent", "l.excessive_jitter_percent", csvNumber},
		{"high_round_trip_time_percent", "l.high_round_trip_time_percent", csvNumber},
	},
}

// csvConferences has all columns of a conference.
var csvConferences = func() csvSource {
	source := csvSource{table: conferenceTable.name, key: "trace_id"}
	for _, c := range conferenceTable.columns {
		source.fields = append(source.fields, csvField{c.name, "l." + c.name, c.kind})
	}
	return source
}()

func (s *csvSource) header() (names []string) {
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	return names
}

// CSVHeader is the first line of [Store.WriteCSV].
func CSVHeader() []string { return csvLegs.header() }

// WriteCSV writes a line for every leg of a participant that is over, by start,
// as billing wants it: RFC 4180, UTF-8, times in UTC.
func (s *Store) WriteCSV(ctx context.Context, to io.Writer, filter CSVFilter) error {
	return s.writeCSV(ctx, to, &csvLegs, &filter, func(c *conditions) {
		c.and("role = 'participant' AND state = 'ended'")
		filter.party(c)
		filter.room(c)
		c.leg(&filter.Filter)
		c.over(&filter.Filter)
		c.room(&filter.Filter, false)
		c.ownerOfLeg(&filter.Filter)
		if filter.Tag != "" {
			c.and("COALESCE(cdr_tag, call_cdr_tag) = ?", filter.Tag)
		}
	})
}

// WriteConferencesCSV writes a line for every conference that is over, by start,
// with all columns of the table conferences.
func (s *Store) WriteConferencesCSV(ctx context.Context, to io.Writer, filter CSVFilter) error {
	return s.writeCSV(ctx, to, &csvConferences, &filter, func(c *conditions) {
		c.and("state = 'ended'")
		filter.room(c)
		if filter.Of != (Party{}) {
			of := conditions{args: c.args}
			of.and("call_legs.trace_id = conferences.trace_id")
			filter.party(&of)
			c.args = of.args
			c.all = append(c.all, "EXISTS (SELECT 1 FROM call_legs"+of.where()+")")
		}
		c.conference(&filter.Filter, false, true)
		if filter.Tag != "" {
			c.and("cdr_tag = ?", filter.Tag)
		}
	})
}

func (f *CSVFilter) party(c *conditions) {
	if f.Of != (Party{}) {
		f.Of.condition(c)
	}
}

func (f *CSVFilter) room(c *conditions) {
	if f.RoomName != "" {
		(RoomKey{Name: f.RoomName}).condition(c)
	}
}

// byteOrderMark by which Excel knows UTF-8.
const byteOrderMark = "\ufeff"

func (s *Store) writeCSV(ctx context.Context, to io.Writer, source *csvSource, filter *CSVFilter, conditionsOf func(*conditions)) error {
	out, err := filter.Form.writer(to)
	if err != nil {
		return err
	}
	if err := out.Write(source.header()); err != nil {
		return err
	}
	expressions := make([]string, len(source.fields))
	for i, f := range source.fields {
		expressions[i] = f.expression
	}
	// Behind the last millisecond before it.
	after := Cursor{At: filter.From.Add(-time.Millisecond), ID: highest}
	if filter.From.IsZero() {
		after.At = startOfTime
	}
	for {
		var c conditions
		// The first condition is the one that the index of time answers.
		c.and("started_at >= ?", after.At)
		c.and("(started_at > ? OR "+source.key+" > ?)", after.At, after.ID)
		if !filter.To.IsZero() {
			c.and("started_at < ?", filter.To)
		}
		conditionsOf(&c)
		query := fmt.Sprintf("SELECT l.started_at, l.%[1]s, %[2]s FROM (SELECT * FROM %[3]s%[4]s ORDER BY started_at, %[1]s LIMIT %[5]d) AS l%[6]s ORDER BY l.started_at, l.%[1]s",
			source.key, strings.Join(expressions, ", "), source.table, c.where(), csvPage, source.join)
		n, last, err := s.csvPage(ctx, out, source, filter.Form, query, c.args)
		if err != nil {
			return err
		}
		if err := out.flush(); err != nil || n < csvPage {
			return err
		}
		after = last
	}
}

// csvWriter writes lines that end in CR LF, as RFC 4180 has it.
type csvWriter struct {
	*csv.Writer
	// line and to are those of a writer that keeps the line breaks in texts.
	line *bytes.Buffer
	to   *bufio.Writer
}

// writer of a form.
func (f CSVForm) writer(to io.Writer) (*csvWriter, error) {
	if f == CSVMachine {
		// With UseCRLF, the package csv changes line breaks in texts too.
		line := &bytes.Buffer{}
		return &csvWriter{csv.NewWriter(line), line, bufio.NewWriter(to)}, nil
	}
	if f == CSVExcel {
		if _, err := io.WriteString(to, byteOrderMark); err != nil {
			return nil, err
		}
	}
	out := csv.NewWriter(to)
	out.UseCRLF = true
	return &csvWriter{Writer: out}, nil
}

// Write writes a line.
func (w *csvWriter) Write(texts []string) error {
	if err := w.Writer.Write(texts); err != nil || w.line == nil {
		return err
	}
	w.Flush()
	line := bytes.TrimSuffix(w.line.Bytes(), []byte("\n"))
	_, err := w.to.Write(append(line, "\r\n"...))
	w.line.Reset()
	return err
}

// flush writes the lines that are kept in memory.
func (w *csvWriter) flush() error {
	w.Flush()
	if err := w.Error(); err != nil || w.to == nil {
		return err
	}
	return w.to.Flush()
}

// Write writes lines whose texts are as [CSVForm.Text] returns them.
func (f CSVForm) Write(to io.Writer, lines [][]string) error {
	out, err := f.writer(to)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := out.Write(line); err != nil {
			return err
		}
	}
	return out.flush()
}

// Text is a text as the form has it.
func (f CSVForm) Text(text string) string {
	if f == CSVMachine {
		return text
	}
	return EscapeFormula(text)
}

// startOfTime is before any start, and a time that both databases can hold.
var startOfTime = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)

// csvPage writes one page. It returns how many lines it has, and where it ends.
func (s *Store) csvPage(ctx context.Context, out *csvWriter, source *csvSource, form CSVForm, query string, args []any) (n int, last Cursor, err error) {
	found, err := s.Query(ctx, query, args...)
	if err != nil {
		return 0, last, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	line := make([]string, len(source.fields))
	for found.Next() {
		values := make([]any, len(source.fields))
		targets := []any{scanTarget(&last.At), scanTarget(&last.ID)}
		for i, f := range source.fields {
			values[i] = reflect.New(f.kind).Interface()
			targets = append(targets, scanTarget(values[i]))
		}
		if err := found.Scan(targets...); err != nil {
			return n, last, err
		}
		for i, v := range values {
			line[i] = form.text(v)
		}
		if err := out.Write(line); err != nil {
			return n, last, err
		}
		n++
	}
	return n, last, found.Err()
}

// text of a field's value; a value that is absent is "".
func (f CSVForm) text(value any) string {
	switch v := value.(type) {
	case *string:
		return f.Text(*v)
	case *time.Time:
		return f.instant(*v)
	case *float64:
		return strconv.FormatFloat(*v, 'f', -1, 64)
	case **float64:
		if *v != nil {
			return strconv.FormatFloat(**v, 'f', -1, 64)
		}
	case *int64:
		return strconv.FormatInt(*v, 10)
	case **int64:
		if *v != nil {
			return strconv.FormatInt(**v, 10)
		}
	case **bool:
		if *v != nil {
			return strconv.FormatBool(**v)
		}
	}
	return ""
}

func (f CSVForm) instant(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case f == CSVExcel:
		return t.UTC().Format(time.DateTime)
	default:
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
}

// EscapeFormula prevents a spreadsheet from running a stranger's text as a formula: where a
// text begins, and where one continues behind what a spreadsheet of another country, or one
// with such a setting, takes for the end of a cell.
func EscapeFormula(text string) string {
	if !strings.ContainsAny(text, formulaStarts+cellEnds) {
		return text
	}
	var b strings.Builder
	begins := true
	for i, c := range text {
		if begins && strings.ContainsRune(formulaStarts, c) || i == 0 && c != ';' && strings.ContainsRune(cellEnds, c) {
			b.WriteByte('\'')
		}
		// Behind a quotation mark and spaces a cell still begins.
		begins = strings.ContainsRune(cellEnds, c) || begins && (c == '"' || c == ' ')
		b.WriteRune(c)
	}
	return b.String()
}

const (
	// formulaStarts have their wide forms with them, which are the same in some
	// countries.
	formulaStarts = "=+-@\uff1d\uff0b\uff0d\uff20"
	cellEnds      = ";\t\r\n"
)
